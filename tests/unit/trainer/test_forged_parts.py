"""A forged part of a run costs its own packages a week, and nobody else anything."""

from __future__ import annotations

import datetime as dt
import json
import os
import pickle
import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forecast.bundle.reader import read_folder
from forecast.bundle.writer import Writer
from forecast.errors import ConfigError
from forecast.history import Merged
from forecast.model import pickling
from tests.bundles import LAST_DAY, counts, make_bundle
from tests.trainings import run_plan
from tests.weekly import estimated
from trainer.join import join
from trainer.plan import Part
from trainer.store import Store
from trainer.train import train

NAMES = ("a", "b", "c", "d")
FORGED, HONEST = Part(1, 2), Part(2, 2)  # the first trains a and c
BARE_MODEL = b"\x80\x05\x8c\x0eforecast.model\x8c\x05Model\x93)\x81."  # NEWOBJ without BUILD


class Touch:
    """Pickles as code that makes a file."""

    def __reduce__(self):
        return os.system, ("touch owned",)


@pytest.fixture
def run(tmp_path):
    """The folder of a run whose two parts were trained."""
    folder = tmp_path / "deep" / "run"
    with closing(Store.begin(folder, run_plan(*NAMES))) as store:
        for name in NAMES:
            store.add_counts(name, Merged(counts(days=30), 0))
        store.complete_fetch([], None, LAST_DAY)
        for part in (FORGED, HONEST):
            train(store, part, lambda tasks, _most: map(estimated, tasks))
    return folder


def forge(folder, statement, *values, part=FORGED):
    with closing(sqlite3.connect(folder / part.file, isolation_level=None)) as database:
        database.execute(statement, values)


def joined(folder, previous=None):
    """The bundle of a run, read back with every model."""
    output = folder.parent / "fresh"
    output.mkdir()
    with closing(Store(folder)) as store:
        join(store, previous, Writer(output, store.plan.forecast_days))
    bundle = read_folder(output)
    for name in bundle.names:
        bundle.model(name)
    return bundle


def files_beside(folder):
    """What lies outside of the run and of the bundle."""
    return {
        path
        for path in folder.parents[1].rglob("*")
        if not {"run", "fresh"} & set(path.relative_to(folder.parents[1]).parts)
    }


def pictures(name, svg="<svg/>"):
    return json.dumps({name: svg})


def blob(*rows):
    return np.array(rows, dtype="float64").tobytes()


EARLIER = pickling.dumps(make_bundle(last_day=dt.date(2026, 11, 1)).model("flask"))
BANDS = np.repeat([[3.0], [3.0], [2.0], [4.0], [1.0], [5.0]], 30, axis=1)
SCRIPT = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
MEMBER = {"order": [0, 1, 1], "seasonal_order": [0, 0, 0, 0], "weight": 0}
FORGERIES: dict[str, tuple[str, Any]] = {
    "a picture outside": ("pictures", pictures("../PWN.svg")),
    "a picture at an absolute path": ("pictures", pictures("/PWN.svg")),
    "a picture called as a table": ("pictures", pictures("history.csv")),
    "a picture of another package": ("pictures", pictures("b.svg")),
    "a picture that is large": ("pictures", pictures("a.svg", f"<svg>{'x' * 100_000}</svg>")),
    "a picture with a script": ("pictures", pictures("a.svg", SCRIPT)),
    "a picture that is none": ("pictures", pictures("a.svg", "<svg>")),
    "pictures that are a list": ("pictures", "[]"),
    "pictures that are numbers": ("pictures", '{"a.svg": 1}'),
    "pictures that are absent": ("pictures", None),
    "a model that runs code": ("model", pickle.dumps(Touch())),
    "a model without fields": ("model", BARE_MODEL),
    "a model of other days": ("model", EARLIER),
    "a model that is text": ("model", "model"),
    "a model that is large": ("model", b"x" * 5_000_000),
    "forecasts that are NaN": ("forecast", blob(np.full(180, np.nan))),
    "forecasts that are infinite": ("forecast", blob(np.full(180, np.inf))),
    "forecasts that are absurd": ("forecast", (BANDS * 1e300).tobytes()),
    "forecasts out of order": ("forecast", BANDS[::-1].tobytes()),
    "forecasts of too many days": ("forecast", np.tile(BANDS, 2).tobytes()),
    "forecasts that are cut": ("forecast", BANDS.tobytes()[:-3]),
    "forecasts that are text": ("forecast", "1,2,3"),
    "a forecast of other days": ("start", "2026-11-01"),
    "a forecast of no day": ("start", "tomorrow"),
    "no totals": ("totals", b""),
    "totals that are NaN": ("totals", blob(*([days, *[np.nan] * 5] for days in (7, 14, 28, 30)))),
    "totals of other days": ("totals", blob([8, 3, 2, 4, 1, 5])),
    "an entry that is no JSON": ("entry", "{"),
    "seconds that are text": ("seconds", "long"),
    "seconds that are endless": ("seconds", 1e300),
    "a reason that is a blob": ("reason", b"\xff"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_row_costs_its_package_alone(run, forgery, monkeypatch):
    monkeypatch.chdir(run)
    before = files_beside(run)
    column, value = FORGERIES[forgery]
    forge(run, f"UPDATE outcomes SET {column} = ? WHERE package = 'a'", value)
    made = joined(run)
    assert made.names == ["b", "c", "d"]
    assert made.manifest.packages["a"].status == "failed"
    assert made.manifest.packages["a"].reason
    assert made.has_history("a")
    assert files_beside(run) == before
    assert not (run / "owned").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"trained_through": "2027-01-01"},
        {"trained_through": None},
        {"m": 10**30},
        {"members": [MEMBER] * 5000},
        {"members": [MEMBER | {"order": [99999, 1, 1]}]},
        {"repaired": ["2026-11-02"] * 30_000},
    ],
    ids=["future", "no day", "m", "members", "order", "repaired"],
)
def test_a_forged_entry_costs_its_package_alone(run, change):
    with closing(sqlite3.connect(run / FORGED.file)) as database:
        [[text]] = database.execute("SELECT entry FROM outcomes WHERE package = 'a'")
    entry = json.dumps(json.loads(text) | change)
    forge(run, "UPDATE outcomes SET entry = ? WHERE package = 'a'", entry)
    assert joined(run).names == ["b", "c", "d"]


@pytest.mark.parametrize("label", ["<b>x</b>", "@a"])
def test_a_forged_label_title_and_status_are_those_of_the_config(run, label):
    title = "<b>x</b>" if label.startswith("@") else ""
    forge(
        run,
        "UPDATE outcomes SET entry = json_set(entry, '$.label', ?, '$.title', ?, '$.status',"
        " 'carried') WHERE package = 'a'",
        *(label, title),
    )
    entry = joined(run).manifest.packages["a"]
    assert (entry.label, entry.title, entry.status) == ("a", "", "trained")


def test_a_package_whose_part_was_forged_keeps_last_weeks_model(run):
    previous = make_bundle(NAMES)
    forge(run, "UPDATE outcomes SET model = ? WHERE package = 'a'", BARE_MODEL)
    made = joined(run, previous)
    assert made.names == list(NAMES)
    assert made.pickle("a") == previous.pickle("a")
    assert made.manifest.packages["a"].status == "carried"
    assert made.manifest.packages["a"].reason.startswith("what was trained was refused: a pickled")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON outcomes BEGIN SELECT 1; END",
        "ALTER TABLE outcomes ADD COLUMN more AS (zeroblob(100))",
        "DROP TABLE outcomes",
    ],
)
def test_a_part_with_another_schema_costs_its_packages_alone(run, statement, caplog):
    forge(run, statement)
    if "DROP" in statement:
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
        forge(run, f"CREATE VIEW outcomes(package) AS {endless}")
    made = joined(run)
    assert made.names == ["b", "d"]
    assert made.manifest.packages["a"].reason == "its part of the run is damaged"
    assert "outcomes-1-of-2.sqlite holds no outcomes of this version" in caplog.text


def test_a_part_that_is_no_database_costs_its_packages_alone(run):
    for path in run.glob(f"{FORGED.file}*"):
        path.write_bytes(b"no database" * 1000)
    assert joined(run).names == ["b", "d"]


def test_a_part_gives_nothing_for_packages_of_another(run):
    with closing(sqlite3.connect(run / FORGED.file)) as database:
        [[model]] = database.execute("SELECT model FROM outcomes WHERE package = 'a'")
    statement = "UPDATE outcomes SET package = 'a', model = ? WHERE package = 'b'"
    forge(run, statement, EARLIER, part=HONEST)
    made = joined(run)
    assert made.names == ["a", "c", "d"]
    assert made.pickle("a") == model


@pytest.mark.parametrize(
    "name", ["outcomes-0-of-2", "outcomes-3-of-2", "outcomes-1-of-02", "outcomes-x"]
)
def test_a_file_that_no_part_has_is_left_out(run, name):
    forge(run, "UPDATE outcomes SET model = NULL")
    (run / FORGED.file).rename(run / f"{name}.sqlite")
    assert joined(run).names == ["b", "d"]


def test_a_bundle_that_the_reader_refuses_is_not_published(run, monkeypatch):
    monkeypatch.setattr("forecast.bundle.writer.check_package", lambda *_, **__: None)
    forge(run, "UPDATE outcomes SET model = ? WHERE package = 'a'", BARE_MODEL)
    with pytest.raises(Exception, match="has not the fields it should have"):
        joined(run)


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 15,
        np.array([[3, 2], [1, 1]]).tobytes(),
        np.array([[3, 4], [1, -1]]).tobytes(),
        np.array([[3, 10**9], [1, 1]]).tobytes(),
    ],
    ids=["cut", "not ascending", "negative", "a day beyond the calendar"],
)
def test_forged_counts_are_told(run, data):
    with closing(sqlite3.connect(run / "run.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE counts SET days_and_downloads = ? WHERE package = 'a'", [data])
    with closing(Store(run)) as store, pytest.raises(Exception, match="counts of a are damaged"):
        store.counts("a")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET value = x'00' WHERE name = 'fetched'",
        "UPDATE facts SET value = '{' WHERE name = 'fetched'",
        "UPDATE counts SET revised = 'many'",
        "UPDATE counts SET revised = -1",
        "ALTER TABLE counts RENAME COLUMN revised TO x",
    ],
)
def test_a_damaged_run_is_told_and_nothing_is_joined(run, statement):
    forge(run, statement, part=SimpleNamespace(file="run.sqlite"))
    with pytest.raises(ConfigError, match="damaged; fetch again"):
        joined(run)


def test_an_outcome_without_model_and_reason_is_damaged(run):
    forge(run, "UPDATE outcomes SET entry = NULL, model = NULL WHERE package = 'a'")
    assert joined(run).manifest.packages["a"].reason == "its part of the run is damaged"
