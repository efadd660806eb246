"""The method before is asked in a process of its own."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.accuracy.before import run_before
from benchmarks.accuracy.methods import naive
from benchmarks.accuracy.windows import HORIZON, Window

START = dt.date(2026, 2, 2)
# Answers the mean of the values as every number, and nothing for a series that begins with 1.
PROGRAM = """
import json, pathlib, sys
given = json.load(sys.stdin)
assert pathlib.Path("here").exists()
def answer(values):
    if values[0] == 1:
        return None
    each = sum(values) / len(values)
    return [[[each] * (given["days"] + 1) for _ in given["rows"]], 0.5]
json.dump([answer(window["values"]) for window in given["windows"]], sys.stdout)
"""


def window(level):
    return Window("here", "flask", "all", START, np.full(70, level), np.full(HORIZON, 12.0))


def test_answers_come_back_to_their_windows(tmp_path):
    (tmp_path / "here").touch()
    windows = [window(level) for level in (5.0, 6.0, 7.0, 1.0, 8.0)]
    where = np.array([True, False, True, True, True])

    made = run_before(tmp_path, windows, where, 2, PROGRAM)

    assert made.answers[:, 0, 0].tolist()[::2] == [5.0, 7.0, 8.0]
    assert np.isnan(made.answers[1]).all()
    assert made.failed.tolist() == [False, False, False, True, False]
    assert np.array_equal(made.answers[3], naive(windows[3]), equal_nan=True)
    assert made.seconds[0] == 0.5


def test_a_folder_that_is_no_checkout_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="expected a checkout of commit fbd1c83"):
        run_before(tmp_path, [window(5.0)], np.array([True]), 1)
