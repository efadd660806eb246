"""From a regular daily series to a fitted, backtested model: what programs call."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.model.constants import Constants, constants
from forecast.model.distribution import predictive
from forecast.model.model import NOT_RESCALED, Model, checked, comparable, first_used
from forecast.model.state import estimate
from forecast.search.backtest import Scores, backtest
from forecast.search.days_off import Calendar, calendar_of
from forecast.search.search import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

A_YEAR = 366  # days beyond the horizon whose days off a model knows, for what is appended
STEP_DAYS = 14, 28  # on each side of a change of definition: at the least, at the most
MOST_STEP = 4.0  # in ln(1 + y); the larger steps are no matter of definition
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
    redefined: Sequence[dt.date] = (),
    calendar: Calendar | None = None,
    pooled: Constants | None = None,
) -> Trained:
    """Estimate, search and backtest. Pure: no files, network, clock or chance.

    Args:
        counts: downloads a day, shape (n,), regular and without holes.
        start: day of the first count.
        horizon: days that will be forecast.
        m_values: seasonal periods for the search.
        redefined: days from which on something else is counted.
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
    first, past = start + dt.timedelta(days=begin), shares[begin : values.size + horizon]
    day, factor = _rescaling(values[begin:], first, past, redefined, known)
    rescaled = (day + begin, factor)
    used = comparable(values, rescaled)[None, begin:]
    past = past[: used.shape[1]]
    parameters = estimate(used, first.weekday(), past, known.profile)
    found = search(parameters.adjusted(used, first.weekday(), past)[0], m_values)
    off = [
        (day, round(share, 4)) for day, share in enumerate(shares.tolist()) if abs(share) > SLIGHT
    ]
    model = Model(
        start=start,
        history=tuple(values.tolist()),
        days_off=tuple(off),
        gap=float(parameters.gap[0]),
        pattern=tuple(parameters.pattern[0].tolist()),
        weights=tuple(parameters.weights[:, 0].tolist()),
        searched=found.arima,
        rescaled=rescaled,
    )
    return Trained(
        model=model,
        scores=backtest(model, horizon, known),
        m=found.m,
        order=found.arima.order,
        seasonal_order=found.arima.seasonal_order,
        candidates=found.candidates,
    )


def _rescaling(
    counts: Array, start: dt.date, shares: Array, redefined: Sequence[dt.date], pooled: Constants
) -> tuple[int, float]:
    """What makes counts (n,) of two definitions comparable, if that narrows the bands.

    The days before the last change of definition are multiplied by the step of the level:
    the distance of its medians over the four weeks after and before, days off (n + horizon,)
    and weekdays taken out.

    Returns:
        The number of days and their factor; (0, 1.0) where the counts are better left alone.
    """
    days = [(date - start).days for date in redefined]
    day = max((day for day in days if STEP_DAYS[0] <= day <= counts.size - STEP_DAYS[0]), default=0)
    if not day:
        return NOT_RESCALED
    n, horizon = counts.size, shares.size - counts.size
    parameters = estimate(counts[None], start.weekday(), shares[:n], pooled.profile)
    x = parameters.adjusted(counts[None], start.weekday(), shares[:n])[0]
    after, before = x[day : day + STEP_DAYS[1]], x[max(day - STEP_DAYS[1], 0) : day]
    factor = float(np.exp(np.clip(np.median(after) - np.median(before), -MOST_STEP, MOST_STEP)))
    both = np.stack([counts, comparable(counts, (day, factor))])
    whole = np.array([float(horizon)])
    _, ends = predictive(both, start, shares, pooled).sums(whole, whole)
    widths = np.log1p(ends.upper_80[:, 0]) - np.log1p(ends.lower_80[:, 0])
    return (day, round(factor, 4)) if widths[1] < widths[0] else NOT_RESCALED
