"""The labels of the chart: what is told of each day, in lines that fit a phone."""

from __future__ import annotations

import textwrap
from itertools import chain
from typing import TYPE_CHECKING

from app.view.curves import MIDDLE, Span
from forecast.presentation.wording import (
    event_note,
    format_amounts,
    format_count,
    format_date,
    format_range,
)
from forecast.text import clean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.view.curves import Curve
    from forecast.config import Event

WIDTH = 32  # characters of a line; a label does not wrap by itself
ROLLING = {"daily", "mean"}  # modes with a point a day


def labels(
    curves: Sequence[Curve],
    bullets: Sequence[str] = (),
    events: Iterable[Event] = (),
    days_off: Mapping[dt.date, str] | None = None,
) -> dict[Span, str]:
    """The label of each day, week or month; it tells of nothing else.

    Args:
        curves: of the packages, all of the same quantity.
        bullets: stand before the lines of each of several packages, as plotly.js reads them.
        events: within the range.
        days_off: what is told of a day off.

    Returns:
        Labels by their days, the oldest first.
    """
    told: dict[Span, list[str]] = {}
    for at, curve in enumerate(curves):
        for span, text in _single(curve) if len(curves) == 1 else _compared(curve):
            days = Span(span.last, span.last) if curve.mode in ROLLING else span
            bullet = f"{bullets[at]} " if len(curves) > 1 else ""
            told.setdefault(days, []).append(bullet + _lines(text))
    for days, lines in told.items():
        if len(curves) > 1:
            unit = f"{_unit(curves[0])}{_kind(curves[0])}:"
            lines.insert(0, unit[0].upper() + unit[1:])
        if curves[0].mode == "weekly":  # whose header has only the number of the week
            lines.insert(0, _week(days))
        notes = (event_note(e) for e in events if e.date <= days.last and days.first <= e.last)
        lines += [_lines(clean(note)) for note in notes]
        lines += [_lines(text) for day, text in (days_off or {}).items() if days == (day, day)]
    return {days: "<br>".join(told[days]) for days in sorted(told)}


def escape(text: str) -> str:
    """Safe where plotly.js reads tags and templates."""
    for sign, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "% {")):
        text = text.replace(sign, code)
    return text.replace("\n", "<br>")


def _single(curve: Curve) -> Iterator[tuple[Span, str]]:
    """What is told of one package."""
    if curve.mode in ROLLING:
        yield from _days(curve)
    if curve.mode != "daily":
        for span, value in zip(curve.past.spans, curve.past.downloads[MIDDLE], strict=True):
            yield span, f"{format_count(value)} {_unit(curve)}{_kind(curve)}"
    for span, values in _rows(curve):
        middle, low_80, high_80, low_95, high_95 = format_amounts(*values)
        known = (curve.observed - span.first).days + 1
        partly = f", {known} of its days counted" if curve.mode not in ROLLING and known > 0 else ""
        yield span, f"about {middle} {_unit(curve)} expected{_kind(curve)}{partly}"
        yield span, f"80 %: {format_range(low_80, high_80)}"
        yield span, f"95 %: {format_range(low_95, high_95)}"
    if curve.earlier and curve.made_on:
        for span, value in zip(curve.earlier.spans, curve.earlier.downloads[MIDDLE], strict=True):
            made_on = format_date(curve.made_on)
            yield span, f"{format_amounts(value)[0]} {_unit(curve)} forecast on {made_on}"


def _days(curve: Curve) -> Iterator[tuple[Span, str]]:
    """Each day's downloads, and whether they were counted."""
    for day, value, repaired in zip(curve.days, curve.counted, curve.repaired, strict=True):
        how = "estimated, because the count is missing or wrong" if repaired else "counted"
        yield Span(day, day), f"{format_count(value)} downloads {how}"


def _compared(curve: Curve) -> Iterator[tuple[Span, str]]:
    """What is told of each of several packages."""
    for span, value in zip(curve.past.spans, curve.past.downloads[MIDDLE], strict=True):
        yield span, f"{curve.label}: {format_count(value)}"
    for span, values in _rows(curve):
        middle, low, high = format_amounts(*values[:3])
        yield span, f"{curve.label}: {middle}\n80 %: {format_range(low, high)}"


def _unit(curve: Curve) -> str:
    return "downloads a day" if curve.mode == "mean" else "downloads"


def _kind(curve: Curve) -> str:
    return " (7-day mean)" if curve.mode == "mean" else ""


def _week(days: Span) -> str:
    first, last = days
    return f"{first:%a} {first.day} {first:%b} to {last:%a} {last.day} {last:%b %Y}:"


def _rows(curve: Curve) -> Iterator[tuple[Span, tuple[float, ...]]]:
    """Each span of the forecast with its middle and the ends of its bands."""
    columns = curve.ahead.downloads
    names = (MIDDLE, "lower_80", "upper_80", "lower_95", "upper_95")
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    return zip(curve.ahead.spans, rows, strict=True)


def _lines(text: str) -> str:
    """A text in lines, as plotly.js reads it."""
    lines = (textwrap.wrap(line, WIDTH, break_on_hyphens=False) for line in text.split("\n"))
    return escape("\n".join(chain.from_iterable(lines)))
