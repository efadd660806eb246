"""History and forecast to take away: CSV, JSON, and the answers of the endpoints."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, TypedDict

from forecast.bundle.tables import VALUES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.data.package_forecast import PackageForecast

COLUMNS = ("package", "date", "downloads", "repaired", *VALUES)


class Day(TypedDict):
    """One day of a forecast."""

    date: str
    mean: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


class Answer(TypedDict):
    """What ``/forecast`` answers."""

    package: str
    trained_through: str
    observed_through: str
    forecast: list[Day]


def answer(forecast: PackageForecast, days: int) -> Answer:
    """A forecast as the endpoint gives it.

    Raises:
        BundleError: if more days are asked for than the table has, and the model is unusable.
    """
    return Answer(
        package=forecast.package.name,
        trained_through=forecast.trained_through.isoformat(),
        observed_through=forecast.observed_through.isoformat(),
        forecast=ahead(forecast, days),
    )


def ahead(forecast: PackageForecast, days: int) -> list[Day]:
    """The days of a forecast, to a tenth of a download.

    Raises:
        BundleError: see :func:`answer`.
    """
    made = forecast.ahead(days)
    return [
        Day(
            date=(made.start + dt.timedelta(days=at)).isoformat(),
            mean=round(float(made.mean[at]), 1),
            lower_80=round(float(made.lower_80[at]), 1),
            upper_80=round(float(made.upper_80[at]), 1),
            lower_95=round(float(made.lower_95[at]), 1),
            upper_95=round(float(made.upper_95[at]), 1),
        )
        for at in range(days)
    ]


def to_csv(shown: Sequence[PackageForecast]) -> str:
    """History and forecast below each other, a row a day."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for forecast in shown:
        name = forecast.package.name
        for day, value, repaired in _past(forecast):
            writer.writerow([name, day, f"{value:.10g}", int(repaired), *[""] * len(VALUES)])
        for row in ahead(forecast, forecast.days):
            writer.writerow([name, row["date"], "", "", *list(row.values())[1:]])
    return text.getvalue()


def to_json(shown: Sequence[PackageForecast]) -> str:
    """The same, and what is known of the model's accuracy."""
    return (
        json.dumps(
            [_whole(forecast) for forecast in shown],
            indent=1,
            allow_nan=False,
        )
        + "\n"
    )


def _whole(forecast: PackageForecast) -> dict[str, object]:
    history = [
        {"date": day, "downloads": round(value, 1), "repaired": repaired}
        for day, value, repaired in _past(forecast)
    ]
    total = forecast.total
    return {
        **answer(forecast, forecast.days),
        "total": total and {name: round(float(getattr(total, name)), 1) for name in VALUES},
        "backtest": forecast.backtest.model_dump() if forecast.backtest else None,
        "history": history,
    }


def _past(forecast: PackageForecast) -> list[tuple[str, float, bool]]:
    series = forecast.series
    repaired = set(series.repaired)
    days = (series.start + dt.timedelta(days=at) for at in range(len(series.values)))
    return [
        (day.isoformat(), float(value), day in repaired)
        for day, value in zip(days, series.values, strict=True)
    ]
