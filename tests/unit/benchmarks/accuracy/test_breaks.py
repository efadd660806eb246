"""Breaks are found where the level has just changed, and nowhere else."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy.breaks import breaks, broken_windows, without_days_off
from benchmarks.accuracy.windows import Daily

ORIGIN = 77
MONDAY = dt.date(2026, 2, 2)


class NoDaysOff:
    def shares(self, start, days):
        return np.zeros(days)


class EveryTuesday:
    def shares(self, start, days):
        weekdays = (start.weekday() + np.arange(days)) % 7
        return (weekdays == 1).astype(float)


def series(factor, since, days=119, noise=0.02):
    errors = np.random.default_rng(0).normal(0.0, noise, days)
    level = np.where(np.arange(days) >= since, 1000.0 * factor, 1000.0)
    index = pd.date_range(MONDAY, periods=days, freq="D")
    counts = pd.Series(np.round(level * np.exp(errors)).astype(int), index=index)
    return Daily("here", "flask", counts)


@pytest.mark.parametrize(
    ("factor", "weeks", "found"),
    [
        (0.3, 1, ["fell 1 week ago"]),
        (0.3, 2, ["fell 2 weeks ago"]),
        (3.0, 3, ["rose 3 weeks ago"]),
        (0.7, 1, []),
        (0.3, 5, []),
    ],
)
def test_a_break_is_told_by_its_weeks(factor, weeks, found):
    assert breaks(series(factor, ORIGIN - 7 * weeks), ORIGIN, NoDaysOff()) == found


def test_a_level_that_was_never_steady_does_not_break():
    daily = series(0.3, ORIGIN - 7)
    daily.counts.iloc[ORIGIN - 35 : ORIGIN - 28] *= 10

    assert breaks(daily, ORIGIN, NoDaysOff()) == []


def test_no_break_without_a_month_to_compare_or_with_a_hole():
    daily = series(0.3, ORIGIN - 7, days=ORIGIN + 29)
    assert breaks(daily, ORIGIN, NoDaysOff()) == []
    whole = series(0.3, ORIGIN - 7)
    holed = Daily("here", "flask", whole.counts.drop(whole.counts.index[50]))
    assert breaks(holed, ORIGIN, NoDaysOff()) == []


def test_windows_after_a_break_say_which():
    found = broken_windows([series(0.3, 70)], NoDaysOff())

    assert [(each.values.size, each.group) for each in found] == [
        (77, "fell 1 week ago"),
        (80, "fell 1 week ago"),  # ten days ago: most of the last two weeks
        (80, "fell 2 weeks ago"),
        (83, "fell 2 weeks ago"),
        (86, "fell 2 weeks ago"),
        (89, "fell 3 weeks ago"),
    ]


def test_a_day_off_gets_its_part_of_the_weekend_gap_back():
    counts = np.tile([100.0, 36.0, 100.0, 100.0, 100.0, 36.0, 36.0], 6)

    z = without_days_off(counts, MONDAY, EveryTuesday())

    gap = np.log(101.0) - np.log(37.0)
    assert z[1] == pytest.approx(np.log(37.0) + min(gap, 1.0))
    assert z[0] == pytest.approx(np.log(101.0))
