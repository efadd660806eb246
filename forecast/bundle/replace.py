"""Replace a folder as a whole: readers see the old one or the new one, never a mixture."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.bundle.manifest import MANIFEST
from forecast.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_FDCWD = -100
RENAME_EXCHANGE = 2


@dataclass(frozen=True)
class Kind:
    """A kind of folder that a run replaces.

    Attributes:
        name: what such a folder is called.
        mark: a file that each of them has.
        entries: the names of what is in it.
    """

    name: str
    mark: str
    entries: re.Pattern[str]


BUNDLE = Kind("bundle", MANIFEST, re.compile(r".+\.(json|csv|pkl|svg)"))


def check_target(target: Path, kind: Kind = BUNDLE) -> None:
    """Make sure that replacing ``target`` loses nothing but an older one of its kind.

    Args:
        target: a folder, there or not.
        kind: what it may be.

    Raises:
        BundleError: if it is a file, or a folder that holds something else.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise BundleError(f"{target} is a file; name a folder for the {kind.name}")
    names = sorted(path.name for path in target.iterdir())
    if names and not (target / kind.mark).is_file():
        raise BundleError(
            f"{target} holds files but no {kind.mark}, so it is no {kind.name} to replace; "
            "name another folder, or empty it"
        )
    if foreign := [name for name in names if not kind.entries.fullmatch(name)]:
        raise BundleError(
            f"{target} holds {foreign[0]}, which would be lost when the {kind.name} is replaced; "
            "move it elsewhere, or name another folder"
        )


@contextmanager
def replacing(target: Path, kind: Kind = BUNDLE) -> Iterator[Path]:
    """Yield a new folder beside ``target``; at the end of the block it replaces ``target``.

    If the block raises, the new folder is removed and ``target`` stays unchanged.

    Args:
        target: as for :func:`check_target`.
        kind: the same.

    Raises:
        BundleError: if ``target`` is something that must not be replaced.
        OSError: if a file cannot be written; ``target`` then stays unchanged.
    """
    check_target(target, kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}."))
    try:
        fresh.chmod(0o755)
        yield fresh
        _sync(fresh)
        if target.exists():
            _exchange(fresh, target)
        else:
            fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Wait until the folder and its files are written to the disk."""
    # One call for the whole file system, if it can: 15,000 calls of fsync would each wait for
    # the disk's journal, and take twenty times as long on an idle disk.
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    for path in [folder] if syncfs else [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if not syncfs:
                os.fsync(descriptor)
            elif syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
        finally:
            os.close(descriptor)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step, a system call of Linux that Python has no function for."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is not None:
        source, target = os.fsencode(one), os.fsencode(other)
        if renameat2(AT_FDCWD, source, AT_FDCWD, target, RENAME_EXCHANGE) == 0:
            return
    # Elsewhere it takes two steps; a process killed between them leaves the old folder here.
    aside = one.with_name(f"{other.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    other.rename(aside)
    one.rename(other)
    aside.rename(one)
