"""The README of this folder, made of the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.table import ATTESTED, BULK, CLOCKS, MODELS, NEWER_DAYS, TRAINING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.table import Row

PATH = Path(__file__).with_name("README.md")
HEAD = """\
# Faults

What can go wrong, and what comes of it. Each row is a test, with a real server on loopback
that misbehaves so (`tests/standins/`). Whatever the row, these hold as well:

- the app: one warning in the log, which the page repeats as one sentence, also where there
  were no models before (if the newest artifact is corrupt, the newest good one before it then
  serves); no thread dies; no file is written; when the fault is over, the next
  look finds the newest models;
- the trainer: no exception, one annotation that says why, nothing left beside the output folder.

This file is made of `table.py` by `python -m tests.faults`, and a test holds the two together.
"""


def render() -> str:
    """The whole file."""
    parts = [
        HEAD,
        _section("The app looks for newer models (GitHub)", MODELS),
        _section("The same, with `verify_attestation = true` (GitHub, Sigstore)", ATTESTED),
        _section("The app asks for newer days (PyPI Stats)", NEWER_DAYS),
        _section("The app's clock is wrong", CLOCKS),
        _section("The weekly job", TRAINING),
        _section("The weekly job, with `--source clickhouse` (ClickHouse)", BULK),
    ]
    return "\n".join(parts)


def _section(title: str, rows: Sequence[Row]) -> str:
    lines = [f"## {title}", "", "| fault | what comes of it | in the sentence |"]
    lines.append("| --- | --- | --- |")
    for row in rows:
        says = f"“{row.says}”" if row.says else ""
        lines.append(f"| {_cell(row.fault)} | {row.outcome.value} | {_cell(says)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
