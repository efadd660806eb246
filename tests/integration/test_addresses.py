"""Each place of the code that tells an address is reached, with passwords in the addresses."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import inspect
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from dask import config

from forecast.errors import ForecastError
from forecast.github import api
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import new_session
from forecast.sources import clickhouse, pypistats
from forecast.sources.retry import RetryPolicy
from tests.standins.github import TOKEN, GitHubServer
from tests.standins.server import Answer, Loopback
from trainer.engines import dask

SECRET = "pa55word"
MODULES = (api, pypistats, clickhouse, dask)
ADDRESSES = {"url", "_url", "place", "address", "_address", "_asked", "asked", "message"}
TODAY = dt.date(2026, 11, 22)
DAY = (TODAY - dt.date(1970, 1, 1)).days - 1
ONCE = RetryPolicy(1, 0.0, 0.0, 0.0, 0.0)
ELSEWHERE = f"http://user:{SECRET}@other.example/?key={SECRET}"


class Server(Loopback):
    """Answers each call as the test says."""

    def route(self, call):
        return "any"

    def answer(self, call):
        return Answer(404)


def with_secret(url):
    return url.replace("//", f"//user:{SECRET}@")


def places():
    """Statements that raise or return what has an address in it, as file, first and last line."""
    for module in MODULES:
        source = inspect.getsource(module)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.Raise, ast.Return)):
                parts = list(ast.walk(node))
                names = {part.id for part in parts if isinstance(part, ast.Name)}
                names |= {part.attr for part in parts if isinstance(part, ast.Attribute)}
                if names & ADDRESSES:
                    yield str(module.__file__), node.lineno, node.end_lineno or node.lineno


@contextlib.contextmanager
def traced():
    """The lines of the modules that are executed."""
    files, reached = {str(module.__file__) for module in MODULES}, set()

    def inside(frame, event, _):
        if event == "line":
            reached.add((frame.f_code.co_filename, frame.f_lineno))
        return inside

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: inside if frame.f_code.co_filename in files else None)
    try:
        yield reached
    finally:
        sys.settrace(before)


def told(ask, *arguments):
    """What the error says, and what its stack would."""
    with pytest.raises(ForecastError) as caught:
        ask(*arguments)
    return "".join([str(caught.value), *traceback.format_exception(caught.value)])


def of_github():
    """What is said of GitHub's addresses."""
    link = f'<{ELSEWHERE}>; rel="next"'
    moved = Answer(302, headers={"Location": ELSEWHERE})
    faults: list[tuple[str, Any]] = [
        ("list", "nonsense"),
        ("list", lambda answer: Answer(200, answer.body, headers={"Link": link})),
        ("ref", 403),
        ("*", moved),
        ("zip", Answer(302, headers={"Location": ELSEWHERE.replace("http", "ftp")})),
        ("blob", moved),
        ("blob", "drop"),
        ("blob", 403),
    ]
    for route, fault in faults:
        with GitHubServer() as server:
            server.add_artifact()
            if route == "blob":
                server.rename("other")
            server.fail(route, fault, times=9)
            client = GitHubArtifacts(
                new_session(), owner="owner", repo="repo", token=TOKEN, url=with_secret(server.url)
            )
            yield told(lambda client=client: client.download(client.newest()))


def of_pypistats(server):
    """What is said of PyPI Stats' address."""
    client = pypistats.PyPIStats(
        new_session(), url=with_secret(server.origin), interval=0.0, retry=ONCE
    )
    for fault in (
        Answer(418),
        Answer(200, b"x" * (5 << 20)),
        Answer(302, headers={"Location": ELSEWHERE}),
        Answer(302, headers={"Location": "/again"}),
    ):
        server.clear_faults()
        server.add_fault("any", fault, 9)
        yield told(client.daily, "flask")


def counted(days="", counts="", total=0, known=1, read=1):
    row = f"flask\t[{days}]\t[{counts}]\t{total}\t{total}\t{known}\n"
    summary = f'{{"read_rows": "{read}", "total_rows_to_read": "1"}}'
    return Answer(200, row.encode(), headers={"X-ClickHouse-Summary": summary})


def of_clickhouse(server):
    """What is said of ClickHouse's address."""
    client = clickhouse.ClickHouse(
        new_session(), url=with_secret(server.origin), today=lambda: TODAY, retry=ONCE
    )
    codes = {241: b"memory", 60: b"no table", 74: b"a disk"}
    for fault in (
        *(Answer(500, b"Code: %d. DB::Exception: %s" % each) for each in codes.items()),
        *(Answer(status, f"at {ELSEWHERE}".encode()) for status in (418, 503)),
        *(Answer(200, how=how) for how in ("drop", "endless")),
        Answer(200),
        Answer(200, counted(DAY, 5, 6).body),
        counted(DAY, 5, 6, known=2),
        counted(DAY, 5, 6, read=0),
        counted(),
        counted(DAY, "5,5", 12),
        counted(DAY + 9, 5, 6),
        counted(DAY, 10**14, 10**14 + 1),
    ):
        server.clear_faults()
        server.add_fault("any", fault, 9)
        [(_, found)] = client.fetch(["flask"])
        yield repr(found)
    server.clear_faults()
    server.add_fault("any", counted(DAY, 5, 6), 1)
    yield repr(list(client.fetch(["flask", "requests"])))


def of_dask(monkeypatch):
    """What is said of a scheduler's address."""
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 0.1)
    lost = {
        f"distributed.comm.tls.{key}": "lost.pem"
        for key in ("ca-file", "client.cert", "client.key")
    }
    for address, settings in (
        (f"http://127.0.0.1:9/?key={SECRET}", {}),
        (f"tcp://user:{SECRET}@127.0.0.1:9", {}),
        (f"tls://127.0.0.1:9/?key={SECRET}", {}),
        (f"tls://127.0.0.1:9/?key={SECRET}", lost),
        ("tcp://127.0.0.1:9", {}),
    ):
        with config.set(settings):
            yield told(list, dask.execute(iter(()), address))


def test_no_place_that_tells_an_address_tells_a_password(monkeypatch):
    with Server() as server, traced() as reached:
        said = [*of_github(), *of_pypistats(server), *of_clickhouse(server), *of_dask(monkeypatch)]
    missed = [
        f"{Path(file).name}:{first}"
        for file, first, last in places()
        if not any((file, line) in reached for line in range(first, last + 1))
    ]
    assert missed == []
    assert len(list(places())) > 30
    assert any("127.0.0.1" in text for text in said)
    for text in said:
        assert SECRET not in text, text
