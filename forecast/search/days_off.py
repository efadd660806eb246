"""Days off: which part of its weekend gap a package loses on a day.

On a holiday a package is downloaded as if the day were, in part, a Sunday. The part is
the same for all packages once it is told in units of the weekend gap, the distance of
weekdays from weekends in ln(1 + y), so it can be learned from thousands of them. It is
linear in the columns of a small table (`COLUMNS`): a day's share is the sum over the
columns of what the column holds on that day, times its learned weight.

The holidays come from the package `holidays`, for every year that it knows; moving
feasts, observed days and substituted days are its business. Countries enter with rough
weights that were guessed from published shares of downloads; what is learned is one
weight a region. A holiday whose date is estimated counts half on its day and a quarter
on each neighbour.
"""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from forecast.model.constants import constants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forecast.quantities import Array

ONE = dt.timedelta(days=1)
FRIDAY, SATURDAY = 4, 5

# Parts of the world's downloads, guessed; within a region only their proportions matter.
REGIONS: dict[str, dict[str, float]] = {
    "europe": {
        "GB": 0.05,
        "DE": 0.06,
        "FR": 0.04,
        "IT": 0.02,
        "ES": 0.025,
        "NL": 0.02,
        "PL": 0.02,
        "SE": 0.01,
        "CH": 0.01,
        "BE": 0.01,
        "AT": 0.005,
        "CZ": 0.008,
    },
    "asia": {"IN": 0.06, "JP": 0.03, "KR": 0.02},
    "elsewhere": {"BR": 0.025, "CA": 0.03, "AU": 0.02},
    "china": {"CN": 0.06},
    "united_states": {"US": 0.34},
}
# What a country without subdivision leaves out; the mean of these stands for it.
SUBDIVISIONS: dict[str, Sequence[str | None]] = {
    "GB": ("ENG",),
    "DE": ("BW", "BY", "NW", "HE", "BE", "HH"),
    "CA": ("ON", "QC", "BC"),
    "AU": ("NSW", "VIC"),
    "ES": ("MD", "CT"),
    "IN": (None, "KA", "MH"),
    "CH": ("ZH",),
}
# The US federal holidays on which offices close; on the others (minor) mostly they do not.
US_MAJOR = ("New Year", "Memorial", "Independence", "Labor", "Thanksgiving", "Christmas")
MINOR = "US minor"

COLUMNS = (
    "united_states",
    "united_states_minor",
    "china",
    "europe",
    "asia",
    "elsewhere",
    "friday_after_thanksgiving",
    "eve",
    "day_after",
    "bridge",
    "long_weekend",
    "on_weekend",
    "christmas_run_up",
    "december_24",
    "december_25",
    "december_26",
    "december_27_to_30",
    "december_31",
    "january_1",
    "january_2_to_7",
    "christmas_weekend",
)
PLACE = {name: place for place, name in enumerate(COLUMNS)}
RUN_UP = {(12, 21): 1 / 3, (12, 22): 2 / 3, (12, 23): 1.0}
CHRISTMAS = {
    (12, 24): "december_24",
    (12, 25): "december_25",
    (12, 26): "december_26",
    **dict.fromkeys([(12, day) for day in range(27, 31)], "december_27_to_30"),
    (12, 31): "december_31",
    (1, 1): "january_1",
}
AFTERMATH = {(1, 2): 1.0, (1, 3): 0.8, (1, 4): 0.6, (1, 5): 0.4, (1, 6): 0.25, (1, 7): 0.1}


@dataclass(frozen=True)
class Calendar:
    """The days off from `first` to `last`, with the learned weights of the columns.

    Build it once a run: all countries and years take a tenth of a second.
    """

    first: dt.date
    last: dt.date
    weights: tuple[float, ...]

    def shares(self, start: dt.date, days: int) -> Array:
        """Share of the weekend gap lost on each of `days` days from `start`, shape (days,).

        0 is an ordinary day, 1 a weekday that looks like a weekend. Days outside the
        calendar are ordinary.
        """
        offset = (start - self.first).days
        found = np.zeros(days)
        known = self._shares
        begin, end = max(offset, 0), min(offset + days, known.size)
        if begin < end:
            found[begin - offset : end - offset] = known[begin:end]
        return found

    @cached_property
    def _shares(self) -> Array:
        days = (self.last - self.first).days + 1
        return np.asarray(table(self.first, days) @ np.array(self.weights))


@cache
def calendar_of(first_year: int, last_year: int) -> Calendar:
    """The calendar of whole years with the weights that are shipped, built once a process."""
    weights = tuple(constants().days_off[name] for name in COLUMNS)
    return Calendar(dt.date(first_year, 1, 1), dt.date(last_year, 12, 31), weights)


def table(start: dt.date, days: int) -> Array:
    """What each column holds on each day, shape (days, len(COLUMNS))."""
    dates = [start + day * ONE for day in range(days)]
    off = _days_off({day.year for day in (dates[0] - 5 * ONE, dates[-1] + 5 * ONE)})
    return np.stack([_row(day, off) for day in dates])


def _days_off(years: Iterable[int]) -> dict[str, dict[dt.date, float]]:
    """By country, the days off and the part of it that has them."""
    span = range(min(years), max(years) + 1)
    found: dict[str, dict[dt.date, float]] = {MINOR: {}}
    for country in [country for region in REGIONS.values() for country in region]:
        parts = SUBDIVISIONS.get(country, (None,))
        ours: dict[dt.date, float] = {}
        for part in parts:
            for day, name in listed(country, part, span).items():
                minor = country == "US" and not any(each in name for each in US_MAJOR)
                into = found[MINOR] if minor or "Juneteenth" in name else ours
                _add(into, day, 1 / len(parts), estimated="(estimated)" in name)
        found[country] = ours
    return found


def listed(country: str, part: str | None, years: range) -> dict[dt.date, str]:
    """The holidays of a country, or of a subdivision, with their names."""
    import holidays  # noqa: PLC0415 - a page that trains nothing does without

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years for which some feast is not known
        return dict(
            holidays.country_holidays(country, subdiv=part, years=years, language="en_US").items()
        )


def _add(into: dict[dt.date, float], day: dt.date, part: float, *, estimated: bool) -> None:
    """Note a day off; one whose date is estimated is spread over three days."""
    spread = {-1: 0.25, 0: 0.5, 1: 0.25} if estimated else {0: 1.0}
    for distance, share in spread.items():
        at = day + distance * ONE
        into[at] = min(into.get(at, 0.0) + part * share, 1.0)


def _row(day: dt.date, off: dict[str, dict[dt.date, float]]) -> Array:
    row = np.zeros(len(COLUMNS))
    date = (day.month, day.day)
    row[PLACE["christmas_run_up"]] = RUN_UP.get(date, 0.0)
    row[PLACE["january_2_to_7"]] = AFTERMATH.get(date, 0.0)
    if day.weekday() >= SATURDAY:
        row[PLACE["long_weekend"]] = _world(_friday(day), off) + _world(_friday(day) + 3 * ONE, off)
        row[PLACE["on_weekend"]] = _world(day, off)
        row[PLACE["christmas_weekend"]] = float(date in CHRISTMAS)
        row[[PLACE["christmas_run_up"], PLACE["january_2_to_7"]]] *= 0.3
        return row
    if date in CHRISTMAS:
        row[PLACE[CHRISTMAS[date]]] = 1.0
        return row
    for region, countries in REGIONS.items():
        whole = sum(countries.values())
        shares = [part * _off(country, day, off) for country, part in countries.items()]
        row[PLACE[region]] = sum(shares) / whole
    thanksgiving = day.month == 11 and 23 <= day.day <= 29 and day.weekday() == FRIDAY  # noqa: PLR2004
    row[PLACE["united_states_minor"]] = off[MINOR].get(day, 0.0)
    row[PLACE["friday_after_thanksgiving"]] = float(thanksgiving)
    before, here, after = (_world(day + step * ONE, off) for step in (-1, 0, 1))
    row[PLACE["day_after"]] = max(before - here, 0.0) if day.weekday() else 0.0
    row[PLACE["eve"]] = max(after - here, 0.0) if day.weekday() < FRIDAY else 0.0
    if day.weekday() in {0, FRIDAY} and not thanksgiving:
        row[PLACE["bridge"]] = max((after if day.weekday() == 0 else before) - here, 0.0)
    return row


def _off(country: str, day: dt.date, off: dict[str, dict[dt.date, float]]) -> float:
    """The part of a country that is off; Christmas to New Year has columns of its own."""
    date = (day.month, day.day)
    return 0.0 if date in CHRISTMAS or date in AFTERMATH else off[country].get(day, 0.0)


def _world(day: dt.date, off: dict[str, dict[dt.date, float]]) -> float:
    """The part of all countries together that is off on a day."""
    return sum(
        part * _off(country, day, off)
        for countries in REGIONS.values()
        for country, part in countries.items()
    )


def _friday(weekend: dt.date) -> dt.date:
    return weekend - (weekend.weekday() - FRIDAY) * ONE
