"""The track record of one package: what earlier weeks' forecasts said, and what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

MOST_DRAWN = 4  # earlier forecasts on the chart; more hide each other


@dataclass(frozen=True)
class Said:
    """One earlier forecast, as far as its days have come.

    Attributes:
        made_on: the day it was made.
        days: the days, ascending.
        values: downloads that were forecast for them.
    """

    made_on: dt.date
    days: tuple[dt.date, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Record:
    """How the forecasts of a package turned out.

    Attributes:
        forecasts: how many were made of which at least a day has come.
        first: the day the first of them was made.
        days: pairs of forecast and day that were compared.
        ratio: mean error over that of the seasonal naive; None where that made none.
        inside_80: share of the days within the 80 % band; likewise for 95 %.
        said: the newest forecasts, newest first.
    """

    forecasts: int
    first: dt.date
    days: int
    ratio: float | None
    inside_80: float
    inside_95: float
    said: tuple[Said, ...]


def record_of(rows: pd.DataFrame) -> Record | None:
    """The record of a package; None before any day of any forecast has come.

    Args:
        rows: the package's rows of ``track_record.csv``.
    """
    if rows.empty:
        return None
    made_on = sorted(rows["made_on"].unique(), reverse=True)
    naive = float(rows["naive_error"].mean())
    return Record(
        forecasts=len(made_on),
        first=made_on[-1].date(),
        days=len(rows),
        ratio=float(rows["error"].mean()) / naive if naive > 0 else None,
        inside_80=float(rows["inside_80"].mean()),
        inside_95=float(rows["inside_95"].mean()),
        said=tuple(_said(rows[rows["made_on"] == day]) for day in made_on[:MOST_DRAWN]),
    )


def _said(rows: pd.DataFrame) -> Said:
    rows = rows.sort_values("date")
    return Said(
        made_on=rows["made_on"].iloc[0].date(),
        days=tuple(day.date() for day in rows["date"]),
        values=tuple(float(value) for value in rows["forecast"]),
    )
