import numpy as np
import pytest
from scipy.signal import lfilter

from forecast.search.screening import LONG_SEASON, aicc, long_lags, order_grid, screen, used


def seasonal_noise(n=400, seed=0):
    """(1 - 0.5 B) w = (1 - 0.6 B^7) e."""
    e = np.random.default_rng(seed).normal(size=n)
    return lfilter(np.r_[1.0, np.zeros(6), -0.6], [1.0, -0.5], e)


@pytest.mark.parametrize(("m", "size"), [(1, 16), (7, 144), (30, 64)])
def test_the_grid_is_whole(m, size):
    grid = order_grid(m)

    assert len(grid) == size
    assert len(np.unique(grid, axis=0)) == len(grid)
    assert grid[:, :2].max() == 3
    assert grid[:, 2:].max() == (0 if m == 1 else 1 if m > LONG_SEASON else 2)


def test_a_short_season_has_one_name_for_one_model():
    grid = order_grid(3)

    assert not ((grid[:, 0] >= 3) & (grid[:, 2] > 0)).any()
    assert not ((grid[:, 1] >= 3) & (grid[:, 3] > 0)).any()
    assert [3, 3, 0, 0] in grid.tolist()


def test_used_marks_the_parameters_in_the_order_of_statsmodels():
    mask = used(np.array([[2, 1, 0, 2]]))[0]

    assert mask.tolist() == [True, True, False, True, False, False, False, False, True, True]


def test_aicc_is_the_textbook_one():
    n, squares, k = 100, 50.0, 3
    likelihood = n * np.log(squares / n)

    assert aicc(np.array([squares]), n, np.array([k - 1]))[0] == pytest.approx(
        likelihood + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    )


def test_a_season_in_the_series_is_seen_and_one_that_is_not_there_is_not():
    found, other = screen(seasonal_noise(), 7), screen(seasonal_noise(), 5)

    seasonal = found.orders[:, 2:].any(axis=1)
    assert found.aicc[seasonal].min() < found.aicc[~seasonal].min() - 20
    without = ~other.orders[:, 2:].any(axis=1)
    assert other.aicc.min() > other.aicc[without].min() - 10


def test_the_start_is_near_what_made_the_series():
    found = screen(seasonal_noise(2000), 7)
    row = found.orders.tolist().index([1, 0, 0, 1])
    start = found.starts(row + 1)[row]

    assert start[0] == pytest.approx(0.5, abs=0.1)
    assert start[8] == pytest.approx(0.6, abs=0.1)
    assert np.count_nonzero(start) == 2


def test_candidates_come_best_first():
    criterion = screen(seasonal_noise(), 7).aicc

    assert (np.diff(criterion) >= 0).all()


def test_a_pure_autoregression_is_the_ordinary_regression():
    w = lfilter([1.0], [1.0, -0.7], np.random.default_rng(2).normal(size=200))
    found = screen(w, 1)
    row = found.orders.tolist().index([1, 0, 0, 0])
    reach = long_lags(w.size, 1)[-1]
    past, target = w[reach - 1 : -1], w[reach:]
    slope = past @ target / (past @ past)

    assert found.starts(row + 1)[row, 0] == pytest.approx(slope, rel=1e-4)
    squares = ((target - slope * past) ** 2).sum()
    assert found.aicc[row] == pytest.approx(
        aicc(np.array([squares]), target.size, np.array([1]))[0]
    )


def test_parameters_spent_before_cost_as_much_as_any():
    w = seasonal_noise(150)

    plain, charged = screen(w, 1), screen(w, 1, extra=6)

    assert charged.aicc.min() > plain.aicc.min() + 12


def test_skipped_days_make_criteria_of_two_seasons_cover_the_same_days():
    w = seasonal_noise(150)
    skipped = long_lags(w.size, 7)[-1]
    changed = w.copy()
    changed[:3] += 100.0

    of_all, of_changed = (screen(each, 1, skipped).aicc.min() for each in (w, changed))

    long_autoregression_only = abs(of_changed - of_all)
    assert long_autoregression_only < 0.5 * abs(screen(changed, 1).aicc.min() - of_all)


@pytest.mark.parametrize("w", [np.zeros(80), np.ones(80), np.eye(80)[40]], ids=str)
@pytest.mark.parametrize("m", [1, 3, 7, 20])
def test_series_without_information_are_screened_without_fuss(w, m):
    found = screen(w, m)

    assert np.isfinite(found.aicc).all()
    assert np.isfinite(found.starts(len(found.orders))).all()
