"""This project answers as every method does."""

import datetime as dt

import numpy as np

from benchmarks.accuracy.methods import ROWS
from benchmarks.accuracy.ours import Ours, calendar, empty_calendar
from benchmarks.accuracy.windows import HORIZON, Window

START = dt.date(2026, 2, 2)


def window():
    week = np.array([1000.0, 1100.0, 1100.0, 1100.0, 1000.0, 500.0, 500.0])
    values = np.round(np.tile(week, 13) * np.random.default_rng(0).normal(1.0, 0.03, 91))
    return Window("here", "flask", "all", START, values, np.resize(week, HORIZON))


def test_the_answer_has_days_and_their_total():
    given = window()

    made = dict(zip(ROWS, Ours(calendar())(given), strict=True))

    assert made["median"].shape == (HORIZON + 1,)
    assert 0.9 < np.median(made["median"][:HORIZON] / given.actual) < 1.1
    assert np.isclose(made["mean"][HORIZON], made["mean"][:HORIZON].sum())
    assert (made["lower_95"] <= made["lower_80"]).all()
    assert (made["lower_80"] <= made["upper_80"]).all()
    assert (made["upper_80"] <= made["upper_95"]).all()


def test_an_empty_calendar_knows_no_day_off():
    memorial = dt.date(2026, 5, 25)
    given = window()
    day = (memorial - given.first_ahead).days

    known, unknown = Ours(calendar())(given), Ours(empty_calendar())(given)

    assert calendar().shares(memorial, 1)[0] > 0.1
    assert not empty_calendar().shares(memorial, 1).any()
    assert known[0, day] < 0.95 * unknown[0, day]
