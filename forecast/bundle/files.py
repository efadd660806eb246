"""Where the bytes of a bundle come from, and where they stay once they have been checked."""

from __future__ import annotations

import os
import weakref
import zlib
from typing import IO, TYPE_CHECKING, Protocol

from forecast.errors import BundleError

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PIECE = 1 << 22  # bytes read at once
PAGE = 1 << 17  # bytes of a table that are packed together; a package has some 5,000 in it
FAST = 1  # zlib's level


class Origin(Protocol):
    """Files to read once, from beginning to end."""

    def size(self, name: str) -> int:
        """Bytes that a file says it has."""

    def open(self, name: str) -> IO[bytes]:
        """The file, to be closed by whoever asked for it."""


class Folder:
    """Files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def size(self, name: str) -> int:
        """See :class:`Origin`."""
        return (self._folder / name).stat().st_size

    def open(self, name: str) -> IO[bytes]:
        """See :class:`Origin`."""
        return (self._folder / name).open("rb")


class Zip:
    """Members of a zip.

    Args:
        archive: the zip.
        members: those that may be read, by name.
    """

    def __init__(self, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._members = members

    def size(self, name: str) -> int:
        """See :class:`Origin`; the sender's word."""
        return self._members[name].file_size

    def open(self, name: str) -> IO[bytes]:
        """See :class:`Origin`."""
        return self._archive.open(self._members[name])


def pieces(origin: Origin, name: str, largest: int) -> Iterator[bytes]:
    """A file piece by piece, no more of it than it says it has.

    Raises:
        BundleError: if it is larger than ``largest``, or has another size than it says.
    """
    left = origin.size(name)
    if left > largest:
        raise BundleError(f"{name!r} has {left:,} bytes; at most {largest:,} are allowed")
    with origin.open(name) as file:
        while left >= 0 and (piece := file.read(min(PIECE, left + 1))):
            left -= len(piece)
            if left >= 0:
                yield piece
    if left:
        raise BundleError(f"{name!r} has another size than it says")


class Kept(Protocol):
    """Checked files, read by part whenever they are asked for."""

    def begin(self, name: str, *, table: bool) -> None:
        """A file of which pieces will follow."""

    def add(self, name: str, piece: bytes) -> None:
        """The next piece of the file that was begun last."""

    def part(self, name: str, start: int, length: int) -> bytes:
        """Bytes of a table.

        Raises:
            BundleError: if they are not there any more.
        """

    def whole(self, name: str) -> bytes:
        """A file that is no table.

        Raises:
            BundleError: if it is not there any more.
        """


class Memory:
    """Files in memory, tables packed: to a third, and a page is unpacked in a millisecond."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._pages: dict[str, list[bytes]] = {}

    def begin(self, name: str, *, table: bool) -> None:
        """See :class:`Kept`."""
        if table:
            self._pages[name] = []
        self._files[name] = b""

    def add(self, name: str, piece: bytes) -> None:
        """See :class:`Kept`."""
        data = self._files[name] + piece
        if name in self._pages:
            whole = len(data) // PAGE * PAGE
            self._pages[name] += [
                zlib.compress(data[at : at + PAGE], FAST) for at in range(0, whole, PAGE)
            ]
            data = data[whole:]
        self._files[name] = data

    def part(self, name: str, start: int, length: int) -> bytes:
        """See :class:`Kept`."""
        first, last = start // PAGE, (start + length) // PAGE
        pages = self._pages[name]
        data = b"".join(zlib.decompress(page) for page in pages[first : last + 1])
        if last >= len(pages):
            data += self._files[name]
        return data[start - first * PAGE :][:length]

    def whole(self, name: str) -> bytes:
        """See :class:`Kept`."""
        return self._files[name]


class Disk:
    """Files that stay in their folder, and cost no memory.

    Tables are held open, so that they can be read for as long as the bundle is in use,
    whatever takes the folder's place.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[str, int] = {}

    def begin(self, name: str, *, table: bool) -> None:
        """See :class:`Kept`."""
        if table:
            descriptor = os.open(self._folder / name, os.O_RDONLY)
            weakref.finalize(self, os.close, descriptor)
            self._tables[name] = descriptor

    def add(self, name: str, piece: bytes) -> None:
        """See :class:`Kept`; it is there already."""

    def part(self, name: str, start: int, length: int) -> bytes:
        """See :class:`Kept`."""
        return os.pread(self._tables[name], length, start)

    def whole(self, name: str) -> bytes:
        """See :class:`Kept`."""
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise BundleError(f"{name} has gone from {self._folder}: {error.strerror}") from None
