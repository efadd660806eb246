"""What every room means by a week, a count, a horizon and an array."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Bound: TypeAlias = float | NDArray[Any]
Kind = TypeVar("Kind", bound=np.generic)

WEEK = 7  # days
LARGEST_COUNT = 10**12  # downloads a day; all of PyPI has a hundredth of it
LONGEST_HORIZON = 90  # days that can be forecast, from the day after the last observed one


# The same as np.median, np.pad, np.clip and NumPy's sliding_window_view, which take many times
# as long for a single row.


def row_median(values: Array) -> Array:
    """The median along the last axis, of finite values: a NaN does not spread as in NumPy's."""
    ordered, middle = np.sort(values, axis=-1), values.shape[-1] // 2
    other = middle if values.shape[-1] % 2 else middle - 1
    return np.asarray((ordered[..., other] + ordered[..., middle]) / 2.0)


def with_edges(values: Array, days: int) -> Array:
    """Values (rows, n) with the first and the last of a row repeated, shape (rows, n + 2 days)."""
    last = values.shape[1] - 1
    return np.asarray(values[:, bounded(np.arange(-days, last + days + 1), 0, last)])


def bounded(values: NDArray[Any], lowest: Bound, highest: Bound) -> NDArray[Any]:
    """Values within their bounds, which broadcast with them."""
    return np.asarray(np.minimum(np.maximum(values, lowest), highest))


def windows(values: NDArray[Kind], days: int) -> NDArray[Kind]:
    """Windows of so many days along the last axis: (rows, n) gives (rows, n + 1 - days, days)."""
    first = np.arange(values.shape[-1] + 1 - days)
    return np.asarray(values[..., first[:, None] + np.arange(days)])
