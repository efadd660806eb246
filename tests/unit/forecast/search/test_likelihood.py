import numpy as np
import pytest
from pmdarima import ARIMA
from statsmodels.tsa.statespace.sarimax import SARIMAX

from forecast.model.member import LOG, Member
from forecast.search.likelihood import maximise

WHITE = Member((0, 0, 0), (0, 1, 0, 7), LOG, (1.0,), 1.0)
SMOOTHING = Member((0, 1, 1), (0, 0, 0, 0), LOG, (-0.2, 1.0), 1.0)


def smoothed(n=150):
    """A random walk seen through noise: its MA is near -0.6."""
    random = np.random.default_rng(7)
    return np.cumsum(random.normal(0.0, 0.05, n)) + random.normal(0.0, 0.08, n)


def likelihood(z, theta):
    return SARIMAX(z, order=(0, 1, 1), concentrate_scale=True).loglike(np.array([theta]))


def test_the_likelihood_rises_from_the_start():
    z = smoothed()

    (theta,) = maximise(SMOOTHING, z)

    assert likelihood(z, theta) > likelihood(z, -0.2) + 1.0
    assert -1.0 < theta < -0.3


def test_a_start_at_the_top_stays_there():
    z = smoothed()
    grid = np.linspace(-0.95, 0.0, 96)
    best = float(grid[np.argmax([likelihood(z, theta) for theta in grid])])
    start = Member((0, 1, 1), (0, 0, 0, 0), LOG, (best, 1.0), 1.0)

    assert maximise(start, z)[0] == pytest.approx(best, abs=0.03)


def test_a_model_without_parameters_has_nothing_to_maximise():
    assert maximise(WHITE, smoothed()) == ()


@pytest.mark.parametrize("error", [ValueError, IndexError, np.linalg.LinAlgError])
def test_where_the_optimiser_fails_the_start_is_kept(monkeypatch, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(ARIMA, "fit", fail)

    assert maximise(SMOOTHING, smoothed()) == (-0.2,)


def test_parameters_that_are_no_numbers_are_not_kept(monkeypatch):
    monkeypatch.setattr(ARIMA, "params", lambda _: np.array([np.nan]))

    assert maximise(SMOOTHING, smoothed()) == (-0.2,)
