"""From state to forecast: days and sums of days, each with its bands.

Three numbers describe a day. Its median is the back-transformed level, season and days off;
it makes the least absolute error. Its mean is the median times the package's smearing factor
(Duan 1983), because counts are skewed; means add up, so a total is the sum of them. The
bands come from the pooled quantiles around the median (days) or the mean (sums), and are
never narrower than what chance gives a count, so that a rare package has a band as well.
After four weeks without a download they begin at none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from forecast.model import quantiles
from forecast.model.quantiles import QUANTILES, Ends
from forecast.model.state import Parameters, estimate, state
from forecast.model.weekdays import SATURDAY, weekday_numbers
from forecast.quantities import LARGEST_COUNT, bounded

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from forecast.model.constants import Constants
    from forecast.model.state import State
    from forecast.quantities import Array

FARTHEST = 0.5  # of the searched ARIMA from the level, in ln(1 + y)
SILENCE = 28  # days without a download, after which the bands hold a future without any


@dataclass(frozen=True)
class Distribution:
    """What is expected of the days after the last one, before any is added up.

    Attributes:
        state: after the last day.
        medians: of ln(1 + y), shape (rows, days).
        weekend: which of the days are Saturdays or Sundays, shape (days,).
        shares: of the weekend gap that is lost on each day, shape (days,).
        silent: whether the last weeks had no download, shape (rows,).
        pooled: the constants.
    """

    state: State
    medians: Array
    weekend: NDArray[np.bool_]
    shares: Array
    silent: NDArray[np.bool_]
    pooled: Constants

    def median(self) -> Array:
        """Downloads a day, shape (rows, days)."""
        return _counts(self.medians)

    def mean(self) -> Array:
        """The same: the mean of each day."""
        return np.minimum(self.median() * self.state.smearing[:, None], LARGEST_COUNT)

    @cached_property
    def days(self) -> Ends:
        """Bands of the days, shape (rows, days) each."""
        horizon = np.arange(1.0, self.weekend.size + 1.0)
        features = quantiles.day_features(self.state.evidence, horizon, self.weekend, self.shares)
        widths = quantiles.day_widths(features, self.pooled.days)
        ends = {name: _counts(self.medians + getattr(widths, name)) for name in QUANTILES}
        return self._around(ends, self.mean(), self.medians)

    def sums(self, days: Array, last: Array) -> tuple[Array, Ends]:
        """Means of sums over `days` days that end `last` days ahead, and their bands.

        Args:
            days: how many days each sum has, shape (sums,), whole numbers.
            last: how far ahead its last day lies, likewise; no less than `days`.
        """
        daily, mean = self.days, self.mean()
        middle = _spans(mean, days, last)
        features = quantiles.sum_features(self.state.evidence, days, last)
        widths = quantiles.sum_widths(features, self.pooled.sums)
        logs = np.log1p(middle)
        ends = {name: _counts(logs + getattr(widths, name)) for name in QUANTILES}
        held = self._around(ends, middle, logs)
        limits = {name: _spans(getattr(daily, name), days, last) for name in QUANTILES}
        # The mean once more, as a sum of the days' ends may be rounded to its other side.
        return middle, Ends(
            lower_80=np.minimum(np.maximum(held.lower_80, limits["lower_80"]), middle),
            upper_80=np.maximum(np.minimum(held.upper_80, limits["upper_80"]), middle),
            lower_95=np.minimum(np.maximum(held.lower_95, limits["lower_95"]), middle),
            upper_95=np.maximum(np.minimum(held.upper_95, limits["upper_95"]), middle),
        )

    def _around(self, ends: dict[str, Array], mean: Array, middle: Array) -> Ends:
        """Bands that chance allows, that hold the mean, and that lie one within the other.

        That of 95 % holds the levels on both sides of a break; `middle` is the forecast's
        logarithm.
        """
        below, above = np.minimum(self.state.hull[0], 0.0), np.maximum(self.state.hull[1], 0.0)
        held = {}
        for name, end in ends.items():
            outer = np.minimum if "lower" in name else np.maximum
            least = np.maximum(quantiles.chance(mean, name), 0.0)
            held[name] = outer(outer(end, least), mean)
        for name in ("lower_80", "lower_95"):
            held[name] = np.where(self.silent[:, None], 0.0, held[name])
        lower = _counts(middle + below[:, None])
        upper = _counts(middle + above[:, None])
        return Ends(
            lower_80=held["lower_80"],
            upper_80=held["upper_80"],
            lower_95=np.minimum(np.minimum(held["lower_95"], lower), held["lower_80"]),
            upper_95=np.maximum(np.maximum(held["upper_95"], upper), held["upper_80"]),
        )


def predictive(
    counts: Array,
    start: dt.date,
    shares: Array,
    pooled: Constants,
    *,
    parameters: Parameters | None = None,
    path: Array | None = None,
) -> Distribution:
    """The distribution of the days after the counts of packages that begin on one day.

    Args:
        counts: downloads a day, shape (rows, n).
        start: day of the first count.
        shares: of the weekend gap, of the n days and of those to be forecast.
        pooled: the constants.
        parameters: estimated here if left out.
        path: what the searched ARIMAs expect of the adjusted series, shape (rows, days).
    """
    n, first = counts.shape[1], start.weekday()
    if parameters is None:
        parameters = estimate(counts, first, shares[:n], pooled.profile)
    now = state(counts, first, shares[:n], parameters)
    weekdays = weekday_numbers(first, shares.size)[n:]
    adjusted = now.level[:, None]
    if path is not None:
        away = np.nan_to_num(bounded(path - adjusted, -FARTHEST, FARTHEST))
        adjusted = adjusted + pooled.search_weight * away
    medians = np.maximum(adjusted + parameters.season(weekdays, shares[n:]), 0.0)
    silent = counts[:, -SILENCE:].max(axis=1) == 0.0
    return Distribution(now, medians, weekdays >= SATURDAY, shares[n:], silent, pooled)


def _counts(logs: Array) -> Array:
    return bounded(np.expm1(np.minimum(logs, 40.0)), 0.0, LARGEST_COUNT)


def _spans(values: Array, days: Array, last: Array) -> Array:
    """Sums of values (rows, n) over spans, shape (rows, spans)."""
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    ends = last.astype(np.int64)
    return np.asarray(np.maximum(sums[:, ends] - sums[:, ends - days.astype(np.int64)], 0.0))
