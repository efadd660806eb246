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
from forecast.presentation.badge import compact
from forecast.presentation.wording import format_date, format_day, format_range, format_rounded
from forecast.quantities import WEEK
from forecast.series import regular
from forecast.text import markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast.bundle.reader import Bundle
    from forecast.record.weeks import Week
    from forecast.series import Series

HEIGHT, TOP, BASE = 170, 26, 144  # pixels; the bars stand between the last two
BEFORE, AFTER = 8, 3  # weeks, each of which has its place even if it is not counted
PLACE = (WIDTH - 2 * EDGE) / (BEFORE + 1 + AFTER)
BAR, BOX, FOOT = 24, 36, 3  # widths; how far the bar of the surprise stands below the axis
GAP, LINE = 6, 15  # between texts and bars; the height of a number
# Pixels a character takes on a phone, where the type is larger, rounded up; bold, and small.
BOLD, SMALL = 9.8, 8.4
# The grey of small texts makes the bars, and the blue of the bands that of the surprise. So much of
# the ground makes it pale within the box, whose edges are seen on it then.
MORE = """\
.pf .small.week { fill-opacity: 0.7 }
.pf .band.came { fill-opacity: 1 }
.pf .ground.veil { fill-opacity: 0.8 }
"""


class Column(NamedTuple):
    """A bar or the box, in pixels from the left and from the top of the picture."""

    left: float
    right: float
    top: float
    bottom: float


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

    def column(at: int, width: float, *values: float) -> Column:
        top, bottom = (BASE - (BASE - TOP) * value / highest for value in values)
        return Column(_middle(at) - width / 2, _middle(at) + width / 2, top, bottom)

    bars = [column(at, BAR, number, 0.0) for at, number in others.items()]
    came = column(0, BAR, week.downloads, 0.0)
    box, mean = column(0, BOX, week.upper, week.lower), column(0, BOX, week.mean, week.mean)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" class="pf picture"><title>{_told(week, others)}</title>'
        f'<style>{STYLE}{MORE}</style><rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>'
        f"{''.join(_rect('small week', each) for each in bars)}"
        f'<path class="grid" d="M{EDGE} {BASE}H{WIDTH - EDGE}"/>'
        f"{_rect('band came', came._replace(bottom=BASE + FOOT))}"
        f"{_rect('ground veil', box)}{_rect('band b95', box)}"
        f'<path class="ahead" d="M{mean.left:g} {mean.top:.2f}H{mean.right:g}"/>'
        f"{_labels(week, came, box, bars)}{_dates(week.start, min(found))}</svg>"
    )


def _labels(week: Week, came: Column, box: Column, bars: Sequence[Column]) -> str:
    """How many came, and left of it what was expected: at its level, or above the bars there."""
    number, y = _number(week.downloads, came, [*bars, box])
    right = _middle(0) - max(len(number) * BOLD, BOX) / 2 - GAP
    for band in (_band(week), f"{compact(week.lower)} to {compact(week.upper)}"):
        expected = f"expected {band}"
        left = right - len(expected) * SMALL
        if left >= EDGE:
            break  # the shorter one always fits: see LARGEST_FORECAST
    above = min((each.top for each in _between(left, right, bars)), default=BASE) - GAP
    return (
        f'<text x="{_middle(0):g}" y="{y:.1f}" text-anchor="middle">'
        f'<tspan font-weight="600">{markup(number)}</tspan></text>'
        f'<text class="small" x="{right:.1f}" y="{min(above, (box.top + box.bottom) / 2 + 4):.1f}" '
        f'text-anchor="end">{markup(expected)}</text>'
    )


def _number(downloads: float, bar: Column, others: Sequence[Column]) -> tuple[str, float]:
    """How many came, and its baseline: above the bar, or above all if there is no room for it."""
    for number in (format_rounded(downloads)[0], compact(downloads)):
        half = len(number) * BOLD / 2
        beside = _between(_middle(0) - half, _middle(0) + half, others)
        if not any(each.top < bar.top < each.bottom + GAP + LINE for each in beside):
            return number, bar.top - GAP
    return number, min(each.top for each in beside) - GAP


def _between(left: float, right: float, columns: Sequence[Column]) -> list[Column]:
    return [each for each in columns if each.left < right and each.right > left]


def _dates(start: dt.date, first: int) -> str:
    """The first days of the surprise's week and of the first one, under the left of their bars."""
    left = _middle(0) - BAR / 2
    days = {start: left}
    if first:
        day = start + dt.timedelta(days=WEEK * first)
        free = left - 2 * GAP - len(format_day(day)) * SMALL
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


def _rect(kind: str, column: Column) -> str:
    return (
        f'<rect class="{kind}" x="{column.left:g}" y="{column.top:.2f}" '
        f'width="{column.right - column.left:g}" height="{column.bottom - column.top:.2f}"/>'
    )


def _middle(at: int) -> float:
    """The middle of a week's place, so many weeks from the surprise, in pixels."""
    return EDGE + PLACE * (at + BEFORE + 0.5)
