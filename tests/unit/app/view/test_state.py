import time
from dataclasses import replace

import pytest

from app.view.state import (
    ALL,
    MOST_COMPARED,
    View,
    address_of,
    choose,
    chosen,
    parse_view,
    record_address,
    theme_of,
    typed_name,
)
from forecast.config import Package


def test_an_empty_query_is_the_usual_view():
    assert parse_view({}) == View()
    assert View().query == ""


def test_a_package_alone():
    view = parse_view({"package": "flask"})
    assert view == View(packages=(Package("flask", "flask"),))
    assert view.query == "?package=flask"


def test_addresses_keep_what_is_chosen_and_the_theme():
    view = replace(parse_view({"package": "flask", "compare": "click"}), days=30)
    assert address_of("jinja2", view) == "?package=jinja2&range=30"
    assert address_of("@web", view, "dark") == "?package=@web&range=30&__theme=dark"
    assert address_of("jinja2", theme="light") == "?package=jinja2&__theme=light"
    told = "?view=record&package=flask&compare=click&range=30"
    assert record_address(view) == told
    assert record_address(view, "dark") == f"{told}&__theme=dark"
    assert record_address(View()) == "?view=record"


def test_a_theme_that_there_is_not_is_none():
    assert [theme_of({"__theme": each}) for each in ("dark", "light", "system", '">')] == [
        *("dark", "light", "", "")
    ]
    assert theme_of({}) == ""


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


def test_a_value_that_is_not_understood_leaves_the_default_and_is_told():
    view = parse_view({"package": "flask", "scale": "cubic", "range": "91", "mode": "x"})
    assert view == View(choose("flask", []))
    assert view.ignored == (
        "The address has scale=“cubic”; it can be absolute, log or indexed.",
        "The address has range=“91”; it can be 30, 60, 90, 180 or all.",
        "The address has mode=“x”; it can be daily, mean, weekly or monthly.",
    )


def test_blanks_around_a_value_are_none_of_it():
    view = parse_view({"package": "flask", "range": "180 ", "scale": "\nlog"})
    assert (view.days, view.scale, view.ignored) == (180, "log", ())


@pytest.mark.parametrize(
    "query", [{}, {"scale": ""}, {"mode": " "}, {"range": "all"}, {"smooth": "perhaps"}]
)
def test_of_other_addresses_nothing_is_told(query):
    assert parse_view({"package": "flask", **query}).ignored == ()


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


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ("bcde", ()),
        ("bcdea", ()),
        ("bcdef", ("One chart has at most 5: f is left out.",)),
        ("bcdeFgf", ("One chart has at most 5: f and g are left out.",)),
        ([""] * 30 + ["b"], ()),
        ("b" * 21, ("One chart has at most 5: 1 more is left out.",)),
        ("b" * 22, ("One chart has at most 5: 2 more are left out.",)),
        ("bcdef" * 5, ("One chart has at most 5: f and 5 more are left out.",)),
    ],
)
def test_packages_that_have_no_room_are_told(others, told):
    assert chosen("a", others).ignored == told


def test_only_so_many_names_are_read():
    invalid = ["-"] * 19
    assert [package.name for package in choose("a", [*invalid, "b", "c"])] == ["a", "b"]


def test_one_of_several_values_is_in_the_query():
    assert View(mode="daily").query == "?mode=daily"
    assert View(scale="log").query == "?scale=log"
    assert View(days=30).query == "?range=30"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("flask", "flask"),
        (" Flask\n", "Flask"),
        ("'flask'", "flask"),
        ("https://stats.example/packages/flask", "flask"),
        ("stats.example/project/zope.interface/4.0/#files", "zope.interface"),
        ("https://stats.example/project/flask?tab=1", "flask"),
        ("requests==2.31", "requests"),
        ("requests >= 2.31, < 3", "requests"),
        ("requests[socks, security]~=2.31", "requests"),
        ('tomli; python_version < "3.11"', "tomli"),
        ("requests @ https://files.example/requests.whl", "requests"),
        ("pip install flask", "flask"),
        ("pip3 install -U --pre flask==3.0", "flask"),
        ("python -m pip install flask", "flask"),
        ("uv pip install flask", "flask"),
        ("uv add flask", "flask"),
        ("hello world", "hello world"),
        ("pip", "pip"),
        ("pip install", "pip install"),
        ("", ""),
    ],
)
def test_the_name_in_what_is_typed(typed, name):
    assert typed_name(typed) == name


@pytest.mark.parametrize("typed", ["https://stats.example/flask", "a/b", "==2", "fla sk==1"])
def test_what_holds_no_name_stays_and_is_none(typed):
    assert chosen(typed, []).packages == ()
    assert chosen(typed, []).typed == typed


def test_a_long_text_is_read_quickly():
    for text in (
        "a" * 100_000,
        "a[" * 50_000,
        "pip install " + "-x " * 30_000,
        "/project/" * 9_000,
    ):
        begun = time.perf_counter()
        typed_name(text)
        assert time.perf_counter() - begun < 0.5


def test_an_emptied_box_is_not_the_same_as_none():
    assert parse_view({"package": ""}).typed == ""
    assert View(typed="").query == "?package="
    assert parse_view({}).typed is None


def test_an_address_has_no_more_of_it_than_needed():
    assert len(View(typed="x" * 5_000).query) < 300


def test_what_cannot_be_compared_is_kept_apart():
    view = chosen("flask", ["hello world", "requests", " "])
    assert [package.name for package in view.packages] == ["flask", "requests"]
    assert view.refused == ("hello world",)


@pytest.mark.parametrize("name", ["flask", "@pallets"])
def test_the_address_of_a_name_is_as_it_is_read(name):
    assert address_of(name) == f"?package={name}"
