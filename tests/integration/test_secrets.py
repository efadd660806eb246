"""Secrets are planted in every possible place, and all output of the programs is searched."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import requests

from tests.appserver import KEPT, NOW, ROOT, STANDING, AppServer
from tests.bundles import counts, make_bundle, zip_of
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer
from tests.standins.server import Answer, Loopback

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
BEGIN = "import base64, logging, os, runpy, sys; sys.argv = ['app/app.py'];"
RUN = "runpy.run_path('app/app.py', run_name='__main__')"
DEBUG = "logging.basicConfig(level=logging.DEBUG);"
BROKEN = """
import forecast.github.api
def broken(self, *arguments, **named):
    raise RuntimeError("the refresh thread meets something new")
forecast.github.api.GitHub.get = broken
"""
LEAK = "print(base64.b64encode(b'x' + os.environ['GITHUB_TOKEN'].encode()), flush=True);"


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
        made = make_bundle(
            ("flask",), pictures={"flask.svg": "<svg/>", "flask.badge.svg": "<svg/>"}
        )
        self.github.add_artifact(zip_of(made))
        for name in ("flask", "django"):
            series = counts(YESTERDAY, days=90)
            self.pypistats.series[name] = {day.date(): int(n) for day, n in series.items()}
        (folder / "config.toml").write_text(CONFIG, encoding="utf-8")

    def sign(self):
        """From now on the blob's address contains a key."""

        def signed(answer):
            there = f"{answer.headers['Location']}&key={SECRETS['blob']}"
            return replace(answer, headers={"Location": there})

        self.github.add_fault("zip", signed, 99)

    def settings(self, *, passwords=False):
        pypistats, github = self.pypistats.url, self.github.url
        if passwords:
            pypistats = pypistats.replace("//", f"//user:{SECRETS['pypistats']}@")
            github = github.replace("//", f"//user:{SECRETS['github']}@")
        return {
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


def fault(route, what, **headers):
    return lambda world: world.github.fail(route, what, 99, **headers)


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


def signed(world):
    world.sign()


def signed_and(route, what):
    def inflict(world):
        world.sign()
        world.github.fail(route, what, 99)

    return inflict


FAULTS = {
    "none": signed,
    "list 429": fault("list", 429, Retry_After="3600"),
    "list echoes": echo,
    "list elsewhere": elsewhere,
    "list sent on": sent_on("list"),
    "zip sent on": sent_on("zip"),
    "blob 403": signed_and("blob", 403),
    "blob with bad headers": lambda world: (
        world.sign(),
        world.github.blob.add_fault(
            "blob", lambda a: replace(a, headers={"X-Odd": "1\r\nno separator here"}), 99
        ),
    ),
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


def visit(app: AppServer) -> str:
    """Everything shown to a visitor, and all output of the process."""
    seen = ""
    for page in PAGES:
        answer = requests.get(app.url + page, timeout=60)
        seen += f"{answer.headers}{answer.text}"
    calls = f"{app.url}gradio_api/call"
    for package, days in (("flask", 3), ("no-such", 3), ("a b", 0), ("flask", "GITHUB_TOKEN")):
        body = {"package": package, "days": days}
        event = requests.post(f"{calls}/v2/forecast", json=body, timeout=60).json()["event_id"]
        seen += requests.get(f"{calls}/forecast/{event}", timeout=60).text
    call = {"name": "forecast", "arguments": {"package": "flask"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"Accept": "application/json, text/event-stream"}
    mcp = requests.post(f"{app.url}gradio_api/mcp/", json=message, headers=headers, timeout=60)
    seen += mcp.text
    seen += requests.post(f"{app.url}gradio_api/queue/join", data=b"{", timeout=60).text
    # The page itself says why there are no models: gradio draws it in its first event.
    config = requests.get(f"{app.url}config", timeout=60).json()
    load = next(d["id"] for d in config["dependencies"] if d["targets"][0][1] == "load")
    visit = {"data": [], "fn_index": load, "session_hash": "visit"}
    requests.post(f"{app.url}gradio_api/queue/join", json=visit, timeout=60)
    seen += requests.get(f"{app.url}gradio_api/queue/data?session_hash=visit", timeout=60).text
    return seen + app.log + command_lines(app.process.pid)


def python(*code: str) -> tuple[str, str, str]:
    return sys.executable, "-c", "\n".join([BEGIN, *code, RUN])


@pytest.mark.parametrize("name", FAULTS)
def test_the_app_tells_nobody(world, name):
    FAULTS[name](world)
    with AppServer(world.settings(), python(DEBUG)) as app:
        seen = visit(app)
    assert world.github.calls
    assert ("models of" in seen) == (name in {"none", "blob with bad headers"})
    assert leaks(seen) == []
    world.assert_told_nobody()


@pytest.mark.parametrize("code", [BROKEN, ""])
def test_nor_do_addresses_with_passwords_or_exceptions(world, code):
    with AppServer(world.settings(passwords=True), python(DEBUG, code)) as app:
        seen = visit(app)
    assert ("something new" in seen) == bool(code)
    assert leaks(seen) == []
    world.assert_told_nobody()


def test_a_token_that_cannot_be_sent_is_not_shown(world):
    settings = {**world.settings(), "GITHUB_TOKEN": SECRETS["other"]}
    with AppServer(settings, python(DEBUG)) as app:
        seen = visit(app)
    assert "GITHUB_TOKEN holds characters that no token has" in seen
    assert leaks(seen) == []
    assert world.github.calls == []


def test_a_wrong_config_tells_nobody(world):
    (world.folder / "config.toml").write_text(CONFIG.replace("30", "300"), encoding="utf-8")
    with pytest.raises(AssertionError, match="forecast_days = 300") as caught:
        AppServer(world.settings(passwords=True))
    assert leaks(str(caught.value)) == []


def test_a_leak_would_be_seen(world):
    with AppServer(world.settings(), python(LEAK)) as app:
        assert leaks(visit(app)) == ["token"]


@pytest.mark.parametrize("name", SECRETS)
def test_every_disguise_is_seen(name):
    for form in forms(SECRETS[name]):
        assert name in leaks(f"before {form} after")


def train(world, *arguments, passwords=False):
    """One run of the job on Actions; all its output and files."""
    output, summary = world.folder / "models", world.folder / "summary.md"
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    environment = {**kept, **actions, **STANDING, **world.settings(passwords=passwords)}
    run = subprocess.Popen(
        [sys.executable, "-m", "trainer", f"--output={output}", "--jobs=2", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seen = ""
    while run.poll() is None:
        seen += command_lines(run.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(0.2)
    seen += run.communicate()[0]
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    return run.returncode, seen + "".join(
        f"{path.name}{path.read_bytes().decode('latin-1')}" for path in files
    )


TRAINED = ("none", "list echoes", "zip sent on")


@pytest.mark.parametrize("name", TRAINED)
def test_the_job_tells_nobody(world, name):
    FAULTS[name](world)
    status, seen = train(world)
    assert status == 0
    assert "forecasts.csv" in seen
    assert ("from this fetch only" in seen) == (name != "none")
    assert leaks(seen) == []
    world.assert_told_nobody()


def test_the_job_tells_nobody_when_it_fails(world):
    world.pypistats.fail("flask", 404, 99)
    status, seen = train(world)
    assert status == 1
    assert leaks(seen) == []
    world.assert_told_nobody()


@pytest.mark.parametrize("argument", ["--jobs=none", "--config=/nowhere"])
def test_the_job_tells_nobody_when_it_is_misused(world, argument):
    status, seen = train(world, argument, passwords=True)
    assert status == 2
    assert leaks(seen) == []


def test_the_job_keeps_passwords_of_addresses(world):
    _, seen = train(world, passwords=True)
    assert leaks(seen) == []
    world.assert_told_nobody()
