"""Pictures of the running page.

python -m tests.browser.screenshots                    the README's, into img/
python -m tests.browser.screenshots --states FOLDER    one of each state, for inspection
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.appserver import ROOT, AppServer, train_sample
from tests.browser.chromium import NoChromiumError, chromium
from tests.browser.conftest import DESKTOP, PHONE, opened
from tests.browser.states import STATES, all_well, serving
from tests.simulation.year import WEEK, Loads, load
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer
from tests.standins.static import static_server
from tests.weekly import WeeklyJob
from trainer.engines import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

    from tests.browser.conftest import Visit

LOOKS = {
    "desktop": (DESKTOP, "light"),
    "phone": (PHONE, "light"),
    "dark": (DESKTOP, "dark"),
    "phone-dark": (PHONE, "dark"),
}
VIEWS = {
    "one": "?package=flask",
    "two": "?package=flask&compare=requests",
    "five": "?package=flask&compare=requests,fastapi,pytorch,tensorflow&scale=indexed",
    "log": "?package=requests&scale=log&range=30&mode=daily",
    "weekly": "?package=django&mode=weekly",
    "monthly": "?package=django&range=all&mode=monthly",
    "unknown": "?package=flaskk",
    "on-the-spot": "?package=django&range=all",
}
SITE = {"record": ("record/", 1_040), "group": ("group/web/", 900)}  # with their heights
PARTS = ("flask", "django", "httpx")
GROUP = f"""
[[groups]]
name = "web"
title = "Web packages"
packages = {list(PARTS)}
"""
FIRST = dt.datetime(2026, 8, 31, 3, 17, tzinfo=dt.UTC)
WEEKS = 13
SETTLED = 700  # milliseconds; for fonts and the end of drawing


def main(arguments: Sequence[str] | None = None) -> int:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, default=ROOT / "img")
    parser.add_argument("--states", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        with chromium() as browser, tempfile.TemporaryDirectory() as folder:
            if chosen.states:
                take_states(browser, chosen.states, Path(folder))
            else:
                take_readme(browser, chosen.images, Path(folder))
                take_site(browser, chosen.images, Path(folder))
    except NoChromiumError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def take_readme(browser: Browser, images: Path, folder: Path) -> None:
    """The README's: a package of the sample data on desktop and phone, and in the dark."""
    models = folder / "models"
    train_sample(models)
    with AppServer({"MODELS_DIR": str(models)}) as app:
        for name in ("desktop", "phone", "dark"):
            query = VIEWS["two"] if name == "dark" else VIEWS["one"]
            shoot(browser, app.url, query, name, images / f"{name}.png", whole=False)


def take_site(browser: Browser, images: Path, folder: Path) -> None:
    """The README's of the site: the record and a group, after a quarter of weekly runs."""
    site = folder / "site"
    run_weekly(folder, site)
    with static_server(site) as url:
        for name, (place, height) in SITE.items():
            with opened(browser, url, DESKTOP | {"height": height}) as visit:
                visit.page.goto(url + place)
                save(visit, images / f"{name}.png", whole=False)


def run_weekly(folder: Path, site: Path) -> None:
    """The weekly job on made-up counts, of which one package has far more in the last week."""
    loads = Loads(PARTS)
    with (
        PyPIStatsServer() as pypistats,
        GitHubServer() as github,
        pytest.MonkeyPatch.context() as patch,
    ):
        search = local.execute
        job = WeeklyJob(patch, folder, pypistats, github)
        patch.setattr(local, "execute", search)
        job.tables = GROUP
        for week in range(WEEKS):
            now = FIRST + week * WEEK
            days = load(pypistats, loads, now.date())["httpx"]
            if week == WEEKS - 1:
                days.update({day: 2 * count for day, count in list(days.items())[-7:]})
            job.run(PARTS, now, "--site", str(site))
            github.add_artifact(job.zipped(), created_at=now, conclusion="success")


def take_states(browser: Browser, states: Path, folder: Path) -> None:
    """Each view and each state, on desktop and phone, light and dark."""
    with all_well(folder) as (app, _, _):
        for name, query in VIEWS.items():
            for look in LOOKS:
                shoot(browser, app.url, query, look, states / f"{name}-{look}.png")
    for state in STATES:
        inner = folder / state.name
        inner.mkdir()
        with serving(state, inner) as app:
            for look in ("desktop", "phone-dark"):
                shoot(browser, app.url, state.query, look, states / f"{state.name}-{look}.png")


def shoot(
    browser: Browser, url: str, query: str, look: str, path: Path, *, whole: bool = True
) -> None:
    """Open a view and save its picture."""
    with opened(browser, url, *LOOKS[look]) as visit:
        _open(visit, query)
        save(visit, path, whole=whole)


def save(visit: Visit, path: Path, *, whole: bool) -> None:
    """Save a picture of what is shown, or of the whole page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    visit.page.screenshot(path=path, full_page=whole)
    sys.stdout.write(f"{path}\n")


def _open(visit: Visit, query: str) -> None:
    visit.open(query, drawn=False)
    if visit.page.locator("#more").is_visible():
        visit.wait_for_chart()
    visit.page.wait_for_timeout(SETTLED)


if __name__ == "__main__":
    sys.exit(main())
