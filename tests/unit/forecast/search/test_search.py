import numpy as np
import pytest

from forecast.search.search import order_grid, search, usable


def test_the_search_finds_a_season_and_compares_every_order():
    rng = np.random.default_rng(5)
    x = rng.normal(0.0, 0.1, 180)
    for day in range(7, 180):
        x[day] += 0.85 * x[day - 7]
    found = search(x, (1, 3, 7))

    assert found.m == 7
    assert found.arima.seasonal_order[3] == 7
    plain = sum(len(order_grid(m)) for m in (1, 3, 7))
    assert found.candidates == plain + len(order_grid(3)) + len(order_grid(7))


def test_the_search_takes_no_season_where_there_is_none():
    x = np.random.default_rng(6).normal(0.0, 0.1, 180).cumsum()
    found = search(x, (1, 7))
    assert found.arima.seasonal_order[:3] == (0, 0, 0)


@pytest.mark.parametrize("x", [np.zeros(14), np.ones(60), np.tile([0.0, 1.0], 40), np.arange(90.0)])
def test_the_search_survives_what_never_changes(x):
    found = search(x, (1, 3, 7, 30))
    assert np.isfinite(found.arima.ahead(x, 30)).all()


def test_a_season_needs_three_of_it():
    assert usable(60, (1, 7, 30)) == [1, 7]
    assert usable(20, (7,)) == [1]


@pytest.mark.parametrize("m_values", [(366,), (100, 200), (366, 1)])
def test_seasons_too_long_for_the_series_are_left_out(m_values):
    x = np.random.default_rng(6).normal(0.0, 0.1, 180).cumsum()
    assert search(x, m_values) == search(x, (1,))


def test_what_fits_is_used_beside_what_is_too_long():
    x = np.random.default_rng(6).normal(0.0, 0.1, 180).cumsum()
    assert search(x, (7, 366)) == search(x, (7,))


def test_a_season_of_one_competes_fairly():
    rng = np.random.default_rng(9)
    x = np.resize(rng.normal(0.0, 0.5, 7), 182) + rng.normal(0.0, 0.05, 182)
    assert search(x, (1, 7)).m == 7
