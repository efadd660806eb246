"""What days off are called, for the chart: the names of what `days_off` knows by number."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from forecast.model.constants import constants
from forecast.search.days_off import (
    AFTERMATH,
    CHRISTMAS,
    ONE,
    REGIONS,
    RUN_UP,
    SUBDIVISIONS,
    listed,
)

if TYPE_CHECKING:
    import datetime as dt

UNNAMED = "Day off"  # as the holidays call one that was moved there
HOME = "US"  # whose holidays need no country beside their name
REMARK = re.compile(r" \(.*\)")  # observed, estimated, substituted from another day


def name_of(day: dt.date) -> str:
    """The name of a day off, such as "Thanksgiving Day", or of what it lies beside."""
    date = (day.month, day.day)
    if date == (12, 31) or date in AFTERMATH or date == (1, 1):
        return "New Year"
    if date in RUN_UP or date in CHRISTMAS:
        return "Christmas"
    beside = ((day, "{}"), (day - ONE, "Day after {}"), (day + ONE, "Day before {}"))
    for other, text in beside:
        found = _names(other.year).get(other)
        if found:
            return text.format(found)
    return UNNAMED


@cache
def _names(year: int) -> dict[dt.date, str]:
    """By day of a year, the holiday that moves most downloads; with its country if it has one."""
    weights: dict[dt.date, dict[str, float]] = {}
    countries: dict[tuple[dt.date, str], set[str]] = {}
    for region, parts in REGIONS.items():
        learned = constants().days_off[region] / sum(parts.values())
        for country, part in parts.items():
            for day, name in _feasts(country, year).items():
                said = weights.setdefault(day, {})
                said[name] = said.get(name, 0.0) + learned * part
                countries.setdefault((day, name), set()).add(country)
    found = {}
    for day, said in weights.items():
        name = max(said, key=lambda each: said[each])
        where = countries[day, name]
        found[day] = name if len(where) > 1 or HOME in where else f"{name} ({min(where)})"
    return found


def _feasts(country: str, year: int) -> dict[dt.date, str]:
    """The holidays of a country by day; one that was moved has the name of the nearest other."""
    days = listed(country, SUBDIVISIONS.get(country, (None,))[0], range(year, year + 1))
    names = {day: REMARK.sub("", name.partition(";")[0]) for day, name in days.items()}
    named = [day for day, name in names.items() if name != UNNAMED]
    return {day: names[min(named, key=lambda other: abs(day - other))] for day in names}
