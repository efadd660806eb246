"""The weekend gap and the weekday pattern of a package, drawn towards what all have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.quantities import WEEK, bounded, row_median, with_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

Integers = NDArray[np.int64]

SATURDAY = 5
WIDEST_GAP = 1.0  # in ln(1 + y); beyond it the effect of a day off grows no further
LATEST = 77  # days that a pattern is taken from; a week that changed six weeks ago is believed
HALF_LIFE = 28.0  # days; a deviation of eight weeks ago counts a quarter
CLIPPED_AT = 2.0  # robust standard deviations of a weekday's own deviations
SHRINKAGE = 1.5  # times the share that noise has in a pattern's distance from the profile
MAD_TO_DEVIATION = 1.4826


def weekday_numbers(first: int, days: int) -> Integers:
    """Monday 0 to Sunday 6 of each of `days` days, the first being `first`."""
    return np.asarray((first + np.arange(days)) % WEEK)


def weekend_gap(z: Array, weekdays: Integers) -> Array:
    """How far the median weekend lies below the median weekday, within [0, WIDEST_GAP].

    Args:
        z: ln(1 + y), shape (rows, n).
        weekdays: Monday 0 to Sunday 6, shape (n,).

    Returns:
        Shape (rows,).
    """
    weekend = weekdays >= SATURDAY
    gap = row_median(z[:, ~weekend]) - row_median(z[:, weekend])
    return bounded(gap, 0.0, WIDEST_GAP)


def weekday_pattern(z: Array, weekdays: Integers, profile: Sequence[float]) -> Array:
    """Effects of the seven weekdays, Monday first, shape (rows, 7).

    A weekday's effect is a mean of its deviations from the centred week: recent ones count
    more, and none more than `CLIPPED_AT` robust standard deviations. The pattern is drawn
    towards the multiple of the pooled `profile` that lies nearest, by the share that noise
    has in the distance from it (an empirical Bayes estimate, after James and Stein 1961).

    Args:
        z: ln(1 + y) without days off, shape (rows, n), two weeks or more.
        weekdays: Monday 0 to Sunday 6, shape (n,).
        profile: of length 1 and mean 0, Monday first.
    """
    z, weekdays = z[:, -LATEST:], weekdays[-LATEST:]
    rows, n = z.shape
    away = z - centred_week(z)
    recency = 0.5 ** ((n - 1 - np.arange(n)) / HALF_LIFE)
    own = np.empty((rows, WEEK))
    for weekday in range(WEEK):
        these = weekdays == weekday
        ours, weights = away[:, these], recency[these]
        middle = row_median(ours)[:, None]
        reach = CLIPPED_AT * (_deviation(ours - middle)[:, None] + 1e-3)
        own[:, weekday] = bounded(ours, middle - reach, middle + reach) @ weights / weights.sum()
    own -= own.mean(axis=1, keepdims=True)
    direction = np.array(profile)
    towards = (own @ direction)[:, None] * direction
    weights = recency[::-1][::WEEK]  # of the values of one weekday
    noise = _deviation(away - own[:, weekdays]) ** 2 * (weights**2).sum() / weights.sum() ** 2
    distance = ((own - towards) ** 2).sum(axis=1) / (WEEK - 1)
    share = bounded(SHRINKAGE * noise / np.maximum(distance, 1e-6), 0.0, 1.0)[:, None]
    return np.asarray((1.0 - share) * own + share * towards)


def centred_week(z: Array) -> Array:
    """Centred moving average of z (rows, n) over seven days, its ends repeated; same shape."""
    sums = np.cumsum(np.hstack([np.zeros((len(z), 1)), z]), axis=1)
    return with_edges((sums[:, WEEK:] - sums[:, :-WEEK]) / WEEK, WEEK // 2)


def _deviation(distances: Array) -> Array:
    """Robust standard deviation of each row of distances (rows, n), shape (rows,)."""
    return np.asarray(MAD_TO_DEVIATION * row_median(np.abs(distances)))
