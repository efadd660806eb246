"""A run on the disk: what it is to do, and what it has fetched.

The three phases of a run (``fetch``, ``train``, ``join``) hand each other nothing but a
folder, so a run that is stopped goes on where it was, several machines can share one, and
memory does not grow with the number of packages::

    run.sqlite         the plan, the counts, and why some packages have none
    outcomes.sqlite    what was trained; see ``trainer.outcomes``
    previous.zip       the bundle to go on from, where it came from GitHub; see
                       ``trainer.previous``
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict

from forecast.bundle.manifest import Kind
from forecast.config import Package
from forecast.errors import ConfigError
from forecast.history import Merged
from trainer.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

RUN = "run.sqlite"
TABLES = """
CREATE TABLE IF NOT EXISTS counts (
    package TEXT PRIMARY KEY, days BLOB NOT NULL, downloads BLOB NOT NULL, revised INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (package TEXT PRIMARY KEY, reason TEXT NOT NULL);
"""


class Plan(BaseModel):
    """What a run is to do: all that its phases need to know of config and surroundings.

    Attributes:
        code: digest of the source files, so that no run goes on with another program.
        origin: the source in the command line's words, such as a folder.
        packages: what is asked for, in this order.
        configured: what the config lists.
        outages: those that the config lists.
        previous: digest of the manifest to go on from; empty where there is none.
        previous_folder: where it lies, if it did not come from GitHub.
    """

    model_config = ConfigDict(frozen=True)

    created_at: AwareDatetime
    commit: str = ""
    run: str = ""
    versions: dict[str, str]
    code: str = ""
    source: Kind
    origin: str = ""
    mirrors: bool
    forecast_days: int
    m_values: tuple[int, ...]
    packages: tuple[Package, ...]
    configured: tuple[Package, ...]
    outages: tuple[dt.date, ...] = ()
    previous: str = ""
    previous_folder: str = ""

    @property
    def identity(self) -> str:
        """Equal for two plans of which the second may go on with what the first has."""
        same = self.model_dump_json(exclude={"created_at", "run"})
        return hashlib.sha256(f"{self.created_at:%Y-%m-%d} {same}".encode()).hexdigest()


class Work:
    """What a run is to do and has fetched.

    Args:
        folder: where ``run.sqlite`` is.

    Raises:
        ConfigError: if it is not there, or is none of ours.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / RUN).is_file():
            raise ConfigError(f"{folder}: expected a run, but {RUN} is not there; fetch one first")
        with contextlib.ExitStack() as opened:
            try:
                database = Database(folder / RUN, TABLES)
                self._database = opened.enter_context(contextlib.closing(database))
                self.plan = Plan.model_validate_json(self._database.fact("plan"))
            except (sqlite3.Error, ValueError):
                raise ConfigError(
                    f"{folder}: {RUN} is no run of this version; remove it and fetch again"
                ) from None
            opened.pop_all()

    @classmethod
    def begin(cls, folder: Path, plan: Plan) -> Work:
        """A run of this plan: the one that is there, if it had the same, else a new one."""
        if _identity(folder) != plan.identity:
            _empty(folder)
        folder.mkdir(parents=True, exist_ok=True)
        database = Database(folder / RUN, TABLES)
        database.rows("DELETE FROM failures")  # whatever failed is asked for again
        database.keep_fact("plan", plan.model_dump_json())
        database.close()
        return cls(folder)

    def keep_counts(self, name: str, merged: Merged) -> None:
        """Keep the counts of a package, earlier ones merged in."""
        days = merged.counts.index.to_numpy(dtype="datetime64[D]").astype("int64").tobytes()
        downloads = merged.counts.to_numpy(dtype="int64").tobytes()
        self._database.rows(
            "INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?)",
            *(name, days, downloads, merged.revised),
        )

    def keep_failure(self, name: str, reason: str) -> None:
        """Keep why a package has no counts."""
        self._database.rows("INSERT OR REPLACE INTO failures VALUES (?, ?)", name, reason)

    def counted(self) -> list[str]:
        """The packages that have counts, in the order of the plan."""
        found = {name for (name,) in self._database.rows("SELECT package FROM counts")}
        return [package.name for package in self.plan.packages if package.name in found]

    def counts(self, name: str) -> Merged | None:
        """The counts of a package; None where it has none."""
        found = self._database.rows("SELECT * FROM counts WHERE package = ?", name)
        if not found:
            return None
        _, days, downloads, revised = found[0]
        index = pd.DatetimeIndex(np.frombuffer(days, dtype="int64").astype("datetime64[D]"))
        values = np.frombuffer(downloads, dtype="int64").copy()
        return Merged(pd.Series(values, index=index.as_unit("us"), name="downloads"), int(revised))

    def failure(self, name: str) -> str:
        """Why a package has no counts; empty where it has."""
        found = self._database.rows("SELECT reason FROM failures WHERE package = ?", name)
        return str(found[0][0]) if found else ""

    def settle(self, outages: Iterable[dt.date], seen: tuple[dt.date, dt.date] | None) -> None:
        """End the fetch: keep the days to repair, and the span that was fetched."""
        facts = {"outages": sorted(map(str, outages)), "seen": [str(day) for day in seen or ()]}
        self._database.keep_fact("settled", json.dumps(facts))

    @property
    def outages(self) -> frozenset[dt.date]:
        """The days to repair.

        Raises:
            ConfigError: if the fetch has not come to its end.
        """
        return frozenset(map(dt.date.fromisoformat, self._settled()["outages"]))

    @property
    def outages_seen(self) -> tuple[dt.date, ...]:
        """Those of them that lie within what was fetched, ascending."""
        seen = [dt.date.fromisoformat(day) for day in self._settled()["seen"]]
        return tuple(day for day in sorted(self.outages) if seen and seen[0] <= day <= seen[1])

    def close(self) -> None:
        """Write everything into the files, which may then be moved."""
        self._database.close()

    def _settled(self) -> dict[str, list[str]]:
        facts = self._database.fact("settled")
        if not facts:
            raise ConfigError(f"{self.folder}: its fetch has not ended; run it again")
        settled: dict[str, list[str]] = json.loads(facts)
        return settled


def _identity(folder: Path) -> str:
    """Of the plan that is there; empty where there is none."""
    try:
        work = Work(folder)
    except ConfigError:
        return ""
    work.close()
    return work.plan.identity


def remove(folder: Path) -> None:
    """Remove a run that has come to its end, and the folder if it held nothing else."""
    _empty(folder)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _empty(folder: Path) -> None:
    for pattern in ("run.sqlite*", "outcomes*.sqlite*"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
