"""The methods compared, each a function from a window's past to a forecast.

A method gets the counts, the first day and the horizon, and answers an array of shape
(5, days): the point forecast, both ends of the 80 % band and both of the 95 % band, in
downloads a day. Peers run with the defaults of their libraries but for the season.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from pmdarima import auto_arima
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

from forecast.model import holidays as christmas
from forecast.model.ensemble import Z_80, Z_95
from forecast.quantities import WEEK, Array
from forecast.search.backtest import seasonal_naive
from forecast.search.search import train

if TYPE_CHECKING:
    import datetime as dt

Method = Callable[[Array, "dt.date", int], Array]

M_VALUES = (3, 6, 7)
ORIGINAL_M_VALUES = (3, 6)
LEVELS = (80, 95)
HIGHEST_LOG = 40.0  # beyond it a peer's log forecast is no number of downloads


@dataclass(frozen=True)
class Peer:
    """A method and how many of the windows it can be given in reasonable time.

    Attributes:
        name: as in the table.
        method: the function.
        every: it runs on one window in this many.
    """

    name: str
    method: Method
    every: int = 1


def ours(values: Array, start: dt.date, days: int) -> Array:
    """The search of this project: search, backtest, final fit and forecast."""
    made = train(values, start, horizon=days, m_values=M_VALUES).model.predict(days)
    return np.stack(list(made.columns().values()))


def ours_without_holidays(values: Array, start: dt.date, days: int) -> Array:
    """The same search, not knowing of Christmas."""
    with patch.dict(christmas.ON_A_WEEKDAY, clear=True):
        return ours(values, start, days)


def naive(values: Array, start: dt.date, days: int) -> Array:  # noqa: ARG001 - a Method
    """Last week repeated; bands from the seasonal differences, wider each week."""
    centre = seasonal_naive(values, days)
    deviation = np.sqrt(np.mean((values[WEEK:] - values[:-WEEK]) ** 2))
    half = deviation * np.sqrt(np.arange(days) // WEEK + 1.0)
    ends = [sign * z * half for z in (Z_80, Z_95) for sign in (-1.0, 1.0)]
    return np.stack([centre, *(centre + end for end in ends)])


def on_log(method: Method) -> Method:
    """The same method on ln(1 + y), its answer carried back."""

    def logged(values: Array, start: dt.date, days: int) -> Array:
        made = method(np.log1p(values), start, days)
        return np.asarray(np.expm1(np.minimum(made, HIGHEST_LOG)))

    return logged


def pmdarima_auto(m: int) -> Method:
    """Search stepwise as pmdarima does by default, with season m."""

    def method(values: Array, start: dt.date, days: int) -> Array:  # noqa: ARG001 - a Method
        model = _quiet_auto_arima(values, m)
        ends = []
        for level in LEVELS:
            centre, band = model.predict(days, return_conf_int=True, alpha=1 - level / 100)
            ends += [band[:, 0], band[:, 1]]
        return np.stack([np.asarray(centre), *ends])

    return method


def original_rule(values: Array, start: dt.date, days: int) -> Array:
    """Take m by squared error on the last `days` days, then search on everything."""
    errors = {}
    for m in ORIGINAL_M_VALUES:
        made = np.asarray(_quiet_auto_arima(values[:-days], m).predict(days))
        errors[m] = float(np.mean((made - values[-days:]) ** 2))
    return pmdarima_auto(min(errors, key=errors.__getitem__))(values, start, days)


def stats_arima(values: Array, start: dt.date, days: int) -> Array:
    """Run statsforecast's AutoARIMA, m by mean absolute error on the last `days` days."""
    errors = {}
    for m in M_VALUES:
        made = AutoARIMA(season_length=m).forecast(values[:-days], days)["mean"]
        errors[m] = float(np.mean(np.abs(made - values[-days:])))
    return _statsforecast(AutoARIMA(season_length=min(errors, key=errors.__getitem__)))(
        values, start, days
    )


def _statsforecast(model: Any) -> Method:
    def method(values: Array, start: dt.date, days: int) -> Array:  # noqa: ARG001 - a Method
        made = model.forecast(values, days, level=list(LEVELS))
        names = ["mean", *(f"{side}-{level}" for level in LEVELS for side in ("lo", "hi"))]
        return np.stack([np.asarray(made[name], dtype=np.float64) for name in names])

    return method


def _quiet_auto_arima(values: Array, m: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its stepwise search tries much that cannot work
        return auto_arima(values, m=m, seasonal=True, suppress_warnings=True, error_action="ignore")


# A table over all windows of the slowest would take hours.
SLOW = 12
SLOWEST = 24

OURS = "this project"
NAIVE = "seasonal naive"

PEERS = (
    Peer(OURS, ours),
    Peer("this project, without Christmas", ours_without_holidays),
    Peer(NAIVE, naive),
    Peer("statsforecast AutoETS", _statsforecast(AutoETS(season_length=WEEK))),
    Peer("statsforecast AutoETS, log", on_log(_statsforecast(AutoETS(season_length=WEEK)))),
    Peer("statsforecast AutoTheta", _statsforecast(AutoTheta(season_length=WEEK))),
    Peer("statsforecast AutoTheta, log", on_log(_statsforecast(AutoTheta(season_length=WEEK)))),
    Peer("statsforecast AutoARIMA", stats_arima, SLOW),
    Peer("statsforecast AutoARIMA, log", on_log(stats_arima), SLOW),
    Peer("pmdarima auto_arima m=7", pmdarima_auto(WEEK), SLOWEST),
    Peer("pmdarima auto_arima m=7, log", on_log(pmdarima_auto(WEEK)), SLOWEST),
    Peer("the original's rule", original_rule, SLOWEST),
)
