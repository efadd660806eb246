import gradio as gr
import pytest

from app.data.catalogue import MOST_LISTED
from app.page import SESSIONS, LatestViews, _is_echo, _set_controls
from app.view.state import View, choose
from tests.bundles import make_bundle
from tests.unit.app.data.test_forecasts import Setting

FLASK, DJANGO = (View(choose(name, [])) for name in ("flask", "django"))


def test_the_latest_view_of_each_visitor():
    seen = LatestViews()
    seen.note("one", FLASK)
    seen.note("two", DJANGO)
    assert seen.latest("one") == FLASK
    seen.note("one", DJANGO)
    assert seen.latest("one") == DJANGO
    assert seen.latest("three") is None


def test_who_was_here_longest_ago_is_forgotten():
    seen = LatestViews()
    for session in range(SESSIONS):
        seen.note(str(session), FLASK)
    seen.note("0", DJANGO)
    seen.note("new", FLASK)
    assert seen.latest("0") == DJANGO
    assert seen.latest("1") is None


def test_few_packages_are_in_the_lists_and_many_are_looked_for():
    view = View(choose("flask", ["requests"]))
    one, several, *_ = _set_controls(Setting(make_bundle()).forecasts, view)
    assert one["choices"] == several["choices"] == ["Flask", "pytorch", "requests"]
    assert (one["value"], several["value"]) == ("flask", ["requests"])
    assert one["elem_classes"] == several["elem_classes"] == []
    many = make_bundle(tuple(f"package-{at}" for at in range(MOST_LISTED - 1)))
    one, several, *_ = _set_controls(Setting(many).forecasts, view)
    assert one["choices"] == several["choices"] == []
    assert (one["value"], several["value"]) == ("flask", ["requests"])
    assert one["elem_classes"] == several["elem_classes"] == ["searched"]


@pytest.mark.parametrize(
    ("elem_id", "others", "echo"),
    [
        ("compare", ["django"], True),
        ("compare", ["django", "requests"], False),
        ("compare", None, False),
        ("package", ["django"], False),
    ],
)
def test_what_the_page_itself_filled_in_is_not_drawn_again(elem_id, others, echo):
    event = gr.EventData(gr.Dropdown(elem_id=elem_id, render=False), None)
    assert _is_echo(event, others, View(choose("flask", ["django"]))) == echo
    assert not _is_echo(event, others, None)
