"""The CSV files of a bundle: written in one way, read with every check.

Beside the counts and the forecasts there are two that make up the track record:
``past_forecasts.csv``, what earlier runs said of days that are still to come, and
``track_record.csv``, what they said of days that have come since, and how it turned out.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import BundleError
from forecast.quantities import LARGEST_COUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from forecast.model.ensemble import Forecast

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
COLUMNS = {
    HISTORY: HISTORY_COLUMNS,
    FORECASTS: FORECAST_COLUMNS,
    PAST: PAST_COLUMNS,
    TRACK: TRACK_COLUMNS,
}

COMMA, NEWLINE = b",\n"


def head(table: str) -> bytes:
    """The first line of a table."""
    return (",".join(COLUMNS[table]) + "\n").encode()


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


def record_rows(rows: pd.DataFrame, table: str) -> bytes:
    """Rows of one of the two tables of the track record."""
    text = rows[COLUMNS[table]].to_csv(
        index=False, header=False, date_format="%Y-%m-%d", lineterminator="\n"
    )
    return str(text).encode()


def parse(data: bytes, table: str) -> pd.DataFrame:
    """Rows of a table, without its head, every value checked by itself.

    Args:
        data: whole lines.
        table: one of ``COLUMNS``.

    Returns:
        Its columns: ``package`` as categories, days as datetime64, the rest as float64.

    Raises:
        BundleError: if a line or a value is not one that we write.
    """
    columns = COLUMNS[table]
    _check_shape(data, table)
    days = [column for column in columns if column in {"date", "made_on"}]
    try:
        # As categories, each name and each day is decoded once and not once a row.
        rows = _read(data, columns, dict.fromkeys(["package", *days], "category"))
        if not pd.api.types.is_string_dtype(rows["package"].cat.categories):
            # Names that all look like numbers were taken for some: 007 is no package.
            rows = _read(data, columns, {"package": "str"} | dict.fromkeys(days, "category"))
            rows["package"] = rows["package"].astype("category")
        for column in days:
            known = pd.to_datetime(rows[column].cat.categories.astype("str"), format="%Y-%m-%d")
            rows[column] = known[rows[column].cat.codes.to_numpy()]
    except Exception as error:  # noqa: BLE001 - pandas raises whatever its parsers raise
        raise BundleError(f"{table} is not a table of ours ({type(error).__name__})") from None
    if rows[days].isna().any(axis=None):  # pandas reads an empty text as no day, without a word
        raise BundleError(f"{table}: a row has no day")
    CHECKS[table](rows, table)
    return rows


def _read(data: bytes, columns: list[str], types: Mapping[str, str]) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(data),
        names=columns,
        header=None,
        index_col=False,
        dtype={**dict.fromkeys(columns, "float64"), **types},
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        lineterminator="\n",
    )


def _check_shape(data: bytes, table: str) -> None:
    """Every line has as many fields as there are columns, so that no parser need guess."""
    text = np.frombuffer(data, dtype=np.uint8)
    marks = text[(text == COMMA) | (text == NEWLINE)]
    width = len(COLUMNS[table])
    whole = data.endswith(b"\n") and len(marks) % width == 0
    ends = marks.reshape(-1, width) == NEWLINE if whole else np.zeros((1, width), dtype=bool)
    if not (ends[:, -1].all() and not ends[:, :-1].any()):
        raise BundleError(f"{table} is not a table of ours: a line has not {width} fields")


def _check_counts(rows: pd.DataFrame, table: str) -> None:
    counts = rows["downloads"].to_numpy(dtype=np.float64)
    if not ((counts >= 0) & (counts <= LARGEST_COUNT) & (counts % 1 == 0)).all():
        raise BundleError(f"{table}: a count is not a whole number from 0 to {LARGEST_COUNT}")


def _check_bands(rows: pd.DataFrame, table: str) -> None:
    values = rows[VALUES].to_numpy(dtype=np.float64)
    mean, low80, high80, low95, high95 = values.T
    ordered = (low95 <= low80) & (low80 <= mean) & (mean <= high80) & (high80 <= high95)
    if not (np.isfinite(values).all() and (values >= 0).all() and ordered.all()):
        raise BundleError(f"{table}: a value is not finite, is negative, or outside its band")


def _check_scores(rows: pd.DataFrame, table: str) -> None:
    values = rows[TRACK_COLUMNS[4:]].to_numpy(dtype=np.float64)
    inside = rows[["inside_80", "inside_95"]].isin([0, 1])
    if not (np.isfinite(values).all() and (values >= 0).all() and inside.all(axis=None)):
        raise BundleError(f"{table}: a value is not finite, is negative, or neither 0 nor 1")


CHECKS: Mapping[str, Callable[[pd.DataFrame, str], None]] = {
    HISTORY: _check_counts,
    FORECASTS: _check_bands,
    PAST: _check_bands,
    TRACK: _check_scores,
}


def _join(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
