"""Lets the browser fetch plotly.js, a megabyte, while it loads the page.

gradio's page imports it only when the first figure has arrived.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Preload:
    """ASGI middleware that adds a Link header to the page itself.

    Args:
        app: the application behind it.
        files: addresses of scripts, relative to the page.
    """

    def __init__(self, app: ASGIApp, files: Sequence[str]) -> None:
        self._app = app
        self._header = ", ".join(f"<{file}>; rel=modulepreload" for file in files).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the header to the page's response."""
        if scope["type"] != "http" or scope["path"] != "/" or not self._header:
            await self._app(scope, receive, send)
            return

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"link", self._header)]
            await send(message)

        await self._app(scope, receive, send_with_header)


def drawing_library() -> list[str]:
    """The script of gradio that holds plotly.js; none if a new gradio has it elsewhere."""
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    return [f"./assets/{path.name}" for path in sorted(assets.glob("PlotlyPlot-*.js"))]
