"""What a request may be, before gradio sees it: which route, how large, how slow, how many.

gradio serves more than this page uses: uploads, a proxy, files, monitoring. Only what the
page, its endpoints and MCP need is let through; whatever a new gradio adds stays closed.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse

from app.data.rate_limits import Allowance, visitor_of
from app.gradio_internals.session_cleanup import forget_unread
from forecast.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import gradio as gr
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAME = r"[\w.%()+-]+"
READ, ASK = frozenset({"GET", "HEAD"}), frozenset({"POST"})
ROUTES = tuple(
    (methods, re.compile(path, re.ASCII))
    for methods, path in (
        (READ, r"/"),
        (READ, r"/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json)/?"),
        (READ, rf"/(assets|static)(/(?!\.){_NAME})+"),
        (READ, r"/find"),
        (READ, rf"/(export|picture)/{_NAME}"),
        (READ, r"/gradio_api/(info|openapi\.json|startup-events)/?"),
        (READ, r"/gradio_api/queue/data"),
        (READ, rf"/gradio_api/call/(v2/)?{_NAME}/{_NAME}"),
        (ASK, rf"/gradio_api/call/(v2/)?{_NAME}"),
        (ASK, r"/gradio_api/queue/join"),
        (READ | ASK, r"/gradio_api/mcp/?"),
        (READ, r"/gradio_api/mcp/schema"),
    )
)
QUEUED = re.compile(r"/gradio_api/(queue/join|call/.+)")
DEEPEST = 32  # levels of JSON; what gradio and MCP understand has some ten
SWEEP = 64  # calls between two looks for answers that nobody fetched


@dataclass(frozen=True)
class Bounds:
    """The most there may be.

    Attributes:
        body: bytes.
        target: bytes of path and query.
        body_seconds: until the whole body is there.
        seconds: for an answer, streams included.
        at_once: requests being answered.
        at_once_each: the same for one visitor.
        exports: files that one visitor may ask for in a minute.
    """

    body: int = 64 << 10
    target: int = 4 << 10
    body_seconds: float = 10.0
    seconds: float = 300.0
    at_once: int = 400
    at_once_each: int = 100
    exports: int = 60


class Limits:
    """ASGI middleware that refuses what is out of bounds.

    Args:
        app: what answers.
        bounds: the most there may be.
    """

    def __init__(self, app: ASGIApp, bounds: Bounds | None = None) -> None:
        self._app = app
        self._bounds = bounds or Bounds()
        self._exports = Allowance(self._bounds.exports, None, 60.0)
        self._open: Counter[str] = Counter()
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:  # the page has no web sockets
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = visitor_of((scope.get("client") or ("",))[0])
        refusal = self._refusal(scope, visitor)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._open[visitor] += 1
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self._open[visitor] -= 1
            if not self._open[visitor]:
                del self._open[visitor]

    def _refusal(self, scope: Scope, visitor: str) -> PlainTextResponse | None:
        """Why a request is not answered, as far as its first lines tell."""
        bounds, path = self._bounds, scope["path"]
        if len(scope["raw_path"]) + len(scope["query_string"]) > bounds.target:
            return PlainTextResponse(f"expected an address of at most {bounds.target} bytes", 414)
        methods = [methods for methods, route in ROUTES if route.fullmatch(path)]
        if not methods:
            return PlainTextResponse("there is nothing at this address", 404)
        if not any(scope["method"] in each for each in methods):
            return PlainTextResponse(f"{scope['method']} is not answered here", 405)
        if self._open[visitor] >= bounds.at_once_each or self._open.total() >= bounds.at_once:
            return _busy("too many requests are being answered; try again in a few seconds", 503)
        if path.startswith("/export/"):
            try:
                self._exports.take(visitor)
            except BusyError as error:
                return _busy(f"too many files: {error}", 429, error.retry_after)
        return None

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(scope, receive)
        if isinstance(body, PlainTextResponse):
            await body(scope, receive, send)
            return
        if scope["method"] == "POST" and QUEUED.fullmatch(scope["path"]):
            await self._sweep(scope)
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
        """The whole body, or why it is not taken."""
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

    async def _sweep(self, scope: Scope) -> None:
        self._calls += 1
        if self._calls % SWEEP == 0:
            await forget_unread(scope["app"].get_blocks()._queue)  # noqa: SLF001 - no other way


def _fault_of(body: bytes) -> str:
    """What is wrong with a body: no JSON, or files that gradio would copy or fetch."""
    try:
        level = [json.loads(body)]
    except (ValueError, RecursionError):
        return "expected JSON"
    for _ in range(DEEPEST):
        if any(isinstance(value, dict) and isinstance(value.get("meta"), dict) for value in level):
            return "expected JSON without files in it"
        level = [inner for value in level for inner in _inside(value)]
    return f"expected JSON of at most {DEEPEST} levels" if level else ""


def _inside(value: Any) -> Iterable[Any]:
    """What a list or an object of JSON holds."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def visitor_in(request: gr.Request | Request) -> str:
    """Whose request it is."""
    return visitor_of(request.client.host if request.client else None)


def _busy(text: str, status: int, seconds: float = 5.0) -> PlainTextResponse:
    return PlainTextResponse(text, status, headers={"Retry-After": str(-int(-seconds // 1))})
