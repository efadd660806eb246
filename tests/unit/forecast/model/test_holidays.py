import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.model.holidays import WIDEST_GAP, effects, share, weekend_gap

MONDAY = dt.date(2026, 11, 23)


def test_an_ordinary_day_loses_nothing():
    assert share(dt.date(2026, 11, 26)) == 0.0
    assert share(dt.date(2026, 12, 21)) == 0.0
    assert share(dt.date(2027, 1, 3)) == 0.0


def test_christmas_on_a_weekday_loses_more_than_on_a_weekend():
    friday, saturday = dt.date(2026, 12, 25), dt.date(2021, 12, 25)

    assert share(friday) > 1.0 > share(saturday) > 0.0


def test_effects_are_in_units_of_the_gap():
    start = dt.date(2026, 12, 20)

    once, twice = effects(start, 20, 0.3), effects(start, 20, 0.6)

    assert once.shape == (20,)
    assert np.allclose(twice, 2 * once)
    assert once.min() == once[5] < 0.0 == once.max()


def test_without_a_weekend_gap_there_is_no_christmas():
    assert not effects(dt.date(2026, 12, 1), 60, 0.0).any()


def test_the_gap_is_weekdays_over_weekends_wherever_the_week_begins():
    thursday = dt.date(2026, 11, 26)
    weekly = np.array([0.2, 0.2, -0.5, -0.5, 0.2, 0.2, 0.2])  # Saturday is its third day

    assert weekend_gap(weekly, thursday) == pytest.approx(0.7)


@given(st.lists(st.floats(-5, 5), min_size=7, max_size=7))
def test_the_gap_is_bounded(weekly):
    assert 0.0 <= weekend_gap(np.array(weekly), MONDAY) <= WIDEST_GAP
