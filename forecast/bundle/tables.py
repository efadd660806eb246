"""The CSV files of a bundle: how each is written, and how it is read with every check.

``history.csv`` has the counts, ``forecasts.csv`` the forecasts by day and ``totals.csv`` their
sums over some numbers of days. Four more make up the track
record: ``past_forecasts.csv``, what earlier runs forecast for days that are still to come, and
``track_record.csv``, what they forecast for days that have come since, and how it turned out;
``past_totals.csv`` and ``total_record.csv`` are the same for totals.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype, union_categoricals

from forecast.bands import BAND_COLUMNS, MEDIAN, TOTAL_COLUMNS, are_bands, are_totals
from forecast.config import is_series_name
from forecast.errors import BundleError
from forecast.quantities import LARGEST_COUNT, LONGEST_HORIZON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from forecast.bands import Forecast, Total

HISTORY = "history.csv"
FORECASTS = "forecasts.csv"
TOTALS = "totals.csv"
PAST = "past_forecasts.csv"
TRACK = "track_record.csv"
PAST_TOTALS = "past_totals.csv"
TOTAL_TRACK = "total_record.csv"
PAST_COLUMNS = ["package", "date", "made_on", "horizon", *BAND_COLUMNS]
TRACK_COLUMNS = [
    *("package", "date", "made_on", "horizon", "downloads", "forecast"),
    *("error", "naive_error", "inside_80", "inside_95"),
]
PAST_TOTALS_COLUMNS = ["package", "start", "days", "made_on", *TOTAL_COLUMNS]
# "before" is how many downloads as many days had at the mean of the four weeks before.
TOTAL_TRACK_COLUMNS = [*PAST_TOTALS_COLUMNS, "downloads", "before"]
COLUMNS = {
    HISTORY: ["package", "date", "downloads"],
    FORECASTS: ["package", "date", *BAND_COLUMNS],
    TOTALS: ["package", "days", *TOTAL_COLUMNS],
    PAST: PAST_COLUMNS,
    TRACK: TRACK_COLUMNS,
    PAST_TOTALS: PAST_TOTALS_COLUMNS,
    TOTAL_TRACK: TOTAL_TRACK_COLUMNS,
}
DATES = {"date", "start", "made_on"}
INTEGERS = {
    HISTORY: ["downloads"],
    **{table: ["days"] for table in (TOTALS, PAST_TOTALS, TOTAL_TRACK)},
}
Kind = np.dtype[Any] | pd.api.extensions.ExtensionDtype
Columns = Mapping[str, "NDArray[Any]"]  # of some rows of a table, each of shape (rows,)
# For read_csv: it takes as long to find these by their names as to read a small table.
NUMBER, CATEGORY, TEXT = np.dtype("float64"), pd.CategoricalDtype(), pd.StringDtype(na_value=np.nan)
ASCENDING = {HISTORY: "date", FORECASTS: "date", TOTALS: "days"}  # within a package

DAY_LENGTH = len("2026-11-22")
COMMA, NEWLINE = b",\n"
PIECE = 1 << 22  # bytes parsed at once: parsing takes several times their memory


@dataclass(frozen=True)
class Table:
    """A checked table by column, the rows of a package together.

    Attributes:
        values: every column but the package, each of shape (rows,): dates as datetime64, counts
            of ``history.csv`` and days of ``totals.csv`` as int64, the rest as float64.
        places: package to its rows, in the order in which packages first appear in the file.
    """

    values: Columns = field(repr=False)
    places: Mapping[str, slice] = field(repr=False)

    def columns(self, name: str) -> dict[str, NDArray[Any]]:
        """The rows of a package, perhaps none, by column."""
        return self.taken(self.places.get(name, slice(0)))

    def taken(self, rows: slice | NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Some rows by column."""
        return {column: values[rows] for column, values in self.values.items()}

    def of(self, name: str) -> pd.DataFrame:
        """The rows of a package, with the column ``package``."""
        rows = pd.DataFrame(self.columns(name))
        rows.insert(0, "package", pd.Series(name, rows.index, dtype="str"))
        return rows

    def with_packages(self, packages: NDArray[Any]) -> pd.DataFrame:
        """All rows; the column ``package`` has the value of each package, in their order."""
        sizes = [place.stop - place.start for place in self.places.values()]
        return pd.DataFrame({**self.values, "package": np.repeat(packages, sizes)})


def header(table: str) -> bytes:
    """The first line of a table."""
    return _line(COLUMNS[table])


def _line(columns: list[str]) -> bytes:
    return (",".join(columns) + "\n").encode()


def history_rows(name: str, counts: pd.Series[int]) -> bytes:
    """Counts as fetched, by day."""
    days = pd.DatetimeIndex(counts.index).strftime("%Y-%m-%d")
    return _join(f"{name},{day},{count}" for day, count in zip(days, counts.tolist(), strict=True))


def forecast_rows(name: str, forecast: Forecast) -> bytes:
    """Mean and bands by day, to a tenth of a download."""
    table = np.column_stack(list(forecast.columns().values()))
    return _join(
        f"{name},{forecast.start + dt.timedelta(days=ahead)},"
        + ",".join(f"{value:.1f}" for value in row)
        for ahead, row in enumerate(table)
    )


def total_rows(name: str, totals: Mapping[int, Total]) -> bytes:
    """Mean and band by number of days, to a tenth of a download."""
    return _join(
        f"{name},{days}," + ",".join(f"{value:.1f}" for value in total.columns().values())
        for days, total in totals.items()
    )


def record_rows(name: str, columns: Columns, table: str) -> bytes:
    """Rows of a package in one of the four tables of the track record."""
    texts = [_texts(columns[each]) for each in COLUMNS[table][1:]]
    return _join(f"{name},{','.join(row)}" for row in zip(*texts, strict=True))


def _texts(values: NDArray[Any]) -> list[str]:
    if values.dtype.kind == "M":
        return [str(day) for day in np.datetime_as_string(values, unit="D")]
    return list(map(repr, values.tolist()))


def read_table(data: bytes, table: str, *, with_median: bool = True) -> Table:
    """Read a whole file, and check every value and the order of the days.

    The rows of a package may be anywhere in the file: earlier versions wrote the track record
    run by run.

    Args:
        data: the content of the file.
        table: its name, one of ``COLUMNS``.
        with_median: whether forecasts have one; format 1 called the median their mean.

    Raises:
        BundleError: if anything in it is wrong.
    """
    columns = [name for name in COLUMNS[table] if with_median or name != MEDIAN]
    first = _line(columns)
    if not data.startswith(first):
        raise BundleError(f"{table}: expected the columns {first.decode().strip()}")
    pieces = [_parse(piece, table, columns) for piece in _pieces(data, len(first))]
    if not pieces:
        return empty_table(table)
    packages = union_categoricals([piece.packages for piece in pieces])
    values = {
        name: np.concatenate([piece.values[name] for piece in pieces])
        for name in COLUMNS[table][1:]
    }
    codes, names = pd.factorize(packages)  # numbered in the order of their first rows
    if odd := [name for name in names if not is_series_name(str(name))]:
        raise BundleError(f"{table}: {str(odd[0])!r:.100} is no normalised name of a package")
    if (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
        values, codes = {name: each[order] for name, each in values.items()}, codes[order]
    ends = np.searchsorted(codes, np.arange(len(names) + 1))
    if table in ASCENDING:
        later = np.diff(values[ASCENDING[table]].astype("int64")) > 0
        if not (later | (np.diff(codes) > 0)).all():
            raise BundleError(f"{table}: a package has a day twice, or its days are not in order")
    for each in values.values():
        each.setflags(write=False)  # whoever asks gets a part of it, and no copy
    places = {str(name): slice(*ends[at : at + 2].tolist()) for at, name in enumerate(names)}
    return Table(values, places)


def empty_table(table: str) -> Table:
    """A table without rows."""
    types = dict.fromkeys(COLUMNS[table][1:], "float64")
    types |= dict.fromkeys(DATES & types.keys(), "datetime64[us]")
    types |= dict.fromkeys(INTEGERS.get(table, ()), "int64")
    return Table({name: np.empty(0, kind) for name, kind in types.items()}, {})


def _pieces(data: bytes, start: int) -> Iterator[bytes]:
    """Whole lines in pieces of about ``PIECE`` bytes."""
    while start < len(data):
        end = data.find(b"\n", start + PIECE) + 1 or len(data)
        yield data[start:end]
        start = end


class _Piece(NamedTuple):
    packages: pd.Series[Any]  # as categories
    values: Columns


def _parse(lines: bytes, table: str, columns: list[str]) -> _Piece:
    """Rows of a table, every value checked by itself."""
    _check_shape(lines, table, len(columns))
    dates = [column for column in columns if column in DATES]
    try:
        # As categories, each name and each day is decoded once and not once a row.
        rows = _read(lines, columns, dict.fromkeys(["package", *dates], CATEGORY))
        if not is_string_dtype(rows["package"].cat.categories):
            # pandas reads names that all look like numbers as numbers: 007 is no package.
            rows = _read(lines, columns, {"package": TEXT} | dict.fromkeys(dates, CATEGORY))
            rows["package"] = rows["package"].astype(CATEGORY)
        values = {
            column: _days(rows[column]) if column in dates else rows[column].to_numpy()
            for column in columns[1:]
        }
    except Exception as error:  # noqa: BLE001 - pandas raises whatever its parsers raise
        raise BundleError(f"{table} is malformed ({type(error).__name__})") from None
    if any(np.isnat(values[column]).any() for column in dates):  # pandas' reading of empty text
        raise BundleError(f"{table}: a row has no day")
    if len(columns) < len(COLUMNS[table]):
        values[MEDIAN] = values["mean"]
    CHECKS[table](values, table)
    whole = {column: values[column].astype("int64") for column in INTEGERS.get(table, ())}
    return _Piece(rows["package"], values | whole)


def _days(column: pd.Series[Any]) -> NDArray[Any]:
    """Dates of a column of categories.

    Raises:
        ValueError: one is neither a day nor empty.
    """
    texts = column.cat.categories.astype("str")
    if not set(map(len, texts)) <= {0, DAY_LENGTH}:  # to pandas "now" and "today" are dates, too
        raise ValueError
    known = pd.to_datetime(texts, format="%Y-%m-%d")
    return known.to_numpy()[column.cat.codes.to_numpy()]


def _read(data: bytes, columns: list[str], types: Mapping[str, Kind]) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(data),
        names=columns,
        header=None,
        index_col=False,
        dtype={**dict.fromkeys(columns, NUMBER), **types},
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        lineterminator="\n",
        low_memory=False,  # a piece is small
    )


def _check_shape(data: bytes, table: str, width: int) -> None:
    """Every line has as many fields as there are columns, so that no parser need guess."""
    if b"\r" in data:  # for pandas that is the end of a line, too, or part of a value
        raise BundleError(f"{table} is malformed: a line ends in CR, and not in LF alone")
    text = np.frombuffer(data, dtype=np.uint8)
    marks = text[(text == COMMA) | (text == NEWLINE)]
    whole = data.endswith(b"\n") and len(marks) % width == 0
    ends = marks.reshape(-1, width) == NEWLINE if whole else np.zeros((1, width), dtype=bool)
    if not (ends[:, -1].all() and not ends[:, :-1].any()):
        raise BundleError(f"{table} is malformed: expected {width} fields in every line")


def _check_counts(rows: Columns, table: str) -> None:
    counts = rows["downloads"]
    if not ((counts >= 0) & (counts <= LARGEST_COUNT) & (counts == np.floor(counts))).all():
        raise BundleError(f"{table}: a count is not a whole number from 0 to {LARGEST_COUNT}")


def _check_bands(rows: Columns, table: str) -> None:
    if not are_bands(rows):
        raise BundleError(f"{table}: a value is not finite, is negative, or outside its band")


def _check_past(rows: Columns, table: str) -> None:
    _check_bands(rows, table)
    _check_days(rows["horizon"], table)


def _check_days(days: NDArray[Any], table: str) -> None:
    if not ((days >= 1) & (days <= LONGEST_HORIZON) & (days == np.floor(days))).all():
        raise BundleError(f"{table}: days are not a whole number from 1 to {LONGEST_HORIZON}")


def _check_totals(rows: Columns, table: str) -> None:
    _check_days(rows["days"], table)
    if not are_totals(rows):
        raise BundleError(f"{table}: a value is not finite, is negative, or outside its band")


def _check_scores(rows: Columns, table: str) -> None:
    _check_days(rows["horizon"], table)
    values = np.array([rows[column] for column in TRACK_COLUMNS[4:]])
    inside = np.array([rows["inside_80"], rows["inside_95"]])
    whole = (inside == 0) | (inside == 1)
    if not (np.isfinite(values).all() and (values >= 0).all() and whole.all()):
        raise BundleError(f"{table}: a value is not finite, is negative, or neither 0 nor 1")


def _check_total_scores(rows: Columns, table: str) -> None:
    _check_totals(rows, table)
    values = np.array([rows["downloads"], rows["before"]])
    if not ((values >= 0) & (values <= LARGEST_COUNT * LONGEST_HORIZON)).all():
        raise BundleError(f"{table}: a value is not finite, is negative, or too large")


CHECKS: Mapping[str, Callable[[Columns, str], None]] = {
    HISTORY: _check_counts,
    FORECASTS: _check_bands,
    TOTALS: _check_totals,
    PAST: _check_past,
    TRACK: _check_scores,
    PAST_TOTALS: _check_totals,
    TOTAL_TRACK: _check_total_scores,
}


def _join(lines: Iterable[str]) -> bytes:
    return "\n".join([*lines, ""]).encode()
