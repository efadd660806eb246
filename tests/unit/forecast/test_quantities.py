"""Our own short functions give what NumPy's general ones give."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from forecast.quantities import bounded, row_median, windows, with_edges

ROWS = np.random.default_rng(5).normal(0.0, 3.0, (3, 10))


@pytest.mark.parametrize("columns", [9, 10])
def test_medians(columns):
    rows = ROWS[:, :columns]
    np.testing.assert_array_equal(row_median(rows), np.median(rows, axis=1))


def test_edges_are_repeated():
    expected = np.pad(ROWS, ((0, 0), (3, 3)), mode="edge")
    np.testing.assert_array_equal(with_edges(ROWS, 3), expected)


def test_bounds_may_differ_between_rows():
    reach = np.array([[0.5], [1.0], [2.0]])
    np.testing.assert_array_equal(bounded(ROWS, -reach, reach), np.clip(ROWS, -reach, reach))
    assert np.isnan(bounded(np.array([np.nan]), 0.0, 1.0)).all()


@pytest.mark.parametrize("days", [1, 7, 10])
def test_windows(days):
    np.testing.assert_array_equal(windows(ROWS, days), sliding_window_view(ROWS, days, axis=1))
    np.testing.assert_array_equal(windows(ROWS[0], days), sliding_window_view(ROWS[0], days))
