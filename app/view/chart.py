"""The figure: history, forecast and bands of one package, or of up to five together.

This file does not depend on gradio. People with colour-blindness can tell the colours
apart, which stand out from a white page and from a dark one; dashes and marker shapes
carry the same distinction without colour. The background is transparent, so that the
page's own shows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from app.view import hover, wording
from app.view.curves import curve_of, positive, shown_events

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from app.data.package_forecast import PackageForecast
    from app.view.curves import Curve
    from app.view.state import Scale, View
    from forecast.config import Event
    from forecast.quantities import Array

HEIGHT = 460
MOST_BANDED = 2  # packages; bands of more would hide each other, and the hover label has them
COLOURS = ("#2483c5", "#d55e00", "#0f8f6a", "#b65da6", "#96762a")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
DASHES = ("solid", "dot", "dashdot", "longdash", "longdashdot")
TEXT = "#73777f"  # for a saved picture, readable on light and dark; the page sets its own colour
GRID = "rgba(128, 128, 128, 0.22)"
TRANSPARENT = "rgba(0,0,0,0)"
HOVER = {
    "bgcolor": "#1f2937",
    "bordercolor": "#1f2937",
    "font": {"color": "#ffffff", "size": 13},
}
HOVER_TEXT = "%{text}<extra></extra>"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
TITLES: dict[Scale, str] = {
    "absolute": "Daily downloads{}",
    "log": "Daily downloads{} (log scale)",
    "indexed": "Daily downloads{}, first week shown = 100",
}
PICTURE = {"width": 1200, "height": 600, "scale": 2}

Trace = dict[str, Any]


def draw(shown: Sequence[PackageForecast], view: View, events: Iterable[Event] = ()) -> go.Figure:
    """The figure of a view.

    Args:
        shown: one to five packages.
        view: range, scale and smoothing.
        events: all known events; those within the range are marked.
    """
    import plotly.graph_objects as go  # noqa: PLC0415 - half a second that the start can spare

    curves = [curve_of(forecast, view) for forecast in shown]
    traces: list[Trace] = []
    if len(curves) == 1:
        traces += _single(curves[0], smooth=view.smooth)
        traces += _past_forecasts(shown[0], curves[0], view.scale)
        traces += _days_off(shown[0])
    else:
        for place, curve in enumerate(curves):
            if len(curves) <= MOST_BANDED:
                traces += _compared_band(curve, place)
            traces += _compared(curve, place, smooth=view.smooth)
    marked = shown_events(shown, view, events)
    traces += _event_markers(marked)
    return go.Figure(data=traces, layout=_layout(shown, curves, view, marked))


def to_json(figure: go.Figure, file_name: str) -> str:
    """The figure as JSON for plotly.js, with the settings of its toolbar.

    Args:
        figure: the figure.
        file_name: of a saved picture, without its extension.
    """
    content = figure.to_plotly_json()
    content["config"] = {
        "displaylogo": False,
        "responsive": True,
        "scrollZoom": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"format": "png", "filename": file_name, **PICTURE},
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def _single(curve: Curve, *, smooth: bool) -> list[Trace]:
    return [
        *_band(curve, "95", COLOURS[0], opacity=0.14, dash="dot"),
        *_band(curve, "80", COLOURS[0], opacity=0.28, dash="solid"),
        *(_smooth_history(curve) if smooth else _plain_history(curve)),
        *_repaired(curve),
        *_forecast(curve, smooth=smooth),
    ]


def _smooth_history(curve: Curve) -> list[Trace]:
    return [
        _trace(
            curve.days,
            curve.counts,
            name="Counted",
            mode="markers",
            marker={"color": COLOURS[0], "size": 5, "opacity": 0.42},
            text=hover.counted(curve),
            hovertemplate=HOVER_TEXT,
        ),
        _trace(
            curve.days,
            curve.means,
            name="7-day mean",
            line={"color": COLOURS[0], "width": 2.5},
            text=hover.means(curve),
            hovertemplate="%{text} (7-day mean)<extra></extra>",
        ),
    ]


def _plain_history(curve: Curve) -> list[Trace]:
    return [
        _trace(
            curve.days,
            curve.counts,
            name="Counted",
            line={"color": COLOURS[0], "width": 2},
            text=hover.counted(curve),
            hovertemplate=HOVER_TEXT,
        )
    ]


def _repaired(curve: Curve) -> list[Trace]:
    where = np.flatnonzero(curve.repaired)
    if not where.size:
        return []
    return [
        _trace(
            [curve.days[at] for at in where],
            curve.counts[where],
            name="Repaired day",
            mode="markers",
            marker={"symbol": "x-thin", "size": 8, "line": {"color": COLOURS[1], "width": 2}},
            hoverinfo="skip",
        )
    ]


def _forecast(curve: Curve, *, smooth: bool) -> list[Trace]:
    traces = [
        _trace(
            curve.forecast_days,
            curve.bands["median"],
            name="Forecast",
            mode="lines+markers",
            line={"color": COLOURS[0], "width": 1.5, "dash": "dash"},
            marker={"color": COLOURS[0], "size": 5, "symbol": "circle-open"},
            text=hover.forecast(curve),
            hovertemplate=HOVER_TEXT,
        )
    ]
    if smooth:
        traces.append(
            _trace(
                curve.forecast_days,
                curve.forecast_means,
                name="Forecast, 7-day mean",
                showlegend=False,
                line={"color": COLOURS[0], "width": 3, "dash": "dash"},
                hoverinfo="skip",
            )
        )
    return traces


def _compared_band(curve: Curve, place: int) -> list[Trace]:
    band = _band(curve, "80", COLOURS[place], opacity=0.16, dash="solid")
    return [{**trace, "legendgroup": curve.label, "showlegend": False} for trace in band]


def _compared(curve: Curve, place: int, *, smooth: bool) -> list[Trace]:
    """History and forecast of one of several packages."""
    colour, symbol, label = COLOURS[place], SYMBOLS[place], hover.escape(curve.label)
    shared: Trace = {"mode": "lines+markers", "legendgroup": curve.label}
    marker = {"symbol": symbol, "size": 7, "color": colour, "maxdisplayed": 12}
    kind = " (7-day mean)" if smooth else ""
    return [
        _trace(
            curve.days,
            curve.means if smooth else curve.counts,
            name=curve.label,
            line={"color": colour, "width": 2, "dash": DASHES[place]},
            marker=marker,
            text=hover.means(curve) if smooth else hover.counts(curve),
            hovertemplate=f"{label}: %{{text}}{kind}<extra></extra>",
            **shared,
        ),
        _trace(
            curve.forecast_days,
            curve.forecast_means if smooth else curve.bands["median"],
            name=f"{curve.label}, forecast",
            line={"color": colour, "width": 2, "dash": "dash"},
            marker={**marker, "symbol": f"{symbol}-open", "maxdisplayed": 6},
            text=hover.short_forecast(curve),
            hovertemplate=f"{label}: {HOVER_TEXT}",
            showlegend=False,
            **shared,
        ),
    ]


def _band(curve: Curve, level: str, colour: str, *, opacity: float, dash: str) -> list[Trace]:
    """A filled band; its edges are drawn, so that it can be seen without colour too."""
    edge = {"color": _translucent(colour, 0.6), "width": 1, "dash": dash}
    shared: Trace = {"hoverinfo": "skip", "opacity": 1, "line": edge}
    return [
        _trace(
            curve.forecast_days,
            curve.bands[f"upper_{level}"],
            name=f"Upper end of {level} %",
            showlegend=False,
            **shared,
        ),
        _trace(
            curve.forecast_days,
            curve.bands[f"lower_{level}"],
            name=f"{level} % band",
            fill="tonexty",
            fillcolor=_translucent(colour, opacity),
            **shared,
        ),
    ]


def _past_forecasts(forecast: PackageForecast, curve: Curve, scale: Scale) -> list[Trace]:
    """The forecasts of earlier weeks for the days shown, thin and grey."""
    if forecast.track_record is None or scale == "indexed":
        return []
    traces: list[Trace] = []
    for past in forecast.track_record.past_forecasts:
        days = [day.isoformat() for day in past.days]
        skipped = sum(day < curve.days[0] for day in days)
        values = np.array(past.values[skipped:])
        if values.size:
            traces.append(
                _trace(
                    days[skipped:],
                    positive(values) if scale == "log" else values,
                    name="Earlier forecast",
                    legendgroup="earlier",
                    showlegend=not traces,
                    line={"color": TEXT, "width": 1, "dash": "dot"},
                    text=[hover.past_forecast(value, past.made_on) for value in values],
                    hovertemplate=HOVER_TEXT,
                )
            )
    return traces


def _days_off(forecast: PackageForecast) -> list[Trace]:
    """A small mark at the foot of each day off that moves the forecast."""
    if not forecast.days_off:
        return []
    return [
        _trace(
            [day.isoformat() for day in forecast.days_off],
            np.zeros(len(forecast.days_off)),
            name="Day off",
            showlegend=False,
            mode="markers",
            yaxis="y2",
            marker={"symbol": "diamond", "size": 7, "color": TEXT},
            text=[wording.day_off(loss) for loss in forecast.days_off.values()],
            hovertemplate=HOVER_TEXT,
            cliponaxis=False,
        )
    ]


def _event_markers(events: Sequence[Event]) -> list[Trace]:
    if not events:
        return []
    return [
        _trace(
            [event.date.isoformat() for event in events],
            np.ones(len(events)),
            name="Event",
            showlegend=False,
            mode="markers",
            yaxis="y2",
            marker={"symbol": "triangle-down", "size": 12, "color": TEXT},
            text=[hover.event(event) for event in events],
            hovertemplate=HOVER_TEXT,
            cliponaxis=False,
        )
    ]


def _trace(days: list[str], values: Array, **options: Any) -> Trace:
    """A trace; its values as a list, as the browser's plotly.js cannot read plotly's base64."""
    numbers = [None if np.isnan(value) else round(float(value), 2) for value in values]
    return {"type": "scatter", "mode": "lines", "x": days, "y": numbers, **options}


def _layout(
    shown: Sequence[PackageForecast],
    curves: Sequence[Curve],
    view: View,
    events: Sequence[Event],
) -> dict[str, Any]:
    boundary = max(forecast.observed_through for forecast in shown)
    return {
        "template": "none",
        "height": HEIGHT,
        "margin": {"l": 8, "r": 12, "t": 26, "b": 8},
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
        "font": {"family": FONT, "size": 13, "color": TEXT},
        "hovermode": "x unified",
        "hoverlabel": HOVER,
        "dragmode": False,
        "xaxis": _time_axis(curves),
        "yaxis": _value_axis(curves, view.scale),
        # The markers of events have an axis of their own, from the bottom to the top.
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": -0.16,
            "yanchor": "top",
            "bgcolor": TRANSPARENT,
            "traceorder": "normal",
            "font": {"size": 12},
            "entrywidth": 80,
        },
        "shapes": [_boundary(boundary), *(_event_shape(event) for event in events)],
    }


def _time_axis(curves: Sequence[Curve]) -> dict[str, Any]:
    first = min(curve.days[0] for curve in curves)
    last = max(curve.forecast_days[-1] for curve in curves)
    return {
        "type": "date",
        "range": [f"{first}T00:00", f"{last}T12:00"],
        "hoverformat": "%A, %e %B %Y",
        "gridcolor": GRID,
        "automargin": True,
        "fixedrange": True,
        "nticks": 6,
        "tickformat": "%-d %b\n%Y",
    }


def _value_axis(curves: Sequence[Curve], scale: Scale) -> dict[str, Any]:
    package = f" of {hover.escape(curves[0].label)}" if len(curves) == 1 else ""
    axis: dict[str, Any] = {
        "title": {"text": TITLES[scale].format(package), "standoff": 8},
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "automargin": True,
        "exponentformat": "B",
        "separatethousands": True,
        "nticks": 7,
        "fixedrange": True,
    }
    return axis | ({"type": "log", "dtick": 1} if scale == "log" else {"rangemode": "tozero"})


def _boundary(day: dt.date) -> dict[str, Any]:
    """A line between the last day counted and the first day forecast."""
    at = f"{day.isoformat()}T12:00"
    line = {"color": TEXT, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def _event_shape(event: Event) -> dict[str, Any]:
    """A line for an event of one day, an area for one of several."""
    shape = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    if event.until is None:
        at = event.date.isoformat()
        line = {"color": TEXT, "width": 1, "dash": "dash"}
        return {"type": "line", "x0": at, "x1": at, "line": line, **shape}
    span = {"x0": event.date.isoformat(), "x1": event.until.isoformat()}
    return {"type": "rect", **span, "fillcolor": GRID, "line": {"width": 0}, **shape}


def _translucent(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
