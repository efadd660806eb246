"""The site in Chromium, from a server of plain files, and the record of the app."""

import numpy as np
import pytest

from forecast.bands import Total
from forecast.bundle.manifest import PartEntry
from forecast.config import Config
from forecast.document.pictures import WIDTH, chart
from forecast.document.surprise import draw
from tests.browser.conftest import DESKTOP, PHONE, opened
from tests.browser.test_chart import boxes, contrast, painted, pixels
from tests.browser.warm import WarmAppServer
from tests.bundles import files_of, make_bundle, replace_folder
from tests.standins.static import static_server
from tests.unit.forecast.document.test_surprise import CASES
from tests.unit.forecast.record.records import FAR_ABOVE, bundle_with, day_row, total_row
from tests.unit.trainer.site.test_site import with_pictures
from trainer.site.site import write_site

PAGES = ("", "package/requests/", "group/pallets/", "record/", "404.html")
CONFIG = Config.model_validate(
    {
        "packages": ["flask"],
        "username": "owner",
        "repo_name": "repo",
        "forecast_days": 30,
        "m_values": [7],
    }
)
LINES = """cells => cells.map(cell => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  return text.getClientRects().length;
})"""
SMALL = """() => [...document.querySelectorAll("nav a, th a, li a, .exports a, summary, button")]
  .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 24)
  .map(each => each.textContent)"""
SCALED = '<svg style="width: 100%; height: auto" '
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two sites: of packages with a group, and of a package with a record."""
    root = tmp_path_factory.mktemp("sites")
    folder = root / "repo"  # as of a repository on GitHub Pages
    folder.mkdir()
    parts = tuple(PartEntry(name=name) for name in ("flask", "click", "flit"))
    groups = {"@pallets": {"label": "@pallets", "title": "The Pallets projects", "parts": parts}}
    write_site(
        with_pictures(["flask", "flit", "requests", "@pallets"], groups=groups), CONFIG, folder
    )
    recorded = root / "recorded"
    recorded.mkdir()
    write_site(bundle_with([day_row()], [total_row(**FAR_ABOVE)]), CONFIG, recorded)
    with static_server(root) as url:
        yield url


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit(context, site, axe, viewport, scheme):
    with opened(context, f"{site}repo/", viewport, scheme) as visit:
        for page in (*PAGES, "../recorded/record/", "../recorded/package/flask/"):
            visit.page.goto(visit.url + page)
            for details in visit.page.locator("details").all():
                details.locator("summary").click()
            results = axe.run(visit.page)
            assert results.violations_count == 0, f"{page}: {results.generate_report()}"
            assert visit.page.evaluate(SIDEWAYS) <= 0, page
            assert visit.page.evaluate(SMALL) == [], page
        assert visit.errors == []
        assert len(visit.hosts) == 1


@pytest.fixture(scope="module")
def recorded_app(tmp_path_factory, port):
    """The app with a bundle that has a record."""
    models = tmp_path_factory.mktemp("models") / "models"
    replace_folder(models, files_of(bundle_with([day_row()], [total_row(**FAR_ABOVE)])))
    with WarmAppServer({"MODELS_DIR": str(models)}, port=port) as running:
        yield running


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_record_of_the_app_is_accessible_and_fits(context, recorded_app, axe, viewport, scheme):
    with opened(context, recorded_app.url, viewport, scheme) as visit:
        visit.page.goto(f"{visit.url}?view=record")
        assert "1 forecast of 1 package" in visit.text(".answer")
        results = axe.run(visit.page)
        assert len(results.response["passes"]) > 10
        assert results.violations_count == 0, results.generate_report()
        assert visit.page.evaluate(SIDEWAYS) <= 0
        visit.page.get_by_role("link", name="Forecasts", exact=True).click()
        visit.page.locator("#first, #headline").first.wait_for()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_surprise_is_seen_at_once(context, site, viewport, scheme):
    with opened(context, site, viewport, scheme) as visit:
        visit.page.goto(f"{site}recorded/record/")
        shown = visit.page.locator(".surprises svg")
        shown.scroll_into_view_if_needed()
        picture, [(_, all_of)] = painted(visit), boxes(shown)
        part = all_of | {"width": all_of["width"] - 2, "height": all_of["height"] - 2}
        red, _, blue = np.moveaxis(pixels(picture, part), -1, 0)
        scale = all_of["width"] / WIDTH
        rows = [
            np.flatnonzero(blue[:, at] - red[:, at] > 20)
            for at in (round(335 * scale), round(320 * scale))
        ]
        # The bar ends far above the box, which is wider, and reaches down to the axis.
        assert rows[0][0] < rows[1][0] - 40 * scale
        assert rows[0][-1] > rows[1][-1] + 20 * scale
        for text, box in boxes(shown.locator("text")):
            assert contrast(pixels(picture, box)) >= 4.5, text
        grey = [pixels(picture, box) for _, box in boxes(shown.locator(".week"))]
        assert len(grey) == 8
        ground = picture[round(part["y"]) + 4, round(part["x"]) + 4]
        assert min(contrast(each[2:-2, 2:-2], ground) for each in grey) >= 3


@pytest.mark.parametrize("width", [320, 360, 480, 1280])
def test_the_words_of_a_surprise_fit_it(browser, width):
    page = browser.new_page(viewport={"width": width, "height": 300})
    for week, others in CASES.values():
        drawn = draw(week, {0: week.downloads} | others)
        page.set_content(f'<body style="margin: 0">{drawn.replace("<svg ", SCALED, 1)}')
        [(_, size)], scale = boxes(page.locator("svg")), min(width, 480) / 480
        found = [box for _, box in boxes(page.locator("svg text"))]
        for box in found:
            assert box["x"] >= 2 * scale
            assert box["x"] + box["width"] <= size["width"] - 2 * scale
            assert 0 <= box["y"] < box["y"] + box["height"] <= size["height"] + 1
        number, expected, *dates = found
        assert expected["x"] + expected["width"] < number["x"]
        if dates[1:]:
            assert dates[1]["x"] + dates[1]["width"] < dates[0]["x"]
    page.close()


def test_on_a_phone_the_weeks_and_the_index_are_in_sight(context, site):
    with opened(context, f"{site}repo/", PHONE) as visit:
        for page in ("", "package/flask/", "group/pallets/"):
            visit.page.goto(visit.url + page)
            table = visit.page.locator(".scroll").first
            assert table.evaluate("box => box.scrollWidth - box.clientWidth") <= 0, page
            if not page.startswith("group"):  # bands of six digits and more take two lines
                assert set(table.locator("td").evaluate_all(LINES)) == {1}, page


@pytest.mark.parametrize("width", [320, 360, 480])
def test_the_words_of_a_chart_for_other_pages_fit_it(browser, width):
    bundle = make_bundle()
    model = bundle.model("flask")
    total = Total(888e6, 888e6, 888e6, 888e6, 888e6)
    page = browser.new_page(viewport={"width": width, "height": 300})
    for stopped in (None, bundle.manifest.created_at.date()):
        drawn = chart("Flask", model, total, 30, stopped=stopped)
        page.set_content(f'<body style="margin: 0">{drawn.replace("<svg ", SCALED, 1)}')
        boxes = [each.bounding_box() for each in page.locator("svg text").all()]
        edges = [(box["x"], box["x"] + box["width"]) for box in boxes]
        assert all(left >= 4 and right <= width - 4 for left, right in edges), edges
        counted, last = boxes[-2:]
        assert counted["x"] + counted["width"] < last["x"]
    page.close()


def test_without_scripts_everything_is_there_but_the_finder(scriptless, site):
    page = scriptless.new_page()
    page.set_viewport_size(PHONE)
    page.goto(f"{site}repo/")
    assert not page.locator("#finder").is_visible()
    page.get_by_role("link", name="The Pallets projects").click()
    assert "The Pallets projects: about" in page.locator(".answer").inner_text()
    assert (
        page.locator(".parts").first.inner_text() == "The sum of 3 packages: flask, click and flit."
    )
    page.locator(".parts").first.get_by_role("link", name="flit").click()
    assert "flit: about" in page.locator(".answer").inner_text()
    page.go_back()
    assert page.locator(".picture").bounding_box()["height"] > 100
    assert page.locator("tbody tr").first.is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "@pallets.csv"
    page.get_by_role("link", name="How good were we?").click()
    assert page.locator("h2").first.inner_text() == "How good were the forecasts?"


def test_the_index_finds_as_one_types(context, site):
    with opened(context, f"{site}repo/") as visit:
        visit.page.goto(visit.url)
        box = visit.page.get_by_label("Find one of 3 packages and 1 group")
        box.press_sequentially("FL")
        found = visit.page.locator("#found a")
        found.nth(1).wait_for()
        assert found.all_inner_texts() == ["flask", "flit"]
        assert visit.text("#note") == "2 packages."
        box.press_sequentially("x")
        visit.page.get_by_text("No matching package.").wait_for()
        box.fill("the pallets PROJECTS")
        visit.page.get_by_text("1 group.", exact=True).wait_for()
        box.fill("s")
        visit.page.get_by_text("2 packages and 1 group.").wait_for()
        box.fill("pallets")
        box.press("Enter")
        visit.page.wait_for_url("**/group/pallets/")
        assert visit.errors == []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_is_found_is_marked_if_its_week_was_unusual(context, site, axe, viewport):
    for folder, told in (("recorded", "flask unusual week"), ("repo", "flask")):
        with opened(context, f"{site}{folder}/", viewport) as visit:
            visit.page.goto(visit.url)
            visit.page.get_by_label("Find one of").press_sequentially("flas")
            item = visit.page.locator("#found li")
            item.wait_for()
            assert item.inner_text() == told
            assert item.get_by_role("link").inner_text() == "flask"
            assert axe.run(visit.page).violations_count == 0
            assert visit.page.evaluate(SIDEWAYS) <= 0


def test_where_the_list_cannot_be_loaded_that_is_said(context, site):
    with opened(context, f"{site}repo/") as visit:
        visit.page.route("**/packages.json", lambda route: route.abort())
        visit.page.goto(visit.url)
        visit.page.get_by_label("Find one of").press_sequentially("fl")
        visit.page.get_by_text("The list of packages could not be loaded").wait_for()
        visit.page.unroute("**/packages.json")
        visit.page.get_by_label("Find one of").press_sequentially("a")
        visit.page.locator("#found a").first.wait_for()
