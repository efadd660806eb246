import datetime as dt
import subprocess
import sys

import numpy as np
import pytest

from forecast.search import days_off


def calendar():
    return days_off.calendar_of(2025, 2028)


def share(*date):
    return float(calendar().shares(dt.date(*date), 1)[0])


@pytest.mark.parametrize(
    "date",
    [
        (2026, 4, 3),  # Good Friday
        (2026, 4, 6),  # Easter Monday
        (2026, 5, 1),
        (2026, 5, 25),  # Whit Monday and Memorial Day
        (2026, 7, 3),  # 4 July observed
        (2027, 7, 5),  # the same, on the Monday
        (2026, 11, 26),  # Thanksgiving
        (2026, 11, 27),  # the Friday after
        (2027, 11, 26),
        (2026, 12, 24),
        (2026, 12, 25),
        (2027, 1, 1),
    ],
)
def test_days_off_are_known(date):
    assert share(*date) > 0.15


@pytest.mark.parametrize("date", [(2026, 3, 11), (2026, 9, 15), (2026, 11, 12), (2026, 12, 10)])
def test_ordinary_days_are_ordinary(date):
    assert share(*date) < 0.05


def test_christmas_is_larger_than_any_feast():
    assert share(2026, 12, 25) > 2 * share(2026, 5, 25)


def test_days_outside_the_calendar_are_ordinary():
    found = calendar().shares(calendar().last - dt.timedelta(days=3), 10)
    assert found.shape == (10,)
    assert not found[4:].any()
    assert not calendar().shares(dt.date(1990, 1, 1), 5).any()


def test_an_estimated_date_is_spread_over_its_neighbours():
    into: dict[dt.date, float] = {}
    day = dt.date(2027, 3, 10)
    days_off._add(into, day, 1.0, estimated=True)
    assert into == {day - days_off.ONE: 0.25, day: 0.5, day + days_off.ONE: 0.25}


def test_a_table_does_not_depend_on_where_it_begins():
    long = days_off.table(dt.date(2026, 11, 1), 90)
    np.testing.assert_array_equal(days_off.table(dt.date(2026, 12, 1), 60), long[30:])


def test_a_calendar_is_built_once_a_process():
    assert calendar() is calendar()
    assert calendar()._shares is calendar()._shares


def test_the_library_is_not_loaded_before_a_calendar_is_asked_for():
    code = "import sys; import forecast.search; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
