"""What join takes from other machines: the folder of a run, with anything in its files."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from forecast.bundle.reader import read_folder
from forecast.bundle.writer import Writer
from forecast.errors import BundleError, ForecastError
from forecast.history import Merged
from tests.bundles import LAST_DAY, counts
from tests.fuzz import inputs
from tests.trainings import run_plan
from tests.weekly import estimated
from trainer.join import join
from trainer.plan import Part
from trainer.store import RUN, Store
from trainer.train import train

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.bundle.reader import Bundle


class Files(dict[str, bytes]):
    """The files of a run, and in short how they differ from the true ones."""

    change = ""

    def __repr__(self) -> str:
        return f"a run with {self.change:.300}"


PART, OTHER = Part(1, 2), Part(2, 2)  # of flask, and of requests
TEXTS = ("reason", "entry", "start", "pictures")
BLOBS = ("model", "forecast", "totals")
ODD_NAMES = ["outcomes-0-of-2.sqlite", "outcomes-1-of-3.sqlite", "outcomes.sqlite", "x.sqlite"]


@cache
def _run() -> Mapping[str, bytes]:
    """The files of a run of two packages, each trained by a part of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(Store.begin(folder, run_plan("flask", "requests"))) as store:
            for package in ("flask", "requests"):
                store.add_counts(package, Merged(counts(days=30), 0))
            store.complete_fetch([], None, LAST_DAY)
            for part in (PART, OTHER):
                train(store, part, lambda tasks, _most: map(estimated, tasks))
        return {path.name: path.read_bytes() for path in folder.iterdir()}


@cache
def _row() -> Mapping[str, Any]:
    """The row of flask."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(_run()[PART.file])
        with closing(sqlite3.connect(file.name)) as database:
            database.row_factory = sqlite3.Row
            return dict(database.execute("SELECT * FROM outcomes").fetchone())


@st.composite
def _values(draw: st.DrawFn, column: str) -> Any:
    """A value of a column, like the true one or anything that SQLite keeps."""
    true = _row()[column]
    kind = draw(st.sampled_from(["edited", "edited", "any", "another"]))
    if kind == "another":
        return draw(st.sampled_from([value for value in _row().values() if value is not None]))
    if kind == "any" or not isinstance(true, str | bytes):
        return draw(
            st.none()
            | st.integers(-(2**63), 2**63 - 1)
            | st.floats()
            | st.binary(max_size=9)
            | st.sampled_from([text for text in inputs.ODD_TEXT if text.isprintable()])
        )
    if isinstance(true, bytes):
        return draw(inputs.edited_bytes(true, 2))
    return draw(inputs.edited_bytes(true.encode(), 2)).decode("utf-8", "replace")


@st.composite
def forged_parts(draw: st.DrawFn) -> Files:
    """The files of a run whose first part is forged: its rows, its schema, its name, its bytes."""
    files = Files(_run())
    kind = draw(st.sampled_from(["row", "row", "row", "bytes", "schema", "name"]))
    files.change = kind
    if kind == "bytes":
        files[PART.file] = draw(inputs.edited_bytes(files[PART.file]))
    elif kind == "name":
        files.change = name = draw(st.sampled_from(ODD_NAMES))
        files[name] = files.pop(PART.file)
    elif kind == "schema":
        files.change = draw(st.sampled_from(SCHEMAS))
        files[PART.file] = _changed(files[PART.file], files.change)
    else:
        column = draw(st.sampled_from([*TEXTS, *BLOBS, "seconds", "plan", "package"]))
        statement = f"UPDATE outcomes SET {column} = ?"
        value = draw(_values(column))
        files.change = f"{column} = {value!r}"
        files[PART.file] = _changed(files[PART.file], statement, value)
    return files


SCHEMAS = [
    "CREATE VIEW v AS SELECT 1",
    "CREATE TRIGGER t AFTER UPDATE ON outcomes BEGIN SELECT 1; END",
    "ALTER TABLE outcomes ADD COLUMN more AS (zeroblob(9))",
    "ALTER TABLE outcomes RENAME TO results",
    "DROP TABLE outcomes",
    "PRAGMA user_version = 7",
    "DELETE FROM outcomes",
]


def _changed(data: bytes, statement: str, *values: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.sqlite"
        path.write_bytes(data)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = DELETE")
            with suppress(sqlite3.IntegrityError):  # no column may be NULL: it stays as it was
                database.execute(statement, values)
        return path.read_bytes()


RUN_VALUES = {
    "counts": ("package", "days_and_downloads", "revised"),
    "facts": ("name", "value"),
}


@st.composite
def forged_runs(draw: st.DrawFn) -> Files:
    """The files of a run whose counts, plan or bytes are damaged."""
    files = Files(_run())
    if draw(st.booleans()):
        files.change = "bytes"
        files[RUN] = draw(inputs.edited_bytes(files[RUN]))
        return files
    table = draw(st.sampled_from(sorted(RUN_VALUES)))
    column = draw(st.sampled_from(RUN_VALUES[table]))
    value = draw(
        st.binary(max_size=40)
        | st.integers(-(2**63), 2**63 - 1)
        | st.sampled_from([text for text in inputs.ODD_TEXT if text.isprintable()])
    )
    files.change = f"{table}.{column} = {value!r}"
    at = draw(st.integers(0, 1))
    statement = f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT rowid FROM {table} LIMIT 1 OFFSET {at})"  # noqa: E501 - our own names
    files[RUN] = _changed(files[RUN], statement, value)
    return files


def part(files: Files) -> None:
    """A forged part costs its own package alone; the reader takes what was joined."""
    bundle = _joined(files)
    assert "requests" in bundle.names, "it costs the package of another part"
    if "flask" not in bundle.names:
        raise BundleError(bundle.manifest.packages["flask"].reason)


def run(files: Files) -> None:
    """A run's counts and plan: either the bundle is sound, or nothing is published."""
    assert _joined(files).names


def _joined(files: Files) -> Bundle:
    with tempfile.TemporaryDirectory() as folder:
        work, output = Path(folder) / "run", Path(folder) / "models"
        work.mkdir()
        output.mkdir()
        for name, data in files.items():
            (work / name).write_bytes(data)
        with closing(Store(work)) as store:
            join(store, None, Writer(output, store.plan.forecast_days))
        bundle = read_folder(output)
        for name in bundle.names:
            bundle.model(name)
        assert {path.name for path in Path(folder).iterdir()} == {"run", "models"}
        if not bundle.names:
            raise ForecastError("no package could be trained")
        return bundle
