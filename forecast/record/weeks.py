"""Weeks whose downloads left the 95 % band that was forecast for them, and what else explains it.

A week is the first seven days of a forecast. Days off need no explanation, since the forecast
knows them; a week with an outage is never scored, so it is not here. What remains is told apart:
a change of definition, a week in which most packages moved together, and the package's own. A group
moves with its parts, so groups are no packages here, unless there is nothing else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.bundle.tables import TOTAL_TRACK
from forecast.config import GROUP
from forecast.quantities import WEEK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import pandas as pd

    from forecast.bundle.reader import Bundle
    from forecast.bundle.tables import Table

Cause = Literal["own", "common", "definition"]
MOST = 0.5  # more than this share of the packages, or of the downloads, is most of them
FEWEST_COMMON = 3  # packages; fewer that move together may do so by chance
RECENT = 9  # days from the end of a week until it is no longer "last week"


@dataclass(frozen=True)
class Week:
    """A week outside its 95 % band.

    Attributes:
        package: its name.
        start: the first of the seven days.
        made_on: the day on which it was forecast.
        downloads: how many came.
        mean: how many were expected.
        lower: the lower end of the 95 % band, downloads in the week; likewise ``upper``.
        distance: from the mean to the downloads, in half-widths of the band on that side.
        cause: "definition" if something else is counted since, "common" if most packages left
            their bands on this side, else "own".
    """

    package: str
    start: dt.date
    made_on: dt.date
    downloads: float
    mean: float
    lower: float
    upper: float
    distance: float
    cause: Cause = "own"

    @property
    def end(self) -> dt.date:
        """The last of the seven days."""
        return self.start + dt.timedelta(days=WEEK - 1)

    @property
    def above(self) -> bool:
        """Whether more came than the band allows for."""
        return self.downloads > self.upper


@dataclass(frozen=True)
class LastWeek:
    """The last week of all packages.

    Attributes:
        judged: how many packages and groups have a last week that was forecast and is counted.
        weeks: those outside their band, the farthest first.
        groups: how many of the judged are groups.
    """

    judged: int
    weeks: tuple[Week, ...]
    groups: int = 0

    @cached_property
    def by_package(self) -> Mapping[str, Week]:
        """Each of the weeks by the name of its package."""
        return {week.package: week for week in self.weeks}


def last_week(bundle: Bundle, redefined: Collection[dt.date]) -> LastWeek:
    """The packages of a bundle whose last week was unusual.

    Args:
        bundle: with a record of totals; without one no week is judged.
        redefined: the days from which on something else is counted.
    """
    rows = _weeks(bundle.tables[TOTAL_TRACK])
    rows = rows.sort_values("start", kind="stable").drop_duplicates("package", keep="last")
    made = np.datetime64(bundle.manifest.created_at.date(), "D")
    ended = rows["start"].to_numpy().astype("datetime64[D]") + WEEK - 1
    rows = rows[(made - ended).astype("int64") <= RECENT]
    weeks = _outside(rows, redefined, rows["days"])
    groups = int(rows["group"].sum())
    return LastWeek(len(rows), tuple(sorted(weeks, key=_farthest)), groups)


def all_weeks(bundle: Bundle, redefined: Collection[dt.date]) -> list[Week]:
    """Every week of the record outside its band, none of a package overlapping, by day.

    Args:
        bundle: see :func:`last_week`.
        redefined: the same.
    """
    rows = _weeks(bundle.tables[TOTAL_TRACK]).sort_values("start", kind="stable")
    found = _outside(rows, redefined, rows["made_on"])
    kept: list[Week] = []
    free: dict[str, dt.date] = {}  # package to the first day that no kept week has
    for week in found:
        if week.start >= free.get(week.package, week.start):
            kept.append(week)
            free[week.package] = week.end + dt.timedelta(days=1)
    return kept


def surprises(weeks: Iterable[Week], most: int, parts: Mapping[str, Collection[str]]) -> list[Week]:
    """The weeks farthest outside their band, one a package, without changes of definition.

    A group is left out beside the parts that moved it: they say what happened.

    Args:
        weeks: of :func:`all_weeks`.
        most: how many to tell.
        parts: names of the packages of each group.
    """
    first: dict[str, Week] = {}
    for week in sorted(weeks, key=_farthest):
        if week.cause != "definition":
            first.setdefault(week.package, week)
    while True:
        found = list(first.values())[:most]
        moved = [each for each in found if _is_told(each, found, parts.get(each.package, ()))]
        if not moved:
            return found
        del first[moved[0].package]


def _is_told(group: Week, found: Iterable[Week], parts: Collection[str]) -> bool:
    """Whether parts that are found make most of what moved a group in the same week."""
    moved = [
        abs(each.downloads - each.mean)
        for each in found
        if each.package in parts
        and each.above == group.above
        and abs((each.start - group.start).days) < WEEK
    ]
    return sum(moved) > MOST * abs(group.downloads - group.mean)


def _farthest(week: Week) -> tuple[float, str]:
    return -week.distance, week.package


def _weeks(table: Table) -> pd.DataFrame:
    """The rows of seven days, with the columns ``package`` and ``group``."""
    rows = table.with_packages(np.array(list(table.places), dtype=object))
    rows = rows[rows["days"] == WEEK]
    groups = np.array([name.startswith(GROUP) for name in rows["package"]], dtype=bool)
    return rows.assign(group=groups)


def _outside(
    rows: pd.DataFrame, redefined: Collection[dt.date], together: pd.Series[Any]
) -> list[Week]:
    """The rows outside their band, in the same order.

    Args:
        rows: weeks.
        redefined: the days from which on something else is counted.
        together: the same for rows that may move together.
    """
    above = rows["downloads"] > rows["upper_95"]
    below = rows["downloads"] < rows["lower_95"]
    counted = ~rows["group"] | bool(rows["group"].all())
    common = _most(above, together, counted) | _most(below, together, counted)
    away = above | below
    found: zip[tuple[Any, bool]] = zip(rows[away].itertuples(), common[away], strict=True)
    return [_week(row, _cause(row.start.date(), redefined, common=each)) for row, each in found]


def _most(
    side: pd.Series[bool], together: pd.Series[Any], counted: pd.Series[bool]
) -> pd.Series[bool]:
    """The rows on this side, where most of those counted that may move together are."""
    runs = side[counted].groupby(together[counted])
    most = (runs.mean() > MOST) & (runs.size() >= FEWEST_COMMON)
    return side & together.isin(most.index[most])


def _cause(start: dt.date, redefined: Collection[dt.date], *, common: bool) -> Cause:
    """What explains a week; a definition of less than a week is not yet known by a model."""
    learnt, end = start - dt.timedelta(days=WEEK), start + dt.timedelta(days=WEEK - 1)
    if any(learnt < day <= end for day in redefined):
        return "definition"
    return "common" if common else "own"


def _week(row: Any, cause: Cause) -> Week:
    edge = row.upper_95 if row.downloads > row.upper_95 else row.lower_95
    return Week(
        package=row.package,
        start=row.start.date(),
        made_on=row.made_on.date(),
        downloads=row.downloads,
        mean=row.mean,
        lower=row.lower_95,
        upper=row.upper_95,
        # A download more in both, so that a band without width has a distance too.
        distance=(abs(row.downloads - row.mean) + 1.0) / (abs(edge - row.mean) + 1.0),
        cause=cause,
    )
