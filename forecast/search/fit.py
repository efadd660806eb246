"""From a regular daily series to a fitted, backtested model: what programs call."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.model.constants import Constants, constants
from forecast.model.model import Model, checked, first_used
from forecast.model.state import estimate
from forecast.search.backtest import Scores, backtest
from forecast.search.days_off import Calendar, calendar_of
from forecast.search.search import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

A_YEAR = 366  # days beyond the horizon whose days off a model knows, for what is appended
SLIGHT = 0.005  # of the weekend gap; a smaller share is no day off


@dataclass(frozen=True)
class Trained:
    """A model and how it was found.

    Attributes:
        model: fitted on everything.
        scores: its backtest.
        m: the season of the searched ARIMA, 1 for none.
        order: (p, d, q) of the searched ARIMA.
        seasonal_order: its (P, D, Q, m), (0, 0, 0, 0) for none.
        candidates: how many models the search compared.
    """

    model: Model
    scores: Scores
    m: int
    order: tuple[int, int, int]
    seasonal_order: tuple[int, int, int, int]
    candidates: int


def train(
    counts: Array,
    start: dt.date,
    *,
    horizon: int,
    m_values: Sequence[int],
    calendar: Calendar | None = None,
    pooled: Constants | None = None,
) -> Trained:
    """Estimate, search and backtest. Pure: no files, network, clock or chance.

    Args:
        counts: downloads a day, shape (n,), regular and without holes.
        start: day of the first count.
        horizon: days that will be forecast.
        m_values: seasonal periods for the search.
        calendar: the days off, known from `start` to a year after the horizon; if left out,
            one that is built once a process.
        pooled: the constants; those that are shipped if left out.

    Raises:
        SeriesError: the series has fewer than 14 days or is not one of counts.
    """
    known = pooled or constants()
    values = checked(np.asarray(counts, dtype=np.float64))
    days = values.size + horizon + A_YEAR
    if calendar is None:
        calendar = calendar_of(start.year, (start + dt.timedelta(days=days)).year)
    shares = calendar.shares(start, days)
    begin = first_used(values)
    used, weekday = values[None, begin:], (start + dt.timedelta(days=begin)).weekday()
    past = shares[begin : values.size]
    parameters = estimate(used, weekday, past, known.profile)
    found = search(parameters.adjusted(used, weekday, past)[0], m_values)
    off = [(day, round(float(share), 4)) for day, share in enumerate(shares) if abs(share) > SLIGHT]
    model = Model(
        start=start,
        history=tuple(values.tolist()),
        days_off=tuple(off),
        gap=float(parameters.gap[0]),
        pattern=tuple(parameters.pattern[0].tolist()),
        weights=tuple(parameters.weights[:, 0].tolist()),
        searched=found.arima,
    )
    return Trained(
        model=model,
        scores=backtest(model, horizon, known),
        m=found.m,
        order=found.arima.order,
        seasonal_order=found.arima.seasonal_order,
        candidates=found.candidates,
    )
