"""Generates the README of this folder from the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.table import ATTESTED, BULK, CLOCKS, COMPARED, MODELS, NEWER_DAYS, TRAINING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.table import Row

PATH = Path(__file__).with_name("README.md")
HEAD = """\
# Faults

What can go wrong, and what happens then. Each row is a test against a real server on loopback with
this fault (`tests/standins/`). In every row this is tested too:

- The app logs one warning, and the page shows it as one sentence. This also holds for an app
  without models; if only the newest artifact is corrupt, such an app loads the newest valid one
  before it. No thread dies and no file is written. After the fault ends, the next check finds the
  newest models.
- The trainer raises no exception, writes one annotation with the reason, and leaves no files beside
  the output folder.

`python -m tests.faults` generates this file from `table.py`; a test compares the two.
"""


def render() -> str:
    """The content of the file."""
    parts = [
        HEAD,
        _section("The app checks for newer models (GitHub)", MODELS),
        _section("The same, where no attestation proves the branch (GitHub)", COMPARED),
        _section("The same, with `verify_attestation = true` (GitHub, Sigstore)", ATTESTED),
        _section("The app fetches newer counts (PyPI Stats)", NEWER_DAYS),
        _section("The app's clock is wrong", CLOCKS),
        _section("The weekly job", TRAINING),
        _section("The weekly job, with `--source clickhouse` (ClickHouse)", BULK),
    ]
    return "\n".join(parts)


def _section(title: str, rows: Sequence[Row]) -> str:
    lines = [f"## {title}", "", "| fault | what happens | part of the message |"]
    lines.append("| --- | --- | --- |")
    for row in rows:
        says = f"“{row.says}”" if row.says else ""
        lines.append(f"| {_cell(row.fault)} | {row.outcome.value} | {_cell(says)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
