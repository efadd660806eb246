"""A year in a minute: the weekly job and the Space, with the events of a year."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shutil
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.view.content import show
from app.view.state import View, choose
from forecast.bundle.manifest import parse_manifest
from forecast.bundle.reader import read_zip
from forecast.config import Event, Package, load_config
from forecast.presentation.notices import notices
from forecast.presentation.record import record_answer, record_sentences
from forecast.record.record import make_record
from forecast.record.weeks import all_weeks, last_week
from tests.bundles import files_of
from tests.simulation.year import DAY, STEP, WEEK, Loads, count, expire_old, load, start_space
from tests.weekly import WeeklyJob
from trainer.site.site import write_site

FIRST = dt.datetime(2026, 3, 1, 3, 17, tzinfo=dt.UTC)  # a Sunday
WEEKS = 52
BEGIN = ("flask", "requests", "django", "numpy")
WAIT = 20.0
WEDNESDAY = dt.timedelta(days=3, hours=9)


def sunday(week):
    return FIRST + week * WEEK


# The events of the year, by the number of the week.
ONE_FAILS = 3
CORRECTED = 5
OUTAGE, BACKFILLED = 7, 9
GAP, GAP_FILLED = 12, 14
DOWN = (16, 17, 18)
TOKEN_EXPIRES, TOKEN_RENEWED = 22, 25
ADDED = 28
REMOVED = 34
GITHUB_DOWN = 38
NOTHING_NEW = 41
RUN_FAILS = 46
FORKS = (10, 20, 30)
TAGS = (11, 31)  # with the name of the branch

OUTAGE_DAYS = {(sunday(OUTAGE) - back * DAY).date() for back in (4, 5)}
GAP_DAYS = {(sunday(GAP) - back * DAY).date() for back in (2, 3, 6)}
NEVER = (sunday(15) - 3 * DAY).date()  # a day of numpy that is never published
CORRECTED_DAYS = {(sunday(CORRECTED) - back * DAY).date() for back in range(9, 16)}


def all_loads():
    lost = {(p, day): sunday(BACKFILLED).date() for p in (*BEGIN, "httpx") for day in OUTAGE_DAYS}
    lost |= {("django", day): sunday(GAP_FILLED).date() for day in GAP_DAYS}
    lost[("numpy", NEVER)] = dt.date.max
    corrected = {("requests", day): sunday(CORRECTED).date() for day in CORRECTED_DAYS}
    return Loads((*BEGIN, "httpx"), lost, corrected)


def packages_of(week):
    named = [*BEGIN, *(["httpx"] if week >= ADDED else [])]
    return tuple(name for name in named if name != "numpy" or week < REMOVED)


class Year:
    """The two programs, and an independent record of what they should know."""

    def __init__(self, job, loads):
        self.job, self.github, self.pypistats = job, job.github, job.pypistats
        self.loads = loads
        self.now = FIRST
        self.app_token = "token_of_the_first_year"
        self.valid_app_token = self.app_token
        self.space: Any = None
        self.served = {}  # package -> day -> the latest count that a run received
        self.published = []  # (created_at, zip) of the trusted ones, in order
        self.chain = []  # the expected history of each
        self.newest_seen = {}  # package -> last day that the running Space received
        self.pages = 0

    # The job

    def run_job(self, week, *, trusted=True):
        """Run on a Sunday; whether it published."""
        self.now = sunday(week)
        self.github.token = f"job_token_of_week_{week}"
        expire_old(self.github, self.now)
        shutil.rmtree(self.job.output, ignore_errors=True)
        status = self.job.run(packages_of(week), self.now)
        assert status in {0, 1}
        if status:
            assert not self.job.output.exists()
            return False
        zipped = self.job.zipped()
        conclusion = "success" if trusted else "failure"
        self.github.add_artifact(zipped, created_at=self.now, conclusion=conclusion)
        if trusted:
            self.published.append((self.now, zipped))
        return True

    def account(self, answered, packages):
        """Record what the run received; ``chain`` has the history of each trusted bundle."""
        for package in packages:
            self.served.setdefault(package, {}).update(answered[package])

    def keep(self):
        self.chain.append({name: dict(days) for name, days in self.served.items()})

    # The Space

    def restart_space(self, week):
        self.newest_seen = {}
        self.space = start_space(
            packages_of(week),
            self.github,
            self.pypistats,
            self.app_token,
            lambda: self.now,
        )

    def look(self, week, answered, failing=()):
        """The Space checks for models, and every page is complete."""
        self.github.token = self.valid_app_token
        expire_old(self.github, self.now)
        self.space.store.refresh()
        bundle = self.space.store.snapshot.bundle
        assert bundle is not None
        for name in packages_of(week):
            if name not in bundle.manifest.modelled:
                continue
            forecast = self.space.package_forecast(Package(name, name), wait=WAIT)
            if name not in failing:
                self.newest_seen[name] = max(answered[name])
            seen = self.newest_seen.get(name, dt.date.min)
            assert forecast.observed_through == max(bundle.entry(name).trained_through, seen)
            check_forecast(forecast)
            self.pages += 1
        return bundle

    def page(self, name):
        shown = show(self.space, View(choose(name, ())), self.now, wait=WAIT)
        check_page(shown, self.space.package_forecast(Package(name, name)))
        return shown

    def told(self):
        snapshot = self.space.store.snapshot
        manifest = snapshot.bundle and snapshot.bundle.manifest
        found = notices(manifest, [], self.now, problem=snapshot.problem)
        return " ".join(f"{notice.text} {notice.owner}" for notice in found)


def check_forecast(forecast):
    """A whole forecast of 30 days, finite, in order, from the day after the last one counted."""
    table = forecast.daily
    assert table.start == forecast.observed_through + DAY
    values = np.stack(
        [table.lower_95, table.lower_80, table.median, table.upper_80, table.upper_95]
    )
    assert values.shape == (5, 30)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert (np.diff(values, axis=0) >= 0).all()
    assert np.isfinite(forecast.total.mean)
    # Between a fifth and five times the later counts; a broken forecast is farther off.
    package = forecast.package.name
    true = sum(count(package, table.start + ahead * DAY) for ahead in range(30))
    assert true / 5 < forecast.total.mean < true * 5


def check_page(shown, forecast):
    """The figure shows this forecast, and has no missing numbers."""
    assert "Forecast for " in shown.headline
    figure = json.loads(shown.figure, parse_constant=refuse)
    first, last = forecast.daily.start, forecast.daily.start + 29 * DAY
    drawn = [list(map(str, trace.get("x") or [])) for trace in figure["data"]]
    assert any(days[:1] == [str(first)] and days[-1:] == [str(last)] for days in drawn)


def refuse(constant):
    raise AssertionError(f"the figure holds {constant}")


@pytest.fixture
def job(tmp_path, monkeypatch, github_server, pypistats_server):
    return WeeklyJob(monkeypatch, tmp_path, pypistats_server, github_server)


def test_a_year(job, capsys):
    year = Year(job, all_loads())
    for week in range(WEEKS):
        live(year, week, capsys)
    _, last = year.published[-1]
    bundle = read_zip(last)
    check_history(bundle, year)
    check_record(bundle, year)
    check_weeks(bundle)
    check_site(bundle, job.folder)
    assert len(year.published) == WEEKS - len(DOWN) - 3
    assert year.pages > 1.3 * WEEKS * 4


def live(year, week, capsys):
    """One week: the run of Sunday, the page after it, and in some weeks the page on Wednesday."""
    today = sunday(week).date()
    stale = week == NOTHING_NEW
    answered = load(year.pypistats, year.loads, today - 7 * DAY if stale else today)
    failing = packages_of(week) if week in DOWN else ("flask",) if week == ONE_FAILS else ()
    for name in failing:
        year.pypistats.fail(name, 503, times=999)
    if week == GITHUB_DOWN:
        year.github.fail("list", 503, times=4)

    published = year.run_job(week, trusted=week != RUN_FAILS)
    said = capsys.readouterr().out
    year.account(answered, [name for name in packages_of(week) if name not in failing])
    check_run(year, week, said, published=published)
    if week in FORKS:
        year.github.add_artifact(b"evil", created_at=year.now + DAY, fork=True)
    if week in TAGS:
        year.github.add_artifact(b"evil", created_at=year.now + DAY, tag=True)

    if week == TOKEN_EXPIRES:
        year.valid_app_token = "token_of_the_second_year"
    if week == TOKEN_RENEWED:
        year.app_token = year.valid_app_token
    if week in {0, ADDED, REMOVED, TOKEN_RENEWED}:
        year.restart_space(week)
    year.now += dt.timedelta(hours=1)
    check_space(year, week, year.look(week, answered, failing))
    year.page(packages_of(week)[week % 3])

    if week not in DOWN:
        year.pypistats.clear_faults()
    if week % 3 == 0 or week in DOWN:
        year.now = sunday(week) + WEDNESDAY
        answered = load(year.pypistats, year.loads, year.now.date())
        year.look(week, answered, packages_of(week) if week in DOWN else ())
    year.pypistats.clear_faults()


def check_run(year, week, said, *, published):
    """The output of the run, and its manifest."""
    lines = said.splitlines()
    if week in {*DOWN, GITHUB_DOWN, NOTHING_NEW}:
        assert not published
        reason = {GITHUB_DOWN: "could not be fetched", NOTHING_NEW: "there are no newer counts"}
        assert lines[-1].startswith("::error::")
        assert reason.get(week, "no package could be trained") in lines[-1]
        return
    assert published
    manifest = parse_manifest((year.job.output / "manifest.json").read_bytes())
    statuses = {name: entry.status for name, entry in manifest.packages.items()}
    expected = dict.fromkeys(packages_of(week), "trained")
    assert statuses == expected | ({"flask": "carried"} if week == ONE_FAILS else {})
    warned = {0: "models yet", ONE_FAILS: "goes on serving"}
    assert len(lines) == (1 if week in warned else 0), lines
    assert all(warned[week] in line for line in lines)
    assert set(manifest.outages) == (OUTAGE_DAYS if OUTAGE <= week < BACKFILLED else set())
    revised = {name: entry.revised for name, entry in manifest.packages.items() if entry.revised}
    assert revised == ({"requests": 7} if week == CORRECTED else {})
    if week != RUN_FAILS:
        year.keep()


def check_space(year, week, bundle):
    """The bundle in use, and what the page says about it."""
    created = bundle.manifest.created_at
    problem = year.space.store.snapshot.problem
    if TOKEN_EXPIRES <= week < TOKEN_RENEWED:
        assert created == sunday(TOKEN_EXPIRES - 1)
        assert "refused the token (401), which has expired" in problem
        assert "fine-grained token" in year.told()
    else:
        assert created == year.published[-1][0]
        assert problem == ""
    age = (year.now - created).days
    assert (f"The models are {age} days old" in year.told()) == (age > 10)


def check_history(bundle, year):
    """The history has every day ever received, with its latest count, and no other day."""
    kept = {
        name: {day.date(): int(each) for day, each in counts.items()}
        for name, counts in ((name, bundle.history(name)) for name in bundle.observed)
    }
    assert kept == year.served
    begin = sunday(0).date() - 181 * DAY
    for name in ("flask", "requests", "django"):
        days = [begin + DAY * ahead for ahead in range(181 + 7 * (WEEKS - 1))]
        assert sorted(kept[name]) == days
    assert {kept["requests"][day] for day in CORRECTED_DAYS} == {
        round(count("requests", day) * 1.03) for day in CORRECTED_DAYS
    }
    assert NEVER not in kept["numpy"]
    assert max(kept["numpy"]) == sunday(REMOVED - 1).date() - DAY
    assert "numpy" not in bundle.names
    assert min(kept["httpx"]) == sunday(ADDED).date() - 181 * DAY


# The track record, computed again in another way


def check_record(bundle, year):
    """The track record has exactly the expected scores."""
    expected = record_of(year)
    found = {}
    for row in csv.DictReader(files_of(bundle)["track_record.csv"].decode().splitlines()):
        key = (row["package"], row["date"], row["made_on"])
        assert key not in found
        found[key] = {name: float(row[name]) for name in list(row)[3:]}
    assert found.keys() == expected.keys()
    for key, scores in expected.items():
        assert found[key] == pytest.approx(scores, abs=0.051), key
    assert {package for package, _, _ in found} == {*BEGIN, "httpx"}
    assert len(found) > 4 * 7 * WEEKS


def check_weeks(bundle):
    """What is told of the year: how good it was, and the week of the change of definition."""
    record = make_record(bundle, {STEP})
    assert record.since == FIRST.date()
    assert record.packages == len(BEGIN) + 1
    for each in (record.days, *record.totals.values()):
        assert 0.5 < (each.inside_80 or 0) <= (each.inside_95 or 0) <= 1
    assert [each.week for each in record.skill] == [1, 2, 3, 4]
    assert len(record_sentences(record)) >= 6
    for redefined, cause in ((set(), "common"), ({STEP}, "definition")):
        weeks = [week for week in all_weeks(bundle, redefined) if week.start <= STEP <= week.end]
        assert {week.package for week in weeks} == {"flask", "requests", "django", "numpy"}
        assert {(week.above, week.cause) for week in weeks} == {(False, cause)}
    assert all(week.cause != "definition" for week in record.surprises)
    left = [week for week in all_weeks(bundle, ()) if week.package == "numpy"]
    assert all(week.end <= bundle.history("numpy").index[-1].date() for week in left)


def check_site(bundle, folder):
    """The record and the feed of the site tell the same, and link to what is there."""
    (folder / "site").mkdir()
    config = load_config(folder / "config.toml").model_copy(
        update={"events": (Event(date=STEP, kind="definition", note="Fewer files"),)}
    )
    write_site(bundle, config, folder / "site")
    place = folder / "site" / "record"
    answer = json.loads((place / "record.json").read_text(encoding="utf-8"))
    weeks = [*answer["surprises"], *answer["last_week"]["weeks"]]
    drawn = {each["package"]: each["picture"] for each in weeks}
    assert all((place / picture).is_file() for picture in drawn.values() if picture)
    assert set(drawn) & set(bundle.names) == {name for name, picture in drawn.items() if picture}
    record, last = make_record(bundle, {STEP}), last_week(bundle, {STEP})
    assert answer == record_answer(record, last, 100, drawn.__getitem__)
    page = (place / "index.html").read_text(encoding="utf-8")
    assert all(sentence in page for sentence in answer["sentences"])
    feed = (folder / "site" / "feed.xml").read_text(encoding="utf-8")
    assert feed.count("What counts as a download changed then") == len(BEGIN)
    assert "/package/numpy/" not in feed  # it has left the config
    for link in [*re.findall(r'href="(\.[^"]*/)"', page), *re.findall(r'src="([^"]*)"', page)]:
        assert (place / link).exists(), link


def record_of(year):
    """Scores computed only from the published files."""
    waiting: dict[tuple[str, str, str], dict[str, Any]] = {}
    scores: dict[tuple[str, str, str], dict[str, float]] = {}
    pairs = zip(year.published[1:], year.published, year.chain[1:], strict=False)
    for (created, _), (_, before), history in pairs:
        for key, row in said_in(before):
            if key not in scores:
                waiting.setdefault(key, row)
        week = (created - FIRST) // WEEK
        outages = OUTAGE_DAYS if OUTAGE <= week < BACKFILLED else set()
        for key in list(waiting):
            package, day = key[0], dt.date.fromisoformat(key[1])
            if day in outages or (created.date() - day).days > 60:
                del waiting[key]
                continue
            score = score_of(waiting[key], day, history[package])
            if score:
                scores[key] = score
                del waiting[key]
    return scores


def said_in(zipped):
    """The rows of a published forecasts.csv, with their lead times."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as files:
        manifest = json.loads(files.read("manifest.json"))
        forecasts = files.read("forecasts.csv").decode()
    horizon = dict.fromkeys(manifest["packages"], 0)
    for row in csv.DictReader(forecasts.splitlines()):
        package = row["package"]
        horizon[package] += 1
        made_on = manifest["packages"][package]["trained_at"][:10]
        yield (package, row["date"], made_on), row | {"horizon": horizon[package]}


def score_of(row, day, history):
    """The score of a forecast of this day; None if its count, or last week's, is unknown."""
    if day not in history:
        return None
    weeks = (row["horizon"] + 6) // 7
    olders = [day - (weeks + back) * WEEK for back in range(4)]
    naive = next((history[older] for older in olders if older in history), None)
    if naive is None:
        return None
    real, median = history[day], float(row["median"])
    return {
        "horizon": row["horizon"],
        "downloads": real,
        "forecast": median,
        "error": abs(median - real),
        "naive_error": abs(naive - real),
        "inside_80": int(float(row["lower_80"]) <= real <= float(row["upper_80"])),
        "inside_95": int(float(row["lower_95"]) <= real <= float(row["upper_95"])),
    }


# What is lost when a project has no run for longer than GitHub keeps an artifact


def test_when_every_artifact_has_expired(job, capsys):
    year = Year(job, Loads(BEGIN))
    for week in (0, 1, 2):
        answered = load(year.pypistats, year.loads, sunday(week).date())
        year.account(answered, BEGIN)
        assert year.run_job(week)
    year.restart_space(2)
    year.look(2, answered)
    capsys.readouterr()

    year.now = sunday(8)
    expire_old(year.github, year.now)
    year.look(8, load(year.pypistats, year.loads, year.now.date()))  # the running Space goes on
    assert "has expired, the newest being of 2026-03-15" in year.told()
    year.restart_space(8)  # and a new one says what is missing
    year.space.store.refresh()
    assert year.space.store.snapshot.bundle is None
    assert "has expired" in year.told()

    assert year.run_job(8)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "::warning::continuing from this fetch only, without the earlier history"
    )
    bundle = read_zip(year.published[-1][1])
    answered = load(year.pypistats, year.loads, sunday(8).date())
    for name in BEGIN:
        history = bundle.history(name)
        kept = dict(zip(pd.DatetimeIndex(history.index).date, history.to_list(), strict=True))
        assert kept == answered[name]
        lost = year.served[name].keys() - kept.keys()
        begin = sunday(0).date() - 181 * DAY
        assert sorted(lost) == [begin + DAY * ahead for ahead in range(56)]
    assert not any(bundle.track(name)["date"].size for name in bundle.recorded)
    year.look(8, answered)


def test_the_year_has_a_step_in_it():
    before = sum(count("flask", dt.date(2026, 8, 23) - back * DAY) for back in range(28))
    after = sum(count("flask", dt.date(2026, 8, 24) + ahead * DAY) for ahead in range(28))
    assert 0.55 < after / before < 0.75
