"""A world without faults, and a record of files written to disk."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from forecast.github.provenance import ProvenanceVerifier
from tests.faults.world import World, sigstore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink", "tempfile.mkstemp", "tempfile.mkdtemp"}
_watching: list[list[str]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & WRITES
        if writes and "__pycache__" not in str(path) and str(path) != os.devnull:
            _watching[-1].append(f"open {path}")
    elif event in CHANGES and "__pycache__" not in str(arguments):
        _watching[-1].append(f"{event} {arguments[0]}")


@cache
def _watch() -> None:
    sys.addaudithook(_hook)  # an audit hook cannot be removed


@pytest.fixture
def written() -> Iterator[list[str]]:
    """Every file that this process creates or opens for writing."""
    _watch()
    _watching.append([])
    yield _watching[-1]
    _watching.pop()


@pytest.fixture
def world(github_server, pypistats_server) -> World:
    made = World(github_server, pypistats_server)
    made.publish_last_weeks()
    made.serve_counts()
    return made


@pytest.fixture
def bulk_world(world, clickhouse_server) -> World:
    """The same, with ClickHouse in it."""
    world.clickhouse = clickhouse_server
    world.fill_clickhouse()
    return world


@pytest.fixture(scope="session")
def verifier(tmp_path_factory) -> ProvenanceVerifier:
    """Trusts only the Sigstore of this world."""
    root = sigstore().write_trusted_root(tmp_path_factory.mktemp("sigstore") / "root.json")
    return ProvenanceVerifier(
        repository="owner/repo", workflow="upload_artifact.yml", branch="main", trusted_root=root
    )


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
