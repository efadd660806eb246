import dataclasses

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

from forecast.errors import BundleError
from forecast.model.arima import LARGEST_SEASON, Arima, difference_polynomial

SEASONAL = Arima((1, 0, 1), (0, 1, 1, 7), (0.4, 0.1, -0.6))


@pytest.mark.parametrize(
    ("order", "seasonal_order", "params"),
    [
        ((1, 1, 1), (0, 0, 0, 0), (0.5, -0.3)),
        ((2, 1, 0), (0, 0, 1, 7), (0.2, 0.1, 0.4)),
        ((0, 0, 1), (0, 1, 1, 7), (0.3, -0.5)),
        ((1, 1, 2), (1, 0, 1, 3), (0.4, 0.2, 0.1, 0.3, -0.2)),
    ],
)
def test_forecasts_agree_with_statsmodels(order, seasonal_order, params):
    x = np.random.default_rng(4).normal(0.0, 0.2, 200).cumsum()
    theirs = SARIMAX(x, order=order, seasonal_order=seasonal_order).filter([*params, 0.04])

    ours = Arima(order, seasonal_order, params).ahead(x, 20)
    np.testing.assert_allclose(ours, theirs.forecast(20), atol=1e-3)


def test_differences_multiply():
    np.testing.assert_array_equal(difference_polynomial(1, 1, 3), [1, -1, 0, -1, 1])


@pytest.mark.parametrize("order", [(0, 0, 0), (0, 0, 1), (1, 0, 0), (0, 2, 0)])
@pytest.mark.parametrize("n", [1, 2, 14])
def test_any_order_forecasts_as_many_days_as_it_is_asked_for(order, n):
    arima = Arima(order, (0, 0, 0, 0), (0.5,) * (order[0] + order[2]))
    assert arima.ahead(np.ones(n), 5).shape == (5,)


def test_what_a_pickle_may_hold_forecasts_without_a_traceback():
    wild = Arima((10, 10, 10), (10, 10, 10, 366), (10.0,) * 40)
    assert wild.ahead(np.ones(14), 90).shape == (90,)


@pytest.mark.parametrize(
    "fields",
    [
        {"order": (1, 0)},
        {"order": (1, 0, 1.0)},
        {"order": (-1, 0, 2)},
        {"order": (11, 0, 1), "params": (0.0,) * 13},
        {"order": (True, 0, 1)},
        {"order": [1, 0, 1]},
        {"seasonal_order": (0, 1, 1)},
        {"seasonal_order": (0, 1, 1, LARGEST_SEASON + 1)},
        {"params": (0.4, 0.1)},
        {"params": (0.4, 0.1, float("nan"))},
        {"params": [0.4, 0.1, -0.6]},
        {"params": (0.4, 0.1, np.float64(-0.6))},
    ],
    ids=str,
)
def test_an_arima_out_of_range_is_refused(fields):
    with pytest.raises(BundleError, match="not a model of this project"):
        dataclasses.replace(SEASONAL, **fields)


def test_fields_from_a_pickle_are_checked_like_a_new_object():
    for state in (SEASONAL.__dict__ | {"extra": 1}, {"order": (0, 1, 1)}, None):
        with pytest.raises(BundleError, match="fields"):
            Arima.from_fields(state)
    with pytest.raises(BundleError, match="order"):
        Arima.from_fields(SEASONAL.__dict__ | {"order": (0, 1)})
    assert Arima.from_fields(SEASONAL.__dict__) == SEASONAL
