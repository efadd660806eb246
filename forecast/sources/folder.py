"""Counts from a folder of CSV files."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from forecast.config import normalise
from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.known import complete
from forecast.sources.csv_counts import read_counts
from forecast.sources.source import OneByOne

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from forecast.bundle.manifest import Kind


@dataclass(frozen=True)
class CsvFolder(OneByOne):
    """A folder with one CSV file (columns ``date,downloads``) per package.

    A file is found by any spelling of its package: ``zope.interface.csv`` is zope-interface's.

    Attributes:
        path: of the folder.
        today: the present day, UTC, which is set aside; later days are refused.
    """

    path: Path
    today: dt.date | None = None
    kind: Kind = "folder"

    def daily(self, name: str) -> pd.Series[int]:
        """Counts in the package's file; see :class:`OneByOne`."""
        files = self._files.get(name, ())
        if not files:
            raise UnknownPackageError(
                f"{self.path / name}.csv is not there; expected one CSV a package"
            )
        path, *others = sorted(files, key=lambda each: each.name != f"{name}.csv")
        if others and path.name != f"{name}.csv":
            names = ", ".join(sorted(each.name for each in files))
            raise DownloadsError(f"{self.path} has several files of {name} ({names}): keep one")
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for a writer
                raise DownloadsError(
                    f"{path}: expected a file, found a folder, a pipe or a device: put a CSV file "
                    "there"
                )
            data = path.read_bytes()
        except OSError as error:
            raise DownloadsError(f"{path}: cannot be read: {error.strerror}") from None
        counts = read_counts(data, str(path), self.today)
        if self.today is not None:
            counts = complete(counts, self.today)
        if counts.empty:
            raise DownloadsError(f"{path}: has no day before today, which is not over; wait a day")
        return counts

    @cached_property
    def _files(self) -> Mapping[str, list[Path]]:
        """The files of each package."""
        found: dict[str, list[Path]] = {}
        for path in self.path.iterdir():
            if path.suffix.lower() == ".csv":
                try:
                    found.setdefault(normalise(path.stem), []).append(path)
                except ValueError:
                    continue  # it is no package's
        return found


def csv_folder(path: Path, today: dt.date | None = None) -> CsvFolder:
    """The source for a folder named on the command line.

    Raises:
        ConfigError: if there is no such folder.
    """
    if not path.is_dir():
        raise ConfigError(
            f"--source {path}: expected pypistats, clickhouse, sample, auto or a folder of CSV "
            "files; there is no such folder"
        )
    return CsvFolder(path, today)
