import datetime as dt

import pytest

from forecast.search.day_names import name_of
from forecast.search.days_off import calendar_of


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ((2026, 11, 26), "Thanksgiving Day"),
        ((2026, 11, 27), "Day after Thanksgiving Day"),
        ((2026, 5, 25), "Memorial Day"),
        ((2026, 7, 3), "Independence Day"),  # on a Saturday, and observed on the Friday
        ((2026, 4, 6), "Easter Monday"),
        ((2026, 2, 17), "Chinese New Year (CN)"),
        ((2023, 1, 26), "Chinese New Year (CN)"),  # moved there from another day
        ((2026, 12, 21), "Christmas"),
        ((2026, 12, 24), "Christmas"),
        ((2026, 12, 30), "Christmas"),
        ((2026, 12, 31), "New Year"),
        ((2027, 1, 1), "New Year"),
        ((2027, 1, 5), "New Year"),
        ((2026, 7, 8), "Day off"),
    ],
)
def test_days_off_have_names(day, name):
    assert name_of(dt.date(*day)) == name


def test_every_day_that_counts_has_a_name_of_its_own():
    calendar, first = calendar_of(2026, 2027), dt.date(2026, 1, 1)
    shares = calendar.shares(first, 730)
    days = [first + dt.timedelta(days=at) for at, share in enumerate(shares) if share > 0.15]
    names = [name_of(day) for day in days]
    assert len(days) > 20
    assert not [day for day, name in zip(days, names, strict=True) if name == "Day off"]
    assert not [name for name in names if "substituted" in name or "observed" in name]
