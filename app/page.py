"""The page, in gradio; what it shows is made elsewhere."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator  # noqa: TC003 - gradio reads the annotations
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components.plot import PlotData
from starlette.middleware import Middleware

from app.data.catalogue import MOST_LISTED
from app.gradio_internals.preload import Preload, drawing_library
from app.view import content, markup
from app.view.state import ALL, MOST_COMPARED, RANGES, Scale, View, choose, parse_view
from app.web.endpoints import (
    COLD_START,
    PATIENCE,
    add_endpoints,
    export_route,
    find_route,
    picture_route,
)
from app.web.guard import Limits, visitor_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from gradio.blocks import Block

    from app.data.forecasts import Forecasts

STATIC = Path(__file__).with_name("static")
TITLE = "PyPI download forecast"
SESSIONS = 200  # remembered; every call of an endpoint is one to gradio
WAITING = 100  # drawings and calls in line; who comes then is told to come back
DRAWINGS = 20  # at once; a training among them has a lock of its own
FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

RANGE_CHOICES = [("All" if days == ALL else str(days), days) for days in RANGES]
SCALE_CHOICES = [("Absolute", "absolute"), ("Log", "log"), ("Indexed", "indexed")]

# The figure's own button needs a mouse; these two are for keyboards as well.
SAVE = """() => { const plot = document.querySelector('#chart .js-plotly-plot');
if (plot) Plotly.downloadImage(plot, {format: '%s', width: 1200, height: 600, scale: 2,
filename: 'forecast'}); }"""
# The address bar, and the box to copy from, open what is on the page now.
REMEMBER = """(query) => { const link = new URL(query || location.pathname, location.href);
history.replaceState(history.state, '', link); return link.href; }"""


def build(forecasts: Forecasts, clock: Callable[[], dt.datetime]) -> gr.Blocks:
    """The page, not yet served.

    Args:
        forecasts: gives the shown.
        clock: the present moment, UTC.
    """
    page: gr.Blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    page.queue(max_size=WAITING)
    with page:
        _wire(page, _lay_out(), forecasts, clock)
        add_endpoints(forecasts)
    return page


def launch_options(forecasts: Forecasts) -> dict[str, Any]:
    """What ``Blocks.launch`` needs to know, but for where to listen."""
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
        "state_session_capacity": SESSIONS,
        "enable_monitoring": False,
        "run_history": False,
        "app_kwargs": {
            "routes": [export_route(forecasts), find_route(forecasts), picture_route(forecasts)],
            "middleware": [Middleware(Limits), Middleware(Preload, files=drawing_library())],
        },
    }


class LatestViews:
    """What each visitor chose last: an answer that comes late must not replace a newer one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: OrderedDict[str, View] = OrderedDict()

    def note(self, session: str | None, view: View) -> None:
        """Remember it, and forget who was here longest ago."""
        with self._lock:
            self._views[session or ""] = view
            self._views.move_to_end(session or "")
            while len(self._views) > SESSIONS:
                self._views.popitem(last=False)

    def latest(self, session: str | None) -> View | None:
        """The last view of a session; None if it is forgotten."""
        with self._lock:
            return self._views.get(session or "")


@dataclass(frozen=True)
class Parts:
    """The components that something happens to.

    Attributes:
        controls: package, others, days, scale and smooth.
        outputs: in the order of ``_parts``; the link is the last one.
    """

    controls: tuple[gr.Dropdown, gr.Dropdown, gr.Radio, gr.Radio, gr.Checkbox]
    outputs: list[Block]
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
            scale=2,
            min_width=260,
        )
    banner = gr.HTML(padding=False, elem_id="banner")
    headline = gr.HTML(padding=False, elem_id="headline")
    warnings = gr.HTML(padding=False, elem_id="warnings")
    plot = gr.Plot(show_label=False, container=False, elem_id="chart", label="Chart")
    with gr.Column(visible=False, elem_id="more") as more:
        with gr.Row():
            days = gr.Radio(
                RANGE_CHOICES,
                value=usual.days,
                label="Days of history",
                elem_id="range",
                min_width=290,
            )
            scale = gr.Radio(
                SCALE_CHOICES, value=usual.scale, label="Scale", elem_id="scale", min_width=290
            )
        with gr.Row():
            others = gr.Dropdown(
                label=f"Compare with up to {MOST_COMPARED - 1} others",
                multiselect=True,
                max_choices=MOST_COMPARED - 1,
                allow_custom_value=True,
                elem_id="compare",
                scale=3,
                min_width=290,
            )
            smooth = gr.Checkbox(
                value=usual.smooth, label="7-day mean", elem_id="smooth", scale=1, min_width=290
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

    outputs: list[Block] = [banner, headline, warnings, plot, more]
    outputs += [facts, exports, details, numbers, link]
    return Parts((package, others, days, scale, smooth), outputs, plot, link, png, svg)


def _wire(
    page: gr.Blocks, parts: Parts, forecasts: Forecasts, clock: Callable[[], dt.datetime]
) -> None:
    """Say what happens when: all of it private, as programs have their own endpoints."""
    controls, outputs, link = list(parts.controls), parts.outputs, parts.link
    seen = LatestViews()

    def draw(  # noqa: PLR0917 - gradio passes what the components hold, in their order
        package: str | None,
        others: list[str] | None,
        days: int,
        scale: Scale,
        smooth: bool,  # noqa: FBT001 - the same
        request: gr.Request,
        event: gr.EventData,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for exactly this
    ) -> list[Any]:
        view = View(choose(package, others or []), scale, days, smooth)
        if _is_echo(event, others, seen.latest(request.session_hash)):
            return _unchanged(outputs)
        seen.note(request.session_hash, view)

        def report(part: float, text: str) -> None:
            progress(part, desc=text)

        shown = content.show(forecasts, view, clock(), report=report, visitor=visitor_in(request))
        return _parts(shown)

    def open_page(request: gr.Request) -> Iterator[list[Any]]:
        view = parse_view(dict(request.query_params))
        if not forecasts.store.snapshot.looked:
            yield [*_set_controls(forecasts, view), *_parts(content.loading())]
            forecasts.store.wait(COLD_START)
        view = _with_package(forecasts, view, request)
        seen.note(request.session_hash, view)
        shown = content.show(forecasts, view, clock(), visitor=visitor_in(request))
        yield [*_set_controls(forecasts, view), *_parts(shown)]

    def catch_up(request: gr.Request) -> list[Any]:
        view = seen.latest(request.session_hash)
        if view is None or not any(forecasts.pending(package) for package in view.packages):
            return _unchanged(outputs)
        visitor = visitor_in(request)
        parts = _parts(content.show(forecasts, view, clock(), wait=PATIENCE, visitor=visitor))
        if seen.latest(request.session_hash) != view:
            return _unchanged(outputs)  # the visitor has gone on meanwhile
        return [*parts[:-1], gr.skip()]  # the link stays: it is the same view

    private: dict[str, Any] = {"api_visibility": "private"}
    package, others, days, scale, smooth = parts.controls
    # Names typed or removed by the keyboard are no "input" to a list of several.
    changes = [package.input, others.change, days.input, scale.input, smooth.input]
    shared = {**private, "concurrency_limit": DRAWINGS, "concurrency_id": "draw"}
    drawn = gr.on(
        changes,
        draw,
        inputs=controls,
        outputs=outputs,
        trigger_mode="always_last",
        show_progress_on=[parts.plot],
        **shared,
    )
    opened = page.load(
        open_page,
        inputs=None,
        outputs=[*controls, *outputs],
        show_progress_on=[parts.plot],
        **shared,
    )
    for event in (drawn, opened):
        event.then(None, link, link, js=REMEMBER, **private)
        # Newer days may take seconds: what is there already is not held up by them.
        event.then(
            catch_up,
            None,
            outputs,
            show_progress="hidden",
            concurrency_limit=DRAWINGS,
            **private,
        )
    page.load(None, js=(STATIC / "chooser.js").read_text("utf-8"), **private)
    parts.png.click(None, js=SAVE % "png", **private)
    parts.svg.click(None, js=SAVE % "svg", **private)


def _with_package(forecasts: Forecasts, view: View, request: gr.Request) -> View:
    """The view that was asked for, with a package if none was."""
    if "package" in request.query_params:
        return view
    return replace(view, packages=forecasts.first())


def _unchanged(outputs: list[Block]) -> list[Any]:
    return [gr.skip() for _ in outputs]


def _is_echo(event: gr.EventData, others: list[str] | None, latest: View | None) -> bool:
    """Whether the page itself has filled in the list of others, as it opened a link.

    The other controls may not have been filled in by then.
    """
    if latest is None or getattr(event.target, "elem_id", None) != "compare":
        return False
    return (others or []) == [package.label for package in latest.packages[1:]]


def _parts(shown: content.PageContent) -> list[Any]:
    """The page's outputs, in the order of ``outputs``."""
    figure = None if shown.figure is None else PlotData(type="plotly", plot=shown.figure)
    return [
        gr.update(value=shown.banner, visible=bool(shown.banner)),
        shown.headline,
        gr.update(value=shown.warnings, visible=bool(shown.warnings)),
        gr.update(value=figure, visible=figure is not None),
        gr.update(visible=figure is not None),
        shown.facts,
        shown.exports,
        shown.details,
        shown.numbers,
        shown.query,
    ]


def _set_controls(forecasts: Forecasts, view: View) -> list[Any]:
    packages = forecasts.store.catalogue.packages
    many = len(packages) > MOST_LISTED
    several: dict[str, Any] = {
        # Of many the list is empty, and chooser.js asks for what fits the letters typed.
        "choices": [] if many else [package.label for package in packages],
        "elem_classes": ["searched"] if many else [],
    }
    labels = [package.label for package in view.packages]
    one = several | {"value": labels[0] if labels else None}
    if labels[1:]:
        several |= {"value": labels[1:]}
    return [
        gr.update(**one),
        gr.update(**several),
        view.days,
        view.scale,
        view.smooth,
    ]
