"""Where the counts come from: PyPI Stats, a folder of CSV files, or made up.

A source has a ``kind``, which the manifest repeats, and answers for many packages at once;
these three do so one by one. The fourth, ClickHouse, is in ``forecast.sources.clickhouse``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import pandas as pd

from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.quantities import LARGEST_COUNT

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from forecast.bundle.manifest import Kind
    from forecast.sources.pypistats import PyPIStats

SAMPLE_DAYS = 181  # as many as PyPI Stats keeps
MOST_FAILURES_RUNNING = 3

Answer: TypeAlias = "pd.Series[int] | DownloadsError"


class Source(Protocol):
    """What a run asks for counts."""

    @property
    def kind(self) -> Kind:
        """What the manifest calls this source."""

    def fetch(self, names: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """Each package once, in any order: its counts by day, gaps left as gaps, or why not.

        Args:
            names: packages, as PEP 503 normalises them.
        """


class OneByOne:
    """A source that is asked for one package after the other."""

    def daily(self, name: str) -> pd.Series[int]:
        """Counts of a package by day, gaps left as gaps.

        Raises:
            DownloadsError: if there are none that can be used.
        """
        raise NotImplementedError

    def fetch(self, names: Sequence[str]) -> Iterator[tuple[str, Answer]]:
        """See :class:`Source`.

        A source that fails three packages running is not asked for the rest: each failure
        may have cost many minutes of patience.
        """
        running = 0
        for name in names:
            if running >= MOST_FAILURES_RUNNING:
                yield name, DownloadsError("not asked for: the source failed too often before")
                continue
            try:
                answer: Answer = self.daily(name)
                running = 0
            except UnknownPackageError as error:
                answer = error
            except DownloadsError as error:
                answer = error
                running += 1
            yield name, answer


@dataclass(frozen=True)
class Live(OneByOne):
    """PyPI Stats."""

    client: PyPIStats
    kind: Kind = "pypistats"

    def daily(self, name: str) -> pd.Series[int]:
        """Counts as PyPI Stats has them."""
        return self.client.daily(name)


@dataclass(frozen=True)
class Folder(OneByOne):
    """A folder with one ``<package>.csv`` (``date,downloads``) a package."""

    path: Path
    kind: Kind = "folder"

    def daily(self, name: str) -> pd.Series[int]:
        """Counts as the file has them."""
        path = self.path / f"{name}.csv"
        try:
            table = pd.read_csv(path, dtype={"date": "str", "downloads": "float64"})
            counts = table.set_index(pd.to_datetime(table["date"], format="%Y-%m-%d"))["downloads"]
        except FileNotFoundError:
            raise UnknownPackageError(f"{path} is not there; expected one CSV a package") from None
        except (OSError, ValueError, KeyError) as error:
            raise DownloadsError(
                f"{path}: expected the columns date,downloads with days such as 2026-08-24 "
                f"and whole numbers; reading it gave {type(error).__name__}"
            ) from None
        return _checked(counts, path)


@dataclass(frozen=True)
class Sample(OneByOne):
    """Series that look like downloads and are not: the same ones, ending yesterday."""

    today: dt.date
    kind: Kind = "sample"

    def daily(self, name: str) -> pd.Series[int]:
        """181 made-up counts of which the name decides size, growth, week and noise."""
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        random = np.random.default_rng(seed)
        day = np.arange(SAMPLE_DAYS)
        size = random.uniform(np.log(300.0), np.log(3e6))
        growth = random.normal(0.0, 0.0015) * (day - SAMPLE_DAYS)
        weekend = np.where(day % 7 >= 5, -random.uniform(0.15, 0.7), 0.0)  # noqa: PLR2004 - of seven
        wandering = np.cumsum(random.normal(0.0, 0.008, SAMPLE_DAYS))
        noise = random.normal(0.0, random.uniform(0.03, 0.1), SAMPLE_DAYS)
        counts = np.exp(size + growth + weekend + wandering - wandering[-1] + noise)
        days = pd.date_range(end=pd.Timestamp(self.today), periods=SAMPLE_DAYS + 1)[:-1]
        return pd.Series(np.rint(counts).astype("int64"), index=days, name="downloads")


def folder(path: Path) -> Folder:
    """The source for a folder named on the command line.

    Raises:
        ConfigError: if there is no such folder.
    """
    if not path.is_dir():
        raise ConfigError(
            f"--source {path}: expected pypistats, clickhouse, sample, auto or a folder of CSV "
            "files; there is no such folder"
        )
    return Folder(path)


def _checked(counts: pd.Series[float], path: Path) -> pd.Series[int]:
    counts = counts.sort_index()
    if counts.empty:
        raise DownloadsError(f"{path} has no rows; expected a count a day")
    if counts.index.has_duplicates or counts.index.hasnans:
        raise DownloadsError(f"{path}: expected every day once; one is there twice or is missing")
    if not ((counts >= 0) & (counts <= LARGEST_COUNT) & (counts % 1 == 0)).all():
        raise DownloadsError(f"{path}: expected whole numbers from 0 to {LARGEST_COUNT:,}")
    return counts.astype("int64").rename("downloads")
