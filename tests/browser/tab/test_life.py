"""The life of a tab: lost connections, restarts, queues, and the way back."""

from __future__ import annotations

import re
import sys
import threading

import pytest
import requests

from tests.browser.conftest import opened
from tests.browser.states import NAMES, STATES, serving, today
from tests.browser.warm import WarmAppServer
from tests.bundles import files_of, make_bundle, replace_folder

LOST = "Connection to the server was lost"
LOADING = next(state for state in STATES if state.name == "loading")


@pytest.fixture
def visit(new_visit):
    """A new page, as its history is its own."""
    return new_visit


@pytest.fixture
def set_offline(visit):
    """A function that takes the page, and no other, off the network and back."""
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Network.enable")
    speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}  # as it is

    def switch(*, offline):
        session.send("Network.emulateNetworkConditions", {"offline": offline, **speed})

    return switch


def choose(visit, name):
    box = visit.page.get_by_label(re.compile("^Package"))
    box.fill(name)
    box.press("Enter")


def wait_until_recovered(visit, name):
    """The page says that it has lost the connection; then it shows what was asked for."""
    visit.page.get_by_text(LOST).wait_for()
    yield
    visit.page.get_by_text(LOST).wait_for(state="detached")
    visit.wait_for_title(f"Forecast for {name}")
    visit.wait_for_chart()
    visit.errors.clear()  # Chromium itself reports the connections that failed


def test_offline_and_back(visit, set_offline):
    visit.open("?package=fastapi&__theme=dark")
    set_offline(offline=True)
    choose(visit, "requests")
    recovery = wait_until_recovered(visit, "requests")
    next(recovery)
    set_offline(offline=False)
    next(recovery, None)
    visit.page.wait_for_url("**/?package=requests&__theme=dark")
    choose(visit, "flask")
    visit.wait_for_title("Forecast for flask")


def test_what_is_chosen_while_offline_is_shown_afterwards(visit, set_offline):
    visit.open("?package=fastapi")
    set_offline(offline=True)
    choose(visit, "requests")
    recovery = wait_until_recovered(visit, "flask")
    next(recovery)
    choose(visit, "flask")
    visit.page.get_by_label("30", exact=True).check()
    visit.page.wait_for_url("**/?package=flask&range=30")
    set_offline(offline=False)
    next(recovery, None)
    assert visit.page.get_by_label("30", exact=True).is_checked()


def test_a_restart_on_the_same_port(context, port, tmp_path):
    models = make_bundle(NAMES, last_day=today(), source="sample")
    replace_folder(tmp_path, files_of(models))
    settings = {"MODELS_DIR": str(tmp_path)}
    with WarmAppServer(settings, port=port) as app, opened(context, app.url) as visit:
        visit.open("?package=flask&scale=log")
        app.close()
        visit.page.get_by_label("30", exact=True).check()
        recovery = wait_until_recovered(visit, "flask")
        next(recovery)
        with WarmAppServer(settings, port=port):
            next(recovery, None)
            visit.page.wait_for_url(re.compile("package=flask.*range=30"))
            assert "scale=log" in visit.page.url
            assert visit.page.get_by_label("30", exact=True).is_checked()


def ask_often(url, times, client="192.0.2.1"):
    """So many sessions of a client open the page, and wait for its models as a visitor does."""
    config = requests.get(f"{url}config", timeout=10).json()
    [load] = [
        each["id"]
        for each in config["dependencies"]
        if each["backend_fn"] and any(name == "load" for _, name in each["targets"])
    ]
    statuses = []
    for at in range(times):
        body = {"data": [None] * len(config["dependencies"][load]["inputs"]), "fn_index": load}
        answer = requests.post(
            f"{url}gradio_api/queue/join",
            json={**body, "session_hash": f"{client} {at}"},
            headers={"X-Forwarded-For": client},
            timeout=10,
        )
        statuses.append(answer.status_code)
    return statuses


def test_the_page_goes_on_by_itself_when_the_models_have_come_and_a_queue_is_waited_out(
    context, port, tmp_path
):
    come = threading.Event()
    with serving(LOADING, tmp_path, come, port=port) as app, opened(context, app.url) as visit:
        assert set(ask_often(app.url, 8)) == {200}  # a visitor's share of the queue is larger
        visit.open(drawn=False)
        visit.wait_for_title("One moment")
        visit.page.get_by_label(re.compile("^Package")).wait_for()
        come.set()
        visit.wait_for_title("Forecast for fastapi")
        visit.wait_for_chart()
        assert visit.page.get_by_role("combobox", name="Package, or any").input_value() == "fastapi"
        assert visit.errors == []


def test_a_page_that_finds_the_queue_full_asks_again(context, port, tmp_path):
    """It takes some seconds, since the page pauses for two to four before it asks again."""
    come = threading.Event()
    command = (sys.executable, "tests/busy_app.py")
    with (
        serving(LOADING, tmp_path, come, command=command, port=port) as app,
        opened(context, app.url) as visit,
    ):
        statuses = [ask_often(app.url, 2, f"192.0.2.{at}") for at in (1, 2, 3)]
        assert {200, 503} == {status for each in statuses for status in each}
        visit.page.goto(app.url)
        visit.page.get_by_text("asks again by itself").wait_for()
        assert visit.page.get_by_text("One moment").is_visible()
        come.set()
        visit.wait_for_title("Forecast for fastapi")
        visit.wait_for_chart()
        assert visit.page.get_by_text("asks again by itself").is_hidden()
        assert visit.errors
        assert all("503" in error for error in visit.errors)


def test_back_and_forward_go_through_what_was_looked_at(visit):
    visit.open("?package=fastapi&__theme=dark")
    choose(visit, "requests")
    visit.wait_for_title("Forecast for requests")
    visit.page.get_by_label("30", exact=True).check()
    visit.page.wait_for_url("**/?package=requests&range=30&__theme=dark")
    visit.wait_for_answer("?package=requests&range=30")
    visit.page.go_back()
    visit.page.wait_for_function("!document.querySelector('#range input').checked")
    visit.page.wait_for_url("**/?package=requests&__theme=dark")
    visit.page.go_back()
    visit.wait_for_title("Forecast for fastapi")
    assert visit.page.get_by_label(re.compile("^Package")).input_value() == "fastapi"
    visit.page.go_forward()
    visit.wait_for_title("Forecast for requests")
    visit.page.go_forward()
    visit.page.wait_for_function("document.querySelector('#range input').checked")
    assert visit.page.url.endswith("?package=requests&range=30&__theme=dark")


def test_a_link_adds_nothing_to_the_history(visit):
    visit.open("?package=Flask&compare=Requests,requests&range=90")
    before = visit.page.evaluate("history.length")
    visit.page.wait_for_timeout(1_000)
    assert visit.page.evaluate("history.length") == before
    assert visit.page.url == f"{visit.url}?package=Flask&compare=Requests"


def test_the_link_is_without_the_theme(visit):
    for theme in ("light", "dark"):
        visit.open(f"?package=flask&__theme={theme}")
        link = visit.page.locator("#link textarea, #link input").input_value()
        assert link == f"{visit.url}?package=flask"
        assert f"__theme={theme}" in visit.page.url
