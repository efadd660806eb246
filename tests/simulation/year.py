"""The parts of a simulated year: the true counts, PyPI Stats' view of them, and a Space."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.data.forecasts import Forecasts
from app.data.live_counts import LiveCounts
from app.data.on_demand import OnDemand, train_model
from app.data.store import ArtifactSource, Store
from forecast.config import Config
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import new_session
from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.standins.github import GitHubServer
    from tests.standins.pypistats import PyPIStatsServer

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
KEPT = 181  # days that PyPI Stats keeps
RETENTION = dt.timedelta(days=30)  # of an artifact
STEP = dt.date(2026, 8, 24)  # from this day on PyPI counts fewer files
STEP_LEAVES = 0.65

History = dict[str, dict[dt.date, int]]


def count(package: str, day: dt.date) -> int:
    """The true downloads; the same at every call."""
    seed = hashlib.sha256(f"{package} {day}".encode()).digest()
    noise = 1.0 + 0.1 * (seed[0] / 255 - 0.5)
    size = 2_000.0 + 500.0 * (sum(package.encode()) % 17)
    weekend = 0.6 if day.weekday() >= 5 else 1.0
    season = 1.0 + 0.2 * math.sin(2 * math.pi * day.timetuple().tm_yday / 365)
    step = STEP_LEAVES if day >= STEP else 1.0
    return round(size * weekend * season * noise * step)


@dataclass
class Loads:
    """The nightly loads of PyPI Stats, with lost and corrected days.

    Attributes:
        packages: those on PyPI.
        lost: package and day to the day on which it is backfilled, ``date.max`` for never.
        corrected: package and day to the day of the correction; 3 % are added then.
    """

    packages: tuple[str, ...]
    lost: dict[tuple[str, dt.date], dt.date] = field(default_factory=dict)
    corrected: dict[tuple[str, dt.date], dt.date] = field(default_factory=dict)

    def on(self, today: dt.date) -> History:
        """Its answer today: the last 181 days, through yesterday."""
        answered: History = {}
        for package in self.packages:
            days = [today - DAY * back for back in range(KEPT + 30, 0, -1)]
            there = [day for day in days if self.lost.get((package, day), day) <= today]
            answered[package] = {day: self._count(package, day, today) for day in there[-KEPT:]}
        return answered

    def _count(self, package: str, day: dt.date, today: dt.date) -> int:
        true = count(package, day)
        known = self.corrected.get((package, day), dt.date.max) <= today
        return round(true * 1.03) if known else true


def load(server: PyPIStatsServer, loads: Loads, today: dt.date) -> History:
    """Set the server to this day; its answers."""
    answered = loads.on(today)
    server.series = dict(answered)
    return answered


def expire_old(github: GitHubServer, now: dt.datetime) -> None:
    """Expire artifacts after their retention, as GitHub does."""
    for stored in github.artifacts:
        made = dt.datetime.fromisoformat(stored.listed["created_at"])
        stored.listed["expired"] = made + RETENTION <= now


def start_space(
    packages: Sequence[str],
    github: GitHubServer,
    pypistats: PyPIStatsServer,
    token: str,
    clock: Callable[[], dt.datetime],
) -> Forecasts:
    """The app's parts as in ``app.launch.assemble``, without waits."""
    config = Config(
        packages=packages,  # type: ignore[arg-type] # pydantic reads them
        username="owner",
        repo_name="repo",
        forecast_days=30,
        m_values=(7,),
    )
    client = GitHubArtifacts(
        new_session(), owner="owner", repo="repo", token=token, url=github.url, clock=clock
    )
    stats = PyPIStats(
        new_session(),
        url=pypistats.url,
        interval=0.0,
        retry=INTERACTIVE_RETRY,
        sleep=lambda _: None,
        today=lambda: clock().date(),
    )
    on_demand = OnDemand(stats.daily, train_model, clock, horizon=30, m_values=(7,))
    return Forecasts(
        Store(config, ArtifactSource(client)), LiveCounts(stats.daily, clock), on_demand
    )
