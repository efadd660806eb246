"""A small picture of a surprise: a week outside of its band, among the weeks around it.

An SVG for the page's own HTML, without scripts, fonts or links. It follows the reader's light or
dark setting as the chart in ``forecast.document.pictures`` does, whose style it has.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecast.document.pictures import EDGE, STYLE, WIDTH
from forecast.errors import BundleError, SeriesError
from forecast.presentation.wording import format_date, format_day, format_range, format_rounded
from forecast.quantities import WEEK
from forecast.series import regular
from forecast.text import markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.bundle.reader import Bundle
    from forecast.record.weeks import Week
    from forecast.series import Series

HEIGHT, TOP, BASE = 170, 26, 144  # pixels; the bars stand between the last two
BEFORE, AFTER = 8, 3  # weeks, each of which has its place even if it is not counted
PLACE = (WIDTH - 2 * EDGE) / (BEFORE + 1 + AFTER)
BAR, BOX, FOOT = 24, 36, 3  # widths; how far the bar of the surprise stands below the axis
GAP = 6
# Pixels a character takes on a phone, where the type is larger, rounded up; bold, and small.
BOLD, SMALL = 9.8, 8.4
# The grey of small texts makes the bars, and the blue of the bands that of the surprise.
MORE = ".pf .small.week { fill-opacity: 0.65 } .pf .band.came { fill-opacity: 1 }\n"


class Column(NamedTuple):
    """A bar or the box: from ``left`` to ``right``, and ``top`` downwards, in pixels."""

    left: float
    right: float
    top: float


def surprise_picture(bundle: Bundle, week: Week) -> str:
    """The picture as SVG; empty if a day of the week is not counted in the bundle."""
    try:
        counts = bundle.history(week.package)
        series = regular(counts, bundle.manifest.outages, bundle.known_through)
    except (BundleError, SeriesError):  # it has left, or hardly a day is known
        return ""
    found = whole_weeks(series, week.start)
    return draw(week, found) if 0 in found else ""


def whole_weeks(series: Series, start: dt.date) -> dict[int, float]:
    """Downloads of the weeks around that of ``start``, which is 0, if all their days are counted.

    A week of which a day is estimated or not known is left out.
    """
    values = series.values.copy()
    values[[(day - series.start).days for day in series.repaired]] = np.nan
    first = (start - series.start).days
    begins = {at: first + WEEK * at for at in range(-BEFORE, AFTER + 1)}
    sums = {
        at: float(values[begin : begin + WEEK].sum())
        for at, begin in begins.items()
        if 0 <= begin <= len(values) - WEEK
    }
    return {at: number for at, number in sums.items() if np.isfinite(number)}


def draw(week: Week, found: Mapping[int, float]) -> str:
    """The picture as SVG.

    Args:
        week: the surprise.
        found: downloads of the weeks to draw, by their distance from it in weeks.
    """
    others = {at: number for at, number in found.items() if at}
    highest = max(*others.values(), week.downloads, week.upper, 1.0)

    def column(at: int, width: float, value: float) -> Column:
        middle = _middle(at)
        top = BASE - (BASE - TOP) * value / highest
        return Column(middle - width / 2, middle + width / 2, top)

    bars = [column(at, BAR, number) for at, number in others.items()]
    came = column(0, BAR, week.downloads)
    box, lower = column(0, BOX, week.upper), column(0, BOX, week.lower)
    mean = column(0, BOX, week.mean).top
    size = f'x="{box.left:g}" y="{box.top:.2f}" width="{BOX}" height="{lower.top - box.top:.2f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" class="pf picture"><title>{_told(week, others)}</title>'
        f'<style>{STYLE}{MORE}</style><rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>'
        f"{''.join(_bar('small week', each, BASE) for each in bars)}"
        f'<path class="grid" d="M{EDGE} {BASE}H{WIDTH - EDGE}"/>'
        f"{_bar('band came', came, BASE + FOOT)}"
        # So much of the ground makes the bar pale within the box, whose edges are seen on it then.
        f'<rect class="ground" fill-opacity="0.8" {size}/><rect class="band b95" {size}/>'
        f'<path class="ahead" d="M{box.left:g} {mean:.2f}H{box.right:g}"/>'
        f"{_labels(week, [*bars, came, box], (box.top + lower.top) / 2)}"
        f"{_dates(week.start, min(found))}</svg>"
    )


def _labels(week: Week, columns: list[Column], level: float) -> str:
    """How many came, above all that is there, and left of it what was expected, at its level."""

    def above(left: float, right: float) -> float:
        reached = [each.top for each in columns if each.right > left and each.left < right]
        return min(reached, default=BASE) - GAP

    number, expected = format_rounded(week.downloads)[0], f"expected {_band(week)}"
    middle, half = _middle(0), len(number) * BOLD / 2
    right = middle - max(half, BOX / 2) - GAP
    y = min(above(right - len(expected) * SMALL, right), level + 4)
    return (
        f'<text x="{middle:g}" y="{above(middle - half, middle + half):.1f}" text-anchor="middle">'
        f'<tspan font-weight="600">{markup(number)}</tspan></text>'
        f'<text class="small" x="{right:.1f}" y="{y:.1f}" text-anchor="end">{markup(expected)}'
        "</text>"
    )


def _dates(start: dt.date, first: int) -> str:
    """The first days of the surprise's week and of the first one, under the left of their bars."""
    left = _middle(0) - BAR / 2
    days = {start: left}
    if first:
        day = start + dt.timedelta(days=WEEK * first)
        free = left - GAP - len(format_day(day)) * SMALL
        days[day] = min(_middle(first) - BAR / 2, free)
    return "".join(
        f'<text class="small" x="{x:.1f}" y="{HEIGHT - 8}">{format_day(day)}</text>'
        for day, x in days.items()
    )


def _told(week: Week, others: Mapping[int, float]) -> str:
    """The same in words."""
    came, mean = format_rounded(week.downloads)[0], format_rounded(week.mean)[0]
    text = (
        f"Bars of the downloads by week: {came} in the week from {format_date(week.start)}, where "
        f"about {mean} were expected (95 %: {_band(week)})"
    )
    if others:
        highest, lowest = format_rounded(max(others.values()), min(others.values()))
        text += f"; {format_range(lowest, highest)} in the weeks around it, as far as counted"
    return markup(f"{text}.")


def _band(week: Week) -> str:
    """The 95 % band that was forecast, such as "569 to 1,420"."""
    upper, lower = format_rounded(week.upper, week.lower)
    return upper if upper == lower else format_range(lower, upper)


def _bar(kind: str, column: Column, bottom: float) -> str:
    return (
        f'<rect class="{kind}" x="{column.left:g}" y="{column.top:.2f}" '
        f'width="{column.right - column.left:g}" height="{bottom - column.top:.2f}"/>'
    )


def _middle(at: int) -> float:
    """The middle of a week's place, so many weeks from the surprise, in pixels."""
    return EDGE + PLACE * (at + BEFORE + 0.5)
