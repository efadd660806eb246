"""Through when counts are known: today, rare packages, and those whose counts stopped."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.errors import SeriesError
from forecast.known import Known, complete, known
from forecast.series import recent, regular

LAST = dt.date(2026, 11, 26)
DAY = dt.timedelta(days=1)


def counts(values, last=LAST):
    """Counts that end on a day; None leaves it out."""
    days = pd.date_range(end=pd.Timestamp(last), periods=len(values), freq="D")
    series = pd.Series(values, index=days, dtype="float64").dropna()
    return series.astype("int64")


def test_today_is_not_over():
    series = counts([5, 6, 7])
    assert complete(series, LAST).tolist() == [5, 6]
    assert complete(series, LAST + DAY).tolist() == [5, 6, 7]


@pytest.mark.parametrize("silent", [0, 1, 7])
def test_counts_may_be_a_week_late(silent):
    series = counts([1000] * 60, LAST - silent * DAY)
    assert known(series, LAST) == Known(LAST - silent * DAY)
    assert regular(series, (), LAST).last_day == LAST - silent * DAY


def test_counts_that_stopped_are_zeros_and_told():
    series = counts([1000] * 60, LAST - 8 * DAY)
    made = regular(series, (), LAST)
    assert (made.last_day, made.stopped) == (LAST, LAST - 8 * DAY)
    assert made.values[-9:].tolist() == [1000] + [0] * 8
    assert made.repaired == ()


def test_zeros_that_are_written_out_mean_the_same():
    made = regular(counts([1000] * 60 + [0] * 8))
    assert (made.last_day, made.stopped) == (LAST, LAST - 8 * DAY)
    assert regular(counts([1000] * 60 + [0] * 7)).stopped is None


def test_a_quiet_tail_of_a_rare_package_is_zeros():
    series = counts([3, None, 2, None] * 15, LAST - 40 * DAY)
    made = regular(series, (), LAST)
    assert (made.last_day, made.stopped, made.repaired) == (LAST, None, ())
    assert not made.values[-40:].any()


def test_a_rare_package_needs_days_and_not_downloads():
    series = counts([1, *[None] * 12, 1])
    assert regular(series, (), LAST).values.tolist() == [1, *[0] * 12, 1]
    with pytest.raises(SeriesError, match="has 13 observed days"):
        regular(counts([1, *[None] * 11, 1]), (), LAST)


def test_a_day_of_an_outage_in_a_quiet_tail_is_no_zero():
    series = counts([3] * 60, LAST - 5 * DAY)
    made = regular(series, {LAST - 2 * DAY}, LAST)
    assert made.repaired == (LAST - 2 * DAY,)
    assert made.last_day == LAST


def test_no_day_of_a_silence_is_an_estimate():
    values = [1000] * 60
    for zeros in ([], [0] * 9):  # left out by the source, or written out
        series = counts(values + zeros, LAST - (9 - len(zeros)) * DAY)
        made = regular(series, {LAST - 8 * DAY, LAST - 3 * DAY}, LAST)
        assert (made.stopped, made.repaired) == (LAST - 9 * DAY, ())
        assert made.values.tolist() == values + [0] * 9


def test_counts_of_a_single_package_stop_when_its_forecast_is_over():
    made = regular(counts([1000] * 60))
    assert made.seen_on(LAST + 30 * DAY, 30) is made
    assert made.seen_on(LAST + 31 * DAY, 30).stopped == LAST
    told = regular(counts([1000] * 60, LAST - 8 * DAY), (), LAST)
    assert told.seen_on(LAST + 31 * DAY, 30) is told


def test_the_days_to_train_on_end_with_what_is_known():
    assert len(recent(counts([1000] * 180, LAST - 60 * DAY), LAST)) == 120
    assert len(recent(counts([1000] * 180, LAST - 7 * DAY), LAST)) == 180
    assert regular(recent(counts([1000] * 300, LAST - 60 * DAY), LAST), (), LAST).values.size == 180


def test_without_any_download_everything_is_known():
    assert known(counts([0] * 20), LAST) == Known(LAST)


def test_counts_that_stopped_long_ago_are_still_known_to_have():
    long_ago = LAST - 300 * DAY
    made = regular(recent(counts([1000] * 60, long_ago), LAST), (), LAST)
    assert (made.stopped, made.last_day, made.values.sum()) == (long_ago, LAST, 1000)
