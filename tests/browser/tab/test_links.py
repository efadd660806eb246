"""Links within the page keep the scheme and the view of the reader."""

from __future__ import annotations

import pytest

from forecast.bundle.manifest import PartEntry
from tests.browser.conftest import opened, watched
from tests.browser.warm import WarmAppServer
from tests.bundles import files_of, make_bundle, replace_folder

VIEW = "&scale=log&range=30&mode=daily"
THEME = "&__theme=dark"
INK = "getComputedStyle(document.querySelector('h2')).color"  # pale on a dark ground
PALE = "rgb(203, 213, 225)"


@pytest.fixture(scope="module")
def url(tmp_path_factory, port):
    """The address of an app with a group."""
    models = tmp_path_factory.mktemp("models") / "models"
    group = {"title": "The projects", "parts": (PartEntry(name="flask"), PartEntry(name="click"))}
    bundle = make_bundle(("flask", "click", "@pallets"), groups={"@pallets": group})
    replace_folder(models, files_of(bundle))
    with WarmAppServer({"MODELS_DIR": str(models)}, port=port) as running:
        yield running.url


def test_the_links_of_a_page_keep_its_view_and_its_scheme(context, url):
    with opened(context, url) as visit:
        page = visit.load(f"?package=@pallets{VIEW}{THEME}").page
        page.locator("#headline").get_by_role("link", name="click").click()
        page.wait_for_url(f"**/?package=click{VIEW}{THEME}")
        visit.wait_for_chart()
        visit.wait_until_answered()
        assert page.get_by_label("Log").is_checked()
        assert page.evaluate(INK) == PALE

        page.get_by_text("Absolute", exact=True).click()
        visit.wait_for_answer("?package=click&range=30&mode=daily")
        page.get_by_role("link", name="How good were the forecasts").click()
        page.wait_for_url(f"**/?view=record&package=click&range=30&mode=daily{THEME}")
        assert page.evaluate(INK) == PALE
        page.get_by_role("link", name="Forecasts", exact=True).click()
        page.wait_for_url(f"**/?package=click&range=30&mode=daily{THEME}")
        visit.wait_for_chart()
        visit.wait_until_answered()
        visit.errors.clear()  # gradio reports the calls that it ends when it is left


def test_so_do_those_without_scripts(scriptless, url):
    page = watched(scriptless, url).page
    page.goto(f"{url}?package=@pallets{VIEW}{THEME}")
    page.locator("noscript").get_by_role("link", name="click").click()
    page.wait_for_url(f"**/?package=click{THEME}")
    page.go_back()
    page.locator(".parts").get_by_role("link", name="click").click()
    page.wait_for_url(f"**/?package=click{VIEW}{THEME}")
    page.get_by_role("link", name="How good were the forecasts").click()
    page.wait_for_url(f"**/?view=record&package=click{VIEW}{THEME}")
    assert page.evaluate(INK) == PALE
    page.get_by_role("link", name="Forecasts", exact=True).click()
    page.wait_for_url(f"**/?package=click{VIEW}{THEME}")
    assert page.evaluate(INK) == PALE
