"""What every room means by a week, a count, a horizon and an array."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

WEEK = 7  # days
LARGEST_COUNT = 10**12  # downloads a day; all of PyPI has a hundredth of it
LONGEST_HORIZON = 90  # days that can be forecast, from the day after the last observed one


# The same as np.median and np.pad, which take many times as long for a single row.


def row_median(values: Array) -> Array:
    """The median along the last axis, of finite values: a NaN does not spread as in NumPy's."""
    ordered, middle = np.sort(values, axis=-1), values.shape[-1] // 2
    other = middle if values.shape[-1] % 2 else middle - 1
    return np.asarray((ordered[..., other] + ordered[..., middle]) / 2.0)


def with_edges(values: Array, days: int) -> Array:
    """Values (rows, n) with the first and the last of a row repeated, shape (rows, n + 2 days)."""
    last = values.shape[1] - 1
    return values[:, np.clip(np.arange(-days, last + days + 1), 0, last)]
