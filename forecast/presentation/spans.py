"""Totals of the weeks that are forecast."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.bands import Total
from forecast.quantities import WEEK

if TYPE_CHECKING:
    from forecast.presentation.package_forecast import PackageForecast


@dataclass(frozen=True)
class Span:
    """A total over some of the days ahead, first and last included."""

    first: dt.date
    last: dt.date
    total: Total


def weeks(forecast: PackageForecast) -> list[Span]:
    """The whole weeks from the first day of the forecast on, each with bands of its own.

    None where the model cannot be loaded, or the forecast is shorter.
    """
    ends = range(WEEK, forecast.days + 1, WEEK)
    if not ends or not forecast.has_model:
        return []
    sums = forecast.sums([WEEK] * len(ends), list(ends))
    begin = forecast.daily.start
    return [
        Span(
            begin + dt.timedelta(days=end - WEEK),
            begin + dt.timedelta(days=end - 1),
            Total(**{name: float(values[at]) for name, values in sums.columns().items()}),
        )
        for at, end in enumerate(ends)
    ]
