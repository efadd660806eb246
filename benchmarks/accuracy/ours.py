"""This project as a method. No other file of the benchmark knows how it forecasts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.methods import ENDS, ROWS
from benchmarks.accuracy.windows import HORIZON, Window
from forecast.pooled.constants import constants  # type: ignore[import-not-found]
from forecast.pooled.daysoff import COLUMNS, Calendar  # type: ignore[import-not-found]
from forecast.pooled.model import fit  # type: ignore[import-not-found]
from forecast.pooled.record import backtest  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from forecast.quantities import Array

M_VALUES = (3, 6, 7)
FIRST, LAST = dt.date(2015, 1, 1), dt.date(2030, 12, 31)  # what the calendar knows


def calendar() -> Calendar:
    """The days off that this project knows."""
    weights = constants().days_off
    return Calendar(FIRST, LAST, tuple(weights[name] for name in COLUMNS))


def empty_calendar() -> Calendar:
    """No day off at all."""
    return replace(calendar(), weights=(0.0,) * len(COLUMNS))


@dataclass(frozen=True)
class Ours:
    """This project, with everything that a training run does: search, fit and backtest."""

    days_off: Calendar

    def __call__(self, window: Window) -> Array:
        """Forecast one window; shape as `Method` says."""
        model = fit(
            window.values, window.start, m_values=M_VALUES, horizon=HORIZON, calendar=self.days_off
        )
        backtest(model, HORIZON)
        made, total = model.predict(HORIZON), model.total(HORIZON)
        days = np.stack([getattr(made, row) for row in ROWS])
        sums = [total.mean, total.mean, *(getattr(total, end) for end in ENDS)]
        return np.column_stack([days, sums])
