"""What a run has trained, in one file a share of the run."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.bands import BAND_COLUMNS, Forecast
from forecast.bundle.manifest import PackageEntry
from forecast.errors import ConfigError
from trainer.database import Database
from trainer.engines.task import Outcome, Product

if TYPE_CHECKING:
    from pathlib import Path

TABLES = """
CREATE TABLE IF NOT EXISTS outcomes (
    package TEXT PRIMARY KEY, reason TEXT NOT NULL, seconds REAL NOT NULL,
    entry TEXT, model BLOB, start TEXT, forecast BLOB, pictures TEXT
);
"""


@dataclass(frozen=True)
class Part:
    """A share of a run: the ``number``-th of ``of``, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read a share such as ``3/5``.

        Raises:
            ValueError: if it is none.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ValueError
        return cls(int(number), int(of))

    @property
    def file(self) -> str:
        """Where its outcomes are."""
        return f"outcomes-{self.number}-of-{self.of}.sqlite" if self.of > 1 else "outcomes.sqlite"


class Outcomes:
    """The outcomes of one share, to be read and added to.

    Args:
        path: the file; made if it is not there.
        identity: of the plan; outcomes of another are let go of.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._database = _opened(path)
        if self._database.fact("identity") != identity:
            self._database.rows("DELETE FROM outcomes")
            self._database.keep_fact("identity", identity)

    def keep(self, outcome: Outcome) -> None:
        """Add one, in place of an earlier one of the same package."""
        row: tuple[object, ...] = (None,) * 5
        if product := outcome.product:
            forecast = np.stack(list(product.forecast.columns().values()))
            row = (
                product.entry.model_dump_json(),
                product.model,
                product.forecast.start.isoformat(),
                forecast.astype("float64").tobytes(),
                json.dumps(dict(product.pictures)),
            )
        self._database.rows(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(outcome.name, outcome.reason, outcome.seconds, *row),
        )

    def trained(self) -> set[str]:
        """The packages that have a product."""
        rows = self._database.rows("SELECT package FROM outcomes WHERE entry IS NOT NULL")
        return {str(name) for (name,) in rows}

    def packages(self) -> set[str]:
        """The packages that have an outcome."""
        return {str(name) for (name,) in self._database.rows("SELECT package FROM outcomes")}

    def get(self, name: str) -> Outcome | None:
        """The outcome of a package; None where there is none."""
        found = self._database.rows("SELECT * FROM outcomes WHERE package = ?", name)
        if not found:
            return None
        _, reason, seconds, entry, model, start, forecast, pictures = found[0]
        product = None
        if entry is not None:
            values = np.frombuffer(forecast, dtype="float64").reshape(len(BAND_COLUMNS), -1)
            day = dt.date.fromisoformat(start)
            product = Product(
                PackageEntry.model_validate_json(entry),
                model,
                Forecast.of(day, dict(zip(BAND_COLUMNS, values, strict=True))),
                json.loads(pictures),
            )
        return Outcome(name, product, reason, seconds)

    def close(self) -> None:
        """Write everything into the file, which may then be moved."""
        self._database.close()


class Gathered:
    """The outcomes of all shares, to be read.

    Args:
        folder: where their files are.
        identity: of the plan.

    Raises:
        ConfigError: if a file is none of ours.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        paths = sorted(folder.glob("outcomes*.sqlite"))
        with ExitStack() as opened:
            shares = [opened.enter_context(closing(Outcomes(path, identity))) for path in paths]
            self._shares = {name: share for share in shares for name in share.packages()}
            self._opened = opened.pop_all()

    def get(self, name: str) -> Outcome | None:
        """The outcome of a package; None where no share has it."""
        share = self._shares.get(name)
        return share.get(name) if share else None

    def close(self) -> None:
        """Let go of the files."""
        self._opened.close()


def _opened(path: Path) -> Database:
    try:
        return Database(path, TABLES)
    except sqlite3.Error:
        raise ConfigError(f"{path} holds no outcomes of this version; remove it") from None
