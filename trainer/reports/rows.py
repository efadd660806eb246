"""Rows of the track record of one package, by column.

A run has several tables a package, all of them small: pandas takes tens of milliseconds for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.bundle.tables import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from forecast.bundle.tables import Columns
    from forecast.quantities import Array

DAY = "datetime64[D]"


def joined(table: str, *parts: Columns) -> dict[str, NDArray[Any]]:
    """The rows of all parts one after the other, in the columns of a table."""
    return {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS[table][1:]}


def chosen(columns: Columns, which: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Some of the rows: those where a mask holds, or those at places."""
    return {name: values[which] for name, values in columns.items()}


def distinct(columns: Columns, keys: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The first row of each key; of two forecasts of one day, the one recorded first."""
    places: dict[tuple[int, ...], int] = {}
    rows = zip(*(columns[key].astype("int64").tolist() for key in keys), strict=True)
    for at, key in enumerate(rows):
        places.setdefault(key, at)
    return chosen(columns, np.fromiter(places.values(), np.int64, len(places)))


@dataclass(frozen=True)
class Counted:
    """Downloads by day.

    Attributes:
        start: the first day.
        values: those of each day from the first on, shape (days,); NaN where they are not known.
    """

    start: np.datetime64
    values: Array

    @classmethod
    def of(cls, counts: pd.Series[Any] | None) -> Counted:
        """Those of a series by ascending day, which may leave days out."""
        if counts is None or counts.empty:
            return cls(np.datetime64(0, "D"), np.zeros(0))
        days = counts.index.to_numpy().astype(DAY)
        values = np.full(int((days[-1] - days[0]).astype(np.int64)) + 1, np.nan)
        values[(days - days[0]).astype(np.int64)] = counts.to_numpy(np.float64, na_value=np.nan)
        return cls(days[0], values)

    def at(self, days: NDArray[Any]) -> Array:
        """Those of some days, same shape; NaN where they are not known."""
        places = (days.astype(DAY) - self.start).astype(np.int64)
        within = (places >= 0) & (places < self.values.size)
        found = np.full(days.shape, np.nan)
        found[within] = self.values[places[within]]
        return found
