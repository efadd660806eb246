"""Pictures and badges of a bundle that is too old."""

import datetime as dt

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.view import content
from app.view.state import parse_view
from app.web.cards import card_route
from app.web.endpoints import picture_route
from app.web.first import FirstResponse
from app.web.pictures import MADE_UP
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


@pytest.mark.parametrize("made_up", [False, True])
def test_made_up_counts_do_not_leave_the_page(made_up):
    pictures = dict.fromkeys(("flask.svg", "flask.badge.svg"), PUBLISHED)
    source = "sample" if made_up else "folder"
    page = PageData(make_bundle(pictures=pictures, source=source))
    routes = [route(page.forecasts) for route in (card_route, picture_route, badge_route)]
    client = TestClient(Starlette(routes=routes))
    for kind in ("picture/{}.svg", "picture/{}.badge.svg", "picture/{}.png", "badge/{}.json"):
        answer = client.get(f"/{kind.format('Flask')}")
        assert answer.status_code == (404 if made_up else 200), kind
        assert (answer.text == MADE_UP) is made_up
        unknown = client.get(f"/{kind.format('nonesuch')}")
        assert unknown.status_code == 404
        assert unknown.text.startswith("expected ")
    first = FirstResponse(client.app, page.forecasts, page.clock, script="")
    document = first._document({"package": "flask"}, "https://example.org/", "")
    assert document.card == ("" if made_up else "https://example.org/picture/flask.png")
    assert ("These counts are made up" in document.headline) is made_up
    assert document.picture == PUBLISHED  # within the page, which says what it shows
    exports = content.show(page.forecasts, parse_view({"package": "flask"}), page.clock()).exports
    assert ("picture/flask.svg" in exports) is not made_up
