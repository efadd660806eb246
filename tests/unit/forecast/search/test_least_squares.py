import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.tsa.statespace.sarimax import SARIMAX

from forecast.model.state_space import difference_coefficients
from forecast.search import least_squares as conditional
from forecast.search.least_squares import (
    LARGEST,
    PARAMETERS,
    coefficients,
    difference,
    forecasts,
    innovations,
    least_squares,
    natural,
    partial_autocorrelations,
    polynomials,
    walk,
)

INSIDE = st.floats(-0.9, 0.9)
PARTIAL = np.array([[0.5, -0.3, 0.0, 0.4, 0.0, 0.0, 0.3, 0.0, 0.5, 0.0]])
USED = PARTIAL != 0.0
M = 7


def statsmodels_params(partial):
    found = natural(partial)[0]
    return np.array([*found[:2], found[3], found[6], found[8], 1.0])


def simulated(n, partial=PARTIAL, seed=0):
    """An ARMA(2,1)(1,1)7 by its own recursion, burnt in."""
    phi, theta = polynomials(partial, M)
    lags = phi.shape[1]
    e = np.random.default_rng(seed).normal(size=n + 300)
    w = np.zeros(n + 300)
    for t in range(lags, n + 300):
        w[t] = phi[0] @ w[t - lags : t][::-1] + e[t] + theta[0] @ e[t - lags : t][::-1]
    return w[300:]


def test_coefficients_of_two_terms_are_the_known_ones():
    first, second = 0.6, -0.4

    assert np.allclose(coefficients(np.array([[first, second]])), [[first * 1.4, second]])


def test_natural_parameters_have_the_signs_of_box_and_jenkins_for_ar_and_of_statsmodels_for_ma():
    alone = np.array([[0.5, 0.0, 0.0, 0.4, 0.0, 0.0, 0.3, 0.0, 0.2, 0.0]])

    assert np.allclose(natural(alone), [[0.5, 0, 0, -0.4, 0, 0, 0.3, 0, -0.2, 0]])


@given(arrays(np.float64, (4, 3), elements=INSIDE))
def test_partial_autocorrelations_invert_coefficients(partial):
    assert np.allclose(partial_autocorrelations(coefficients(partial)), partial, atol=1e-6)


@given(arrays(np.float64, (3,), elements=INSIDE))
def test_every_point_is_stationary(partial):
    phi = coefficients(partial[None])[0]

    assert np.abs(np.roots(np.r_[1.0, -phi])).max() < 1.0


@given(arrays(np.float64, (2, 3), elements=st.floats(-9, 9)))
def test_what_is_not_stationary_is_pulled_inside(phi):
    assert np.abs(partial_autocorrelations(phi)).max() < 1.0


def test_polynomials_multiply_out_the_seasonal_ones():
    ar1, ar2, _, ma1, _, _, seasonal_ar, _, seasonal_ma, _ = natural(PARTIAL)[0]
    season = np.zeros(M + 1)
    season[0] = 1.0

    phi, theta = polynomials(PARTIAL, M)

    season[M] = -seasonal_ar
    expected = -np.convolve([1.0, -ar1, -ar2], season)[1:]
    assert np.allclose(phi[0, : expected.size], expected)
    assert not phi[0, expected.size :].any()
    season[M] = seasonal_ma
    expected = np.convolve([1.0, ma1], season)[1:]
    assert np.allclose(theta[0, : expected.size], expected)


def test_innovations_are_those_of_the_exact_filter_once_the_start_is_forgotten():
    w = simulated(300)
    exact = SARIMAX(w, order=(2, 0, 1), seasonal_order=(1, 0, 1, M))
    expected = exact.filter(statsmodels_params(PARTIAL)).forecasts_error[0]

    e = innovations(w[None], *polynomials(PARTIAL, M))[0]

    assert np.allclose(e[100:], expected[100:], atol=1e-3)


def test_forecasts_are_those_of_the_exact_filter_at_every_origin():
    z = np.cumsum(simulated(300))
    exact = SARIMAX(z, order=(2, 1, 1), seasonal_order=(1, 0, 1, M))
    w = difference(z, 1, 0, M)
    e = np.r_[0.0, innovations(w[None], *polynomials(PARTIAL, M))[0]]

    made = forecasts(walk(PARTIAL, [(1, 0)], M), z[None], e[None], [200, 300], 20)

    assert made.shape == (1, 2, 20)
    for place, origin in enumerate((200, 300)):
        known = exact.clone(z[:origin]).filter(statsmodels_params(PARTIAL))
        assert np.allclose(made[0, place], known.forecast(20), atol=1e-2)


def test_an_origin_with_less_past_than_lags_takes_noughts():
    z = simulated(30)
    e = innovations(z[None], *polynomials(PARTIAL, M))

    assert np.isfinite(forecasts(walk(PARTIAL, [(0, 0)], M), z[None], e, [5], 3)).all()


def test_least_squares_finds_what_made_the_series():
    w = simulated(3000)

    fitted = least_squares(w[None], np.where(USED, 0.1, 0.0), USED, M)

    assert np.allclose(fitted.partial, PARTIAL, atol=0.08)
    assert fitted.squares[0] / w.size == pytest.approx(1.0, abs=0.1)
    assert fitted.squares[0] == pytest.approx((fitted.innovations**2).sum())


def test_least_squares_of_a_row_does_not_depend_on_its_neighbours():
    rows = np.array([simulated(200, seed=seed) for seed in range(3)])
    start, used = np.repeat(0.5 * PARTIAL, 3, axis=0), np.repeat(USED, 3, axis=0)

    together = least_squares(rows, start, used, M)

    alone = least_squares(rows[1:2], start[1:2], used[1:2], M)
    assert np.allclose(together.partial[1], alone.partial[0])


def test_no_round_of_least_squares_makes_it_worse_or_leaves_the_bounds(monkeypatch):
    rng = np.random.default_rng(3)
    rows = np.cumsum(rng.normal(size=(30, 80)), axis=1)  # a unit root, which AR runs into
    used = rng.random((30, PARAMETERS)) < 0.6
    start = np.where(used, rng.uniform(-0.6, 0.6, (30, PARAMETERS)), 0.0)
    before = (innovations(rows, *polynomials(start, M)) ** 2).sum(axis=1)

    for rounds in range(1, 7):
        monkeypatch.setattr(conditional, "ROUNDS", rounds)
        fitted = least_squares(rows, start, used, M)

        assert (fitted.squares <= before + 1e-9).all()
        assert (np.abs(fitted.partial) <= LARGEST + 1e-9).all()
        assert not fitted.partial[~used].any()
        before = fitted.squares


def test_without_parameters_the_series_is_its_own_innovations():
    w = simulated(50)

    none = np.zeros((1, PARAMETERS))
    fitted = least_squares(w[None], none, none.astype(bool), M)

    assert np.array_equal(fitted.innovations[0], w)


@pytest.mark.parametrize(("d", "seasonal_d"), [(0, 1), (1, 0), (1, 1)])
def test_difference_coefficients_do_what_difference_does(d, seasonal_d):
    z = np.random.default_rng(1).normal(size=40)

    filtered = np.convolve(z, difference_coefficients(d, seasonal_d, M))

    lost = d + seasonal_d * M
    assert np.allclose(difference(z, d, seasonal_d, M), filtered[lost : z.size])
