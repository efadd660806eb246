from typing import Any

import numpy as np
import pytest

from forecast.search import backtest as module
from forecast.search.backtest import (
    Scores,
    naive_error,
    seasonal_naive,
    told_ratio,
    told_total_error,
)
from tests.unit.forecast.made import fitted, weekly


def backtest(model, horizon) -> Any:
    """Scores of which a test knows which are numbers."""
    return module.backtest(model, horizon)


def test_a_backtest_has_four_origins():
    before = backtest(fitted(weekly(180)), 30)
    assert before.origins == 4
    assert 0.0 < before.ratio < 1.2
    assert 0.5 < before.coverage_80 <= 1.0
    assert before.coverage_80 <= before.coverage_95


def test_a_short_or_constant_series_has_no_record():
    assert backtest(fitted(weekly(60)), 30) == Scores(origins=0)
    assert backtest(fitted(np.full(180, 5.0)), 30) == Scores(origins=0)


def test_a_record_moves_what_is_told_by_its_small_weight():
    pooled = told_ratio(Scores(origins=0))
    assert pooled < told_ratio(Scores(origins=4, ratio=3.0)) < 1.0
    assert told_ratio(Scores(origins=4, ratio=0.3)) < pooled


def test_the_error_told_of_a_total_grows_with_its_band():
    quiet, loud = (fitted(weekly(noise=noise)).total(30) for noise in (0.03, 0.6))
    nothing = Scores(origins=0)
    assert told_total_error(nothing, quiet) < told_total_error(nothing, loud)
    assert told_total_error(nothing, quiet) == pytest.approx(0.03, abs=0.04)


def test_the_seasonal_naive_repeats_the_last_week():
    assert seasonal_naive(np.arange(20.0), 9).tolist() == [*range(13, 20), 13, 14]
    assert naive_error(np.r_[np.zeros(7), np.full(7, 3.0)]) == 3.0


def test_the_backtest_is_not_told_what_comes():
    counts = weekly(180)
    changed = np.r_[counts[:150], np.full(30, 7.0)]
    usual, other = backtest(fitted(counts), 30), backtest(fitted(changed), 30)

    assert usual.naive_mase != other.naive_mase
    assert other.mase > 2 * usual.mase


def test_it_beats_the_seasonal_naive_where_noise_hides_the_level():
    ratios = [backtest(fitted(weekly(noise=0.2, seed=seed)), 30).ratio for seed in range(3)]
    assert np.mean(ratios) < 0.85
