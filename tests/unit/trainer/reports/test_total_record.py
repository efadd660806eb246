"""Totals are recorded when they are forecast and scored when all their days are known."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.bundle.tables import PAST_TOTALS_COLUMNS, TOTAL_TRACK, TOTAL_TRACK_COLUMNS
from tests.bundles import CREATED_AT, LAST_DAY, counts, make_bundle, outdated
from tests.unit.trainer.test_track_record import updated as updated_days
from tests.unit.trainer.test_track_record import with_record
from trainer.reports.total_record import update_total_record

START = LAST_DAY + dt.timedelta(days=1)
TODAY = CREATED_AT.date() + dt.timedelta(days=7)


@pytest.fixture
def previous():
    return make_bundle(["flask"])


def grown(days=7, size=1000):
    """The counts of ``make_bundle`` with more days after them."""
    return pd.concat([counts(), counts(LAST_DAY + dt.timedelta(days=days), days, size)])


def updated(previous, counts, outages=(), today=TODAY, *, through=None, most=6000):
    record = update_total_record(
        previous, "flask", counts, outages, today, through=through, most=most
    )
    return [pd.DataFrame(columns) for columns in record]


def test_a_total_whose_days_have_come_is_scored_and_the_others_wait(previous):
    past, record = updated(previous, grown())
    assert past["days"].tolist() == [14, 28, 30]
    assert {"package", *record.columns} == {*TOTAL_TRACK_COLUMNS}
    [row] = record.to_dict("records")
    total = previous.totals("flask")[7]
    assert (row["start"].date(), row["days"], row["made_on"].date()) == (START, 7, START)
    assert (row["mean"], row["lower_95"], row["upper_80"]) == (
        total.mean,
        total.lower_95,
        total.upper_80,
    )
    assert row["downloads"] == grown().tail(7).sum()
    assert row["before"] == pytest.approx(counts().tail(28).mean() * 7, abs=0.05)


def test_a_missing_day_is_waited_for(previous):
    lost = pd.Timestamp(START) + pd.Timedelta(days=2)
    past, record = updated(previous, grown().drop(lost))
    assert past["days"].tolist() == [7, 14, 28, 30]
    assert record.empty
    second = with_record(previous, (*_days(previous), past, record))
    assert len(updated(second, grown())[1]) == 1
    past, record = updated(second, grown().drop(lost), today=TODAY + dt.timedelta(days=120))
    assert past.empty
    assert record.empty


def _days(previous):
    return updated_days(previous, grown(), (), TODAY)


def test_the_zeros_that_a_source_leaves_out_are_counted(previous):
    silent = START + dt.timedelta(days=9)  # days on which others were counted
    _, record = updated(previous, counts(), through=silent, today=silent)
    assert record["downloads"].tolist() == [0]
    _, record = updated(previous, counts(), through=START + dt.timedelta(days=6))
    assert record.empty  # that may be late counts


def test_a_total_with_an_outage_is_never_scored(previous):
    outage = START + dt.timedelta(days=10)
    past, record = updated(previous, grown(), {outage})
    assert past.empty
    assert record["days"].tolist() == [7]


def test_a_total_is_scored_once(previous):
    totals = updated(previous, grown())
    second = with_record(previous, (*_days(previous), *totals))
    past, record = updated(second, grown(14), today=TODAY + dt.timedelta(days=7))
    assert record["days"].tolist() == [7, 14]
    assert past["days"].tolist() == [28, 30]
    third = with_record(previous, (*_days(previous), past, record))
    found = pd.DataFrame(third.tables[TOTAL_TRACK].columns("flask"))
    pd.testing.assert_frame_equal(found, record[found.columns], check_dtype=False)


def test_the_oldest_rows_are_dropped(previous):
    later = TODAY + dt.timedelta(days=30)
    assert updated(previous, grown(30), today=later)[1]["days"].tolist() == [7, 14, 28, 30]
    assert updated(previous, grown(30), today=later, most=12)[1]["days"].tolist() == [28, 30]


def test_a_package_without_counts_or_without_a_model_is_no_trouble(previous):
    past, record = updated(previous, None)
    assert len(past) == 4
    assert record.empty
    for bundle in (outdated(previous), make_bundle(["other"])):
        past, record = updated(bundle, grown())
        assert {"package", *past.columns} == {*PAST_TOTALS_COLUMNS}
        assert {"package", *record.columns} == {*TOTAL_TRACK_COLUMNS}
        assert len(past) == len(record) == 0
        with_record(previous, (*_days(previous), past, record))


def test_huge_counts_are_scored(previous):
    _, record = updated(previous, grown(size=10**12))
    assert record["downloads"].tolist() == [grown(size=10**12).tail(7).sum()]
    with_record(previous, (*_days(previous), *updated(previous, grown(size=10**12))))
