"""What was observed is kept: counts of earlier runs and of this one, merged.

PyPI Stats forgets a day after half a year and now and then corrects one. Nothing
observed is dropped here, the later word wins, and a missing day stays missing until a
later fetch has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Merged:
    """Counts by day, and on how many days the later fetch corrected the earlier one."""

    counts: pd.Series[int]
    revised: int


def merge(earlier: pd.Series[int], later: pd.Series[int]) -> Merged:
    """Merge two series of counts of one package; days ascending, each once."""
    both = earlier.index.intersection(later.index)
    revised = int((earlier[both] != later[both]).sum())
    kept = earlier[~earlier.index.isin(later.index)]
    counts = pd.concat([kept, later]).sort_index().astype("int64").rename("downloads")
    return Merged(counts, revised)


def merge_all(
    earlier: Mapping[str, pd.Series[int]], later: Mapping[str, pd.Series[int]]
) -> dict[str, Merged]:
    """Merge package by package; a package that only one of the two has is kept as it is."""
    nothing = pd.Series(dtype="int64", index=pd.DatetimeIndex([]))
    return {
        name: merge(earlier.get(name, nothing), later.get(name, nothing))
        for name in {**later, **earlier}
    }
