"""What a package's history says: parameters, the state after its last day, and the evidence.

All arrays have one row a package, so the constants are learned with the very code that
forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.model import level
from forecast.model.weekdays import SATURDAY, weekday_numbers, weekday_pattern, weekend_gap
from forecast.quantities import WEEK, bounded, row_median, windows, with_edges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from forecast.quantities import Array

SPIKES = 2  # largest days of `level.LONG`: no mean is believed to have them again
MOST_SKEWED = 20.0  # mean over median
MOVING = 2.0  # usual errors that a week's mean error has while the level is on its way
USUAL_ERROR, USUAL_STEP = 0.06, 0.08  # of a day and of a week; what no past would say
DAYS_OF_IT, WEEKS_OF_IT = 5, 3  # how many days and weeks that belief is worth
RECENT = 14  # days
SIX_WEEKS = 42  # days
NO_BREAK = 0.3  # in ln(1 + y): levels that differ by less are one level


@dataclass(frozen=True)
class Parameters:
    """Estimates that stay as they are when newer days are appended.

    Attributes:
        gap: weekend gap in ln(1 + y), shape (rows,).
        pattern: effects of the weekdays, Monday first, shape (rows, 7).
        weights: of the thetas, shape (thetas, rows).
    """

    gap: Array
    pattern: Array
    weights: Array

    def season(self, weekdays: NDArray[np.int64], shares: Array) -> Array:
        """What weekdays and days off (n,) add to the level, shape (rows, n)."""
        return np.asarray(self.pattern[:, weekdays] - self.gap[:, None] * shares)

    def adjusted(self, counts: Array, first: int, shares: Array) -> Array:
        """ln(1 + y) without weekdays and days off, shape (rows, n); arguments as `estimate`."""
        return np.asarray(
            np.log1p(counts) - self.season(weekday_numbers(first, counts.shape[1]), shares)
        )


@dataclass(frozen=True)
class State:
    """What is known after the last day.

    Attributes:
        level: of ln(1 + y) without weekdays and days off, shape (rows,).
        smearing: the mean of counts over their median (Duan 1983), shape (rows,).
        hull: how far the levels of the thetas and the last three days lie below and above
            that level, where they are far apart: the level has just moved and may come back;
            shape (2, rows).
        evidence: what the width of the bands depends on, by name, shape (rows,) each.
    """

    level: Array
    smearing: Array
    hull: Array
    evidence: Mapping[str, Array]


def estimate(counts: Array, first: int, shares: Array, profile: Sequence[float]) -> Parameters:
    """Estimate the parameters.

    Args:
        counts: downloads a day, shape (rows, n).
        first: weekday of the first day, Monday 0.
        shares: of the weekend gap that is lost on each day, shape (n,).
        profile: the pooled weekday pattern.
    """
    weekdays = weekday_numbers(first, counts.shape[1])
    z = np.log1p(counts)
    gap = weekend_gap(z, weekdays)
    z = z + gap[:, None] * shares
    pattern = weekday_pattern(z, weekdays, profile)
    levels = level.smooth(z - pattern[:, weekdays], weekdays >= SATURDAY)
    return Parameters(gap, pattern, level.weights(levels))


def state(counts: Array, first: int, shares: Array, parameters: Parameters) -> State:
    """Run the history through the model with given parameters; arguments as `estimate`."""
    weekdays = weekday_numbers(first, counts.shape[1])
    season = parameters.season(weekdays, shares)
    x = np.log1p(counts) - season
    weights = parameters.weights
    levels = level.smooth(x, weekdays >= SATURDAY)
    fast = (weights * levels.last).sum(axis=0)
    errors = (weights[:, :, None] * levels.errors).sum(axis=0)
    size = (np.abs(errors).sum(axis=1) + DAYS_OF_IT * USUAL_ERROR) / (errors.shape[1] + DAYS_OF_IT)
    fits = (x[:, -errors.shape[1] :] - errors)[:, -level.LONG :]
    drawn = level.steadied(np.column_stack([fits, fast]), x, level.smallness(counts), size)
    fits, last = drawn[:, :-1], drawn[:, -1]
    medians = np.maximum(np.expm1(fits + season[:, -fits.shape[1] :]), 0.0)
    spread = np.sqrt((weights * (levels.last - fast) ** 2).sum(axis=0))
    evidence = {
        **_evidence(x, last, errors, size),
        "speed": level.ALPHAS @ weights - 0.3,
        "spread": np.log(spread + 0.01) + 3.0,
        "gap": parameters.gap - 0.5,
        "small": level.smallness(counts) - 0.1,
    }
    settled = ~moving(errors, size)[:, -fits.shape[1] :]
    smearing = _smearing(counts[:, -fits.shape[1] :], medians, settled)
    possible = np.vstack([levels.last, row_median(x[:, -3:])]) - last
    hull = np.stack([possible.min(axis=0), possible.max(axis=0)])
    return State(last, smearing, np.where(np.abs(hull) > NO_BREAK, hull, 0.0), evidence)


def moving(errors: Array, size: Array) -> NDArray[np.bool_]:
    """Which days lie in a week that the level ran behind; shape as the errors (rows, days)."""
    weekly = windows(with_edges(errors, WEEK // 2), WEEK).mean(axis=2)
    return np.asarray(np.abs(weekly) > MOVING * size[:, None])


def _smearing(counts: Array, medians: Array, used: NDArray[np.bool_]) -> Array:
    """Sum of counts over the sum of their fits, the spikes pulled in, shape (rows,)."""
    highest = np.partition(counts, -SPIKES - 1, axis=1)[:, -SPIKES - 1]
    highest = np.maximum(highest, 1.0)[:, None]
    counted = (np.minimum(counts, highest) * used).sum(axis=1)
    fitted = (np.minimum(medians, highest) * used).sum(axis=1)
    return bounded((counted + 0.5) / (fitted + 0.5), 1 / MOST_SKEWED, MOST_SKEWED)


def _evidence(x: Array, last: Array, errors: Array, size: Array) -> dict[str, Array]:
    """How large errors have been and how much the level has moved, in logs, centred roughly."""
    rows, n = x.shape
    late = np.abs(errors[:, -RECENT:])
    recent = (late.sum(axis=1) + RECENT / 2 * size) / (late.shape[1] + RECENT / 2)
    weeks = n // WEEK
    means = x[:, n - weeks * WEEK :].reshape(rows, weeks, WEEK).mean(axis=2)
    steps = np.abs(np.diff(means, axis=1))
    weekly = (steps.sum(axis=1) + WEEKS_OF_IT * USUAL_STEP) / (weeks - 1 + WEEKS_OF_IT)
    moved = np.abs(means[:, -1] - means[:, -min(5, weeks)])
    pull = row_median(x[:, -SIX_WEEKS:]) - last
    return {
        "one": np.ones(rows),
        "error": np.log(size) + 2.5,
        "recent": np.log(recent / size),
        "weekly": np.log(weekly) + 2.5,
        "worst": np.log((steps.max(axis=1) + 0.02) / weekly) - 0.5,
        "moved": np.log(moved + 0.02) + 2.5,
        "jump": np.log1p(np.abs(x[:, -1] - last) / size) - 0.5,
        "length": np.full(rows, np.log(n / 60.0)),
        "size": last / 10.0 - 1.0,
        "tilt": bounded(x[:, -WEEK:].mean(axis=1) - last, -1.0, 1.0),
        "pull": np.sign(pull) * bounded(np.abs(pull) - NO_BREAK, 0.0, 1.5),
    }
