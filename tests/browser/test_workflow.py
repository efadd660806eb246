"""From the training workflow's own steps to its forecast in a browser, through GitHub."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest

from forecast.bundle import read_folder
from tests.appserver import AppServer
from tests.browser.conftest import opened
from tests.bundles import zip_of
from tests.runner import Runner
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer
from trainer.sources import Sample

ROOT = Path(__file__).parents[2]
MONDAY = dt.datetime(2026, 11, 23, 3, 23, tzinfo=dt.UTC)
CONFIG = """\
packages = ["Flask", "requests"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [3, 6, 7]
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of what a checkout would have, with a config of two packages."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "checkout" / name)
    (tmp_path / "checkout" / "config.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "checkout"


@pytest.fixture
def outside():
    """PyPI Stats with two packages, and GitHub without any artifact."""
    series = {
        name: {day.date(): int(n) for day, n in Sample(MONDAY.date()).daily(name).items()}
        for name in ("flask", "requests")
    }
    with PyPIStatsServer(series) as pypistats, GitHubServer() as github:
        yield pypistats, github


def runner(checkout, tmp_path, outside, packages=""):
    pypistats, github = outside
    scratch = tmp_path / f"runner{len(github.artifacts)}"
    scratch.mkdir()
    return Runner(
        checkout,
        scratch,
        {
            "inputs.packages": packages,
            "github.token": github.token,
            "steps.upload.outputs.artifact-digest": "0" * 64,
        },
        {
            "PIP_NO_INDEX": "1",
            "PYPISTATS_URL": pypistats.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": "owner/repo",
            "SOURCE_DATE_EPOCH": str(int(MONDAY.timestamp())),
        },
    )


def upload(checkout, steps, github, event):
    """What actions/upload-artifact would do, and the artifact as GitHub then lists it."""
    [step] = [each for each in steps if each["uses"].startswith("actions/upload-artifact@")]
    folder = checkout / step["with"]["path"]
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    github.add_artifact(zip_of(files), name=step["with"]["name"], created_at=MONDAY, event=event)


def test_what_the_workflow_trains_is_what_the_page_draws(checkout, tmp_path, outside, browser):
    pypistats, github = outside
    weekly = runner(checkout, tmp_path, outside)
    upload(checkout, weekly.run_job("upload_artifact.yml", "train"), github, "schedule")

    bundle = read_folder(checkout / "models")
    assert bundle.names == ["flask", "requests"]
    assert weekly.summary.startswith("## 2 of 2 packages trained\n")
    assert github.token not in weekly.output + weekly.summary

    settings = {
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": github.token,
        "PYPISTATS_URL": pypistats.url,
    }
    with (
        AppServer(settings, root=checkout) as app,
        opened(browser, app.url) as visit,
    ):
        visit.open("?package=flask")
        assert "Forecast for Flask" in visit.text("body")
        drawn = visit.trace("Forecast")
        expected = bundle.forecast("flask")
        assert [str(day)[:10] for day in drawn["x"]][-30:] == [
            f"{day:%Y-%m-%d}" for day in expected.index
        ]
        assert drawn["y"][-30:] == pytest.approx(expected["mean"].to_list(), rel=1e-3)
        assert github.token not in app.log + visit.page.content()


def test_a_run_by_hand_for_one_package_goes_on_from_the_artifact(checkout, tmp_path, outside):
    pypistats, github = outside
    weekly = runner(checkout, tmp_path, outside)
    upload(checkout, weekly.run_job("upload_artifact.yml", "train"), github, "schedule")
    first = read_folder(checkout / "models")
    shutil.rmtree(checkout / "models")

    pypistats.series["zope-interface"] = pypistats.series["requests"]
    by_hand = runner(checkout, tmp_path, outside, packages="flask Zope.Interface")
    steps = by_hand.run_job("upload_artifact.yml", "train")
    upload(checkout, steps, github, "workflow_dispatch")
    second = read_folder(checkout / "models")
    assert {name: entry.status for name, entry in second.manifest.packages.items()} == {
        "flask": "trained",
        "zope-interface": "trained",
        "requests": "carried",
    }
    assert second.files["requests.pkl"] == first.files["requests.pkl"]
