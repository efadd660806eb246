"""In every state the page says what is missing and how to fix it."""

import pytest

from tests.browser.conftest import PHONE, opened, places, places_without_scripts
from tests.browser.states import STATES, serving


@pytest.fixture
def app(state, tmp_path, port):
    with serving(state, tmp_path, port=port) as running:
        yield running


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_state(state, app, context, scriptless, axe):
    with opened(context, app.url, PHONE, "dark") as visit:
        first = places_without_scripts(scriptless, app.url + state.query, PHONE)
        visit.open(state.query, drawn=state.drawn)
        visit.wait_for_title(state.title)
        if state.drawn:  # otherwise the first response says that a model is trained now
            assert places(visit.page) == first
        assert state.text in visit.text("main")
        if state.name == "no-token":  # what is missing is said once
            announced = visit.text("#announced").count(state.text)  # to a screen reader
            assert visit.text("main").count(state.text) == 1 + announced
        assert (visit.page.locator("#chart .main-svg").count() > 0) == state.drawn
        wide = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        results = axe.run(visit.page)
        assert results.violations_count == 0, results.generate_report()
        visit.check()
