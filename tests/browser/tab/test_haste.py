"""What is chosen while an earlier choice is still being answered."""

import threading

from tests.browser.conftest import opened
from tests.browser.states import all_well
from tests.browser.tab.test_life import choose

# Calls leave half a second late, as on a slow network.
SLOW = """
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    if (String(request[0]).includes("queue/join")) await new Promise((go) => setTimeout(go, 500));
    return fetched(...request);
  };
"""


def held(until):
    """A fault: the answer waits for an event."""

    def wait(answer):
        until.wait(20)
        return answer

    return wait


def test_a_package_in_training_holds_up_no_other(browser, tmp_path):
    counted = threading.Event()
    with all_well(tmp_path) as (app, _, pypistats), opened(browser, app.url) as visit:
        pypistats.fail("django", held(counted))
        visit.open("?package=fastapi")
        choose(visit, "django")
        visit.page.locator("#headline", has_text="a model is trained now").wait_for()
        choose(visit, "flask")
        visit.wait_for_answer("?package=flask")
        visit.wait_for_title("Forecast for flask")
        visit.wait_for_chart()
        counted.set()
        choose(visit, "django")
        visit.wait_for_answer("?package=django")
        visit.wait_for_title("Forecast for django")
        assert visit.errors == []


def test_back_does_not_wait_for_a_package_in_training(browser, tmp_path):
    counted = threading.Event()
    with all_well(tmp_path) as (app, _, pypistats), opened(browser, app.url) as visit:
        pypistats.fail("django", held(counted))
        visit.open("?package=fastapi")
        choose(visit, "django")
        visit.page.locator("#headline", has_text="a model is trained now").wait_for()
        visit.page.go_back()
        visit.wait_for_title("Forecast for fastapi")
        visit.wait_for_chart()
        counted.set()
        visit.page.get_by_label("30", exact=True).check()
        visit.wait_for_answer("?package=fastapi&range=30")


def test_two_choices_at_once_are_both_drawn(visit):
    visit.page.add_init_script(SLOW)
    visit.open("?package=flask")
    visit.page.get_by_label("Weekly").check()
    visit.page.get_by_label("Log").check()
    visit.wait_for_answer("?package=flask&scale=log&mode=weekly")
    axis = "document.querySelector('#chart .js-plotly-plot').layout.yaxis.type"
    assert visit.page.evaluate(axis) == "log"
