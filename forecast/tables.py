"""The CSV files of a bundle: written in one way, read with every check.

Beside the counts and the forecasts there are two that make up the track record:
``past_forecasts.csv``, what earlier runs said of days that are still to come, and
``track_record.csv``, what they said of days that have come since, and how it turned out.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast.model import Forecast

HISTORY = "history.csv"
FORECASTS = "forecasts.csv"
HISTORY_COLUMNS = ["package", "date", "downloads"]
VALUES = ["mean", "lower_80", "upper_80", "lower_95", "upper_95"]
FORECAST_COLUMNS = ["package", "date", *VALUES]
PAST = "past_forecasts.csv"
PAST_COLUMNS = ["package", "date", "made_on", "horizon", *VALUES]
TRACK = "track_record.csv"
TRACK_COLUMNS = [
    *("package", "date", "made_on", "horizon", "downloads", "forecast"),
    *("error", "naive_error", "inside_80", "inside_95"),
]

LARGEST_COUNT = 10**12  # downloads a day; all of PyPI has a hundredth of it


def head(columns: list[str]) -> bytes:
    """The first line of a table."""
    return (",".join(columns) + "\n").encode()


def history_rows(name: str, counts: pd.Series[int]) -> bytes:
    """Counts as fetched, by day."""
    days = pd.DatetimeIndex(counts.index).strftime("%Y-%m-%d")
    return _join(f"{name},{day},{count}" for day, count in zip(days, counts, strict=True))


def forecast_rows(name: str, forecast: Forecast) -> bytes:
    """Mean and bands by day, to a tenth of a download."""
    table = np.column_stack([getattr(forecast, value) for value in VALUES])
    return _join(
        f"{name},{forecast.start + dt.timedelta(days=ahead)},"
        + ",".join(f"{value:.1f}" for value in row)
        for ahead, row in enumerate(table)
    )


def record_rows(table: pd.DataFrame, columns: list[str]) -> bytes:
    """Rows of one of the two tables of the track record."""
    text = table[columns].to_csv(
        index=False, header=False, date_format="%Y-%m-%d", lineterminator="\n"
    )
    return str(text).encode()


def read_history(data: bytes) -> dict[str, pd.Series[int]]:
    """Package to its counts by day.

    Raises:
        BundleError: if the table is not one of ours.
    """
    table = _read(data, HISTORY, HISTORY_COLUMNS)
    counts = table["downloads"]
    if not ((counts >= 0) & (counts <= LARGEST_COUNT) & (counts % 1 == 0)).all():
        raise BundleError(f"{HISTORY}: a count is not a whole number from 0 to {LARGEST_COUNT}")
    table["downloads"] = counts.astype("int64")
    return {str(name): each["downloads"] for name, each in table.groupby("package", sort=False)}


def read_forecasts(data: bytes) -> dict[str, pd.DataFrame]:
    """Package to its mean and bands by day.

    Raises:
        BundleError: if the table is not one of ours.
    """
    table = _read(data, FORECASTS, FORECAST_COLUMNS)
    _check_bands(table, FORECASTS)
    return {str(name): each[VALUES] for name, each in table.groupby("package", sort=False)}


def read_past(data: bytes) -> pd.DataFrame:
    """Forecasts of earlier runs; one row a package, day and run.

    Raises:
        BundleError: if the table is not one of ours.
    """
    table = _parse(data, PAST, PAST_COLUMNS)
    _check_bands(table, PAST)
    return table


def read_track(data: bytes) -> pd.DataFrame:
    """How forecasts turned out; one row a package, day and run.

    Raises:
        BundleError: if the table is not one of ours.
    """
    table = _parse(data, TRACK, TRACK_COLUMNS)
    values = table[TRACK_COLUMNS[4:]].to_numpy(dtype=np.float64)
    inside = table[["inside_80", "inside_95"]].isin([0, 1])
    if not (np.isfinite(values).all() and (values >= 0).all() and inside.all(axis=None)):
        raise BundleError(f"{TRACK}: a value is not finite, is negative, or neither 0 nor 1")
    return table


def _join(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _check_bands(table: pd.DataFrame, name: str) -> None:
    values = table[VALUES].to_numpy(dtype=np.float64)
    mean, low80, high80, low95, high95 = values.T
    ordered = (low95 <= low80) & (low80 <= mean) & (mean <= high80) & (high80 <= high95)
    if not (np.isfinite(values).all() and (values >= 0).all() and ordered.all()):
        raise BundleError(f"{name}: a value is not finite, is negative, or outside its band")


def _read(data: bytes, name: str, columns: list[str]) -> pd.DataFrame:
    """A table of ours with a row a package and day, indexed by day.

    Raises:
        BundleError: if columns, types, days or their order are not as written by us.
    """
    table = _parse(data, name, columns)
    step = table.groupby("package", sort=False)["date"].diff()
    if (step <= pd.Timedelta(0)).any():
        raise BundleError(f"{name}: a package has a day twice, or its days are not in order")
    return table.set_index("date")


def _parse(data: bytes, name: str, columns: list[str]) -> pd.DataFrame:
    """The rows of a table of ours.

    Raises:
        BundleError: if columns or types are not as written by us.
    """
    days = [column for column in columns if column in {"date", "made_on"}]
    types = dict.fromkeys(columns, "float64") | dict.fromkeys(["package", *days], "str")
    try:
        table = pd.read_csv(io.BytesIO(data), dtype=types, na_filter=False)
        for column in days:
            table[column] = pd.to_datetime(table[column], format="%Y-%m-%d")
    except Exception as error:  # noqa: BLE001 - pandas raises whatever its parsers raise
        raise BundleError(f"{name} is not a table of ours ({type(error).__name__})") from None
    if table[days].isna().any(axis=None):  # pandas reads an empty text as no day, without a word
        raise BundleError(f"{name}: a row has no day")
    if list(table.columns) != columns:
        raise BundleError(f"{name}: expected the columns {','.join(columns)}")
    return table
