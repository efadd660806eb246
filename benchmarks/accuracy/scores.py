"""How far the forecasts of a method were from what came; a row a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.methods import ROWS
from benchmarks.accuracy.windows import HORIZON, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.run import Made, Mask
    from forecast.quantities import Array

MISS = 2.0 / (1.0 - 0.80)  # an interval score's price of a unit outside an 80 % band
TINY = 1e-6  # a MASE of nought, which has no logarithm


@dataclass(frozen=True)
class Scores:
    """One method over windows; NaN where it was not asked or has no such answer.

    Attributes:
        error: MASE of the median, shape (windows,).
        error_of_mean: MASE of the mean, shape (windows,).
        inside_80: whether a day lies in the 80 % band, 1 or 0, NaN where no count is known,
            shape (windows, HORIZON); likewise for 95 %.
        interval: interval score of the 80 % band (Gneiting and Raftery 2007) in units of the
            window's scale: its width, and what lies outside ten times; shape (windows,).
        total_error: ln(1 + total) less the forecast's, shape (windows,).
        below_80: whether the total lies below its 80 % band, 1 or 0, shape (windows,);
            likewise above and for 95 %.
        seconds: CPU seconds, shape (windows,).
        failed: whether last week stands in, shape (windows,).
    """

    error: Array
    error_of_mean: Array
    inside_80: Array
    inside_95: Array
    interval: Array
    total_error: Array
    below_80: Array
    above_80: Array
    below_95: Array
    above_95: Array
    seconds: Array
    failed: Mask

    @property
    def ran(self) -> Mask:
        """Which windows the method was asked for."""
        return np.isfinite(self.seconds)

    def ratio(self, naive: Scores, where: Mask, *, of_mean: bool = False) -> float:
        """Geometric mean over windows of the error over the seasonal naive's."""
        return float(np.exp(np.mean(self.log_ratios(naive, of_mean=of_mean)[where])))

    def log_ratios(self, naive: Scores, *, of_mean: bool = False) -> Array:
        """Logarithm of the error over the seasonal naive's, shape (windows,)."""
        error = self.error_of_mean if of_mean else self.error
        return np.asarray(np.log(np.maximum(error, TINY) / np.maximum(naive.error, TINY)))


def score(windows: Sequence[Window], made: Made) -> Scores:
    """Compare forecasts with the days that are known."""
    actual = np.stack([window.actual for window in windows])
    scale = np.array([window.scale for window in windows])
    days = dict(zip(ROWS, np.moveaxis(made.answers[:, :, :HORIZON], 1, 0), strict=True))
    totals = dict(zip(ROWS, made.answers[:, :, HORIZON].T, strict=True))
    outside = np.maximum(days["lower_80"] - actual, 0) + np.maximum(actual - days["upper_80"], 0)
    interval = days["upper_80"] - days["lower_80"] + MISS * outside
    total = _totals(actual, days["mean"], totals["mean"])
    return Scores(
        error=_mean(np.abs(days["median"] - actual)) / scale,
        error_of_mean=_mean(np.abs(days["mean"] - actual)) / scale,
        inside_80=_inside(days["lower_80"], actual, days["upper_80"]),
        inside_95=_inside(days["lower_95"], actual, days["upper_95"]),
        interval=_mean(interval) / scale,
        total_error=np.log1p(total) - np.log1p(totals["mean"]),
        below_80=_less(total, totals["lower_80"]),
        above_80=_less(totals["upper_80"], total),
        below_95=_less(total, totals["lower_95"]),
        above_95=_less(totals["upper_95"], total),
        seconds=made.seconds,
        failed=made.failed,
    )


def _mean(values: Array) -> Array:
    """Mean over the days that are known, NaN where none is."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(values, axis=1) / np.isfinite(values).sum(axis=1))


def _totals(actual: Array, days: Array, total: Array) -> Array:
    """The total that came; days without a count have the share that was forecast for them."""
    known = np.where(np.isfinite(actual), days, 0.0).sum(axis=1)
    whole = np.isfinite(actual).all(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.nansum(actual, axis=1) * total / known
    return np.asarray(np.where(whole, actual.sum(axis=1), scaled))


def _inside(lower: Array, actual: Array, upper: Array) -> Array:
    found = ((lower <= actual) & (actual <= upper)).astype(np.float64)
    return np.where(np.isfinite(actual) & np.isfinite(lower), found, np.nan)


def _less(left: Array, right: Array) -> Array:
    known = np.isfinite(left) & np.isfinite(right)
    return np.where(known, (left < right - TINY).astype(np.float64), np.nan)
