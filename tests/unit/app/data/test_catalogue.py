import pytest

from app.data import catalogue as catalogues
from app.data.catalogue import Catalogue
from forecast.config import Package

LABELS = ("boto3", "types-requests", "Flask", "requests-oauthlib", "requests", "Scikit_Learn")


def catalogue(*labels):
    return Catalogue(Package.parse(label) for label in labels)


def labels(packages):
    return [package.label for package in packages]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("requests", ["requests", "requests-oauthlib", "types-requests"]),
        ("req", ["requests", "requests-oauthlib", "types-requests"]),
        ("-oauth", ["requests-oauthlib"]),
        ("  FLA ", ["Flask"]),
        ("scikit.learn", ["Scikit_Learn"]),
        ("", sorted(LABELS, key=str.lower)),
        ("zzz", []),
        ("e" * 101, []),
        ("\N{GREEK SMALL LETTER BETA}", []),
    ],
)
def test_the_name_itself_comes_first_then_those_that_begin_with_it(text, found):
    assert labels(catalogue(*LABELS).matches(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Pallets", ["@pallets"]),
        (" the pallets PROJECTS ", ["@pallets"]),
        ("PROJECTS", ["projects-of-old", "@pallets"]),
        ("the", ["@pallets", "theano", "mathesis"]),
        ("pallets", ["@pallets"]),
        ("St. Pallet", []),
        ("_", ["projects-of-old"]),
    ],
)
def test_a_group_is_found_by_its_title_too(text, found):
    group = Package("@pallets", "@pallets", "The Pallets projects")
    named = map(Package.parse, ("theano", "mathesis", "projects-of-old"))
    assert labels(Catalogue([group, *named]).matches(text)) == found


def test_a_package_by_its_name():
    assert catalogue(*LABELS).get("scikit-learn").label == "Scikit_Learn"
    assert catalogue(*LABELS).get("Scikit_Learn") is None


def test_near_matches():
    assert labels(catalogue(*LABELS).near("Scikit-lern")) == ["Scikit_Learn"]
    assert labels(catalogue("flask", "requests").near("flaskk")) == ["flask"]
    assert labels(catalogue("flask", "requests").near("request")) == ["requests"]
    assert labels(catalogue("flask", "requests").near("zzz")) == []


def test_of_very_many_the_first_letter_must_be_right(monkeypatch):
    some = catalogue("flask", "blaskk", "requests")
    assert labels(some.near("flaskk")) == ["flask", "blaskk"]
    monkeypatch.setattr(catalogues, "MAX_COMPARED", 2)
    assert labels(some.near("flaskk")) == ["flask"]


def test_groups_are_compared_without_their_sign(monkeypatch):
    some = catalogue("flask", "requests", "@pallets", "@ml")
    for most in (catalogues.MAX_COMPARED, 2):
        monkeypatch.setattr(catalogues, "MAX_COMPARED", most)
        for typed in ("pallets", "palets", "@palets"):
            assert labels(some.near(typed)) == ["@pallets"]
        assert labels(some.near("ml")) == ["@ml"]
        assert labels(some.near("@flsak")) == ["flask"]
    both = catalogue("web", "@web")
    assert labels(both.near("webb")) == ["web", "@web"]


def test_only_what_is_really_near_is_a_hint():
    some = catalogue("tensorflow", "flask", "requests", "numpy")
    assert labels(some.near("norows")) == []
    for typed, meant in (("reqests", "requests"), ("numpi", "numpy"), ("flsak", "flask")):
        assert labels(some.near(typed)) == [meant]
