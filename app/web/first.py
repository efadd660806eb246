"""The first response: the page with the answer in its HTML, before any script has run."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from itertools import filterfalse
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from app.gradio_internals.first_html import drawing_library, with_answer
from app.view import content
from app.view.state import parse_view, theme_of
from app.web.guard import client_of
from app.web.pictures import is_made_up, picture_of
from forecast.bundle.themes import themed
from forecast.document import addresses
from forecast.document.document import Document, Templates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.data.forecasts import Forecasts
    from app.view.state import View

log = logging.getLogger(__name__)

HOST = re.compile(r"[\w.-]+(:\d+)?", re.ASCII)
MOST_OFFERED = 20  # packages that can be opened without scripts
OK = 200


def base_of(request: Request, host: str = "") -> str:
    """The page's public address with a slash at its end: of a known host, or of the request."""
    if host:
        return f"https://{host}/"
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}/" if HOST.fullmatch(host) else "./"


class FirstResponse:
    """ASGI middleware that adds the answer to the page itself.

    Args:
        app: the application behind it.
        forecasts: of all packages.
        clock: the current time, UTC.
        script: gives the answer's place to gradio's page.
        host: of the page's public address; empty for that of the request.
    """

    def __init__(
        self,
        app: ASGIApp,
        forecasts: Forecasts,
        clock: Callable[[], dt.datetime],
        *,
        script: str,
        host: str = "",
    ) -> None:
        self._app = app
        self._forecasts = forecasts
        self._clock = clock
        self._host = host
        self._templates = Templates()
        self._script = f"<script>({script})({json.dumps(drawing_library())})</script>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the answer to the page's response."""
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == OK:
                start = message
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._finish(scope, start, bytes(body), send)

        await self._app(scope, receive, collect)

    async def _finish(self, scope: Scope, start: Message, body: bytes, send: Send) -> None:
        request = Request(scope)
        if body:  # not of HEAD
            page = await to_thread.run_sync(self._page, request, body.decode())
            body = page.encode()
        headers = MutableHeaders(scope=start)
        if body:
            headers["Content-Length"] = str(len(body))
        headers["Cache-Control"] = "no-cache"
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _page(self, request: Request, page: str) -> str:
        try:
            # As gradio's own query of the page is read: the last value of a name counts.
            query = dict(parse_qsl(request.url.query, keep_blank_values=True))
            document = self._document(query, base_of(request, self._host), client_of(request))
            body = self._templates.body(document) + self._script
            return with_answer(page, self._templates.head(document), body)
        except Exception:  # gradio's page can do without
            log.exception("the first response has no answer")
            return page

    def _document(self, query: dict[str, str], base: str, client: str) -> Document:
        view = parse_view(query)
        if "package" not in query:
            view = replace(view, packages=self._forecasts.first())
        ready = self._ready(view)
        theme = theme_of(query)
        shown = self._content(view, ready, client, theme)
        main = next(
            (each.name for each in ready.packages[:1] if self._forecasts.is_ready(each)), ""
        )
        shareable = main and not is_made_up(self._forecasts, main)
        picture = picture_of(self._forecasts, f"{main}.svg", client) or b""
        offered = self._forecasts.store.catalogue.packages[:MOST_OFFERED]
        return Document(
            title=shown.title,
            description=shown.description,
            url=base + (shown.query if "package" in query else ""),
            card=f"{base}picture/{main}.png" if shareable else "",
            package=view.packages[0].label if view.packages else query.get("package", ""),
            headline=shown.banner + shown.headline + shown.warnings,
            facts=shown.facts,
            picture=(themed(picture, theme) if theme else picture).decode(),
            feed=f"{base}{addresses.FEED}",
            theme=theme,
            offered=sorted(each.label for each in offered if self._forecasts.is_ready(each)),
        )

    def _content(self, view: View, ready: View, client: str, theme: str) -> content.PageContent:
        """What is known without a fetch or a training."""
        if not self._forecasts.store.snapshot.looked:
            return content.loading()
        if view.packages and not ready.packages:
            return content.fetching(view)
        return content.show(
            self._forecasts, ready, self._clock(), client=client, whole=False, theme=theme
        )

    def _ready(self, view: View) -> View:
        """The view without packages that take long; none at all if the first one does."""
        takes_long = self._forecasts.takes_long
        if not view.packages or takes_long(view.packages[0]):
            return replace(view, packages=())
        return replace(view, packages=tuple(filterfalse(takes_long, view.packages)))
