"""Refuses requests before gradio sees them: by route, size, duration and rate."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, Response

from app.data.rate_limits import RateLimit, client_key
from app.gradio_internals.calls import fault_of_call
from app.gradio_internals.files import is_file
from app.gradio_internals.routes import MCP, NAME, QUEUED, READ, RESULT, SESSION
from app.gradio_internals.routes import ROUTES as GRADIO_ROUTES
from app.gradio_internals.session_cleanup import (
    SESSION_NOT_FOUND,
    evict_unread,
    has_results,
    queue_of,
)
from app.web.shares import Neighbours, OpenRequests, Places, Turns
from forecast.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import gradio as gr
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The page's own routes beside gradio's; whatever a new gradio adds stays closed.
OWN_ROUTES = ((READ, r"/(find|record|feed\.xml)"), (READ, rf"/(badge|export|picture)/@?{NAME}"))
ROUTES = tuple(
    (methods, re.compile(path, re.ASCII)) for methods, path in (*GRADIO_ROUTES, *OWN_ROUTES)
)
MAX_DEPTH = 32  # levels of JSON; what gradio and MCP understand has some ten
CLEANUP_EVERY = 64  # calls
VISITOR = b"x-forecast-visitor"  # who made a call by MCP: an address, signed by this process
DROPPED = {VISITOR, b"x-forwarded-host"}  # gradio would write the latter into the page
PAGE_CACHING = (b"cache-control", b"private, no-cache")


@dataclass(frozen=True)
class Bounds:
    """Upper bounds.

    Attributes:
        body: bytes of a request's body.
        target: bytes of its path and query.
        body_seconds: until the whole body has arrived.
        seconds: for a response, streams included.
        concurrent: requests at the same time.
        concurrent_per_client: the same for one client, and for one site.
        working: requests of one client that are worked on at the same time; streams aside.
        working_per_site: the same for one site.
        working_by_mcp: calls by MCP of one client or site that are.
        beside_others: requests of one client or site that are worked on, and as many calls,
            while another site is there.
        refusing: requests of one client or site that are being refused at the same time.
        refusal_seconds: that each refusal takes, so that they cost its client more than the page.
        pending: calls that one client has in gradio's queue; fewer than its workers.
        pending_per_site: the same for one site.
        patience: seconds that a request, or a call, waits for its place.
        exports: files that one client may download in a minute.
    """

    body: int = 64 << 10
    target: int = 16 << 10
    body_seconds: float = 10.0
    seconds: float = 300.0
    concurrent: int = 1_000
    concurrent_per_client: int = 100
    working: int = 8
    working_per_site: int = 12
    working_by_mcp: int = 2
    beside_others: int = 3
    refusing: int = 2
    refusal_seconds: float = 0.02
    pending: int = 12
    pending_per_site: int = 16
    patience: float = 10.0
    exports: int = 60


class Limits:
    """ASGI middleware that refuses requests out of bounds.

    Args:
        app: the application behind it.
        bounds: upper bounds; None for the usual ones.
        hosts: the only names that the page may be asked by; None for any.
    """

    def __init__(
        self, app: ASGIApp, bounds: Bounds | None = None, hosts: Collection[str] | None = None
    ) -> None:
        self._app = app
        self._bounds = bounds = bounds or Bounds()
        self._hosts = hosts
        self._secret = secrets.token_bytes()
        self._exports = RateLimit(bounds.exports, None, 60.0)
        self._open = OpenRequests(bounds.concurrent_per_client, bounds.concurrent)
        patience = bounds.patience
        self._work = Places(bounds.working, bounds.working_per_site, patience)
        self._mcp = Places(bounds.working_by_mcp, bounds.working_by_mcp, patience)
        self._refusals = Places(bounds.refusing, bounds.refusing, patience)
        few = bounds.beside_others
        self._beside_others = Places(few, few, patience)
        self._turns = Turns(bounds.pending, bounds.pending_per_site, few, patience)
        self._neighbours = Neighbours()
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:  # the page has no web sockets
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = self._identified(scope)
        client = client_key(_address(scope))
        self._neighbours.note(client)
        if self._open.is_full(client):
            busy = _busy("too many requests are being answered; try again in a few seconds")
            await busy(scope, receive, send)
            return
        with self._open.counted(client):
            body = await self._accepted(scope, receive, client)
            if isinstance(body, Response):
                async with self._refusals.taken(client):
                    await asyncio.sleep(self._bounds.refusal_seconds)
                    await body(scope, receive, send)
            elif _is_call(scope):
                await self._call(scope, body, receive, send, client)
            else:
                await self._work_on(scope, body, receive, send, client)

    def _identified(self, scope: Scope) -> Scope:
        """The request with the visitor it comes from.

        gradio answers MCP by calls of its own over loopback, with the headers of the request.
        So such a request gets a header that only this process can sign.
        """
        headers = [(name, value) for name, value in scope["headers"] if name not in DROPPED]
        address, _, signature = _header(scope, VISITOR).rpartition(b" ")
        if signature and hmac.compare_digest(signature, self._sign(address)):
            scope = {**scope, "client": (address.decode(), 0)}
        if MCP.fullmatch(scope["path"]):
            address = _address(scope).encode()
            headers.append((VISITOR, address + b" " + self._sign(address)))
        return {**scope, "headers": headers}

    def _sign(self, address: bytes) -> bytes:
        return hmac.new(self._secret, address, hashlib.sha256).hexdigest().encode()

    def _refusal(self, scope: Scope, client: str) -> PlainTextResponse | None:
        """The refusal that follows from a request's first lines; None if it is accepted."""
        if misdirected := self._misdirected(scope):
            return misdirected
        if scope["path"].startswith("/export/"):
            try:
                self._exports.take(client)
            except BusyError as error:
                return _busy(f"too many files: {error}", 429, error.retry_after)
        return None

    def _misdirected(self, scope: Scope) -> PlainTextResponse | None:
        """The refusal of an address that is not served; None if it is."""
        bounds, path = self._bounds, scope["path"]
        if len(scope["raw_path"]) + len(scope["query_string"]) > bounds.target:
            return PlainTextResponse(f"expected an address of at most {bounds.target} bytes", 414)
        if self._hosts is not None and _host(scope) not in self._hosts:
            names = ", ".join(sorted(self._hosts))
            return PlainTextResponse(f"expected one of these hosts: {names}", 421)
        methods = [methods for methods, route in ROUTES if route.fullmatch(path)]
        if not methods:
            return PlainTextResponse("there is nothing at this address", 404)
        if not any(scope["method"] in each for each in methods):
            allowed = {"Allow": ", ".join(sorted(frozenset().union(*methods)))}
            return PlainTextResponse(f"{scope['method']} is not answered here", 405, allowed)
        return None

    async def _accepted(self, scope: Scope, receive: Receive, client: str) -> bytes | Response:
        """The body of a request, or the refusal of the request."""
        body = self._refusal(scope, client) or await self._body(scope, receive)
        if isinstance(body, Response):
            return body
        if call := _is_call(scope):
            fault = fault_of_call(
                scope["app"], call["endpoint"], json.loads(body), by_name=bool(call["by_name"])
            )
            return PlainTextResponse(*fault) if fault else body
        return _without_results(scope) or body

    async def _call(
        self, scope: Scope, body: bytes, receive: Receive, send: Send, client: str
    ) -> None:
        """Pass a call on to gradio's queue when it is the visitor's turn."""
        await self._clean_up(scope)
        if not await self._turns.take(client, queue_of(scope["app"]), self._neighbours):
            busy = _busy("your earlier calls are still being answered; try again")
            await busy(scope, receive, send)
            return
        answer = bytearray()

        async def noting(message: Message) -> None:
            answer.extend(message.get("body", b""))
            await send(message)

        try:
            await self._work_on(scope, body, receive, noting, client)
        finally:
            self._turns.give(client, bytes(answer))

    async def _work_on(
        self, scope: Scope, body: bytes, receive: Receive, send: Send, client: str
    ) -> None:
        """Pass a request on when the visitor has a place; a stream of results needs none."""
        path = scope["path"]
        if scope["method"] != "POST" and (path == SESSION or RESULT.fullmatch(path)):
            await self._forward(scope, body, receive, send)
            return
        if MCP.fullmatch(path):
            places = [self._mcp]
        elif self._neighbours.has(client):
            places = [self._work, self._beside_others]
        else:
            places = [self._work]
        async with AsyncExitStack() as stack:
            taken = True
            for each in places:
                taken = taken and await stack.enter_async_context(each.taken(client))
            if taken:
                await self._forward(scope, body, receive, send)
            else:
                busy = _busy("your earlier requests are still being answered; try again")
                await busy(scope, receive, send)

    async def _forward(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        begun = False
        whole: Message | None = {"type": "http.request", "body": body, "more_body": False}

        async def replay() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()
            message, whole = whole, None
            return message

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            if scope["path"] == "/" and message["type"] == "http.response.start":
                kept = [each for each in message["headers"] if each[0] != PAGE_CACHING[0]]
                message["headers"] = [*kept, PAGE_CACHING]
            await send(message)

        try:
            async with asyncio.timeout(self._bounds.seconds):
                await self._app(scope, replay, send_on)
        except TimeoutError:
            if not begun:
                late = PlainTextResponse("the answer took too long; try again later", 504)
                await late(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | PlainTextResponse:
        """The whole body, or the refusal of it."""
        if scope["method"] != "POST":
            return b""
        most = self._bounds.body
        too_large = PlainTextResponse(f"expected a body of at most {most} bytes", 413)
        declared = _header(scope, b"content-length") or b"0"
        if not declared.isdigit() or len(declared) > len(str(most)) or int(declared) > most:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._bounds.body_seconds):
                while (message := await receive())["type"] == "http.request":
                    body += message.get("body", b"")
                    if len(body) > most:
                        return too_large
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            return PlainTextResponse("the request's body came too slowly", 408)
        if fault := _fault_of(bytes(body)):
            return PlainTextResponse(fault, 400)
        return bytes(body)

    async def _clean_up(self, scope: Scope) -> None:
        self._calls += 1
        if self._calls % CLEANUP_EVERY == 0:
            await evict_unread(queue_of(scope["app"]))


def _header(scope: Scope, name: bytes) -> bytes:
    """The first header of this name; empty without one."""
    return next((value for key, value in scope["headers"] if key == name), b"")


def _address(scope: Scope) -> str:
    """The address of the client; empty if it is unknown."""
    return str((scope.get("client") or ("",))[0])


def _host(scope: Scope) -> str:
    """The host that a request names, without its port."""
    host = _header(scope, b"host").decode("latin-1").lower()
    return re.sub(r":\d*$", "", host).strip("[]")


def _is_call(scope: Scope) -> re.Match[str] | None:
    """Whether a request's result will wait in gradio's queue."""
    return QUEUED.fullmatch(scope["path"]) if scope["method"] == "POST" else None


def _without_results(scope: Scope) -> Response | None:
    """The answer to who asks for results that do not exist; None for any other request."""
    path = scope["path"]
    if path == SESSION:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        session = query.get("session_hash", [""])[0]
        missing = Response(SESSION_NOT_FOUND, media_type="text/event-stream")
    elif result := RESULT.fullmatch(path):
        session = result["event"]
        missing = PlainTextResponse("there is no result of this event, or it was read", 404)
    else:
        return None
    return None if has_results(queue_of(scope["app"]), session) else missing


def _fault_of(body: bytes) -> str:
    """What is wrong with a body; empty if nothing is."""
    try:
        level = [json.loads(body)]
    except (ValueError, RecursionError):
        return "expected JSON"
    for _ in range(MAX_DEPTH):
        if any(map(is_file, level)):
            return "expected JSON without files in it"
        level = [inner for value in level for inner in _inside(value)]
    return f"expected JSON of at most {MAX_DEPTH} levels" if level else ""


def _inside(value: Any) -> Iterable[Any]:
    """The values of a JSON array or object; none of anything else."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def client_of(request: gr.Request | Request) -> str:
    """The client that a request is counted for."""
    return client_key(request.client.host if request.client else None)


def _busy(text: str, status: int = 503, seconds: float = 5.0) -> PlainTextResponse:
    return PlainTextResponse(text, status, headers={"Retry-After": str(-int(-seconds // 1))})
