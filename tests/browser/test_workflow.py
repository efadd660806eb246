"""From the steps of the training workflow, through GitHub, to its forecast in a browser."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.bundle.reader import read_zip
from forecast.sources.sample import Sample
from tests.actions.runner import Runner, copy_checkout
from tests.appserver import AppServer
from tests.browser.conftest import opened
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer

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
    """A copy of a checkout, with a config of two packages."""
    made = copy_checkout(tmp_path / "checkout")
    (made / "config.toml").write_text(CONFIG, encoding="utf-8")
    return made


def by_day(counts):
    return dict(zip(pd.DatetimeIndex(counts.index).date, counts.to_list(), strict=True))


@pytest.fixture
def outside():
    """PyPI Stats with two packages, and GitHub without any artifact."""
    series = {name: by_day(Sample(MONDAY.date()).daily(name)) for name in ("flask", "requests")}
    with PyPIStatsServer(series) as pypistats, GitHubServer() as github:
        yield pypistats, github


def test_what_the_workflow_trains_is_what_the_page_draws(checkout, tmp_path, outside, browser):
    pypistats, github = outside
    runner = Runner(
        checkout,
        {
            "vars": {"PAGES": ""},
            "github": {
                "token": github.token,
                "ref": "refs/heads/main",
                "event_name": "workflow_dispatch",
                "repository_visibility": "public",
            },
            "inputs": {"packages": ""},
        },
        {
            "PIP_NO_INDEX": "1",
            "PYPISTATS_URL": pypistats.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": "owner/repo",
            "SOURCE_DATE_EPOCH": str(int(MONDAY.timestamp())),
        },
    )
    weekly = runner.run("upload_artifact.yml", tmp_path / "run")
    assert weekly.conclusion == "success", weekly.log
    zipped = weekly.artifacts.zipped("models")
    github.add_artifact(zipped, created_at=MONDAY, event="workflow_dispatch")

    bundle = read_zip(zipped)
    assert bundle.names == ["flask", "requests"]
    (train,) = weekly.jobs["train"]
    assert train.summary.startswith("## 2 of 2 packages trained\n")
    assert github.token not in weekly.log + train.summary

    settings = {
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": github.token,
        "PYPISTATS_URL": pypistats.url,
    }
    with (
        AppServer(settings, root=checkout) as app,
        opened(browser, app.url) as visit,
    ):
        visit.page.set_extra_http_headers({})  # packed files, as a visitor gets them
        visit.open("?package=flask&mode=daily")
        assert "Forecast for Flask" in visit.text("body")
        drawn = visit.trace("Forecast")
        expected = bundle.forecast("flask")
        assert [str(day)[:10] for day in drawn["x"]][-30:] == [
            f"{day:%Y-%m-%d}" for day in expected.index
        ]
        assert drawn["y"][-30:] == pytest.approx(expected["median"].to_list(), rel=1e-3)
        assert github.token not in app.log + visit.page.content()
