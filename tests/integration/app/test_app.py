"""The app as a process: its endpoints over real HTTP, against the stand-ins."""

import datetime as dt
import json
import statistics
import time

import pytest
import requests

from forecast.bands import BAND_COLUMNS
from tests import schema
from tests.appserver import NOW, AppServer, call
from tests.browser.warm import WarmAppServer
from tests.bundles import counts, files_of, make_bundle, replace_folder, zip_of
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer

TODAY = NOW.date()
TRAINED = TODAY - dt.timedelta(days=3)
OBSERVED = TODAY - dt.timedelta(days=1)
CONFIG = """
packages = ["Flask", "requests", "pytorch"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [3, 6, 7]
"""
KEYS = ["package", "trained_through", "observed_through", "no_counts_since", "forecast"]
KEYS += ["accuracy", "known_through", "warnings"]


@pytest.fixture(scope="module")
def standins():
    with GitHubServer() as github, PyPIStatsServer() as pypistats:
        made = NOW - dt.timedelta(hours=9)
        bundle = make_bundle(last_day=TRAINED, created_at=made)
        github.add_artifact(zip_of(bundle), created_at=made)
        for name, size in (("flask", 1000), ("requests", 2000)):
            series = counts(OBSERVED, days=72, size=size)
            pypistats.series[name] = {day.date(): int(count) for day, count in series.items()}
        yield github, pypistats


@pytest.fixture(scope="module")
def app(standins, tmp_path_factory):
    github, pypistats = standins
    config = tmp_path_factory.mktemp("config") / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    settings = {
        "FORECAST_CONFIG": str(config),
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": github.token,
        "PYPISTATS_URL": pypistats.url,
    }
    with WarmAppServer(settings) as running:
        yield running


def test_forecast(app):
    kind, [answer] = call(app, "forecast", package="flask", days=7)
    assert kind == "complete"
    assert list(answer) == KEYS
    assert answer["package"] == "flask"
    assert answer["trained_through"] == TRAINED.isoformat()
    assert answer["observed_through"] == OBSERVED.isoformat()
    assert answer["known_through"] == OBSERVED.isoformat()
    assert answer["warnings"] == []
    assert answer["accuracy"]["backtest"] == {
        "forecasts": 3,
        "error_ratio": 0.9,
        "inside_80": 0.8,
        "inside_95": 0.95,
    }
    assert answer["accuracy"]["record"] is None
    assert len(answer["forecast"]) == 7
    assert answer["forecast"][0]["date"] == TODAY.isoformat()
    for day in answer["forecast"]:
        assert list(day) == ["date", *BAND_COLUMNS]
        assert day["lower_95"] <= day["lower_80"] <= day["median"] <= day["upper_80"]


def test_forecast_is_what_the_model_gives(app):
    _, [answer] = call(app, "forecast", package="requests", days=60)
    more = counts(OBSERVED, days=72, size=2000)[-2:]
    model = make_bundle(last_day=TRAINED).model("requests").extend([float(v) for v in more])
    means = [day["mean"] for day in answer["forecast"]]
    assert means == pytest.approx(model.predict(60).mean, abs=0.06)


def test_names_are_normalised(app):
    _, [answer] = call(app, "forecast", package="FLASK", days=1)
    assert answer["package"] == "flask"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"package": "no-such-package", "days": 30}, "no-such-package"),
        ({"package": "pytorch", "days": 30}, "pytorch"),
        ({"package": "a b", "days": 30}, "a b"),
        ({"package": "flask", "days": 0}, "1 to 90"),
        ({"package": "flask", "days": 91}, "1 to 90"),
        ({"package": "flask", "days": "many"}, "1 to 90"),
        ({"package": "flask", "days": 1.5}, "1 to 90"),
        ({"package": "flask", "days": True}, "1 to 90"),
        ({"package": None, "days": 1}, "None"),
    ],
)
def test_errors_say_what_is_wrong(app, arguments, named):
    kind, answer = call(app, "forecast", **arguments)
    assert kind == "error"
    assert named in answer["error"]


def test_packages(app):
    kind, [answer] = call(app, "packages")
    assert kind == "complete"
    assert answer == [
        {"package": "flask", "status": "ready", "trained_through": TRAINED.isoformat()},
        {"package": "pytorch", "status": "no model yet", "trained_through": None},
        {"package": "requests", "status": "ready", "trained_through": TRAINED.isoformat()},
    ]
    for each in answer:
        schema.check("listed", each)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"limit": 2}, ["flask", "pytorch"]),
        ({"limit": 2, "offset": 2}, ["requests"]),
        ({"offset": 3}, []),
        ({"search": "T"}, ["pytorch", "requests"]),
        ({"search": "Py.Torch"}, []),
        ({"search": "t", "offset": 1, "limit": 1}, ["requests"]),
    ],
)
def test_packages_come_a_page_at_a_time(app, arguments, names):
    _, [answer] = call(app, "packages", **arguments)
    assert [each["package"] for each in answer] == names


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"limit": 0}, "limit is 0: expected a whole number from 1 to 1,000"),
        ({"limit": 1_001}, "limit is 1001"),
        ({"limit": "many"}, "limit is 'many'"),
        ({"offset": -1}, "offset is -1: expected a whole number from 0"),
        ({"offset": 1.5}, "offset is 1.5"),
        ({"search": "x" * 101}, "expected at most 100 characters"),
    ],
)
def test_a_page_of_packages_that_cannot_be(app, arguments, named):
    kind, answer = call(app, "packages", **arguments)
    assert kind == "error"
    assert named in answer["error"]


def test_the_chooser_s_answer(app):
    answer = requests.get(f"{app.url}find?text=FLA", timeout=30)
    assert answer.json() == {"names": ["Flask"], "note": "1 package.", "unusual": []}
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    near = requests.get(f"{app.url}find?text=flsk", timeout=30).json()
    assert near["names"] == ["Flask"]


def test_schemas_are_real(app):
    info = requests.get(f"{app.url}gradio_api/info", timeout=30).json()["named_endpoints"]
    assert sorted(info) == ["/forecast", "/packages", "/record"]
    package, days = info["/forecast"]["parameters"]
    assert package["type"] == {"type": "string"}
    assert days["type"] == {"type": "integer"}
    assert days["parameter_default"] == 30
    search, offset, limit = info["/packages"]["parameters"]
    assert search["type"] == {"type": "string"}
    assert offset["type"] == limit["type"] == {"type": "integer"}
    assert [each["parameter_default"] for each in (search, offset, limit)] == ["", 0, 100]
    properties = info["/forecast"]["returns"][0]["type"]["properties"]
    assert list(properties) == KEYS
    assert next(iter(properties["forecast"]["items"]["properties"])) == "date"


def test_mcp_tools(app):
    url = f"{app.url}gradio_api/mcp/"
    headers = {"Accept": "application/json, text/event-stream"}

    def ask(method, **params):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        text = requests.post(url, json=message, headers=headers, timeout=30).text
        return json.loads(next(x for x in text.splitlines() if x.startswith("data: "))[6:])

    tools = {tool["name"]: tool for tool in ask("tools/list")["result"]["tools"]}
    assert sorted(tools) == ["forecast", "packages", "record"]
    assert "80 % and 95 % bands" in tools["forecast"]["description"]
    assert tools["forecast"]["inputSchema"]["properties"]["days"]["type"] == "integer"
    assert "as long as a page is full" in tools["packages"]["description"]
    result = ask("tools/call", name="forecast", arguments={"package": "flask", "days": 2})["result"]
    assert '"observed_through"' in result["content"][0]["text"].replace("'", '"')


def test_export_as_csv(app):
    answer = requests.get(f"{app.url}export/x.csv?package=flask&compare=requests", timeout=30)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert 'filename="flask.csv"' in answer.headers["Content-Disposition"]
    head, *rows = answer.text.splitlines()
    columns = ["package", "date", "downloads", "repaired", *BAND_COLUMNS, "no_counts_since"]
    assert head == ",".join(columns)
    assert len(rows) == 2 * (72 + 30)
    assert rows[71].startswith(f"flask,{OBSERVED},")
    assert rows[72].startswith(f"flask,{TODAY},,,")


def test_export_as_json(app):
    [whole] = requests.get(f"{app.url}export/x.json?package=flask", timeout=30).json()
    assert whole["package"] == "flask"
    assert len(whole["history"]) == 72
    assert whole["backtest"]["mase"] == 0.9
    assert whole["total"]["lower_80"] < whole["total"]["mean"]


@pytest.mark.parametrize("path", ["x.csv", "x.exe?package=flask", "x.csv?package=no-such"])
def test_export_of_nothing(app, path):
    assert requests.get(f"{app.url}export/{path}", timeout=30).status_code == 404


def test_pypi_stats_is_asked_once_a_package(app, standins):
    for name in ("flask", "requests", "flask"):
        call(app, "forecast", package=name, days=1)
    asked = [path for path in standins[1].paths() if "/packages/" in path]
    assert sorted(asked) == sorted(set(asked))


def test_the_page_answers_a_browser(app):
    page = requests.get(app.url, timeout=30)
    assert page.ok
    assert "PyPI download forecast" in page.text


def test_no_token_in_the_log(app, standins):
    assert standins[0].token not in app.log
    assert "Traceback" not in app.log


def test_an_endpoint_is_quick(app):
    call(app, "forecast", package="flask", days=30)
    took = []
    for _ in range(20):
        begun = time.monotonic()
        call(app, "forecast", package="flask", days=30)
        took.append(time.monotonic() - begun)
    assert statistics.median(took) < 0.5


def test_a_folder_of_models_asks_github_nothing(standins, tmp_path):
    github, _ = standins
    asked = len(github.calls)
    replace_folder(tmp_path / "models", files_of(make_bundle(("flask",), source="sample")))
    settings = {"MODELS_DIR": str(tmp_path / "models"), "GITHUB_API_URL": github.url}
    with WarmAppServer(settings) as running:
        kind, _ = call(running, "forecast", package="flask", days=1)
    assert kind == "complete"
    assert len(github.calls) == asked


def test_a_wrong_config_ends_with_one_line(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.replace("30", "300"), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"ended with 2: .*forecast_days = 300"):
        AppServer({"FORECAST_CONFIG": str(config)})


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """An app whose bundle has pictures, as the weekly run draws them."""
    folder = tmp_path_factory.mktemp("pictured")
    style = "<style>a\n@media (prefers-color-scheme: dark) {\nb\n}\n</style>"
    pictures = {"flask.svg": f"<svg>{style}</svg>", "flask.badge.svg": "<svg></svg>"}
    bundle = make_bundle(pictures=pictures)
    replace_folder(folder / "models", files_of(bundle))
    with WarmAppServer({"MODELS_DIR": str(folder / "models")}) as running:
        yield running


FOLLOWING = "<svg><style>a\n@media (prefers-color-scheme: dark) {\nb\n}\n</style></svg>"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flask.svg", FOLLOWING),
        ("Flask.svg?theme=x", FOLLOWING),
        ("FLASK.SVG?theme=light", "<svg><style>a\n</style></svg>"),
        ("flask.svg?theme=dark", "<svg><style>a\nb\n</style></svg>"),
        ("Flask.badge.svg?theme=dark", "<svg></svg>"),
    ],
)
def test_a_picture_for_other_pages(pictured, name, text):
    answer = requests.get(f"{pictured.url}picture/{name}", timeout=10)
    assert answer.status_code == 200
    assert answer.text == text
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["requests.svg", "flask.pkl", "history.csv", "manifest.json", "..%2Fmanifest.json"]
)
def test_nothing_but_pictures_is_given_as_one(pictured, name):
    answer = requests.get(f"{pictured.url}picture/{name}", timeout=10)
    assert answer.status_code == 404
