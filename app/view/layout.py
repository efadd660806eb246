"""Axes, ticks and words of the figure: everything but its traces."""

from __future__ import annotations

import datetime as dt
import math
import re
import textwrap
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from app.view.hover import ROLLING, escape
from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.view.curves import Curve
    from app.view.state import Mode, Scale
    from forecast.config import Event
    from forecast.quantities import Array

HEIGHT = 460
LEAST_PLOT = 250  # pixels that the axes have at the least, below the key and above the foot
TEXT = "#73777f"  # for a saved picture, readable on light and dark; the page sets its own colour
GRID = "rgba(128, 128, 128, 0.22)"
TRANSPARENT = "rgba(0,0,0,0)"
HOVER = {
    "bgcolor": "#1f2937",
    "bordercolor": "#1f2937",
    "font": {"color": "#ffffff", "size": 13},
}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
QUANTITIES: dict[Mode, str] = {
    "daily": "Daily downloads",
    "mean": "Downloads a day, 7-day mean",
    "weekly": "Weekly downloads",
    "monthly": "Monthly downloads",
}
SCALED: dict[Scale, str] = {
    "absolute": "",
    "log": " (log scale)",
    "indexed": ", first {} shown = 100",
}
# The header of the hover label; what stands below names the days of a week.
HEADERS: dict[Mode, str] = {
    "daily": "%A, %e %B %Y",
    "mean": "%A, %e %B %Y",
    "weekly": "Week %-V",
    "monthly": "%B %Y",
}
MANTISSAS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7))  # of the ticks of a log axis
FEWEST_TICKS, MOST_TICKS = 3, 7
WIDEST_NAME = 14  # characters of a line at the right end
CHARACTER = 6.8  # pixels; a character of 12 px, rounded up
TICK_CHARACTER = 8.2  # pixels; of a label at the vertical axis, of 13 px
LINE_HEIGHT = 15  # pixels; of the names at the ends of the lines
KEY_WIDTH = 2  # signs of a line, as a phone has room for
FOOT_WIDTH = 36  # characters of a line, likewise
AXIS_WIDTH = 30  # characters of a line beside the vertical axis, as a phone has room for
MOST_NOTES = 12  # beside each other, as a phone has room for
LONGEST_NOTE = 40  # characters of an event's note that fit beside its line
RECENT = dt.timedelta(days=2)  # after the last day counted; PyPI Stats tells a day on the next
UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Surroundings:
    """What a figure tells besides the packages.

    Attributes:
        today: the current day, UTC.
        source: where the counts come from, such as "PyPI Stats".
        events: those within the range.
        days_off: names by day, of days of the forecast that move it.
    """

    today: dt.date
    source: str
    events: Sequence[Event] = ()
    days_off: Mapping[dt.date, str] = field(default_factory=dict)


@dataclass(frozen=True)
class End:
    """A name at the right end of a line.

    Attributes:
        at: where the line ends on the time axis.
        value: where it ends on the chart's scale.
        colour: of the line that leads to it.
    """

    text: str
    at: str
    value: float
    colour: str


def layout(
    curves: Sequence[Curve],
    scale: Scale,
    drawn: Sequence[Array],
    ends: Sequence[End],
    around: Surroundings,
    *,
    key: Sequence[str] = (),
) -> dict[str, Any]:
    """The layout of a figure.

    Args:
        curves: of the packages.
        scale: of the vertical axis.
        drawn: all values that the axis must hold.
        ends: what the right ends of the lines are called.
        around: today, source and events.
        key: what the other lines and points are.
    """
    values, foot = _value_axis(scale, drawn), _foot(curves, around)
    labels = max(map(len, values["ticktext"]))
    title = "<br>".join(textwrap.wrap(axis_title(curves, scale), AXIS_WIDTH))
    lines = ["   ".join(key[at : at + KEY_WIDTH]) for at in range(0, len(key), KEY_WIDTH)]
    names = [replace(end, text=in_lines(end.text, WIDEST_NAME)) for end in ends]
    first, last = _first_day(curves), _last_day(curves)
    widest = max((len(line) for end in names for line in end.text.split("<br>")), default=0)
    return {
        "template": "none",
        "height": HEIGHT,
        "margin": {
            "l": round(18 + LINE_HEIGHT * (title.count("<br>") + 1) + labels * TICK_CHARACTER),
            "r": round(22 + widest * CHARACTER),
            "t": 26 + LINE_HEIGHT * len(lines),
            "b": 54 + LINE_HEIGHT * (foot.count("<br>") + 1),
        },
        "paper_bgcolor": TRANSPARENT,
        "plot_bgcolor": TRANSPARENT,
        "font": {"family": FONT, "size": 13, "color": TEXT},
        "hovermode": "x unified",
        "hoverlabel": HOVER,
        "dragmode": False,
        "xaxis": _time_axis(curves, foot),
        "yaxis": {"title": {"text": title, "font": {"size": 13}, "standoff": 8}, **values},
        # The markers of events have an axis of their own, from the bottom to the top.
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "showlegend": False,
        "shapes": [*_boundaries(curves, around), *map(_event_shape, around.events)],
        "annotations": [
            *_words(curves, around),
            *_key(lines),
            # To the right, as one may lie at the left edge; a day off may lie at the right one.
            *(
                _upright(event.note, max(event.date, first), "left")
                for event in _apart(around.events, (last - first) / MOST_NOTES)
            ),
            *(_upright(name, day, "right") for day, name in around.days_off.items()),
            *_end_names(names, scale, values["range"]),
        ],
    }


def axis_title(curves: Sequence[Curve], scale: Scale) -> str:
    """What the vertical axis measures."""
    mode = curves[0].mode
    first = {"weekly": "week", "monthly": "month"}.get(mode, "week")
    return QUANTITIES[mode] + SCALED[scale].format(first)


def log_ticks(low: float, high: float) -> list[float]:
    """Round values for the labels of a log axis, three to seven.

    Args:
        low: the least value on the axis, positive.
        high: the greatest; more than ``low``.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in MANTISSAS:
        ticks = [each * 10.0**power for power in decades for each in mantissas]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= FEWEST_TICKS:
            return ticks[:: math.ceil(len(ticks) / MOST_TICKS)]
    power = math.floor(math.log10(high - low))
    for step in (each * 10.0**at for at in (power, power - 1) for each in (5.0, 2.0, 1.0)):
        ticks = [at * step for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
        if len(ticks) >= FEWEST_TICKS:
            break
    return ticks


def linear_ticks(high: float) -> list[float]:
    """Round values for the labels of an axis that begins at zero, four to seven.

    Args:
        high: the greatest value on the axis, positive.
    """
    power = math.floor(math.log10(high)) - 1
    step = next(each for each in (2, 2.5, 5, 10, 20) if high / (each * 10.0**power) < MOST_TICKS)
    return [at * step * 10.0**power for at in range(int(high / (step * 10.0**power)) + 1)]


def short(value: float) -> str:
    """A round number at a tick: 500, 1.5k, 20M."""
    for size, unit in UNITS:
        if value >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def spread(places: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Places moved as little as possible, so that labels of these heights do not overlap.

    Args:
        places: of the middles of the labels, from 0, the bottom, to 1.
        heights: of the labels, in the same unit.
    """
    order = sorted(range(len(places)), key=lambda at: places[at])
    moved = [places[at] for at in order]
    gaps = [(heights[low] + heights[high]) / 2 for low, high in pairwise(order)]
    for at, gap in enumerate(gaps):
        moved[at + 1] = max(moved[at + 1], moved[at] + gap)
    if moved:
        moved[-1] = min(moved[-1], max(1.0, places[order[-1]]))
    for at, gap in reversed(list(enumerate(gaps))):
        moved[at] = min(moved[at], moved[at + 1] - gap)
    return [place for _, place in sorted(zip(order, moved, strict=True))]


def _first_day(curves: Sequence[Curve]) -> dt.date:
    """Where the time axis begins."""
    if curves[0].mode in ROLLING:
        return min(curve.days[0] for curve in curves)
    return min((curve.past.spans or curve.ahead.spans)[0].first for curve in curves)


def _last_day(curves: Sequence[Curve]) -> dt.date:
    """Where it ends."""
    return max(curve.ahead.spans[-1].last for curve in curves)


def _foot(curves: Sequence[Curve], around: Surroundings) -> str:
    """The source of the counts, and through when they are known."""
    through = max(curve.observed for curve in curves)
    foot = [f"Source: {around.source}", f"counted through {wording.format_date(through)}"]
    foot += [
        f"{curve.label}: no counts since {wording.format_date(curve.stopped)}"
        for curve in curves
        if curve.stopped
    ]
    lines = chain.from_iterable(textwrap.wrap(line, FOOT_WIDTH) for line in foot)
    return "<br>".join(map(escape, lines))


def _time_axis(curves: Sequence[Curve], foot: str) -> dict[str, Any]:
    begin, last = _first_day(curves), _last_day(curves)
    return {
        "type": "date",
        "range": [f"{begin}T00:00", f"{last}T{'12:00' if curves[0].mode in ROLLING else '23:59'}"],
        "title": {"text": foot, "font": {"size": 11}, "standoff": 12},
        "hoverformat": HEADERS[curves[0].mode],
        "gridcolor": GRID,
        "fixedrange": True,
        "spikecolor": TEXT,
        "spikethickness": 1,
        "spikedash": "solid",
        "nticks": 5,
        "tickangle": 0,
        "tickformat": "%-d\n%b %Y",
        "tickformatstops": [{"dtickrange": ["M1", None], "value": "%b\n%Y"}],
    }


def _value_axis(scale: Scale, drawn: Sequence[Array]) -> dict[str, Any]:
    values = np.concatenate([each[np.isfinite(each)] for each in drawn])
    axis: dict[str, Any] = {
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "fixedrange": True,
    }
    if scale != "log":
        top = 1.04 * float(values.max(initial=0.0)) or 1.0
        return axis | {"range": [0, top]} | _labelled(linear_ticks(top))
    low = float(values.min(initial=np.inf)) if values.size else 1.0
    high = max(float(values.max(initial=low)), 1.2 * low)
    low, high = low / 1.08, high * 1.08
    return axis | {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        **_labelled(log_ticks(low, high)),
    }


def _labelled(ticks: list[float]) -> dict[str, Any]:
    return {"tickvals": ticks, "ticktext": [short(tick) for tick in ticks]}


def _boundaries(curves: Sequence[Curve], around: Surroundings) -> list[dict[str, Any]]:
    """A line where the forecast begins, and one at today, if that is another day."""
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    look = {"color": TEXT, "width": 1}
    return [{**line, "x0": at, "x1": at, "line": look} for at in _moments(curves, around).values()]


def _moments(curves: Sequence[Curve], around: Surroundings) -> dict[str, str]:
    """Where the words "forecast" and "today" stand on the time axis."""
    through = max(curve.observed for curve in curves)
    moments = {"forecast": f"{through}T12:00"}
    if through + RECENT < around.today <= _last_day(curves):
        moments["today"] = f"{around.today}T00:00"
    return moments


def _words(curves: Sequence[Curve], around: Surroundings) -> list[dict[str, Any]]:
    """The words "today" and "forecast" above the axes."""
    moments = _moments(curves, around)
    through = max(curve.observed for curve in curves)
    before = "today" if through < around.today <= through + RECENT else ""
    if around.today > through + RECENT:
        before = f"counted through {through.day} {through:%b}"
    after = "" if "today" in moments else "forecast →"  # which would lie on the other word
    words = [
        (moments["forecast"], "right", f"{before} "),
        (moments["forecast"], "left", after),
        (moments.get("today", ""), "left", "today"),
    ]
    look = {"yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False, "font": {"size": 12}}
    return [
        {"x": at, "xanchor": side, "text": text, **look}
        for at, side, text in words
        if at and text.strip()
    ]


def _key(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The key, above the words at the top of the axes."""
    look = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "yshift": LINE_HEIGHT}
    look |= {"xanchor": "left", "yanchor": "bottom", "align": "left", "showarrow": False}
    return [{**look, "text": "<br>".join(lines), "font": {"size": 12}}] if lines else []


def _event_shape(event: Event) -> dict[str, Any]:
    """A line for an event of one day, an area for one of several."""
    shape = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    if event.until is None:
        at = event.date.isoformat()
        return {"type": "line", "x0": at, "x1": at, "line": {"color": TEXT, "width": 1}, **shape}
    span = {"x0": event.date.isoformat(), "x1": event.until.isoformat()}
    return {"type": "rect", **span, "fillcolor": GRID, "line": {"width": 0}, **shape}


def _apart(events: Sequence[Event], least: dt.timedelta) -> list[Event]:
    """The events whose notes do not lie on each other: of those that are near, the newest."""
    kept: list[Event] = []
    for event in reversed(events):
        if not kept or kept[-1].date - event.date >= least:
            kept.append(event)
    return kept


def _upright(text: str, day: dt.date, anchor: str) -> dict[str, Any]:
    """A word beside the mark of a day, from the foot upwards, where lines seldom are.

    Args:
        text: cut where it would be longer than the mark.
        day: of the mark.
        anchor: which side of the word lies at the mark, "left" or "right".
    """
    if len(text) > LONGEST_NOTE:
        text = f"{text[:LONGEST_NOTE].rpartition(' ')[0] or text[:LONGEST_NOTE]} …"
    return {
        "x": day.isoformat(),
        "yref": "paper",
        "y": 0.03,
        "text": escape(text),
        "textangle": -90,
        "xanchor": anchor,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11},
    }


def _end_names(ends: Sequence[End], scale: Scale, limits: Sequence[float]) -> list[dict[str, Any]]:
    """Names at the right ends of the lines, each led to by a line of its colour."""
    ends = [end for end in ends if np.isfinite(end.value)]
    values = [math.log10(end.value) if scale == "log" else end.value for end in ends]
    places = [(value - limits[0]) / (limits[1] - limits[0]) for value in values]
    lines = [end.text.count("<br>") + 1 for end in ends]
    moved = spread(places, [each * LINE_HEIGHT / LEAST_PLOT for each in lines])
    return [
        {
            "x": end.at,
            "y": value,
            "text": end.text,
            "ax": 14,
            "ay": round((place - after) * LEAST_PLOT),
            "xanchor": "left",
            "align": "left",
            "arrowcolor": end.colour,
            "arrowhead": 0,
            "arrowwidth": 1.5,
            "standoff": 2,
            "font": {"size": 12},
        }
        for end, value, place, after in zip(ends, values, places, moved, strict=True)
    ]


def in_lines(name: str, width: int) -> str:
    """A name in lines of so many characters, broken behind its signs; what is too long is cut."""
    lines = [""]
    for part in re.findall(r"[^-._]+[-._]*|[-._]+", name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    cut = (line if len(line) <= width else f"{line[: width - 1]}…" for line in lines)
    return "<br>".join(escape(line) for line in cut)
