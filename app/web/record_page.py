"""How good the forecasts of all packages were, as a page: ``?view=record``, without gradio."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.view.state import RECORD, address_of, parse_view, theme_of, with_theme
from app.web.first import base_of
from app.web.record import NO_BUNDLE, recorded_now
from forecast.bundle.themes import themed
from forecast.document import addresses
from forecast.document.document import Document, Link, Templates
from forecast.document.record import RECORD_TITLE, record_page
from forecast.document.surprise import surprise_picture
from forecast.presentation import wording

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.data.forecasts import Forecasts

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
        query = _query(scope) if scope["type"] == "http" and scope["path"] == "/" else {}
        if query.get("view") != "record":
            await self._app(scope, receive, send)
            return
        page = await to_thread.run_sync(self._page, query, base_of(Request(scope), self._host))
        await HTMLResponse(page, headers=HEADERS)(scope, receive, send)

    def _page(self, query: dict[str, str], base: str) -> str:
        """The page, whose links keep what the address says of the view and of the theme."""
        view, theme = parse_view(query), theme_of(query)
        back = f"./{with_theme(view.query, theme)}"
        links = [Link("Forecasts", back), Link("Feed of unusual weeks", addresses.FEED)]
        document = Document(
            title=f"{RECORD_TITLE} - {wording.TITLE}",
            description=wording.DESCRIPTION,
            url=f"{base}{RECORD}",
            feed=addresses.FEED,
            theme=theme,
        )
        recorded, _ = recorded_now(self._forecasts)
        if recorded is None:
            return self._templates.plain(
                "message.html", document, back, links, title=RECORD_TITLE, text=NO_BUNDLE
            )
        page = record_page(
            self._templates,
            document,
            recorded.record,
            recorded.last,
            recorded.bundle.manifest.labels,
            root=back,
            links=links,
            place=partial(address_of, view=view, theme=theme),
            picture=partial(surprise_picture, recorded.bundle),
            files=[Link("The same as JSON", "record")],
        )
        return themed(page.encode(), theme).decode() if theme else page


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1")))
