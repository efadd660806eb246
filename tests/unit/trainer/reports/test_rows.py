"""Rows by column: joined, told apart by their keys, and looked up by day."""

import numpy as np
import pandas as pd

from trainer.reports.rows import Counted, distinct

DAY = np.datetime64("2026-11-20")


def test_of_the_rows_of_one_key_the_first_one_stays():
    columns = {"date": DAY + np.array([0, 1, 0]), "error": np.array([1.0, 2.0, 3.0])}
    kept = distinct(columns, ["date"])
    assert kept["date"].tolist() == (DAY + np.array([0, 1])).tolist()
    assert kept["error"].tolist() == [1.0, 2.0]


def test_days_before_between_and_after_the_counts_are_not_known():
    counts = pd.Series([5, 7], pd.DatetimeIndex([str(DAY), str(DAY + 2)]))
    found = Counted.of(counts).at(DAY + np.arange(-1, 4))
    assert np.array_equal(found, [np.nan, 5.0, np.nan, 7.0, np.nan], equal_nan=True)


def test_without_counts_no_day_is_known():
    for counts in (None, pd.Series([], pd.DatetimeIndex([]), dtype="int64")):
        assert np.isnan(Counted.of(counts).at(DAY + np.arange(3))).all()
