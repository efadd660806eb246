"""How good the forecasts of all packages were, as a page: ``?view=record``, without gradio."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.data.forecasts import BUNDLE_TIMEOUT
from app.view.content import RECORD
from app.view.state import address_of
from app.web.first import base_of
from app.web.record import NO_BUNDLE
from forecast.document import addresses
from forecast.document.document import Document, Link, Templates
from forecast.document.record import RECORD_TITLE, record_page
from forecast.document.surprise import surprise_picture
from forecast.presentation import wording

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.data.forecasts import Forecasts

LINKS = [Link("Forecasts", "./"), Link("Feed of unusual weeks", addresses.FEED)]
HEADERS = {"Cache-Control": "no-cache"}


class RecordPage:
    """ASGI middleware that answers the record's address, and passes on every other request.

    Args:
        app: the application behind it.
        forecasts: of all packages.
        host: of the page's public address; empty for that of the request.
    """

    def __init__(self, app: ASGIApp, forecasts: Forecasts, *, host: str = "") -> None:
        self._app = app
        self._forecasts = forecasts
        self._host = host
        self._templates = Templates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http" or scope["path"] != "/" or not _asks(scope["query_string"]):
            await self._app(scope, receive, send)
            return
        page = await to_thread.run_sync(self._page, base_of(Request(scope), self._host))
        await HTMLResponse(page, headers=HEADERS)(scope, receive, send)

    def _page(self, base: str) -> str:
        document = Document(
            title=f"{RECORD_TITLE} - {wording.TITLE}",
            description=wording.DESCRIPTION,
            url=f"{base}{RECORD}",
            feed=addresses.FEED,
        )
        self._forecasts.store.wait(BUNDLE_TIMEOUT)
        recorded = self._forecasts.records.current()
        if recorded is None:
            return self._templates.plain(
                "message.html", document, "./", LINKS, title=RECORD_TITLE, text=NO_BUNDLE
            )
        return record_page(
            self._templates,
            document,
            recorded.record,
            recorded.last,
            recorded.bundle.manifest.labels,
            root="./",
            links=LINKS,
            place=address_of,
            picture=partial(surprise_picture, recorded.bundle),
            files=[Link("The same as JSON", "record")],
        )


def _asks(query: bytes) -> bool:
    return dict(parse_qsl(query.decode("latin-1"))).get("view") == "record"
