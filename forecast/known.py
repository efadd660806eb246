"""Through when counts are known: one notion for every source.

The last complete day is yesterday, UTC. Sources leave out the days without a download, so a
package whose counts end before those of the others had none since, if it is rarely downloaded
or has been silent for over a week. A shorter silence of another package may be a late count.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

RARE = 10.0  # a package with fewer a day than this plausibly has days without any download
LONGEST_DELAY = 7  # days that counts may be late; a longer silence of a package means no downloads
RECENTLY = pd.Timedelta(days=27)  # four weeks with their last day


@dataclass(frozen=True)
class Known:
    """How far the counts of a package reach.

    Attributes:
        through: the last day that is known.
        stopped: the last day with a download, if they stopped; None if not.
    """

    through: pd.Timestamp
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
    last_row = pd.Timestamp(counts.index[-1])
    end = max(last_row, pd.Timestamp(through)) if through else last_row
    values = counts.to_numpy()
    seen = np.flatnonzero(values > 0)
    if not seen.size:
        return Known(end)
    last = pd.Timestamp(counts.index[seen[-1]])
    recent = seen[seen >= counts.index.searchsorted(last - RECENTLY)]
    if np.median(values[recent]) < RARE:
        return Known(end)
    if (end - last).days > LONGEST_DELAY:
        return Known(end, last.date())
    return Known(last_row)
