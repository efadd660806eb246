"""Counts from a folder of CSV files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.quantities import LARGEST_COUNT
from forecast.sources.source import OneByOne

if TYPE_CHECKING:
    from pathlib import Path

    from forecast.bundle.manifest import Kind


@dataclass(frozen=True)
class CsvFolder(OneByOne):
    """A folder with one ``<package>.csv`` (columns ``date,downloads``) per package."""

    path: Path
    kind: Kind = "folder"

    def daily(self, name: str) -> pd.Series[int]:
        """Counts in the package's file; see :class:`OneByOne`."""
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


def csv_folder(path: Path) -> CsvFolder:
    """The source for a folder named on the command line.

    Raises:
        ConfigError: if there is no such folder.
    """
    if not path.is_dir():
        raise ConfigError(
            f"--source {path}: expected pypistats, clickhouse, sample, auto or a folder of CSV "
            "files; there is no such folder"
        )
    return CsvFolder(path)


def _checked(counts: pd.Series[float], path: Path) -> pd.Series[int]:
    counts = counts.sort_index()
    if counts.empty:
        raise DownloadsError(f"{path} has no rows; expected a count a day")
    if counts.index.has_duplicates or counts.index.hasnans:
        raise DownloadsError(f"{path}: expected every day once; one appears twice or is missing")
    if not ((counts >= 0) & (counts <= LARGEST_COUNT) & (counts % 1 == 0)).all():
        raise DownloadsError(f"{path}: expected whole numbers from 0 to {LARGEST_COUNT:,}")
    return counts.astype("int64").rename("downloads")
