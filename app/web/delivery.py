"""How responses travel: compressed, and kept by the browser where their name has a hash."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING

import brotli
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMPRESSED = re.compile(r"(text/(html|event-stream)|application/json)\b")
HASHED = re.compile(r"/assets/[\w.-]+-[\w-]{8,}\.\w+", re.ASCII)
PACKED = (".js", ".css")
FOREVER = "public, max-age=31536000, immutable"
SMALLEST = 400  # bytes; less is not worth it
QUALITY = 9  # of brotli; 0.6 s for plotly.js
LARGE = 1 << 20  # bytes; only plotly.js has more, and is most of what a new visitor waits for
BEST_QUALITY = 10  # for a large asset: 8 % smaller, but 6 s of a core
PAUSE = 10.0  # seconds before that, in which the first visitor has the cores
CACHE_BYTES = 8 << 20  # of packed assets; a page needs 1.5 MB


class Delivery:
    """ASGI middleware that compresses what gradio leaves as it is.

    HTML, JSON and event streams go through zlib as they come. Assets are packed once, more
    tightly than gradio packs them for each request, and are kept by the browser for a year. A
    large one is packed again, and better, some time after its first visitor has it.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._cache = _Cache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and compress its response."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        accepted = Headers(scope=scope).get("accept-encoding", "")
        path = scope["path"]
        if HASHED.fullmatch(path):
            packs = path.endswith(PACKED) and re.search(r"\bbr\b", accepted) is not None
            answer = _Packed(self._cache, path, send) if packs else _Kept(send)
            await self._app(scope, receive, answer)
        elif re.search(r"\bgzip\b", accepted):
            await self._app(scope, receive, _Zipped(send))
        else:
            await self._app(scope, receive, send)


class _Kept:
    """Sends a response with the right to keep it."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004
            MutableHeaders(scope=message)["Cache-Control"] = FOREVER
        await self._send(message)


class _Packed:
    """Sends an asset packed by brotli, from the cache if it was sent before."""

    def __init__(self, cache: _Cache, path: str, send: Send) -> None:
        self._cache = cache
        self._path = path
        self._send = _Kept(send)
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004
            self._start = message
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        packed = await self._cache.packed(self._path, bytes(self._body))
        headers = MutableHeaders(scope=start)
        headers["Content-Encoding"] = "br"
        headers["Content-Length"] = str(len(packed))
        headers.add_vary_header("Accept-Encoding")
        await self._send(start)
        await self._send({"type": "http.response.body", "body": packed})


class _Cache:
    """The packed assets, by path."""

    def __init__(self) -> None:
        self._packed: OrderedDict[str, bytes] = OrderedDict()
        self._repacking: dict[str, asyncio.Task[None]] = {}

    async def packed(self, path: str, plain: bytes) -> bytes:
        """An asset packed by brotli."""
        packed = self._packed.get(path)
        if packed is None:
            packed = await to_thread.run_sync(_brotli, plain, QUALITY)
            self._keep(path, packed)
            if len(plain) > LARGE and path not in self._repacking:
                self._repacking[path] = asyncio.create_task(self._repack(path, plain))
        return packed

    async def _repack(self, path: str, plain: bytes) -> None:
        try:
            await asyncio.sleep(PAUSE)
            # Abandoned when the server stops: nobody waits for it.
            best = await to_thread.run_sync(_brotli, plain, BEST_QUALITY, abandon_on_cancel=True)
            self._keep(path, best)
        finally:
            del self._repacking[path]

    def _keep(self, path: str, packed: bytes) -> None:
        self._packed[path] = packed
        while sum(map(len, self._packed.values())) > CACHE_BYTES:
            self._packed.popitem(last=False)


def _brotli(plain: bytes, quality: int) -> bytes:
    return bytes(brotli.compress(plain, quality=quality))


class _Zipped:
    """Sends a response through zlib; each part of a stream arrives as soon as it is sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._zip: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            length = int(headers.get("content-length", SMALLEST))
            fits = COMPRESSED.match(headers.get("content-type", "")) and length >= SMALLEST
            if fits and "content-encoding" not in headers:
                # A small window: hundreds of streams may be open at once.
                self._zip = zlib.compressobj(6, zlib.DEFLATED, 16 + 14, 7)
                headers["Content-Encoding"] = "gzip"
                del headers["Content-Length"]
                headers.add_vary_header("Accept-Encoding")
        elif message["type"] == "http.response.body" and self._zip is not None:
            more = message.get("more_body", False)
            body = self._zip.compress(message.get("body", b""))
            body += self._zip.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)
            message = {**message, "body": body}
        await self._send(message)
