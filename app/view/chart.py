"""The figure: history, forecast and bands of one package, or of up to five side by side.

Nothing here knows of gradio. Colours are chosen to be told apart by colour-blind
eyes and to stand out from both a white and a dark page; dashes and marker shapes
say the same once more without colour. Paper and plot stay transparent, so the page's
own background shows.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.view.state import ALL, Scale
from app.view.wording import count, date, event_note
from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from app.data.package_forecast import PackageForecast
    from app.view.state import View
    from forecast.config import Event

HEIGHT = 460
MOST_BANDED = 2  # packages; the bands of more hide each other, and the hover has them
COLOURS = ("#2483c5", "#d55e00", "#0f8f6a", "#b65da6", "#96762a")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
DASHES = ("solid", "dot", "dashdot", "longdash", "longdashdot")
TEXT = "#73777f"  # in between, for a saved picture; on the page its own colour is used
GRID = "rgba(128, 128, 128, 0.22)"
HOVER = {
    "bgcolor": "#1f2937",
    "bordercolor": "#1f2937",
    "font": {"color": "#ffffff", "size": 13},
}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
TITLES: dict[Scale, str] = {
    "absolute": "Downloads{} a day",
    "log": "Downloads{} a day (log scale)",
    "indexed": "Downloads{} a day, first week shown = 100",
}
PICTURE = {"width": 1200, "height": 600, "scale": 2}


@dataclass(frozen=True)
class Curve:
    """One package cut to the range and put on the scale; arrays of shape (days,)."""

    label: str
    days: list[str]
    counts: Array
    means: Array
    repaired: NDArray[np.bool_]
    ahead: list[str]
    means_ahead: Array
    bands: dict[str, Array]
    original: dict[str, Array]


def draw(shown: Sequence[PackageForecast], view: View, events: Iterable[Event] = ()) -> go.Figure:
    """The figure of a view.

    Args:
        shown: one to five packages.
        view: range, scale and smoothing.
        events: what is known to have happened; those within the range are marked.
    """
    import plotly.graph_objects as go  # noqa: PLC0415 - half a second that the start can spare

    curves = [_curve(forecast, view) for forecast in shown]
    traces: list[dict[str, Any]] = []
    if len(curves) == 1:
        traces += _single(curves[0], view)
        traces += _earlier(shown[0], curves[0], view.scale)
    else:
        for place, curve in enumerate(curves):
            traces += _compared(curve, view, place, banded=len(curves) <= MOST_BANDED)
    marked = shown_events(shown, view, events)
    traces += _event_markers(marked)
    return go.Figure(data=traces, layout=_layout(shown, curves, view, marked))


def shown_events(
    shown: Sequence[PackageForecast], view: View, events: Iterable[Event]
) -> list[Event]:
    """The events that touch the range shown, oldest first."""
    if not shown:
        return []
    first = min(_first_day(forecast, view) for forecast in shown)
    last = max(forecast.observed_through for forecast in shown)
    return sorted(
        (event for event in events if event.last >= first and event.date <= last),
        key=lambda event: event.date,
    )


def to_json(figure: go.Figure, file_name: str) -> str:
    """The figure as plotly.js takes it, with the bar of buttons set up.

    Args:
        figure: the figure.
        file_name: of a saved picture, without its ending.
    """
    whole = figure.to_plotly_json()
    whole["config"] = {
        "displaylogo": False,
        "responsive": True,
        "scrollZoom": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"format": "png", "filename": file_name, **PICTURE},
    }
    return json.dumps(whole, separators=(",", ":"), allow_nan=False)


def _first_day(forecast: PackageForecast, view: View) -> dt.date:
    series = forecast.series
    if view.days == ALL:
        return series.start
    return max(series.start, series.last_day - dt.timedelta(days=view.days - 1))


def _curve(forecast: PackageForecast, view: View) -> Curve:
    series, daily = forecast.series, forecast.daily
    first = _first_day(forecast, view)
    skipped = (first - series.start).days
    values = series.values
    means = _trailing_mean(np.concatenate([values, daily.mean]))
    days = [first + dt.timedelta(days=day) for day in range(len(values) - skipped)]
    repaired = set(series.repaired)
    bands = {
        name: np.asarray(getattr(daily, name), dtype=np.float64)
        for name in ("mean", "lower_80", "upper_80", "lower_95", "upper_95")
    }
    curve = Curve(
        label=forecast.package.label,
        days=[day.isoformat() for day in days],
        counts=values[skipped:],
        means=means[skipped : len(values)],
        means_ahead=means[len(values) :],
        repaired=np.array([day in repaired for day in days], dtype=bool),
        ahead=[
            (daily.start + dt.timedelta(days=day)).isoformat() for day in range(len(daily.mean))
        ],
        bands=bands,
        original={**bands, "counts": values[skipped:]},
    )
    return _indexed(curve) if view.scale == "indexed" else curve


def _indexed(curve: Curve) -> Curve:
    """The first week of the range as 100: a single day would depend on its weekday."""
    base = float(curve.counts[:WEEK].mean()) or 1.0
    factor = 100.0 / base
    return replace(
        curve,
        counts=curve.counts * factor,
        means=curve.means * factor,
        means_ahead=curve.means_ahead * factor,
        bands={name: values * factor for name, values in curve.bands.items()},
    )


def _trailing_mean(values: Array) -> Array:
    """Mean of the last seven days, NaN before there are seven; the newest day stays true."""
    means = np.full(len(values), np.nan)
    if len(values) >= WEEK:
        sums = np.cumsum(np.concatenate([[0.0], values]))
        means[WEEK - 1 :] = (sums[WEEK:] - sums[:-WEEK]) / WEEK
    return means


def _plain(values: Array, scale: Scale) -> list[float | None]:
    """Plain numbers, as the browser's plotly.js is older than plotly's base64; no NaN."""
    hidden = np.isnan(values) | ((values <= 0) if scale == "log" else False)
    return [
        None if hide else round(float(value), 2) for value, hide in zip(values, hidden, strict=True)
    ]


def _single(curve: Curve, view: View) -> list[dict[str, Any]]:
    colour = COLOURS[0]
    traces = [
        *_band(curve, view.scale, "95", colour, opacity=0.14, dash="dot"),
        *_band(curve, view.scale, "80", colour, opacity=0.28, dash="solid"),
    ]
    texts = _counted_text(curve)
    if view.smooth:
        traces.append(
            _trace(
                curve.days,
                _plain(curve.counts, view.scale),
                name="Counted",
                mode="markers",
                marker={"color": colour, "size": 5, "opacity": 0.42},
                text=texts,
                hovertemplate="%{text}<extra></extra>",
            )
        )
        means = _trailing_text(curve)
        traces.append(
            _trace(
                curve.days,
                _plain(curve.means, view.scale),
                name="7-day mean",
                line={"color": colour, "width": 2.5},
                text=means,
                hovertemplate="%{text} on average of 7 days<extra></extra>",
            )
        )
    else:
        traces.append(
            _trace(
                curve.days,
                _plain(curve.counts, view.scale),
                name="Counted",
                line={"color": colour, "width": 2},
                text=texts,
                hovertemplate="%{text}<extra></extra>",
            )
        )
    traces += _repaired(curve, view.scale, COLOURS[1])
    traces.append(
        _trace(
            curve.ahead,
            _plain(curve.bands["mean"], view.scale),
            name="Forecast",
            mode="lines+markers",
            line={"color": colour, "width": 1.5, "dash": "dash"},
            marker={"color": colour, "size": 5, "symbol": "circle-open"},
            text=_forecast_text(curve),
            hovertemplate="%{text}<extra></extra>",
        )
    )
    if view.smooth:
        traces.append(
            _trace(
                curve.ahead,
                _plain(curve.means_ahead, view.scale),
                name="Forecast, 7-day mean",
                showlegend=False,
                line={"color": colour, "width": 3, "dash": "dash"},
                hoverinfo="skip",
            )
        )
    return traces


def _compared(curve: Curve, view: View, place: int, *, banded: bool) -> list[dict[str, Any]]:
    colour, symbol = COLOURS[place], SYMBOLS[place]
    line = curve.means if view.smooth else curve.counts
    group = {"legendgroup": curve.label}
    marker = {"symbol": symbol, "size": 7, "color": colour, "maxdisplayed": 12}
    band = _band(curve, view.scale, "80", colour, opacity=0.16, dash="solid") if banded else []
    for trace in band:
        trace.update(group, showlegend=False)
    texts = _trailing_text(curve) if view.smooth else [count(v) for v in curve.original["counts"]]
    what = " (7-day mean)" if view.smooth else ""
    return [
        *band,
        _trace(
            curve.days,
            _plain(line, view.scale),
            name=curve.label,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": DASHES[place]},
            marker=marker,
            text=texts,
            hovertemplate=f"{_escape(curve.label)}: %{{text}}{what}<extra></extra>",
            **group,
        ),
        _trace(
            curve.ahead,
            _plain(curve.means_ahead if view.smooth else curve.bands["mean"], view.scale),
            name=f"{curve.label}, forecast",
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": "dash"},
            marker={**marker, "symbol": f"{symbol}-open", "maxdisplayed": 6},
            text=_forecast_text(curve, short=True),
            hovertemplate=f"{_escape(curve.label)}: %{{text}}<extra></extra>",
            showlegend=False,
            **group,
        ),
    ]


def _band(
    curve: Curve, scale: Scale, level: str, colour: str, *, opacity: float, dash: str
) -> list[dict[str, Any]]:
    """A filled band with drawn edges, so that it shows without colour too."""
    edge = {"color": _translucent(colour, 0.6), "width": 1, "dash": dash}
    lower = curve.bands[f"lower_{level}"]
    if scale == "log":
        lower = np.maximum(lower, np.maximum(curve.bands["mean"] / 1000.0, 1e-3))
    quiet: dict[str, Any] = {"hoverinfo": "skip", "opacity": 1, "line": edge}
    return [
        _trace(
            curve.ahead,
            _plain(curve.bands[f"upper_{level}"], scale),
            name=f"Upper end of {level} %",
            showlegend=False,
            **quiet,
        ),
        _trace(
            curve.ahead,
            _plain(lower, scale),
            name=f"{level} % band",
            fill="tonexty",
            fillcolor=_translucent(colour, opacity),
            **quiet,
        ),
    ]


def _repaired(curve: Curve, scale: Scale, colour: str) -> list[dict[str, Any]]:
    where = np.flatnonzero(curve.repaired)
    if not where.size:
        return []
    return [
        _trace(
            [curve.days[at] for at in where],
            _plain(curve.counts[where], scale),
            name="Repaired day",
            mode="markers",
            marker={"symbol": "x-thin", "size": 8, "line": {"color": colour, "width": 2}},
            hoverinfo="skip",
        )
    ]


def _earlier(forecast: PackageForecast, curve: Curve, scale: Scale) -> list[dict[str, Any]]:
    """What earlier weeks' forecasts said of the days shown, thin and without a colour."""
    if forecast.track_record is None or scale == "indexed":
        return []
    traces: list[dict[str, Any]] = []
    for said in forecast.track_record.past_forecasts:
        pairs = [
            (day.isoformat(), value)
            for day, value in zip(said.days, said.values, strict=True)
            if day.isoformat() >= curve.days[0]
        ]
        if pairs:
            traces.append(
                _trace(
                    [day for day, _ in pairs],
                    _plain(np.array([value for _, value in pairs]), scale),
                    name="Said earlier",
                    legendgroup="earlier",
                    showlegend=not traces,
                    line={"color": TEXT, "width": 1, "dash": "dot"},
                    text=[f"{count(value)} forecast on {date(said.made_on)}" for _, value in pairs],
                    hovertemplate="%{text}<extra></extra>",
                )
            )
    return traces


def _event_markers(events: Sequence[Event]) -> list[dict[str, Any]]:
    if not events:
        return []
    return [
        _trace(
            [event.date.isoformat() for event in events],
            [1.0] * len(events),
            name="Event",
            showlegend=False,
            mode="markers",
            yaxis="y2",
            marker={"symbol": "triangle-down", "size": 12, "color": TEXT},
            text=[_escape(_wrapped(event_note(event))) for event in events],
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
        )
    ]


def _trace(x: list[str], y: Sequence[float | None], **more: Any) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": list(y), **more}


def _layout(
    shown: Sequence[PackageForecast],
    curves: Sequence[Curve],
    view: View,
    events: Sequence[Event],
) -> dict[str, Any]:
    first = min(curve.days[0] for curve in curves)
    last = max(curve.ahead[-1] for curve in curves)
    boundary = max(forecast.observed_through for forecast in shown)
    vertical: dict[str, Any] = {
        "title": {"text": _title(curves, view.scale), "standoff": 8},
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "automargin": True,
        "exponentformat": "B",
        "separatethousands": True,
        "nticks": 7,
        "fixedrange": True,
    }
    vertical |= {"type": "log", "dtick": 1} if view.scale == "log" else {"rangemode": "tozero"}
    return {
        "template": "none",
        "height": HEIGHT,
        "margin": {"l": 8, "r": 12, "t": 26, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": TEXT},
        "hovermode": "x unified",
        "hoverlabel": HOVER,
        "dragmode": False,
        "xaxis": {
            "type": "date",
            "range": [f"{first}T00:00", f"{last}T12:00"],
            "hoverformat": "%A, %e %B %Y",
            "gridcolor": GRID,
            "automargin": True,
            "fixedrange": True,
            "nticks": 6,
            "tickformat": "%-d %b\n%Y",
        },
        "yaxis": vertical,
        "yaxis2": {
            "overlaying": "y",
            "range": [0, 1],
            "visible": False,
            "fixedrange": True,
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": -0.16,
            "yanchor": "top",
            "bgcolor": "rgba(0,0,0,0)",
            "traceorder": "normal",
            "font": {"size": 12},
            "entrywidth": 80,
        },
        "shapes": [_boundary(boundary), *(_shade(event) for event in events)],
    }


def _title(curves: Sequence[Curve], scale: Scale) -> str:
    whose = f" of {_escape(curves[0].label)}" if len(curves) == 1 else ""
    return TITLES[scale].format(whose)


def _boundary(day: dt.date) -> dict[str, Any]:
    """Between the last day counted and the first one forecast."""
    at = f"{day.isoformat()}T12:00"
    line = {"color": TEXT, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def _shade(event: Event) -> dict[str, Any]:
    shape = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    if event.until is None:
        at = event.date.isoformat()
        line = {"color": TEXT, "width": 1, "dash": "dash"}
        return {"type": "line", "x0": at, "x1": at, "line": line, **shape}
    span = {"x0": event.date.isoformat(), "x1": event.until.isoformat()}
    return {"type": "rect", **span, "fillcolor": GRID, "line": {"width": 0}, **shape}


def _counted_text(curve: Curve) -> list[str]:
    """The day's downloads, and whether they were counted."""
    return [
        f"{count(value)} {'estimated, as the count is missing or wrong' if estimate else 'counted'}"
        for value, estimate in zip(curve.original["counts"], curve.repaired, strict=True)
    ]


def _trailing_text(curve: Curve) -> list[str]:
    """The 7-day means in downloads, whatever the scale."""
    factor = 1.0
    positive = curve.counts > 0
    if positive.any():
        at = int(np.argmax(positive))
        factor = float(curve.original["counts"][at] / curve.counts[at])
    return ["" if np.isnan(value) else count(value * factor) for value in curve.means]


def _forecast_text(curve: Curve, *, short: bool = False) -> list[str]:
    values = curve.original
    texts = []
    for at in range(len(curve.ahead)):
        mean, low, high = (count(values[name][at]) for name in ("mean", "lower_80", "upper_80"))
        text = f"{mean} expected<br>80 %: {low} to {high}"
        if short:
            text = f"{mean} ({low} to {high})"
        else:
            wide = (count(values[name][at]) for name in ("lower_95", "upper_95"))
            text += "<br>95 %: " + " to ".join(wide)
        texts.append(text)
    return texts


def _translucent(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def _wrapped(text: str, width: int = 44) -> str:
    """Broken into lines, as a hover label does not wrap on a phone."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Safe where plotly.js reads tags and templates."""
    for sign, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "% {")):
        text = text.replace(sign, code)
    return text.replace("\n", "<br>")
