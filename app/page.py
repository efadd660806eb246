"""The page in gradio: its layout, and which event calls which handler."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware

from app.gradio_internals.dom import SAVE_CHART, with_settings
from app.handlers import MAX_SESSIONS, Handlers
from app.view.state import ALL, MOST_COMPARED, RANGES, View, usual_fields
from app.web.cards import card_route
from app.web.delivery import Delivery
from app.web.endpoints import add_endpoints, export_route, find_route, picture_route
from app.web.first import FirstResponse
from app.web.guard import Limits
from app.web.record import add_record, badge_route, feed_route, record_route
from app.web.record_page import RecordPage
from forecast.document import markup
from forecast.presentation import wording

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection

    from gradio.blocks import Block

    from app.data.forecasts import Forecasts

STATIC = Path(__file__).with_name("static")
# Drawings and calls; further ones get an error that says to try again. A visitor has a share.
MAX_QUEUED = 400
MAX_DRAWING = 20  # at the same time; a training among them has a lock of its own
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

RANGE_CHOICES = [("All" if days == ALL else str(days), days) for days in RANGES]
MODE_CHOICES = [
    ("Daily", "daily"),
    ("7-day mean", "mean"),
    ("Weekly", "weekly"),
    ("Monthly", "monthly"),
]
GROUPS = ("range", "scale", "mode")  # of radio buttons
SCALE_CHOICES = [("Absolute", "absolute"), ("Log", "log"), ("Indexed", "indexed")]

# The address bar has what was asked for, then what was answered; see page.js.
ASKED = "(...controls) => window.forecastPage.asked(controls)"
ANSWERED = "(query) => window.forecastPage.answered(query)"


def build(forecasts: Forecasts, clock: Callable[[], dt.datetime]) -> gr.Blocks:
    """The page, not yet served.

    Args:
        forecasts: the forecasts of all packages.
        clock: the current time, UTC.
    """
    page: gr.Blocks = gr.Blocks(title=wording.TITLE, analytics_enabled=False)
    page.queue(max_size=MAX_QUEUED)
    with page:
        _wire(page, _lay_out(), Handlers(forecasts, clock))
        add_endpoints(forecasts, clock)
        add_record(forecasts)
    return page


def launch_options(
    forecasts: Forecasts,
    clock: Callable[[], dt.datetime],
    *,
    host: str = "",
    hosts: Collection[str] | None = None,
) -> dict[str, Any]:
    """The arguments of ``Blocks.launch``, except where to listen.

    Args:
        forecasts: the forecasts of all packages.
        clock: the current time, UTC.
        host: of the page's public address; empty for that of the request.
        hosts: that requests may name; None for any.
    """
    theme = gr.themes.Default(
        primary_hue="blue", neutral_hue="slate", font=list(FONT), font_mono=list(MONO)
    ).set(
        layout_gap="10px",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_300",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_300",
    )
    return {
        "theme": theme,
        "css_paths": STATIC / "page.css",
        "mcp_server": True,
        "ssr_mode": False,
        "show_error": True,
        "footer_links": ["api"],
        "state_session_capacity": MAX_SESSIONS,
        "enable_monitoring": False,
        "run_history": False,
        "app_kwargs": {
            "routes": [
                route(forecasts)
                for route in (
                    *(export_route, find_route, card_route, picture_route),
                    *(badge_route, feed_route, record_route),
                )
            ],
            "middleware": [
                Middleware(Limits, hosts=hosts),
                Middleware(Delivery),
                Middleware(RecordPage, forecasts=forecasts, host=host),
                Middleware(
                    FirstResponse,
                    forecasts=forecasts,
                    clock=clock,
                    script=(STATIC / "first.js").read_text("utf-8"),
                    host=host,
                ),
            ],
        },
    }


@dataclass(frozen=True)
class Parts:
    """The components that events read or change.

    Attributes:
        controls: package, others, days, scale and mode.
        outputs: in the order of the handlers' content; the link is the last one.
        reopen: hidden; page.js clicks it when the visitor goes back or forward.
    """

    controls: tuple[gr.Dropdown, gr.Dropdown, gr.Radio, gr.Radio, gr.Radio]
    outputs: list[Block]
    reopen: gr.Button
    plot: gr.Plot
    link: gr.Textbox
    png: gr.Button
    svg: gr.Button


def _lay_out() -> Parts:
    usual = View()
    with gr.Row(equal_height=True):
        with gr.Column(scale=3, min_width=300):
            gr.HTML(markup.INTRODUCTION, padding=False)
        package = gr.Dropdown(
            label="Package, or any other name on PyPI",
            allow_custom_value=True,
            elem_id="package",
            elem_classes="searched",
            scale=2,
            min_width=260,
        )
    banner = gr.HTML(padding=False, elem_id="banner")
    headline = gr.HTML(padding=False, elem_id="headline")
    warnings = gr.HTML(padding=False, elem_id="warnings")
    plot = gr.Plot(show_label=False, container=False, elem_id="chart", label="Chart")
    with gr.Column(visible=False, elem_id="more") as more:
        with gr.Row():
            mode = gr.Radio(
                MODE_CHOICES, value=usual.mode, label="Show", elem_id="mode", min_width=290
            )
            scale = gr.Radio(
                SCALE_CHOICES, value=usual.scale, label="Scale", elem_id="scale", min_width=290
            )
        with gr.Row():
            days = gr.Radio(
                RANGE_CHOICES,
                value=usual.days,
                label="Days of history",
                elem_id="range",
                min_width=290,
            )
            others = gr.Dropdown(
                label=f"Compare with up to {MOST_COMPARED - 1} others",
                multiselect=True,
                max_choices=MOST_COMPARED - 1,
                allow_custom_value=True,
                elem_id="compare",
                elem_classes="searched",
                min_width=290,
            )
        facts = gr.HTML(padding=False, elem_id="facts")
        with gr.Row():
            with gr.Column(min_width=290):
                exports = gr.HTML(padding=False, elem_id="exports")
            png = gr.Button("Chart as PNG", size="sm", elem_id="png", scale=0, min_width=130)
            svg = gr.Button("Chart as SVG", size="sm", elem_id="svg", scale=0, min_width=130)
        link = gr.Textbox(
            label="Link to this view", interactive=False, buttons=["copy"], elem_id="link"
        )
        with gr.Accordion("How it was made", open=False):
            details = gr.HTML(padding=False, elem_id="details")
        with gr.Accordion("The forecast as a table", open=False):
            numbers = gr.HTML(padding=False, elem_id="numbers")

    reopen = gr.Button(visible="hidden", elem_id="reopen")

    outputs: list[Block] = [banner, headline, warnings, plot, more]
    outputs += [facts, exports, details, numbers, link]
    return Parts((package, others, days, scale, mode), outputs, reopen, plot, link, png, svg)


def _wire(page: gr.Blocks, parts: Parts, handlers: Handlers) -> None:
    """Connect events with handlers, all of them private: programs have their own endpoints."""
    controls, outputs, link = list(parts.controls), parts.outputs, parts.link
    # By default gradio drops a call while one of its kind is pending, and with it the choice.
    private: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "multiple"}
    package, others, days, scale, mode = parts.controls
    # For a list of several, gradio sends no "input" when names are added or removed by keyboard.
    changes = [package.input, others.change, days.input, scale.input, mode.input]
    shared = {**private, "concurrency_limit": MAX_DRAWING, "concurrency_id": "draw"}
    drawn = gr.on(
        changes,
        handlers.change,
        inputs=controls,
        outputs=[package, *outputs],
        js=ASKED,
        **shared,
    )
    opened = gr.on(
        [page.load, parts.reopen.click],
        handlers.load,
        inputs=None,
        outputs=[*controls, *outputs],
        **shared,
    )
    for event in (drawn, opened):
        event.then(None, link, link, js=ANSWERED, **private)
        # Newer days may take seconds, so the known ones are shown first.
        event.then(
            handlers.catch_up,
            None,
            outputs,
            show_progress="hidden",
            concurrency_limit=MAX_DRAWING,
            concurrency_id="catch-up",
            **private,
        )
    for script in ("page.js", "chooser.js"):
        text = (STATIC / script).read_text("utf-8")
        page.load(None, js=with_settings(text, usual=usual_fields(), groups=GROUPS), **private)
    page.load(None, js=(STATIC / "embed.js").read_text("utf-8"), **private)
    parts.png.click(None, js=SAVE_CHART % "png", **private)
    parts.svg.click(None, js=SAVE_CHART % "svg", **private)
