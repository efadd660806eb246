"""The job summary names the packages whose last week was unusual."""

from __future__ import annotations

from forecast.record.weeks import last_week
from tests.unit.forecast.record.records import LAST_WEEK, bundle_with, total_row
from trainer.reports.console import Console
from trainer.reports.unusual import MOST_WEEKS, unusual_weeks


def section(*rows, redefined=()):
    bundle = bundle_with(totals=rows)
    return unusual_weeks(last_week(bundle, redefined), bundle.manifest)


def test_nothing_unusual_is_no_section():
    assert section() == ""
    assert section(total_row()) == ""


def test_a_package_is_named_with_what_came():
    text = section(total_row(downloads=2_000))
    assert text.startswith("\n### Unusual weeks\n\nOf 1 package, 1 had a last week outside")
    assert text.endswith(
        "\n\n- flask: 2,000 downloads in the week to 21 November 2026, far above what was "
        "expected (500 to 900).\n"
    )


def test_groups_are_counted_apart():
    text = section(*(total_row(name, downloads=2_000) for name in ("flask", "@pallets")))
    assert "\n\nOf 1 package and 1 group, 2 had a last week outside the 95 % band" in text


def test_what_else_explains_it():
    assert "What counts as a download changed then" in section(
        total_row(downloads=2_000), redefined={LAST_WEEK}
    )
    text = section(*(total_row(name, downloads=1) for name in "abc"))
    assert "3 of them moved to the same side" in text


def test_the_section_is_bounded():
    many = MOST_WEEKS + 34
    text = section(*(total_row(f"p{at}", downloads=2_000) for at in range(many)))
    assert text.count("\n- ") == MOST_WEEKS + 1
    assert text.endswith("- and 34 more, nearer to it\n")
    assert len(text) < 5_000
    exact = section(*(total_row(f"p{at}", downloads=2_000) for at in range(MOST_WEEKS)))
    assert exact.count("\n- ") == MOST_WEEKS


def test_it_follows_the_summary_on_github(tmp_path):
    bundle = bundle_with(totals=[total_row(downloads=2_000)])
    path = tmp_path / "summary.md"
    path.write_text("## 1 of 1 package trained\n", encoding="utf-8")
    console = Console(on_actions=True, on_terminal=False, summary=path)
    console.report_weeks(last_week(bundle, ()), bundle.manifest)
    assert path.read_text(encoding="utf-8").startswith(
        "## 1 of 1 package trained\n\n### Unusual weeks\n"
    )
    Console(on_actions=False, on_terminal=False, summary=None).report_weeks(
        last_week(bundle, ()), bundle.manifest
    )
