"""A year in which GitHub refuses each call in each way: no day of the history is lost."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil

import pandas as pd
import pytest

from tests.simulation.year import DAY, Loads, expire_old, load
from tests.standins.github import OWNER_ID, REPOSITORY_ID, job_of
from tests.weekly import WeeklyJob

BEGIN = dt.datetime(2026, 3, 1, 3, 17, tzinfo=dt.UTC)
EVERY = 7 * DAY
ROUTES = ("list", "run", "jobs", "ref", "compare", "zip", "blob")
FAULTS = (301, 401, 403, 404, 410, 422, 429, 500, "html", "nonsense", "drop")
RENAMED = 30  # weeks after the first


@pytest.fixture
def job(tmp_path, monkeypatch, github_server, pypistats_server):
    return WeeklyJob(monkeypatch, tmp_path, pypistats_server, github_server)


def test_a_year_of_refusals(tmp_path, monkeypatch, github_server, pypistats_server, capsys):
    job = WeeklyJob(monkeypatch, tmp_path, pypistats_server, github_server)
    loads, known = Loads(("flask",)), {}
    for week, (route, fault) in enumerate(itertools.product(ROUTES, FAULTS)):
        now = BEGIN + week * EVERY
        expire_old(github_server, now)
        known |= load(pypistats_server, loads, now.date())["flask"]
        if route == "compare":  # the commit of the newest artifact with one that came later
            github_server.commit(f"{week:040x}")
        if week:
            github_server.fail(route, fault, times=99)
            shutil.rmtree(job.output)
            assert job.run(("flask",), now) == 1, (route, fault)
            *_, last = capsys.readouterr().out.splitlines()
            assert last.startswith("::error::the previous bundle could not be fetched")
            assert not job.output.exists()
            github_server.clear_faults()
            github_server.blob.clear_faults()
        if week == RENAMED:
            github_server.rename("another-name")

        assert job.run(("flask",), now) == 0
        said = capsys.readouterr().out
        assert said.startswith("::warning::continuing from this fetch only") == (week == 0)
        assert ("now called owner/another-name" in said) == (week >= RENAMED)
        history = job.bundle().history("flask")
        kept = dict(zip(pd.DatetimeIndex(history.index).date, history.tolist(), strict=True))
        assert kept == known, (route, fault)
        # Its side job failed, so the run and its jobs are asked for.
        jobs = [job_of(now, "success")]
        github_server.add_artifact(job.zipped(), created_at=now, conclusion="failure", jobs=jobs)
    assert week * EVERY >= 365 * DAY
    assert len(known) > 181 + 365


def test_a_fork_with_the_config_of_the_original(
    tmp_path, monkeypatch, github_server, pypistats_server, capsys
):
    github_server.owner, github_server.repo = "a-fork", "of-it"
    job = WeeklyJob(monkeypatch, tmp_path, pypistats_server, github_server)
    load(pypistats_server, Loads(("flask",)), BEGIN.date())
    summary = tmp_path / "summary.md"
    variables = {"GITHUB_REPOSITORY": "a-fork/of-it", "GITHUB_STEP_SUMMARY": str(summary)}
    assert job.run(("flask",), BEGIN, **variables) == 0
    told = "this run is of a-fork/of-it, but config.toml names owner/repo"
    assert f"::warning::{told}" in capsys.readouterr().out
    assert summary.read_text("utf-8").startswith(f"> **Warning:** {told}")
    github_server.add_artifact(job.zipped(), created_at=BEGIN)
    assert job.run(("flask",), BEGIN + EVERY, **variables) == 1  # no newer counts
    load(pypistats_server, Loads(("flask",)), (BEGIN + EVERY).date())
    assert job.run(("flask",), BEGIN + EVERY, **variables) == 0
    assert "this fetch only" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ids", "status"),
    [((REPOSITORY_ID, OWNER_ID), 0), ((7, OWNER_ID), 1), ((REPOSITORY_ID, 8), 1), (("", "x"), 0)],
)
def test_a_run_goes_on_from_artifacts_of_its_own_repository_alone(job, ids, status):
    load(job.pypistats, Loads(("flask",)), BEGIN.date())
    assert job.run(("flask",), BEGIN) == 0
    job.github.add_artifact(job.zipped(), created_at=BEGIN)
    load(job.pypistats, Loads(("flask",)), (BEGIN + EVERY).date())
    variables = {
        "GITHUB_REPOSITORY": "owner/repo",
        "GITHUB_REPOSITORY_ID": str(ids[0]),
        "GITHUB_REPOSITORY_OWNER_ID": str(ids[1]),
    }
    assert job.run(("flask",), BEGIN + EVERY, **variables) == status
