"""``actions/upload-artifact`` and ``actions/download-artifact``, with folders."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bundles import zip_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class ActionError(Exception):
    """An action, and so its step, fails."""


class ArtifactStore:
    """The artifacts of one run.

    Args:
        folder: each artifact is a folder in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    @property
    def names(self) -> set[str]:
        """The names of the artifacts."""
        return {path.name for path in self.folder.iterdir()}

    def zipped(self, name: str) -> bytes:
        """The zip of an artifact."""
        root = self.folder / name
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return zip_of({str(path.relative_to(root)): path.read_bytes() for path in files})

    def upload(self, workspace: Path, given: Mapping[str, Any]) -> dict[str, str]:
        """Run ``actions/upload-artifact`` with these inputs; its outputs."""
        _know(given, "name", "path", "if-no-files-found", "retention-days", "overwrite")
        target = self.folder / given["name"]
        patterns = given["path"].split()
        places = [workspace / _before_wildcard(pattern) for pattern in patterns]
        found = sorted({file for pattern in patterns for file in _files(workspace, pattern)})
        if not found:
            if given.get("if-no-files-found") == "error":
                raise ActionError(f"No files were found with the provided path: {patterns}")
            return {}
        # A single file is stored under its name; several keep their paths below the common folder.
        root = Path(os.path.commonpath(places))
        if len(places) == 1 and places[0].is_file():
            root = places[0].parent
        if target.exists():
            if not given.get("overwrite"):
                raise ActionError("Conflict: an artifact with this name already exists on the run")
            shutil.rmtree(target)
        for file in found:
            copy = target / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        return {"artifact-digest": hashlib.sha256(self.zipped(given["name"])).hexdigest()}

    def upload_site(self, workspace: Path, given: Mapping[str, Any]) -> dict[str, str]:
        """Run ``actions/upload-pages-artifact``; it cannot overwrite."""
        _know(given, "name", "path")
        if not (workspace / given["path"]).is_dir():
            raise ActionError(f"tar: {given['path']}: Cannot open: No such file or directory")
        if given["name"] in self.names:
            raise ActionError("Conflict: an artifact with this name already exists on the run")
        shutil.copytree(workspace / given["path"], self.folder / given["name"])
        return {"artifact_id": "1"}

    def download(self, workspace: Path, given: Mapping[str, Any]) -> dict[str, str]:
        """Run ``actions/download-artifact`` with these inputs."""
        _know(given, "name", "pattern", "path", "merge-multiple")
        target = workspace / given["path"]
        if "name" in given:
            if given["name"] not in self.names:
                raise ActionError(f"Artifact not found for name: {given['name']}")
            shutil.copytree(self.folder / given["name"], target, dirs_exist_ok=True)
            return {}
        for name in sorted(fnmatch.filter(self.names, given["pattern"])):
            place = target if given.get("merge-multiple") else target / name
            shutil.copytree(self.folder / name, place, dirs_exist_ok=True)
        return {}


def _know(given: Mapping[str, Any], *known: str) -> None:
    if unknown := set(given) - set(known):
        raise AssertionError(f"inputs that the stand-in does not know: {unknown}")


def _before_wildcard(pattern: str) -> str:
    """The part of a pattern before its first wildcard."""
    parts = pattern.split("/")
    fixed = next((n for n, part in enumerate(parts) if "*" in part), len(parts))
    return "/".join(parts[:fixed])


def _files(workspace: Path, pattern: str) -> list[Path]:
    """The files of a path; for a folder, everything in it."""
    found = list(workspace.glob(pattern.rstrip("/")))
    inside = [file for path in found for file in path.rglob("*")]
    return [path for path in [*found, *inside] if path.is_file()]
