"""Counts made regular: what is filled, what is listed, what is refused."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import SeriesError
from forecast.series import OutageDetector, recent, regular

START = dt.date(2026, 3, 2)


def counts_of(values, start=START):
    """A series from ``start`` on; None leaves a gap."""
    days = pd.date_range(pd.Timestamp(start), periods=len(values), freq="D")
    kept = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    index = pd.DatetimeIndex([day for day, _ in kept])
    return pd.Series([value for _, value in kept], index=index, dtype="int64")


def weekly(days, high=1000, low=400):
    return [low if day % 7 >= 5 else high for day in range(days)]


def day(offset):
    return START + dt.timedelta(days=offset)


def test_a_regular_series_stays_as_it_is():
    series = regular(counts_of(weekly(60)))
    assert series.start == START
    assert series.last_day == day(59)
    assert series.values.tolist() == weekly(60)
    assert series.repaired == ()


def test_a_missing_day_is_filled_as_its_weekday_and_listed():
    values = weekly(60)
    values[33] = None  # a Saturday
    values[30] = None  # a Wednesday
    series = regular(counts_of(values))
    assert series.repaired == (day(30), day(33))
    assert series.values[33] == pytest.approx(400, rel=0.02)
    assert series.values[30] == pytest.approx(1000, rel=0.02)


def test_three_weeks_missing_keep_the_rhythm():
    values = weekly(100)
    values[40:61] = [None] * 21
    series = regular(counts_of(values))
    assert len(series.repaired) == 21
    assert series.values == pytest.approx(np.array(weekly(100)), rel=0.05)


def test_a_missing_day_of_a_rare_package_is_a_zero():
    values: list[int | None] = [3, 1, 4, 1, 5, 2, 6] * 8
    values[20] = None
    series = regular(counts_of(values))
    assert series.values[20] == 0
    assert series.repaired == ()


def test_a_missing_day_of_an_outage_is_no_zero_even_for_a_rare_package():
    values: list[int | None] = [3, 3, 4, 3, 3, 2, 3] * 8
    values[20] = None
    series = regular(counts_of(values), outages=[day(20)])
    assert 2 <= series.values[20] <= 4
    assert series.repaired == (day(20),)


def test_the_count_of_an_outage_is_not_believed():
    values = weekly(60)
    values[30] = 7
    series = regular(counts_of(values), outages=[day(30)])
    assert series.values[30] == pytest.approx(1000, rel=0.02)
    assert series.repaired == (day(30),)


def test_an_outage_on_the_last_day_ends_the_series_before_it():
    series = regular(counts_of(weekly(60)), outages=[day(59)])
    assert series.last_day == day(58)
    assert series.repaired == ()


def test_too_few_days_are_refused():
    with pytest.raises(SeriesError, match="has 13 observed days; a forecast needs 14"):
        regular(counts_of([5] * 13))


def test_nothing_at_all_is_refused():
    with pytest.raises(SeriesError, match="has 0 observed days"):
        regular(counts_of([]))


def test_more_holes_than_days_are_refused():
    values = [1000 if position < 20 or position > 90 else None for position in range(101)]
    with pytest.raises(SeriesError, match="has no count on 71 of 101 days"):
        regular(counts_of(values))


def test_fourteen_days_are_enough():
    assert len(regular(counts_of([5] * 14)).values) == 14


@pytest.mark.parametrize(("missing", "refused"), [(50, False), (51, True)])
def test_half_of_the_days_may_be_missing_and_no_more(missing, refused):
    values = [
        1000 if position < 25 or position >= 25 + missing else None for position in range(100)
    ]
    with pytest.raises(SeriesError) if refused else nullcontext():
        assert len(regular(counts_of(values)).repaired) == 50


@pytest.mark.parametrize(("level", "repaired"), [(9, ()), (10, (20,))])
def test_from_ten_a_day_on_a_missing_day_is_a_hole_and_no_zero(level, repaired):
    values = [level] * 56
    values[20] = None
    series = regular(counts_of(values))
    assert series.repaired == tuple(map(day, repaired))


@pytest.mark.parametrize(("number", "kept"), [(179, 179), (180, 180), (181, 180)])
def test_the_last_180_days_are_recent(number, kept):
    assert len(recent(counts_of([5] * number))) == kept


def common_outages(several):
    detector = OutageDetector()
    for counts in several.values():
        detector.add(counts)
    return detector.outages()


def packages(failing=(), factor=0.0, number=4):
    """Packages of different size that all lose the given days."""
    result = {}
    for each in range(number):
        values = [value * (each + 1) for value in weekly(90)]
        for position in failing:
            values[position] = int(values[position] * factor) if factor else None
        result[f"p{each}"] = counts_of(values)
    return result


def test_a_day_missing_for_every_package_is_an_outage():
    assert common_outages(packages([40])) == {day(40)}


def test_days_far_too_low_for_every_package_are_an_outage():
    assert common_outages(packages([40, 41, 42], factor=0.1)) == {day(40), day(41), day(42)}


def test_half_of_the_usual_for_every_package_may_be_a_holiday():
    assert common_outages(packages([40], factor=0.5)) == frozenset()


def test_a_day_missing_for_one_package_is_its_own_affair():
    several = packages()
    several["p0"] = several["p0"].drop(pd.Timestamp(day(40)))
    assert common_outages(several) == frozenset()


def test_two_packages_are_too_few():
    assert common_outages(packages([40], number=2)) == frozenset()


def test_three_packages_are_enough():
    assert common_outages(packages([40], number=3)) == {day(40)}


def test_an_outage_takes_three_packages_that_cover_the_day():
    several = packages([40], number=3)
    several["p0"] = several["p0"].loc[pd.Timestamp(day(41)) :]
    assert common_outages(several) == frozenset()


@pytest.mark.parametrize(("sound", "outages"), [(1, {day(40)}), (2, set())])
def test_nine_packages_in_ten_make_an_outage_and_eight_do_not(sound, outages):
    several = packages([40], number=10)
    for name in list(several)[:sound]:
        several[name] = packages(number=10)[name]
    assert common_outages(several) == outages


@pytest.mark.parametrize(("median", "outages"), [(50, {day(40)}), (49, set())])
def test_packages_with_a_median_below_fifty_are_ignored(median, outages):
    values = [None if position == 40 else median for position in range(90)]
    assert common_outages({name: counts_of(values) for name in "abc"}) == outages


@pytest.mark.parametrize(("low", "outages"), [(7, 7), (8, 0)])
def test_a_week_up_to_the_end_may_be_an_outage_and_eight_days_are_a_new_level(low, outages):
    assert len(common_outages(packages(range(90 - low, 90), factor=0.2))) == outages


def test_a_low_last_day_of_every_package_is_an_outage():
    assert common_outages(packages([89], factor=0.2)) == {day(89)}


def test_a_low_stretch_of_more_than_a_week_up_to_the_end_is_a_new_level():
    assert common_outages(packages(range(80, 90), factor=0.2)) == frozenset()


@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_the_packages_counted_in_one_table_do_not_matter(monkeypatch, at_once):
    monkeypatch.setattr("forecast.series.PACKAGES_AT_ONCE", at_once)
    several = packages([40, 41], factor=0.1, number=7)
    several["young"] = several.pop("p6").iloc[60:]
    assert common_outages(several) == {day(40), day(41)}


def test_a_permanent_step_is_no_outage():
    assert common_outages(packages(range(45, 90), factor=0.6)) == frozenset()


@given(
    st.lists(st.none() | st.integers(0, 10**9), min_size=0, max_size=120),
    st.sets(st.integers(0, 120), max_size=5),
)
def test_any_counts_give_a_regular_series_or_a_refusal(values, failed):
    counts = counts_of(values)
    outages = {day(offset) for offset in failed}
    try:
        series = regular(counts, outages)
    except SeriesError:
        return
    assert np.isfinite(series.values).all()
    assert (series.values >= 0).all()
    observed = counts[~counts.index.isin(pd.to_datetime(sorted(outages)))]
    assert series.start == observed.index[0].date()
    assert series.last_day == observed.index[-1].date()
    kept = series.values[(observed.index - observed.index[0]).days]
    assert kept.tolist() == observed.tolist()
    assert not set(series.repaired) & {each.date() for each in observed.index}


def left_out(keep, size=400, days=182):
    """Counts on some days alone; the others are not in the answer."""
    index = pd.date_range("2026-06-01", periods=days)  # a Monday
    counts = pd.Series(size, index, dtype="int64")
    return counts[keep(index)]


def test_a_weekday_that_is_always_left_out_has_no_downloads():
    counts = left_out(lambda days: days.day_of_week < 5).drop(pd.Timestamp("2026-07-01"))
    series = regular(counts)
    weekend = (np.arange(len(series.values)) % 7) >= 5
    assert not series.values[weekend].any()
    assert series.repaired == (dt.date(2026, 7, 1),)
    assert series.values[~weekend].tolist() == pytest.approx([400.0] * int((~weekend).sum()))


def test_a_package_of_saturdays_has_zeros_on_all_other_days():
    series = regular(left_out(lambda days: days.day_of_week == 5))
    assert series.repaired == ()
    assert series.values.sum() == 26 * 400.0


def test_a_day_that_is_left_out_now_and_then_is_a_hole():
    counts = left_out(lambda days: (days.day_of_week < 5) | (np.arange(len(days)) % 4 > 0))
    assert regular(counts).values.min() > 0.0


def test_two_weeks_are_too_few_to_tell_a_weekday_that_is_left_out():
    counts = left_out(lambda days: days.day_of_week < 5, days=20)
    assert regular(counts).values.min() > 0.0
