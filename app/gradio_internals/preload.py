"""Tells the browser at once which large file the chart will need.

Without it the drawing library, a megabyte, is asked for only when the figure has arrived:
by a page that was loaded, laid out and filled before.
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
        app: what answers.
        files: paths of modules, as the page refers to them.
    """

    def __init__(self, app: ASGIApp, files: Sequence[str]) -> None:
        self._app = app
        self._header = ", ".join(f"<{file}>; rel=modulepreload" for file in files).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the header where it belongs."""
        if scope["type"] != "http" or scope["path"] != "/" or not self._header:
            await self._app(scope, receive, send)
            return

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"link", self._header)]
            await send(message)

        await self._app(scope, receive, send_with_header)


def drawing_library() -> list[str]:
    """The file of gradio that holds plotly.js; none if a new gradio has it elsewhere."""
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    return [f"./assets/{path.name}" for path in sorted(assets.glob("PlotlyPlot-*.js"))]
