"""The track record of one package: earlier forecasts, compared with the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

MOST_DRAWN = 4  # earlier forecasts on the chart; more hide each other


@dataclass(frozen=True)
class PastForecast:
    """One earlier forecast, on the days that have been counted since.

    Attributes:
        made_on: the day it was made.
        days: the days, ascending.
        values: downloads that were forecast for them.
    """

    made_on: dt.date
    days: tuple[dt.date, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class TrackRecord:
    """The accuracy of a package's published forecasts.

    Attributes:
        forecasts: how many of them have at least one day counted.
        first: the day the first of them was made.
        days: pairs of forecast and day that were compared.
        ratio: mean error over that of the seasonal naive; None if that one is zero.
        inside_80: share of the days within the 80 % band; likewise for 95 %.
        past_forecasts: the latest of them, newest first.
    """

    forecasts: int
    first: dt.date
    days: int
    ratio: float | None
    inside_80: float
    inside_95: float
    past_forecasts: tuple[PastForecast, ...]


def track_record(rows: pd.DataFrame) -> TrackRecord | None:
    """The track record of a package; None before any forecast day has been counted.

    Args:
        rows: the package's rows of ``track_record.csv``.
    """
    if rows.empty:
        return None
    made_on = sorted(rows["made_on"].unique(), reverse=True)
    naive = float(rows["naive_error"].mean())
    return TrackRecord(
        forecasts=len(made_on),
        first=made_on[-1].date(),
        days=len(rows),
        ratio=float(rows["error"].mean()) / naive if naive > 0 else None,
        inside_80=float(rows["inside_80"].mean()),
        inside_95=float(rows["inside_95"].mean()),
        past_forecasts=tuple(
            _past_forecast(rows[rows["made_on"] == day]) for day in made_on[:MOST_DRAWN]
        ),
    )


def _past_forecast(rows: pd.DataFrame) -> PastForecast:
    rows = rows.sort_values("date")
    return PastForecast(
        made_on=rows["made_on"].iloc[0].date(),
        days=tuple(day.date() for day in rows["date"]),
        values=tuple(float(value) for value in rows["forecast"]),
    )
