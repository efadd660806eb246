"""The sum of a group's parts: which days it has, and what is said of a part."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.errors import SeriesError
from forecast.quantities import LARGEST_COUNT
from forecast.sources.group import add_up, entries

FIRST, DAYS = pd.Timestamp("2026-06-01"), 60
THROUGH = (FIRST + pd.Timedelta(days=DAYS - 1)).date()


def counts(size, *, begin=0, end=DAYS, without=()):
    """The same count every day of a span, without some of its days."""
    days = [FIRST + pd.Timedelta(days=at) for at in range(begin, end) if at not in without]
    return pd.Series(size, index=pd.DatetimeIndex(days), dtype="int64", name="downloads")


def day(at):
    return (FIRST + pd.Timedelta(days=at)).date()


def days_of(series):
    return [(each - FIRST).days for each in series.index]


def test_the_counts_of_every_day_are_added_up():
    total = add_up({"a": counts(100), "b": counts(20)}, THROUGH)
    assert days_of(total) == list(range(DAYS))
    assert set(total) == {120}
    assert total.dtype == "int64"


def test_a_missing_day_of_a_part_does_not_lower_the_sum():
    total = add_up({"a": counts(100, without={30, 31}), "b": counts(50, without={40})}, THROUGH)
    assert days_of(total) == [at for at in range(DAYS) if at not in {30, 31, 40}]
    assert set(total) == {150}


def test_a_day_without_a_download_of_a_rare_part_is_a_day_without_a_download():
    rare = counts(2, without=set(range(3, DAYS, 2)))
    total = add_up({"a": counts(100), "rare": rare}, THROUGH)
    assert days_of(total) == list(range(DAYS))
    assert set(total) == {100, 102}
    assert total.iloc[-1] == 100


def test_a_day_on_which_no_part_was_counted_stays_missing():
    rare = counts(2, without={30})
    assert 30 not in days_of(add_up({"a": rare, "b": rare}, THROUGH))


def test_a_part_that_is_late_ends_the_sum():
    late = add_up({"a": counts(100), "late": counts(50, end=DAYS - 3)}, THROUGH)
    assert days_of(late) == list(range(DAYS - 3))
    (_, said) = entries({"a": counts(100), "late": counts(50, end=DAYS - 3)}, {}, THROUGH)
    assert said.remark == ""


def test_a_part_that_has_stopped_adds_nothing_and_is_said():
    parts = {"a": counts(100), "dead": counts(50, end=DAYS - 20)}
    total = add_up(parts, THROUGH)
    assert days_of(total) == list(range(DAYS))
    assert list(total[-20:]) == [100] * 20
    assert list(total[:-20]) == [150] * (DAYS - 20)
    assert [each.remark for each in entries(parts, {}, THROUGH)] == [
        "",
        f"has no counts since {day(DAYS - 21)}",
    ]


def test_the_sum_of_parts_that_have_all_stopped_ends_with_them():
    total = add_up({"a": counts(100, end=30), "b": counts(50, end=30)}, THROUGH)
    assert days_of(total) == list(range(30))


def test_a_new_part_adds_nothing_before_its_first_day_where_the_source_has_every_day():
    parts = {"a": counts(100), "new": counts(50, begin=40)}
    total = add_up(parts, THROUGH, covered=day(0))
    assert days_of(total) == list(range(DAYS))
    assert list(total[:40]) == [100] * 40
    assert list(total[40:]) == [150] * 20
    assert [each.remark for each in entries(parts, {}, THROUGH, day(0))] == [
        "",
        f"has no counts before {day(40)}",
    ]


def test_elsewhere_the_sum_begins_with_its_last_part():
    parts = {"a": counts(100), "new": counts(50, begin=40)}
    assert days_of(add_up(parts, THROUGH)) == list(range(40, DAYS))
    assert entries(parts, {}, THROUGH)[1].no_counts_before == day(40)


def test_days_before_the_source_covers_them_are_unknown():
    parts = {"a": counts(100), "new": counts(50, begin=40)}
    assert days_of(add_up(parts, THROUGH, covered=day(10))) == list(range(10, DAYS))


def test_a_part_that_begins_a_few_days_late_is_not_new():
    parts = {"a": counts(100), "b": counts(50, begin=3)}
    assert days_of(add_up(parts, THROUGH, covered=day(0))) == list(range(3, DAYS))
    assert entries(parts, {}, THROUGH, day(0))[1].remark == ""


def test_a_part_without_counts_is_said():
    found = entries({"a": counts(1)}, {"gone": "no such package"}, THROUGH)
    assert [(each.name, each.remark) for each in found] == [
        ("a", ""),
        ("gone", "is not in the sum: no such package"),
    ]


def test_more_than_can_be_is_refused():
    huge = counts(LARGEST_COUNT)
    with pytest.raises(SeriesError, match="more than 1,000,000,000,000 downloads on a day"):
        add_up({"a": huge, "b": huge}, THROUGH)


def test_the_sum_is_that_of_a_table_whatever_the_order_of_the_parts():
    parts = {"a": counts(7), "b": counts(90, begin=2, without={9}), "c": counts(300, end=55)}
    backwards = dict(reversed(parts.items()))
    pd.testing.assert_series_equal(add_up(parts, THROUGH), add_up(backwards, THROUGH))
    assert add_up(parts, THROUGH).index[0].date() == day(2)
    assert dt.timedelta(days=54) + FIRST in add_up(parts, THROUGH).index
