"""The columns of days and totals: their order, and what they must hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from forecast.bands import (
    BAND_COLUMNS,
    TOTAL_COLUMNS,
    Forecast,
    Total,
    are_bands,
    are_totals,
    total_spans,
)
from tests.bundles import LAST_DAY, bands

ASCENDING = ("lower_95", "lower_80", "median", "upper_80", "upper_95")
OF_MEAN = [("lower_95", "mean"), ("mean", "upper_95")]
OF_TOTAL = [*pairwise(["mean" if name == "median" else name for name in ASCENDING])]


def test_the_columns_are_those_of_every_bundle():
    assert BAND_COLUMNS == ("mean", "median", "lower_80", "upper_80", "lower_95", "upper_95")
    assert TOTAL_COLUMNS == ("mean", "lower_80", "upper_80", "lower_95", "upper_95")
    assert tuple(bands().columns()) == BAND_COLUMNS
    assert tuple(Total(3.0, 2.0, 4.0, 1.0, 5.0).columns().items()) == (
        ("mean", 3.0),
        ("lower_80", 2.0),
        ("upper_80", 4.0),
        ("lower_95", 1.0),
        ("upper_95", 5.0),
    )


@pytest.mark.parametrize(("low", "high"), [*pairwise(ASCENDING)])
def test_each_value_lies_within_the_next(low, high):
    columns = bands().columns()
    assert are_bands(columns)
    assert are_bands(columns | {low: columns[high]})
    crossed = columns[high].copy()
    crossed[-1] += 0.1
    assert not are_bands(columns | {low: crossed})


@pytest.mark.parametrize(("low", "high"), OF_MEAN)
def test_a_mean_lies_within_the_95_percent_band(low, high):
    columns = bands().columns()
    outside = columns["lower_95"] - 0.1 if high == "mean" else columns["upper_95"] + 0.1
    assert not are_bands(columns | {"mean": outside})


def test_a_mean_may_lie_outside_the_80_percent_band():
    skewed = bands().columns()
    assert are_bands(skewed | {"mean": skewed["upper_95"]})
    assert are_bands(skewed | {"mean": skewed["lower_95"]})


@pytest.mark.parametrize(("low", "high"), OF_TOTAL)
def test_the_mean_of_a_total_lies_within_both_bands(low, high):
    columns = {name: values for name, values in bands().columns().items() if name != "median"}
    assert are_totals(columns)
    crossed = columns[high].copy()
    crossed[-1] += 0.1
    assert not are_totals(columns | {low: crossed})


@pytest.mark.parametrize(
    ("days", "spans"),
    [
        (1, (1,)),
        (7, (7,)),
        (8, (7, 8)),
        (14, (7, 14)),
        (28, (7, 14, 28)),
        (30, (7, 14, 28, 30)),
        (90, (7, 14, 28, 90)),
    ],
)
def test_a_bundle_has_each_total_once(days, spans):
    assert total_spans(days) == spans


@pytest.mark.parametrize("name", BAND_COLUMNS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, -0.1])
def test_no_value_is_negative_or_not_finite(name, wrong):
    values = bands().columns()[name].copy()
    values[0] = wrong
    assert not are_bands(bands().columns() | {name: values})


def test_a_forecast_is_taken_from_columns_in_any_order():
    made = bands(3)
    columns = {"other": made.mean, **dict(reversed(made.columns().items()))}
    read = Forecast.of(made.start, columns)
    assert read.start == made.start
    for name in BAND_COLUMNS:
        assert getattr(read, name).tolist() == getattr(made, name).tolist()


def test_the_first_days_are_those_of_every_column():
    first = bands(5).first(2)
    assert first.start == bands(5).start
    assert first.start > LAST_DAY
    for name, values in first.columns().items():
        assert values.tolist() == getattr(bands(5), name)[:2].tolist()
