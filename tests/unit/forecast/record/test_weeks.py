"""Weeks outside their 95 % band, and what else explains them."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from forecast.record.weeks import all_weeks, last_week, surprises
from tests.bundles import CREATED_AT, make_bundle
from tests.unit.forecast.record.records import LAST_WEEK, bundle_with, total_row

WEEK = dt.timedelta(days=7)


def found(rows, redefined=()):
    return last_week(bundle_with(totals=rows), redefined)


def test_a_bundle_without_a_record_judges_no_week():
    assert last_week(make_bundle(["flask"]), ()).judged == 0
    assert found([]).judged == 0
    assert found([]).weeks == ()
    assert all_weeks(make_bundle(["flask"]), ()) == []


def test_a_week_within_its_band_is_judged_and_not_told():
    for downloads in (500, 700, 900):
        assert found([total_row(downloads=downloads)]).judged == 1
        assert found([total_row(downloads=downloads)]).weeks == ()


def test_a_week_outside_its_band():
    [week] = found([total_row(downloads=1500)]).weeks
    assert (week.package, week.above, week.cause) == ("flask", True, "own")
    assert (week.start, week.end) == (LAST_WEEK, dt.date(2026, 11, 21))
    assert (week.downloads, week.mean, week.lower, week.upper) == (1500, 700, 500, 900)
    assert week.distance == pytest.approx(801 / 201)
    [week] = found([total_row(downloads=499)]).weeks
    assert not week.above


def test_a_band_without_width_has_a_distance():
    ends = dict.fromkeys(["mean", "lower_80", "upper_80", "lower_95", "upper_95"], 0.0)
    [week] = found([total_row(**ends, downloads=3)]).weeks
    assert week.distance == 4.0
    assert found([total_row(**ends, downloads=0)]).weeks == ()


def test_other_totals_are_no_week():
    assert found([total_row(days=days, downloads=9) for days in (14, 28, 30)]).judged == 0


def test_the_newest_week_counts_and_only_if_it_is_recent():
    before = total_row(start=LAST_WEEK - WEEK, downloads=1)
    assert found([before, total_row()]).weeks == ()
    assert found([total_row(), before]).judged == 1
    assert found([before]).judged == 1  # it ended eight days before the run
    assert found([total_row(start=LAST_WEEK - 2 * WEEK, downloads=1)]).judged == 0


def test_the_farthest_comes_first():
    rows = [
        total_row(name, downloads=downloads)
        for name, downloads in (("a", 950), ("b", 99_000), ("c", 100), ("d", 710), ("e", 710))
    ]
    assert [week.package for week in found(rows).weeks] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("away", "names", "cause"),
    [
        (3, "abcde", "common"),  # more than half
        (2, "abcd", "own"),  # half
        (2, "ab", "own"),  # all, but too few to tell
        (3, "abc", "common"),
    ],
)
def test_most_packages_together_are_told_apart(away, names, cause):
    rows = [total_row(name, downloads=1 if at < away else 700) for at, name in enumerate(names)]
    assert {week.cause for week in found(rows).weeks} == {cause}


@pytest.mark.parametrize(
    ("away", "within", "causes"),
    [
        (["a", "@a", "@b", "@c"], "bc", {"own"}),  # one package, and the groups that it is in
        (["a", "b", "@a"], "c@b@c@d", {"common"}),  # most packages, and few groups
        (["a", "b", "@a"], "", {"own"}),  # two packages are too few
        (["@a", "@b", "@c"], "@d", {"common"}),  # nothing but groups
        (["@a", "@b", "@c"], "a", {"own"}),
    ],
)
def test_groups_are_no_more_packages_that_move(away, within, causes):
    rows = [total_row(name, downloads=1) for name in away]
    rows += [total_row(name) for name in re.findall("@?.", within)]
    assert {week.cause for week in found(rows).weeks} == causes
    assert {week.cause for week in all_weeks(bundle_with(totals=rows), ())} == causes


def test_one_that_moves_against_the_others_stands_for_itself():
    rows = [total_row(name, downloads=1) for name in "abcd"] + [total_row("e", downloads=1500)]
    causes = {week.package: week.cause for week in found(rows).weeks}
    assert causes == dict.fromkeys("abcd", "common") | {"e": "own"}


@pytest.mark.parametrize(
    ("days", "cause"),
    [(-7, "own"), (-6, "definition"), (0, "definition"), (6, "definition"), (7, "own")],
)
def test_a_change_of_definition_is_told_apart(days, cause):
    changed = LAST_WEEK + dt.timedelta(days=days)
    [week] = found([total_row(downloads=1)], {changed}).weeks
    assert week.cause == cause


def test_all_weeks_do_not_overlap():
    starts = [LAST_WEEK + dt.timedelta(days=days) for days in (-14, -11, -7, -1, 0)]
    rows = [total_row(start=start, downloads=1) for start in starts]
    weeks = all_weeks(bundle_with(totals=rows), ())
    assert [week.start for week in weeks] == [starts[0], starts[2], starts[4]]


def test_packages_move_together_only_in_one_run():
    rows = [
        total_row(name, start=LAST_WEEK - at * WEEK, downloads=1)
        for at, name in enumerate(["a", "b", "c"])
    ]
    assert {week.cause for week in all_weeks(bundle_with(totals=rows), ())} == {"own"}


def test_surprises_are_one_a_package_and_no_change_of_definition():
    changed = LAST_WEEK - 20 * WEEK
    rows = [total_row("a", start=LAST_WEEK - at * WEEK, downloads=10**at) for at in (4, 5)]
    rows += [total_row("b", start=changed, downloads=10**9), total_row("c", downloads=1)]
    weeks = surprises(all_weeks(bundle_with(totals=rows), {changed}), 5, {})
    assert [(week.package, week.downloads) for week in weeks] == [("a", 1e5), ("c", 1)]
    assert surprises(weeks, 1, {}) == weeks[:1]


PARTS = {"@g": {"a", "b", "c"}}


@pytest.mark.parametrize(
    ("downloads", "told"),
    [
        ({"@g": 9_000, "a": 5_000}, "a"),  # the part made most of it, though it is less far out
        ({"@g": 5_000, "a": 9_000}, "a"),
        ({"@g": 9_000, "a": 3_700, "b": 3_700}, "ab"),  # two parts together did
        ({"@g": 9_000, "a": 3_700}, "@ga"),  # it made less than half
        ({"@g": 9_000, "a": 1}, "@ga"),  # the other side
        ({"@g": 9_000, "d": 9_000}, "@gd"),  # no part of it
    ],
)
def test_a_group_is_no_surprise_beside_the_parts_that_moved_it(downloads, told):
    rows = [total_row(name, downloads=number) for name, number in downloads.items()]
    weeks = surprises(all_weeks(bundle_with(totals=rows), ()), 5, PARTS)
    assert "".join(week.package for week in weeks) == told


def test_a_group_is_a_surprise_of_its_own_where_its_part_is_not_told():
    rows = [total_row("@g", downloads=9_000), total_row("a", downloads=5_000)]
    weeks = all_weeks(bundle_with(totals=rows), ())
    assert [week.package for week in surprises(weeks, 1, PARTS)] == ["@g"]
    rows[1]["start"] -= WEEK  # another week
    weeks = all_weeks(bundle_with(totals=rows), ())
    assert [week.package for week in surprises(weeks, 5, PARTS)] == ["@g", "a"]


def test_the_next_surprise_takes_the_place_of_a_group():
    numbers = {"@g": 9_000, "a": 8_000, "d": 3_000}
    rows = [total_row(name, downloads=number) for name, number in numbers.items()]
    weeks = surprises(all_weeks(bundle_with(totals=rows), ()), 2, PARTS)
    assert [week.package for week in weeks] == ["a", "d"]


def test_the_present_is_that_of_the_run():
    later = bundle_with(totals=[total_row(downloads=1)], created_at=CREATED_AT + 2 * WEEK)
    assert last_week(later, ()).judged == 0
