"""The pages of the site are valid HTML, by a parser that reports what the standard calls errors."""

import pytest
from justhtml import JustHTML

from forecast.bundle.manifest import PartEntry
from tests.unit.forecast.record.records import bundle_with, total_row
from tests.unit.trainer.site.test_site import config, pages, with_pictures
from trainer.site.site import write_site


def faults(text):
    """The errors of the parser, and what it does not look for: ids that are given twice."""
    document = JustHTML(text, collect_errors=True, sanitize=False)
    ids = [each.attrs["id"] for each in document.query("[id]")]
    twice = [name for name in set(ids) if ids.count(name) > 1]
    return [*(error.code for error in document.errors), *twice]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<!DOCTYPE html><title>a</title><p>b", []),
        ("<title>a</title><p>b", ["expected-doctype-but-got-start-tag"]),
        ("<!DOCTYPE html><title>a</title><ul><li>b</div></ul>", ["unexpected-end-tag"]),
        ("<!DOCTYPE html><title>a</title><p id=a><p id=a>", ["a"]),
    ],
)
def test_the_checker_checks(text, found):
    assert faults(text) == found


def test_every_page_is_valid(tmp_path):
    parts = (PartEntry(name="flask"), PartEntry(name="click"))
    about = {"label": "@pallets", "title": '<i x="">projects & others', "parts": parts}
    groups = {"@pallets": about}
    bundles = {
        "packages": with_pictures(["flask", "@pallets"], groups=groups),
        "record": bundle_with(totals=[total_row(downloads=2_000.0)]),
        "sample": with_pictures(["flask"], source="sample"),
    }
    for name, bundle in bundles.items():
        (tmp_path / name).mkdir()
        write_site(bundle, config(), tmp_path / name)
    found = {path: faults(path.read_text(encoding="utf-8")) for path in pages(tmp_path)}
    assert len(found) > 10
    assert {path: each for path, each in found.items() if each} == {}
