"""Two pictures per package for other web pages: a badge and a small chart.

Both are SVG without scripts, fonts or links, so that an ``<img>`` can show them anywhere.
The chart has a ground of its own and follows the reader's light or dark setting;
``forecast.bundle.themes`` makes it one of the two.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np

from forecast.presentation.badge import badge_texts, compact
from forecast.presentation.means import means_of
from forecast.presentation.wording import downloads
from forecast.text import markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.bands import Forecast, Total
    from forecast.model.distribution import Distribution
    from forecast.model.model import Model
    from forecast.quantities import Array

WIDTH, HEIGHT = 480, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 44, 30  # margins of the plotted area
EDGE = 12  # pixels between the texts and the border
FEWEST_TICKS = 3
CHARACTER = 6.6  # pixels; width of a character in the badge's 11 px type, rounded up

# Every rule begins with a class of the picture: it may stand within a page, too.
STYLE = """
.pf .ground { fill: #ffffff }
.pf text { font: 12px system-ui, sans-serif; fill: #24292f }
.pf .small { font-size: 11px; fill: #57606a }
.pf .grid { stroke: #d0d7de; stroke-width: 1 }
.pf .seen { fill: none; stroke: #57606a; stroke-width: 1.5 }
.pf .ahead { fill: none; stroke: #0a58ca; stroke-width: 2; stroke-dasharray: 5 3 }
.pf .band { fill: #0a58ca; stroke: #0a58ca; stroke-width: 1; fill-opacity: 0.15 }
.pf .b80 { fill-opacity: 0.30 }
.pf .narrow { display: none }
@media (max-width: 400px) {
.pf text { font-size: 15px } .pf .small { font-size: 14px }
.pf .wide { display: none } .pf .narrow { display: inline }
}
@media (prefers-color-scheme: dark) {
.pf .ground { fill: #0d1117 }
.pf text { fill: #e6edf3 } .pf .small { fill: #9198a1 }
.pf .grid { stroke: #30363d } .pf .seen { stroke: #9198a1 }
.pf .ahead { stroke: #6ea8fe } .pf .band { fill: #6ea8fe; stroke: #6ea8fe }
}
"""


def draw(
    name: str,
    label: str,
    model: Model,
    forecast: Forecast,
    totals: Mapping[int, Total],
    *,
    stopped: dt.date | None = None,
    made: Distribution | None = None,
) -> dict[str, str]:
    """Both pictures of a package, by file name.

    Args:
        name: the package's.
        label: the same as typed.
        model: what made the forecast.
        forecast: by day.
        totals: of its first days.
        stopped: the last day with a download, if they stopped.
        made: the distribution of the days ahead, if there is one already.
    """
    days = len(forecast.mean)
    return {
        f"{name}.svg": chart(label, model, totals[days], days, stopped=stopped, made=made),
        f"{name}.badge.svg": badge(label, totals[days], days, stopped),
    }


def badge(label: str, total: Total, days: int, stopped: dt.date | None = None) -> str:
    """A badge with the downloads expected in the next days and their 80 % band."""
    left, right = badge_texts(total, days, stopped)
    title = f"{label}: {right}"
    if not stopped:
        title = (
            f"{label}: about {downloads(compact(total.mean))} in the next {days} days "
            f"(80 %: {compact(total.lower_80)} to {compact(total.upper_80)})"
        )
    split, width = _width(left), _width(left) + _width(right)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img">'
        f"<title>{markup(title)}</title>"
        f'<rect width="{width}" height="20" rx="3" fill="#0a58ca"/>'
        f'<path d="M3 0H{split}V20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3Z" fill="#444c56"/>'
        '<g fill="#fff" font-family="system-ui,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{split / 2:g}" y="14">{left}</text>'
        f'<text x="{(split + width) / 2:g}" y="14">{right}</text></g></svg>\n'
    )


def chart(
    label: str,
    model: Model,
    total: Total,
    days: int,
    *,
    stopped: dt.date | None = None,
    made: Distribution | None = None,
) -> str:
    """A chart of 7-day means: those of the last ninety days, and of the forecast with its bands."""
    seen, means = means_of(model, days, made)
    highest = max(float(seen.max()), float(means["upper_95"].max()), 1.0) * 1.04
    behind: Array = np.arange(len(seen), dtype=np.float64)
    # What is forecast begins at the last mean counted.
    ahead: Array = np.arange(len(seen) - 1, len(seen) + days, dtype=np.float64)
    bands = {name: np.concatenate([seen[-1:], values]) for name, values in means.items()}
    step = (WIDTH - LEFT - RIGHT) / (len(seen) + days - 1)

    def height(values: Array) -> Array:
        return np.asarray(TOP + (HEIGHT - TOP - BOTTOM) * (1 - values / highest))

    def points(positions: Array, values: Array) -> str:
        x = LEFT + positions * step
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, height(values), strict=True))

    def band(level: str) -> str:
        edges = np.concatenate([bands[f"upper_{level}"], bands[f"lower_{level}"][::-1]])
        return points(np.concatenate([ahead, ahead[::-1]]), edges)

    head = (
        f"{downloads(compact(total.mean))} in the next {days} days "
        f"(80 %: {compact(total.lower_80)} to {compact(total.upper_80)})"
    )
    subtitle = head
    if stopped:
        first = model.last_day + dt.timedelta(days=1)
        since, amount = f"no counts since {stopped}; ", compact(total.mean)
        head = f"{since}{downloads(amount)} in the {days} days from {first}"
        # The footer has the dates of these days.
        subtitle = _either(head, f"{since}{amount} expected in {days} days")
    axis = "".join(_tick(value, float(height(np.array(value)))) for value in ticks(highest))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" class="pf">'
        f"<title>{markup(f'{label}: {head}')}</title><style>{STYLE}</style>"
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text x="{EDGE}" y="18"><tspan font-weight="600">{markup(label)}</tspan></text>'
        f'<text class="small" x="{EDGE}" y="34">{subtitle}</text>{axis}'
        f'<polygon class="band b95" points="{band("95")}"/>'
        f'<polygon class="band b80" points="{band("80")}"/>'
        f'<polyline class="seen" points="{points(behind, seen)}"/>'
        f'<polyline class="ahead" points="{points(ahead, bands["mean"])}"/>'
        f"{_footer(model.last_day, days)}</svg>\n"
    )


def ticks(highest: float) -> list[float]:
    """Round values from 0 to the highest one, three to six."""
    power = math.floor(math.log10(highest))
    steps = [each * 10.0**at for at in (power, power - 1) for each in (5.0, 2.0, 1.0)]
    step = next(step for step in steps if step * (FEWEST_TICKS - 1) <= highest)
    return [step * at for at in range(math.floor(highest / step) + 1)]


def _tick(value: float, y: float) -> str:
    return (
        f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="small" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
        f"{compact(value, exact=True)}</text>"
    )


def _footer(through: dt.date, days: int) -> str:
    last = through.fromordinal(through.toordinal() + days)
    y = HEIGHT - 8
    text = _either(
        f"PyPI downloads a day, 7-day mean, counted through {_date(through)}",
        f"PyPI downloads a day through {_date(through)}",
    )
    return (
        f'<text class="small" x="{EDGE}" y="{y}">{text}</text>'
        f'<text class="small" x="{WIDTH - RIGHT}" y="{y}" text-anchor="end">'
        f"to {_date(last)}</text>"
    )


def _either(wide: str, narrow: str) -> str:
    """Words of a text, and shorter ones for a phone, where the type is larger."""
    return f'<tspan class="wide">{wide}</tspan><tspan class="narrow">{narrow}</tspan>'


def _date(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def _width(text: str) -> int:
    return round(len(text) * CHARACTER) + 12
