"""How good all forecasts were: every figure of rows that can be counted by hand."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import pytest

from forecast.bundle.manifest import PartEntry
from forecast.record.record import Coverage, Direction, make_record
from tests.bundles import make_bundle
from tests.unit.forecast.record.records import LAST_WEEK, bundle_with, day_row, total_row

WEEK = dt.timedelta(days=7)


def record_of(days=(), totals=(), redefined=()):
    return make_record(bundle_with(days, totals), redefined)


def many(rows_per_forecast=10, forecasts=6, **values):
    """Days of several forecasts of Flask."""
    return [
        day_row(ahead=ahead, made_on=LAST_WEEK - run * WEEK, **values)
        for run in range(forecasts)
        for ahead in range(1, rows_per_forecast + 1)
    ]


@pytest.mark.parametrize("bundle", [make_bundle(["flask"]), bundle_with()])
def test_no_record(bundle):
    record = make_record(bundle)
    assert (record.since, record.through, record.forecasts, record.packages) == (None, None, 0, 0)
    assert record.days == Coverage(0)
    assert record.totals == {}
    assert record.skill == ()
    assert record.surprises == ()
    assert record.direction == Direction(0)


def test_since_when_and_over_how_many():
    rows = [day_row("a", ahead=3), day_row("a", ahead=4), day_row("b", made_on=LAST_WEEK - WEEK)]
    record = record_of(rows)
    assert record.since == LAST_WEEK - WEEK
    assert record.through == LAST_WEEK + dt.timedelta(days=3)
    assert (record.forecasts, record.packages) == (2, 2)


def test_too_few_days_have_no_share():
    assert record_of([day_row()]).days == Coverage(1)
    assert record_of(many(forecasts=4, rows_per_forecast=30)).days == Coverage(
        120
    )  # four forecasts
    assert record_of(many(rows_per_forecast=8)).days == Coverage(48)
    assert record_of(many()).days == Coverage(60, 1.0, 1.0)


def test_days_that_held():
    rows = many()
    for row in rows[:15]:
        row["inside_80"] = 0
    for row in rows[:3]:
        row["inside_95"] = 0
    assert record_of(rows).days == Coverage(60, 0.75, 0.95)


def test_totals_that_held():
    starts = [LAST_WEEK - run * WEEK for run in range(20)]
    rows = [total_row(start=start, downloads=500 + 20 * at) for at, start in enumerate(starts)]
    totals = record_of(totals=[*rows, total_row(days=28)]).totals
    assert totals == {7: Coverage(20, 11 / 20, 1.0), 28: Coverage(1)}


def test_the_error_of_each_week_is_compared_with_that_of_repeating_the_last_week():
    rows = many(14, error=9.5, naive_error=19)
    for row in rows:
        if row["horizon"] > 7:
            row["error"] = 39.5
    first, second = record_of(rows).skill
    assert (first.week, first.compared) == (1, 42)
    assert first.ratio is None  # too few
    assert (second.week, second.compared, second.ratio) == (2, 42, None)
    first, second = record_of(rows + [row | {"package": "b"} for row in rows]).skill
    assert first.ratio == pytest.approx(10 / 19.5)
    assert second.ratio == pytest.approx(40 / 19.5)


def test_a_package_counts_once_however_large_it_is():
    small = many(error=99.5, naive_error=199)
    large = [row | {"package": "b", "error": 4e11, "naive_error": 1e11} for row in many()]
    skill = record_of(small + large).skill[0]
    assert skill.ratio == pytest.approx(math.sqrt(0.5013 * 4), rel=1e-3)


def test_errors_of_zero_have_a_ratio():
    [first] = record_of(many(10, 12, error=0.0, naive_error=0)).skill
    assert first.ratio == 1.0
    [first] = record_of(many(10, 12, error=7.5, naive_error=0)).skill
    assert first.ratio == pytest.approx(16.0)


@pytest.mark.parametrize(("days", "weeks"), [(5, [1]), (7, [1]), (13, [1]), (14, [1, 2])])
def test_some_days_after_the_last_whole_week_are_no_week(days, weeks):
    assert [each.week for each in record_of(many(days)).skill] == weeks


def months(count, **values):
    return [
        total_row(days=28, start=LAST_WEEK - (2 + run) * WEEK, **values) for run in range(count)
    ]


def test_the_direction_where_one_was_named():
    right = months(15)  # 700 expected after 650, and 710 came
    wrong = [row | {"package": "b", "downloads": 640} for row in months(5)]
    same = [row | {"package": "c", "before": 699.0} for row in months(5)]  # none was named
    assert record_of(totals=right + wrong + same).direction == Direction(20, 0.75)
    assert record_of(totals=right).direction == Direction(15)


def test_where_nothing_changed_no_direction_was_right():
    rows = months(20, downloads=650)
    assert record_of(totals=rows).direction == Direction(20, 0.0)


def test_zeros_have_no_direction():
    ends = dict.fromkeys(["mean", "lower_80", "lower_95"], 0.0)
    rows = months(20, **ends, before=0.0, downloads=0)
    assert record_of(totals=rows).direction == Direction(0)


def test_no_direction_was_named_across_a_change_of_definition():
    start = LAST_WEEK - 2 * WEEK
    rows = months(1)
    for away in (-27, 0, 27):
        changed = {start + dt.timedelta(days=away)}
        assert record_of(totals=rows, redefined=changed).direction.named == 0
    for away in (-28, 28):
        changed = {start + dt.timedelta(days=away)}
        assert record_of(totals=rows, redefined=changed).direction.named == 1


def test_the_five_largest_surprises():
    rows = [total_row(name, downloads=1000 + at) for at, name in enumerate("abcdefg")]
    rows.append(total_row("h", downloads=700))
    assert [week.package for week in record_of(totals=rows).surprises] == list("gfedc")


def test_a_group_is_no_surprise_beside_the_part_that_moved_it():
    parts = (PartEntry(name="flask"), PartEntry(name="click"))
    made = bundle_with(totals=[total_row(name, downloads=9_000) for name in ("flask", "@web")])
    group = made.entry("flask").model_copy(update={"label": "@web", "parts": parts})
    packages = {**made.manifest.packages, "@web": group}
    bundle = replace(made, manifest=made.manifest.model_copy(update={"packages": packages}))
    assert [week.package for week in make_record(bundle).surprises] == ["flask"]
