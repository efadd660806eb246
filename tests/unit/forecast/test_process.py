"""The present moment, of the machine or as told."""

from __future__ import annotations

import datetime as dt

import pytest

from forecast.errors import ConfigError
from forecast.process import clock_of, prepare_numpy


def test_a_clock_that_is_told_the_time_stands_still():
    clock = clock_of({"SOURCE_DATE_EPOCH": "1795348980"})
    assert clock() == clock() == dt.datetime(2026, 11, 22, 12, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize("environment", [{}, {"SOURCE_DATE_EPOCH": ""}])
def test_else_it_is_the_machines_in_utc(environment):
    clock = clock_of(environment)
    assert clock().tzinfo is dt.UTC
    assert clock() <= clock()


@pytest.mark.parametrize("text", ["tomorrow", "1e9", "-5", "99999999999999999999"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match="expected seconds since 1970"):
        clock_of({"SOURCE_DATE_EPOCH": text})


def test_an_empty_time_is_as_none():
    """NumPy reads the same variable, and fails where it is empty."""
    environment = {"SOURCE_DATE_EPOCH": ""}
    prepare_numpy(environment)
    assert "SOURCE_DATE_EPOCH" not in environment
