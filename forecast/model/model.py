"""The fitted model of one package: plain values, and every forecast that is asked of it.

A `Model` is what a training run publishes. Its forecasts are made anew from its fields when
they are asked for, in milliseconds; neither `holidays` nor pmdarima is needed for that.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from forecast.bands import Bands, Forecast, Total, total_spans
from forecast.errors import SeriesError
from forecast.model import level
from forecast.model.arima import Arima
from forecast.model.checks import PICKLED_AS, Checked, are_numbers, is_number, is_whole, require
from forecast.model.constants import Constants, constants
from forecast.model.distribution import predictive
from forecast.model.state import Parameters
from forecast.model.weekdays import WIDEST_GAP, weekday_numbers
from forecast.quantities import LARGEST_COUNT, LONGEST_HORIZON, WEEK, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.model.distribution import Distribution

FEWEST_DAYS = 14  # two weeks: below that not even a weekday has come twice
LONGEST_HISTORY = 20_000  # days
MOST_WORK = 2_000_000  # days times the lags of the searched ARIMA; ours have some 20,000
HALF_A_DAY = 0.5  # downloads; of so few nobody can say whether they are more or fewer
NOT_RESCALED = (0, 1.0)
LARGEST_FACTOR = 60.0  # of counts before a change of definition
COMPARED_DAYS = 28  # that "before" means: every weekday four times


@dataclass(frozen=True)
class Model(Checked):
    """A package's history and what was estimated from it.

    Attributes:
        start: day of the first observation.
        history: downloads a day, regular, without holes.
        days_off: the days, counted from `start`, that lose a share of the weekend gap,
            and the share, ascending; up to a year beyond the horizon.
        gap: how far weekends lie below weekdays, in ln(1 + y).
        pattern: effects of the weekdays in ln(1 + y), Monday first.
        weights: of ARIMA(0,1,1) with the thetas of `level.ALPHAS`.
        searched: the ARIMA that the search found.
        rescaled: so many days of the history, up to a change of definition, are multiplied by
            this factor before they are used.
    """

    start: dt.date
    history: tuple[float, ...]
    days_off: tuple[tuple[int, float], ...]
    gap: float
    pattern: tuple[float, ...]
    weights: tuple[float, ...]
    searched: Arima
    rescaled: tuple[int, float] = NOT_RESCALED

    __module__ = PICKLED_AS

    def _check(self) -> None:
        """Refuse what no trainer of ours would have written."""
        require(type(self.start) is dt.date, "start must be a date")
        require(1990 <= self.start.year <= 2200, "start lies in no year to count in")  # noqa: PLR2004
        fine = are_numbers(self.history, 0.0, LARGEST_COUNT, FEWEST_DAYS, LONGEST_HISTORY)
        require(fine, f"history must be {FEWEST_DAYS} counts or more, up to {LARGEST_COUNT:g}")
        require(_are_days_off(self.days_off), "days_off must be days and shares, ascending")
        require(is_number(self.gap, 0.0, WIDEST_GAP), f"gap must lie between 0 and {WIDEST_GAP:g}")
        require(are_numbers(self.pattern, -99.0, 99.0, WEEK, WEEK), "pattern must be 7 numbers")
        thetas = level.ALPHAS.size
        fine = are_numbers(self.weights, 0.0, 1.0, thetas, thetas)
        fine = fine and abs(sum(self.weights) - 1.0) <= 1e-6  # noqa: PLR2004
        require(fine, f"weights must be {thetas} numbers that sum to 1")
        require(type(self.searched) is Arima, "searched must be an Arima")
        fine = isinstance(self.rescaled, tuple) and len(self.rescaled) == 2  # noqa: PLR2004
        fine = fine and is_whole(self.rescaled[0], 0, len(self.history))
        fine = fine and is_number(self.rescaled[1], 1 / LARGEST_FACTOR, LARGEST_FACTOR)
        require(fine, "rescaled must be a number of days and their factor")
        work = len(self.history) * self.searched.reach
        require(work <= MOST_WORK, f"history times lags must be at most {MOST_WORK:,}")

    @property
    def last_day(self) -> dt.date:
        """Day of the last observation."""
        return self.start + dt.timedelta(days=len(self.history) - 1)

    def members(self) -> list[tuple[Arima, float | None, float]]:
        """The ARIMAs that are averaged, as (ARIMA, theta, weight); weights sum to 1.

        Pooled ones of weight 0 are left out, and so is the theta of the searched one.
        """
        searched = constants().search_weight
        thetas = [float(alpha) - 1.0 for alpha in level.ALPHAS]
        pooled = [
            (Arima((0, 1, 1), (0, 0, 0, 0), (theta,)), theta, (1.0 - searched) * weight)
            for theta, weight in zip(thetas, self.weights, strict=True)
        ]
        return [*pooled, (self.searched, None, searched)]

    def predict(self, days: int) -> Forecast:
        """Forecast the `days` days after `last_day`.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        return self._forecast(self.distribution(days))

    def predict_with_totals(
        self, days: int, made: Distribution | None = None
    ) -> tuple[Forecast, dict[int, Total]]:
        """``predict``, and the totals that a bundle has, at the price of one.

        Args:
            days: how many days to forecast.
            made: their distribution, if there is one already.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        made, spans = made or self.distribution(days), total_spans(days)
        return self._forecast(made), dict(zip(spans, _totals(made, spans), strict=True))

    def total(self, days: int) -> Total:
        """Forecast the sum of the next `days` days.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        return self.totals((days,))[0]

    def totals(self, spans: Sequence[int]) -> list[Total]:
        """Forecast the sums of the next days, for several numbers of them.

        Raises:
            ValueError: one is not between 1 and `LONGEST_HORIZON`.
        """
        return _totals(self.distribution(max(spans)), spans)

    def sums(
        self, days: Sequence[int], last: Sequence[int], made: Distribution | None = None
    ) -> Bands[Array]:
        """Forecast the sums of days ahead, as of a week that is partly counted.

        Args:
            days: how many days ahead each sum has, shape (sums,).
            last: how far ahead its last day lies, likewise; no less than `days`.
            made: the distribution of so many days or more, if there is one already.

        Returns:
            Means and bands of the sums, shape (sums,) each.

        Raises:
            ValueError: one does not lie between 1 and `LONGEST_HORIZON`.
        """
        return _sums(made or self.distribution(max(last)), days, last)

    def change(self, made: Distribution | None = None) -> float:
        """The expected level over that of the last four weeks; 1 is as many as before.

        The expected level is put onto the weekdays and days off of those weeks, so equal
        days are compared, whatever day the forecast starts on.

        Args:
            made: the distribution of any days, if there is one already.
        """
        made = made or self.distribution(1)
        n = len(self.history)
        recent = min(COMPARED_DAYS, n - first_used(self.history))
        counted = float(self.counts[-recent:].sum())
        weekdays = weekday_numbers(self.start.weekday(), n)[-recent:]
        season = self.parameters.season(weekdays, self.shares(n - recent, recent))[0]
        expected = float(np.maximum(np.expm1(made.state.level + season), 0.0).sum())
        expected *= float(made.state.smearing[0])
        doubt = HALF_A_DAY * recent
        return (expected + doubt) / (counted + doubt)

    def day_off_losses(self, days: int) -> Array:
        """The share of its downloads that each of the next days loses as a day off, (days,)."""
        return 1.0 - np.exp(-self.gap * self.shares(len(self.history), days))

    def extend(self, newer: Sequence[float]) -> Model:
        """Append newer regular days; the parameters stay as they were estimated.

        Raises:
            BundleError: a value is negative, infinite or not a number.
        """
        return replace(self, history=self.history + tuple(float(value) for value in newer))

    def shares(self, begin: int, days: int) -> Array:
        """Share of the weekend gap lost on `days` days from day `begin` on, shape (days,)."""
        found = np.zeros(days)
        first, last = (bisect_left(self.days_off, (day,)) for day in (begin, begin + days))
        for day, share in self.days_off[first:last]:
            found[day - begin] = share
        return found

    def distribution(self, days: int, pooled: Constants | None = None) -> Distribution:
        """The predictive distribution of the next `days` days.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        if not 1 <= days <= LONGEST_HORIZON:
            raise ValueError(f"days is {days}; it must lie between 1 and {LONGEST_HORIZON}")
        known = pooled or constants()
        begin = first_used(self.history)
        counts = self.counts[None, begin:]
        start = self.start + dt.timedelta(days=begin)
        shares = self.shares(begin, counts.shape[1] + days)
        path = None
        if known.search_weight > 0.0:
            past = shares[: counts.shape[1]]
            x = self.parameters.adjusted(counts, start.weekday(), past)[0]
            path = self.searched.ahead(x, days)[None]
        return predictive(counts, start, shares, known, parameters=self.parameters, path=path)

    @property
    def counts(self) -> Array:
        """The history with days of an earlier definition made comparable, shape (n,)."""
        return comparable(np.array(self.history), self.rescaled)

    @property
    def parameters(self) -> Parameters:
        """The estimates as arrays of one row."""
        return Parameters(
            np.array([self.gap]), np.array([self.pattern]), np.array(self.weights)[:, None]
        )

    def _forecast(self, made: Distribution) -> Forecast:
        ends = made.days
        return Forecast(
            start=self.last_day + dt.timedelta(days=1),
            mean=made.mean()[0],
            median=made.median()[0],
            lower_80=ends.lower_80[0],
            upper_80=ends.upper_80[0],
            lower_95=ends.lower_95[0],
            upper_95=ends.upper_95[0],
        )


def first_used(history: Sequence[float] | Array) -> int:
    """The first day that is used: zeros before the first download tell nothing."""
    seen = np.flatnonzero(np.asarray(history))
    begin = int(seen[0]) if seen.size else 0
    return begin if len(history) - begin >= FEWEST_DAYS else max(len(history) - level.LONG, 0)


def comparable(counts: Array, rescaled: tuple[int, float]) -> Array:
    """Counts (n,) whose first days are multiplied by a factor; same shape."""
    days, factor = rescaled
    earlier = np.minimum(counts[:days] * factor, LARGEST_COUNT)
    return np.concatenate([earlier, counts[days:]])


def checked(counts: Array) -> Array:
    """Counts (n,) that a model can be fitted to.

    Raises:
        SeriesError: there are too few, or one is no count.
    """
    if counts.ndim != 1 or counts.size < FEWEST_DAYS:
        raise SeriesError(
            f"has {counts.size} days of counts; a forecast needs {FEWEST_DAYS}: "
            "wait until there are more"
        )
    if not np.all((counts >= 0.0) & (counts <= LARGEST_COUNT)):
        raise SeriesError(
            f"has days that are no counts from 0 to {LARGEST_COUNT:g}; repair the series first"
        )
    return counts


def _are_days_off(pairs: object) -> bool:
    """Whether these are days after the start and shares of the weekend gap, in order."""
    if not isinstance(pairs, tuple):
        return False
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):  # noqa: PLR2004
        return False
    days, shares = zip(*pairs, strict=True) if pairs else ((), ())
    most = 2 * LONGEST_HISTORY
    return (
        set(map(type, days)) <= {int}
        and list(days) == sorted(set(days))
        and (not days or (days[0] >= 0 and days[-1] <= most))
        and are_numbers(shares, -5.0, 5.0, 0, most + 1)
    )


def _sums(made: Distribution, days: Sequence[int], last: Sequence[int]) -> Bands[Array]:
    lengths, lasts = np.array(days, dtype=np.float64), np.array(last, dtype=np.float64)
    mean, ends = made.sums(lengths, lasts)
    return Bands(mean[0], ends.lower_80[0], ends.upper_80[0], ends.lower_95[0], ends.upper_95[0])


def _totals(made: Distribution, spans: Sequence[int]) -> list[Total]:
    columns = _sums(made, spans, spans).columns()
    return [
        Total(**{name: float(values[at]) for name, values in columns.items()})
        for at in range(len(spans))
    ]
