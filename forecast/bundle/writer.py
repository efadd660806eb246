"""Writes a bundle package by package; only the manifest's entries stay in memory.

See ``forecast.bundle.reader`` for the format. The rows of a package are consecutive in every table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from forecast.bundle.gate import check_package
from forecast.bundle.manifest import MANIFEST, PackageEntry
from forecast.bundle.tables import (
    FORECASTS,
    HISTORY,
    PAST,
    PAST_TOTALS,
    TOTAL_TRACK,
    TOTALS,
    TRACK,
    forecast_rows,
    header,
    history_rows,
    record_rows,
    total_rows,
)
from forecast.config import is_label_of, is_series_name
from forecast.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from forecast.bands import Forecast, Total
    from forecast.bundle.manifest import Manifest
    from forecast.bundle.tables import Columns


RECORD = (PAST, TRACK, PAST_TOTALS, TOTAL_TRACK)  # the tables of the track record


class Writer:
    """Writes a bundle into a folder, package by package, each after the checks of a reader.

    Files are open only during a call, so a writer may be dropped at any time. The folder
    holds no bundle until ``close`` has written the manifest.

    Args:
        folder: an empty folder.
        forecast_days: of the manifest.
    """

    def __init__(self, folder: Path, forecast_days: int) -> None:
        self._folder = folder
        self._days = forecast_days
        self._entries: dict[str, bytes] = {}
        self._digests: dict[str, hashlib._Hash] = {}
        self._written: dict[str, set[str]] = {}
        for table in (HISTORY, FORECASTS, TOTALS):
            self._begin(table)

    def history(self, name: str, counts: pd.Series[int]) -> None:
        """Write the counts of a package that is, or ever was, in the config; once per package.

        Args:
            name: the package; it need not have an entry.
            counts: as fetched, by day, ascending.

        Raises:
            BundleError: if its counts were written before, or the name is not allowed.
            OSError: if a file cannot be written; every method here may raise it.
        """
        self._rows(HISTORY, name, history_rows(name, counts))

    def add(
        self,
        name: str,
        entry: PackageEntry,
        model: bytes,
        forecast: Forecast,
        *,
        totals: Mapping[int, Total],
        pictures: Mapping[str, str],
    ) -> None:
        """Write a package with its model; the manifest lists packages in the order of calls.

        Args:
            name: the package.
            entry: of the manifest; ``file`` and ``sha256`` are filled in here.
            model: the pickled model, for ``<name>.pkl``.
            forecast: of the model, over the manifest's ``forecast_days``.
            totals: of the model, by number of days: ``forecast.bands.total_spans``.
            pictures: SVG by file name, of ``forecast.bundle.gate.PICTURES``; may be empty.

        Raises:
            BundleError: if it does not pass ``gate.check_package``, or was written before;
                then nothing of it is written.
        """
        self._check_new(FORECASTS, name)
        update = {"file": f"{name}.pkl", "sha256": hashlib.sha256(model).hexdigest()}
        text = _checked(name, entry.model_copy(update=update))
        check_package(
            name,
            model,
            forecast,
            trained_through=entry.trained_through,
            totals=totals,
            pictures=pictures,
            days=self._days,
        )
        self._rows(FORECASTS, name, forecast_rows(name, forecast))
        self._rows(TOTALS, name, total_rows(name, totals))
        for picture, svg in pictures.items():
            self._begin(picture, svg.encode())
        (self._folder / f"{name}.pkl").write_bytes(model)
        self._entries[name] = text

    def skip(self, name: str, entry: PackageEntry) -> None:
        """List a package that has no model.

        Raises:
            BundleError: if its name or a field of the entry is not allowed.
        """
        self._entries[name] = _checked(name, entry)

    def record(self, name: str, *tables: Columns) -> None:
        """Write the track record of one package; once per package.

        The files exist if and only if this was called, even with empty tables: the
        very first bundle has no track record, a later one may have one without rows.

        Args:
            name: the package.
            tables: rows of the tables of ``RECORD``, in this order; each may be empty, and
                those of the totals may be left out.

        Raises:
            BundleError: if the name is not allowed, or rows of it were written before.
        """
        for table, columns in zip(RECORD, tables, strict=False):
            self._check_new(table, name)
            if table not in self._digests:
                self._begin(table)
            if rows := record_rows(name, columns, table):
                self._rows(table, name, rows)

    def close(self, draft: Manifest) -> Manifest:
        """Write the manifest: from now on the folder holds a bundle.

        Args:
            draft: the manifest; ``files`` and ``packages`` are filled in here.

        Returns:
            The manifest; its entries are parsed when they are read.
        """
        files = {name: made.hexdigest() for name, made in self._digests.items()}
        bare = draft.model_copy(update={"packages": {}, "files": files})
        with (self._folder / MANIFEST).open("wb") as file:
            file.writelines(_lines(bare, self._entries))
        return bare.model_copy(update={"packages": _Entries(self._entries)})

    def _begin(self, name: str, data: bytes | None = None) -> None:
        """Begin a file of the manifest's ``files``; without data, a table with its header."""
        data = header(name) if data is None else data
        (self._folder / name).write_bytes(data)
        self._digests[name] = hashlib.sha256(data)

    def _check_new(self, table: str, name: str) -> None:
        if not is_series_name(name):
            raise BundleError(f"{table}: {name!r:.100} is no normalised name of a package")
        if name in self._written.setdefault(table, set()):
            raise BundleError(f"{table}: the rows of {name!r} must be consecutive: write them once")

    def _rows(self, table: str, name: str, rows: bytes) -> None:
        self._check_new(table, name)
        self._written[table].add(name)
        with (self._folder / table).open("ab") as file:
            file.write(rows)
        self._digests[table].update(rows)


def _checked(name: str, entry: PackageEntry) -> bytes:
    """The entry as JSON that a reader takes; fields may have been replaced since it was made."""
    try:
        text = entry.model_dump_json().encode()
        PackageEntry.model_validate_json(text)
    except (PydanticSerializationError, ValidationError):
        raise BundleError(f"a field of the entry of {name!r:.100} is out of range") from None
    if not is_label_of(entry.label, name):
        raise BundleError(f"the label of {name!r:.100} is no spelling of that name")
    return text


def _lines(manifest: Manifest, packages: Mapping[str, bytes]) -> Iterator[bytes]:
    """manifest.json, one line per package."""
    yield b"{\n"
    for key, value in manifest.model_dump(mode="json", exclude={"packages"}).items():
        text = json.dumps(value, indent=1, ensure_ascii=False).replace("\n", "\n ")
        yield f' "{key}": {text},\n'.encode()
    yield b' "packages": {'
    separator = b"\n"
    for name, entry in packages.items():
        yield separator + json.dumps(name).encode() + b": " + entry
        separator = b",\n"
    yield b"\n}\n}\n" if packages else b"}\n}\n"


class _Entries(Mapping[str, PackageEntry]):
    """Entries stored as JSON, in a fifth of the memory of the objects."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def __getitem__(self, name: str) -> PackageEntry:
        return PackageEntry.model_validate_json(self._texts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
