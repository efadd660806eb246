"""Which pasts are forecast: windows of real series, each with the days that came after."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.errors import DownloadsError, SeriesError
from forecast.quantities import WEEK
from forecast.series import regular
from forecast.sources.folder import CsvFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from forecast.quantities import Array
    from forecast.sources.pypistats import PyPIStats


HORIZON = 30  # days
LONGEST_TRAINING = 180  # days, what PyPI Stats keeps
POPULATION_DAYS = 150  # a folder without a longer series is a population
MOST_UNKNOWN = 0.2  # share of training days without a count
FEWEST_ACTUALS = 20  # days of the horizon that must have a count


@dataclass(frozen=True)
class Cut:
    """How series are cut into windows.

    Attributes:
        spacing: days between origins.
        shortest: days of training at least.
        most: windows a series at most; the newest.
    """

    spacing: int
    shortest: int
    most: int


POPULATION = Cut(spacing=30, shortest=56, most=2)
# 90 days are not a whole number of weeks, so the weekday of the origin changes.
CORPUS = Cut(spacing=90, shortest=90, most=6)


@dataclass(frozen=True)
class Window:
    """One forecast to make.

    Attributes:
        source: the folder that the series came from.
        package: its name.
        group: what windows have in common that are told apart in the tables.
        start: first day of training.
        values: downloads a day in training, regular, shape (n,).
        actual: downloads on the days after, NaN where none was counted, shape (HORIZON,).
    """

    source: str
    package: str
    group: str
    start: dt.date
    values: Array
    actual: Array

    @property
    def learns(self) -> bool:
        """Whether constants are learned on the package; by a hash, alike in all sources."""
        return hashlib.sha256(self.package.encode()).digest()[-1] % 2 == 0

    @property
    def scale(self) -> float:
        """Mean absolute difference of days one week apart in training: the unit of MASE."""
        return float(np.mean(np.abs(self.values[WEEK:] - self.values[:-WEEK])))

    @property
    def first_ahead(self) -> dt.date:
        """The first day that is forecast."""
        return self.start + dt.timedelta(days=self.values.size)


@dataclass(frozen=True)
class Daily:
    """One series as read; downloads by day, days without a count left out."""

    source: str
    package: str
    counts: pd.Series[int]

    @property
    def days(self) -> int:
        """From the first to the last count."""
        return int((self.counts.index[-1] - self.counts.index[0]).days) + 1


def read(folder: Path) -> list[Daily]:
    """The series in `folder/<package>.csv` and `folder/<source>/<package>.csv`."""
    found = []
    for file in sorted([*folder.glob("*.csv"), *folder.glob("*/*.csv")]):
        try:
            counts = CsvFolder(file.parent).daily(file.stem)
        except DownloadsError:
            continue  # an index or a table of something else
        found.append(Daily(file.parent.name, file.stem, counts))
    return found


def fetched(source: PyPIStats, packages: Iterable[str]) -> list[Daily]:
    """What a source has for some packages."""
    return [Daily(source.kind, package, source.daily(package)) for package in packages]


def is_population(series: Sequence[Daily]) -> bool:
    """Whether these are many packages over the same few months, not a few over years."""
    return max((each.days for each in series), default=0) <= POPULATION_DAYS


def all_windows(series: Sequence[Daily]) -> list[Window]:
    """The windows of a population or of a corpus."""
    if not is_population(series):
        return [window for each in series for window in windows(each, CORPUS)]
    longest = max((each.days for each in series), default=0)
    whole = [each for each in series if each.days == longest]
    return [window for each in whole for window in windows(each, POPULATION)]


def windows(series: Daily, how: Cut) -> Iterator[Window]:
    """The windows of one series, newest first."""
    for back in range(how.most):
        origin = series.days - HORIZON - back * how.spacing
        if origin < how.shortest:
            return
        group = f"{origin} days" if how is POPULATION else f"up to {LONGEST_TRAINING} days"
        window = cut(series, origin, group)
        if window is not None:
            yield window


def cut(series: Daily, origin: int, group: str) -> Window | None:
    """The window that learns from the days before day `origin`, None where too few are known."""
    daily = series.counts.asfreq("D")
    first = max(origin - LONGEST_TRAINING, 0)
    training = daily.iloc[first:origin]
    actual = np.array(daily.iloc[origin : origin + HORIZON], dtype=np.float64)
    if training.isna().mean() > MOST_UNKNOWN or np.isnan(training.iloc[-1]):
        return None
    if np.count_nonzero(~np.isnan(actual)) < FEWEST_ACTUALS:
        return None
    try:
        made = regular(training.dropna().astype("int64"))
    except SeriesError:
        return None
    window = Window(series.source, series.package, group, made.start, made.values, actual)
    return window if window.scale > 0.0 else None


def thinned(windows: Sequence[Window], every: int) -> list[bool]:
    """Which windows belong to one in `every`: always the same, and some of each source."""
    kept = set()
    for source in {window.source for window in windows}:
        ours = sorted((w for w in windows if w.source == source), key=_draw)
        kept |= {id(window) for window in ours[::every]}
    return [id(window) in kept for window in windows]


def drawn(windows: Sequence[Window], packages: int) -> set[str]:
    """So many packages of the test half, always the same ones."""
    names = {window.package for window in windows if not window.learns}
    return set(sorted(names, key=_hash)[:packages])


def _draw(window: Window) -> str:
    return _hash(f"{window.source}/{window.package}/{window.start.isoformat()}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
