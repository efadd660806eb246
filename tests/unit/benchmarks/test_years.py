"""The benchmark of longer pasts compares the same windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.windows import LONGEST_TRAINING
from benchmarks.years import YEAR, forecast, pasts, table

DAYS = 500


@pytest.fixture
def found(tmp_path):
    days = pd.date_range("2025-01-01", periods=DAYS, freq="D").strftime("%Y-%m-%d")
    counts = 1000 + np.random.default_rng(0).integers(0, 100, DAYS)
    table = pd.DataFrame({"date": days, "downloads": counts})
    table.to_csv(tmp_path / "flask.csv", index=False)
    table[-300:].to_csv(tmp_path / "young.csv", index=False)
    return list(pasts(tmp_path))


def test_a_window_needs_a_year_before_it(found):
    assert [past.window.package for past in found] == ["flask", "flask"]
    assert [len(past.counts) for past in found] == [470, 380]


@pytest.mark.parametrize("days", [LONGEST_TRAINING, YEAR])
def test_a_longer_past_ends_on_the_same_day_and_is_measured_alike(found, days):
    longer = found[0].last(days)
    assert longer.values.size == days
    assert np.array_equal(longer.values[-LONGEST_TRAINING:], found[0].window.values)
    assert np.array_equal(longer.actual, found[0].window.actual)
    assert longer.scale == found[0].window.scale


def test_the_table_has_a_row_a_length(found):
    lines = table(found[:1], [LONGEST_TRAINING, YEAR]).splitlines()
    assert [line.split(" | ")[0] for line in lines[-2:]] == ["| 180", "| 365"]
    assert not forecast(found[0], YEAR).failed
