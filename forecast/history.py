"""Merges the counts of earlier runs with those of this one.

PyPI Stats drops a day after half a year, and sometimes corrects one. This module drops no
observed day and takes the later count of a day. A missing day stays missing until a later
fetch has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Merged:
    """Counts by day, and the number of days that the later fetch corrected."""

    counts: pd.Series[int]
    revised: int


def merge(earlier: pd.Series[int] | None, later: pd.Series[int]) -> Merged:
    """Merge two series of counts of one package; days ascending, each once.

    Args:
        earlier: the history so far, None if there is none.
        later: the counts fetched now.
    """
    counts, revised = later, 0
    if earlier is not None:
        # Masks, as looking the days up costs several times as much; both are in order.
        again = earlier.index.isin(later.index)
        fetched = later[later.index.isin(earlier.index)].to_numpy()
        revised = int((earlier[again].to_numpy() != fetched).sum())
        counts = pd.concat([earlier[~again], later]).sort_index()
    return Merged(counts.astype("int64").rename("downloads"), revised)
