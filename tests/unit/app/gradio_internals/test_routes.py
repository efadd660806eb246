"""Every route that is let through is one of gradio's."""

import re
from pathlib import Path

import gradio as gr
import pytest
from gradio.events import api
from gradio.routes import App
from starlette.routing import Match

from app import page
from app.gradio_internals.routes import QUEUED, ROUTES
from tests.bundles import make_bundle
from tests.pages import NOW, PageData

EXAMPLES = {
    "/": "GET",
    "/config": "GET",
    "/theme.css": "GET",
    "/favicon.ico": "GET",
    "/robots.txt": "GET",
    "/manifest.json": "GET",
    "/assets/index.js": "GET",
    "/static/fonts/a.woff2": "GET",
    "/gradio_api/app_id": "GET",
    "/gradio_api/info": "GET",
    "/gradio_api/openapi.json": "GET",
    "/gradio_api/startup-events": "GET",
    "/gradio_api/queue/data": "GET",
    "/gradio_api/call/forecast/0": "GET",
    "/gradio_api/call/v2/forecast/0": "GET",
    "/gradio_api/call/forecast": "POST",
    "/gradio_api/call/v2/forecast": "POST",
    "/gradio_api/queue/join": "POST",
    "/gradio_api/cancel": "POST",
    "/gradio_api/reset": "POST",
    "/gradio_api/mcp/": "POST",
    "/gradio_api/mcp/schema": "GET",
}


@pytest.fixture(scope="module")
def routes(runner):
    def forecast() -> int:
        return 1

    async def make():
        with gr.Blocks(analytics_enabled=False) as page:
            api(forecast, api_name="forecast")
        return App.create_app(page, mcp_server=True).router.routes

    return runner.run(make())


def matches(routes, method, path):
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return any(route.matches(dict(scope))[0] is Match.FULL for route in routes)


@pytest.mark.parametrize("path", EXAMPLES)
def test_gradio_serves(path, routes):
    assert matches(routes, EXAMPLES[path], path)


def test_a_route_that_gradio_does_not_have_is_noticed(routes):
    assert not matches(routes, "GET", "/gradio_api/no-such-route")
    assert not matches(routes, "GET", "/gradio_api/queue/join")


@pytest.mark.parametrize(("methods", "pattern"), ROUTES)
def test_every_pattern_has_an_example(methods, pattern):
    assert any(
        re.fullmatch(pattern, path) and method in methods for path, method in EXAMPLES.items()
    )


def test_calls_are_queued():
    queued = {
        path for path, method in EXAMPLES.items() if method == "POST" and QUEUED.fullmatch(path)
    }
    assert queued == {
        "/gradio_api/queue/join",
        "/gradio_api/call/forecast",
        "/gradio_api/call/v2/forecast",
    }


# Calls of gradio's front end that this page never makes.
UNUSED = {
    "host": "looks up a Space by its name",
    "runtime": "asks the Hub for a Space's hardware",
    "sleeptime": "asks the Hub for a Space's sleep",
    "login": "the page has no accounts",
    "upload": "no component takes files",
    "file=": "no component shows files",
    "heartbeat": "the page keeps no State on the server",
    "component_server": "no component has server functions",
    "run": "every event is queued",
    "stream": "no component streams",
}


def calls_of_the_front_end():
    """The last parts of the addresses that gradio's JavaScript client calls."""
    assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
    [client] = [
        text
        for path in assets.glob("index-*.js")
        if "`queue/join`" in (text := path.read_text("utf-8"))
    ]
    [constants] = re.findall(r"var \w+=`host`,(?:\w+=`[\w/]+`,)+", client)
    named = set(re.findall(r"\w+=`([\w/]+)`", constants))
    literal = r"\$\{[\w.?]*(?:root|[a-z])\}\$\{(?:this\.api_prefix|\w+)\}/([\w/]+=?)"
    return named | {found.removesuffix("/") for found in re.findall(literal, client)}


def test_every_call_of_the_front_end_is_answered_or_unused():
    """A call that a new gradio adds fails here until it is let through, or found to be unused."""
    calls = calls_of_the_front_end()
    assert {"app_id", "queue/join", "queue/data", "file="} <= calls
    refused = {
        call
        for call in calls
        if not any(
            re.fullmatch(pattern, path)
            for _, pattern in ROUTES
            for path in (f"/{call}", f"/gradio_api/{call}")
        )
    }
    assert refused == set(UNUSED)


def test_the_page_has_no_component_that_makes_an_unused_call(runner):
    async def make():
        return page.build(PageData(make_bundle()).forecasts, lambda: NOW).get_config_file()

    config = runner.run(make())
    assert not config["connect_heartbeat"]
    assert not {each["type"] for each in config["components"]} & {"state", "file", "image"}
    backend = [each for each in config["dependencies"] if each["backend_fn"]]
    assert all(each["queue"] is not False for each in backend)
    assert not any(each["cancels"] for each in backend)
