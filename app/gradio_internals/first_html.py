"""Puts an answer into the HTML that gradio sends first."""

from __future__ import annotations

import re
from pathlib import Path

import gradio as gr

# gradio's own cards for previews, twice; their values are placeholders, or empty.
CARDS = re.compile(r"\s*<meta\s+(?:property|name)=\"(?:og|twitter):[^>]*>")
# A stylesheet in the head holds back all painting, but the answer needs none of gradio's.
STYLES = re.compile(r"<link rel=\"stylesheet\"")
LATER = '<link media="print" onload="this.media=\'all\'" rel="stylesheet"'
HEAD = re.compile(r"<meta charset=\"utf-8\"\s*/?>")
MOUNT = re.compile(r"<gradio-app\b")


def with_answer(page: str, head: str, body: str) -> str:
    """The page with elements of our own in its head, and an answer before gradio's element.

    Args:
        page: the HTML of gradio.
        head: elements to replace gradio's cards.
        body: elements for the begin of the body.
    """
    page = STYLES.sub(LATER, CARDS.sub("", page))
    page = HEAD.sub(lambda found: f"{found[0]}\n{head}", page, count=1)
    return MOUNT.sub(lambda found: f"{body}\n{found[0]}", page, count=1)


def drawing_library() -> list[str]:
    """The script of gradio that holds plotly.js; none if a new gradio has it elsewhere.

    gradio's page imports it, a megabyte, only when the first figure has arrived.
    """
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    return [f"./assets/{path.name}" for path in sorted(assets.glob("PlotlyPlot-*.js"))]
