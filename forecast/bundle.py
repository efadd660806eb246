"""What a training run publishes: written whole, read with every check.

A bundle is a flat folder, or a zip of one::

    manifest.json    what was made, when, from what, and how good it is
    history.csv      package,date,downloads
    forecasts.csv    package,date,mean,lower_80,upper_80,lower_95,upper_95
    past_forecasts.csv, track_record.csv    see forecast/tables.py; both or neither
    <package>.pkl    the model
    <package>.svg, <package>.badge.svg    pictures for other people's pages; may be missing
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from forecast import pickling
from forecast.errors import BundleError
from forecast.manifest import MANIFEST, Manifest, PackageEntry, parse_manifest
from forecast.tables import (
    FORECASTS,
    HISTORY,
    PAST,
    PAST_COLUMNS,
    TRACK,
    TRACK_COLUMNS,
    head,
    read_forecasts,
    read_history,
    read_past,
    read_track,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast.model import Model

PICTURES = (".svg", ".badge.svg")
LARGEST_FILE = 256 * 1024 * 1024  # bytes; ten years of 5,000 packages
LARGEST_BUNDLE = 512 * 1024 * 1024  # bytes, unpacked
MOST_FILES = 20_000


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, in memory; models are unpickled when asked for.

    Attributes:
        manifest: what the run says of itself.
        files: name to content of all the files but the manifest, digests checked.
    """

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """The packages that have a model, in the order of the config."""
        return list(self.manifest.modelled)

    def entry(self, name: str) -> PackageEntry:
        """What the run says of a package that has a model.

        Raises:
            BundleError: if it has none here.
        """
        try:
            return self.manifest.modelled[name]
        except KeyError:
            known = ", ".join(self.names)
            raise BundleError(f"no model of {name!r} in this bundle; it has {known}") from None

    def model(self, name: str) -> Model:
        """The package's model.

        Raises:
            BundleError: if there is none, or the pickle is not one of ours.
        """
        entry = self.entry(name)
        model = pickling.loads(self.files[str(entry.file)])
        if model.last_day != entry.trained_through:
            raise BundleError(
                f"the model of {name!r} ends on {model.last_day}, "
                f"the manifest says {entry.trained_through}"
            )
        return model

    def history(self, name: str) -> pd.Series[int]:
        """Counts as fetched, by day.

        Raises:
            BundleError: if there is no model of the package.
        """
        self.entry(name)
        return self._histories[name]

    @property
    def histories(self) -> dict[str, pd.Series[int]]:
        """Counts as fetched of every package ever in the config, with a model or without."""
        return dict(self._histories)

    def forecast(self, name: str) -> pd.DataFrame:
        """Mean and bands by day, from the day after ``trained_through`` on.

        Raises:
            BundleError: if there is no model of the package.
        """
        self.entry(name)
        return self._forecasts[name]

    @cached_property
    def past(self) -> pd.DataFrame:
        """What earlier runs said of days still to come; see ``forecast.tables``."""
        return read_past(self.files.get(PAST, head(PAST_COLUMNS)))

    @cached_property
    def track(self) -> pd.DataFrame:
        """How earlier runs' forecasts turned out; see ``forecast.tables``."""
        return read_track(self.files.get(TRACK, head(TRACK_COLUMNS)))

    def check(self) -> Bundle:
        """Look into the tables now, rather than when somebody asks.

        Raises:
            BundleError: if a table is not what the manifest says.
        """
        if missing := sorted(set(self.names) - self._histories.keys()):
            raise BundleError(f"{HISTORY} has no rows of {', '.join(missing)}")
        for name in self.names:
            self._check_days(name)
        _ = self.past, self.track
        return self

    @cached_property
    def _histories(self) -> dict[str, pd.Series[int]]:
        return read_history(self.files[HISTORY])

    @cached_property
    def _forecasts(self) -> dict[str, pd.DataFrame]:
        return read_forecasts(self.files[FORECASTS])

    def _check_days(self, name: str) -> None:
        first = pd.Timestamp(str(self.entry(name).trained_through)) + pd.Timedelta(days=1)
        expected = pd.date_range(first, periods=self.manifest.forecast_days, freq="D")
        found = self._forecasts.get(name)
        if found is None or not found.index.equals(expected):
            raise BundleError(
                f"{FORECASTS}: expected {len(expected)} days of {name!r} from {first.date()} on"
            )


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def read_folder(folder: Path) -> Bundle:
    """Read and verify a bundle from a folder.

    Raises:
        BundleError: if it is not there, or anything in it fails a check.
    """
    try:
        manifest = parse_manifest(_read_file(folder / MANIFEST))
        files = {name: _read_file(folder / name) for name in _expected(manifest)}
    except OSError as error:
        raise BundleError(f"{folder} is no bundle: {error.filename}: {error.strerror}") from None
    return _verified(manifest, files)


def read_zip(data: bytes) -> Bundle:
    """Read and verify a bundle from the bytes of a zip, without unpacking it anywhere.

    Raises:
        BundleError: if it is no zip, holds anything but a bundle's files, or a check fails.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manifest, files = _unzip(archive)
    except BundleError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken zip raises half of the standard library
        raise BundleError(f"the zip cannot be read ({type(error).__name__})") from None
    return _verified(manifest, files)


def _unzip(archive: zipfile.ZipFile) -> tuple[Manifest, dict[str, bytes]]:
    members = _members(archive)
    if MANIFEST not in members:
        raise BundleError(f"the zip holds no {MANIFEST}: it is no bundle")
    manifest = parse_manifest(_unzip_member(archive, members.pop(MANIFEST)))
    expected = _expected(manifest)
    if unknown := sorted(members.keys() - expected.keys()):
        raise BundleError(f"the zip holds {unknown[0]!r:.80}, which is no file of the bundle")
    if missing := sorted(expected.keys() - members.keys()):
        raise BundleError(f"the zip lacks {missing[0]!r}, which its manifest names")
    return manifest, {name: _unzip_member(archive, members[name]) for name in expected}


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise BundleError(f"the zip has {len(infos):,} members; at most {MOST_FILES:,} are allowed")
    members = {info.filename: info for info in infos}
    if len(members) != len(infos):
        raise BundleError("the zip has two members of one name")
    total = sum(info.file_size for info in infos)
    if total > LARGEST_BUNDLE:
        raise BundleError(f"the zip unpacks to {total:,} bytes; at most {LARGEST_BUNDLE:,} may be")
    return members


def _unzip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & 0x1:
        raise BundleError(f"{info.filename!r} in the zip is encrypted")
    _check_size(info.filename, info.file_size)
    with archive.open(info) as member:
        # The header's size is the sender's word: read no more than it promised.
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise BundleError(f"{info.filename!r} in the zip has another size than it says")
    return data


def _read_file(path: Path) -> bytes:
    _check_size(path.name, path.stat().st_size)
    return path.read_bytes()


def _check_size(name: str, size: int) -> None:
    largest = pickling.LARGEST_MODEL if name.endswith((".pkl", ".svg")) else LARGEST_FILE
    if size > largest:
        raise BundleError(f"{name!r} has {size:,} bytes; at most {largest:,} are allowed")


def _expected(manifest: Manifest) -> dict[str, str]:
    """File name to digest of all that the manifest promises.

    Raises:
        BundleError: if it promises other names than a bundle has.
    """
    pictures = {f"{name}{end}" for name in manifest.modelled for end in PICTURES}
    tables = manifest.files.keys() - pictures
    if tables not in ({HISTORY, FORECASTS}, {HISTORY, FORECASTS, PAST, TRACK}):
        raise BundleError(
            f"{MANIFEST}: files: expected {HISTORY} and {FORECASTS}, perhaps {PAST} with {TRACK}, "
            "and pictures of packages with a model"
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


def _verified(manifest: Manifest, files: dict[str, bytes]) -> Bundle:
    for name, sha256 in _expected(manifest).items():
        if digest(files[name]) != sha256:
            raise BundleError(f"{name} is not the file the manifest names: its SHA-256 differs")
    return Bundle(manifest, files).check()
