"""Which past is forecast: windows of real series, each with the days that came after."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.errors import DownloadsError, SeriesError
from forecast.model.holidays import share
from forecast.search.backtest import naive_error
from forecast.series import regular
from forecast.sources.folder import CsvFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from forecast.quantities import Array
    from forecast.sources.pypistats import PyPIStats


HORIZON = 30  # days
LONGEST_TRAINING = 180  # days, what PyPI Stats keeps
SHORTEST_TRAINING = 90
SPACING = 90  # days between origins: not a whole number of weeks, so that weekdays change
MOST_ORIGINS = 6  # a package; the newest
MOST_UNKNOWN = 0.2  # share of training days without a count
FEWEST_ACTUALS = 20  # days of the horizon that must have a count


@dataclass(frozen=True)
class Window:
    """One forecast to make.

    Attributes:
        source: the folder that the series came from.
        package: its name.
        start: first day of training.
        values: downloads a day in training, regular, shape (n,).
        actual: downloads on the days after, NaN where none was counted, (HORIZON,).
        scale: the mean absolute seasonal difference of `values`, the unit of the errors.
    """

    source: str
    package: str
    start: dt.date
    values: Array
    actual: Array
    scale: float

    @property
    def is_tuning(self) -> bool:
        """Whether the package is of the part that constants were chosen on.

        The split goes by a hash of the name, so that a package is on one side with all
        its windows and in all sources.
        """
        return hashlib.sha256(self.package.encode()).digest()[-1] % 2 == 0

    @property
    def sees_holidays(self) -> bool:
        """Whether any day of it lies between 22 December and 2 January."""
        days = self.values.size + HORIZON
        return any(share(self.start + dt.timedelta(days=day)) > 0.0 for day in range(days))


def from_folder(path: Path) -> list[Window]:
    """Windows of `path/<package>.csv` and of `path/<source>/<package>.csv`."""
    found: list[Window] = []
    for file in sorted([*path.glob("*.csv"), *path.glob("*/*.csv")]):
        try:
            counts = CsvFolder(file.parent).daily(file.stem)
        except DownloadsError:
            continue  # an index or a table of something else
        found += windows(file.parent.name, file.stem, counts)
    return found


def from_source(source: PyPIStats, packages: Iterable[str]) -> list[Window]:
    """Windows of what a source has for some packages."""
    return [
        window
        for package in packages
        for window in windows(source.kind, package, source.daily(package))
    ]


def windows(
    source: str, package: str, counts: pd.Series[int], most: int = MOST_ORIGINS
) -> Iterator[Window]:
    """The windows of one series, newest first."""
    daily = counts.asfreq("D")
    known: Array = np.array(daily, dtype=np.float64)
    for back in range(most):
        origin = known.size - HORIZON - back * SPACING
        if origin < SHORTEST_TRAINING:
            return
        first = max(origin - LONGEST_TRAINING, 0)
        actual = known[origin : origin + HORIZON]
        training = known[first:origin]
        if np.isnan(training).mean() > MOST_UNKNOWN or np.isnan(training[-1]):
            continue
        if np.count_nonzero(~np.isnan(actual)) < FEWEST_ACTUALS:
            continue
        try:
            series = regular(daily.iloc[first:origin].dropna().astype("int64"))
        except SeriesError:
            continue
        scale = naive_error(series.values)
        if scale > 0.0:
            yield Window(source, package, series.start, series.values, actual, scale)


def thinned(every: int, among: list[Window]) -> list[Window]:
    """One window in `every`, the same ones each time, at least one of each source."""
    kept = []
    for source in sorted({window.source for window in among}):
        ours = sorted((w for w in among if w.source == source), key=_draw)
        kept += ours[::every]
    return kept


def _draw(window: Window) -> str:
    text = f"{window.source}/{window.package}/{window.start.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()
