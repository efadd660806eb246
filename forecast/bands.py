"""A forecast with its two bands: the columns, their order and their check."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from forecast.quantities import LARGEST_COUNT, LONGEST_HORIZON, Array

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

T = TypeVar("T")


@dataclass(frozen=True)
class Bands(Generic[T]):
    """What a day and a total have in common.

    Attributes:
        mean: the mean of the predictive distribution; the means of days add up to a total.
        lower_80: with ``upper_80``, the 80 % band; likewise for 95 %.
    """

    mean: T
    lower_80: T
    upper_80: T
    lower_95: T
    upper_95: T

    def columns(self) -> dict[str, T]:
        """Value by column, in the order of ``TOTAL_COLUMNS``, or of a subclass."""
        return {name: getattr(self, name) for name in TOTAL_COLUMNS}


TOTAL_COLUMNS = tuple(field.name for field in fields(Bands))
MEDIAN = "median"
BAND_COLUMNS = ("mean", MEDIAN, *TOTAL_COLUMNS[1:])  # of a day, in the order of every table
SHORT_TOTALS = (7, 14, 28)  # days that a bundle has totals of, besides all days forecast
LARGEST_FORECAST = 2 * LARGEST_COUNT * LONGEST_HORIZON  # downloads, the end of a band included
ENDS = ("lower_95", "lower_80", "upper_80", "upper_95")  # ascending


@dataclass(frozen=True)
class Forecast(Bands[Array]):
    """Daily forecasts from ``start`` on; arrays of shape (days,), downloads a day.

    Attributes:
        median: the middle of the predictive distribution, which half of such days exceed; it
            has the least absolute error.
        start: the day after the last observation.
    """

    median: Array
    start: dt.date

    def columns(self) -> dict[str, Array]:
        """Value by column, in the order of ``BAND_COLUMNS``."""
        return {name: getattr(self, name) for name in BAND_COLUMNS}

    @cached_property
    def rows(self) -> list[tuple[str, dict[str, float]]]:
        """Each day with its value by column, to a tenth of a download."""
        found = [values.tolist() for values in self.columns().values()]
        columns = [[round(value, 1) for value in values] for values in found]
        return [
            (
                (self.start + dt.timedelta(days=at)).isoformat(),
                dict(zip(BAND_COLUMNS, row, strict=True)),
            )
            for at, row in enumerate(zip(*columns, strict=True))
        ]

    @classmethod
    def of(cls, start: dt.date, table: Mapping[str, Array] | pd.DataFrame) -> Forecast:
        """The forecast in the columns of a table, which may have others too."""
        columns = {name: np.asarray(table[name], dtype=np.float64) for name in BAND_COLUMNS}
        return cls(start=start, **columns)

    def first(self, days: int) -> Forecast:
        """The forecast of the first days."""
        return Forecast.of(self.start, {name: v[:days] for name, v in self.columns().items()})


@dataclass(frozen=True)
class Total(Bands[float]):
    """The sum of the next days' downloads, with the band of the sum itself."""


def total_spans(days: int) -> tuple[int, ...]:
    """How many days each total of a bundle has that forecasts so many days; ascending."""
    return (*(short for short in SHORT_TOTALS if short < days), days)


def are_bands(table: Mapping[str, Array] | pd.DataFrame) -> bool:
    """Whether days are finite, not negative, and within their bands.

    The median lies within both bands. The mean of skewed counts may lie outside that of 80 %.
    """
    return _rise(table, MEDIAN) and _rise(table, "mean", within="95")


def are_totals(table: Mapping[str, Array] | Mapping[str, float] | pd.DataFrame) -> bool:
    """Whether totals are finite, not negative, and their means within both bands."""
    return _rise(table, "mean")


def _rise(
    table: Mapping[str, Array] | Mapping[str, float] | pd.DataFrame,
    middle: str,
    *,
    within: str = "",
) -> bool:
    """Whether the ends of the bands and what they surround are counts, and in order."""
    ends = [name for name in ENDS if name.endswith(within)]
    half = len(ends) // 2
    rising = np.array(
        [table[name] for name in (*ends[:half], middle, *ends[half:])], dtype=np.float64
    )
    if not ((rising >= 0) & (rising <= LARGEST_FORECAST)).all():
        return False
    return bool((np.diff(rising, axis=0) >= 0).all())
