"""The weekly job while PyPI Stats, GitHub or the clock has a fault."""

from __future__ import annotations

import datetime as dt
import functools
import io
import zipfile

import pytest

from forecast.http import Limits
from forecast.sources.retry import RetryPolicy
from tests.bundles import replace_folder
from tests.faults.table import BULK, TRAINING, Trainer
from tests.faults.world import PACKAGES
from tests.standins.github import OWNER_ID, REPOSITORY_ID
from tests.weekly import WeeklyJob

OWN = {  # what GitHub tells each run of its repository
    "GITHUB_REPOSITORY": "owner/repo",
    "GITHUB_REPOSITORY_ID": str(REPOSITORY_ID),
    "GITHUB_REPOSITORY_OWNER_ID": str(OWNER_ID),
}
TIGHT = 0.4  # seconds, where a timeout must expire
YESTERDAY = dt.date(2026, 11, 21)
LAST_WEEK = dt.date(2026, 11, 14)


@pytest.fixture
def make_job(world, here, verifier, monkeypatch):
    """A job in a folder with last week's bundle."""
    with zipfile.ZipFile(io.BytesIO(world.github.artifacts[0].zipped)) as archive:
        replace_folder(here / "models", {name: archive.read(name) for name in archive.namelist()})

    def make(row):
        servers = {"github": world.github, "clickhouse": world.clickhouse}
        github_client = {"verifier": verifier if row.verified else None}
        job = functools.partial(WeeklyJob, monkeypatch, here, world.pypistats, **servers)
        if not row.slow:
            return job(github_client=github_client)
        hasty = {
            "timeout": (2.0, TIGHT),
            "total_timeout": TIGHT,
            "retry": RetryPolicy(attempts=2),
        }
        return job(
            pypistats_client=hasty,
            clickhouse_client=hasty,
            github_client=github_client
            | {
                "limits": Limits(connect=2.0, read=TIGHT, total=TIGHT),
                "attempts": 2,
            },
            punctual=TIGHT,
        )

    return make


@pytest.mark.parametrize("row", TRAINING, ids=str)
def test_a_fault_in_the_weekly_job(row, world, make_job, capsys):
    check(row, world, make_job(row), capsys)


@pytest.mark.parametrize("row", BULK, ids=str)
def test_a_fault_of_the_bulk_source(row, bulk_world, make_job, capsys):
    check(row, bulk_world, make_job(row), capsys, "--source=clickhouse")
    assert not bulk_world.pypistats.calls


def check(row, world, job, capsys, *arguments):
    before = files_in(job.output)
    row.inflict(world)

    status = job.run(PACKAGES, world.now, *arguments, **OWN)

    assert status == (1 if row.outcome is Trainer.NOTHING else 0)
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("::warning::", "::error::")) for line in lines)
    assert (files_in(job.output) == before) is (row.outcome is Trainer.NOTHING)
    if row.outcome is Trainer.NOTHING:
        nothing(row, lines)
    else:
        CHECKS[row.outcome](row, job.bundle(), lines)
    assert {path.name for path in job.folder.iterdir()} == {"config.toml", "models"}
    if row.outcome is Trainer.TRAINED:
        assert sum(job.seconds.slept) >= 2.0
    if row.outcome is Trainer.SPLIT:
        assert len(world.clickhouse.asked) > 1


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def statuses(bundle):
    return {name: entry.status for name, entry in bundle.manifest.packages.items()}


def through(bundle):
    return {name: entry.trained_through for name, entry in bundle.manifest.packages.items()}


def carried(row, bundle, lines):
    assert statuses(bundle) == {"flask": "carried", "requests": "trained", "django": "trained"}
    entry = bundle.entry("flask")
    assert row.says in entry.reason
    assert entry.reason.endswith("; the model of 2026-11-15 goes on serving")
    assert lines == [f"::warning::flask: {entry.reason}"]
    assert through(bundle) == {"flask": LAST_WEEK, "requests": YESTERDAY, "django": YESTERDAY}
    assert bundle.history("flask").index[-1].date() == LAST_WEEK
    assert scored(bundle) == 14  # seven days of each package that was trained


def scored(bundle):
    """Rows of the track record."""
    return sum(len(bundle.track(name)["date"]) for name in bundle.recorded)


def trained(_row, bundle, lines):
    assert set(statuses(bundle).values()) == {"trained"}
    assert lines == []
    assert scored(bundle) == 21


def nothing(row, lines):
    assert lines[-1].startswith("::error::")
    assert row.says in lines[-1]


def said(row, lines, begin):
    """One line in all, which says what the row says."""
    (line,) = lines
    assert line.startswith(begin)
    assert row.says in line


def alone(row, bundle, lines):
    said(row, lines, "::warning::continuing from this fetch only")
    assert set(statuses(bundle).values()) == {"trained"}
    assert scored(bundle) == 0


def older(row, bundle, lines):
    said(row, lines, "::warning::going on from the bundle of 2026-11-15, for a newer one: ")
    assert set(statuses(bundle).values()) == {"trained"}
    assert scored(bundle) == 21


def stale(row, bundle, lines):
    said(row, lines, "::error::")
    assert set(statuses(bundle).values()) == {"trained"}


def moved(row, bundle, lines):
    said(row, lines, "::warning::")
    assert set(statuses(bundle).values()) == {"trained"}
    assert scored(bundle) == 21


CHECKS = {
    Trainer.CARRIED: carried,
    Trainer.TRAINED: trained,
    Trainer.SPLIT: trained,
    Trainer.OLDER: older,
    Trainer.ALONE: alone,
    Trainer.STALE: stale,
    Trainer.SKIPPED: trained,
    Trainer.MOVED: moved,
}
