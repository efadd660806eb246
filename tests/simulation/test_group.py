"""A year of a group: a part that fails, one with a late day, one that leaves PyPI."""

import datetime as dt
import shutil

import pandas as pd

from forecast.config import Package, load_config
from forecast.presentation.wording import format_date
from tests.simulation.year import DAY, WEEK, Loads, count, expire_old, load, start_space
from tests.weekly import WeeklyJob
from trainer.site.site import write_site

FIRST = dt.datetime(2026, 3, 1, 3, 17, tzinfo=dt.UTC)
WEEKS = 52
PARTS = ("flask", "django", "httpx")
GROUP = Package("@web", "@web")
TABLES = """
[[groups]]
name = "web"
title = "Web packages"
packages = ["flask", "django", "httpx"]
"""
FAILS, LOST, BACKFILLED, GONE = 5, 10, 12, 30
LOST_DAY = (FIRST + LOST * WEEK - 3 * DAY).date()
LAST_OF_HTTPX = (FIRST + (GONE - 1) * WEEK - DAY).date()


def expected(day):
    return sum(count(part, day) for part in PARTS if part != "httpx" or day <= LAST_OF_HTTPX)


def test_a_year_of_a_group(tmp_path, monkeypatch, github_server, pypistats_server):
    job = WeeklyJob(monkeypatch, tmp_path, pypistats_server, github_server)
    job.tables = TABLES
    lost = {("django", LOST_DAY): (FIRST + BACKFILLED * WEEK).date()}
    loads, before = Loads(PARTS, lost), 0
    for week in range(WEEKS):
        now = FIRST + week * WEEK
        expire_old(github_server, now)
        load(pypistats_server, loads, now.date())
        if week >= GONE:
            del pypistats_server.series["httpx"]
        if week == FAILS:
            pypistats_server.fail("django", 503, times=99)
        shutil.rmtree(job.output, ignore_errors=True)
        assert job.run(["flask"], now) == 0
        pypistats_server.clear_faults()
        bundle = job.bundle()
        github_server.add_artifact(job.zipped(), created_at=now, conclusion="success")

        entry, history = bundle.entry("@web"), bundle.history("@web")
        days = [day.date() for day in pd.DatetimeIndex(history.index)]
        assert history.tolist() == list(map(expected, days)), week
        assert (LOST_DAY in days) == (week >= BACKFILLED)
        assert len(days) >= before
        before = len(days)
        assert (entry.status == "carried") == (week == FAILS)
        if week == FAILS:
            assert "there are no counts of its part django" in entry.reason
        # A week of silence may be a late count.
        late = week in {FAILS, GONE}
        assert days[-1] == (now - (8 if late else 1) * DAY).date()
        stopped = {part.name: part.no_counts_since for part in entry.parts}
        assert stopped["httpx"] == (LAST_OF_HTTPX if week > GONE else None)
    assert len(bundle.track("@web")["date"]) > 30 * 40
    assert days == [days[0] + at * DAY for at in range(len(days))]

    check_site(bundle, tmp_path)
    now = FIRST + (WEEKS - 1) * WEEK + 3 * DAY
    load(pypistats_server, loads, now.date())
    space = start_space(
        ["flask"], github_server, pypistats_server, github_server.token, lambda: now
    )
    space.store.refresh()
    forecast = space.package_forecast(GROUP, wait=20)
    assert forecast.package.label == "Web packages"
    assert forecast.observed_through == (now - DAY).date()


def check_site(bundle, tmp_path):
    """The group has a page with its parts, and the record and the feed know of it."""
    site = tmp_path / "site"
    site.mkdir()
    write_site(bundle, load_config(tmp_path / "config.toml"), site)
    page = (site / "group" / "web" / "index.html").read_text(encoding="utf-8")
    assert "Forecast for Web packages" in page
    flask = '<a href="../../package/flask/">flask</a>'  # the only one with a page
    assert f"The sum of 3 packages: {flask}, django and httpx." in page
    assert f"httpx has no counts since {format_date(LAST_OF_HTTPX)}." in page
    record = (site / "record" / "index.html").read_text(encoding="utf-8")
    assert "forecasts of 1 package and 1 group, since 1 March 2026" in record
    assert "Web packages" in (site / "feed.xml").read_text(encoding="utf-8")
