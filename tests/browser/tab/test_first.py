"""The first response: readable without scripts, and replaced without a jump."""

import re

import pytest

from tests.browser.conftest import DESKTOP, PHONE, places, places_without_scripts, watched

SHIFTS = """() => { window.shifts = []; new PerformanceObserver(list => {
for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({type: 'layout-shift', buffered: true}); }"""


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_without_scripts_the_answer_is_there(scriptless, app, viewport):
    visit = watched(scriptless, app.url)
    visit.resize(viewport)
    page = visit.page
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


def test_gradio_takes_over_without_a_jump(scriptless, new_visit):
    first = places_without_scripts(scriptless, f"{new_visit.url}?package=flask", DESKTOP)
    new_visit.page.add_init_script(f"({SHIFTS})()")
    new_visit.open("?package=flask")
    assert places(new_visit.page) == first
    new_visit.page.wait_for_timeout(500)
    assert new_visit.page.locator("#first").count() == 0
    assert new_visit.page.locator("main").count() == 1
    assert sum(new_visit.page.evaluate("shifts")) < 0.01


def test_the_language_stays_that_of_the_text(new_visit):
    page = new_visit.page
    agent = {"userAgent": page.evaluate("navigator.userAgent"), "acceptLanguage": "de-DE"}
    page.context.new_cdp_session(page).send("Emulation.setUserAgentOverride", agent)
    new_visit.load("?package=flask")
    assert page.evaluate("navigator.language") == "de-DE"
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_name_being_typed_is_not_lost(new_visit):
    """gradio's scripts are held back until the visitor has begun to type."""
    page, scripts = new_visit.page, re.compile(r"/assets/.*\.js")
    new_visit.hold(scripts)
    with page.expect_request(scripts):
        page.goto(f"{new_visit.url}?package=flask", wait_until="commit")
    page.locator("#first-package").fill("requests")
    new_visit.let_go()
    page.locator("gradio-app #headline h2").wait_for(state="attached")
    page.locator("#first-package").press("Enter")
    page.wait_for_url("**/?package=requests")
    page.locator("#chart .main-svg").first.wait_for()
    new_visit.errors.clear()  # gradio reports the calls that it ends when it is left


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", ["", "light", "dark"])
def test_the_first_response_has_the_theme_of_the_address(scriptless, app, scheme, theme):
    visit = watched(scriptless, app.url, scheme)
    page = visit.page
    page.goto(f"{app.url}?package=flask&__theme={theme}")
    ground, ink = page.evaluate("""() => [document.body, document.querySelector('.answer')].map(
        (part, at) => getComputedStyle(part)[at ? 'color' : 'backgroundColor'])""")
    light = (ground, ink) == ("rgb(255, 255, 255)", "rgb(30, 41, 59)")
    dark = (ground, ink) == ("rgb(10, 15, 30)", "rgb(241, 245, 249)")
    assert (light, dark) == ((theme or scheme) == "light", (theme or scheme) == "dark")
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith(f"&__theme={theme}" if theme else "?package=flask")
