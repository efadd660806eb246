"""Every route that is let through is one of gradio's."""

import re

import gradio as gr
import pytest
from gradio.events import api
from gradio.routes import App
from starlette.routing import Match

from app.gradio_internals.routes import QUEUED, ROUTES

EXAMPLES = {
    "/": "GET",
    "/config": "GET",
    "/theme.css": "GET",
    "/favicon.ico": "GET",
    "/robots.txt": "GET",
    "/manifest.json": "GET",
    "/assets/index.js": "GET",
    "/static/fonts/a.woff2": "GET",
    "/gradio_api/info": "GET",
    "/gradio_api/openapi.json": "GET",
    "/gradio_api/startup-events": "GET",
    "/gradio_api/queue/data": "GET",
    "/gradio_api/call/forecast/0": "GET",
    "/gradio_api/call/v2/forecast/0": "GET",
    "/gradio_api/call/forecast": "POST",
    "/gradio_api/call/v2/forecast": "POST",
    "/gradio_api/queue/join": "POST",
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
    queued = {path for path, method in EXAMPLES.items() if method == "POST"} - {"/gradio_api/mcp/"}
    assert queued == {
        path for path, method in EXAMPLES.items() if method == "POST" and QUEUED.fullmatch(path)
    }
