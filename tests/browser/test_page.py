"""The actions of a visitor, in a real browser."""

import csv
import datetime as dt
import io
import json
import re

import pytest

from tests.browser.conftest import DESKTOP, OBSERVED, PHONE, TODAY, TRAINED
from tests.browser.states import NAMES

# Tests of a new page come first. The others share one: each begins with a view that it needs, and
# if any will do, with that of the test before, which is not drawn again.


def choose(visit, name):
    """Type a package's name and press Enter on the keyboard."""
    box = visit.page.get_by_label(re.compile("^Package"))
    box.fill(name)
    box.press("Enter")


def test_first_load(new_visit):
    new_visit.open()
    assert new_visit.text("h1") == "PyPI download forecast"
    assert new_visit.text("#headline h2") == "Forecast for fastapi"
    assert re.search(
        r"^fastapi: about [\d,]+ downloads in the next 30 days \(probably [\d,]+ to [\d,]+\), "
        r"\d+ % (more|fewer) a day than in the last 28 days\.$|"
        r"about as many a day as in the last 28 days\.$",
        new_visit.text("#headline .answer"),
    )
    facts = new_visit.text("#facts")
    for text in ("Last model updated on", "Trained through", "Observed through"):
        assert text in facts
    assert "Week by week" in facts
    assert "All 30 days" in facts
    assert "MASE" not in facts  # it stands under "How it was made"
    assert new_visit.text("footer").strip() == "Use via API or MCP"


def test_a_link_opens_its_package(new_visit):
    new_visit.open("?package=flask")
    assert new_visit.text("#headline h2") == "Forecast for flask"
    assert new_visit.page.get_by_label(re.compile("^Package")).input_value() == "flask"


def test_a_link_opens_the_whole_view(new_visit):
    query = "?package=flask&compare=requests,pytorch&scale=log&range=30&mode=daily"
    new_visit.open(query)
    assert new_visit.text("#headline h2") == "Forecast for flask, requests and pytorch"
    assert new_visit.page.get_by_label("Log").is_checked()
    assert new_visit.page.get_by_label("30", exact=True).is_checked()
    assert new_visit.page.get_by_label("Daily", exact=True).is_checked()
    assert "requests" in new_visit.text("#compare")
    assert len(new_visit.trace("flask")["x"]) == 30
    link = new_visit.page.locator("#link textarea, #link input").input_value()
    assert link == new_visit.url + query
    assert new_visit.page.url == new_visit.url + query


def test_the_chart_has_the_bands(visit):
    visit.open("?package=fastapi")
    names = {each["name"] for each in visit.traces()}
    assert {"80 % band", "95 % band", "Forecast", "Counted", "7-day mean"} <= names
    box = visit.page.locator("#chart .main-svg").first.bounding_box()
    assert box["height"] >= 400


def test_the_keyboard_alone(visit):
    visit.open("?package=fastapi")
    visit.page.keyboard.press("Tab")
    for _ in range(8):
        focused = visit.page.evaluate("document.activeElement.getAttribute('aria-label') || ''")
        if focused.startswith("Package"):
            break
        visit.page.keyboard.press("Tab")
    else:
        pytest.fail("the package cannot be reached with Tab")
    visit.page.get_by_role("option").nth(1).wait_for()
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_function("/package=(?!fastapi)/.test(location.search)")
    chosen = re.search(r"package=(.+)", visit.page.url)[1]
    assert chosen in NAMES[1:]
    visit.wait_for_title(f"Forecast for {chosen}")


def test_all_packages_are_on_offer_and_one_can_be_chosen(visit):
    visit.open("?package=flask")
    visit.page.get_by_label(re.compile("^Package")).click()
    options = visit.page.get_by_role("option")
    options.first.wait_for()
    assert [text.strip("✓ \n") for text in options.all_inner_texts()] == sorted(NAMES)
    options.filter(has_text="requests").click()
    visit.wait_for_title("Forecast for requests")
    visit.wait_for_answer("?package=requests")


def test_any_package_of_pypi(visit):
    visit.open("?package=requests")
    choose(visit, "Django")
    visit.wait_for_title("Forecast for Django")
    visit.wait_for_answer("?package=Django")
    visit.wait_for_chart()
    assert visit.trace("Forecast")["x"][0] == TODAY.isoformat()
    assert "Model trained today" in visit.text("#facts")


def test_an_unknown_package_gets_near_matches(visit):
    visit.open("?package=Django")
    choose(visit, "flaskk")
    visit.wait_for_title("No forecast for flaskk")
    assert "PyPI Stats has no package named flaskk" in visit.text("#headline")
    assert "Did you mean flask?" in visit.text("#headline")
    assert visit.page.locator("#chart .main-svg").count() == 0
    choose(visit, "flask")
    visit.wait_for_title("Forecast for flask")
    visit.wait_for_chart()


def test_newer_days_do_not_bring_back_what_was_left(visit):
    """Each package's newer days may take seconds; the visitor does not wait for them."""
    visit.open("?package=flask")
    for name in ("requests", "pytorch", "tensorflow"):
        choose(visit, name)
        visit.wait_for_title(f"Forecast for {name}")
    visit.page.wait_for_timeout(3_000)
    assert visit.text("#headline h2") == "Forecast for tensorflow"
    assert visit.page.url.endswith("?package=tensorflow")


def test_the_hover_tells_day_count_and_bands(visit):
    visit.open("?package=flask&mode=daily")
    visit.wait_for_newest()
    plot = visit.page.locator("#chart .nsewdrag").first.bounding_box()
    middle = plot["y"] + plot["height"] / 2
    visit.page.mouse.move(plot["x"] + plot["width"] * 0.3, middle)
    label = visit.page.locator("#chart .hoverlayer")
    label.get_by_text(re.compile("counted")).wait_for()
    assert re.search(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day", label.text_content())
    visit.page.mouse.move(plot["x"] + plot["width"] * 0.9, middle)
    label.get_by_text(re.compile("expected")).wait_for()
    assert re.search(r"80 %: [\d,]+ to [\d,]+", label.text_content())
    assert re.search(r"95 %: [\d,]+ to [\d,]+", label.text_content())
    fills = label.locator("text").evaluate_all("all => all.map(t => getComputedStyle(t).fill)")
    assert set(fills) == {"rgb(255, 255, 255)"}  # on the dark ground of the label


def test_the_forecast_starts_on_the_day_after_the_last_observed(visit):
    visit.open("?package=flask")
    visit.page.locator(f"#facts time[datetime='{OBSERVED}']").wait_for()
    assert visit.page.locator(f"#facts time[datetime='{TRAINED}']").count() == 1
    assert visit.trace("Counted")["x"][-1] == OBSERVED.isoformat()
    assert visit.trace("Forecast")["x"][0] == TODAY.isoformat()


def test_events_and_repaired_days_are_marked_and_told(visit):
    visit.open("?package=flask")
    day = (TRAINED - dt.timedelta(days=20)).isoformat()
    assert visit.trace("Event")["x"] == [day]
    assert visit.trace("Repaired day")["x"] == [day]
    visit.page.get_by_role("button", name="How it was made").click()
    visit.page.locator("#details").get_by_text("No counts for any package").wait_for()
    assert "No counts for any package" in visit.page.locator("#chart").text_content()
    assert "chosen among 3,456 candidates" in visit.text("#details")
    assert "Repaired days" in visit.text("#details")


@pytest.mark.parametrize("visit", [{}, {"viewport": PHONE, "scheme": "dark"}], indirect=True)
def test_the_error_figures_stand_beside_their_names(visit):
    visit.open("?package=flask")
    visit.page.get_by_role("button", name="How it was made").click()
    pairs = visit.page.locator("#details dl div")
    pairs.first.wait_for()
    assert pairs.count() == 4
    right = visit.page.locator("#details dl").bounding_box()
    for pair in pairs.all():
        name, figure = (pair.locator(part).bounding_box() for part in ("dt", "dd"))
        assert abs(figure["y"] - name["y"]) < 2
        assert figure["x"] >= name["x"] + name["width"]
        assert figure["x"] + figure["width"] == pytest.approx(right["x"] + right["width"], abs=1)
    weights = "each => each.map(part => Number(getComputedStyle(part).fontWeight))"
    name, figure = pairs.first.locator("dt, dd").evaluate_all(weights)
    assert name < figure


def test_the_forecast_as_a_table(visit):
    visit.open("?package=flask")
    visit.page.get_by_role("button", name="The forecast as a table").click()
    table = visit.page.get_by_role("table", name="Daily downloads of flask")
    table.wait_for()
    assert table.get_by_role("row").count() == 31


def saved(visit, click):
    with visit.page.expect_download() as download:
        click()
    return download.value, download.value.path().read_bytes()


def test_csv_and_json(visit):
    visit.open("?package=flask")
    file, data = saved(visit, visit.page.get_by_role("link", name="CSV").click)
    assert file.suggested_filename == "flask.csv"
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert rows[-30]["date"] == TODAY.isoformat()
    file, data = saved(visit, visit.page.get_by_role("link", name="JSON").click)
    assert json.loads(data)[0]["package"] == "flask"


def test_every_control_changes_chart_and_link(visit):
    visit.open("?package=flask")
    visit.page.get_by_label("30", exact=True).check()
    visit.wait_for_answer("?package=flask&range=30")
    assert len(visit.trace("Counted")["x"]) == 30
    visit.page.get_by_label("Indexed").check()
    visit.wait_for_answer("?package=flask&scale=indexed&range=30")
    assert sum(visit.trace("Counted")["y"][:7]) / 7 == pytest.approx(100, abs=0.1)
    visit.page.get_by_label("Daily", exact=True).check()
    visit.wait_for_answer("?package=flask&scale=indexed&range=30&mode=daily")
    assert "7-day mean" not in {each["name"] for each in visit.traces()}


def test_compare_with_another(visit):
    visit.open("?package=flask")
    visit.page.get_by_label(re.compile("^Compare")).click()
    visit.page.get_by_role("option").filter(has_text="pytorch").click()
    visit.wait_for_title("Forecast for flask and pytorch")
    visit.wait_for_answer("?package=flask&compare=pytorch")
    assert {"flask", "pytorch"} <= {each["name"] for each in visit.traces()}
    assert visit.page.locator("#facts table tbody tr").count() == 2


def test_names_to_compare_with_typed_and_removed_by_the_keyboard(visit):
    visit.open("?package=flask&compare=requests")
    box = visit.page.get_by_label(re.compile("^Compare"))
    box.fill("pytorch")
    box.press("Enter")
    visit.wait_for_answer("?package=flask&compare=requests,pytorch")
    box.press("Backspace")
    visit.wait_for_answer("?package=flask&compare=requests")
    visit.wait_for_title("Forecast for flask and requests")


LIGHT, DARK = ({"viewport": DESKTOP, "scheme": scheme} for scheme in ("light", "dark"))
LIGHT_PHONE, DARK_PHONE = ({"viewport": PHONE, "scheme": scheme} for scheme in ("light", "dark"))
ONE, TWO, NONE = "?package=flask", "?package=flask&compare=requests", "?package=nonesuch"


@pytest.mark.parametrize(
    ("visit", "query"),
    [
        *((view, TWO) for view in (LIGHT_PHONE, DARK)),
        *((view, ONE) for view in (LIGHT, LIGHT_PHONE, DARK, DARK_PHONE)),
        *((view, NONE) for view in (LIGHT, DARK_PHONE)),
    ],
    indirect=["visit"],
    ids=str,
)
def test_accessibility(visit, axe, query):
    visit.open(query, drawn=query != NONE)
    if query == NONE:
        visit.wait_for_title("No forecast for nonesuch")
    if query != NONE:
        for button in ("How it was made", "The forecast as a table"):
            visit.page.get_by_role("button", name=button).click()
    results = axe.run(visit.page)
    assert len(results.response["passes"]) > 10
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize(
    "visit",
    [{"viewport": {"width": width, "height": 900}} for width in (320, 360, 768, 1920)],
    indirect=True,
)
def test_nothing_is_cut_off(visit):
    visit.open("?package=flask&compare=requests,pytorch,fastapi,tensorflow")
    wide = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    # Something may be cut off inside its box as well, or be seen only after scrolling in it.
    cut = visit.page.evaluate(
        "[...document.querySelectorAll('#more label span, #png, #svg, h1, h2, #headline li,'"
        " + ' #facts .scroll')]"
        ".filter(each => each.getBoundingClientRect().right > innerWidth"
        " || each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)"
        ".map(each => each.textContent)"
    )
    assert cut == []


@pytest.mark.parametrize("visit", [{"viewport": PHONE}], indirect=True)
def test_on_a_phone_no_number_of_the_weeks_breaks(visit):
    visit.open("?package=flask")
    lines = visit.page.locator("#facts td").evaluate_all(
        "cells => (cells.forEach((cell, at) => {"
        "  cell.textContent = at % 3 ? '15.0 to 17.6' : '16.2 million';"
        "}), cells.map(cell => {"
        "  const text = document.createRange();"
        "  text.selectNodeContents(cell);"
        "  return text.getClientRects().length;"
        "}))"
    )
    assert lines == [1] * 15
    assert visit.page.locator("#facts .scroll").evaluate("box => box.scrollWidth - innerWidth") < 0


@pytest.mark.parametrize(
    "visit", [{"viewport": {"width": width, "height": 800}} for width in (320, 360)], indirect=True
)
def test_on_a_phone_the_widest_weeks_are_in_sight_and_their_days_on_two_lines(visit):
    visit.open("?package=flask")
    box = visit.page.locator("#facts .scroll")
    visit.page.locator("#facts td").evaluate_all(
        "cells => cells.forEach((cell, at) => {"
        "  cell.textContent = at % 3 ? '260,000 to 1,110,000' : '671,000';"
        "})"
    )
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 1
    lines = box.locator("tbody th").evaluate_all(
        "rows => rows.map(row => {"
        "  const text = document.createRange();"
        "  text.selectNodeContents(row);"
        "  return text.getClientRects().length;"
        "})"
    )
    assert max(lines) <= 2
