"""What a training run publishes: read with every check, and then by package.

A bundle is a flat folder, or a zip of one::

    manifest.json    what was made, when, from what, and how good it is
    history.csv      package,date,downloads
    forecasts.csv    package,date,mean,lower_80,upper_80,lower_95,upper_95
    past_forecasts.csv, track_record.csv    see forecast/bundle/tables.py; both or neither
    <package>.pkl    the model
    <package>.svg, <package>.badge.svg    pictures for other people's pages; may be missing

The rows of a package lie together in every table, its days in order in the first two.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from forecast.bundle.blocks import Blocks, rows_of
from forecast.bundle.files import Disk, Folder, Memory, Zip, pieces
from forecast.bundle.manifest import MANIFEST, Manifest, PackageEntry, parse_manifest
from forecast.bundle.tables import COLUMNS, FORECASTS, HISTORY, PAST, TRACK, VALUES
from forecast.errors import BundleError
from forecast.model import pickling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from forecast.bundle.blocks import Block
    from forecast.bundle.files import Kept, Origin
    from forecast.model.ensemble import Model

    Index = Mapping[str, Mapping[str, tuple[Block, ...]]]

PICTURES = (".svg", ".badge.svg")
LARGEST_FILE = 256 * 1024 * 1024  # bytes; ten years of 5,000 packages
LARGEST_BUNDLE = 512 * 1024 * 1024  # bytes, unpacked
MOST_FILES = 20_000
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the two that upload-artifact writes
MOST_NAMED = 10  # packages in a message
EPOCH = dt.date(1970, 1, 1).toordinal()
T = TypeVar("T")


@dataclass(frozen=True)
class Bundle:
    """A verified bundle; models, rows and pictures are taken out of it when asked for.

    Attributes:
        manifest: what the run says of itself.
        kept: all the files but the manifest.
        index: table to package to the places of its rows.
    """

    manifest: Manifest
    kept: Kept = field(repr=False)
    index: Index = field(repr=False)

    @cached_property
    def modelled(self) -> Mapping[str, PackageEntry]:
        """The packages that have a model, in the order of the config."""
        return self.manifest.modelled

    @property
    def names(self) -> list[str]:
        """Their names."""
        return list(self.modelled)

    @property
    def observed(self) -> list[str]:
        """The packages that have a history: all that ever were in the config."""
        return list(self.index[HISTORY])

    def has_history(self, name: str) -> bool:
        """Whether a package is among the ``observed``."""
        return name in self.index[HISTORY]

    def entry(self, name: str) -> PackageEntry:
        """What the run says of a package that has a model.

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
            BundleError: if there is none, or the pickle is not one of ours.
        """
        entry, model = self.entry(name), pickling.loads(self.pickle(name))
        if model.last_day != entry.trained_through:
            raise BundleError(
                f"the model of {name!r} ends on {model.last_day}, "
                f"the manifest says {entry.trained_through}"
            )
        return model

    def pickle(self, name: str) -> bytes:
        """The package's model as it lies in the bundle.

        Raises:
            BundleError: if there is none, or it is not the file any more that it was.
        """
        return self._whole(f"{name}.pkl", self.entry(name).sha256)

    def picture(self, file_name: str) -> bytes | None:
        """One of the ``PICTURES``; None if there is none of that name.

        Raises:
            BundleError: if it is not the file any more that the manifest names.
        """
        sha256 = self.manifest.files.get(file_name)
        if sha256 is None or not file_name.endswith(PICTURES):
            return None
        return self._whole(file_name, sha256)

    def history(self, name: str) -> pd.Series[int]:
        """Counts as fetched, by day, of any package that is ``observed``.

        Raises:
            BundleError: if it is not.
        """
        if not self.has_history(name):
            raise BundleError(f"no history of {name!r:.100} in this bundle")
        rows = self._rows(HISTORY, name).set_index("date")
        return rows["downloads"].astype("int64")

    def forecast(self, name: str) -> pd.DataFrame:
        """Mean and bands by day, from the day after ``trained_through`` on.

        Raises:
            BundleError: if there is no model of the package.
        """
        self.entry(name)
        return self._rows(FORECASTS, name).set_index("date")[VALUES]

    def past(self, name: str) -> pd.DataFrame:
        """What earlier runs said of a package's days still to come; see ``tables.py``."""
        return self._rows(PAST, name)

    def track(self, name: str) -> pd.DataFrame:
        """How earlier runs' forecasts of a package turned out; see ``forecast.bundle.tables``."""
        return self._rows(TRACK, name)

    @property
    def recorded(self) -> list[str]:
        """The packages that have rows in the track record."""
        tables = [self.index.get(table, {}) for table in (PAST, TRACK)]
        return list(dict.fromkeys(name for table in tables for name in table))

    def _rows(self, table: str, name: str) -> pd.DataFrame:
        blocks = self.index.get(table, {}).get(name, ())
        if not blocks:
            return _nothing(table)
        return rows_of(name, [self.kept.part(table, b.start, b.length) for b in blocks], table)

    def _whole(self, file_name: str, sha256: str | None) -> bytes:
        data = self.kept.whole(file_name)
        if digest(data) != sha256:  # a folder may have been written to since
            raise _another(file_name)
        return data


def read_folder(folder: Path, *, in_memory: bool = False) -> Bundle:
    """Read and verify a bundle from a folder.

    Args:
        folder: where it is; it should stay as it is while the bundle is in use.
        in_memory: whether to keep all of it in memory, so that the folder may go.

    Raises:
        BundleError: if it is not there, or anything in it fails a check.
    """
    origin = Folder(folder)
    try:
        manifest = parse_manifest(_all(origin, MANIFEST))
        return _verified(manifest, origin, Memory() if in_memory else Disk(folder))
    except OSError as error:
        raise BundleError(f"{folder} is no bundle: {error.filename}: {error.strerror}") from None


def read_zip(data: bytes) -> Bundle:
    """Read and verify a bundle from the bytes of a zip, without unpacking it to a disk.

    Raises:
        BundleError: if it is no zip, holds anything but a bundle's files, or a check fails.
    """
    return _unzip(data, lambda manifest, origin: _verified(manifest, origin, Memory()))


def extract(data: bytes, folder: Path) -> None:
    """Unpack a bundle's files, and no others, into a folder, the manifest last.

    Sizes and digests are checked here; ``read_folder`` then looks into the tables.

    Args:
        data: the bytes of a zip.
        folder: an empty folder.

    Raises:
        BundleError: if it is no zip, or holds anything but what its manifest names.
        OSError: if the disk does not let us.
    """

    def write(manifest: Manifest, origin: Origin) -> None:
        for name, sha256 in _expected(manifest).items():
            found = hashlib.sha256()
            with (folder / name).open("wb") as file:
                for piece in pieces(origin, name, _largest(name)):
                    found.update(piece)
                    file.write(piece)
            if found.hexdigest() != sha256:
                raise _another(name)
        (folder / MANIFEST).write_bytes(_all(origin, MANIFEST))

    _unzip(data, write)


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _unzip(data: bytes, read: Callable[[Manifest, Origin], T]) -> T:
    """What ``read`` makes of a zip whose members are those that its manifest names."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
            origin = Zip(archive, members)
            return read(_manifest_of(origin, members.keys()), origin)
    except (BundleError, OSError):  # the latter is the disk's: nothing read here raises it
        raise
    except Exception as error:  # noqa: BLE001 - a broken zip raises half of the standard library
        raise BundleError(f"the zip cannot be read ({type(error).__name__})") from None


def _manifest_of(origin: Origin, members: AbstractSet[str]) -> Manifest:
    """The manifest of a zip that holds what it names, and nothing else."""
    if MANIFEST not in members:
        raise BundleError(f"the zip holds no {MANIFEST}: it is no bundle")
    manifest = parse_manifest(_all(origin, MANIFEST))
    expected = {MANIFEST, *_expected(manifest)}
    if unknown := sorted(members - expected):
        raise BundleError(f"the zip holds {unknown[0]!r:.80}, which is no file of the bundle")
    if missing := sorted(expected - members):
        raise BundleError(f"the zip lacks {missing[0]!r}, which its manifest names")
    return manifest


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise BundleError(f"the zip has {len(infos):,} members; at most {MOST_FILES:,} are allowed")
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


def _all(origin: Origin, name: str) -> bytes:
    return b"".join(pieces(origin, name, _largest(name)))


def _largest(name: str) -> int:
    return pickling.LARGEST_MODEL if name.endswith((".pkl", ".svg")) else LARGEST_FILE


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


def _verified(manifest: Manifest, origin: Origin, kept: Kept) -> Bundle:
    """The bundle, once every file has gone by and passed its checks."""
    index = {}
    for name, sha256 in _expected(manifest).items():
        blocks = _checked(name, sha256, origin, kept)
        if name in COLUMNS:
            index[name] = blocks
    _check_packages(manifest, index)
    return Bundle(manifest, kept, index)


def _checked(name: str, sha256: str, origin: Origin, kept: Kept) -> dict[str, tuple[Block, ...]]:
    """Read one file; the index of it if it is a table."""
    found = hashlib.sha256()
    blocks = Blocks(name) if name in COLUMNS else None
    problem: BundleError | None = None
    kept.begin(name, table=blocks is not None)
    for piece in pieces(origin, name, _largest(name)):
        found.update(piece)
        if problem is None:
            try:
                kept.add(name, piece)
                if blocks:
                    blocks.feed(piece)
            except BundleError as error:
                problem = error  # told unless the digest says that it is another file altogether
    if found.hexdigest() != sha256:
        raise _another(name)
    if problem:
        raise problem
    return blocks.close() if blocks else {}


def _check_packages(manifest: Manifest, index: Index) -> None:
    """Every package with a model has a history, and a forecast of the days after it."""
    modelled = manifest.modelled
    if missing := sorted(modelled.keys() - index[HISTORY].keys()):
        raise BundleError(f"{HISTORY} has no rows of {_some(missing)}")
    days = manifest.forecast_days
    for name, entry in modelled.items():
        first = (entry.trained_through or dt.date.max).toordinal() + 1 - EPOCH
        blocks = index[FORECASTS].get(name, ())
        # In order and each once: as many as there are from first to last are all of them.
        if [(b.first, b.last, b.rows) for b in blocks] != [(first, first + days - 1, days)]:
            start = dt.date.fromordinal(first + EPOCH)
            raise BundleError(f"{FORECASTS}: expected {days} days of {name!r} from {start} on")


def _nothing(table: str) -> pd.DataFrame:
    types = dict.fromkeys(COLUMNS[table], "float64") | {"package": "str"}
    days = dict.fromkeys({"date", "made_on"} & types.keys(), "datetime64[us]")
    return pd.DataFrame(columns=COLUMNS[table]).astype(types | days)


def _some(names: list[str]) -> str:
    """Names for a message: a few of them."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _another(name: str) -> BundleError:
    return BundleError(f"{name} is not the file the manifest names: its SHA-256 differs")
