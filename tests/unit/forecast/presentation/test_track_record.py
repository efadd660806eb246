"""The track record of a package, made of its rows."""

import datetime as dt

import numpy as np
import pytest

from forecast.presentation.track_record import PastForecast, track_record

FIRST = dt.date(2026, 9, 7)
WEEK = dt.timedelta(days=7)


def rows(weeks, newest=FIRST + 4 * WEEK):
    """Three days of the forecast of each week, the newest day first."""
    told = [
        (FIRST + at * WEEK, FIRST + at * WEEK + dt.timedelta(days=day), 100.0 * at + day)
        for at in range(weeks)
        for day in (3, 2, 1)
        if FIRST + at * WEEK + dt.timedelta(days=day) <= newest
    ]
    number = len(told)
    return {
        "made_on": np.array([each[0] for each in told], dtype="datetime64[us]"),
        "date": np.array([each[1] for each in told], dtype="datetime64[us]"),
        "forecast": np.array([each[2] for each in told]),
        "error": np.full(number, 3.0),
        "naive_error": np.full(number, 4.0),
        "inside_80": np.arange(number) % 2 * 1.0,
        "inside_95": np.ones(number),
    }


def test_nothing_counted_yet():
    assert track_record(rows(0)) is None


def test_what_it_says():
    found = track_record(rows(2))
    assert (found.forecasts, found.first, found.days) == (2, FIRST, 6)
    assert (found.ratio, found.inside_80, found.inside_95) == (0.75, 0.5, 1.0)


@pytest.mark.parametrize(("weeks", "drawn"), [(1, 0), (4, 0), (6, 2)])
def test_the_forecast_that_is_drawn_is_four_runs_old(weeks, drawn):
    made_on = FIRST + drawn * WEEK
    assert track_record(rows(weeks, FIRST + 9 * WEEK)).earlier == PastForecast(
        made_on,
        tuple(made_on + dt.timedelta(days=day) for day in (1, 2, 3)),
        tuple(100.0 * drawn + day for day in (1, 2, 3)),
    )


def test_a_naive_error_of_none_gives_no_ratio():
    assert track_record(rows(1) | {"naive_error": np.zeros(3)}).ratio is None
