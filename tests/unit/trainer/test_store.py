"""The folder of a run: what is put into it comes out, whatever happened in between."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from forecast.bands import BAND_COLUMNS, Forecast, Total
from forecast.bundle.manifest import PackageEntry
from forecast.errors import ConfigError
from forecast.history import Merged
from tests.bundles import counts
from tests.trainings import run_plan
from trainer.engines.task import Outcome, Product
from trainer.plan import Part
from trainer.store import Store, remove, reserved

NAMES = ("a", "b", "c")
WHOLE, SECOND = Part(), Part(2, 2)
TOTALS = {7: Total(3.0, 2.0, 4.0, 1.0, 5.0), 30: Total(9.0, 8.0, 10.0, 7.0, 11.0)}
FIRST_DAY, LAST_DAY = dt.date(2026, 11, 1), dt.date(2026, 11, 21)


def plan(**changed):
    return run_plan(*NAMES, **changed)


@pytest.fixture
def store(tmp_path):
    with closing(Store.begin(tmp_path / "run", plan())) as store:
        yield store


@pytest.fixture
def fetched(store):
    """The same with counts of every package."""
    for name in NAMES:
        store.add_counts(name, Merged(counts(), 0))
    return store


def trained(name, level=1.0):
    values = [np.full(30, level * number) for number in (3.0, 3.0, 2.0, 4.0, 1.0, 5.0)]
    forecast = Forecast.of(LAST_DAY, dict(zip(BAND_COLUMNS, values, strict=True)))
    entry = PackageEntry(label=name, status="trained")
    return Outcome(name, Product(entry, b"model", forecast, TOTALS, {"a.svg": "<svg/>"}), "", 0.5)


def test_counts_come_out_as_they_went_in(store):
    gappy = counts().drop(pd.Timestamp("2026-11-05"))
    store.add_counts("a", Merged(gappy, 3))
    found = store.counts("a")
    expected = gappy.set_axis(gappy.index.as_unit("us")).rename("downloads")
    pd.testing.assert_series_equal(found.counts, expected, check_freq=False)
    assert found.revised == 3
    assert store.counts("b") is None


@pytest.mark.parametrize("first", ["0001-01-01", "1969-12-31"])
def test_a_row_of_long_ago_damages_nothing(store, first):
    old = pd.Series([5], index=pd.DatetimeIndex([first]).as_unit("us"))
    store.add_counts("a", Merged(pd.concat([old, counts()]).astype("int64"), 0))
    assert str(store.counts("a").counts.index[0].date()) == first


def test_fetched_packages_are_in_the_order_of_the_plan(store):
    for name in ("c", "a"):
        store.add_counts(name, Merged(counts(), 0))
    assert store.fetched() == ["a", "c"]


def test_a_failure_has_its_reason_until_the_fetch_begins_again(store):
    store.add_failure("a", "down")
    assert (store.failure("a"), store.failure("b")) == ("down", "")
    with closing(Store.begin(store.folder, plan())) as again:
        assert again.failure("a") == ""


def test_outages_within_are_those_from_the_first_to_the_last_day(store):
    one = dt.timedelta(days=1)
    days = [LAST_DAY + one, LAST_DAY, FIRST_DAY, FIRST_DAY - one]
    store.complete_fetch(days, (FIRST_DAY, LAST_DAY), LAST_DAY)
    assert store.outages == frozenset(days)
    assert store.outages_within == (FIRST_DAY, LAST_DAY)


def test_without_any_counts_no_outage_is_within(store):
    store.complete_fetch([LAST_DAY], None, None)
    assert store.outages_within == ()


def test_an_outcome_comes_out_as_it_went_in(fetched):
    made = trained("a")
    fetched.add_outcome(made, WHOLE)
    found = fetched.outcome("a")
    assert (found.name, found.reason, found.seconds) == ("a", "", 0.5)
    assert found.product.entry == made.product.entry
    assert (found.product.model, found.product.pictures) == (b"model", {"a.svg": "<svg/>"})
    assert found.product.forecast.start == LAST_DAY
    assert found.product.totals == TOTALS
    for column in BAND_COLUMNS:
        expected = getattr(made.product.forecast, column)
        assert getattr(found.product.forecast, column).tolist() == expected.tolist()


def test_a_package_without_a_model_is_not_trained(fetched):
    fetched.add_outcome(trained("a"), WHOLE)
    fetched.add_outcome(Outcome("b", None, "too short", 0.0), WHOLE)
    assert fetched.trained(WHOLE) == {"a"}
    assert fetched.outcome("b") == Outcome("b", None, "too short", 0.0)
    assert fetched.outcome("c") is None


def test_a_later_outcome_replaces_an_earlier_one(fetched):
    fetched.add_outcome(Outcome("a", None, "killed", 0.0), WHOLE)
    fetched.add_outcome(trained("a", level=2.0), WHOLE)
    assert fetched.outcome("a").product.forecast.mean[0] == 6.0


def test_outcomes_of_another_plan_do_not_count(store, tmp_path):
    with closing(Store.begin(tmp_path / "other", plan(commit="other"))) as other:
        other.add_outcome(trained("a"), WHOLE)
    shutil.copy(tmp_path / "other" / WHOLE.file, store.folder)
    assert store.trained(WHOLE) == set()
    assert store.outcome("a") is None


def test_a_part_that_was_never_closed_is_whole_with_its_log(store, tmp_path):
    store.add_outcome(trained("b"), SECOND)
    with closing(Store.begin(tmp_path / "join", plan())) as joining:
        for name in NAMES:
            joining.add_counts(name, Merged(counts(), 0))
        for suffix in ("", "-wal"):
            shutil.copy(store.folder / f"{SECOND.file}{suffix}", joining.folder)
        assert joining.outcome("b").product.model == b"model"


def test_a_closed_run_is_one_file(store):
    store.add_counts("a", Merged(counts(), 0))
    store.close()
    assert [path.name for path in store.folder.iterdir()] == ["run.sqlite"]


def test_a_run_or_a_part_of_another_version_is_told(store, tmp_path):
    with closing(sqlite3.connect(store.folder / WHOLE.file)) as old:
        old.execute("CREATE TABLE outcomes (package TEXT)")
    with pytest.raises(ConfigError, match=r"outcomes\.sqlite holds no outcomes of this version"):
        store.trained(WHOLE)
    (tmp_path / "old").mkdir()
    with closing(sqlite3.connect(tmp_path / "old" / "run.sqlite")) as old:
        old.execute("CREATE TABLE facts (name TEXT, value TEXT)")
        text = plan().model_dump_json().replace("requested_source", "origin")
        old.execute("INSERT INTO facts VALUES ('plan', ?)", [text])
        old.commit()
    with pytest.raises(ConfigError, match=r"run\.sqlite is no run of this version; remove it"):
        Store(tmp_path / "old")


def test_removing_a_run_leaves_what_is_not_its_own(store):
    store.add_outcome(trained("a"), WHOLE)
    store.close()
    (store.folder / "notes.txt").touch()
    remove(store.folder)
    assert [path.name for path in store.folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("text", ["1/1", "3/5", "5/5"])
def test_a_part_is_read_from_its_text(text):
    part = Part.parse(text)
    assert f"{part.number}/{part.of}" == text


@pytest.mark.parametrize("text", ["", "3", "0/5", "6/5", "1/0", "-1/5", "a/b", "1/2/3", "1.0/2"])
def test_a_text_that_is_no_part(text):
    with pytest.raises(ValueError, match="^$"):
        Part.parse(text)


def test_a_folder_is_one_run_s_at_a_time(tmp_path):
    folder = tmp_path / "deep" / "run"
    with reserved(folder, shared=False):
        for shared in (False, True):
            with pytest.raises(ConfigError, match="another run is using this folder; wait"):
                reserved(folder, shared=shared).__enter__()
    assert not folder.exists()
    with reserved(folder, shared=False):
        (folder / "kept").touch()
    assert (folder / "kept").exists()


def test_parts_share_a_folder_and_keep_others_out(tmp_path):
    folder = tmp_path / "run"
    with (
        reserved(folder, shared=True),
        reserved(folder, shared=True),
        pytest.raises(ConfigError, match="another run is using this folder; wait"),
        reserved(folder, shared=False),
    ):
        pass
    assert not folder.exists()


def test_a_folder_that_was_removed_while_it_was_waited_for_is_made_again(tmp_path, monkeypatch):
    folder, lock = tmp_path / "run", fcntl.flock
    removed = []

    def late(descriptor, how):
        if not removed:
            removed.append(folder.rmdir())
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with reserved(folder, shared=False):
        assert folder.is_dir()
        with pytest.raises(ConfigError, match="another run"):
            reserved(folder, shared=False).__enter__()


def test_where_there_are_no_locks_nothing_is_locked(tmp_path, monkeypatch):
    def unknown(_descriptor, _how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with reserved(tmp_path / "run", shared=False), reserved(tmp_path / "run", shared=False):
        assert (tmp_path / "run").is_dir()
