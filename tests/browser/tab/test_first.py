"""The first response: readable without scripts, and replaced without a jump."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE, places, places_without_scripts

SHIFTS = """() => { window.shifts = []; new PerformanceObserver(list => {
for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({type: 'layout-shift', buffered: true}); }"""


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_without_scripts_the_answer_is_there(browser, app, axe, viewport):
    context = browser.new_context(java_script_enabled=False, viewport=viewport)
    page = context.new_page()
    page.goto(f"{app.url}?package=flask")
    answer = page.locator(".answer")
    assert "downloads in the next 30 days" in answer.inner_text()
    box = answer.bounding_box()
    assert box["y"] + box["height"] < viewport["height"]
    assert page.title().startswith("flask: about ")
    assert "need scripts" in page.locator("noscript p").inner_text()
    page.get_by_label("Package").fill("requests")
    page.get_by_role("button", name="Show").click()
    assert page.locator("h2").inner_text() == "Forecast for requests"
    context.close()


def test_gradio_takes_over_without_a_jump(browser, new_visit):
    first = places_without_scripts(browser, f"{new_visit.url}?package=flask", DESKTOP)
    new_visit.page.add_init_script(f"({SHIFTS})()")
    new_visit.open("?package=flask")
    assert places(new_visit.page) == first
    new_visit.page.wait_for_timeout(500)
    assert new_visit.page.locator("#first").count() == 0
    assert new_visit.page.locator("main").count() == 1
    assert sum(new_visit.page.evaluate("shifts")) < 0.01


def test_the_language_stays_that_of_the_text(browser, app):
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(f"{app.url}?package=flask")
    page.locator("#chart .main-svg").first.wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    context.close()


def test_a_name_being_typed_is_not_lost(browser, app):
    """gradio's scripts are held back until the visitor has begun to type."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{app.url}?package=flask", wait_until="commit")
    page.locator("#first-package").fill("requests")
    page.locator("gradio-app #headline h2").wait_for(state="attached")
    page.locator("#first-package").press("Enter")
    page.wait_for_url("**/?package=requests")
    page.locator("#chart .main-svg").first.wait_for()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", ["", "light", "dark"])
def test_the_first_response_has_the_theme_of_the_address(browser, app, scheme, theme):
    context = browser.new_context(java_script_enabled=False, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{app.url}?package=flask&__theme={theme}")
    ground, ink = page.evaluate("""() => [document.body, document.querySelector('.answer')].map(
        (part, at) => getComputedStyle(part)[at ? 'color' : 'backgroundColor'])""")
    light = (ground, ink) == ("rgb(255, 255, 255)", "rgb(30, 41, 59)")
    dark = (ground, ink) == ("rgb(10, 15, 30)", "rgb(241, 245, 249)")
    assert (light, dark) == ((theme or scheme) == "light", (theme or scheme) == "dark")
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith(f"&__theme={theme}" if theme else "?package=flask")
    context.close()
