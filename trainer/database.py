"""SQLite files of ours: opened with their tables, and safe from a kill at any moment."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FACTS = "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"


class Database:
    """One file; every statement is kept as soon as it is executed.

    Args:
        path: the file; made if it is not there.
        tables: statements that make the tables.

    Raises:
        sqlite3.Error: if the file is no database.
    """

    def __init__(self, path: Path, tables: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            # With the write-ahead log a killed process loses nothing, and a row costs no wait
            # for the disk.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(FACTS + tables)
        except sqlite3.Error:
            self._connection.close()
            raise

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        return self._connection.execute(statement, values).fetchall()

    def fact(self, name: str) -> str:
        """A text kept under a name; empty where there is none."""
        found = self.rows("SELECT value FROM facts WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def keep_fact(self, name: str, value: str) -> None:
        """Keep a text under a name, in place of what was there."""
        self.rows("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def close(self) -> None:
        """Write everything into the one file."""
        self._connection.close()
