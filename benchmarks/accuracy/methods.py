"""What every method is asked for, and the simplest of them."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmarks.accuracy.windows import HORIZON, Window
from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    import datetime as dt

# Shape (len(ROWS), HORIZON + 1): downloads on each day and, last, their total. NaN where a
# method has no answer. What has one point forecast gives it as median and as mean.
Method = Callable[[Window], Array]

ROWS = ("median", "mean", "lower_80", "upper_80", "lower_95", "upper_95")
ENDS = ROWS[2:]
LEVELS = (80, 95)  # %
SCALES = ("level", "log")  # a peer is given counts, or ln(1 + y)


class Calendar(Protocol):
    """Knows the days off."""

    def shares(self, start: dt.date, days: int) -> Array:
        """Share of the weekend gap lost on each of `days` days from `start`, shape (days,)."""


def naive(window: Window) -> Array:
    """Last week repeated; bands from the seasonal differences, wider each week."""
    point = np.resize(window.values[-WEEK:], HORIZON)
    deviation = np.sqrt(np.mean((window.values[WEEK:] - window.values[:-WEEK]) ** 2))
    half = deviation * np.sqrt(np.arange(HORIZON) // WEEK + 1.0)
    outer = [NormalDist().inv_cdf(0.5 + level / 200) for level in LEVELS]
    return point_and_ends(point, [point + sign * z * half for z in outer for sign in (-1.0, 1.0)])


def point_and_ends(point: Array, ends: list[Array]) -> Array:
    """The answer of a method without means of its own and without bands of a total."""
    days = np.maximum(np.stack([point, point, *ends]), 0.0)
    total = days[0].sum()
    return np.column_stack([days, [total, total, *[np.nan] * len(ENDS)]])
