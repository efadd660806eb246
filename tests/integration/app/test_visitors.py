"""Attacks by a visitor on the app as a process."""

import http.client
import json
import os
import socket
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
import requests

from app.data.on_demand import PER_CLIENT, UNKNOWN_PER_CLIENT
from tests.appserver import NOW, UNPACED, AppServer
from tests.bundles import counts, files_of, make_bundle, replace_folder
from tests.standins.pypistats import PyPIStatsServer

YESTERDAY = NOW.date().fromordinal(NOW.date().toordinal() - 1)
JSON = {"Content-Type": "application/json"}
COMMAND = (sys.executable, "-c", UNPACED)


@pytest.fixture(scope="module")
def pypistats():
    with PyPIStatsServer() as server:
        series = counts(YESTERDAY, days=100, size=1000)
        server.series["django"] = {day.date(): int(count) for day, count in series.items()}
        yield server


@pytest.fixture(scope="module")
def app(pypistats, tmp_path_factory):
    folder = tmp_path_factory.mktemp("visited")
    pictures = {"flask.svg": "<svg/>", "flask.badge.svg": "<svg></svg>"}
    replace_folder(folder / "models", files_of(make_bundle(pictures=pictures)))
    (folder / "tmp").mkdir()
    settings = {
        "MODELS_DIR": str(folder / "models"),
        "PYPISTATS_URL": pypistats.url,
        "TMPDIR": str(folder / "tmp"),
        "SPACE_ID": "owner/space",  # loopback is one of its proxies
    }
    with AppServer(settings, COMMAND) as running:
        running.scratch = folder / "tmp"  # type: ignore[attr-defined] # for the tests below
        yield running


def ask(app, method, target, body=None, headers=None):
    """One request whose target is sent unchanged."""
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace"), answer.headers
    finally:
        connection.close()


def forecast(app, package, days=1, visitor="198.51.100.1"):
    headers = {"X-Forwarded-For": visitor}
    url = f"{app.url}gradio_api/call"
    body = {"package": package, "days": days}
    asked = requests.post(f"{url}/v2/forecast", json=body, headers=headers, timeout=30)
    event = asked.json()["event_id"]
    answer = requests.get(f"{url}/forecast/{event}", headers=headers, timeout=60).text
    kind, data = (line.split(": ", 1)[1] for line in answer.strip().splitlines()[-2:])
    return kind, json.loads(data)


def asked_of(pypistats):
    """Calls except those for the bundle's packages, whose newer counts are always fetched."""
    paths = pypistats.paths()
    return [path for path in paths if "/flask/" not in path and "/requests/" not in path]


def still_well(app):
    kind, _ = forecast(app, "flask")
    return kind == "complete" and requests.get(app.url, timeout=30).ok


def test_nothing_is_uploaded(app):
    before = sorted(app.scratch.rglob("*"))
    for route in ("upload", "component_server", "process_recording", "upload?upload_id=x"):
        url = f"{app.url}gradio_api/{route}"
        assert requests.post(url, files={"files": b"evil"}, timeout=30).status_code == 404
    assert sorted(app.scratch.rglob("*")) == before
    assert not (Path(tempfile.gettempdir()) / "gradio" / str(os.getpid())).exists()


@pytest.mark.parametrize(
    "target",
    [
        "/gradio_api/proxy={there}",
        "/gradio_api/file={there}",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=config.toml",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/run-history/buckets",
        "/gradio_api/runs",
        "/gradio_api/mcp/sse",
        "/gradio_api/custom_component/x/client/component/index.js",
        "/gradio_api/heartbeat/x",
        "/monitoring",
        "/monitoring/summary",
        "/docs",
        "/login",
        "/static/../../routes.py",
        "/static/..%2f..%2froutes.py",
        "/assets/%2e%2e/%2e%2e/routes.py",
        "//etc/passwd",
        "/picture/../manifest.json",
        "/picture/..%2fmanifest.json",
        "/picture/%00.svg",
        "/picture/flask.pkl",
        "/picture//etc/passwd",
        "/export/..%2f..%2fx.csv?package=flask",
        "/export/%00.csv?package=flask",
        "/export/x%0d%0aX-Evil:%201.csv?package=flask",
        "/export/x.csv?package=..%2f..%2fetc",
        "/export/x.csv?package=fla%00sk",
        "/export/x.csv?package=fl%0d%0aX-Evil:%201",
        "/export/x.csv?package=http://127.0.0.1/",
    ],
)
def test_what_is_not_needed_is_not_there(app, pypistats, target):
    before = asked_of(pypistats)
    status, _, headers = ask(app, "GET", target.format(there=pypistats.origin))
    assert status == 404
    assert "X-Evil" not in headers
    assert asked_of(pypistats) == before


def test_a_file_is_named_after_the_normalised_package(app):
    status, _, headers = ask(app, "GET", "/export/evil%22.csv?package=FLASK")
    assert status == 404  # a quote in the address
    status, _, headers = ask(app, "GET", "/export/evil.csv?package=FLASK&x=%22%0d%0aX-Evil:1")
    assert (status, headers["Content-Disposition"]) == (200, 'attachment; filename="flask.csv"')
    assert "X-Evil" not in headers


@pytest.mark.parametrize(
    "route", ["/gradio_api/queue/join", "/gradio_api/call/v2/forecast", "/gradio_api/mcp/"]
)
def test_a_large_body_is_refused(app, route):
    assert ask(app, "POST", route, b"[" * 1_000_000, JSON)[0] == 413


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"data":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"package":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"package": NaN',
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_bad_json_is_refused(app, body):
    for route in ("/gradio_api/queue/join", "/gradio_api/call/v2/forecast"):
        assert ask(app, "POST", route, body, JSON)[0] in {400, 422}
    assert still_well(app)


@pytest.mark.parametrize(
    "package",
    [
        "../../etc/passwd",
        "flask\x00",
        "flask\r\nX-Evil: 1",
        "http://127.0.0.1:1/",
        "x" * 50_000,
        ["flask"] * 1000,
    ],
)
def test_a_name_is_a_name(app, pypistats, package):
    before = asked_of(pypistats)
    try:
        kind, _ = forecast(app, package)
    except KeyError:  # gradio refused it: there is no event
        kind = "error"
    assert kind == "error"
    assert asked_of(pypistats) == before
    assert still_well(app)


FILES = ["/etc/passwd", "config.toml", "{there}", "https://example.com/"]


@pytest.mark.parametrize("key", ["path", "url"])
@pytest.mark.parametrize("value", FILES)
@pytest.mark.parametrize("escaped", [False, True])
def test_no_file_is_taken_for_a_name(app, pypistats, key, value, escaped):
    before = asked_of(pypistats)
    place = value.format(there=pypistats.origin)
    file = {key: place, "path": place, "meta": {"_type": "gradio.FileData"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    bodies = {
        "call/forecast": {"data": [file, 1]},
        "call/v2/forecast": {"package": file},
        "queue/join": {"data": [[file], 1], "fn_index": 0, "session_hash": "x"},
        "mcp/": {**call, "params": {"name": "forecast", "arguments": {"package": file}}},
    }
    for route, body in bodies.items():
        text = json.dumps(body)
        if escaped:
            text = text.replace("meta", "\\u006deta").replace("gradio.", "gradio\\u002e")
        headers = {**JSON, "Accept": "application/json, text/event-stream"}
        status, answer, _ = ask(app, "POST", f"/gradio_api/{route}", text.encode(), headers)
        assert (status, answer) == (400, "expected JSON without files in it")
    assert asked_of(pypistats) == before


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("v2/forecast", {}),
        ("v2/forecast", {"package": "flask", "days": 1, "x": 2}),
        ("v2/load", {}),
        ("forecast", {"data": []}),
    ],
)
def test_wrong_arguments_leave_no_traceback(app, route, body):
    before = app.log.count("Traceback")
    answer = requests.post(f"{app.url}gradio_api/call/{route}", json=body, timeout=30)
    assert answer.status_code == (404 if route == "v2/load" else 400)
    assert answer.text.startswith(("expected ", "there is no endpoint of this name"))
    assert app.log.count("Traceback") == before


def test_mcp_fetches_no_address(app, pypistats):
    before = asked_of(pypistats)
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "forecast", "arguments": {"package": f"{pypistats.origin}/x"}},
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "X-Forwarded-Host": pypistats.origin.removeprefix("http://"),
    }
    answer = requests.post(f"{app.url}gradio_api/mcp/", json=call, headers=headers, timeout=30)
    assert "expected a name that PyPI allows" in answer.text
    assert asked_of(pypistats) == before


def test_idle_connections_are_let_be(app):
    idle = [socket.create_connection(("127.0.0.1", app.port)) for _ in range(500)]
    try:
        assert still_well(app)
    finally:
        for connection in idle:
            connection.close()


def test_thousands_of_parameters_and_names(app):
    many = "&".join(f"p{n}=1" for n in range(5000))
    assert ask(app, "GET", f"/?{many}")[0] == 414
    names = ",".join(["flask"] * 500)
    assert ask(app, "GET", f"/export/x.csv?package=flask&compare={names}")[0] == 200


def test_new_packages_are_rationed(app, pypistats):
    kind, _ = forecast(app, "django", visitor="198.51.100.2, 203.0.113.9")
    assert kind == "complete"
    for number in range(UNKNOWN_PER_CLIENT + PER_CLIENT - 1):
        forecast(app, f"no-such-{number}", visitor=f"198.51.100.{number}, 203.0.113.9")
    before = asked_of(pypistats)
    kind, answer = forecast(app, "one-more", visitor="9.9.9.9, 203.0.113.9, 10.16.3.80")
    assert kind == "error"
    assert f"you have reached the limit of {PER_CLIENT} in an hour" in answer["error"]
    assert "try again in" in answer["error"]
    status, text, headers = ask(
        app, "GET", "/export/x.csv?package=one-more", headers={"X-Forwarded-For": "203.0.113.9"}
    )
    assert (status, "try again in" in text) == (429, True)
    assert 0 < int(headers["Retry-After"]) <= 3601
    assert asked_of(pypistats) == before
    assert forecast(app, "django", visitor="203.0.113.9")[0] == "complete"
    assert forecast(app, "flask", visitor="203.0.113.9")[0] == "complete"


def test_answers_that_nobody_fetches_are_forgotten(app):
    url = f"{app.url}gradio_api/call/v2/forecast"
    with requests.Session() as session:
        for _ in range(200):
            body = {"package": "flask", "days": 1}
            assert session.post(url, json=body, timeout=30).status_code in {200, 503}
    assert still_well(app)


@pytest.mark.parametrize("fn_index", [-1, 999, True, None, "0", 1.5, [], {}])
def test_an_event_that_does_not_exist_writes_no_log(app, fn_index):
    before = len(app.log)
    body = json.dumps({"data": [], "fn_index": fn_index, "session_hash": "x"}).encode()
    for _ in range(20):
        assert ask(app, "POST", "/gradio_api/queue/join", body, JSON)[0] == 400
    assert len(app.log) - before < 5_000


def test_a_call_that_does_not_exist_writes_no_log(app):
    before = len(app.log)
    for _ in range(20):
        assert ask(app, "POST", "/gradio_api/call/no-such", b'{"data": []}', JSON)[0] == 404
        assert ask(app, "GET", "/gradio_api/call/forecast/no-such")[0] == 404
        assert ask(app, "GET", "/gradio_api/queue/data?session_hash=no-such")[0] < 500
    assert len(app.log) - before < 5_000


def test_visitors_by_mcp_are_told_apart_without_a_proxy(pypistats, tmp_path):
    replace_folder(tmp_path / "models", files_of(make_bundle()))
    settings = {"MODELS_DIR": str(tmp_path / "models"), "PYPISTATS_URL": pypistats.url}
    # Packages that exist count, though one day is too short for a forecast.
    pypistats.series |= {f"by-mcp-{number}": {YESTERDAY: 5} for number in range(PER_CLIENT + 1)}

    def by_mcp(app, package, source, claims):
        arguments = {"name": "forecast", "arguments": {"package": package, "days": 1}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
        headers = {
            **JSON,
            "Accept": "application/json, text/event-stream",
            "X-Forwarded-For": claims,
            "X-Forecast-Visitor": f"{claims} {'0' * 64}",
        }
        connection = http.client.HTTPConnection(
            "127.0.0.1", app.port, timeout=30, source_address=(source, 0)
        )
        with closing(connection):
            connection.request("POST", "/gradio_api/mcp/", json.dumps(call), headers)
            return connection.getresponse().read().decode()

    with AppServer(settings, COMMAND) as app:
        answers = [
            by_mcp(app, f"by-mcp-{number}", "127.0.0.2", f"198.51.100.{number}")
            for number in range(PER_CLIENT + 1)
        ]
        limit = f"limit of {PER_CLIENT} in an hour"
        assert [limit in answer for answer in answers] == [False] * PER_CLIENT + [True]
        assert limit not in by_mcp(app, "by-mcp-other", "127.0.0.3", "198.51.100.1")


def test_nothing_of_it_is_a_traceback(app):
    assert "Traceback" not in app.log
