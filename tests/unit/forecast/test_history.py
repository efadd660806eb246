"""Nothing that was observed is dropped when histories are merged."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from forecast.history import merge


def series(counts):
    index = pd.DatetimeIndex([pd.Timestamp("2026-01-01") + pd.Timedelta(days=d) for d in counts])
    return pd.Series(list(counts.values()), index=index, dtype="int64").sort_index()


def content(counts):
    days = (counts.index - pd.Timestamp("2026-01-01")).days
    return dict(zip(days, counts, strict=True))


def test_the_later_word_wins_and_is_counted():
    merged = merge(series({0: 5, 1: 6, 2: 7}), series({1: 6, 2: 8, 3: 9}))
    assert content(merged.counts) == {0: 5, 1: 6, 2: 8, 3: 9}
    assert merged.revised == 1


def test_a_missing_day_stays_missing_until_a_later_fetch_has_it():
    first = merge(series({0: 5, 2: 7}), series({2: 7, 3: 8}))
    assert content(first.counts) == {0: 5, 2: 7, 3: 8}
    second = merge(first.counts, series({1: 6}))
    assert content(second.counts) == {0: 5, 1: 6, 2: 7, 3: 8}
    assert second.revised == 0


def test_each_corrected_day_is_counted_once():
    merged = merge(series({0: 5, 1: 6, 2: 7}), series({0: 4, 1: 7, 2: 7}))
    assert content(merged.counts) == {0: 4, 1: 7, 2: 7}
    assert merged.revised == 2


def test_earlier_and_later_days_are_both_kept():
    merged = merge(series({1: 6, 5: 9}), series({0: 5, 3: 7}))
    assert list(content(merged.counts).items()) == [(0, 5), (1, 6), (3, 7), (5, 9)]
    assert merged.counts.name == "downloads"


def test_what_has_no_history_begins_with_the_later_counts():
    merged = merge(None, series({1: 2, 2: 3}))
    assert content(merged.counts) == {1: 2, 2: 3}
    assert merged.revised == 0


COUNTS = st.dictionaries(st.integers(0, 40), st.integers(0, 10**12), max_size=20).map(series)


@given(COUNTS, COUNTS)
def test_every_day_of_either_is_there_once_in_order(earlier, later):
    merged = merge(earlier, later)
    expected = content(earlier) | content(later)
    assert content(merged.counts) == expected
    assert merged.counts.index.is_monotonic_increasing
    assert merged.counts.dtype == "int64"
    assert merged.revised == sum(
        content(earlier)[day] != count
        for day, count in content(later).items()
        if day in content(earlier)
    )


@given(COUNTS, COUNTS)
def test_merging_again_changes_nothing(earlier, later):
    once = merge(earlier, later).counts
    again = merge(once, later)
    pd.testing.assert_series_equal(again.counts, once)
    assert again.revised == 0
