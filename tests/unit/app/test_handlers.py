"""The page's handlers, called as gradio calls them."""

import threading
from types import SimpleNamespace
from unittest.mock import Mock

import gradio as gr
import pytest

from app import handlers
from app.data.forecasts import CATCH_UP_TIMEOUT
from app.handlers import MAX_SESSIONS, Handlers, LatestViews
from app.view.state import View, choose
from forecast.errors import DownloadsError, UnknownPackageError
from tests.bundles import make_bundle
from tests.pages import PageData

FLASK, DJANGO = (View(choose(name, [])) for name in ("flask", "django"))
CONTROLS = ("package", "others", "days", "scale", "mode")
CONTENT = (
    *("banner", "headline", "warnings", "figure", "more"),
    *("facts", "exports", "details", "numbers", "query"),
)
SKIPPED = gr.skip()
SILENT = Mock()


class Page(PageData):
    """Handlers, and what a browser's session sends them."""

    def __init__(self, *bundles, answer=None):
        super().__init__(*bundles, answer=answer)
        self.handlers = Handlers(self.forecasts, self.clock)

    def load(self, address="", session="one"):
        """Controls and content by name, for each time that the handler yields."""
        query = dict(pair.split("=") for pair in address.split("&") if pair)
        for values in self.handlers.load(request(session, query)):
            yield dict(zip(CONTROLS + CONTENT, map(plain, values), strict=True))

    def change(self, package, others=(), *, control="package", session="one", progress=SILENT):
        """The last content by name, or SKIPPED."""
        return self.changes(package, others, control=control, session=session, progress=progress)[
            -1
        ]

    def changes(self, package, others=(), *, control="package", session="one", progress=SILENT):
        """Content by name, or SKIPPED, for each time that the handler yields."""
        event = gr.EventData(gr.Dropdown(elem_id=control, render=False), None)
        values = self.handlers.change(
            package, list(others), 90, "absolute", "mean", request(session), event, progress
        )
        return [named(each, ("package", *CONTENT)) for each in values]

    def catch_up(self, session="one"):
        """Content by name, or SKIPPED."""
        return named(self.handlers.catch_up(request(session)))


def request(session, query=None):
    client = SimpleNamespace(host="198.51.100.1")
    return SimpleNamespace(session_hash=session, query_params=query or {}, client=client)


def plain(value):
    """What a component shows after an update; None if that is hidden."""
    if not isinstance(value, dict) or "__type__" not in value:
        return value
    return value.get("value") if value.get("visible", True) else None


def named(values, names=CONTENT):
    return values if values == SKIPPED else dict(zip(names, map(plain, values), strict=True))


def test_the_page_opens_with_the_first_package():
    (shown,) = Page(make_bundle()).load()
    assert (shown["package"], shown["others"]) == ("Flask", [])
    assert [shown[name] for name in ("days", "scale", "mode")] == [90, "absolute", "mean"]
    assert "Forecast for Flask" in shown["headline"]
    assert shown["figure"].type == "plotly"
    assert shown["query"] == "?package=Flask"


def test_the_page_opens_with_what_its_address_picks():
    address = "package=requests&compare=flask,no name&range=30&scale=log&smooth=0"
    (shown,) = Page(make_bundle()).load(address)
    others = ["flask", "no name"]
    assert [shown[name] for name in CONTROLS] == ["requests", others, 30, "log", "daily"]
    assert "cannot be the name of a package" in shown["warnings"]
    assert "Forecast for requests and Flask" in shown["headline"]
    assert shown["query"] == "?package=requests&compare=flask&scale=log&range=30&mode=daily"


def test_an_address_that_picks_no_package_is_not_given_another():
    (shown,) = Page(make_bundle()).load("package=")
    assert shown["package"] == ""
    assert "No package chosen" in shown["headline"]
    assert shown["figure"] is None
    assert shown["query"] == "?package="


def test_before_the_first_bundle_a_note_comes_first(monkeypatch):
    monkeypatch.setattr(handlers, "BUNDLE_TIMEOUT", 0.0)
    page = Page()
    page.source.answers = [make_bundle()]
    shown = page.load("package=requests")
    note = next(shown)
    assert "The models are being loaded" in note["headline"]
    assert (note["package"], note["figure"]) == ("requests", None)
    page.forecasts.store.refresh()
    assert "Forecast for requests" in next(shown)["headline"]
    assert next(shown, None) is None


def test_a_change_shows_what_the_controls_hold():
    shown = Page(make_bundle()).change("requests", ["flask"])
    assert "Forecast for requests and Flask" in shown["headline"]
    assert shown["query"] == "?package=requests&compare=flask"


def test_a_training_reports_its_progress():
    told = []
    progress = lambda part, desc: told.append((part, desc))  # noqa: E731
    shown = Page(make_bundle()).change("django", progress=progress)
    assert "Forecast for django" in shown["headline"]
    assert [part for part, _ in told] == [0.1, 0.4, 0.9]
    assert told[1][1] == "Searching for a model of django"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (UnknownPackageError("404"), "PyPI Stats has no package named flsk"),
        (DownloadsError("PyPI Stats is down."), "PyPI Stats is down."),
    ],
)
def test_an_error_is_shown_in_place_of_the_forecast(answer, says):
    shown = Page(make_bundle(), answer=answer).change("flsk")
    assert says in shown["headline"]
    assert (shown["figure"], shown["facts"], shown["query"]) == (None, "", "?package=flsk")


def test_a_surprise_is_shown_as_well(monkeypatch, caplog):
    page = Page(make_bundle())
    monkeypatch.setattr(page.forecasts, "package_forecast", lambda *_, **__: 1 / 0)
    assert "because of an unexpected ZeroDivisionError" in page.change("flask")["headline"]
    assert "drawing ?package=flask failed" in caplog.text


@pytest.mark.parametrize(
    ("control", "others", "echo"),
    [
        ("compare", ["requests"], True),
        ("compare", ["requests", "django"], False),
        ("compare", [], False),
        ("package", ["requests"], False),
    ],
)
def test_what_the_page_itself_filled_in_is_not_shown_again(control, others, echo):
    page = Page(make_bundle())
    list(page.load("package=flask&compare=requests"))
    assert (page.change("flask", others, control=control) == SKIPPED) == echo


def test_another_session_s_view_makes_no_echo():
    page = Page(make_bundle())
    list(page.load("package=flask&compare=requests", session="other"))
    assert page.change("flask", ["requests"], control="compare") != SKIPPED


class Slow(Page):
    """A page whose newer days come only when somebody waits for them."""

    def __init__(self, meanwhile=lambda: None):
        super().__init__(make_bundle())
        self.go_on, self.waits = threading.Event(), []
        made = self.forecasts.package_forecast

        def package_forecast(package, *, wait=0.0, **options):
            self.waits.append(wait)
            if wait:
                self.go_on.set()
                meanwhile()
            return made(package, wait=wait, **options)

        self.forecasts.package_forecast = package_forecast  # type: ignore[method-assign]

    def fetch(self, name):
        self.go_on.wait(10)
        return super().fetch(name)


def test_newer_days_are_shown_when_they_have_come():
    page = Slow()
    (opened,) = page.load("package=flask")
    assert "Sun 22 Nov 2026" in opened["numbers"]
    shown = page.catch_up()
    assert page.waits == [0.0, CATCH_UP_TIMEOUT]
    assert "Sun 22 Nov 2026" not in shown["numbers"]  # counted now, no longer forecast
    assert "Mon 23 Nov 2026" in shown["numbers"]
    assert shown["query"] is None  # the link stays
    assert page.catch_up() == SKIPPED


def test_newer_days_that_come_before_they_are_asked_for_are_shown():
    """The page asks a moment after it has drawn, and nothing is pending any more."""
    page = Slow()
    (opened,) = page.load("package=flask")
    page.go_on.set()
    page.forecasts._live_counts.counts("flask", 10)
    shown = page.catch_up()
    assert "Sun 22 Nov 2026" in opened["numbers"]
    assert "Sun 22 Nov 2026" not in shown["numbers"]
    assert page.catch_up() == SKIPPED


def test_newer_days_of_a_view_that_was_left_are_not_shown():
    page: Slow = Slow(meanwhile=lambda: page.change("requests"))
    list(page.load("package=flask"))
    assert page.catch_up() == SKIPPED
    assert page.handlers._latest.get("one").packages[0].label == "requests"


def test_without_a_view_there_is_nothing_to_catch_up_with():
    assert Slow().catch_up() == SKIPPED


def test_while_a_package_is_fetched_the_page_says_so():
    first, last = Page(make_bundle()).changes("django")
    assert "a model is trained now" in first["headline"]
    assert "Forecast for django" in first["headline"]
    assert (first["figure"], first["facts"]) == (None, "")
    assert "downloads in the next 30 days" in last["headline"]
    *_, opened = list(Page(make_bundle()).load("package=django"))
    assert "downloads in the next 30 days" in opened["headline"]


def test_a_package_with_a_model_needs_no_such_note():
    assert len(Page(make_bundle()).changes("flask")) == 1


def left_for(view):
    """A page on which another view is chosen while one is drawn."""
    page = Page(make_bundle())
    show = page.handlers._show

    def late(*args, **options):
        page.handlers._latest.set("one", view)
        return show(*args, **options)

    page.handlers._show = late  # type: ignore[method-assign]
    return page


def test_a_late_answer_does_not_replace_that_of_a_newer_view():
    assert left_for(FLASK).change("requests") == SKIPPED


def test_a_training_that_was_left_reports_nothing():
    page = Page(make_bundle())
    told = Mock(side_effect=lambda *_, **__: page.handlers._latest.set("one", FLASK))
    assert page.change("django", progress=told) == SKIPPED
    assert told.call_count == 1


def test_what_was_chosen_while_the_page_opened_stays():
    opened = left_for(DJANGO).handlers.load(request("one", {"package": "flask"}))
    assert list(opened) == [SKIPPED]


def test_a_name_entered_before_the_first_bundle_is_not_replaced(monkeypatch):
    page = Page()
    waited = lambda _: page.handlers._latest.set("one", DJANGO)  # noqa: E731
    monkeypatch.setattr(page.forecasts.store, "wait", waited)
    *_, last = page.handlers.load(request("one"))
    assert last == SKIPPED
    assert page.handlers._latest.get("one") == DJANGO


def test_a_pasted_address_becomes_a_name_in_the_box():
    shown = Page(make_bundle()).change("https://stats.example/packages/requests")
    assert shown["package"] == "requests"
    assert shown["query"] == "?package=requests"


def test_what_cannot_be_a_name_is_quoted():
    shown = Page(make_bundle()).change("hello world")
    assert "hello world" in shown["headline"]
    assert "hello-world would be one" in shown["headline"]
    assert shown["query"] == "?package=hello+world"


def test_the_latest_view_of_each_session():
    latest = LatestViews()
    latest.set("one", FLASK)
    latest.set("two", DJANGO)
    assert latest.get("one") == FLASK
    latest.set("one", DJANGO)
    assert latest.get("one") == DJANGO
    assert latest.get("three") is None


def test_counts_that_come_late_do_not_bring_back_a_view_that_was_left():
    latest = LatestViews()
    assert not latest.renew("one", FLASK, ())
    latest.set("one", DJANGO)
    assert not latest.renew("one", FLASK, ())
    assert latest.get("one") == DJANGO
    assert latest.renew("one", DJANGO, ())


def test_the_session_that_chose_longest_ago_is_forgotten():
    latest = LatestViews()
    for session in range(MAX_SESSIONS):
        latest.set(str(session), FLASK)
    latest.set("0", DJANGO)
    latest.set("new", FLASK)
    assert latest.get("0") == DJANGO
    assert latest.get("1") is None
