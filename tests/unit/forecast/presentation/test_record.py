"""What a lay reader is told of the record, and what a program gets."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from forecast.presentation.record import (
    NO_RECORD,
    last_week_sentences,
    record_answer,
    record_sentences,
    week_sentence,
)
from forecast.record.record import make_record
from forecast.record.weeks import LastWeek, last_week
from tests.bundles import make_bundle
from tests.unit.forecast.record.records import LAST_WEEK, bundle_with, day_row, total_row

WEEK = dt.timedelta(days=7)
SPACE = "\N{NO-BREAK SPACE}"


def days(count=80, held=0.8, **values):
    """Days of several forecasts of two packages, of which a share held."""
    return [
        day_row(
            "ab"[at % 2],
            ahead=1 + at // 2 % 14,
            made_on=LAST_WEEK - (at // 28) * WEEK,
            inside_80=int(at < held * count),
            **values,
        )
        for at in range(count)
    ]


def told(days=(), totals=()):
    return " ".join(record_sentences(make_record(bundle_with(days, totals)))).replace(SPACE, " ")


def test_no_record_is_one_sentence():
    assert record_sentences(make_record(make_bundle(["flask"]))) == [NO_RECORD]


def test_too_little_to_tell_says_what_it_takes():
    text = told([day_row()])
    assert text.startswith("Compared with the counts: 1 forecast of 1 package, since 15 November")
    assert "That is too little to tell how many days hold (1 day): it takes 50 days" in text
    assert "Too few totals of 7 days have been compared yet (0): it takes 20." in text
    assert "how often the direction was right (0)" in text
    assert "None" not in text
    assert "nan" not in text


def test_days_that_held():
    text = told(days(80))
    assert "Of the 80 days we called 80 % sure, 80 % held; of those we called 95 % sure, 100 %" in (
        text
    )
    assert "too sure" not in text
    assert "wider" not in text


@pytest.mark.parametrize(
    ("inside_80", "inside_95", "verdict"),
    [
        (0.6, 1.0, "So we were too sure."),
        (0.8, 0.8, "So we were too sure."),
        (0.77, 0.92, ""),
        (0.83, 1.0, ""),
        (0.95, 0.95, ""),
        (0.95, 1.0, "So the bands were wider than they had to be."),
    ],
)
def test_the_verdict_takes_both_bands(inside_80, inside_95, verdict):
    rows = days(100, inside_80)
    for at, row in enumerate(rows):
        row["inside_95"] = int(at < inside_95 * 100)
    told_of_days = told(rows).partition("Too few totals")[0]
    assert told_of_days.rstrip().endswith(verdict or "%.")


def test_the_error_of_each_week():
    text = told(days(160, error=9.5, naive_error=19) + days(0))
    assert "was 49 % smaller in the first week ahead and 49 % smaller in the second" in text
    text = told(days(160, error=20.0, naive_error=20))
    assert "was as large in the first week ahead" in text
    assert "21 % larger in the first" in told(days(160, error=24.3, naive_error=20))


def test_totals_and_direction():
    totals = [
        total_row(start=LAST_WEEK - run * WEEK, days=span) for run in range(20) for span in (7, 28)
    ]
    text = told(days(), totals)
    assert "Of the 20 totals of 7 days we called 80 % sure, 100 % held" in text
    assert "Of the 20 totals of 28 days we called 80 % sure, 100 % held" in text
    assert (
        "change of at least 2 % from four weeks to the next four, the direction was right in 100 % "
        "of 20 cases." in text
    )


def test_groups_are_counted_apart():
    rows = [day_row(name) for name in ("flask", "@web", "@data")]
    bundle = bundle_with(rows, [total_row(name) for name in ("flask", "click", "@web")])
    record, last = make_record(bundle), last_week(bundle, ())
    assert "3 forecasts of 1 package and 2 groups, since" in record_sentences(record)[0]
    answer = record_answer(record, last)
    assert (answer["packages"], answer["groups"]) == (1, 2)
    assert (last.judged, last.groups) == (3, 1)
    assert last_week_sentences(last)[0].startswith("Of 2 packages and 1 group, 0 had a last week")
    only = make_record(bundle_with([day_row("@web")]))
    assert "1 forecast of 1 group, since" in record_sentences(only)[0]


def test_forecasts_shorter_than_a_week_have_totals_too():
    totals = [total_row(start=LAST_WEEK - run * WEEK, days=5) for run in range(20)]
    assert "Of the 20 totals of 5 days we called" in told(days(), totals)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"downloads": 2_345_678},
            "in the week to 21 November 2026, far above what was expected (500 to 900).",
        ),
        ({"downloads": 2_345_678}, "Flask: 2.3 million downloads in the"),
        ({"downloads": 0}, "far below what was expected (500 to 900)."),
        ({"downloads": 901}, "2026, above what was expected"),
        (
            {
                "downloads": 10,
                "lower_95": 9e8,
                "lower_80": 9e8,
                "mean": 9.5e8,
                "upper_95": 1.4e9,
                "upper_80": 1e9,
            },
            "expected (0.90 to 1.40 billion).",
        ),
    ],
)
def test_a_week_in_words(values, text):
    [week] = last_week(bundle_with(totals=[total_row(**values)]), ()).weeks
    assert text in week_sentence(week, "Flask")


def test_what_else_explains_a_week():
    bundle = bundle_with(totals=[total_row(name, downloads=1) for name in "abc"])
    common = last_week(bundle, ()).weeks[0]
    assert "Most packages moved to the same side" in week_sentence(common, "a")
    changed = last_week(bundle, {LAST_WEEK}).weeks[0]
    assert "What counts as a download changed then" in week_sentence(changed, "a")
    one, two = last_week_sentences(last_week(bundle, ()))
    assert one.startswith("Of 3 packages, 3 had a last week outside the 95 % band")
    assert two.startswith("3 of them moved to the same side")
    assert last_week_sentences(LastWeek(0, ())) == []
    assert len(last_week_sentences(LastWeek(1, ()))) == 1


@pytest.mark.parametrize("rows", [([], []), (days(), [total_row(downloads=9e13)])])
def test_the_answer_is_json(rows):
    bundle = bundle_with(*rows)
    answer = record_answer(make_record(bundle), last_week(bundle, ()), 10)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert list(answer) == [
        *("since", "through", "forecasts", "packages", "groups", "days", "totals", "skill"),
        *("direction", "surprises", "last_week", "sentences"),
    ]


def test_the_answer_lists_no_more_weeks_than_asked_for():
    bundle = bundle_with(totals=[total_row(name, downloads=1) for name in "abcd"])
    last = record_answer(make_record(bundle), last_week(bundle, ()), 2)["last_week"]
    assert (last["judged"], last["outside"], len(last["weeks"])) == (4, 4, 2)
    assert last["weeks"][0] == {
        "package": "a",
        "start": "2026-11-15",
        "end": "2026-11-21",
        "downloads": 1.0,
        "mean": 700.0,
        "lower_95": 500.0,
        "upper_95": 900.0,
        "cause": "common",
        "picture": "picture/a.svg",
    }
