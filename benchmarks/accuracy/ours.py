"""This project as a method. No other file of the benchmark knows how it forecasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.methods import ENDS, ROWS
from benchmarks.accuracy.windows import HORIZON, Window
from forecast.search import train
from forecast.search.days_off import Calendar, calendar_of

if TYPE_CHECKING:
    from forecast.quantities import Array

M_VALUES = (3, 6, 7)
FIRST_YEAR, LAST_YEAR = 2015, 2030  # what the calendar knows


def calendar() -> Calendar:
    """The days off that this project knows."""
    return calendar_of(FIRST_YEAR, LAST_YEAR)


def empty_calendar() -> Calendar:
    """No day off at all."""
    known = calendar()
    return replace(known, weights=(0.0,) * len(known.weights))


@dataclass(frozen=True)
class Ours:
    """This project, with everything that a training run does: search, fit and backtest."""

    days_off: Calendar

    def __call__(self, window: Window) -> Array:
        """Forecast one window; shape as `Method` says."""
        model = train(
            window.values,
            window.start,
            horizon=HORIZON,
            m_values=M_VALUES,
            calendar=self.days_off,
        ).model
        made, total = model.predict(HORIZON), model.total(HORIZON)
        days = np.stack([getattr(made, row) for row in ROWS])
        sums = [total.mean, total.mean, *(getattr(total, end) for end in ENDS)]
        return np.column_stack([days, sums])
