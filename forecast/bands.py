"""A point forecast with its two bands: the five columns, their order and their check."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from forecast.quantities import Array

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pandas as pd

T = TypeVar("T")


@dataclass(frozen=True)
class Bands(Generic[T]):
    """The five columns, in the order of every table.

    Attributes:
        mean: the point forecast, the middle of the predictive distribution.
        lower_80: with ``upper_80``, the 80 % band; likewise for 95 %.
    """

    mean: T
    lower_80: T
    upper_80: T
    lower_95: T
    upper_95: T

    def columns(self) -> dict[str, T]:
        """Value by column, in the order of ``BAND_COLUMNS``."""
        return {name: getattr(self, name) for name in BAND_COLUMNS}


BAND_COLUMNS = tuple(field.name for field in fields(Bands))
ASCENDING = ("lower_95", "lower_80", "mean", "upper_80", "upper_95")  # as values, not as columns


@dataclass(frozen=True)
class Forecast(Bands[Array]):
    """Daily forecasts from ``start`` on; arrays of shape (days,), downloads a day.

    Attributes:
        start: the day after the last observation.
    """

    start: dt.date

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


def are_bands(table: Mapping[str, Array] | pd.DataFrame) -> bool:
    """Whether the values of a table are finite, not negative, and each within its bands."""
    rising = np.array([table[name] for name in ASCENDING], dtype=np.float64)
    if not (np.isfinite(rising).all() and (rising >= 0).all()):
        return False
    return bool((np.diff(rising, axis=0) >= 0).all())
