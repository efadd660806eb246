"""Refuses requests before gradio sees them: by route, size, duration and rate."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse

from app.data.rate_limits import RateLimit, client_key
from app.gradio_internals.files import is_file
from app.gradio_internals.routes import NAME, QUEUED, READ
from app.gradio_internals.routes import ROUTES as GRADIO_ROUTES
from app.gradio_internals.session_cleanup import evict_unread, queue_of
from forecast.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import gradio as gr
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The page's own routes beside gradio's; whatever a new gradio adds stays closed.
OWN_ROUTES = ((READ, r"/(find|feed\.xml)"), (READ, rf"/(badge|export|picture)/{NAME}"))
ROUTES = tuple(
    (methods, re.compile(path, re.ASCII)) for methods, path in (*GRADIO_ROUTES, *OWN_ROUTES)
)
MAX_DEPTH = 32  # levels of JSON; what gradio and MCP understand has some ten
CLEANUP_EVERY = 64  # calls


@dataclass(frozen=True)
class Bounds:
    """Upper bounds.

    Attributes:
        body: bytes of a request's body.
        target: bytes of its path and query.
        body_seconds: until the whole body has arrived.
        seconds: for a response, streams included.
        concurrent: requests at the same time.
        concurrent_per_client: the same for one client.
        exports: files that one client may download in a minute.
    """

    body: int = 64 << 10
    target: int = 16 << 10
    body_seconds: float = 10.0
    seconds: float = 300.0
    concurrent: int = 400
    concurrent_per_client: int = 100
    exports: int = 60


class Limits:
    """ASGI middleware that refuses requests out of bounds.

    Args:
        app: the application behind it.
        bounds: upper bounds; None for the usual ones.
    """

    def __init__(self, app: ASGIApp, bounds: Bounds | None = None) -> None:
        self._app = app
        self._bounds = bounds or Bounds()
        self._exports = RateLimit(self._bounds.exports, None, 60.0)
        self._open: Counter[str] = Counter()
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
        client = client_key((scope.get("client") or ("",))[0])
        refusal = self._refusal(scope, client)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._open[client] += 1
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def _refusal(self, scope: Scope, client: str) -> PlainTextResponse | None:
        """The refusal that follows from a request's first line; None if it is accepted."""
        bounds, path = self._bounds, scope["path"]
        if len(scope["raw_path"]) + len(scope["query_string"]) > bounds.target:
            return PlainTextResponse(f"expected an address of at most {bounds.target} bytes", 414)
        methods = [methods for methods, route in ROUTES if route.fullmatch(path)]
        if not methods:
            return PlainTextResponse("there is nothing at this address", 404)
        if not any(scope["method"] in each for each in methods):
            return PlainTextResponse(f"{scope['method']} is not answered here", 405)
        if (
            self._open[client] >= bounds.concurrent_per_client
            or self._open.total() >= bounds.concurrent
        ):
            return _busy("too many requests are being answered; try again in a few seconds", 503)
        if path.startswith("/export/"):
            try:
                self._exports.take(client)
            except BusyError as error:
                return _busy(f"too many files: {error}", 429, error.retry_after)
        return None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(scope, receive)
        if isinstance(body, PlainTextResponse):
            await body(scope, receive, send)
            return
        if scope["method"] == "POST" and QUEUED.fullmatch(scope["path"]):
            await self._clean_up(scope)
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
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
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


def _busy(text: str, status: int, seconds: float = 5.0) -> PlainTextResponse:
    return PlainTextResponse(text, status, headers={"Retry-After": str(-int(-seconds // 1))})
