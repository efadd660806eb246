"""What was observed is kept: counts of earlier runs and of this one, merged.

PyPI Stats forgets a day after half a year and now and then corrects one. Nothing
observed is dropped here, the later word wins, and a missing day stays missing until a
later fetch has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Merged:
    """Counts by day, and on how many days the later fetch corrected the earlier one."""

    counts: pd.Series[int]
    revised: int


def merge(earlier: pd.Series[int] | None, later: pd.Series[int]) -> Merged:
    """Merge two series of counts of one package; days ascending, each once.

    Args:
        earlier: what was known before, if anything was.
        later: what a source says now.
    """
    if earlier is None:
        earlier = pd.Series(dtype="int64", index=pd.DatetimeIndex([]))
    both = earlier.index.intersection(later.index)
    revised = int((earlier[both] != later[both]).sum())
    kept = earlier[~earlier.index.isin(later.index)]
    counts = pd.concat([kept, later]).sort_index().astype("int64").rename("downloads")
    return Merged(counts, revised)
