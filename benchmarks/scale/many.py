"""A folder of thousands of different series, for ``--source FOLDER``."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import ConfigError, DownloadsError, SeriesError
from forecast.quantities import WEEK
from forecast.series import regular
from forecast.sources.folder import CsvFolder
from forecast.sources.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DAYS = 180  # of each series; as many as PyPI Stats keeps
LARGEST_FACTOR = 20.0
SEED = 0
TODAY = dt.date(2026, 11, 22)  # every series ends the day before, as those of a source do


def make(folder: Path, size: int, data: Path | None) -> list[str]:
    """Write ``size`` series of 180 days, no two alike, as ``<package>.csv``.

    Args:
        folder: created here.
        size: how many series.
        data: CSV files, ``<package>.csv`` or ``<source>/<package>.csv``, that the series are
            cut from, at different days and in different sizes; None for generated ones.

    Returns:
        Their names.

    Raises:
        ConfigError: if no file there holds enough days.
    """
    folder.mkdir(parents=True)
    stream = made_up() if data is None else cut(_long_enough(data), np.random.default_rng(SEED))
    seen: set[bytes] = set()
    while len(seen) < size:
        counts = next(stream)
        digest = hashlib.sha256(counts.to_numpy().tobytes()).digest()
        if digest in seen:
            continue
        counts.rename_axis("date").to_csv(folder / f"{name_of(len(seen))}.csv")
        seen.add(digest)
    return [name_of(number) for number in range(size)]


def name_of(number: int) -> str:
    """The name of the series with this number."""
    return f"package-{number}"


def cut(whole: Sequence[pd.Series[int]], random: np.random.Generator) -> Iterator[pd.Series[int]]:
    """Pieces of real series, one series after the other, each scaled differently.

    They get new dates, to end on one day, and keep their weekdays.
    """
    days = pd.date_range(end=pd.Timestamp(TODAY), periods=DAYS + 1, name="date")[:-1]
    while True:
        for counts in whole:
            weekdays = pd.DatetimeIndex(counts.index).day_of_week[: len(counts) - DAYS + 1]
            first = int(random.choice(np.flatnonzero(weekdays == days[0].day_of_week)))
            factor = float(np.exp(random.uniform(0.0, np.log(LARGEST_FACTOR))))
            piece = np.rint(counts.to_numpy()[first : first + DAYS] * factor)
            yield pd.Series(piece.astype("int64"), index=days, name="downloads")


def made_up() -> Iterator[pd.Series[int]]:
    """The series of the sample source, one name after the other."""
    source, number = Sample(TODAY), 0
    while True:
        yield source.daily(name_of(number)).iloc[-DAYS:]
        number += 1


def _long_enough(data: Path) -> list[pd.Series[int]]:
    """The regular series below a folder that have 180 days from any weekday on."""
    found = []
    for file in sorted([*data.glob("*.csv"), *data.glob("*/*.csv")]):
        try:
            series = regular(CsvFolder(file.parent).daily(file.stem))
        except (DownloadsError, SeriesError):
            continue  # an index, or a series with too many gaps
        if len(series.values) >= DAYS + WEEK:
            days = pd.date_range(series.start, periods=len(series.values), name="date")
            values = np.rint(series.values).astype("int64")
            found.append(pd.Series(values, index=days, name="downloads"))
    if not found:
        raise ConfigError(
            f"{data}: expected CSV files with {DAYS + WEEK} days of counts; none has so many"
        )
    return found
