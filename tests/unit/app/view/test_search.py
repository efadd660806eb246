import pytest

from app.data.catalogue import Catalogue
from app.view.search import MOST_FOUND, find_names
from forecast.config import Package


def catalogue(*labels):
    return Catalogue(Package.parse(label) for label in labels)


def test_the_first_names_and_the_number_of_all_are_told():
    many = catalogue(*(f"web-{at:03}" for at in reversed(range(1_000))))
    found = find_names(many, "web")
    assert found["names"] == [f"web-{at:03}" for at in range(MOST_FOUND)]
    assert found["note"] == "The first 30 of 1,000 packages: type more of the name."
    assert find_names(many, "web-999") == {
        "names": ["web-999"],
        "unusual": [],
        "note": "1 package.",
    }


def test_groups_are_counted_apart():
    some = ("web", "webob", "@web", "flask")
    assert find_names(catalogue(*some), "web")["note"] == "2 packages and 1 group."
    assert find_names(catalogue(*some), "@")["note"] == "1 group."
    many = catalogue(*some, *(f"web-{at}" for at in range(MOST_FOUND)))
    told = "The first 30 of 32 packages and 1 group: type more of the name."
    assert find_names(many, "web")["note"] == told


def test_unusual_weeks_are_marked():
    found = find_names(catalogue("Flask", "flit"), "fl", {"flask"}.__contains__)
    assert (found["names"], found["unusual"]) == (["Flask", "flit"], ["Flask"])


@pytest.mark.parametrize(("size", "note"), [(30, "30 packages."), (31, "The first 30 of 31 ")])
def test_what_fits_the_list_is_told_to_be_all(size, note):
    found = find_names(catalogue(*(f"web-{at}" for at in range(size))), "web")
    assert len(found["names"]) == MOST_FOUND
    assert found["note"].startswith(note)


@pytest.mark.parametrize(
    ("text", "names", "similar"),
    [("flaks", ["flask"], "; similar names are listed."), ("zzz", [], ".")],
)
def test_where_nothing_is_found_any_name_can_be_used(text, names, similar):
    assert find_names(catalogue("flask", "requests"), text) == {
        "names": names,
        "unusual": [],
        "note": (
            f"No matching package{similar} "
            "Press Enter to use the name as typed: any name on PyPI works."
        ),
    }
