"""Pictures and badges of a bundle that is too old."""

import datetime as dt

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web.endpoints import picture_route
from app.web.first import FirstResponse
from app.web.record import badge_route
from tests.bundles import LAST_DAY, make_bundle
from tests.pages import PageData

PUBLISHED = "<svg>published</svg>"


@pytest.mark.parametrize(("age", "over"), [(30, False), (31, True)])
def test_pictures_of_days_that_are_over_are_drawn_again(age, over):
    pictures = dict.fromkeys(("flask.svg", "flask.badge.svg"), PUBLISHED)
    page = PageData(make_bundle(pictures=pictures, source="folder"))
    now = dt.datetime.combine(LAST_DAY + dt.timedelta(days=age), dt.time(12), dt.UTC)
    page.forecasts._live_counts._clock = lambda: now
    routes = [picture_route(page.forecasts), badge_route(page.forecasts)]
    client = TestClient(Starlette(routes=routes))
    told = f"no counts since {LAST_DAY}"
    for name in ("flask.svg", "Flask.badge.svg"):
        answer = client.get(f"/picture/{name}")
        assert answer.status_code == 200
        assert (answer.text == PUBLISHED) is not over
        assert (f"Flask: {told}" in answer.text) is over
    assert client.get("/picture/requests.svg").status_code == 404
    badge = client.get("/badge/flask.json").json()
    assert (badge["message"] == told) is over
    first = FirstResponse(client.app, page.forecasts, lambda: now, script="")
    inline = first._document({"package": "flask"}, "", "").picture
    assert (inline == PUBLISHED) is not over
    assert (told in inline) is over
