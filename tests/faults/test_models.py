"""The app checks for newer models while GitHub or an artifact has a fault."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import tracemalloc
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from app.data.forecasts import Forecasts
from app.data.live_counts import LiveCounts
from app.data.on_demand import OnDemand
from app.data.store import ArtifactSource, Store
from app.view.content import show
from app.view.state import View, choose
from forecast.config import Config
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import HeaderTimeoutAdapter, Limits, new_session
from forecast.presentation.notices import notices
from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats
from tests.faults.table import (
    ATTESTED,
    ATTESTED_BUT_BROKEN,
    CLOCKS,
    COMPARED,
    MODELS,
    NEWEST,
    Models,
)
from tests.faults.world import ALWAYS, OWNED, PACKAGES, no_search
from tests.waiting import until

CONFIG = Config(
    packages=PACKAGES,  # type: ignore[arg-type] # pydantic reads them
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(7,),
)
TIGHT = 0.6  # seconds, where a timeout must expire
MOST_MEMORY = 24 << 20  # bytes, whatever a zip would unpack to
ROWS = pytest.mark.parametrize("row", MODELS + COMPARED + ATTESTED, ids=str)
WAIT = 20.0


def new_store(world, *, slow=False, verifier=None, every=900.0):
    session = new_session()
    if slow:
        session.mount("http://", HeaderTimeoutAdapter(TIGHT))
    limits = Limits(connect=2.0, read=TIGHT, total=TIGHT) if slow else None
    client = GitHubArtifacts(
        session,
        owner="owner",
        repo="repo",
        token=world.github.token,
        url=world.github.url,
        clock=lambda: world.now,
        limits=limits,
        verifier=verifier,
    )
    return Store(CONFIG, ArtifactSource(client), every=every)


def page(world, store):
    """What the page shows of the first package."""
    stats = PyPIStats(
        new_session(),
        url=world.pypistats.url,
        interval=0.0,
        retry=INTERACTIVE_RETRY,
        sleep=lambda _: None,
        today=world.now.date,
    )
    on_demand = OnDemand(stats.daily, no_search, lambda: world.now, horizon=30, m_values=(7,))
    forecasts = Forecasts(store, LiveCounts(stats.daily, lambda: world.now), on_demand)
    return show(forecasts, View(choose(PACKAGES[0], ())), world.now, wait=WAIT)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def refreshed(store, row):
    """One check for newer models, and the memory it took."""
    if not row.bomb:
        return store.refresh(), 0
    tracemalloc.start()
    try:
        rest = store.refresh()
        return rest, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@ROWS
@pytest.mark.usefixtures("here")
def test_a_fault_leaves_the_app_its_models(row, world, verifier, written, caplog):
    verifier = verifier if row.verified else None
    store = new_store(world, slow=row.slow, verifier=verifier)
    store.refresh()
    old = store.snapshot.bundle
    assert old is not None
    provenance = store.snapshot.provenance
    assert (provenance is not None) is row.verified
    newer = world.publish()
    row.inflict(world)
    bad = world.github.artifacts[-1]
    caplog.clear()
    before = set(written)

    rest, memory = refreshed(store, row)

    assert rest == row.rest
    assert memory < MOST_MEMORY
    if row.outcome is Models.KEPT:
        assert store.snapshot.bundle is old
        assert store.snapshot.provenance is provenance
        assert row.says in store.snapshot.problem
        assert_told(store, caplog, world)
        assert_cold_start(row, world, verifier, caplog)
    else:
        assert store.snapshot.bundle is not old
        assert store.snapshot.problem == ""
        logged = warnings(caplog)
        assert len(logged) == (row.outcome is Models.MOVED)
        shown = page(world, store)
        assert shown.figure is not None
        assert row.says in "".join(logged or [shown.warnings, shown.facts])
        used = bad if row.outcome in {Models.USED, Models.MOVED, Models.UNREAD} else newer
        assert world.github.blob.paths()[-1] == f"/{used.id}.zip"
    assert set(written) == before
    assert not Path(OWNED).exists()
    if not row.final:
        assert_recovers(store, world, newer, bad, row.rest)


def assert_told(store, caplog, world):
    """One line in the log, and the same sentence on the page."""
    problem = store.snapshot.problem
    assert problem.isprintable()
    assert len(problem) < 700
    assert warnings(caplog) == [problem]
    snapshot = store.snapshot
    manifest = snapshot.bundle and snapshot.bundle.manifest
    told = notices(manifest, [], world.now, problem=snapshot.problem)
    assert [notice for notice in told if notice.owner == problem] != []


def assert_cold_start(row, world, verifier, caplog):
    """Without an earlier bundle the page runs and says why."""
    caplog.clear()
    cold = new_store(world, slow=row.slow, verifier=verifier)
    cold.refresh()
    assert cold.snapshot.looked
    assert row.says in cold.snapshot.problem
    assert_told(cold, caplog, world)
    shown = page(world, cold)
    # An artifact without an attestation was made elsewhere; a broken one has a valid one before it.
    sound = not row.verified or row.fault == ATTESTED_BUT_BROKEN
    if row.fault.startswith(NEWEST) and sound:
        assert shown.figure is not None
        assert cold.snapshot.problem.partition(". ")[0] in unescape(shown.warnings + shown.facts)
        caplog.clear()
        cold.refresh()
        assert row.says in cold.snapshot.problem
        assert cold.snapshot.bundle is not None
        return
    assert cold.snapshot.bundle is None
    assert shown.figure is None
    assert "Nothing to show" not in shown.headline
    assert "No forecast for flask" in shown.headline


def assert_recovers(store, world, newer, bad, rest):
    """After the fault ends, the next check loads the newest bundle."""
    world.github.clear_faults()
    world.github.blob.clear_faults()
    if bad is not newer:
        bad.listed["expired"] = True
    newest = world.publish()
    world.now += dt.timedelta(seconds=rest)
    for _ in range(3):  # a busy machine may be slower than the tight limits of some rows
        store.refresh()
        if not store.snapshot.problem:
            break
    assert store.snapshot.problem == ""
    assert f"/{newest.id}.zip" in world.github.blob.paths()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_thread_outlives_every_fault(world, verifier):
    """Rows without a wait, of each sort some, one after the other, in the app's own thread."""
    store = new_store(world, verifier=verifier, every=0.02)
    thread = store.start()
    rows = [row for row in MODELS + ATTESTED if row.outcome is Models.KEPT]
    rows = [row for row in rows if not (row.slow or row.limited or row.bomb or row.final)][::4]
    assert len(rows) > 15
    assert {row.fault.split()[0] for row in rows} >= {"list:", "run:", "zip:", "blob:", "the"}
    try:
        for row in rows:
            world.publish()
            row.inflict(world)
            bad = world.github.artifacts[-1]
            until(lambda row=row: row.says in store.snapshot.problem, row)  # type: ignore[misc] # its default
            world.github.clear_faults()
            world.github.blob.clear_faults()
            bad.listed["expired"] = True
            world.publish()
            until(lambda: store.snapshot.problem == "", row)
            assert thread.is_alive()
    finally:
        store._source.newest = sys.exit  # ends the thread
        thread.join(WAIT)
    assert not thread.is_alive()


def test_a_blob_s_key_is_in_no_log(world, caplog):
    caplog.set_level(logging.INFO)
    headers = {"X-Odd": "1\r\nno separator in this line"}
    world.github.fail("blob", lambda answer: replace(answer, headers=headers), ALWAYS)

    new_store(world).refresh()

    assert world.github.blob.calls[0].query["sig"] == "signed"
    assert "sig" not in caplog.text


@pytest.mark.parametrize("row", CLOCKS, ids=str)
def test_a_wrong_clock_leaves_the_page_its_forecast(row, world, written):
    world.publish()
    row.inflict(world)
    store = new_store(world)
    before = set(written)

    assert store.refresh() == row.rest

    assert store.snapshot.problem == ""
    shown = page(world, store)
    assert shown.figure is not None
    assert '"x":["2026-11-22"' in shown.figure
    assert row.says in shown.warnings + shown.facts
    assert set(written) == before
