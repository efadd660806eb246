"""What may be said of a package's accuracy: its own past, drawn towards what all have.

A backtest of a few origins is mostly one month, and one month predicts the next badly. So
each figure is a mean, in logarithms, of the package's own and of the pooled one, and the
own one has the weight that it earned: the slope of the next month's figure on the record's,
over thousands of packages of which both are known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from forecast.model.constants import Constants, constants
from forecast.model.distribution import predictive
from forecast.model.state import estimate
from forecast.quantities import WEEK

if TYPE_CHECKING:
    import datetime as dt

    from forecast.bands import Total
    from forecast.model.model import Model
    from forecast.quantities import Array

SPACING = 10  # days between origins: not whole weeks, so that weekdays change
MOST_ORIGINS = 4
SHORTEST = 56  # days before the first origin: eight weeks
LEAST_ERROR = 0.01  # of a total, in logarithms; a perfect month is no promise


@dataclass(frozen=True)
class Scores:
    """Errors over the origins of a backtest; None where nothing could be measured.

    Attributes:
        origins: number of forecasts made and compared.
        mase: mean absolute error over that of the seasonal naive within the training part
            (Hyndman and Koehler 2006), mean over origins.
        naive_mase: the same for the seasonal naive forecast.
        ratio: `mase` over `naive_mase`; below 1 the model is the better one.
        coverage_80: share of days that fell into the 80 % band; likewise for 95 %.
        total_error: mean absolute logarithm of total over forecast.
    """

    origins: int
    mase: float | None = None
    naive_mase: float | None = None
    ratio: float | None = None
    coverage_80: float | None = None
    coverage_95: float | None = None
    total_error: float | None = None


class Measured(Protocol):
    """What is told of a package is drawn from: scores, or what a manifest keeps of them."""

    @property
    def ratio(self) -> float | None:
        """See `Scores`."""

    @property
    def total_error(self) -> float | None:
        """See `Scores`."""


def seasonal_naive(values: Array, days: int, season: int = WEEK) -> Array:
    """The last `season` days of values (n,) repeated over `days` days."""
    return np.resize(values[-season:], days)


def naive_error(values: Array, season: int = WEEK) -> float:
    """Mean absolute difference of days one season apart: the scale of the MASE."""
    return float(np.mean(np.abs(values[season:] - values[:-season])))


def backtest(model: Model, horizon: int, pooled: Constants | None = None) -> Scores:
    """Forecast from several past days with parameters estimated before the first of them.

    The searched ARIMA is left out: it would have to be searched again, and its weight is
    too small to show.
    """
    counts = model.counts
    shares = model.shares(0, counts.size)
    return backtest_counts(counts, model.start, shares, horizon, pooled or constants())


def backtest_counts(
    counts: Array, start: dt.date, shares: Array, horizon: int, pooled: Constants
) -> Scores:
    """`backtest` of counts (n,) with the days off (n,)."""
    latest = counts.size - horizon
    sizes = sorted(
        size for size in (latest - SPACING * k for k in range(MOST_ORIGINS)) if size >= SHORTEST
    )
    if not sizes:
        return Scores(origins=0)
    first = counts[None, : sizes[0]]
    parameters = estimate(first, start.weekday(), shares[: sizes[0]], pooled.profile)
    rows = []
    for size in sizes:
        past, future = counts[:size], counts[size : size + horizon]
        scale = naive_error(past)
        if scale <= 0.0:
            continue
        made = predictive(
            past[None], start, shares[: size + horizon], pooled, parameters=parameters
        )
        ends = made.days
        total = math.log1p(float(future.sum())) - math.log1p(float(made.mean().sum()))
        rows.append(
            (
                float(np.mean(np.abs(made.median()[0] - future))) / scale,
                float(np.mean(np.abs(seasonal_naive(past, horizon) - future))) / scale,
                float(np.mean((ends.lower_80[0] <= future) & (future <= ends.upper_80[0]))),
                float(np.mean((ends.lower_95[0] <= future) & (future <= ends.upper_95[0]))),
                abs(total),
            )
        )
    if not rows:
        return Scores(origins=0)
    mase, naive, in_80, in_95, total_error = (float(value) for value in np.mean(rows, axis=0))
    return Scores(
        origins=len(rows),
        mase=mase,
        naive_mase=naive,
        ratio=mase / naive if naive > 0.0 else None,
        coverage_80=in_80,
        coverage_95=in_95,
        total_error=total_error,
    )


def told_ratio(scores: Measured, pooled: Constants | None = None) -> float:
    """Error over the seasonal naive's that is to be expected of the next forecast."""
    known = (pooled or constants()).record
    if not scores.ratio:
        return known["ratio"]
    return _drawn(scores.ratio, known["ratio"], known["ratio_weight"])


def told_total_error(scores: Measured, total: Total, pooled: Constants | None = None) -> float:
    """By what share of it the next total will be missed in half the cases.

    What is pooled is the width of the band of the total, since packages like this one gave
    it; half of the totals fall within a fixed part of it.
    """
    known = (pooled or constants()).record
    width = math.log1p(total.upper_80) - math.log1p(total.lower_80)
    usual = known["half_of_width"] * width
    if scores.total_error is None:
        return math.expm1(usual)
    own = known["half_of_mean"] * max(scores.total_error, LEAST_ERROR)
    return math.expm1(_drawn(own, usual, known["total_weight"]))


def _drawn(own: float, pooled: float, weight: float) -> float:
    """The weighted geometric mean of an own figure and the pooled one."""
    return math.exp(weight * math.log(own) + (1.0 - weight) * math.log(pooled))
