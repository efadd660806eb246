"""A year of a package that dies, one that is rare, a rename, re-runs and a page that sleeps."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil

import pytest

from app.view.content import show
from app.view.state import View, choose
from forecast.config import Package
from forecast.presentation.export import answer, to_csv
from tests.simulation.year import DAY, count, expire_old, start_space
from tests.standins.github import job_of
from tests.weekly import WeeklyJob

FIRST = dt.datetime(2026, 3, 1, 3, 17, tzinfo=dt.UTC)
EVERY = 28 * DAY  # a run; an artifact lives for 30 days
RUNS = 14
NAMES = ("alive", "dead", "rare", "other")
DIED = (FIRST + 70 * DAY).date()
RENAMED = 6
QUIET = range(8, 10)  # runs in which nobody downloads the rare one
AWAKE = (0, 3, 4, 8, 13)  # runs after which somebody looks at the page
WAIT = 20.0


def downloads(name, day):
    """The true downloads of a day."""
    if name == "rare":
        quiet = (day - FIRST.date()) // EVERY in QUIET
        chance = hashlib.sha256(f"rare {day}".encode()).digest()[0]
        return 0 if quiet or chance > 100 else 1 + chance % 3
    return count("flask", day) if name != "dead" or day < DIED else 0


def load(server, today):
    """PyPI Stats of this day: 181 days, without those that have no download."""
    days = [today - DAY * back for back in range(181, 0, -1)]
    counted = {name: {day: downloads(name, day) for day in days} for name in NAMES}
    server.series = {
        name: {day: number for day, number in series.items() if number}
        for name, series in counted.items()
    }


@pytest.fixture
def job(tmp_path, monkeypatch, github_server, pypistats_server):
    return WeeklyJob(monkeypatch, tmp_path, pypistats_server, github_server)


def test_a_quiet_year(job, capsys):
    github, space, clock = job.github, None, [FIRST]
    for run in range(RUNS):
        clock[0] = now = FIRST + run * EVERY
        expire_old(github, now)
        load(job.pypistats, now.date())
        if run == RENAMED:
            github.rename("renamed")
        shutil.rmtree(job.output, ignore_errors=True)
        assert job.run(NAMES, now) == 0
        bundle = job.bundle()
        check_run(bundle, run, now.date(), capsys.readouterr().out)
        # What becomes of a run: a side job fails, or it is run again, which takes a while.
        later = [{}, {"conclusion": "failure"}, {"status": "in_progress", "conclusion": None}]
        github.add_artifact(
            job.zipped(), created_at=now, jobs=[job_of(now, "success")], run=later[run % 3]
        )
        if run in AWAKE:
            space = space or start_space(
                NAMES, github, job.pypistats, github.token, lambda: clock[0]
            )
            clock[0] = now + dt.timedelta(hours=1)
            look(space, bundle, run, now.date())


def check_run(bundle, run, today, said):
    warned = {line for line in said.splitlines() if "::warning::" in line}
    assert any("no artifact called models" in line for line in warned) == (run == 0)
    assert any("is now called owner/renamed" in line for line in warned) == (run >= RENAMED)
    assert len(warned) == (run == 0) + (run >= RENAMED)
    for name in NAMES:
        entry = bundle.entry(name)
        assert (entry.status, entry.trained_through) == ("trained", today - DAY)
        assert bundle.forecast(name).index[0].date() == today
        counted = bundle.history(name)
        first = FIRST.date() - 181 * DAY
        days = [first + DAY * at for at in range((today - first).days)]
        assert counted.tolist() == [n for n in (downloads(name, day) for day in days) if n]
    stopped = DIED - DAY if today - DIED > 7 * DAY else None
    assert bundle.entry("dead").no_counts_since == stopped
    for file in ("dead.svg", "dead.badge.svg"):
        assert (f"no counts since {stopped}".encode() in bundle.picture(file)) is bool(stopped)
    assert {bundle.entry(name).no_counts_since for name in ("alive", "rare", "other")} == {None}
    if today - DIED > 60 * DAY:
        assert bundle.totals("dead")[30].mean < 30


def look(space, bundle, run, today):
    """The page after a sleep: it fetches the newest bundle, and shows what is known."""
    space.store.refresh()
    assert space.store.snapshot.bundle.manifest.created_at == bundle.manifest.created_at
    assert space.store.snapshot.problem == ""
    for name in NAMES:
        forecast = space.package_forecast(Package(name, name), wait=WAIT)
        assert forecast.daily.start == today
        shown = show(space, View(choose(name, ())), space_now(today), wait=WAIT)
        dead = name == "dead" and today - DIED > 7 * DAY
        since = (DIED - DAY).isoformat() if dead else ""
        assert answer(forecast, 30)["no_counts_since"] == (since or None)
        assert {line.rpartition(",")[2] for line in to_csv([forecast]).split()[1:]} == {since}
        assert ("no counts since 9 May 2026" in shown.headline) is dead
        assert ("no counts since 9 May 2026" in (shown.figure or "")) is dead
        assert "days old" not in shown.warnings + shown.banner


def space_now(today):
    return dt.datetime.combine(today, dt.time(4, 17), dt.UTC)
