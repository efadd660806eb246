"""Forecasts are recorded when they are made and scored when their days have passed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from forecast.bundle.tables import PAST, PAST_COLUMNS, TRACK, TRACK_COLUMNS
from forecast.model.pickling import dumps
from tests.bundles import CREATED_AT, LAST_DAY, counts, files_of, make_bundle, outdated, written
from trainer.reports.track_record import most_rows, update_track_record

TODAY = CREATED_AT.date() + dt.timedelta(days=7)


def grown(name_size=1000, days=7, factor=1.0):
    """The counts of ``make_bundle`` with more days after them."""
    old = counts(size=name_size)
    index = pd.date_range(pd.Timestamp(LAST_DAY) + pd.Timedelta(days=1), periods=days)
    new = pd.Series((old.tail(7).to_numpy() * factor).astype("int64")[:days], index=index[:7])
    return pd.concat([old, new])


@pytest.fixture
def previous():
    return make_bundle(["flask"])


def updated(previous, counts, outages, today, *, most=1000, name="flask"):
    """The track record of a package, as two frames."""
    record = update_track_record(previous, name, counts, outages, today, most=most)
    return [pd.DataFrame(columns) for columns in record]


def with_record(bundle, record):
    """The bundle as a run that kept this record would have made it, once around by zip."""
    days = bundle.manifest.forecast_days

    def write(writer):
        for name in bundle.names:
            model = bundle.model(name)
            made, totals = model.predict_with_totals(days)
            writer.history(name, bundle.history(name))
            about = bundle.entry(name)
            writer.add(name, about, dumps(model), made, totals=totals, pictures={})
        writer.record(
            "flask", *({each: rows[each].to_numpy() for each in rows.columns} for rows in record)
        )

    return written(write, bundle.manifest)


def test_days_that_have_come_are_scored_and_the_others_wait(previous):
    past, track = updated(previous, grown(), (), TODAY)
    assert len(track) == 7
    assert len(past) == 23
    assert past["date"].min() == pd.Timestamp("2026-11-29")
    assert track["horizon"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert set(track["made_on"]) == {pd.Timestamp("2026-11-22")}


def test_a_score_compares_the_forecast_with_the_count(previous):
    _, track = updated(previous, grown(factor=1.5), (), TODAY)
    first = track.iloc[0]
    forecast = previous.forecast("flask").iloc[0]
    actual = int(counts().iloc[-7] * 1.5)
    assert first["date"] == pd.Timestamp("2026-11-22")
    assert first["downloads"] == actual
    assert first["forecast"] == forecast["median"]
    assert first["error"] == pytest.approx(abs(forecast["median"] - actual), abs=0.05)
    assert track["error"].tolist() == track["error"].round(1).tolist()
    assert first["naive_error"] == actual - counts().iloc[-7]
    assert first["inside_95"] == int(forecast["lower_95"] <= actual <= forecast["upper_95"])
    assert first["inside_80"] == int(forecast["lower_80"] <= actual <= forecast["upper_80"]) == 0


def test_what_came_as_expected_lies_inside(previous):
    _, track = updated(previous, grown(), (), TODAY)
    assert track["inside_80"].tolist() == [1] * 7
    assert track["inside_95"].tolist() == [1] * 7


def test_an_outage_is_never_scored(previous):
    outage = dt.date(2026, 11, 24)
    past, track = updated(previous, grown(), {outage}, TODAY)
    assert pd.Timestamp(outage) not in set(track["date"])
    assert pd.Timestamp(outage) not in set(past["date"])


def test_a_missing_day_waits_and_is_scored_by_a_later_run(previous):
    lost = pd.Timestamp("2026-11-24")
    record = updated(previous, grown().drop(lost), (), TODAY)
    assert lost in set(record[0]["date"])
    second = with_record(previous, record)
    _, track = updated(second, grown(), (), TODAY + dt.timedelta(days=7))
    assert track[track["date"] == lost]["made_on"].tolist() == [pd.Timestamp("2026-11-22")]


def test_a_day_is_scored_once_for_each_time_it_was_forecast(previous):
    record = updated(previous, grown(), (), TODAY)
    second = with_record(previous, record)
    past, track = updated(second, grown(), (), TODAY)
    assert not track.duplicated(["date", "made_on"]).any()
    assert len(track) + len(past) == 30


def test_a_count_is_waited_for_for_sixty_days(previous):
    first = LAST_DAY + dt.timedelta(days=1)
    for days, left in ((60, 30), (61, 29)):
        past, _ = updated(previous, counts(), (), first + dt.timedelta(days=days))
        assert len(past) == left


def test_what_never_comes_is_not_waited_for_for_ever(previous):
    past, track = updated(previous, counts(), (), TODAY + dt.timedelta(days=120))
    assert past.empty
    assert track.empty


def test_a_package_without_counts_is_no_trouble(previous):
    past, track = updated(previous, None, (), TODAY)
    assert len(past) == 30
    assert track.empty
    with_record(previous, (past, track))


def test_the_naive_forecast_is_the_last_week_before_the_forecast(previous):
    long = pd.concat([counts(), counts(LAST_DAY + dt.timedelta(days=28), days=28, size=5000)])
    _, track = updated(previous, long, (), TODAY + dt.timedelta(days=28))
    assert len(track) == 28
    for _, row in track.iterrows():
        weeks = int(np.ceil(row["horizon"] / 7))
        naive = long[row["date"] - pd.Timedelta(days=7 * weeks)]
        assert row["naive_error"] == abs(naive - row["downloads"])


def test_the_record_survives_a_bundle(previous):
    past, track = updated(previous, grown(), (), TODAY)
    read = with_record(previous, (past, track))
    assert {PAST, TRACK} <= files_of(read).keys()
    for table, rows in ((TRACK, track), (PAST, past)):
        found = pd.DataFrame(read.tables[table].columns("flask"))
        pd.testing.assert_frame_equal(found, rows[found.columns], check_dtype=False)


def test_a_first_bundle_has_an_empty_record(previous):
    assert previous.tables[TRACK].of("flask").empty
    assert previous.tables[PAST].of("flask").empty


def test_of_too_many_rows_the_oldest_go_first(previous):
    past, track = updated(previous, grown(), (), TODAY, most=3)
    assert track["date"].dt.day.tolist() == [26, 27, 28]
    assert len(past) == 23


def test_the_rows_are_divided_among_the_packages():
    assert most_rows(5_000) == 80
    assert most_rows(100_000) == 60
    assert most_rows(0) == most_rows(1) == 400_000


def test_a_package_that_the_bundle_does_not_know_has_no_record(previous):
    past, track = updated(previous, grown(), (), TODAY, name="django")
    assert {"package", *past.columns} == {*PAST_COLUMNS}
    assert {"package", *track.columns} == {*TRACK_COLUMNS}
    assert len(past) == len(track) == 0


def test_the_forecasts_of_a_bundle_of_the_format_before_are_scored(previous):
    past, track = updated(outdated(previous), grown(), (), TODAY)
    assert past["median"].tolist() == past["mean"].tolist()
    assert len(track) == 7
    with_record(previous, (past, track))
