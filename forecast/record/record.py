"""How good the published forecasts of all packages were, from the track record of a bundle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.bundle.tables import TOTAL_TRACK, TRACK
from forecast.config import GROUP
from forecast.quantities import WEEK
from forecast.record.weeks import all_weeks, surprises

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from forecast.bundle.reader import Bundle
    from forecast.record.weeks import Week

FEWEST_DAYS = 50  # with fewer, a share of 80 % could as well be 69 or 91 %
FEWEST_TOTALS = 20  # totals and directions are fewer, and say as much with fewer
FEWEST_FORECASTS = 5  # the days of one forecast miss together
LEVEL = 0.02  # a smaller change is no direction; the page names none either
COMPARED = 4 * WEEK  # days of the total whose direction is judged
MOST_SURPRISES = 5
HALF = 0.5  # a download added to both errors, so that errors of zero can be compared


@dataclass(frozen=True)
class Coverage:
    """Of how many days or totals how many held.

    Attributes:
        compared: how many were compared with the counts.
        inside_80: share within the 80 % band, None if too few were compared; likewise for 95 %.
    """

    compared: int
    inside_80: float | None = None
    inside_95: float | None = None


@dataclass(frozen=True)
class WeekSkill:
    """Errors on the days of one week of the horizon.

    Attributes:
        week: 1 is the first week ahead.
        compared: how many days were compared.
        ratio: error over that of repeating the last week, the geometric mean of the packages;
            None if too few were compared.
    """

    week: int
    compared: int
    ratio: float | None


@dataclass(frozen=True)
class Direction:
    """How often more or fewer downloads came, as forecast.

    Attributes:
        named: how many totals of four weeks were forecast to differ from the four weeks before.
        right: share of those that differed on that side; None if they are too few.
    """

    named: int
    right: float | None = None


@dataclass(frozen=True)
class Record:
    """The record of all packages of a bundle.

    Attributes:
        since: the day of the first forecast; None before any day was compared.
        through: the last day that was compared.
        forecasts: how many were compared, a package and a run each.
        packages: of how many packages, without the groups.
        groups: of how many groups.
        days: of the days forecast.
        totals: of their totals, by number of days.
        skill: by week of the horizon.
        direction: of totals of four weeks.
        surprises: the weeks farthest outside their bands; no group beside the parts that moved it.
    """

    since: dt.date | None
    through: dt.date | None
    forecasts: int
    packages: int
    groups: int
    days: Coverage
    totals: dict[int, Coverage]
    skill: tuple[WeekSkill, ...]
    direction: Direction
    surprises: tuple[Week, ...]


def make_record(bundle: Bundle, redefined: Collection[dt.date] = ()) -> Record:
    """The record of a bundle; complete, if perhaps empty, whatever was recorded.

    Args:
        bundle: any, one without a track record too.
        redefined: the days from which on something else is counted.
    """
    table = bundle.tables[TRACK]
    rows, totals = (
        each.with_packages(np.arange(len(each.places)))
        for each in (table, bundle.tables[TOTAL_TRACK])
    )
    made = rows[["package", "made_on"]].drop_duplicates()
    names = np.array(list(table.places), dtype="U")[made["package"].unique()]
    groups = int(np.char.startswith(names, GROUP).sum())
    inside = {level: rows[f"inside_{level}"] for level in (80, 95)}
    weeks = all_weeks(bundle, redefined)
    parts = {
        name: {part.name for part in entry.parts}
        for name, entry in bundle.manifest.packages.items()
        if entry.parts
    }
    enough = len(rows) >= FEWEST_DAYS and len(made) >= FEWEST_FORECASTS
    return Record(
        since=made["made_on"].min().date() if len(made) else None,
        through=rows["date"].max().date() if len(made) else None,
        forecasts=len(made),
        packages=len(names) - groups,
        groups=groups,
        days=_coverage(inside, len(rows), enough=enough),
        totals=_totals(totals),
        skill=_skill(rows),
        direction=_direction(totals, redefined),
        surprises=tuple(surprises(weeks, MOST_SURPRISES, parts)),
    )


def _coverage(inside: Mapping[int, pd.Series[Any]], compared: int, *, enough: bool) -> Coverage:
    if not enough:
        return Coverage(compared)
    return Coverage(compared, float(inside[80].mean()), float(inside[95].mean()))


def _totals(rows: pd.DataFrame) -> dict[int, Coverage]:
    """Coverage of totals by number of days."""
    found = {}
    for days in np.unique(rows["days"].to_numpy()):
        each = rows[rows["days"] == days]
        inside = {
            level: each["downloads"].between(each[f"lower_{level}"], each[f"upper_{level}"])
            for level in (80, 95)
        }
        found[int(days)] = _coverage(inside, len(each), enough=len(each) >= FEWEST_TOTALS)
    return found


def _skill(rows: pd.DataFrame) -> tuple[WeekSkill, ...]:
    """Errors by week of the horizon; a package counts once, however large it is.

    The days after the last whole week are none, but for forecasts of less than a week.
    """
    found = []
    days = rows["horizon"].to_numpy(dtype=np.int64)
    weeks = -(-days // WEEK)
    for week in np.unique(weeks):
        if week > 1 and np.unique(days[weeks == week]).size < WEEK:
            continue
        each, ratio = rows[weeks == week], None
        if len(each) >= FEWEST_DAYS:
            errors = each[["error", "naive_error"]].groupby(each["package"]).mean() + HALF
            logs = np.log(errors.to_numpy())
            ratio = math.exp(float((logs[:, 0] - logs[:, 1]).mean()))
        found.append(WeekSkill(int(week), len(each), ratio))
    return tuple(found)


def _direction(rows: pd.DataFrame, redefined: Collection[dt.date]) -> Direction:
    """Of totals of four weeks, whether they rose or fell as forecast."""
    rows = rows[rows["days"] == COMPARED]
    before, expected = rows["before"].to_numpy(), rows["mean"].to_numpy()
    named = (np.abs(expected - before) >= LEVEL * before) & (expected != before)
    named &= ~_redefined(rows, redefined)
    count = int(named.sum())
    if count < FEWEST_TOTALS:
        return Direction(count)
    came = rows["downloads"].to_numpy() - before
    right = np.sign(came) == np.sign(expected - before)
    return Direction(count, float(right[named].mean()))


def _redefined(rows: pd.DataFrame, redefined: Collection[dt.date]) -> NDArray[np.bool_]:
    """Whether a definition changed within the four weeks of a row or those before, (rows,)."""
    start = rows["start"].to_numpy().astype("datetime64[D]")
    found = np.zeros(len(rows), dtype=bool)
    for day in redefined:
        away = (np.datetime64(day, "D") - start).astype("int64")
        found |= (away > -COMPARED) & (away < COMPARED)
    return found
