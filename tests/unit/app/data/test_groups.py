"""Groups on the page and in the endpoints: named @name, continued by the days of their parts."""

import datetime as dt
import json
from dataclasses import replace

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.data import forecasts as module
from app.data.store import Store
from app.view import content
from app.view.search import find_names
from app.view.state import View, choose, parse_view
from app.web.endpoints import answer, export_route, list_packages, picture_route
from app.web.guard import Limits
from forecast.bundle.manifest import PartEntry
from forecast.config import Config, Package
from forecast.errors import BundleError, DownloadsError, UnknownPackageError
from tests.bundles import CREATED_AT, LAST_DAY, make_bundle
from tests.pages import Answers, PageData

GROUP = Package("@pallets", "@pallets")
PARTS = (PartEntry(name="flask"), PartEntry(name="click"))
DAY = dt.timedelta(days=1)
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>\n'


def bundle_of(*, parts=PARTS, **changed):
    """Two parts, and their sum."""
    groups = {"@pallets": {"title": "The <projects>", "parts": parts}}
    pictures = {"@pallets.svg": SVG, "@pallets.badge.svg": SVG}
    return make_bundle(("flask", "click", "@pallets"), groups=groups, pictures=pictures, **changed)


def shown(page, *names):
    return content.show(page.forecasts, View(choose(names[0], names[1:])), page.clock(), wait=10)


def test_a_group_is_shown_by_its_title_with_its_parts():
    page = PageData(bundle_of(source="folder"))
    found = shown(page, "@Pallets", "flask")
    assert "Forecast for The &lt;projects&gt; and Flask" in found.headline
    assert found.query == "?package=@Pallets&compare=flask"
    found = shown(page, "@pallets")
    links = '<a href="?package=flask">flask</a> and <a href="?package=click">click</a>'
    for part in (found.headline, found.details):
        assert f'<p class="parts">The sum of 2 packages: {links}.</p>' in part
    assert 'href="export/@pallets.csv?package=@pallets"' in found.exports
    assert 'src="picture/@pallets.svg"' in found.exports
    assert found.warnings == ""
    figure = json.loads(found.figure or "")
    assert "The &lt;projects&gt;" in figure["layout"]["meta"]["title"]


def test_the_links_keep_the_view_and_the_theme():
    page = PageData(bundle_of(source="folder"))
    view = View(choose("@pallets", ["flask"]), scale="log", days=30, mode="daily")
    told = "scale=log&amp;range=30&amp;mode=daily&amp;__theme=dark"
    both = content.show(page.forecasts, view, page.clock(), theme="dark")
    assert f'<a href="?package=click&amp;{told}">click</a>' in both.details
    one = content.show(page.forecasts, replace(view, packages=(GROUP,)), page.clock(), theme="dark")
    assert f'<a href="?package=flask&amp;{told}">flask</a>' in one.headline
    assert f'<a href="?view=record&amp;package=@pallets&amp;{told}">' in one.facts
    assert "__theme" not in one.query + one.exports


def test_what_is_wrong_with_a_part_is_said():
    parts = (
        *PARTS,
        PartEntry(name="gone", missing="own files have no gone: check its spelling"),
        PartEntry(name="dead", no_counts_since=dt.date(2026, 9, 20)),
        PartEntry(name="new", no_counts_before=dt.date(2026, 11, 3)),
    )
    found = shown(PageData(bundle_of(parts=parts, source="folder")), "@pallets")
    assert "click</a>, dead and new.</p>" in found.headline  # without models, and so no links
    assert (
        "The &lt;projects&gt;: gone is not counted here: there were no counts of it in files of "
        "the owner. dead has no counts since 20 September 2026. new has no counts before "
        "3 November 2026."
    ) in found.warnings


def test_the_parts_that_are_missing_are_told_in_one_sentence():
    for number, told in (
        (2, "p0 and p1 are not counted here: there were no counts of them in PyPI Stats."),
        (14, f"{', '.join(f'p{at}' for at in range(12))} and 2 more are not counted here: "),
    ):
        missing = (PartEntry(name=f"p{at}", missing="check its spelling") for at in range(number))
        page = PageData(bundle_of(parts=(*PARTS, *missing)))
        [warning] = answer(page.forecasts, "@pallets", 7, CREATED_AT)["warnings"]
        assert warning.startswith(f"The <projects>: {told}")


def test_newer_days_are_those_of_all_parts():
    page = PageData(bundle_of())
    forecast = page.forecasts.package_forecast(GROUP, wait=10)
    assert sorted(page.asked) == ["click", "flask"]
    assert forecast.observed_through == LAST_DAY + DAY
    each = page.forecasts.package_forecast(Package("flask", "flask"))
    assert forecast.series.values[-1] == 2 * each.series.values[-1]
    assert page.forecasts.package_forecast(GROUP) is forecast
    assert not page.forecasts.pending(GROUP)


def test_without_the_newer_days_of_a_part_the_group_keeps_its_own():
    page = PageData(bundle_of(), answer=DownloadsError("PyPI Stats is down."))
    forecast = page.forecasts.package_forecast(GROUP, wait=10)
    assert forecast.observed_through == LAST_DAY
    assert forecast.problem == "PyPI Stats is down."


def test_the_parts_of_a_large_group_are_not_asked_for(monkeypatch):
    monkeypatch.setattr(module, "MOST_ADDED", 1)
    page = PageData(bundle_of())
    assert page.forecasts.package_forecast(GROUP, wait=10).problem == ""
    assert page.asked == []
    assert not page.forecasts.pending(GROUP)
    page.forecasts.package_forecast(Package("flask", "flask"), wait=10)
    problem = page.forecasts.package_forecast(GROUP, wait=10).problem
    assert problem == "Of groups of more than 1 only the weekly run adds days."


def test_a_group_is_never_asked_of_the_source_nor_trained_on_demand():
    page = PageData(bundle_of())
    with pytest.raises(UnknownPackageError) as raised:
        page.forecasts.package_forecast(Package("@palets", "@palets"))
    assert str(raised.value) == (
        "There is no group @palets: the groups are those of config.toml. Did you mean @pallets?"
    )
    page.forecasts.store.configured = frozenset({"@new"})
    with pytest.raises(BundleError, match="no model of @new yet: the next weekly run makes it"):
        page.forecasts.package_forecast(Package("@new", "@new"))
    assert page.asked == []
    assert not page.forecasts.takes_long(Package("@new", "@new"))
    assert page.forecasts.takes_long(Package("new", "new"))


def test_why_a_group_could_not_be_trained_is_told_to_the_owner_alone():
    reason = "there are no counts of its part click: check its spelling"
    page = PageData(bundle_of(failed={"@new": reason}))
    page.forecasts.store.configured = frozenset({"@new"})
    told = "There is no model of @new: the last weekly run could not make one"
    alone, beside = shown(page, "@new"), shown(page, "flask", "@new")
    for part, owner in ((alone.headline, alone.warnings), (beside.warnings, beside.facts)):
        assert told in part
        before, _, after = owner.partition("For the owner")
        assert "its part click" not in part + before
        assert f"@new is in config.toml, but the last run could not train it: {reason}" in after
    with pytest.raises(gr.Error) as raised:
        answer(page.forecasts, "@new", 7, CREATED_AT)
    assert "its part click" not in str(raised.value)


def test_the_endpoints_know_groups():
    page = PageData(bundle_of(source="folder"))
    found = answer(page.forecasts, "@PALLETS", 7, CREATED_AT)
    assert found["package"] == "@pallets"
    assert len(found["forecast"]) == 7
    names = [each["package"] for each in list_packages(page.forecasts, "pallets", 0, 10)]
    assert names == ["@pallets"]
    assert list_packages(page.forecasts, "@", 0, 10)[0]["status"] == "ready"
    with pytest.raises(gr.Error, match="There is no group @other"):
        answer(page.forecasts, "@other", 7, CREATED_AT)
    with pytest.raises(gr.Error, match="expected a name that PyPI allows"):
        answer(page.forecasts, "@../x", 7, CREATED_AT)


def test_files_and_pictures_of_a_group():
    page = PageData(bundle_of(source="folder"))
    routes = [export_route(page.forecasts), picture_route(page.forecasts)]
    with TestClient(Limits(Starlette(routes=routes))) as client:
        csv = client.get("/export/@pallets.csv?package=@pallets")
        assert csv.headers["content-disposition"] == 'attachment; filename="@pallets.csv"'
        assert csv.text.splitlines()[1].startswith("@pallets,2026-09-13,")
        exported = client.get("/export/%40pallets.json?package=%40pallets").json()
        assert [part["name"] for part in exported[0]["parts"]] == ["flask", "click"]
        assert client.get("/picture/@Pallets.badge.svg").text == SVG
        assert client.get("/picture/@other.svg").status_code == 404
        assert client.get("/picture/@@pallets.svg").status_code == 404


def test_a_group_is_found_by_its_name():
    config = Config.model_validate(
        {
            "packages": ["pallet", "flask"],
            "username": "somebody",
            "repo_name": "some-repo",
            "forecast_days": 30,
            "m_values": [7],
            "groups": [{"name": "pallets", "title": "Projects", "packages": ["flask", "click"]}],
        }
    )
    store = Store(config, Answers())
    assert find_names(store.catalogue, "palle")["names"] == ["pallet", "@pallets"]
    assert find_names(store.catalogue, "@pa")["names"] == ["@pallets"]
    assert "@pallets" in store.configured
    assert parse_view({"package": "@pallets"}).packages == (GROUP,)
