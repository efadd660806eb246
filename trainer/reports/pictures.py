"""Two pictures per package for other web pages: a badge and a small chart.

Both are SVG without scripts, fonts or links, so that an ``<img>`` can show them anywhere.
The chart follows the reader's light or dark setting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.bands import Forecast, Total
    from forecast.model.model import Model
    from forecast.quantities import Array

WIDTH, HEIGHT = 480, 160
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 34, 22  # margins of the plotted area
HISTORY_DAYS = 90
UNITS = ["", "K", "M", "B", "T"]
CHARACTER = 6.6  # pixels; width of a character in the badge's 11 px type, rounded up

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.seen { fill: none; stroke: #57606a; stroke-width: 1.5 }
.ahead { fill: none; stroke: #0a58ca; stroke-width: 2; stroke-dasharray: 5 3 }
.b80 { fill: #0a58ca; opacity: 0.30 }
.b95 { fill: #0a58ca; opacity: 0.15 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .seen { stroke: #9198a1 }
.ahead { stroke: #6ea8fe } .b80, .b95 { fill: #6ea8fe }
}
"""


def draw(
    name: str, label: str, model: Model, forecast: Forecast, totals: Mapping[int, Total]
) -> dict[str, str]:
    """Both pictures of a package, by file name."""
    days = len(forecast.mean)
    return {
        f"{name}.svg": chart(label, model, forecast, totals[days]),
        f"{name}.badge.svg": badge(label, totals[days], days),
    }


def badge(label: str, total: Total, days: int) -> str:
    """A badge with the downloads expected in the next days and their 80 % band."""
    left = f"next {days} days"
    right = f"{compact(total.mean)} downloads"
    title = (
        f"{label}: about {compact(total.mean)} downloads in the next {days} days "
        f"(80 %: {compact(total.lower_80)} to {compact(total.upper_80)})"
    )
    split, width = _width(left), _width(left) + _width(right)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{width}" height="20" rx="3" fill="#0a58ca"/>'
        f'<path d="M3 0H{split}V20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3Z" fill="#444c56"/>'
        '<g fill="#fff" font-family="system-ui,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{split / 2:g}" y="14">{left}</text>'
        f'<text x="{(split + width) / 2:g}" y="14">{right}</text></g></svg>\n'
    )


def chart(label: str, model: Model, forecast: Forecast, total: Total) -> str:
    """A chart of the last ninety days, the forecast and its bands."""
    days = len(forecast.mean)
    seen: Array = np.array(model.history[-HISTORY_DAYS:], dtype=np.float64)
    highest = max(float(seen.max()), float(forecast.upper_80.max()), 1.0) * 1.05
    behind: Array = np.arange(len(seen), dtype=np.float64)
    ahead: Array = np.arange(len(seen), len(seen) + days, dtype=np.float64)
    step = (WIDTH - LEFT - RIGHT) / max(len(seen) + days - 1, 1)

    def points(positions: Array, values: Array) -> str:
        x = LEFT + positions * step
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - np.clip(values / highest, 0, 1))
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

    def band(lower: Array, upper: Array) -> str:
        return points(np.concatenate([ahead, ahead[::-1]]), np.concatenate([upper, lower[::-1]]))

    head = (
        f"{compact(total.mean)} downloads in the next {days} days "
        f"(80 %: {compact(total.lower_80)} to {compact(total.upper_80)})"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img">'
        f"<title>{escape(f'{label}: {head}')}</title><style>{STYLE}</style>"
        f'<text x="{LEFT}" y="16"><tspan font-weight="600">{escape(label)}</tspan></text>'
        f'<text class="small" x="{LEFT}" y="30">{head}</text>'
        f'<polygon class="b95" points="{band(forecast.lower_95, forecast.upper_95)}"/>'
        f'<polygon class="b80" points="{band(forecast.lower_80, forecast.upper_80)}"/>'
        f'<polyline class="seen" points="{points(behind, seen)}"/>'
        f'<polyline class="ahead" points="{points(ahead, forecast.median)}"/>'
        f"{_footer(model, forecast, days)}</svg>\n"
    )


def compact(number: float) -> str:
    """A count in two or three figures: 987, 1.2K, 34K, 560M."""
    power = 0
    while number >= 999.5 and power < len(UNITS) - 1:  # noqa: PLR2004 - 999.6 is 1.0K
        number, power = number / 1000, power + 1
    figures = 1 if power and number < 9.95 else 0  # noqa: PLR2004 - 1.2K but 12K
    return f"{number:.{figures}f}{UNITS[power]}"


def _footer(model: Model, forecast: Forecast, days: int) -> str:
    last = forecast.start.fromordinal(forecast.start.toordinal() + days - 1)
    y = HEIGHT - 6
    return (
        f'<text class="small" x="{LEFT}" y="{y}">a day, counted to {model.last_day}</text>'
        f'<text class="small" x="{WIDTH - RIGHT}" y="{y}" text-anchor="end">to {last}</text>'
    )


def _width(text: str) -> int:
    return round(len(text) * CHARACTER) + 12
