import pytest

from app.view.state import ALL, MOST_COMPARED, View, choose, parse_view
from forecast.config import Package


def test_an_empty_query_is_the_usual_view():
    assert parse_view({}) == View()
    assert View().query == ""


def test_a_package_alone():
    view = parse_view({"package": "flask"})
    assert view == View(packages=(Package("flask", "flask"),))
    assert view.query == "?package=flask"


def test_all_state_is_in_the_query():
    query = {
        "package": "Flask",
        "compare": "requests,scikit_learn",
        "scale": "indexed",
        "range": "all",
        "mode": "weekly",
    }
    view = parse_view(query)
    assert [package.name for package in view.packages] == ["flask", "requests", "scikit-learn"]
    assert (view.scale, view.days, view.mode) == ("indexed", ALL, "weekly")
    assert view.query == (
        "?package=Flask&compare=requests,scikit_learn&scale=indexed&range=all&mode=weekly"
    )


@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
@pytest.mark.parametrize(
    ("days", "mode"),
    [(30, "mean"), (60, "daily"), (90, "weekly"), (180, "monthly"), (ALL, "mean")],
)
def test_a_query_gives_its_view_back(scale, days, mode):
    view = View(choose("flask", ["requests"]), scale, days, mode)
    fields = dict(part.split("=") for part in view.query[1:].split("&"))
    assert parse_view(fields) == view


@pytest.mark.parametrize(
    "query",
    [{"scale": "cubic"}, {"range": "91"}, {"range": "0"}, {"smooth": "perhaps"}, {"mode": "x"}],
)
def test_what_is_not_understood_is_left_out(query):
    assert parse_view(query) == View()


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ({"smooth": "0"}, "daily"),
        ({"smooth": "1"}, "mean"),
        ({"smooth": "0", "mode": "monthly"}, "monthly"),
    ],
)
def test_old_links_are_understood(query, mode):
    assert parse_view(query).mode == mode


@pytest.mark.parametrize("name", ["<script>", "-", "a b", "é", "x" * 101, ""])
def test_a_name_that_pypi_would_not_allow_chooses_nothing(name):
    assert choose(name, ["flask"]) == ()


def test_others_that_pypi_would_not_allow_are_left_out():
    assert [package.name for package in choose("flask", ["", "a b", "django"])] == [
        "flask",
        "django",
    ]


def test_no_package_twice_however_it_is_spelled():
    assert [package.label for package in choose("Flask", ["flask", "FLASK"])] == ["Flask"]


def test_no_more_than_five():
    chosen = choose("a", list("bcdefgh"))
    assert len(chosen) == MOST_COMPARED == 5
    assert chosen[-1].name == "e"


def test_only_so_many_names_are_read():
    invalid = ["-"] * 19
    assert [package.name for package in choose("a", [*invalid, "b", "c"])] == ["a", "b"]


def test_one_of_several_values_is_in_the_query():
    assert View(mode="daily").query == "?mode=daily"
    assert View(scale="log").query == "?scale=log"
    assert View(days=30).query == "?range=30"
