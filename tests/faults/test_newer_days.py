"""The app fetches newer counts while PyPI Stats has a fault."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from app.data.forecasts import Forecasts
from app.data.live_counts import LiveCounts
from app.data.on_demand import OnDemand
from app.data.store import Store
from app.view.content import show
from app.view.state import View, choose
from forecast.config import Config
from forecast.http import HeaderTimeoutAdapter, new_session
from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats
from tests.faults.table import NEWER_DAYS
from tests.faults.world import PACKAGES, World, last_weeks_bundle, no_search

if TYPE_CHECKING:
    from forecast.github.artifact import Provenance

CONFIG = Config(
    packages=PACKAGES,  # type: ignore[arg-type] # pydantic reads them
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(7,),
)
TIGHT = 0.5  # seconds, where a timeout must expire
WAIT = 20.0


class LastWeeks:
    """A source with last week's bundle."""

    problem = ""
    provenance: Provenance | None = None

    def newest(self):
        return last_weeks_bundle()


@pytest.fixture
def world(github_server, pypistats_server):
    made = World(github_server, pypistats_server)
    made.serve_counts()
    return made


def new_forecasts(world, *, slow):
    limits: dict[str, Any] = {"timeout": (2.0, TIGHT), "total_timeout": TIGHT} if slow else {}
    session = new_session()
    if slow:
        session.mount("http://", HeaderTimeoutAdapter(TIGHT))
    stats = PyPIStats(
        session,
        url=world.pypistats.url,
        interval=0.0,
        retry=INTERACTIVE_RETRY,
        sleep=lambda _: None,
        today=world.now.date,
        **limits,
    )
    on_demand = OnDemand(stats.daily, no_search, lambda: world.now, horizon=30, m_values=(7,))
    store = Store(CONFIG, LastWeeks())
    store.refresh()
    return Forecasts(store, LiveCounts(stats.daily, lambda: world.now), on_demand)


def page(forecasts, world, name):
    return show(forecasts, View(choose(name, ())), world.now, wait=WAIT)


@pytest.mark.parametrize("row", NEWER_DAYS, ids=str)
def test_a_fault_leaves_the_app_its_forecast(row, world, written, caplog):
    forecasts = new_forecasts(world, slow=row.slow)
    row.inflict(world)
    before = list(written)

    with caplog.at_level(logging.WARNING):
        shown = page(forecasts, world, "flask")

    assert '"x":["2026-11-15"' in shown.figure  # the day after the bundle's last
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("no newer days of flask: ")
    assert row.says in line
    assert line.isprintable()
    problem = forecasts._live_counts.counts("flask").problem
    assert line == f"no newer days of flask: {problem}"
    assert "Newer days of flask are missing" in shown.warnings + shown.facts
    assert written == before

    asked = len(world.pypistats.calls)
    page(forecasts, world, "flask")
    assert len(world.pypistats.calls) == asked, "it was asked again on the same day"
    other = page(forecasts, world, "requests")
    assert '"x":["2026-11-22"' in other.figure, "another package does not get its newer days"
    assert "newer-days" in {thread.name for thread in threading.enumerate()}
