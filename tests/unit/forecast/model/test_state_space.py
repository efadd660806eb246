"""The filter beside statsmodels' own SARIMAX, which builds the same model another way."""

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

from forecast.model import state_space
from forecast.model.member import LOG, Member

MEMBERS = {
    "white noise": Member((0, 0, 0), (0, 0, 0, 0), LOG, (0.02,), 1.0),
    "random walk": Member((0, 1, 0), (0, 0, 0, 0), LOG, (0.02,), 1.0),
    "ar": Member((3, 0, 0), (0, 0, 0, 0), LOG, (0.4, 0.1, 0.2, 0.02), 1.0),
    "two differences": Member((0, 2, 1), (0, 0, 0, 0), LOG, (-0.8, 0.02), 1.0),
    "seasonal naive": Member((0, 0, 0), (0, 1, 0, 7), LOG, (0.02,), 1.0),
    "airline": Member((0, 1, 1), (0, 1, 1, 7), LOG, (-0.5, -0.6, 0.02), 1.0),
    "every order": Member(
        (3, 1, 2), (2, 1, 1, 7), LOG, (0.2, 0.1, 0.05, 0.3, 0.1, 0.2, 0.1, -0.6, 0.02), 1.0
    ),
    "more ma than ar": Member(
        (1, 0, 3), (0, 0, 2, 6), LOG, (0.5, 0.2, 0.1, 0.3, 0.3, 0.1, 0.02), 1.0
    ),
}


def rhythm(days=200):
    noise = np.random.default_rng(1).normal(0.0, 0.1, days)
    return 9.0 + np.cumsum(0.2 * noise) + noise + np.where(np.arange(days) % 7 >= 5, -0.6, 0.0)


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS.keys())
def test_mean_and_psi_are_those_of_sarimax(member):
    z = rhythm()
    reference = SARIMAX(
        z,
        order=member.order,
        seasonal_order=member.seasonal_order,
        enforce_stationarity=False,
        enforce_invertibility=False,
    )
    known = reference.filter(np.array(member.params))
    unit = known.impulse_responses(30)

    mean, psi = state_space.ahead(member, z, 30)

    assert np.allclose(mean, known.forecast(30), rtol=1e-6)
    assert np.allclose(psi, unit[:30], atol=1e-12)


@pytest.mark.parametrize("days", [1, 2, 8, 14])
def test_a_history_shorter_than_the_state_forecasts_finite_values(days):
    mean, psi = state_space.ahead(MEMBERS["every order"], rhythm(days), 30)

    assert np.isfinite(mean).all()
    assert np.isfinite(psi).all()


def test_a_variance_of_nought_forecasts_as_any_other_does():
    exact = Member((0, 1, 1), (0, 0, 0, 0), LOG, (-0.5, 0.0), 1.0)
    usual = Member((0, 1, 1), (0, 0, 0, 0), LOG, (-0.5, 0.02), 1.0)

    first, second = (state_space.ahead(each, rhythm(), 5)[0] for each in (exact, usual))

    assert np.allclose(first, second, rtol=1e-6)
