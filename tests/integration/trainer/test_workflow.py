"""The steps of the training workflow, as real processes with the stand-ins."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from forecast.bundle.reader import read_folder, read_zip
from forecast.sources.sample import Sample
from tests.actions.runner import Runner, copy_checkout
from tests.bundles import make_bundle, zip_of
from tests.standins.github import GitHubServer
from tests.waiting import until
from tests.warm.python import LIBRARIES, warm_python
from trainer.reports.summary import NOT_ASKED, NOT_TRAINED

WORKFLOW = "upload_artifact.yml"
NOW = dt.datetime(2026, 11, 23, 3, 23, tzinfo=dt.UTC)
WEEK = dt.timedelta(days=7)
PACKAGES = [f"package-{letter}" for letter in "abcdef"]
ODD, EVEN = PACKAGES[::2], PACKAGES[1::2]  # the parts of two jobs
TOKEN = "ghs_" + "Q7" * 18  # in no file, this one included
CONFIG = """\
packages = [{packages}]
source = "clickhouse"
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [3, 6, 7]
"""
LIMIT = re.compile(r"--packages-per-job \d+")
SERIES = {name: Sample(NOW.date()).daily(name).tail(60) for name in [*PACKAGES, "zope-interface"]}


@pytest.fixture
def checkout(tmp_path):
    """A copy of a checkout, with a config of six packages."""
    made = copy_checkout(tmp_path / "checkout")
    quoted = ", ".join(f'"{name}"' for name in PACKAGES)
    (made / "config.toml").write_text(CONFIG.format(packages=quoted), encoding="utf-8")
    return made


def limited(checkout, packages_per_job):
    """The checkout, with this number of packages per job in its workflow."""
    path = checkout / ".github" / "workflows" / WORKFLOW
    text, found = LIMIT.subn(
        f"--packages-per-job {packages_per_job}", path.read_text(encoding="utf-8")
    )
    assert found == 1
    path.write_text(text, encoding="utf-8")
    return checkout


@pytest.fixture
def github():
    """GitHub with the bundle of a week before; it has a package that has left the config."""
    before = make_bundle(
        [*PACKAGES, "departed"],
        last_day=(NOW - WEEK).date() - dt.timedelta(days=1),
        created_at=NOW - WEEK,
    )
    with GitHubServer(token=TOKEN) as server:
        server.add_artifact(zip_of(before), created_at=NOW - WEEK)
        yield server


@pytest.fixture(scope="module")
def warm():
    """A ``python`` that has imported the libraries already; it imports the checkout's own files."""
    with warm_python(*LIBRARIES) as command:
        yield command


@pytest.fixture
def run(tmp_path, github, clickhouse_server, warm):
    """Runs the workflow of a checkout."""
    clickhouse_server.fill(SERIES)

    def start(checkout, name, packages="", again=None, pages="", **options):
        contexts = {
            "vars": {"PAGES": pages},
            "github": {
                "token": github.token,
                "ref": "refs/heads/main",
                "event_name": "workflow_dispatch",
                "repository_visibility": "public",
            },
            "inputs": {"packages": packages},
        }
        environment = {
            "PIP_NO_INDEX": "1",
            "CLICKHOUSE_URL": clickhouse_server.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": "owner/repo",
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
        }
        runner = Runner(checkout, contexts, environment, **{"python": warm, **options})
        if again:
            return runner.rerun_failed(WORKFLOW, tmp_path / name, again)
        return runner.run(WORKFLOW, tmp_path / name)

    return start


def bundle_of(run):
    return read_folder(run.artifacts.folder / "models")


def statuses(bundle):
    return {name: entry.status for name, entry in bundle.manifest.packages.items()}


def all_but_seconds(run):
    """The files of the bundle; the manifest without the seconds of each package."""
    folder = run.artifacts.folder / "models"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = re.sub(rb'"seconds": ?[0-9.]+', b"", files.pop("manifest.json"))
    return files | {"manifest.json": manifest}


def kill_part_2(job, line):
    """Whether the first of its packages is stored."""
    if job.name == "Part 2/2" and line.startswith("package-"):
        path = job.workspace / "run" / "outcomes-2-of-2.sqlite"
        with closing(sqlite3.connect(path)) as outcomes:
            until(lambda: outcomes.execute("SELECT count(*) FROM outcomes").fetchone()[0])
        job.kill()


def test_a_large_config_is_shared_by_jobs_and_joined(checkout, run, github, tmp_path):
    shared = run(limited(checkout, 3), "shared")

    assert shared.conclusion == "success", shared.log
    assert [job.name for job in shared.jobs["part"]] == ["Part 1/2", "Part 2/2"]
    for job, names in zip(shared.jobs["part"], (ODD, EVEN), strict=True):
        assert sorted(re.findall(r"^(package-\w): [\d.]+ s$", job.log, re.MULTILINE)) == names
    assert shared.results == dict.fromkeys(("train", "part", "join", "attest"), "success") | {
        "pages": "skipped",
        "keep-alive": "skipped",
    }
    assert shared.artifacts.names == {"models", "run", "outcomes-0", "outcomes-1"}

    bundle, before = bundle_of(shared), read_zip(github.artifacts[0].zipped)
    assert statuses(bundle) == dict.fromkeys(PACKAGES, "trained")
    for name in PACKAGES:
        history = bundle.history(name)
        assert history.index[0] == before.history(name).index[0]
        assert history.tail(60).tolist() == SERIES[name].tolist()
        assert len(bundle.track(name)["date"]) == 7
    assert bundle.history("departed").equals(before.history("departed"))
    (join,) = shared.jobs["join"]
    assert join.summary.startswith("## 6 of 6 packages trained\n")
    assert attested(shared) == digest_of(shared)
    assert holders_of(github.token, tmp_path / "shared", shared.log) == []

    alone = run(limited(checkout, 6), "alone", pages="true")
    assert alone.results == {
        "train": "success",
        "part": "skipped",
        "join": "skipped",
        "attest": "success",
        "pages": "success",
        "keep-alive": "skipped",
    }
    assert [job.name for jobs in alone.jobs.values() for job in jobs] == [
        "Train and upload",
        "Attest",
        "Publish the site",
    ]
    assert alone.jobs["pages"][0].deployed == ["github-pages-1"]
    site = alone.artifacts.folder / "github-pages-1"
    assert "Forecast for package-a" in (site / "package" / "package-a" / "index.html").read_text()
    assert attested(alone) == digest_of(alone)
    assert alone.artifacts.names == {"models", "github-pages-1"}
    assert all_but_seconds(alone) == all_but_seconds(shared)
    assert holders_of(github.token, tmp_path / "alone", alone.log) == []


def attested(run):
    """The digest that the run attests, in a workspace that has no file in it."""
    (job,) = run.jobs["attest"]
    assert list(job.workspace.iterdir()) == []
    assert [each.attested for jobs in run.jobs.values() for each in jobs if each is not job] == (
        [[]] * (sum(map(len, run.jobs.values())) - 1)
    )
    (given,) = job.attested
    assert given["subject-name"] == "models.zip"
    return given["subject-digest"]


def digest_of(run):
    return f"sha256:{hashlib.sha256(run.artifacts.zipped('models')).hexdigest()}"


def holders_of(token, folder, log):
    """The files that hold the token, artifacts and workspaces among them, and the log."""
    places = [str(path) for path in folder.rglob("*") if path.is_file()]
    assert len(places) > 100
    assert "packages to train" in log
    held = [place for place in places if token.encode() in Path(place).read_bytes()]
    return held + (["the log"] if token in log else [])


def test_a_part_that_dies_hands_on_what_it_trained_until_it_is_run_again(checkout, run, github):
    made = run(limited(checkout, 3), "run", watch=kill_part_2, pages="true")

    first, second = made.jobs["part"]
    assert (first.result, second.result) == ("success", "failure")
    assert "Process completed with exit code -9" in second.log
    of_models = {"models", "run", "outcomes-0", "outcomes-1"}
    assert made.artifacts.names == of_models | {"github-pages-1"}
    assert made.conclusion == "success"  # which the app requires of a trusted run

    bundle, before = bundle_of(made), read_zip(github.artifacts[0].zipped)
    handed_on = re.search(r"^(package-\w): ", second.log, re.MULTILINE)[1]
    lost = {name for name in EVEN if bundle.entry(name).status == "carried"}
    assert handed_on in EVEN
    assert handed_on not in lost
    trained = [name for name in PACKAGES if name not in lost]
    assert statuses(bundle) == dict.fromkeys(trained, "trained") | dict.fromkeys(lost, "carried")
    for name in lost:
        reason = bundle.entry(name).reason
        assert reason == f"{NOT_TRAINED}; the model of 2026-11-16 goes on serving"
        assert bundle.pickle(name) == before.pickle(name)
        assert bundle.history(name).tail(60).tolist() == SERIES[name].tolist()
        assert f"::warning::{name}: {reason}\n" in made.log

    fetched, first = made.jobs["train"], made.jobs["part"][0]
    first_digest = attested(made)
    run(checkout, "again", again=made, pages="true")
    assert made.jobs["pages"][0].deployed == ["github-pages-2"]
    assert attested(made) == digest_of(made) != first_digest
    assert (made.jobs["train"], made.jobs["part"][0]) == (fetched, first)
    assert statuses(bundle_of(made)) == dict.fromkeys(PACKAGES, "trained")
    assert made.artifacts.names == of_models | {"github-pages-1", "github-pages-2"}


def test_where_every_part_dies_nothing_is_published(checkout, run):
    def kill(job, line):
        if job.name.startswith("Part ") and line.startswith("Run python -m trainer"):
            job.kill()

    made = run(limited(checkout, 3), "run", watch=kill)
    assert made.results["join"] == made.conclusion == "failure"
    assert made.results["attest"] == "skipped"
    assert "::error::no package could be trained; models is unchanged\n" in made.log
    assert made.artifacts.names == {"run"}


def test_where_the_fetch_fails_nothing_follows(checkout, run, github):
    github.fail("list", 429, 99, Retry_After="3600")
    made = run(limited(checkout, 3), "run")
    assert made.results == {
        "train": "failure",
        "part": "skipped",
        "join": "skipped",
        "attest": "skipped",
        "pages": "skipped",
        "keep-alive": "skipped",
    }
    assert "::error::the previous bundle could not be fetched, and nothing is published" in made.log
    assert made.conclusion == "failure"
    assert made.artifacts.names == set()


def test_a_run_by_hand_for_one_package_goes_on_from_the_artifact(checkout, run, github):
    made = run(checkout, "run", packages="Package.A\nZope.Interface", python=sys.executable)
    assert made.conclusion == "success", made.log
    bundle, before = bundle_of(made), read_zip(github.artifacts[0].zipped)
    assert statuses(bundle) == {"package-a": "trained", "zope-interface": "trained"} | (
        dict.fromkeys(PACKAGES[1:], "carried")
    )
    assert bundle.entry("package-a").label == "Package.A"
    for name in PACKAGES[1:]:
        assert bundle.entry(name).reason.startswith(NOT_ASKED)
        assert bundle.model(name) == before.model(name)
