"""What Christmas and New Year take off a package's downloads.

The counts that PyPI Stats keeps reach back half a year, so the series that a model
is fitted to in November has never seen a Christmas, and one fitted in February
mistakes it for a new level. The effect is therefore known beforehand, in units of
something that every series does show: its weekend gap, the distance between its
weekdays and its weekends in ln(1 + y). A holiday on a weekday looks like a Sunday;
one that falls on a weekend takes little more off. A package without a weekend gap,
downloaded by machines, has no Christmas either.

The shares were estimated as least absolute deviations from forecasts that ignore
the holidays, on the tuning half of the benchmark's series (benchmarks/README.md),
and rounded to quarters. On the other half they lower the error by about a tenth.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from forecast.quantities import WEEK, Array

FIRST_WEEKEND_DAY = 5  # Saturday, as date.weekday() counts

# (month, day): share of the weekend gap that a weekday of that date loses.
ON_A_WEEKDAY = {
    (12, 22): 0.25,
    (12, 23): 0.5,
    (12, 24): 0.75,
    (12, 25): 1.25,
    (12, 26): 0.75,
    (12, 27): 0.5,
    (12, 28): 0.5,
    (12, 29): 0.5,
    (12, 30): 0.5,
    (12, 31): 0.75,
    (1, 1): 1.25,
    (1, 2): 0.5,
}
ON_A_WEEKEND = 0.25  # the same for any of these dates that is a Saturday or a Sunday
WIDEST_GAP = 1.2  # nine packages in ten have less than 0.9; what is wider comes of few counts


def share(day: dt.date) -> float:
    """The part of the weekend gap that `day` loses: 0 outside the holidays."""
    usual = ON_A_WEEKDAY.get((day.month, day.day), 0.0)
    return min(usual, ON_A_WEEKEND) if day.weekday() >= FIRST_WEEKEND_DAY else usual


def effects(start: dt.date, days: int, gap: float) -> Array:
    """What the holidays add to ln(1 + y), shape (days,), never above 0."""
    return np.array([-gap * share(start + dt.timedelta(days=day)) for day in range(days)])


def weekend_gap(weekly: Array, start: dt.date) -> float:
    """How far weekends lie below weekdays in ln(1 + y), within [0, `WIDEST_GAP`].

    Args:
        weekly: effects of the seven days of the week, shape (7,), the first that of
            `start`'s weekday.
        start: the day that `weekly` begins with.
    """
    weekday = (start.weekday() + np.arange(WEEK)) % WEEK
    weekend = weekday >= FIRST_WEEKEND_DAY
    gap = float(weekly[~weekend].mean() - weekly[weekend].mean())
    return min(max(gap, 0.0), WIDEST_GAP)
