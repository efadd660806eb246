"""The level: ARIMA(0,1,1) for three thetas, weighted by fit, steadied where counts are small.

x[t] = x[t-1] + e[t] + theta e[t-1] is simple exponential smoothing with alpha = 1 + theta
(Box and Jenkins 1970, chapter 5): the forecast of every day ahead is the level, which
moves by alpha times each one-step error. A single estimate of theta from a hundred days is
mostly noise, so three are run and averaged with weights that fall with their errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.quantities import WEEK, bounded, row_median, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from forecast.quantities import Array

ALPHAS = np.array([0.05, 0.2, 0.6])  # 1 + theta: months, a week, two days
WEEKEND = 0.5  # a weekend day moves the level by so much of what a weekday does
TEMPERATURE = 0.2  # excess of the mean error at which a theta's weight falls to 1/e
PLENTY = 75.0  # errors; with fewer the weights are more even
BLOCK = 256  # days summed at once; the share that is left after more could fall to zero
WARM_UP = 14  # days whose errors do not count
LEAST_ERROR = 0.01  # added to mean errors; a perfect fit is no proof
OUTLYING = 3.0  # mean distances from the week before at which a day is an outlier
LEAST_OUTLIER = 0.7  # in ln(1 + y): a factor of two; the first download after none is less
CONFIRMED = 3  # days in a row on one side: no outliers, but a new level
LONG = 56  # days of the long mean that the level of a small package is drawn to
SMALL = 100.0  # downloads a day at which that mean weighs half


@dataclass(frozen=True)
class Levels:
    """One run of the smoothing; axes (theta, row, day).

    Attributes:
        last: levels after the last day, shape (thetas, rows).
        errors: one-step errors after the warm-up, shape (thetas, rows, days).
    """

    last: Array
    errors: Array


def smooth(x: Array, weekend: NDArray[np.bool_]) -> Levels:
    """Run x (rows, n) through ARIMA(0,1,1) for every theta; no outlier moves a level far."""
    rows, n = x.shape
    level = np.repeat(row_median(x[:, :WEEK])[None], ALPHAS.size, axis=0)
    errors = np.empty((ALPHAS.size, rows, n))
    gains = (ALPHAS[:, None] * np.where(weekend, WEEKEND, 1.0))[:, None]
    moved = believed(x)
    for first in range(0, n, BLOCK):
        block = slice(first, first + BLOCK)
        gain = gains[..., block]
        # What each day leaves of the level before the block; then every day's level in one sum.
        left = np.cumprod(1.0 - gain, axis=2)
        after = left * (level[..., None] + np.cumsum(gain * moved[:, block] / left, axis=2))
        errors[..., block] = x[:, block] - np.dstack([level, after[..., :-1]])
        level = after[..., -1]
    return Levels(level, errors[..., min(WARM_UP, n // 2) :])


def believed(x: Array) -> Array:
    """X (rows, n) with outliers pulled in; same shape.

    A day is compared with the median of the week before it. One or two days far from it are
    a spike or a fault of the source; three on the same side are a new level and are taken as
    they are (robust exponential smoothing after Gelper, Fried and Croux 2010).
    """
    lead = np.repeat(row_median(x[:, :WEEK])[:, None], WEEK, axis=1)
    median = row_median(windows(np.concatenate([lead, x[:, :-1]], axis=1), WEEK))
    away = x - median
    bound = OUTLYING * np.abs(away).mean(axis=1, keepdims=True)
    bound = np.maximum(bound, LEAST_OUTLIER)
    side = np.sign(away) * (np.abs(away) > bound)
    rim = np.zeros((len(x), CONFIRMED - 1))
    runs = windows(np.concatenate([rim, side, rim], axis=1), CONFIRMED)
    alike = np.all(runs == runs[:, :, :1], axis=2)  # (rows, n + 2): runs that end on each day
    confirmed = windows(alike, CONFIRMED).any(axis=2)
    return np.asarray(np.where(confirmed, x, median + bounded(away, -bound, bound)))


def losses(levels: Levels) -> Array:
    """Mean absolute one-step error of every theta, shape (thetas, rows)."""
    return np.asarray(np.abs(levels.errors).mean(axis=2) + LEAST_ERROR)


def weights(levels: Levels) -> Array:
    """Weight of each theta, shape (thetas, rows); a row's weights sum to 1."""
    loss = losses(levels)
    temperature = TEMPERATURE * np.sqrt(max(PLENTY / levels.errors.shape[2], 1.0))
    raw = np.exp((1.0 - loss / loss.min(axis=0)) / temperature)
    return np.asarray(raw / raw.sum(axis=0))


def steadied(levels: Array, x: Array, small: Array, size: Array) -> Array:
    """Draw levels (rows, days) to the mean of x (rows, n) over `LONG` days; same shape.

    A small package's counts vary by chance alone, so its level is known from many days or
    not at all. It is drawn by its smallness, and by one usual error (rows,) at the most, so
    that the level from before a break does not come back.
    """
    distance = x[:, -LONG:].mean(axis=1)[:, None] - levels
    return np.asarray(levels + small[:, None] * bounded(distance, -size[:, None], size[:, None]))


def smallness(counts: Array) -> Array:
    """1 for a package without downloads, 1/2 at `SMALL` a day, 0 for a large one; (rows,)."""
    return np.asarray(1.0 / (1.0 + counts[:, -LONG:].mean(axis=1) / SMALL))
