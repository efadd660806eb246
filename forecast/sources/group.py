"""The counts of a group: the sum of its parts, over the days on which it is known.

This is the one place where counts are added up. A day of a part that is missing makes the day of
the sum missing, unless it means that the part had no download; so no gap lowers the sum. A part
that stopped, or that is new, adds nothing before or after, and is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from forecast.bundle.manifest import PartEntry
from forecast.errors import SeriesError
from forecast.known import LONGEST_DELAY, known
from forecast.quantities import LARGEST_COUNT
from forecast.series import known_days

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


def add_up(
    parts: Mapping[str, pd.Series[int]],
    through: dt.date | None,
    covered: dt.date | None = None,
) -> pd.Series[int]:
    """The sum of some packages, int64 by ascending day, without the days on which it is unknown.

    Args:
        parts: the counts of each, one part and one day at least.
        through: the last day that any package has counts of.
        covered: the day from which on the source has the counts of every package, so that a
            package had no downloads between it and its first one; None if nobody knows.

    Raises:
        SeriesError: if a day has more downloads than can be.
    """
    columns = {name: known_days(counts, through) for name, counts in parts.items()}
    if covered:
        for name in _late(parts, covered):
            days = pd.date_range(covered, columns[name].index[-1], freq="D")
            columns[name] = columns[name].reindex(days, fill_value=0.0)
    total = pd.DataFrame(columns).sum(axis=1, skipna=False).dropna()
    counted = pd.concat([pd.Series(0, index=counts.index) for counts in parts.values()]).index
    total = total[total.index.isin(counted)]
    if (total > LARGEST_COUNT).any():
        raise SeriesError(f"has more than {LARGEST_COUNT:,} downloads on a day: see its parts")
    return total.astype("int64").rename("downloads")


def entries(
    parts: Mapping[str, pd.Series[int]],
    missing: Mapping[str, str],
    through: dt.date | None,
    covered: dt.date | None = None,
) -> tuple[PartEntry, ...]:
    """What must be said of each part.

    Args:
        parts: the counts of those that are in the sum.
        missing: why the others are not.
        through: see :func:`add_up`.
        covered: likewise.
    """
    late = _late(parts, covered)
    summed = [
        PartEntry(
            name=name,
            no_counts_since=known(counts, through).stopped,
            no_counts_before=counts.index[0].date() if name in late else None,
        )
        for name, counts in parts.items()
    ]
    return (*summed, *(PartEntry(name=name, missing=why) for name, why in missing.items()))


def _late(parts: Mapping[str, pd.Series[int]], covered: dt.date | None) -> set[str]:
    """The parts whose counts begin long after those of the others."""
    firsts = {name: counts.index[0].date() for name, counts in parts.items()}
    begin = min(firsts.values())
    begin = max(begin, covered) if covered else begin
    return {name for name, first in firsts.items() if (first - begin).days > LONGEST_DELAY}
