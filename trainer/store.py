"""The folder of a run: its plan, the fetched counts and the outcomes of training.

The three phases of a run (``fetch``, ``train``, ``join``) share only this folder. So a run
that was stopped resumes where it was, several machines can train parts of it, and memory use
does not grow with the number of packages::

    run.sqlite         the plan, the counts, and why some packages have none
    outcomes.sqlite    what was trained; ``outcomes-3-of-5.sqlite`` for a part
    previous.zip       the previous bundle, if it came from GitHub; see ``trainer.previous``

The files are SQLite databases: a statement is stored as soon as it is executed, so a process
may be killed at any moment.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sqlite3
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, TypeAdapter

from forecast.bands import BAND_COLUMNS, TOTAL_COLUMNS, Forecast, Total
from forecast.bundle.manifest import PackageEntry, PartEntry
from forecast.errors import ConfigError
from forecast.history import Merged
from forecast.model.checks import is_number
from forecast.quantities import LARGEST_COUNT
from trainer.engines.task import Outcome, Product
from trainer.plan import Part, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

PARTS = TypeAdapter(tuple[PartEntry, ...])
PICTURES = TypeAdapter(dict[str, str])
RUN = "run.sqlite"
# Days since 1970 and downloads as int64, in one blob.
RUN_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counts (
    package TEXT PRIMARY KEY, days_and_downloads BLOB NOT NULL, revised INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (package TEXT PRIMARY KEY, reason TEXT NOT NULL);
"""
# Outcomes carry the plan they belong to; entry, model and the rest are NULL without a model.
# A total is its number of days and then its columns.
PART_TABLES = """
CREATE TABLE IF NOT EXISTS outcomes (
    package TEXT PRIMARY KEY, plan TEXT NOT NULL, reason TEXT NOT NULL, seconds REAL NOT NULL,
    entry TEXT, model BLOB, start TEXT, forecast BLOB, totals BLOB, pictures TEXT
);
"""
# A part comes from another machine, so its file may be anything.
PART_SCHEMA = {PART_TABLES.replace("IF NOT EXISTS ", "").strip().removesuffix(";"), None}
FIRST_DAY, LAST_DAY = -719_162, 84_006  # days since 1970: the year 1, and the end of 2199
LARGEST_ROW = 4 * 1024 * 1024  # bytes
MOST_SECONDS = 1e9  # that a training takes


class _Fetched(BaseModel):
    """The result of a complete fetch: the days to repair, and the last day with any counts."""

    outages: frozenset[dt.date]
    outages_within: tuple[dt.date, ...]
    known_through: dt.date | None


class Store:
    """The folder of a run, open for reading and adding.

    Args:
        folder: where ``run.sqlite`` is.

    Raises:
        ConfigError: if it is not there, or is not one of this version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / RUN).is_file():
            raise ConfigError(
                f"{folder}: expected a run, but {RUN} is not there; fetch one first, and let no "
                "other run use this folder"
            )
        self._parts: dict[str, sqlite3.Connection] = {}
        self._part_of: dict[str, sqlite3.Connection | None] | None = None
        with ExitStack() as opened:
            try:
                self._run = _open(folder / RUN, RUN_TABLES, opened)
                self.plan = Plan.model_validate_json(self._fact("plan"))
            except (sqlite3.Error, ValueError):
                raise ConfigError(
                    f"{folder}: {RUN} is no run of this version; remove it and fetch again"
                ) from None
            self._opened = opened.pop_all()

    @classmethod
    def begin(cls, folder: Path, plan: Plan) -> Store:
        """The store of a run with this plan: the existing one if its plan is equal, else a new."""
        if _identity(folder) != plan.identity:
            remove(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            run = _open(folder / RUN, RUN_TABLES, opened)
            run.execute("DELETE FROM failures")  # what failed is fetched again
            run.execute("INSERT OR REPLACE INTO facts VALUES ('plan', ?)", [plan.model_dump_json()])
        return cls(folder)

    def close(self) -> None:
        """Write everything into the files, which may then be moved."""
        self._opened.close()

    def add_counts(self, name: str, merged: Merged) -> None:
        """Keep the counts of a package, earlier ones merged in."""
        days = merged.counts.index.to_numpy(dtype="datetime64[D]").astype("int64")
        blob = np.stack([days, merged.counts.to_numpy(dtype="int64")]).tobytes()
        row = [name, blob, merged.revised]
        self._run.execute("INSERT OR REPLACE INTO counts VALUES (?, ?, ?)", row)

    def add_failure(self, name: str, reason: str) -> None:
        """Keep why a package has no counts."""
        self._run.execute("INSERT OR REPLACE INTO failures VALUES (?, ?)", [name, reason])

    def fetched(self) -> list[str]:
        """The packages and groups to train that have counts, in the order of the plan."""
        return self.with_counts(package.name for package in self.plan.packages)

    def with_counts(self, names: Iterable[str]) -> list[str]:
        """Those of the names that have counts."""
        found = {name for (name,) in self._rows("SELECT package FROM counts")}
        return [name for name in names if name in found]

    def add_parts(self, name: str, parts: tuple[PartEntry, ...]) -> None:
        """Keep of which parts the counts of a group are the sum."""
        row = [f"parts of {name}", PARTS.dump_json(parts).decode()]
        self._run.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", row)

    def parts(self, name: str) -> tuple[PartEntry, ...]:
        """The parts of a group that has counts; empty for a package."""
        found = self._fact(f"parts of {name}")
        try:
            return PARTS.validate_json(found) if found else ()
        except ValueError:
            raise self._damaged(f"the parts of {name}") from None

    def counts(self, name: str) -> Merged | None:
        """The counts of a package; None if it has none.

        Raises:
            ConfigError: if they are damaged.
        """
        statement = "SELECT days_and_downloads, revised FROM counts WHERE package = ?"
        if not (rows := self._rows(statement, name)):
            return None
        [(blob, revised)] = rows
        damaged = self._damaged(f"the counts of {name}")
        try:
            days, downloads = np.frombuffer(blob, dtype="int64").reshape(2, -1)
        except (ValueError, TypeError):
            raise damaged from None
        fine = (np.diff(days) > 0).all() and ((days >= FIRST_DAY) & (days < LAST_DAY)).all()
        fine = fine and ((downloads >= 0) & (downloads <= LARGEST_COUNT)).all()
        if not (fine and type(revised) is int and 0 <= revised <= days.size):
            raise damaged
        index = pd.DatetimeIndex(days.astype("datetime64[D]")).as_unit("us")
        return Merged(pd.Series(downloads.copy(), index=index, name="downloads"), revised)

    def failure(self, name: str) -> str:
        """Why a package has no counts; empty if it has."""
        statement = "SELECT reason FROM failures WHERE package = ?"
        return _first(self._rows(statement, name))

    def complete_fetch(
        self,
        outages: Iterable[dt.date],
        span: tuple[dt.date, dt.date] | None,
        known_through: dt.date | None,
    ) -> None:
        """Keep the days to repair and complete the fetch.

        Args:
            outages: the days to repair.
            span: the first and the last day of what is trained on; None without any counts.
            known_through: the last day that any package has counts of.
        """
        days = sorted(outages)
        within = [day for day in days if span and span[0] <= day <= span[1]]
        fetched = _Fetched(
            outages=frozenset(days), outages_within=tuple(within), known_through=known_through
        )
        row = ["fetched", fetched.model_dump_json()]
        self._run.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", row)

    @property
    def outages(self) -> frozenset[dt.date]:
        """The days to repair.

        Raises:
            ConfigError: if the fetch is not complete.
        """
        return self._fetched().outages

    @property
    def known_through(self) -> dt.date | None:
        """The last day that any package has counts of.

        Raises:
            ConfigError: if the fetch is not complete.
        """
        return self._fetched().known_through

    @property
    def outages_within(self) -> tuple[dt.date, ...]:
        """Those within the training data, ascending.

        Raises:
            ConfigError: if the fetch is not complete.
        """
        return self._fetched().outages_within

    def add_outcome(self, outcome: Outcome, part: Part) -> None:
        """Keep an outcome in the file of a part, in place of an earlier one of the package.

        Raises:
            ConfigError: if the file is damaged or of another version.
        """
        row = [outcome.name, self.plan.identity, outcome.reason, outcome.seconds]
        marks = ", ".join("?" * 10)
        self._part(part.file).execute(
            f"INSERT OR REPLACE INTO outcomes VALUES ({marks})",  # noqa: S608 - marks alone
            [*row, *_columns(outcome.product)],
        )

    def trained(self, part: Part) -> set[str]:
        """The packages that have a model in the file of a part.

        Raises:
            ConfigError: if the file is damaged or of another version.
        """
        return self._names(self._part(part.file), "AND entry IS NOT NULL")

    def outcome(self, name: str) -> Outcome | None:
        """The outcome of a package, from the part that had to train it; None if it has none.

        The files are looked for once, at the first call. Of one that is damaged or of another
        version, and of a row that is damaged, outcomes have no product.
        """
        if self._part_of is None:
            self._part_of = self._find_parts()
        if name not in self._part_of:
            return None
        damaged = Outcome(name, None, "its part of the run is damaged", 0.0)
        if not (part := self._part_of[name]):
            return damaged
        columns = "reason, seconds, entry, model, start, forecast, totals, pictures"
        statement = f"SELECT {columns} FROM outcomes WHERE package = ?"  # noqa: S608 - constants
        try:
            return _outcome(name, part.execute(statement, [name]).fetchone())
        except (sqlite3.Error, ValueError, TypeError, AttributeError):
            return damaged

    def _find_parts(self) -> dict[str, sqlite3.Connection | None]:
        """Package to the file that has its outcome; None if that file is damaged."""
        found: dict[str, sqlite3.Connection | None] = {}
        fetched = self.fetched()
        for path in sorted(self.folder.glob("outcomes*.sqlite")):
            if not (part := Part.of_file(path.name)):
                continue
            try:
                connection = self._part(path.name)
                names = self._names(connection)
            except (ConfigError, sqlite3.Error) as error:
                log.warning("%s", error)
                found = dict.fromkeys(part.share(fetched)) | found
            else:
                found |= dict.fromkeys(names.intersection(part.share(fetched)), connection)
        return found

    def _damaged(self, what: str) -> ConfigError:
        return ConfigError(f"{self.folder}: {what} are damaged; fetch again")

    def _fact(self, name: str) -> str:
        return _first(self._rows("SELECT value FROM facts WHERE name = ?", name))

    def _rows(self, statement: str, *values: str) -> list[Any]:
        """Rows of the run, whose file may come from another machine."""
        try:
            return self._run.execute(statement, values).fetchall()
        except sqlite3.Error:
            raise self._damaged(f"the tables of {RUN}") from None

    def _fetched(self) -> _Fetched:
        if not (fetched := self._fact("fetched")):
            raise ConfigError(f"{self.folder}: its fetch has not ended; run it again")
        try:
            return _Fetched.model_validate_json(fetched)
        except ValueError:
            raise self._damaged("the results of its fetch") from None

    def _part(self, file: str) -> sqlite3.Connection:
        if file not in self._parts:
            path = self.folder / file
            part = None
            with suppress(sqlite3.Error):
                part = _open(path, PART_TABLES, self._opened)
            # One of another version has other columns, a forged one perhaps views or triggers.
            if part is None or _schema(part) != PART_SCHEMA:
                raise ConfigError(f"{path} holds no outcomes of this version; remove it")
            part.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ROW)
            self._parts[file] = part
        return self._parts[file]

    def _names(self, part: sqlite3.Connection, condition: str = "") -> set[str]:
        """The packages of a part that belong to this plan."""
        statement = f"SELECT package FROM outcomes WHERE plan = ? {condition}"  # noqa: S608 - constants
        return {name for (name,) in part.execute(statement, [self.plan.identity])}


def remove(folder: Path) -> None:
    """Remove a run that is complete."""
    for pattern in ("run.sqlite*", "outcomes*.sqlite*"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


@contextmanager
def reserved(folder: Path, *, shared: bool) -> Iterator[None]:
    """Keep the folder for this process, and remove it in the end if nothing is in it.

    It is the folder itself that is locked, by the kernel: no process that is killed leaves a
    lock behind.

    Args:
        folder: of a run; is made if it is not there.
        shared: let others share it who say so too, as the parts of one run do.

    Raises:
        ConfigError: if another process has it.
        OSError: if it cannot be made.
    """
    descriptor = _locked(folder, shared=shared)
    try:
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()
        os.close(descriptor)


def _locked(folder: Path, *, shared: bool) -> int:
    import fcntl  # noqa: PLC0415 - Windows has none; there the program says so and ends

    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise ConfigError(
                f"{folder}: another run is using this folder; wait until it has ended, or name "
                "another folder with --output or --work"
            ) from None
        except OSError:
            return descriptor  # this file system has no locks
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), folder.stat()):
                return descriptor
        os.close(descriptor)  # who had the folder has removed it meanwhile


def _open(path: Path, tables: str, opened: ExitStack) -> sqlite3.Connection:
    connection = opened.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    # With the write-ahead log a killed process loses nothing, and a row waits for no disk.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(tables)
    return connection


def _schema(connection: sqlite3.Connection) -> set[str | None]:
    """The statements that made whatever is in a file; None for the index of a primary key."""
    return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")}


def _first(rows: Sequence[Any]) -> str:
    """The text in the first row; empty if there is no row."""
    return str(rows[0][0]) if rows else ""


def _columns(product: Product | None) -> tuple[object, ...]:
    if product is None:
        return (None,) * 6
    forecast = np.stack(list(product.forecast.columns().values()))
    return (
        product.entry.model_dump_json(),
        product.model,
        product.forecast.start.isoformat(),
        forecast.astype("float64").tobytes(),
        np.array(
            [[days, *total.columns().values()] for days, total in product.totals.items()],
            dtype="float64",
        ).tobytes(),
        json.dumps(dict(product.pictures)),
    )


def _outcome(name: str, row: Sequence[Any]) -> Outcome:
    """The outcome in a row, which may hold anything: SQLite keeps any type in any column."""
    reason, seconds, *product = row
    if not (isinstance(reason, str) and is_number(seconds, 0.0, MOST_SECONDS)):
        raise TypeError
    made = _product(product)
    if made is None and not reason:
        raise ValueError
    return Outcome(name, made, reason, seconds)


def _product(columns: Sequence[Any]) -> Product | None:
    entry, model, start, forecast, totals, pictures = columns
    if entry is None:
        return None
    if not isinstance(model, bytes):
        raise TypeError
    values = np.frombuffer(forecast, dtype="float64").reshape(len(BAND_COLUMNS), -1)
    rows = np.frombuffer(totals, dtype="float64").reshape(-1, 1 + len(TOTAL_COLUMNS))
    return Product(
        PackageEntry.model_validate_json(entry),
        model,
        Forecast.of(dt.date.fromisoformat(start), dict(zip(BAND_COLUMNS, values, strict=True))),
        {int(days): Total(*map(float, total)) for days, *total in rows},
        PICTURES.validate_json(pictures),
    )


def _identity(folder: Path) -> str:
    """The identity of the plan that is there; empty if there is none."""
    try:
        with closing(Store(folder)) as store:
            return store.plan.identity
    except ConfigError:
        return ""
