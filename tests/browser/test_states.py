"""In every state the page says what is missing and how to fix it."""

import threading

import pytest

from tests.browser.conftest import PHONE, opened, places, places_without_scripts
from tests.browser.states import STATES, serving


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_state(browser, axe, tmp_path, state):
    with serving(state, tmp_path) as app, opened(browser, app.url, PHONE, "dark") as visit:
        first = places_without_scripts(browser, app.url + state.query, PHONE)
        visit.open(state.query, drawn=state.drawn)
        visit.wait_for_title(state.title)
        if state.drawn:  # otherwise the first response says that a model is trained now
            assert places(visit.page) == first
        assert state.text in visit.text("main")
        assert (visit.page.locator("#chart .main-svg").count() > 0) == state.drawn
        wide = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        results = axe.run(visit.page)
        assert results.violations_count == 0, results.generate_report()
        assert visit.errors == []
        assert visit.hosts == {f"127.0.0.1:{app.port}"}


def test_what_is_missing_is_said_once(browser, tmp_path):
    no_token = next(state for state in STATES if state.name == "no-token")
    with serving(no_token, tmp_path) as app, opened(browser, app.url) as visit:
        visit.open(no_token.query, drawn=False)
        visit.wait_for_title(no_token.title)
        announced = visit.text("#announced").count("GITHUB_TOKEN")  # to a screen reader
        assert visit.text("main").count("GITHUB_TOKEN") == 1 + announced


def test_the_page_goes_on_by_itself_when_the_models_have_come(browser, tmp_path):
    come = threading.Event()
    loading = next(state for state in STATES if state.name == "loading")
    with serving(loading, tmp_path, come) as app, opened(browser, app.url) as visit:
        visit.open(drawn=False)
        visit.wait_for_title("One moment")
        come.set()
        visit.wait_for_title("Forecast for fastapi")
        visit.wait_for_chart()
        assert visit.page.get_by_role("combobox", name="Package, or any").input_value() == "fastapi"
