"""From counts as fetched to a regular daily series that a model can be fitted to.

PyPI Stats leaves a day out if it failed that day, for every package at once, or if
a package had no download. The first is interpolated, the second is a zero: where the package
is rare, and where its weekday is left out nearly always.
Interpolated days are listed, so that a reader can tell estimates from counts.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import SeriesError
from forecast.known import RARE, Known, days_of, is_over, known
from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from forecast.known import Days

FEWEST_DAYS = 14  # two weeks, so that each weekday is seen twice
MOST_MISSING = 0.5  # share of days; beyond it the estimates outweigh the counts
TRAINING_DAYS = 180  # what PyPI Stats keeps; a year did not improve the forecasts when measured
FAR_BELOW = np.log(3.0)  # less than a third of the weekday's median within four weeks
OFTEN = 0.8  # of a weekday's days; a weekday left out so often has no downloads
FEWEST_WEEKS = 3  # from which that is told
WEEKS_AROUND = 4
FEWEST_PACKAGES = 3  # packages needed to call a fault an outage of the source
SHARE_OF_PACKAGES = 0.9
LEAST_MEDIAN = 50.0  # median count from which a drop to a third is unlikely by chance
PACKAGES_AT_ONCE = 64  # packages counted in one table
LONGEST_LOW_TAIL = 7  # days; a longer low stretch that ends on the last day is a new level


@dataclass(frozen=True)
class Series:
    """One package's counts for every day of a span.

    Attributes:
        start: the first day.
        values: float64, shape (days,), downloads a day, finite and not negative.
        repaired: the days whose value is an estimate, ascending.
        stopped: the last day with a download, if they stopped; None if not.
    """

    start: dt.date
    values: Array
    repaired: tuple[dt.date, ...]
    stopped: dt.date | None = None

    @cached_property
    def rows(self) -> list[tuple[str, float, bool]]:
        """Each day with its value, and whether that is an estimate."""
        repaired, first = set(self.repaired), self.start.toordinal()
        return [
            ((day := dt.date.fromordinal(at)).isoformat(), value, day in repaired)
            for at, value in enumerate(self.values.tolist(), first)
        ]

    @property
    def last_day(self) -> dt.date:
        """The last day known."""
        return self.start + dt.timedelta(days=len(self.values) - 1)

    def seen_on(self, today: dt.date, horizon: int) -> Series:
        """The same; if a forecast of so many days lies in the past, its counts have stopped."""
        if self.stopped or not is_over(self.last_day, horizon, today):
            return self
        return replace(self, stopped=self.last_day)


def recent(counts: pd.Series[int], through: dt.date | None = None) -> pd.Series[int]:
    """The counts that a model is trained on: those of the last 180 days that are known.

    Args:
        counts: downloads by ascending day.
        through: see :func:`regular`.
    """
    if counts.empty:
        return counts
    begin = known(counts, through).through - dt.timedelta(days=TRAINING_DAYS - 1)
    kept = counts.loc[pd.Timestamp(begin) :]
    return counts.iloc[-1:] if kept.empty else kept  # they stopped longer ago


def regular(
    counts: pd.Series[int], outages: Collection[dt.date] = (), through: dt.date | None = None
) -> Series:
    """Make a package's counts regular.

    A day of an outage counts as missing whatever was published for it. A missing
    day of a rarely downloaded package is a zero, and so is that of a weekday which is
    nearly always missing; any other is interpolated on the log scale between its
    neighbours with the weekday's effect taken out and put back (as ``na.interp`` of R's
    forecast package does for seasonal series).

    Args:
        counts: downloads by day; a DatetimeIndex, ascending, without duplicates.
        outages: the days that failed for every package.
        through: the last day that any package has counts of; None if there is no other.

    Raises:
        SeriesError: if fewer than 14 days are known, or more than half are missing.
    """
    failed = np.array(sorted(outages), dtype="datetime64[D]")
    doubtful = np.isin(days_of(counts), failed)
    observed = counts[~doubtful] if doubtful.any() else counts
    if observed.empty:
        raise _too_few(0)
    reach = known(observed, through)
    values = _through(observed, reach, failed)
    missing = np.isnan(values)
    if (~missing).sum() < FEWEST_DAYS:
        raise _too_few(int((~missing).sum()))
    if missing.mean() > MOST_MISSING:
        raise SeriesError(
            f"has no count on {missing.sum()} of {len(values)} days; "
            f"at most {MOST_MISSING:.0%} may be missing: wait until there are more, or write a 0 "
            "for each day without a download, if the counts are your own"
        )
    if missing.any():
        values[missing] = _interpolated(values)[missing]
    start = observed.index[0].date()
    repaired = tuple(start + dt.timedelta(days=int(day)) for day in np.flatnonzero(missing))
    return Series(start, values, repaired, reach.stopped)


def known_days(counts: pd.Series[int], through: dt.date | None) -> pd.Series[float]:
    """Every day from the first to the last one known: its count, 0 without a download, else NaN.

    Args:
        counts: downloads by day, of one day at least; a DatetimeIndex, ascending.
        through: see :func:`regular`.
    """
    values = _through(counts, known(counts, through), np.empty(0, dtype="datetime64[D]"))
    return pd.Series(values, pd.date_range(counts.index[0], periods=len(values), freq="D"))


def _through(counts: pd.Series[int], reach: Known, failed: Days) -> Array:
    """The counts of every day, as those of :func:`known_days`.

    Args:
        counts: downloads by ascending day, of one day at least.
        reach: how far they reach.
        failed: days whose count is unknown if it is missing.
    """
    days = days_of(counts)
    first, last = days[0], max(days[-1], np.datetime64(reach.through, "D"))
    values = np.full(int((last - first).astype(np.int64)) + 1, np.nan)
    places = (days - first).astype(np.int64)
    values[places] = counts
    if reach.stopped:  # no day of the silence is in doubt, not even that of an outage
        values[int((np.datetime64(reach.stopped, "D") - first).astype(np.int64)) + 1 :] = 0.0
    missing = np.isnan(values)
    if missing.any():
        without = (_level(values) < RARE) | _left_out_weekdays(values)
        without[places[-1] + 1 :] = True
        without &= ~np.isin(first + np.arange(values.size), failed)
        values[missing & without] = 0.0
    return values


def _too_few(days: int) -> SeriesError:
    return SeriesError(
        f"has {days} observed days; a forecast needs {FEWEST_DAYS}: wait until there are more, "
        "or take it out of config.toml"
    )


class OutageDetector:
    """Finds the days on which the source failed, from the counts of many packages.

    A real event changes one package, a fault of the source all of them. A day is an outage
    if it is missing or far too low for nine packages in ten. "Far too low" is less than a
    third of the median of the same weekday within four weeks. Packages with a median below
    50 a day are ignored, and at least three must cover the day. Memory use grows with the
    number of days, not of packages.
    """

    def __init__(self) -> None:
        self._waiting: list[pd.Series[int]] = []
        self._packages = 0
        self._tally = pd.DataFrame(columns=["covered", "failed"], dtype="int64")

    def add(self, counts: pd.Series[int]) -> None:
        """Add one package's counts by day."""
        if len(counts) >= FEWEST_DAYS and float(counts.median()) >= LEAST_MEDIAN:
            self._waiting.append(counts)
        if len(self._waiting) >= PACKAGES_AT_ONCE:
            self._count()

    def outages(self) -> frozenset[dt.date]:
        """The days on which the source failed, by the packages added so far."""
        self._count()
        if self._packages < FEWEST_PACKAGES:
            return frozenset()
        table = self._tally.sort_index().asfreq("D", fill_value=0)
        covered, failed = table["covered"].to_numpy(), table["failed"].to_numpy()
        common = (covered >= FEWEST_PACKAGES) & (failed >= SHARE_OF_PACKAGES * covered)
        _clear_long_tail(common)
        return frozenset(day.date() for day in pd.DatetimeIndex(table.index)[common])

    def _count(self) -> None:
        if not self._waiting:
            return
        table = pd.concat(self._waiting, axis=1, sort=True).asfreq("D")
        values = table.to_numpy(dtype=np.float64)
        covered = _covered(values)
        failed = (np.isnan(values) | _far_below(values)) & covered
        counted = pd.DataFrame(
            {"covered": covered.sum(axis=1), "failed": failed.sum(axis=1)}, index=table.index
        )
        self._tally = self._tally.add(counted, fill_value=0) if self._packages else counted
        self._packages += len(self._waiting)
        self._waiting.clear()


def _covered(values: Array) -> NDArray[np.bool_]:
    """Whether a day lies between a package's first and last count; shape as ``values``."""
    seen = ~np.isnan(values)
    begun = np.logical_or.accumulate(seen, axis=0)
    to_come = np.logical_or.accumulate(seen[::-1], axis=0)[::-1]
    return begun & to_come


def _far_below(values: Array) -> NDArray[np.bool_]:
    """Whether a day has less than a third of its weekday's median; shape as ``values``."""
    reach = WEEKS_AROUND * WEEK
    padded = np.pad(np.log1p(values), ((reach, reach), (0, 0)), constant_values=np.nan)
    shifts = [WEEK * week for week in range(-WEEKS_AROUND, WEEKS_AROUND + 1) if week]
    length = len(values)
    around = np.stack([padded[reach + shift : reach + shift + length] for shift in shifts])
    medians = pd.DataFrame(around.reshape(len(shifts), -1)).median()
    usual = np.array(medians, dtype=np.float64).reshape(values.shape)
    far_below: NDArray[np.bool_] = np.log1p(values) - usual < -FAR_BELOW
    return far_below


def _clear_long_tail(common: NDArray[np.bool_]) -> None:
    """Clear, in place, a stretch of over a week that ends on the newest day."""
    normal = np.flatnonzero(~common)
    tail = int(normal[-1]) + 1 if normal.size else 0
    if len(common) - tail > LONGEST_LOW_TAIL:
        common[tail:] = False


def _left_out_weekdays(values: Array) -> NDArray[np.bool_]:
    """Whether a day's weekday is missing in nearly all weeks that have any; shape as ``values``."""
    missing = np.isnan(values)
    weeks = np.arange(values.size) // WEEK
    counted = np.isin(weeks, weeks[~missing])
    found = np.zeros(values.size, dtype=np.bool_)
    for weekday in range(WEEK):
        days = np.arange(weekday, values.size, WEEK)
        days = days[counted[days]]
        found[days] = days.size >= FEWEST_WEEKS and missing[days].mean() >= OFTEN
    return found


def _level(values: Array) -> Array:
    """The median of the counts within two weeks of each day, NaN where there are none."""
    window = 4 * WEEK + 1
    rolling = pd.Series(values).rolling(window, center=True, min_periods=1).median()
    return rolling.to_numpy(dtype=np.float64)


def _interpolated(values: Array) -> Array:
    """Every day interpolated on the log scale, with the weekday's effect."""
    logs = np.log1p(values)
    effects = _weekday_effects(logs)[np.arange(len(logs)) % WEEK]
    known = np.flatnonzero(~np.isnan(logs))
    adjusted = np.interp(np.arange(len(logs)), known, (logs - effects)[known])
    return np.maximum(np.expm1(adjusted + effects), 0.0)


def _weekday_effects(logs: Array) -> Array:
    """Median distance of each weekday from the running level, shape (7,), 0 where unknown."""
    level = pd.Series(logs).rolling(2 * WEEK + 1, center=True, min_periods=WEEK).median()
    distance = logs - level.to_numpy(dtype=np.float64)
    by_weekday = pd.Series(distance).groupby(np.arange(len(logs)) % WEEK).median()
    return by_weekday.reindex(range(WEEK)).fillna(0.0).to_numpy(dtype=np.float64)
