"""What is spared is still there: every route, and a check of logins that lets everybody in."""

import importlib
import sys

import gradio as gr
import httpx
import pytest
from gradio.events import api
from gradio.routes import App

from app.gradio_internals import shortcuts
from tests.unit.app.gradio_internals.test_routes import EXAMPLES, matches


@pytest.fixture(scope="module")
def served(runner):
    def forecast() -> int:
        return 1

    async def make():
        with gr.Blocks(analytics_enabled=False) as page:
            api(forecast, api_name="forecast")
        made = App.create_app(page, mcp_server=True)
        assert matches(made.router.routes, "GET", "/gradio_api/call/forecast/0")  # order is kept
        shortcuts.take_shortcuts(made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, shortcuts.PLOTTING, None)
        yield runner.run(make())


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_route_is_still_there(path, served):
    assert matches(served.router.routes, EXAMPLES[path], path)


def test_calls_come_first(served):
    included = served.router.routes[0]
    paths = [each.original_route.path for each in included.effective_candidates()]
    first = [path for path in paths if shortcuts.CALLS.match(path)]
    assert paths[: len(first)] == first
    assert {"/gradio_api/call/{api_name}", "/gradio_api/queue/join"} <= {*first}
    # An endpoint of the second version would pass for an event of one called "v2".
    by_post = [path for path in first if path.count("{") == 1]
    assert by_post.index("/gradio_api/call/v2/{api_name}") < by_post.index(
        "/gradio_api/call/{api_name}"
    )


def test_nobody_is_asked_for_a_login(served, runner, monkeypatch):
    [(check, let_in)] = served.dependency_overrides.items()
    assert check.__name__ == "login_check"
    assert runner.run(let_in()) is None
    asked = []

    async def note() -> None:
        asked.append(1)

    # In its place, to see that it is called.
    monkeypatch.setitem(served.dependency_overrides, check, note)

    async def ask():
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            return await client.get("/gradio_api/info")

    assert runner.run(ask()).status_code == 200
    assert asked


def test_a_module_that_is_not_there_is_missed_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "no_such_module", "to be put back")
    del sys.modules["no_such_module"]
    shortcuts._miss_at_once("no_such_module")
    assert sys.modules["no_such_module"] is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module")


def test_a_module_that_is_there_is_left():
    shortcuts._miss_at_once("json")
    assert sys.modules["json"] is not None
