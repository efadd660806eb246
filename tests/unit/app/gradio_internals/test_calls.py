"""Calls of the page's own endpoints that gradio would answer with a traceback."""

from types import SimpleNamespace

import pytest

from app import page
from app.gradio_internals.calls import NO_ENDPOINT, NO_EVENT, fault_of_call
from tests.bundles import make_bundle
from tests.pages import NOW, PageData

FORECAST = "expected a JSON object with package, days (optional); got "


@pytest.fixture(scope="module")
def app(runner):
    async def make():
        return page.build(PageData(make_bundle()).forecasts, lambda: NOW)

    blocks = runner.run(make())
    return SimpleNamespace(get_blocks=lambda: blocks)


@pytest.mark.parametrize(
    ("endpoint", "body", "fault"),
    [
        ("forecast", {"package": "flask"}, None),
        ("forecast", {"package": "flask", "days": None, "oauth_token": "x"}, None),
        ("forecast", ["flask"], None),  # gradio itself says what it expects
        ("forecast", {}, (f"{FORECAST}no fields", 400)),
        ("forecast", {"days": 1}, (f"{FORECAST}'days'", 400)),
        ("forecast", {"package": "flask", "x": 2}, (f"{FORECAST}'package', 'x'", 400)),
        (
            "forecast",
            {"package": "flask", "x" * 999: 2},
            (f"{FORECAST}'package', '{'x' * 68}", 400),
        ),
        ("packages", {}, None),
        ("record", {}, None),
        ("record", {"x": 1}, ("expected a JSON object with no fields; got 'x'", 400)),
        ("nonesuch", {}, NO_ENDPOINT),
        ("load", {}, NO_ENDPOINT),  # an event of the page
    ],
)
def test_arguments_by_name(app, endpoint, body, fault):
    assert fault_of_call(app, endpoint, body, by_name=True) == fault


@pytest.mark.parametrize(
    ("endpoint", "data", "fault"),
    [
        ("forecast", ["flask", 1], None),
        ("forecast", {}, None),  # gradio itself says what it expects
        ("forecast", ["flask"], ("expected 2 values in data, one for each argument; got 1", 400)),
        ("change", [], ("expected 5 values in data, one for each argument; got 0", 400)),
        ("load", [], None),
        ("nonesuch", [], NO_ENDPOINT),
    ],
)
def test_arguments_in_their_order(app, endpoint, data, fault):
    assert fault_of_call(app, endpoint, {"data": data}, by_name=False) == fault


@pytest.mark.parametrize("number", [None, "0", True, 999, -1, 0.0, []])
def test_an_event_that_is_none(app, number):
    body = {"data": [], "fn_index": number}
    assert fault_of_call(app, None, body, by_name=False) == NO_EVENT


def test_an_event_without_its_values(app):
    numbers = {each.api_name: number for number, each in app.get_blocks().fns.items()}
    found = [
        fault_of_call(app, None, {"data": [], "fn_index": numbers[name]}, by_name=False)
        for name in ("load", "change")
    ]
    assert found == [None, ("expected 5 values in data, one for each argument; got 0", 400)]
