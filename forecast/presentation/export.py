"""History and forecast as CSV and JSON, and the answer of ``/forecast``."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, TypedDict, cast

from forecast.bands import BAND_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.presentation.package_forecast import PackageForecast

COLUMNS = ("package", "date", "downloads", "repaired", *BAND_COLUMNS, "no_counts_since")


class Day(TypedDict):
    """One day of a forecast; the schema of the endpoint is made of these keys."""

    date: str
    mean: float
    median: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float


class Tested(TypedDict):
    """How a package's forecasts did in its backtest, or since they are published."""

    forecasts: int
    error_ratio: float | None
    inside_80: float | None
    inside_95: float | None


class Accuracy(TypedDict):
    """How far to believe a forecast.

    ``error_ratio`` is the error to be expected over that of repeating the last week, and
    ``total_error`` by what share of it the total is missed in half the cases: both are drawn
    from what packages like it gave.
    """

    error_ratio: float
    total_error: float | None
    backtest: Tested | None
    record: Tested | None


class Answer(TypedDict):
    """A forecast with its accuracy."""

    package: str
    trained_through: str
    observed_through: str
    no_counts_since: str | None
    forecast: list[Day]
    accuracy: Accuracy


class ForecastAnswer(Answer):
    """The answer of ``/forecast``: a forecast, and what the page says beside it."""

    known_through: str | None
    warnings: list[str]


def answer(forecast: PackageForecast, days: int) -> Answer:
    """The forecast of the next days with its accuracy.

    Raises:
        BundleError: if the table has fewer days than asked for, and the model is unusable.
    """
    return Answer(
        package=forecast.package.name,
        trained_through=forecast.trained_through.isoformat(),
        observed_through=forecast.observed_through.isoformat(),
        no_counts_since=_stopped(forecast) or None,
        forecast=ahead(forecast, days),
        accuracy=accuracy(forecast),
    )


def accuracy(forecast: PackageForecast) -> Accuracy:
    """What is known about the accuracy of a forecast."""
    scores, record = forecast.backtest, forecast.track_record
    return Accuracy(
        error_ratio=round(forecast.usual_error, 3),
        total_error=_rounded(forecast.usual_miss),
        backtest=Tested(
            forecasts=scores.origins,
            error_ratio=_rounded(scores.ratio),
            inside_80=_rounded(scores.coverage_80),
            inside_95=_rounded(scores.coverage_95),
        )
        if scores and scores.origins
        else None,
        record=Tested(
            forecasts=record.forecasts,
            error_ratio=_rounded(record.ratio),
            inside_80=_rounded(record.inside_80),
            inside_95=_rounded(record.inside_95),
        )
        if record
        else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def ahead(forecast: PackageForecast, days: int) -> list[Day]:
    """The days of a forecast, to a tenth of a download.

    Raises:
        BundleError: see :func:`answer`.
    """
    return [cast("Day", {"date": day, **values}) for day, values in forecast.ahead(days).rows]


def to_csv(shown: Sequence[PackageForecast]) -> str:
    """One row per day: the history of each package, then its forecast."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for forecast in shown:
        name, stopped = forecast.package.name, _stopped(forecast)
        bands = [""] * len(BAND_COLUMNS)
        writer.writerows(
            [name, day, f"{value:.10g}", int(repaired), *bands, stopped]
            for day, value, repaired in forecast.series.rows
        )
        writer.writerows(
            [name, day, "", "", *values.values(), stopped] for day, values in forecast.daily.rows
        )
    return text.getvalue()


def to_json(shown: Sequence[PackageForecast]) -> str:
    """History, forecast, total and backtest of each package."""
    found = [contents(forecast) for forecast in shown]
    return json.dumps(found, indent=1, allow_nan=False) + "\n"


def contents(forecast: PackageForecast) -> dict[str, object]:
    """The answer for all days of a forecast, with history, total, backtest and parts.

    Raises:
        BundleError: see :func:`answer`.
    """
    history = [
        {"date": day, "downloads": round(value, 1), "repaired": repaired}
        for day, value, repaired in forecast.series.rows
    ]
    total = forecast.total
    return {
        **answer(forecast, forecast.days),
        "total": total and {name: round(float(each), 1) for name, each in total.columns().items()},
        "backtest": forecast.backtest.model_dump() if forecast.backtest else None,
        "parts": [part.model_dump(mode="json") for part in forecast.parts],
        "history": history,
    }


def _stopped(forecast: PackageForecast) -> str:
    """The last day with a download, if they stopped; else empty."""
    return forecast.no_counts_since.isoformat() if forecast.no_counts_since else ""
