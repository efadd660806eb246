"""The states of a page, each served by its own app; for tests and screenshots."""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.appserver import NOW
from tests.browser.warm import WarmAppServer
from tests.bundles import counts, files_of, make_bundle, replace_folder, zip_of
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.appserver import AppServer
    from tests.standins.server import Answer

NAMES = ("fastapi", "flask", "requests", "pytorch", "tensorflow")
DAYS = 200
HOURS = dt.timedelta(hours=1)


@dataclass(frozen=True)
class State:
    """One state of the page.

    Attributes:
        name: of its screenshot.
        title: the page's heading.
        text: another text on the page.
        query: the query string.
        drawn: whether there is a chart.
    """

    name: str
    title: str
    text: str
    query: str = ""
    drawn: bool = False


STATES = (
    State("sample", "Forecast for fastapi", "made up", drawn=True),
    State(
        "stale", "Forecast for flask", "The models are 30 days old", "?package=flask", drawn=True
    ),
    State("no-token", "No forecast for flask", "GITHUB_TOKEN", "?package=flask"),
    State("no-models", "No forecast for fastapi", "workflow"),
    State("no-model-yet", "No forecast for pytorch", "weekly run makes it", "?package=pytorch"),
    State("loading", "One moment", "being loaded"),
)


def today() -> dt.date:
    """The current day, UTC."""
    return NOW.date()


def config_text(event: dt.date) -> str:
    """A config with the five packages and one event."""
    return f"""
packages = {list(NAMES)}
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [3, 6, 7]

[[events]]
date = {event}
kind = "outage"
note = "No counts for any package"
"""


@contextmanager
def all_well(folder: Path) -> Iterator[tuple[AppServer, GitHubServer, PyPIStatsServer]]:
    """Models of three days ago, newer days at PyPI Stats, and any package can be trained."""
    with GitHubServer() as github, PyPIStatsServer() as pypistats:
        trained, observed = today() - dt.timedelta(days=3), today() - dt.timedelta(days=1)
        made = NOW - 9 * HOURS
        bundle = make_bundle(NAMES, last_day=trained, created_at=made)
        github.add_artifact(zip_of(bundle), created_at=made)
        for at, name in enumerate((*NAMES, "django")):
            series = counts(observed, days=72 if name in NAMES else DAYS, size=1000 * (at + 1))
            pypistats.series[name] = {day.date(): int(count) for day, count in series.items()}
        settings = _settings(folder, github, pypistats, trained - dt.timedelta(days=20))
        with WarmAppServer(settings) as running:
            yield running, github, pypistats


@contextmanager
def serving(
    state: State, folder: Path, hold: threading.Event | None = None, **options: Any
) -> Iterator[AppServer]:
    """An app in this state; one that is loading continues when ``hold`` is set."""
    hold = hold or threading.Event()

    def held(answer: Answer) -> Answer:
        hold.wait(20)
        return answer

    with ExitStack() as stack:
        github = stack.enter_context(GitHubServer())
        pypistats = stack.enter_context(PyPIStatsServer())
        settings = _settings(folder, github, pypistats, today() - dt.timedelta(days=20))
        now = NOW
        last_day = today() - dt.timedelta(days=1)
        if state.name == "sample":
            models = make_bundle(NAMES, last_day=last_day, created_at=now, source="sample")
            replace_folder(folder / "models", files_of(models))
            settings["MODELS_DIR"] = str(folder / "models")
        elif state.name == "stale":
            old = last_day - dt.timedelta(days=30)
            models = make_bundle(NAMES, last_day=old, created_at=now - dt.timedelta(days=30))
            replace_folder(folder / "models", files_of(models))
            settings["MODELS_DIR"] = str(folder / "models")
        elif state.name == "no-token":
            github.add_artifact(zip_of(make_bundle(last_day=last_day, created_at=now)))
            del settings["GITHUB_TOKEN"]
        elif state.name == "no-model-yet":
            github.add_artifact(zip_of(make_bundle(last_day=last_day, created_at=now)))
        elif state.name == "loading":
            github.add_artifact(zip_of(make_bundle(NAMES, last_day=last_day, created_at=now)))
            github.fail("list", held)
        stack.callback(hold.set)
        yield stack.enter_context(WarmAppServer(settings, **options))


def _settings(
    folder: Path, github: GitHubServer, pypistats: PyPIStatsServer, event: dt.date
) -> dict[str, str]:
    config = folder / "config.toml"
    config.write_text(config_text(event), encoding="utf-8")
    return {
        "FORECAST_CONFIG": str(config),
        "GITHUB_API_URL": github.url,
        "GITHUB_TOKEN": github.token,
        "PYPISTATS_URL": pypistats.url,
    }
