"""Reads a CSV file of daily counts: what is plainly meant is read, the rest refused by line."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.config import decode
from forecast.errors import DownloadsError
from forecast.quantities import LARGEST_COUNT, WEEK
from forecast.text import excerpt

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATE, DOWNLOADS = "date", "downloads"
DELIMITERS = ",;\t"
FEWEST_TOTALS = 28  # days; in so many, daily counts go down at least once
MOST_STEPS = 0.5  # of the days on which a total grows, at least
FASTEST_TOTALS = 0.05  # a day; counts that grow faster may do so on every day

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*?)?)(?: UTC)?", re.ASCII)
_WHOLE = re.compile(r"[0-9]+(?:\.0{1,2})?|[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{1,2}", re.ASCII)
_GROUPED = re.compile(r"[0-9]{1,3}(?:[,.' \u00a0\u202f][0-9]{3})+", re.ASCII)


@dataclass(frozen=True)
class _Count:
    line: int
    downloads: int


def read_counts(data: bytes, file: str, today: dt.date | None = None) -> pd.Series[int]:
    """The counts of a file with the columns ``date`` and ``downloads``; others are ignored.

    Args:
        data: the file's content.
        file: its name in messages.
        today: the present day, UTC; later days are refused.

    Returns:
        Counts, int64 by ascending day.

    Raises:
        DownloadsError: with line, column, what was found and what to write.
    """
    try:
        return _Reader(decode(data), today).counts()
    except ValueError as error:
        raise DownloadsError(f"{file}, {error}") from None


class _Reader:
    """Reads one file; every error is a ValueError that begins with the line."""

    def __init__(self, text: str, today: dt.date | None) -> None:
        self._today = today
        head = text.partition("\n")[0]
        delimiter = max(DELIMITERS, key=head.count)  # the first one of equals
        self._delimiter = delimiter
        self._rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)

    def counts(self) -> pd.Series[int]:
        try:
            counts = self._counts()
        except csv.Error as error:
            raise ValueError(f"line {self._rows.line_num}: is not CSV: {error}") from None
        if not counts:
            raise ValueError("line 2: has no rows; expected a count a day")
        days = sorted(counts)
        index = pd.DatetimeIndex([day.isoformat() for day in days], name=DATE)
        values = np.array([counts[day].downloads for day in days], dtype=np.int64)
        _refuse_totals(values)
        return pd.Series(values, index=index, name=DOWNLOADS)

    def _counts(self) -> dict[dt.date, _Count]:
        head = [name.strip() for name in next(self._rows, [])]
        if head.count(DATE) != 1 or head.count(DOWNLOADS) != 1:
            found = ", ".join(map(excerpt, head)) or "nothing"
            raise ValueError(
                f"line 1: expected a column {DATE} and a column {DOWNLOADS}, found {found}: write "
                f"{DATE}{self._delimiter}{DOWNLOADS}"
            )
        places = head.index(DATE), head.index(DOWNLOADS)
        counts: dict[dt.date, _Count] = {}
        for row in self._rows:
            if any(cell.strip() for cell in row):
                self._add(row, places, counts)
        return counts

    def _add(self, row: list[str], places: tuple[int, int], counts: dict[dt.date, _Count]) -> None:
        line = self._rows.line_num
        if len(row) <= max(places):
            raise ValueError(
                f"line {line}: has {len(row)} of {max(places) + 1} columns: write a day and a count"
            )
        day_text, count_text = (row[place].strip() for place in places)
        day, count = self._day(day_text, line), _Count(line, _downloads(count_text, line))
        before = counts.setdefault(day, count)
        if before.downloads != count.downloads:
            raise ValueError(
                f"line {line}, column {DATE}: {day} has {count.downloads} downloads here and "
                f"{before.downloads} on line {before.line}: keep one of the two"
            )

    def _day(self, text: str, line: int) -> dt.date:
        day = _parsed(text)
        if day is None:
            raise ValueError(
                f"line {line}, column {DATE}: expected a day, found {excerpt(text)}: "
                "write year, month and day as in 2026-08-24"
            )
        if self._today is not None and day > self._today:
            raise ValueError(
                f"line {line}, column {DATE}: {day} lies in the future, as today is {self._today}: "
                "write a day that is over, or take the line out"
            )
        return day


@lru_cache(maxsize=1024)  # the files of a folder have the same days
def _parsed(text: str) -> dt.date | None:
    found = _DAY.fullmatch(text)
    try:
        return dt.datetime.fromisoformat(found[1]).date() if found else None
    except ValueError:
        return None


def _downloads(text: str, line: int) -> int:
    where = f"line {line}, column {DOWNLOADS}"
    if not text:
        raise ValueError(
            f"{where}: expected a count, found nothing: write 0 for a day without downloads, or "
            "take the line out if the count is unknown"
        )
    if _GROUPED.fullmatch(text):
        digits = re.sub("[^0-9]", "", text)
        raise ValueError(
            f"{where}: expected a whole number, found {excerpt(text)}: write {digits}, without "
            "separators"
        )
    value = float(text) if _WHOLE.fullmatch(text) else -1.0
    if not (0 <= value <= LARGEST_COUNT and value % 1 == 0):
        raise ValueError(
            f"{where}: expected a whole number from 0 to {LARGEST_COUNT:,}, found {excerpt(text)}: "
            "write the downloads of that day in digits alone"
        )
    return int(value)


def _refuse_totals(counts: NDArray[np.int64]) -> None:
    """Refuse running totals: they never go down, and no day adds much to all before it."""
    steps = np.diff(counts)
    if counts.size < FEWEST_TOTALS or (steps < 0).any() or (steps > 0).mean() < MOST_STEPS:
        return
    if steps[-WEEK:].mean() > FASTEST_TOTALS * counts[-1]:
        return
    raise ValueError(
        f"column {DOWNLOADS}: never goes down in {counts.size} days, so these are running totals: "
        "write the downloads of each day, which is each total less the one before"
    )
