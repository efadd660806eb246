"""What every room means by a week, a count, a horizon and an array."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

WEEK = 7  # days
LARGEST_COUNT = 10**12  # downloads a day; all of PyPI has a hundredth of it
LONGEST_HORIZON = 90  # days that can be forecast, from the day after the last observed one
