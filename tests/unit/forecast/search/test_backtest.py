import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.model.ensemble import Model
from forecast.model.member import Member
from forecast.search.backtest import (
    SHORTEST_TRAINING,
    Scores,
    backtest,
    naive_error,
    origins,
    seasonal_naive,
)

START = dt.date(2026, 5, 4)
NAIVE = Member((0, 0, 0), (0, 1, 0, 7), "log", (0.01,), 1.0)


def noisy(days=120, seed=0):
    noise = np.random.default_rng(seed).normal(0.0, 0.2, days)
    return np.exp(5.0 - 0.5 * (np.arange(days) % 7 >= 5) + noise)


def naive_until(values, size, width=1.0):
    return Model(START, tuple(values[:size].tolist()), (NAIVE,), widths=(width, width))


def test_origins_end_with_the_last_that_can_be_compared():
    assert origins(180, 30) == [120, 130, 140, 150]
    assert origins(90, 30) == [60]
    assert origins(85, 30) == []
    assert origins(180, 365) == []


@given(st.integers(14, 500), st.integers(1, 365))
def test_every_origin_leaves_room_on_both_sides(n, horizon):
    for size in origins(n, horizon):
        assert SHORTEST_TRAINING <= size <= n - horizon


def test_the_seasonal_naive_repeats_the_last_week():
    values = np.arange(20.0)

    assert seasonal_naive(values, 9).tolist() == [13, 14, 15, 16, 17, 18, 19, 13, 14]


def test_naive_error_is_the_mean_seasonal_difference():
    assert naive_error(np.arange(20.0)) == 7.0


def test_the_seasonal_naive_model_scores_as_the_seasonal_naive():
    values = noisy()

    scores = backtest(naive_until(values, 70), values, 30, [70, 80, 90])

    assert scores.origins == 3
    assert scores.mase == pytest.approx(scores.naive_mase, rel=1e-6)
    assert scores.ratio == pytest.approx(1.0, rel=1e-6)


def test_mase_is_in_units_of_the_training_part_of_each_origin():
    values = noisy()
    expected = []
    for size in (70, 90):
        error = np.abs(np.resize(values[size - 7 : size], 30) - values[size : size + 30]).mean()
        expected.append(error / naive_error(values[:size]))

    scores = backtest(naive_until(values, 70), values, 30, [70, 90])

    assert scores.naive_mase == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(("width", "share"), [(50.0, 1.0), (1e-6, 0.0)])
def test_coverage_counts_the_days_inside(width, share):
    values = noisy()

    scores = backtest(naive_until(values, 70, width), values, 30, [70, 80])

    assert (scores.coverage_80, scores.coverage_95) == (share, share)


def test_the_model_is_not_told_what_comes():
    values = noisy()
    changed = values.copy()
    changed[100:] *= 5.0

    one, other = (
        backtest(naive_until(each, 70), each, 10, [70, 80, 90]) for each in (values, changed)
    )

    assert one == other


def test_nothing_to_measure_is_none_and_never_nan():
    flat = np.full(120, 5.0)

    assert backtest(naive_until(flat, 70), flat, 30, [70, 80]) == Scores(origins=0)
    assert dataclasses.astuple(Scores(origins=0)) == (0, None, None, None, None, None)


def test_a_perfect_seasonal_naive_has_no_ratio():
    values = noisy()
    values[63:] = np.resize(values[63:70], values.size - 63)

    scores = backtest(naive_until(values, 70), values, 30, [70])

    assert scores.naive_mase == 0.0
    assert scores.ratio is None
