"""The texts of the chart's hover labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.view.curves import MIDDLE
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

    from app.view.curves import Curve, Span
    from forecast.config import Event

WIDTH = 44  # characters of a line; a hover label does not wrap by itself


def counted(curve: Curve) -> list[str]:
    """Each day's downloads, and whether they were counted."""
    return [
        f"{format_count(value)} downloads "
        + ("estimated, because the count is missing or wrong" if repaired else "counted")
        for value, repaired in zip(curve.counted, curve.repaired, strict=True)
    ]


def past(curve: Curve) -> list[str]:
    """What was counted of the quantity drawn."""
    if curve.mode == "daily":
        return counted(curve)
    return [
        _dated(curve, span, f"{format_count(value)} {_unit(curve)}{_kind(curve)}")
        for span, value in zip(curve.past.spans, curve.past.downloads[MIDDLE], strict=True)
    ]


def short_past(curve: Curve) -> list[str]:
    """The same in one line, for several packages."""
    return [f"{format_count(value)} {_unit(curve)}" for value in curve.past.downloads[MIDDLE]]


def ahead(curve: Curve) -> list[str]:
    """The forecast with both bands."""
    texts = []
    for span, values in _rows(curve):
        middle, low_80, high_80, low_95, high_95 = format_amounts(*values)
        known = (curve.observed - span.first).days + 1
        partly = f", {known} of its days counted" if curve.mode not in ROLLING and known > 0 else ""
        text = f"about {middle} {_unit(curve)} expected{_kind(curve)}{partly}"
        bands = f"80 %: {format_range(low_80, high_80)}<br>95 %: {format_range(low_95, high_95)}"
        texts.append(f"{_dated(curve, span, text)}<br>{bands}")
    return texts


def short_ahead(curve: Curve) -> list[str]:
    """The forecast with its 80 % band, in one line."""
    texts = []
    for _, values in _rows(curve):
        middle, low, high = format_amounts(*values[:3])
        texts.append(f"{middle} {_unit(curve)} ({format_range(low, high)})")
    return texts


def earlier(value: float, curve: Curve, made_on: dt.date) -> str:
    """What an earlier forecast said."""
    amount = format_amounts(value)[0]
    return f"{amount} {_unit(curve)} forecast on {format_date(made_on)}"


def event(marked: Event) -> str:
    """An event's note, in lines."""
    return escape(_wrapped(clean(event_note(marked))))


def escape(text: str) -> str:
    """Safe where plotly.js reads tags and templates."""
    for sign, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "% {")):
        text = text.replace(sign, code)
    return text.replace("\n", "<br>")


ROLLING = {"daily", "mean"}  # modes with a point a day


def _unit(curve: Curve) -> str:
    return "downloads a day" if curve.mode == "mean" else "downloads"


def _kind(curve: Curve) -> str:
    return " (7-day mean)" if curve.mode == "mean" else ""


def _dated(curve: Curve, span: Span, text: str) -> str:
    """With the days of a week, which the header of the label cannot tell."""
    if curve.mode != "weekly":
        return text
    first, last = span
    begin = f"{first:%A} {first.day}" + (f" {first:%B}" if first.month != last.month else "")
    return f"{begin} to {last:%A} {format_date(last)}:<br>{text}"


def _rows(curve: Curve) -> list[tuple[Span, tuple[float, ...]]]:
    """Each span of the forecast with its middle and the ends of its bands."""
    columns = curve.ahead.downloads
    names = (MIDDLE, "lower_80", "upper_80", "lower_95", "upper_95")
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    return list(zip(curve.ahead.spans, rows, strict=True))


def _wrapped(text: str) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
