"""The middleware on a real server, before an app that takes everything."""

import asyncio
import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest
import uvicorn
from gradio.server_messages import UnexpectedErrorMessage
from starlette.responses import JSONResponse, PlainTextResponse

from app.web.guard import Bounds, Limits
from tests.unit.app.loops import run

BOUNDS = Bounds(
    body=1000,
    target=300,
    body_seconds=0.3,
    seconds=0.5,
    concurrent=3,
    concurrent_per_client=2,
    exports=2,
    refusal_seconds=0.0,
)
JSON_1000 = b'"' + b"x" * 998 + b'"'
CALL = "/gradio_api/call/forecast"


class Inner:
    """Answers with what it got; /config takes longer than anybody waits."""

    def __init__(self):
        self.asked = []
        self.scopes = []
        self.queue = SimpleNamespace(
            event_ids_to_events={},
            pending_event_ids_session={},
            pending_messages_per_session={"0123": None, "x": None},
        )
        functions = {3: SimpleNamespace(api_name="forecast", inputs=[])}
        endpoints = {"/forecast": {"parameters": []}}
        self.blocks = SimpleNamespace(
            fns=functions,
            _queue=self.queue,
            get_api_info=lambda: {"named_endpoints": endpoints},
        )
        self.cancelled = threading.Event()

    def forget(self):
        self.asked.clear()
        self.scopes.clear()
        self.queue.event_ids_to_events.clear()
        self.cancelled.clear()

    def get_blocks(self):
        return self.blocks

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        self.scopes.append(scope)
        if scope["path"] == "/gradio_api/queue/join":
            event = f"event {len(self.asked)}"
            self.queue.event_ids_to_events[event] = None
            await receive()
            await JSONResponse({"event_id": event})(scope, receive, send)
            return
        if scope["path"] == "/config":
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        body = (await receive()).get("body", b"") if scope["method"] == "POST" else b""
        await PlainTextResponse(f"{scope['method']} {len(body)}")(scope, receive, send)


class Outer:
    """Names the application in each request, as starlette does."""

    def __init__(self, inner, *arguments, **options):
        self.inner = inner
        self.limits = Limits(inner, *arguments, **options)

    async def __call__(self, scope, receive, send):
        await self.limits({**scope, "app": self.inner}, receive, send)


@contextmanager
def serving(bounds=BOUNDS, **options):
    inner = Inner()
    app = Outer(inner, bounds, **options)
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
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
        server.should_exit = server.force_exit = True  # no answer is waited for
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


@pytest.fixture(scope="module")
def server():
    with serving() as found:
        yield found


@pytest.fixture
def served(server):
    """A server that was not asked yet; what its limits count by the minute stays."""
    server[0].forget()
    return server


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
        "/gradio_api/mcp/schema",
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


SLOW = "/config"
A_WHILE = 30.0  # seconds, longer than a test


@contextmanager
def waiting_for(port, *addresses):
    """A request of each address that waits for its answer."""
    with ExitStack() as stack:
        for address in addresses:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            head = f"GET {SLOW} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n"
            client.sendall(head.encode())
        yield


def asked_so_often(inner, times):
    until = time.monotonic() + 10
    while len(inner.asked) < times:
        assert time.monotonic() < until
        time.sleep(0.005)


def test_so_many_at_once():
    bounds = Bounds(seconds=A_WHILE, concurrent=3, concurrent_per_client=2)
    with serving(bounds) as (inner, port), waiting_for(port, *["127.0.0.1"] * 2):
        asked_so_often(inner, 2)
        status, text, headers = ask(port, "GET", "/")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert "too many requests" in text
        assert ask(port, "GET", "/", headers=from_("198.51.100.7"))[0] == 200


def test_so_many_of_all_visitors_at_once():
    bounds = Bounds(seconds=A_WHILE, concurrent=2, concurrent_per_client=2)
    with serving(bounds) as (inner, port), waiting_for(port, "198.51.100.7", "198.51.100.8"):
        asked_so_often(inner, 2)
        assert ask(port, "GET", "/", headers=from_("198.51.100.9"))[0] == 503


def from_(address):
    return {"X-Forwarded-For": address}  # loopback may say for whom it asks


def test_a_site_has_the_share_of_one_visitor():
    bounds = Bounds(seconds=A_WHILE, concurrent=9, concurrent_per_client=2)
    household = [f"2001:db8:0:{number}::1" for number in range(2)]
    with serving(bounds) as (inner, port), waiting_for(port, *household):
        asked_so_often(inner, 2)
        assert ask(port, "GET", "/", headers=from_("2001:db8:0:ff::1"))[0] == 503
        assert ask(port, "GET", "/", headers=from_("2001:db8:0:100::1"))[0] == 200


JOIN = "/gradio_api/queue/join"
SMALL = Bounds(pending=2, pending_per_site=3, patience=0.2)


def joins(port, address, times=1, number=b"3"):
    body = b'{"fn_index": %s}' % number
    return [ask(port, "POST", JOIN, body, from_(address))[0] for _ in range(times)]


def test_a_visitor_waits_for_its_own_calls_and_for_no_other():
    with serving(SMALL) as (inner, port):
        assert joins(port, "198.51.100.7", 3) == [200, 200, 503]
        assert joins(port, "198.51.100.8") == [200]
        status, text, headers = ask(port, "POST", JOIN, b'{"fn_index": 3}', from_("198.51.100.7"))
        assert (status, headers["Retry-After"]) == (503, "5")
        assert text == "your earlier calls are still being answered; try again"
        inner.queue.event_ids_to_events.clear()  # they are answered
        assert joins(port, "198.51.100.7", 3) == [200, 200, 503]


def test_a_site_has_a_share_of_the_queue():
    with serving(SMALL) as (_, port):
        household = [f"2001:db8:0:{number}::1" for number in range(3)]
        assert [*joins(port, household[0], 2), *joins(port, household[1], 2)] == [200] * 3 + [503]
        assert joins(port, household[2]) == [503]
        assert joins(port, "2001:db8:0:100::1") == [200]


def test_a_call_goes_on_as_soon_as_there_is_a_place():
    with serving(Bounds(pending=1, patience=5.0)) as (inner, port), ThreadPoolExecutor(1) as pool:
        assert joins(port, "198.51.100.7") == [200]
        started = time.monotonic()
        later = pool.submit(joins, port, "198.51.100.7")
        time.sleep(0.1)
        inner.queue.event_ids_to_events.clear()
        assert later.result() == [200]
        assert time.monotonic() - started < 2.0


def test_few_requests_of_a_visitor_are_worked_on_at_once():
    bounds = Bounds(seconds=A_WHILE, working=2, working_per_site=3, patience=0.2)
    with serving(bounds) as (inner, port), waiting_for(port, *["198.51.100.7"] * 5):
        asked_so_often(inner, 2)
        status, text, headers = ask(port, "GET", "/", headers=from_("198.51.100.7"))
        assert (status, headers["Retry-After"]) == (503, "5")
        assert text == "your earlier requests are still being answered; try again"
        assert inner.asked == [SLOW] * 2
        assert ask(port, "GET", "/", headers=from_("198.51.100.8"))[0] == 200
        # Results of calls come when they come: a stream of them needs no place.
        stream = "/gradio_api/queue/data?session_hash=x"
        assert ask(port, "GET", stream, headers=from_("198.51.100.7"))[0] == 200


def test_a_site_has_few_places_to_work():
    bounds = Bounds(seconds=A_WHILE, working=2, working_per_site=3, patience=0.2)
    household = [f"2001:db8:0:{number // 2}::1" for number in range(4)]
    with serving(bounds) as (inner, port), waiting_for(port, *household):
        asked_so_often(inner, 3)
        assert ask(port, "GET", "/", headers=from_("2001:db8:0:2::1"))[0] == 503
        assert ask(port, "GET", "/", headers=from_("2001:db8:0:100::1"))[0] == 200
        assert inner.asked == [SLOW] * 3 + ["/"]


def test_a_visitor_has_fewer_places_while_another_one_is_there():
    bounds = Bounds(seconds=A_WHILE, working=3, beside_others=1, patience=0.2)
    with serving(bounds) as (inner, port):
        assert ask(port, "GET", "/", headers=from_("198.51.100.8"))[0] == 200
        with waiting_for(port, *["198.51.100.7"] * 3):
            asked_so_often(inner, 2)
            assert ask(port, "GET", "/", headers=from_("198.51.100.7"))[0] == 503
            assert inner.asked == ["/", SLOW]
            assert ask(port, "GET", "/", headers=from_("198.51.100.8"))[0] == 200
            # Its calls as well, but for those by MCP, which have places of their own.
            assert joins(port, "198.51.100.8", 2) == [200, 503]
            assert ask(port, "POST", "/gradio_api/mcp/", b"{}", from_("198.51.100.7"))[0] == 200


def test_a_request_goes_on_as_soon_as_another_one_is_answered():
    with serving(Bounds(working=1, patience=10.0)) as (_, port), ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, port, "GET", "/") for _ in range(40)]
        assert {each.result()[0] for each in asked} == {200}


def test_calls_by_mcp_have_places_of_their_own():
    bounds = Bounds(seconds=A_WHILE, working=1, working_by_mcp=1, patience=0.2)
    with serving(bounds) as (inner, port), waiting_for(port, "198.51.100.7"):
        asked_so_often(inner, 1)
        assert ask(port, "GET", "/", headers=from_("198.51.100.7"))[0] == 503
        assert ask(port, "POST", "/gradio_api/mcp/", b"{}", from_("198.51.100.7"))[0] == 200


def test_requests_that_are_refused_take_their_client_time():
    bounds = Bounds(refusing=2, refusal_seconds=0.1)
    with serving(bounds) as (_, port), ThreadPoolExecutor(8) as pool:
        begun = time.monotonic()
        asked = [pool.submit(ask, port, "GET", "/docs") for _ in range(8)]
        assert ask(port, "GET", "/", headers=from_("198.51.100.8"))[0] == 200
        assert {each.result()[0] for each in asked} == {404}
        assert time.monotonic() - begun > 0.39


@pytest.mark.parametrize(
    "number", [b"4", b"-1", b"true", b"null", b'"3"', b"3.0", b"[3]", b"9" * 99]
)
def test_an_event_that_the_page_does_not_have_is_refused(served, number):
    inner, port = served
    assert joins(port, "198.51.100.7", 1, number) == [400]
    assert inner.asked == []


@pytest.mark.parametrize("path", ["call/no-such", "call/v2/no-such", "call/v2"])
def test_an_endpoint_that_does_not_exist_is_refused(served, path):
    inner, port = served
    assert ask(port, "POST", f"/gradio_api/{path}", b"{}")[0] == 404
    assert inner.asked == []


def test_a_result_that_does_not_exist_is_refused(served):
    inner, port = served
    assert ask(port, "GET", "/gradio_api/call/forecast/4567")[0] == 404
    assert inner.asked == []


def test_a_page_whose_session_is_not_known_is_told_so_by_gradio_s_own_message(served):
    inner, port = served
    status, text, _ = ask(port, "GET", "/gradio_api/queue/data?session_hash=other")
    message = UnexpectedErrorMessage(message="404: Not Found", session_not_found=True)
    assert (status, json.loads(text.removeprefix("data: "))) == (200, message.model_dump())
    assert inner.asked == []


def test_a_call_by_mcp_keeps_its_visitor(served):
    inner, port = served
    mcp = "/gradio_api/mcp/"
    ask(port, "POST", mcp, b"{}", from_("198.51.100.7"))
    passed = dict(inner.scopes[-1]["headers"])
    inside = {name.decode(): value.decode() for name, value in passed.items()}
    # gradio asks over loopback, with the headers of the call; whatever else they say.
    ask(port, "GET", "/", headers=inside | from_("203.0.113.9"))
    assert inner.scopes[-1]["client"] == ("198.51.100.7", 0)
    assert b"x-forecast-visitor" not in dict(inner.scopes[-1]["headers"])


@pytest.mark.parametrize("claim", ["203.0.113.9", "203.0.113.9 " + "0" * 64, " ", "203.0.113.9 é"])
def test_nobody_else_can_say_for_whom_it_asks(served, claim):
    inner, port = served
    headers = {"x-forecast-visitor": claim.encode()}
    ask(port, "GET", "/", headers=headers)
    assert inner.scopes[-1]["client"][0] == "127.0.0.1"
    ask(port, "POST", "/gradio_api/mcp/", b"{}", headers)
    signed = dict(inner.scopes[-1]["headers"])[b"x-forecast-visitor"]
    assert signed.startswith(b"127.0.0.1 ")
    ask(port, "GET", "/", headers={"x-forecast-visitor": signed.replace(b"127.0.0.1", b"::1")})
    assert inner.scopes[-1]["client"][0] == "127.0.0.1"


def test_the_signature_of_another_process_is_none(served):
    inner, port = served
    ask(port, "POST", "/gradio_api/mcp/", b"{}", from_("198.51.100.7"))
    signed = {"x-forecast-visitor": dict(inner.scopes[-1]["headers"])[b"x-forecast-visitor"]}
    ask(port, "GET", "/", headers=signed)
    assert inner.scopes[-1]["client"][0] == "198.51.100.7"
    with serving() as (other, other_port):
        ask(other_port, "GET", "/", headers=signed)
        assert other.scopes[-1]["client"][0] == "127.0.0.1"


@pytest.mark.parametrize("target", ["/gradio_api/mcp", "/gradio_api/mcp/"])
def test_a_stream_that_carries_nothing_is_refused(served, target):
    status, _, headers = ask(served[1], "GET", target)
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:7860", 200),
        ("LOCALHOST", 200),
        ("[::1]:7860", 200),
        ("evil.example", 421),
        ("evil.example:7860", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost:7860:1", 421),
        ("", 421),
    ],
)
def test_only_the_hosts_of_a_page_on_loopback_are_answered(host, status):
    with serving(hosts={"127.0.0.1", "localhost", "::1"}) as (_, port):
        assert ask(port, "GET", "/", headers={"Host": host})[0] == status


def test_the_host_of_a_proxy_is_not_passed_on(served):
    inner, port = served
    ask(port, "GET", "/", headers={"X-Forwarded-Host": "evil.example"})
    assert b"x-forwarded-host" not in dict(inner.scopes[-1]["headers"])


def test_the_page_is_asked_for_again_each_time(served):
    assert ask(served[1], "GET", "/")[2]["Cache-Control"] == "private, no-cache"
    assert ask(served[1], "GET", "/theme.css")[2]["Cache-Control"] is None


def test_room_is_free_again_afterwards(served):
    for _ in range(10):
        assert ask(served[1], "GET", "/")[0] == 200


def test_so_many_files_a_minute():
    with serving() as (_, port):
        for _ in range(2):
            assert ask(port, "GET", "/export/a.csv")[0] == 200
        status, text, headers = ask(port, "GET", "/export/a.csv")
        assert status == 429
        assert text.startswith("too many files: you have reached the limit of 2 in a minute;")
        assert 0 < int(headers["Retry-After"]) <= 60
        assert ask(port, "GET", "/picture/a.svg")[0] == 200


def test_there_are_no_web_sockets():
    sent = []

    async def send(message):
        sent.append(message)

    run(Limits(Inner())({"type": "websocket", "path": "/"}, None, send))  # type: ignore[arg-type] # nothing is received
    assert sent == [{"type": "websocket.close", "code": 1008}]
