"""Secrets are planted in every possible place, and all output of the programs is searched."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import requests

from tests.appserver import KEPT, NOW, ROOT, STANDING, AppServer
from tests.bundles import counts, make_bundle, zip_of
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer
from tests.standins.server import Answer, Loopback
from tests.waiting import until
from tests.warm.python import host_of

SECRETS = {
    "token": "ghp_Ap9+/=x%7E&'\"<q>Zt0k3n",
    "blob": "bl0bS1gnature%2Bkey",
    "pypistats": "pa55wordOfPyPIStats",
    "github": "pa55wordOfGitHub",
    "hf": "hf_QwErTyUiOpAsDfGhJkL",
    "other": "s3cr3t of another kind",
}
YESTERDAY = NOW.date().fromordinal(NOW.date().toordinal() - 1)
CONFIG = """
packages = ["flask"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [7]
"""
# The app, except that it looks at GitHub often, and that a file makes it fail or leak there.
APP = """
import os, pathlib, runpy, sys
import logging; logging.basicConfig(level=logging.DEBUG)
sys.argv = ["app/app.py"]
sys.path.insert(0, os.getcwd())
import forecast.github.api
from app.data import store
store.Store.__init__.__kwdefaults__["every"] = store.MAX_PAUSE = 0.1
flag, get = pathlib.Path(os.environ["FLAG"]), forecast.github.api.GitHub.get
def broken(self, *arguments, **named):
    told = flag.read_text() if flag.exists() else ""
    if told == "leak":
        print(os.environ["GITHUB_TOKEN"], flush=True)
    if told == "break":
        raise RuntimeError("the refresh thread meets something new")
    return get(self, *arguments, **named)
forecast.github.api.GitHub.get = broken
sys.path.pop(0)
runpy.run_path("app/app.py", run_name="__main__")
"""


def forms(secret: str) -> set[str]:
    """A secret and its encoded forms."""
    data = secret.encode()
    found = {
        secret,
        secret[::-1],
        secret[:12],
        secret[-12:],
        data.hex(),
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
    }
    for start in range(3):  # at any offset in a longer text
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(bytes(start) + data).decode().rstrip("=")
            found.add(whole[4 if start else 0 : -3])
    return found


def leaks(text: str, *, but: str = "") -> list[str]:
    """The names of the secrets that are in a text."""
    return [
        name
        for name, secret in SECRETS.items()
        if name != but and any(form in text for form in forms(secret))
    ]


class Foreign(Loopback):
    """Another host, as the target of redirects."""

    def route(self, call):
        return "any"

    def answer(self, call):
        return Answer(200, b"{}")


class World:
    """The stand-ins, with secrets in their addresses."""

    def __init__(self, stack, folder):
        self.folder = folder
        self.github = stack.enter_context(GitHubServer(token=SECRETS["token"]))
        self.pypistats = stack.enter_context(PyPIStatsServer())
        self.foreign = stack.enter_context(Foreign())
        self.publish()
        for name in ("flask", "django"):
            series = counts(YESTERDAY, days=90)
            self.pypistats.series[name] = {day.date(): int(n) for day, n in series.items()}
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")

    def publish(self):
        """Add an artifact, so that the list has changed."""
        made = make_bundle(
            ("flask",), pictures={"flask.svg": "<svg/>", "flask.badge.svg": "<svg/>"}
        )
        self.github.add_artifact(zip_of(made))

    def sign(self):
        """From now on the blob's address contains a key."""

        def signed(answer):
            there = f"{answer.headers['Location']}&key={SECRETS['blob']}"
            return replace(answer, headers={"Location": there})

        self.github.add_fault("zip", signed, 99)

    def settings(self):
        pypistats = self.pypistats.url.replace("//", f"//user:{SECRETS['pypistats']}@")
        github = self.github.url.replace("//", f"//user:{SECRETS['github']}@")
        return {
            "FLAG": str(self.folder / "flag"),
            "FORECAST_CONFIG": str(self.folder / "config.toml"),
            "GITHUB_API_URL": github,
            "GITHUB_TOKEN": SECRETS["token"],
            "PYPISTATS_URL": pypistats,
            "HF_TOKEN": SECRETS["hf"],
            "SOME_API_KEY": SECRETS["other"],
        }

    def assert_told_nobody(self):
        """The token is sent only to the API, in a header, and the key only to the blob store."""
        for server in (self.github, self.github.blob, self.pypistats, self.foreign):
            for call in server.calls:
                headers = dict(call.headers)
                if server is self.github:
                    headers.pop("authorization", None)
                    headers.pop("host")
                told = f"{call.path} {dict(call.query)} {headers}"
                but = "blob" if server is self.github.blob else ""
                assert leaks(told, but=but) == [], (type(server).__name__, told)


@pytest.fixture
def world(tmp_path):
    with contextlib.ExitStack() as stack:
        yield World(stack, tmp_path)


def echo(world):
    """GitHub repeats the request, as an error page of a proxy may."""
    answer = Answer(418, f"you sent Bearer {SECRETS['token']}".encode(), "text/plain")
    world.github.add_fault("list", answer, 99)


def sent_on(route):
    def inflict(world):
        there = f"{world.foreign.origin}/x"
        world.github.add_fault(route, Answer(302, b"", headers={"Location": there}), 99)

    return inflict


def elsewhere(world):
    """The next page of the list is on another server."""
    link = f'<{world.foreign.origin}/?key={SECRETS["blob"]}>; rel="next"'
    world.github.add_fault("list", lambda a: replace(a, headers={**a.headers, "Link": link}), 99)


def bad_headers(world):
    world.sign()
    headers = {"X-Odd": "1\r\nno separator here"}
    world.github.blob.add_fault("blob", lambda a: replace(a, headers=headers), 99)


def failing(route, what, **headers):
    def inflict(world):
        world.sign()
        world.github.fail(route, what, 99, **headers)

    return inflict


def broken(world):
    (world.folder / "flag").write_text("break")


# What goes wrong, and what the log says of it. The last but one lets the models through, and the
# last one closes the client for good.
FAULTS = {
    "list echoes": (echo, "answered 418"),
    "list elsewhere": (elsewhere, "The next page of GitHub's list is at"),
    "list sent on": (sent_on("list"), "says it has moved"),
    "list nonsense": (failing("list", "nonsense"), "see GITHUB_API_URL"),
    "zip sent on": (sent_on("zip"), "should have the digest"),
    "blob 403": (failing("blob", 403), "which answered 403"),
    "compare 500": (failing("ref", 500), "failed with status 500"),
    "broken": (broken, "something new"),
    "blob with bad headers": (bad_headers, "models of"),
    "list 429": (failing("list", 429, Retry_After="3600"), "rate limit"),
}


def children(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += children(int(child))
    return found


def command_lines(pid: int) -> str:
    """The parts of a process and its children that every user of the machine can see."""
    text = ""
    with contextlib.suppress(OSError):  # a process may just have ended
        for each in children(pid):
            for name in ("cmdline", "comm"):
                text += Path(f"/proc/{each}/{name}").read_text(errors="replace")
    return text


PAGES = (
    "",
    "?package=flask",
    "config",
    "theme.css",
    "manifest.json",
    "gradio_api/info",
    "gradio_api/openapi.json",
    "gradio_api/startup-events",
    "gradio_api/mcp/schema",
    "gradio_api/mcp/",
    "export/x.csv?package=flask",
    "export/x.json?package=flask",
    "export/x.csv?package=no-such",
    "picture/flask.svg",
    "picture/none.svg",
    "monitoring",
    "gradio_api/file=/proc/self/environ",
)


def forecast(app, package, days):
    """What the endpoint says."""
    calls = f"{app.url}gradio_api/call"
    body = {"package": package, "days": days}
    event = requests.post(f"{calls}/v2/forecast", json=body, timeout=60).json()["event_id"]
    return requests.get(f"{calls}/forecast/{event}", timeout=60).text


def page(app, session):
    """What the page says: gradio draws it in its first event."""
    config = requests.get(f"{app.url}config", timeout=60).json()
    load = next(d["id"] for d in config["dependencies"] if d["targets"][0][1] == "load")
    visit = {"data": [], "fn_index": load, "session_hash": session}
    requests.post(f"{app.url}gradio_api/queue/join", json=visit, timeout=60)
    url = f"{app.url}gradio_api/queue/data?session_hash={session}"
    return requests.get(url, timeout=60).text


def visit(app: AppServer) -> str:
    """Everything shown to a visitor."""
    seen = ""
    for path in PAGES:
        answer = requests.get(app.url + path, timeout=60)
        seen += f"{answer.headers}{answer.text}"
    for package, days in (("flask", 3), ("no-such", 3), ("a b", 0), ("flask", "GITHUB_TOKEN")):
        seen += forecast(app, package, days)
    call = {"name": "forecast", "arguments": {"package": "flask"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"Accept": "application/json, text/event-stream"}
    mcp = requests.post(f"{app.url}gradio_api/mcp/", json=message, headers=headers, timeout=60)
    return seen + mcp.text + requests.post(f"{app.url}gradio_api/queue/join", data=b"{").text


def inflicted(app, world, name):
    """What the page says after a fault, from which the app recovers if it can."""
    inflict, says = FAULTS[name]
    world.github.clear_faults()
    world.github.blob.clear_faults()
    (world.folder / "flag").unlink(missing_ok=True)
    before = len(app.log)
    inflict(world)
    world.publish()
    until(lambda: says in app.log[before:], name)
    return page(app, name.replace(" ", "-"))


def sent_on_with_secrets(world):
    there = f"http://user:{SECRETS['github']}@other.example/?key={SECRETS['blob']}"
    return Answer(302, b"", headers={"Location": there})


PYPISTATS = {
    "is still its API": lambda world: Answer(418, f"?token={SECRETS['hf']}".encode()),
    "which is not followed": sent_on_with_secrets,
    "is PyPI Stats (PYPISTATS_URL)": lambda world: Answer(200, b"x" * (5 << 20)),
}


def test_the_app_tells_nobody(world):
    """One process meets every fault, with passwords in all its addresses."""
    with AppServer(world.settings(), (sys.executable, "-c", APP)) as app:
        seen = "".join(inflicted(app, world, name) for name in FAULTS)
        assert "answered 418" in seen
        for number, (says, answer) in enumerate(PYPISTATS.items()):
            world.pypistats.fail(f"package-{number}", answer(world), 99)
            told = forecast(app, f"package-{number}", 3)
            assert says in told
            seen += told
        seen += visit(app) + command_lines(app.process.pid)
        assert "models of" in app.log
        assert leaks(seen + app.log) == []
        world.assert_told_nobody()
        assert_short_stacks(app)
        (world.folder / "flag").write_text("leak")
        until(lambda: leaks(app.log) == ["token"], "a leak would be seen")


def assert_short_stacks(app):
    """Who makes the server fail again and again does not fill its log."""
    before = len(app.log)
    for number in range(20):
        wrong = {"data": [], "fn_index": 10_000 + number, "session_hash": "x"}
        requests.post(f"{app.url}gradio_api/queue/join", json=wrong, timeout=60)
    assert len(app.log) - before < 20_000


def test_a_wrong_config_tells_nobody(world):
    (world.folder / "config.toml").write_text(CONFIG.replace("30", "300"), encoding="utf-8")
    with pytest.raises(AssertionError, match="forecast_days = 300") as caught:
        AppServer(world.settings())
    assert leaks(str(caught.value)) == []


@pytest.mark.parametrize("name", SECRETS)
def test_every_disguise_is_seen(name):
    for form in forms(SECRETS[name]):
        assert name in leaks(f"before {form} after")


def run_job(python, world, *arguments, **settings):
    """One run of the job on Actions; all its output and files."""
    output, summary = world.folder / "models", world.folder / "summary.md"
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    environment = {**kept, **actions, **STANDING, **world.settings(), **settings}
    run = subprocess.Popen(
        [python, "-m", "trainer", f"--output={output}", "--jobs=2", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seen = ""
    above = [] if python == sys.executable else [host_of(python)]
    while run.poll() is None:
        seen += "".join(command_lines(each) for each in [run.pid, *above])
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(0.05)
    seen += run.communicate()[0]
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    return run.returncode, seen + "".join(
        f"{path.name}{path.read_bytes().decode('latin-1')}" for path in files
    )


@pytest.fixture
def train(warm_trainer):
    """Runs the job in a fork of a process that has imported the trainer."""
    return partial(run_job, warm_trainer, PYTHONWARNINGS="error")


def test_the_job_tells_nobody(world):
    world.sign()
    status, seen = run_job(sys.executable, world)
    assert status == 0
    assert "forecasts.csv" in seen
    assert leaks(seen) == []
    world.assert_told_nobody()


@pytest.mark.parametrize("name", ["list echoes", "zip sent on"])
def test_the_job_tells_nobody_when_github_fails(world, name, train):
    FAULTS[name][0](world)
    status, seen = train(world)
    assert status == 1
    assert "its history is not lost" in seen
    assert leaks(seen) == []
    world.assert_told_nobody()


@pytest.mark.parametrize("says", PYPISTATS)
def test_the_job_tells_nobody_when_pypistats_fails(world, says, train):
    world.pypistats.fail("flask", PYPISTATS[says](world), 99)
    status, seen = train(world)
    assert status == 1
    assert says in seen
    assert leaks(seen) == []
    world.assert_told_nobody()


def test_the_job_tells_nobody_of_clickhouse(world, train):
    world.foreign.add_fault("any", Answer(418, b"no"), 99)
    address = world.foreign.origin.replace("//", f"//user:{SECRETS['github']}@")
    status, seen = train(world, "--source=clickhouse", CLICKHOUSE_URL=address)
    assert status == 1
    assert "ClickHouse at http://127.0.0.1" in seen
    assert leaks(seen) == []


def test_a_token_that_cannot_be_sent_is_not_shown(world, train):
    status, seen = train(world, GITHUB_TOKEN=SECRETS["other"])
    assert status == 1
    assert "GITHUB_TOKEN holds characters that no token has" in seen
    assert leaks(seen) == []
    assert world.github.calls == []


@pytest.mark.parametrize("argument", ["--jobs=none", "--config=/nowhere"])
def test_the_job_tells_nobody_when_it_is_misused(world, argument, train):
    status, seen = train(world, argument)
    assert status == 2
    assert leaks(seen) == []


RUN_AS_COMMAND = "##[add-mask][]\r\n::stop-commands::x\n::error::y"


def test_no_answer_is_run_as_a_command(world, train):
    """The runner takes ``::`` at the beginning of a line for a command, and ``##[`` anywhere."""
    world.pypistats.fail("flask", Answer(418, RUN_AS_COMMAND.encode()), 99)
    _, seen = train(world)
    assert "add-mask" in seen
    assert "##[" not in seen
    assert {line for line in seen.splitlines() if line.startswith("::")} == {
        line for line in seen.splitlines() if line.startswith(("::warning::", "::error::"))
    }
    assert "::error::y" not in seen
