"""The texts of the chart's hover labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.view.wording import event_note, format_count, format_date

if TYPE_CHECKING:
    import datetime as dt

    from app.view.curves import Curve
    from forecast.config import Event

WIDTH = 44  # characters of a line; a hover label does not wrap by itself


def counted(curve: Curve) -> list[str]:
    """Each day's downloads, and whether they were counted."""
    return [
        f"{format_count(value)} "
        + ("estimated, because the count is missing or wrong" if repaired else "counted")
        for value, repaired in zip(curve.downloads["counts"], curve.repaired, strict=True)
    ]


def counts(curve: Curve) -> list[str]:
    """Each day's downloads."""
    return [format_count(value) for value in curve.downloads["counts"]]


def means(curve: Curve) -> list[str]:
    """Each day's 7-day mean; empty where there is none."""
    return ["" if np.isnan(value) else format_count(value) for value in curve.downloads["means"]]


def forecast(curve: Curve) -> list[str]:
    """Each day's forecast with both bands."""
    return [
        f"{median} expected<br>80 %: {low_80} to {high_80}<br>95 %: {low_95} to {high_95}"
        for median, low_80, high_80, low_95, high_95 in _columns(
            curve, "median", "lower_80", "upper_80", "lower_95", "upper_95"
        )
    ]


def short_forecast(curve: Curve) -> list[str]:
    """Each day's forecast with its 80 % band, in one line."""
    return [
        f"{median} ({low} to {high})"
        for median, low, high in _columns(curve, "median", "lower_80", "upper_80")
    ]


def past_forecast(value: float, made_on: dt.date) -> str:
    """The values of an earlier forecast."""
    return f"{format_count(value)} forecast on {format_date(made_on)}"


def event(marked: Event) -> str:
    """An event's note, in lines."""
    return escape(_wrapped(event_note(marked)))


def escape(text: str) -> str:
    """Safe where plotly.js reads tags and templates."""
    for sign, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("%{", "% {")):
        text = text.replace(sign, code)
    return text.replace("\n", "<br>")


def _columns(curve: Curve, *names: str) -> list[tuple[str, ...]]:
    """A tuple of texts per day of the forecast, in the order of the names."""
    texts = ([format_count(value) for value in curve.downloads[name]] for name in names)
    return list(zip(*texts, strict=True))


def _wrapped(text: str) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
