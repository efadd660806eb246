"""Reads a bundle with every check, then gives it out package by package.

A bundle is a flat folder, or a zip of one::

    manifest.json    what was made, when, from what, and how accurate it is
    history.csv      package,date,downloads
    forecasts.csv    package,date, and the columns of a day in forecast/bands.py
    totals.csv       package,days, and the columns of a total there; not in bundles of format 1
    past_forecasts.csv, track_record.csv    see forecast/bundle/tables.py; both or neither
    past_totals.csv, total_record.csv    the same of totals; only beside those two
    <package>.pkl    the model
    <package>.svg, <package>.badge.svg    pictures for other people's pages; may be missing

The dates of a package ascend in the first two tables, and the days in the third. Of a bundle of
format 1 everything is read but the models.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from forecast.bands import BAND_COLUMNS, TOTAL_COLUMNS, Total, total_spans
from forecast.bundle.gate import PICTURES, picture_names, read_model
from forecast.bundle.manifest import (
    LARGEST_MANIFEST,
    MANIFEST,
    Manifest,
    PackageEntry,
    parse_manifest,
)
from forecast.bundle.svg import LARGEST_PICTURE, check_picture
from forecast.bundle.tables import (
    COLUMNS,
    FORECASTS,
    HISTORY,
    PAST,
    PAST_TOTALS,
    TOTAL_TRACK,
    TOTALS,
    TRACK,
    Table,
    empty_table,
    read_table,
)
from forecast.errors import BundleError
from forecast.model import pickling

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from numpy.typing import NDArray

    from forecast.model.model import Model

LARGEST_FILE = 256 * 1024 * 1024  # bytes; five years of 5,000 packages
LARGEST_BUNDLE = 512 * 1024 * 1024  # bytes, unpacked
MOST_FILES = 20_000
ENTRY = b"PK\x01\x02"  # begins each entry of a zip's directory
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the two that upload-artifact writes
MOST_NAMED = 10  # packages in a message
T = TypeVar("T")
ReadFile = Callable[[str], bytes]  # gives the content of a file by its name


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        manifest: what the run says about itself.
        tables: all tables by file name; those that are not in the bundle are empty.
        read_file: reads a model or a picture.
    """

    manifest: Manifest
    tables: Mapping[str, Table] = field(repr=False)
    read_file: ReadFile = field(repr=False)

    @cached_property
    def modelled(self) -> Mapping[str, PackageEntry]:
        """The packages that have a model, in the order of the config."""
        return self.manifest.modelled

    @cached_property
    def known_through(self) -> dt.date | None:
        """The last day that any package was trained through."""
        return self.manifest.known_through

    @property
    def names(self) -> list[str]:
        """Their names."""
        return list(self.modelled)

    @property
    def observed(self) -> list[str]:
        """The packages that have a history: all that ever were in the config."""
        return list(self.tables[HISTORY].places)

    def has_history(self, name: str) -> bool:
        """Whether a package is among the ``observed``."""
        return name in self.tables[HISTORY].places

    def entry(self, name: str) -> PackageEntry:
        """What the run says about a package that has a model.

        Raises:
            BundleError: if it has none here.
        """
        try:
            return self.modelled[name]
        except KeyError:
            raise BundleError(
                f"no model of {name!r:.100} in this bundle; it has {_some(self.names)}"
            ) from None

    def model(self, name: str) -> Model:
        """The package's model.

        Raises:
            BundleError: if there is none, an earlier version made it, or it does not pass
                ``gate.read_model``.
        """
        entry = self.entry(name)
        if self.manifest.outdated:
            raise BundleError(f"the model of {name!r} was made by an earlier version")
        return read_model(self.pickle(name), name, entry.trained_through)

    def pickle(self, name: str) -> bytes:
        """The package's model as it is in the bundle.

        Raises:
            BundleError: if there is none, or the file has changed since it was verified.
        """
        return self._verified(f"{name}.pkl", self.entry(name).sha256)

    def picture(self, file_name: str) -> bytes | None:
        """One of the ``PICTURES``; None if there is none of that name.

        Raises:
            BundleError: if the file has changed since it was verified.
        """
        sha256 = self.manifest.files.get(file_name)
        if sha256 is None or not file_name.endswith(PICTURES):
            return None
        return self._verified(file_name, sha256)

    def history(self, name: str) -> pd.Series[int]:
        """Counts as fetched, by day, of any package that is ``observed``.

        Raises:
            BundleError: if it is not.
        """
        if not self.has_history(name):
            raise BundleError(f"no history of {name!r:.100} in this bundle")
        found = self.tables[HISTORY].columns(name)
        days = pd.DatetimeIndex(found["date"], name="date")
        return pd.Series(found["downloads"], days, name="downloads")

    def forecast(self, name: str) -> pd.DataFrame:
        """Mean and bands by day, from the day after ``trained_through`` on.

        Raises:
            BundleError: if there is no model of the package.
        """
        self.entry(name)
        return self.tables[FORECASTS].of(name).set_index("date")[list(BAND_COLUMNS)]

    def bands(self, name: str) -> Mapping[str, NDArray[Any]]:
        """The same by column, each an array of shape (days,).

        Raises:
            BundleError: if there is no model of the package.
        """
        self.entry(name)
        return self.tables[FORECASTS].columns(name)

    def totals(self, name: str) -> dict[int, Total]:
        """The package's totals by number of days; none in a bundle of format 1."""
        found = self.tables[TOTALS].columns(name)
        rows = zip(*(found[column].tolist() for column in ("days", *TOTAL_COLUMNS)), strict=True)
        return {days: Total(*values) for days, *values in rows}

    def track(self, name: str) -> Mapping[str, NDArray[Any]]:
        """How earlier forecasts of a package turned out: ``track_record.csv`` by column."""
        return self.tables[TRACK].columns(name)

    @property
    def recorded(self) -> list[str]:
        """The packages that have rows in the track record."""
        return list(dict.fromkeys([*self.tables[PAST].places, *self.tables[TRACK].places]))

    def _verified(self, file_name: str, sha256: str | None) -> bytes:
        data = self.read_file(file_name)
        if digest(data) != sha256:  # a folder may have been written to since
            raise _other_file(file_name)
        return data


def read_folder(folder: Path, *, in_memory: bool = False) -> Bundle:
    """Read and verify a bundle from a folder.

    Args:
        folder: where it is; it should stay as it is while the bundle is in use.
        in_memory: whether to keep models and pictures in memory too, so that the folder may go.

    Raises:
        BundleError: if it is not there, or anything in it fails a check.
    """

    def read(name: str) -> bytes:
        with (folder / name).open("rb") as file:
            return _whole(file, name, os.fstat(file.fileno()).st_size)

    def read_later(name: str) -> bytes:
        try:
            return read(name)
        except OSError as error:
            raise BundleError(f"{name} is missing from {folder}: {error.strerror}") from None

    try:
        manifest = parse_manifest(read(MANIFEST))
        return _verify(manifest, read, None if in_memory else read_later)
    except OSError as error:
        raise BundleError(f"{folder} is no bundle: {error.filename}: {error.strerror}") from None


def read_models(folder: Path, *, in_memory: bool = False) -> Bundle:
    """The same for who uses a bundle that the trainer has made on this machine.

    Raises:
        BundleError: what is wrong with it, and how to make another one.
    """
    try:
        return read_folder(folder, in_memory=in_memory)
    except BundleError as error:
        raise BundleError(
            f"{error}; make another bundle with `python -m trainer --output {folder}`"
        ) from None


def read_zip(data: bytes) -> Bundle:
    """Read and verify a bundle from the bytes of a zip, without unpacking it to a disk.

    Raises:
        BundleError: if it is no zip, holds anything but a bundle's files, or a check fails.
    """
    return _unzip(data, _verify)


def extract(data: bytes, folder: Path) -> None:
    """Unpack a bundle's files, and no others, into a folder, the manifest last.

    This checks sizes and digests; ``read_folder`` then checks the tables.

    Args:
        data: the bytes of a zip.
        folder: an empty folder.

    Raises:
        BundleError: if it is no zip, or holds anything but what its manifest names.
        OSError: if a file cannot be written.
    """

    def write(manifest: Manifest, read: ReadFile) -> None:
        for name, sha256 in _expected(manifest).items():
            (folder / name).write_bytes(_checked(name, sha256, read))
        (folder / MANIFEST).write_bytes(read(MANIFEST))

    _unzip(data, write)


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _unzip(data: bytes, use: Callable[[Manifest, ReadFile], T]) -> T:
    """What ``use`` makes of a zip whose members are those that its manifest names."""
    # zipfile makes an object of each entry before it returns.
    if (entries := data.count(ENTRY)) > MOST_FILES:
        raise BundleError(f"the zip has {entries:,} members; at most {MOST_FILES:,} are allowed")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)

            def read(name: str) -> bytes:
                with archive.open(members[name]) as file:
                    return _whole(file, name, members[name].file_size)

            return use(_manifest_of(read, members.keys()), read)
    except (BundleError, OSError):  # the latter is the disk's: nothing read here raises it
        raise
    except Exception as error:  # noqa: BLE001 - a broken zip raises half of the standard library
        raise BundleError(f"the zip cannot be read ({type(error).__name__})") from None


def _manifest_of(read: ReadFile, members: AbstractSet[str]) -> Manifest:
    """The manifest of a zip that holds what it names, and nothing else."""
    if MANIFEST not in members:
        raise BundleError(f"the zip holds no {MANIFEST}: it is no bundle")
    manifest = parse_manifest(read(MANIFEST))
    expected = {MANIFEST, *_expected(manifest)}
    if unknown := sorted(members - expected):
        raise BundleError(f"the zip holds {unknown[0]!r:.80}, which is no file of the bundle")
    if missing := sorted(expected - members):
        raise BundleError(f"the zip lacks {missing[0]!r}, which its manifest names")
    return manifest


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    members = {info.filename: info for info in infos}
    if len(members) != len(infos):
        raise BundleError("the zip has two members of one name")
    if encrypted := [info.filename for info in infos if info.flag_bits & 0x1]:
        raise BundleError(f"{encrypted[0]!r:.80} in the zip is encrypted")
    if odd := [info.filename for info in infos if info.compress_type not in METHODS]:
        raise BundleError(f"{odd[0]!r:.80} in the zip is neither stored nor deflated")
    total = sum(info.file_size for info in infos)
    if total > LARGEST_BUNDLE:
        raise BundleError(f"the zip unpacks to {total:,} bytes; at most {LARGEST_BUNDLE:,} may be")
    return members


def _whole(file: IO[bytes], name: str, size: int) -> bytes:
    """A whole file; reading stops as soon as it has more bytes than it says.

    Raises:
        BundleError: if it is too large, or has another size than it says.
    """
    limits = {MANIFEST: LARGEST_MANIFEST, "pkl": pickling.LARGEST_MODEL, "svg": LARGEST_PICTURE}
    largest = limits.get(name, limits.get(name.rpartition(".")[2], LARGEST_FILE))
    if size > largest:
        raise BundleError(f"{name!r} has {size:,} bytes; at most {largest:,} are allowed")
    data = file.read(size + 1)
    if len(data) != size:
        raise BundleError(f"{name!r} has another size than it says")
    return data


def _expected(manifest: Manifest) -> dict[str, str]:
    """File name to digest of all that the manifest promises.

    Raises:
        BundleError: if it promises other names than a bundle has.
    """
    pictures = {picture for name in manifest.modelled for picture in picture_names(name)}
    needed = {HISTORY, FORECASTS} if manifest.outdated else {HISTORY, FORECASTS, TOTALS}
    tables = manifest.files.keys() - pictures
    of_days, of_totals = {*needed, PAST, TRACK}, {PAST_TOTALS, TOTAL_TRACK}
    if tables not in (needed, of_days, of_days | of_totals):
        listed = ", ".join(sorted(needed))
        raise BundleError(
            f"{MANIFEST}: files: expected {listed}, perhaps {PAST} with {TRACK}, "
            f"{PAST_TOTALS} with {TOTAL_TRACK}, and pictures of packages with a model"
        )
    expected = dict(manifest.files)
    for name, entry in manifest.modelled.items():
        if entry.file != f"{name}.pkl" or entry.sha256 is None or entry.trained_through is None:
            raise BundleError(
                f"{MANIFEST}: packages.{name}: expected the file {name}.pkl, its sha256 and "
                "the day it was trained through"
            )
        expected[entry.file] = entry.sha256
    return expected


def _verify(manifest: Manifest, read: ReadFile, read_later: ReadFile | None = None) -> Bundle:
    """The bundle, once every file has passed its checks.

    Args:
        manifest: names the files.
        read: reads them now.
        read_later: reads models and pictures when they are used; None to keep them in memory.
    """
    expected = _expected(manifest)
    tables = {name: empty_table(name) for name in COLUMNS if name not in expected}
    others: dict[str, bytes] = {}
    for name, sha256 in expected.items():
        data = _checked(name, sha256, read)
        if name in COLUMNS:
            tables[name] = read_table(data, name, with_median=not manifest.outdated)
        elif name.endswith(PICTURES):
            check_picture(name, data)
        if name not in COLUMNS and read_later is None:
            others[name] = data
    _check_packages(manifest, tables)
    return Bundle(manifest, tables, read_later or others.__getitem__)


def _checked(name: str, sha256: str, read: ReadFile) -> bytes:
    data = read(name)
    if digest(data) != sha256:
        raise _other_file(name)
    return data


def _check_packages(manifest: Manifest, tables: Mapping[str, Table]) -> None:
    """Every package with a model has a history, and a forecast of the days after it."""
    modelled = manifest.modelled
    if missing := sorted(modelled.keys() - tables[HISTORY].places.keys()):
        raise BundleError(f"{HISTORY} has no rows of {_some(missing)}")
    length = manifest.forecast_days
    dates = tables[FORECASTS].values["date"].astype("datetime64[D]")
    for name, entry in modelled.items():
        start = np.datetime64(entry.trained_through, "D") + 1
        found = dates[tables[FORECASTS].places.get(name, slice(0))]
        if not np.array_equal(found, np.arange(start, start + length)):
            raise BundleError(f"{FORECASTS}: expected {length} days of {name!r} from {start} on")
    if not manifest.outdated:
        _check_totals(modelled, tables[TOTALS], total_spans(length))


def _check_totals(names: Collection[str], totals: Table, spans: tuple[int, ...]) -> None:
    """Every package with a model has the same totals."""
    days = totals.values["days"]
    for name in names:
        if tuple(days[totals.places.get(name, slice(0))]) != spans:
            told = ", ".join(map(str, spans))
            raise BundleError(f"{TOTALS}: expected the totals of {told} days of {name!r}")


def _some(names: list[str]) -> str:
    """Names for a message: a few of them."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _other_file(name: str) -> BundleError:
    return BundleError(f"{name} is not the file the manifest names: its SHA-256 differs")
