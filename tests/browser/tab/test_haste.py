"""What is chosen while an earlier choice is still being answered."""

import threading

import pytest

from tests.browser.tab.test_life import choose

# Calls leave half a second late, as on a slow network.
SLOW = """
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    if (String(request[0]).includes("queue/join")) await new Promise((go) => setTimeout(go, 500));
    return fetched(...request);
  };
"""

LATE = """async (link) => {
  const gone = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
  forecastPage.asked([null]);
  history.back();
  await gone;
  forecastPage.asked([null]);
  forecastPage.answered(link);
  forecastPage.answered(link);
  return location.href;
}"""


@pytest.fixture
def training(visit, pypistats):
    """A function that asks for a package; its counts come when the event is set."""
    counted = threading.Event()

    def held(answer):
        counted.wait(20)
        return answer

    def ask(name):
        pypistats.series[name] = pypistats.series["django"]
        pypistats.fail(name, held)
        visit.open("?package=fastapi")
        choose(visit, name)
        visit.page.locator("#headline", has_text="a model is trained now").wait_for()
        return counted

    yield ask
    counted.set()


def test_a_package_in_training_holds_up_no_other(visit, training):
    counted = training("numpy")
    choose(visit, "flask")
    visit.wait_for_answer("?package=flask")
    visit.wait_for_title("Forecast for flask")
    visit.wait_for_chart()
    counted.set()
    choose(visit, "numpy")
    visit.wait_for_answer("?package=numpy")
    visit.wait_for_title("Forecast for numpy")


def test_back_does_not_wait_for_a_package_in_training(visit, training):
    counted = training("scipy")
    visit.page.go_back()
    visit.wait_for_title("Forecast for fastapi")
    visit.wait_for_chart()
    counted.set()
    visit.page.get_by_label("30", exact=True).check()
    visit.wait_for_answer("?package=fastapi&range=30")


def test_two_choices_at_once_are_both_drawn(new_visit):
    new_visit.page.add_init_script(SLOW)
    new_visit.open("?package=flask")
    new_visit.page.get_by_label("Weekly").check()
    new_visit.page.get_by_label("Log").check()
    new_visit.wait_for_answer("?package=flask&scale=log&mode=weekly")
    axis = "document.querySelector('#chart .js-plotly-plot').layout.yaxis.type"
    assert new_visit.page.evaluate(axis) == "log"


def test_an_answer_to_an_older_view_leaves_the_address(visit):
    """gradio answers, after the way back, what the page had asked before."""
    visit.open("?package=fastapi")
    choose(visit, "requests")
    visit.wait_for_answer("?package=requests")
    address = visit.page.evaluate(LATE, visit.page.url)
    assert address == f"{visit.url}?package=fastapi"
    visit.wait_for_answer("?package=fastapi")
    assert visit.page.url == address
