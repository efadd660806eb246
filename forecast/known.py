"""Through when counts are known: one notion for every source.

The last complete day is yesterday, UTC. Sources leave out the days without a download, so a
package whose counts end before those of the others had none since, if it is rarely downloaded
or has been silent for over a week. A shorter silence of another package may be a late count.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Days = NDArray[np.datetime64]

RARE = 10.0  # a package with fewer a day than this plausibly has days without any download
LONGEST_DELAY = 7  # days that counts may be late; a longer silence of a package means no downloads
RECENTLY = np.timedelta64(27, "D")  # four weeks with their last day


@dataclass(frozen=True)
class Known:
    """How far the counts of a package reach.

    Attributes:
        through: the last day that is known.
        stopped: the last day with a download, if they stopped; None if not.
    """

    through: dt.date
    stopped: dt.date | None = None


def complete(counts: pd.Series[int], today: dt.date) -> pd.Series[int]:
    """The counts of the days before today, which is not over."""
    return counts[counts.index < pd.Timestamp(today)]


def is_over(through: dt.date, horizon: int, today: dt.date) -> bool:
    """Whether a forecast of so many days after the last one known lies in the past."""
    return through + dt.timedelta(days=horizon) < today


def known(counts: pd.Series[int], through: dt.date | None = None) -> Known:
    """How far the counts of a package reach.

    Args:
        counts: downloads by ascending day, one at least.
        through: the last day that any package has counts of; None if there is no other.
    """
    days, values = days_of(counts), counts.to_numpy()
    last_row: dt.date = days[-1].item()
    end = max(last_row, through) if through else last_row
    seen = np.flatnonzero(values > 0)
    if not seen.size:
        return Known(end)
    last: dt.date = days[seen[-1]].item()
    recent = seen[days[seen] >= days[seen[-1]] - RECENTLY]
    if np.median(values[recent]) < RARE:
        return Known(end)
    if (end - last).days > LONGEST_DELAY:
        return Known(end, last)
    return Known(last_row)


def days_of(counts: pd.Series[int]) -> Days:
    """The days of counts, shape (days,); pandas' own take longer for a short series."""
    return counts.index.to_numpy().astype("datetime64[D]")
