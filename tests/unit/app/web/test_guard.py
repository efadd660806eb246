"""The middleware on a real server, before an app that takes everything."""

import asyncio
import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from app.web.guard import Bounds, Limits

BOUNDS = Bounds(
    body=1000,
    target=300,
    body_seconds=0.3,
    seconds=0.5,
    concurrent=3,
    concurrent_per_client=2,
    exports=2,
)
JSON_1000 = b'"' + b"x" * 998 + b'"'
CALL = "/gradio_api/call/forecast"


class Inner:
    """Answers with what it got; /config takes longer than anybody waits."""

    def __init__(self):
        self.asked = []
        self.cancelled = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        if scope["path"] == "/config":
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        body = (await receive()).get("body", b"") if scope["method"] == "POST" else b""
        await PlainTextResponse(f"{scope['method']} {len(body)}")(scope, receive, send)


@contextmanager
def serving(bounds=BOUNDS):
    inner = Inner()
    config = uvicorn.Config(Limits(inner, bounds), port=0, log_level="error", lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield inner, listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def ask(port, method, target, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.fixture
def served():
    with serving() as found:
        yield found


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/?package=flask",
        "/theme.css?v=1",
        "/assets/index-a.js",
        "/static/fonts/A/B.woff2",
        "/export/flask.csv?package=flask",
        "/picture/flask.badge.svg",
        "/badge/flask.json",
        "/feed.xml",
        "/gradio_api/info",
        "/gradio_api/queue/data?session_hash=x",
        "/gradio_api/call/forecast/0123",
        "/gradio_api/mcp/",
    ],
)
def test_what_is_needed_passes(served, target):
    assert ask(served[1], "GET", target)[0] == 200


@pytest.mark.parametrize(
    "target",
    [
        "//",
        "/gradio_api/upload",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/gradio_api/component_server",
        "/gradio_api/run/forecast",
        "/gradio_api/mcp/sse",
        "/gradio_api/whatever-comes-next",
        "/monitoring",
        "/assets/../routes.py",
        "/assets/%2e%2e/routes.py",
        "/assets//etc/passwd",
        "/assets/.hidden",
        "/static/a%00b",
        "/export/a/b.csv",
        "/export/%00.csv",
        "/export/a%0d%0aX-Evil:1.csv",
        "/picture/..%2f..%2fmanifest.json",
        "/%67radio_api/upload",
    ],
)
def test_everything_else_is_closed(served, target):
    inner, port = served
    for method in ("GET", "POST"):
        assert ask(port, method, target)[0] == 404
    assert inner.asked == []


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "/"), ("GET", CALL), ("PUT", CALL), ("DELETE", "/"), ("POST", "/export/a.csv")],
)
def test_other_methods_are_refused(served, method, target):
    assert ask(served[1], method, target)[0] == 405


def test_a_body_arrives_whole(served):
    assert ask(served[1], "POST", CALL, JSON_1000)[:2] == (200, "POST 1000")
    assert ask(served[1], "POST", CALL, iter([b'"', b"x" * 798, b'"']))[:2] == (200, "POST 800")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 999, b'{"a": [{"meta": {}}]}', b"\xff"])
def test_what_is_no_json_or_names_a_file_is_refused(served, body):
    inner, port = served
    assert ask(port, "POST", CALL, body)[0] == 400
    assert inner.asked == []


def test_deep_json_is_refused(served):
    inner, port = served
    bodies = {deep: b"[" * deep + b"1" + b"]" * deep for deep in (31, 32)}
    assert ask(port, "POST", CALL, bodies[31])[0] == 200
    asked = len(inner.asked)
    refused = (400, "expected JSON of at most 32 levels")
    assert ask(port, "POST", CALL, bodies[32])[:2] == refused
    assert len(inner.asked) == asked


@pytest.mark.parametrize("body", [b"x" * 1001, b"x" * 1_000_000])
def test_a_large_body_is_refused(served, body):
    inner, port = served
    status, text, _ = ask(port, "POST", CALL, body)
    assert (status, text) == (413, "expected a body of at most 1000 bytes")
    assert inner.asked == []


def test_a_body_that_does_not_tell_its_size_is_refused_when_too_large(served):
    inner, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"POST {CALL} HTTP/1.1\r\nHost: x\r\n".encode())
        client.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n")
        assert b" 413 " in client.recv(100)
    assert inner.asked == []


def test_a_slow_body_is_refused(served):
    inner, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"POST {CALL} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx".encode())
        assert b" 408 " in client.recv(100)
    assert inner.asked == []


def test_a_long_address_is_refused(served):
    assert ask(served[1], "GET", "/?" + "x" * 298)[0] == 200
    assert ask(served[1], "GET", "/?" + "x" * 300)[0] == 414


def test_an_answer_takes_no_longer_than_allowed(served):
    inner, port = served
    assert ask(port, "GET", "/config")[0] == 504
    assert inner.cancelled.is_set()


def test_so_many_at_once():
    with serving(Bounds(seconds=5.0, concurrent=3, concurrent_per_client=2)) as (inner, port):
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for client in waiting:
            client.sendall(b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n")
        while len(inner.asked) < 2:
            time.sleep(0.005)
        status, text, headers = ask(port, "GET", "/")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert "too many requests" in text
        other = {"X-Forwarded-For": "198.51.100.7"}  # loopback may say for whom it asks
        assert ask(port, "GET", "/", headers=other)[0] == 200
        for client in waiting:
            client.close()


def test_room_is_free_again_afterwards(served):
    for _ in range(10):
        assert ask(served[1], "GET", "/")[0] == 200


def test_so_many_files_a_minute(served):
    for _ in range(2):
        assert ask(served[1], "GET", "/export/a.csv")[0] == 200
    status, text, headers = ask(served[1], "GET", "/export/a.csv")
    assert status == 429
    assert text.startswith("too many files: you have reached the limit of 2 in a minute;")
    assert 0 < int(headers["Retry-After"]) <= 60
    assert ask(served[1], "GET", "/picture/a.svg")[0] == 200


def test_there_are_no_web_sockets():
    sent = []

    async def send(message):
        sent.append(message)

    with ThreadPoolExecutor(1) as thread:  # a browser of other tests may keep a loop going in this
        ask = Limits(Inner())({"type": "websocket", "path": "/"}, None, send)  # type: ignore[arg-type] # nothing is received
        thread.submit(asyncio.run, ask).result()
    assert sent == [{"type": "websocket.close", "code": 1008}]
