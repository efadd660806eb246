"""The track record of one package: earlier forecasts, compared with the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

WEEKS_BACK = 4  # the forecast on the chart is so many weekly runs old


@dataclass(frozen=True)
class PastForecast:
    """An earlier forecast, on the days that have been counted since.

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
        earlier: the one that is drawn beside the counts.
    """

    forecasts: int
    first: dt.date
    days: int
    ratio: float | None
    inside_80: float
    inside_95: float
    earlier: PastForecast


def track_record(columns: Mapping[str, NDArray[Any]]) -> TrackRecord | None:
    """The track record of a package; None before any forecast day has been counted.

    Args:
        columns: the package's rows of ``track_record.csv`` by column.
    """
    made_on = np.unique(columns["made_on"])
    if not made_on.size:
        return None
    naive = float(columns["naive_error"].mean())
    return TrackRecord(
        forecasts=len(made_on),
        first=_days(made_on)[0],
        days=len(columns["date"]),
        ratio=float(columns["error"].mean()) / naive if naive > 0 else None,
        inside_80=float(columns["inside_80"].mean()),
        inside_95=float(columns["inside_95"].mean()),
        earlier=_made_on(made_on[-WEEKS_BACK:][0], columns),
    )


def _made_on(day: np.datetime64, columns: Mapping[str, NDArray[Any]]) -> PastForecast:
    rows = np.flatnonzero(columns["made_on"] == day)
    rows = rows[np.argsort(columns["date"][rows])]
    return PastForecast(
        made_on=_days(columns["made_on"][rows])[0],
        days=tuple(_days(columns["date"][rows])),
        values=tuple(columns["forecast"][rows].tolist()),
    )


def _days(days: NDArray[np.datetime64]) -> list[dt.date]:
    found: list[dt.date] = days.astype("datetime64[D]").tolist()
    return found
