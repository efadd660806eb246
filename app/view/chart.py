"""The figure: history, forecast and bands of one package, or of up to five together.

This file does not depend on gradio. People with colour-blindness can tell the colours
apart, which stand out from a white page and from a dark one; marker shapes and names at the
ends of the lines carry the same distinction without colour. Dashes mean a forecast, and
nothing else. The background is transparent, so that the page's own shows.
"""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.view import hover
from app.view.curves import MIDDLE, ONE, Curve, Line, curve_of, drawn_mode
from app.view.layout import TEXT, TRANSPARENT, End, axis_title, layout
from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from app.view.layout import Surroundings
    from app.view.state import Mode, View
    from forecast.config import Event
    from forecast.presentation.package_forecast import PackageForecast
    from forecast.quantities import Array

MOST_BANDED = 2  # packages; bands of more would hide each other, and the hover label has them
COLOURS = ("#2483c5", "#d55e00", "#0f8f6a", "#b65da6", "#96762a")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
NEAR = dt.timedelta(days=7)  # days off within it have one name
DAYS_COLOUR = "#828c9b"  # of the single days behind a 7-day mean
EARLIER_COLOUR = COLOURS[3]
TITLE_WIDTH = 110  # characters; of the title of a saved picture
GLYPHS = "●■◆▲✕"  # the symbols in a label
NAMES: dict[Mode, str] = {
    "daily": "Counted",
    "mean": "7-day mean",
    "weekly": "Weekly total",
    "monthly": "Monthly total",
}

REPAIRED = "Repaired day"

Trace = dict[str, Any]


def draw(shown: Sequence[PackageForecast], view: View, around: Surroundings) -> go.Figure:
    """The figure of a view.

    Args:
        shown: one to five packages.
        view: range, scale and mode.
        around: today, the source of the counts, and the events within the range.
    """
    import plotly.graph_objects as go  # noqa: PLC0415 - half a second that the start can spare

    view = replace(view, mode=drawn_mode(shown, view.mode))
    curves = [curve_of(forecast, view) for forecast in shown]
    traces: list[Trace] = []
    if len(curves) == 1:
        traces += _single(curves[0])
        if view.mode in hover.ROLLING:
            traces += _days_off(shown[0])
            around = replace(around, days_off=_named_days_off(shown[0]))
    else:
        for place, curve in enumerate(curves):
            if len(curves) <= MOST_BANDED:
                traces += _band(curve, "80", COLOURS[place], opacity=0.16)
            traces += _compared(curve, place)
    traces += [*_event_markers(around.events), _labels(curves, shown, around)]
    drawn = [
        values for curve in curves for values in _values(curve, banded=len(curves) <= MOST_BANDED)
    ]
    key = _key(curves[0]) if len(curves) == 1 else []
    look = layout(curves, view.scale, drawn, _ends(curves), around, key=key)
    through = max(curve.observed for curve in curves)
    look["meta"] = {
        "title": _title(curves, view),
        "file": "-".join([*(forecast.package.name for forecast in shown), through.isoformat()]),
    }
    return go.Figure(data=traces, layout=look)


def _title(curves: Sequence[Curve], view: View) -> str:
    """The title of a saved picture, in lines."""
    names = ", ".join(hover.escape(curve.label) for curve in curves)
    title = f"{axis_title(curves, view.scale)}: {names}"
    return "<br>".join(textwrap.wrap(title, TITLE_WIDTH))


def to_json(figure: go.Figure) -> str:
    """The figure as JSON for plotly.js; its toolbar would only repeat the page's buttons."""
    content = figure.to_plotly_json()
    content["config"] = {"displayModeBar": False, "responsive": True, "scrollZoom": False}
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def _values(curve: Curve, *, banded: bool) -> list[Array]:
    """All values of a package that are drawn."""
    bands = curve.ahead.values if banded else {MIDDLE: curve.ahead.values[MIDDLE]}
    earlier = [curve.earlier.values[MIDDLE]] if curve.earlier else []
    days = [curve.counts] if curve.mode in hover.ROLLING else []
    return [curve.past.values[MIDDLE], *bands.values(), *earlier, *days]


def _ends(curves: Sequence[Curve]) -> list[End]:
    """The names at the right ends: of the bands of one package, or of several packages."""
    if len(curves) > 1:
        return [_end(c.label, c, MIDDLE, COLOURS[at]) for at, c in enumerate(curves)]
    names = {"95 %": "upper_95", "80 %": "upper_80", "expected": MIDDLE}
    return [_end(text, curves[0], column, COLOURS[0]) for text, column in names.items()]


def _end(text: str, curve: Curve, column: str, colour: str) -> End:
    at, values = _points(curve, curve.ahead, column)
    return End(text, at[-1], float(values[-1]), colour)


def _key(curve: Curve) -> list[str]:
    """What the lines and points of one package are that have no name at their right end."""
    signs = [("—", COLOURS[0], NAMES[curve.mode])]
    if curve.mode == "mean":
        signs.insert(0, ("•", DAYS_COLOUR, NAMES["daily"]))
    if curve.repaired.any() and curve.mode in hover.ROLLING:
        signs.append(("✕", COLOURS[1], REPAIRED))
    if curve.earlier:
        signs.append(("- -", EARLIER_COLOUR, _earlier_name(curve)))
    return [f"<b>{_coloured(sign, colour)}</b> {name}" for sign, colour, name in signs]


def _coloured(text: str, colour: str) -> str:
    """A text as plotly.js reads it."""
    return f'<span style="color:{colour}">{text}</span>'


def _single(curve: Curve) -> list[Trace]:
    look: Trace = {"colour": COLOURS[0], "width": 2.5}
    # A log scale has no zeros, and a line no day between two of them.
    alone: Trace = {"mode": "lines+markers", "marker": {"color": COLOURS[0], "size": 4}}
    gaps = np.isnan(curve.past.values[MIDDLE]).any()
    return [
        *_band(curve, "95", COLOURS[0], opacity=0.14),
        *_band(curve, "80", COLOURS[0], opacity=0.28),
        *_single_days(curve),
        *_repaired(curve),
        _line(curve, curve.past, name=NAMES[curve.mode], **look, **(alone if gaps else {})),
        *_earlier(curve),
        *_joint(curve, look),
        _line(
            curve,
            curve.ahead,
            name="Forecast",
            dash="dash",
            **look,
        ),
    ]


def _single_days(curve: Curve) -> list[Trace]:
    """The days behind their mean, small and grey."""
    if curve.mode != "mean":
        return []
    return [
        _trace(
            [day.isoformat() for day in curve.days],
            curve.counts,
            name=NAMES["daily"],
            mode="markers",
            marker={"color": DAYS_COLOUR, "size": 4},
        )
    ]


def _repaired(curve: Curve) -> list[Trace]:
    where = np.flatnonzero(curve.repaired)
    if not where.size or curve.mode not in hover.ROLLING:
        return []
    return [
        _trace(
            [curve.days[at].isoformat() for at in where],
            curve.counts[where],
            name=REPAIRED,
            mode="markers",
            marker={"symbol": "x-thin", "size": 8, "line": {"color": COLOURS[1], "width": 2}},
        )
    ]


def _earlier(curve: Curve) -> list[Trace]:
    """What was forecast a month ago of what has been counted since."""
    if curve.earlier is None:
        return []
    look: Trace = {"colour": EARLIER_COLOUR, "width": 2, "dash": "dash"}
    return [_line(curve, curve.earlier, name=_earlier_name(curve), **look)]


def _earlier_name(curve: Curve) -> str:
    made_on = curve.made_on
    return f"Forecast of {made_on.day} {made_on:%b}" if made_on else ""


def _line(curve: Curve, line: Line, *, dash: str = "solid", **look: Any) -> Trace:
    """A quantity; ``look`` has colour and width, and options of the trace."""
    shape = _shape(curve)
    drawn = {"color": look.pop("colour"), "width": look.pop("width"), "dash": dash, "shape": shape}
    return _trace(*_points(curve, line, MIDDLE), line=drawn, **look)


def _joint(curve: Curve, look: Trace) -> list[Trace]:
    """From the last mean counted to the first one forecast: they share six days."""
    if curve.mode != "mean" or not curve.past.at:
        return []
    return [
        _trace(
            [curve.past.at[-1], curve.ahead.at[0]],
            np.array([curve.past.values[MIDDLE][-1], curve.ahead.values[MIDDLE][0]]),
            name="Forecast begins",
            line={"color": look["colour"], "width": look["width"], "dash": "dash"},
        )
    ]


def _compared(curve: Curve, place: int) -> list[Trace]:
    """History and forecast of one of several packages."""
    symbol, label = SYMBOLS[place], hover.escape(curve.label)
    look: Trace = {"colour": COLOURS[place], "width": 2}
    marker = {"symbol": symbol, "size": 7, "color": COLOURS[place], "maxdisplayed": 12}
    shared: Trace = {
        **look,
        "mode": "lines+markers",
    }
    hollow = {**marker, "symbol": f"{symbol}-open", "maxdisplayed": 6}
    return [
        _line(curve, curve.past, name=label, marker=marker, **shared),
        *_joint(curve, look),
        _line(
            curve,
            curve.ahead,
            name=f"{label}, forecast",
            dash="dash",
            marker=hollow,
            **shared,
        ),
    ]


def _band(curve: Curve, level: str, colour: str, *, opacity: float) -> list[Trace]:
    """A filled band between two edges."""
    shared: Trace = {"line": {"color": colour, "width": 1.25, "shape": _shape(curve)}}
    upper, lower = (_edge(curve, f"{side}_{level}") for side in ("upper", "lower"))
    return [
        _trace(*upper, name=f"Upper end of {level} %", **shared),
        _trace(
            *lower,
            name=f"{level} % band",
            fill="tonexty",
            fillcolor=_translucent(colour, opacity),
            **shared,
        ),
    ]


def _edge(curve: Curve, column: str) -> tuple[list[str], Array]:
    """An end of a band; that of a mean opens at the last one counted, which is known."""
    at, values = _points(curve, curve.ahead, column)
    if curve.mode == "mean" and curve.past.at:
        at = [curve.past.at[-1], *at]
        values = np.concatenate([curve.past.values[MIDDLE][-1:], values])
    return at, values


def _days_off(forecast: PackageForecast) -> list[Trace]:
    """A small mark at the foot of each day off that moves the forecast."""
    if not forecast.days_off:
        return []
    return [
        _trace(
            [day.isoformat() for day in forecast.days_off],
            np.zeros(len(forecast.days_off)),
            name="Day off",
            mode="markers",
            yaxis="y2",
            marker={"symbol": "diamond", "size": 7, "color": TEXT},
            cliponaxis=False,
        )
    ]


def _named_days_off(forecast: PackageForecast) -> dict[dt.date, str]:
    """The names that fit beside the marks: of days near each other that of the largest."""
    named: dict[dt.date, str] = {}
    for day in sorted(forecast.days_off, key=lambda day: -abs(forecast.days_off[day])):
        if all(abs(day - other) > NEAR for other in named):
            named[day] = forecast.day_off_names[day]
    return named


def _event_markers(events: Sequence[Event]) -> list[Trace]:
    if not events:
        return []
    return [
        _trace(
            [event.date.isoformat() for event in events],
            np.ones(len(events)),
            name="Event",
            mode="markers",
            yaxis="y2",
            marker={"symbol": "triangle-down", "size": 12, "color": TEXT},
            cliponaxis=False,
        )
    ]


def _labels(
    curves: Sequence[Curve], shown: Sequence[PackageForecast], around: Surroundings
) -> Trace:
    """The labels of all days, at points of a line without width: plotly.js shows the nearest one.

    Labels of several traces would be shown together, and those of different days among them.
    """
    bullets = [_coloured(glyph, colour) for glyph, colour in zip(GLYPHS, COLOURS, strict=True)]
    days_off = {
        day: wording.day_off(shown[0].day_off_names[day], loss)
        for day, loss in (shown[0].days_off.items() if len(shown) == 1 else ())
    }
    texts = hover.labels(curves, bullets, around.events, days_off)
    rolling = curves[0].mode in hover.ROLLING
    days = [(d.first + at * ONE, text) for d, text in texts.items() for at in range(d.days)]
    return _trace(
        [day.isoformat() if rolling else f"{day}T12:00" for day, _ in days],
        np.ones(len(days)),
        name="Labels",
        yaxis="y2",
        line={"width": 0, "color": TRANSPARENT},
        text=[text for _, text in days],
        hoverinfo="text",
        hovertemplate="%{text}<extra></extra>",
    )


def _shape(curve: Curve) -> str:
    """Weeks and months are steps."""
    return "linear" if curve.mode in hover.ROLLING else "hvh"


def _points(curve: Curve, line: Line, column: str) -> tuple[list[str], Array]:
    """Places and values; weeks and months have a point a day, so that a label is always near."""
    values = line.values[column]
    if curve.mode in hover.ROLLING:
        return line.at, values
    days = [span.first + at * ONE for span in line.spans for at in range(span.days)]
    places = [f"{day}T12:00" for day in days]
    if days:  # from the beginning of the first day to the end of the last
        places[0], places[-1] = f"{days[0]}T00:00", f"{days[-1]}T23:59"
    return places, np.repeat(values, [span.days for span in line.spans])


def _trace(at: list[str], values: Array, **options: Any) -> Trace:
    """A trace; its values as a list, as the browser's plotly.js cannot read plotly's base64."""
    numbers = [None if np.isnan(value) else round(float(value), 2) for value in values]
    look = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return {**look, "x": at, "y": numbers, **options}


def _translucent(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
