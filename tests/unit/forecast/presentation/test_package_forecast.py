import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.bands import are_totals
from forecast.config import Package
from forecast.errors import BundleError
from forecast.presentation.package_forecast import from_bundle
from tests.bundles import LAST_DAY, counts, make_bundle, with_files

FLASK = Package("flask", "Flask")


def later(days, size=1000):
    return counts(LAST_DAY + dt.timedelta(days=days), days=70 + days, size=size)


def test_without_newer_days_the_bundle_s_own_table_serves():
    bundle = make_bundle()
    forecast = from_bundle(bundle, FLASK, None, ())
    assert forecast.observed_through == forecast.trained_through == LAST_DAY
    assert forecast.daily.start == LAST_DAY + dt.timedelta(days=1)
    np.testing.assert_array_equal(forecast.daily.mean, bundle.forecast("flask")["mean"])
    assert forecast.package.label == "Flask"


def test_newer_days_move_the_forecast_without_a_refit():
    bundle = make_bundle()
    newer = later(3)
    newer.iloc[-1] = 123_456
    forecast = from_bundle(bundle, FLASK, newer, ())
    assert forecast.trained_through == LAST_DAY
    assert forecast.observed_through == LAST_DAY + dt.timedelta(days=3)
    assert forecast.daily.start == LAST_DAY + dt.timedelta(days=4)
    assert forecast.series.values[-1] == 123_456
    expected = bundle.model("flask").extend([float(value) for value in newer.iloc[-3:]])
    np.testing.assert_allclose(forecast.daily.mean, expected.predict(30).mean)
    assert forecast.model.pattern == bundle.model("flask").pattern
    assert forecast.total.mean == pytest.approx(forecast.daily.mean.sum())


def test_newer_days_that_bring_nothing_change_nothing():
    bundle = make_bundle()
    forecast = from_bundle(bundle, FLASK, later(0), ())
    assert forecast.observed_through == LAST_DAY
    np.testing.assert_array_equal(forecast.daily.mean, bundle.forecast("flask")["mean"])


def test_a_hole_in_the_newer_days_is_repaired():
    newer = later(4).drop(pd.Timestamp(LAST_DAY + dt.timedelta(days=2)))
    forecast = from_bundle(make_bundle(), FLASK, newer, ())
    assert forecast.series.repaired == (LAST_DAY + dt.timedelta(days=2),)
    assert len(forecast.model.history) == 74


def test_days_that_fell_out_of_pypi_stats_come_from_the_bundle():
    newer = later(5).iloc[-20:]
    forecast = from_bundle(make_bundle(), FLASK, newer, ())
    assert len(forecast.series.values) == 75
    assert forecast.series.start == LAST_DAY - dt.timedelta(days=69)


def test_newer_days_too_far_away_leave_the_bundle_s_own():
    newer = counts(LAST_DAY + dt.timedelta(days=400), days=20)
    forecast = from_bundle(make_bundle(), FLASK, newer, ())
    assert forecast.observed_through == LAST_DAY
    assert "newer counts of Flask cannot be used" in forecast.problem


def test_known_outages_are_repaired_in_the_history():
    day = LAST_DAY - dt.timedelta(days=10)
    forecast = from_bundle(make_bundle(outages=(day,)), FLASK, None, {day - dt.timedelta(days=1)})
    assert forecast.series.repaired == (day - dt.timedelta(days=1), day)


def test_more_days_than_the_table_has_come_from_the_model():
    forecast = from_bundle(make_bundle(), FLASK, None, ())
    made = forecast.ahead(45)
    assert len(made.mean) == 45
    assert made.start == forecast.daily.start
    np.testing.assert_allclose(made.mean[:30], forecast.daily.mean, atol=0.1)


def test_fewer_days_are_cut_from_the_table():
    forecast = from_bundle(make_bundle(), FLASK, None, ())
    assert forecast.ahead(7).upper_95.tolist() == forecast.daily.upper_95[:7].tolist()


def test_the_total_has_a_band_of_its_own():
    forecast = from_bundle(make_bundle(), FLASK, None, ())
    assert forecast.total.mean == pytest.approx(forecast.daily.mean.sum(), rel=1e-3)
    assert forecast.daily.lower_80.sum() < forecast.total.lower_80 < forecast.total.mean


def broken_bundle():
    """A bundle whose models another version wrote."""
    bundle = make_bundle()
    return with_files(bundle, **{f"{name}__pkl": b"\x80\x05N." for name in bundle.names})


def test_a_model_that_cannot_be_read_leaves_the_published_forecast():
    forecast = from_bundle(broken_bundle(), FLASK, None, ())
    assert forecast.change is None
    assert forecast.days_off == {}
    assert forecast.total == broken_bundle().totals("flask")[30]
    assert forecast.expected == pytest.approx(forecast.daily.mean.sum(), rel=1e-3)
    assert len(forecast.ahead(30).mean) == 30
    with pytest.raises(BundleError):
        forecast.ahead(31)


def test_a_model_that_cannot_be_read_takes_no_newer_days():
    forecast = from_bundle(broken_bundle(), FLASK, later(3), ())
    assert forecast.observed_through == LAST_DAY
    assert "The model of Flask cannot be used" in forecast.problem


def test_the_published_total_needs_no_model(monkeypatch):
    bundle = make_bundle()
    forecast = from_bundle(bundle, FLASK, None, ())
    monkeypatch.setattr("forecast.model.pickling.loads", lambda _: 1 / 0)
    assert forecast.total == bundle.totals("flask")[30]


def test_days_off_are_those_that_move_the_forecast():
    forecast = from_bundle(make_bundle(), FLASK, None, ())
    n = len(forecast.model.history)
    gap = replace(forecast.model, days_off=((n, 0.01), (n + 4, 0.4), (n + 29, 0.1)))
    gap = replace(gap, gap=0.5)
    marked = replace(forecast, load=lambda: gap).days_off
    assert marked == {
        LAST_DAY + dt.timedelta(days=5): pytest.approx(1 - np.exp(-0.2)),
        LAST_DAY + dt.timedelta(days=30): pytest.approx(1 - np.exp(-0.05)),
    }
    stopped = replace(forecast.series, stopped=LAST_DAY - dt.timedelta(days=9))
    silent = replace(forecast, load=lambda: gap, series=stopped)
    assert silent.days_off == {}


def test_a_package_without_a_model():
    with pytest.raises(BundleError, match="django"):
        from_bundle(make_bundle(), Package("django", "django"), None, ())


def test_a_package_whose_counts_stopped_is_forecast_as_one():
    through = LAST_DAY + dt.timedelta(days=20)
    forecast = from_bundle(make_bundle(), FLASK, later(0), (), through=through)
    assert forecast.no_counts_since == LAST_DAY
    assert forecast.observed_through == through
    assert forecast.daily.start == through + dt.timedelta(days=1)
    assert not forecast.series.values[-20:].any()
    assert forecast.total.mean < 0.1 * forecast.series.values[:-20].mean() * 30


def test_without_an_answer_silence_says_nothing():
    through = LAST_DAY + dt.timedelta(days=20)
    forecast = from_bundle(make_bundle(), FLASK, None, (), "down", through=through)
    assert forecast.no_counts_since is None
    assert forecast.observed_through == LAST_DAY


def test_weeks_are_whole_and_follow_the_last_day_counted():
    made = from_bundle(make_bundle(), FLASK, None, ())
    spans = made.weeks

    assert [(span.first - LAST_DAY).days for span in spans] == [1, 8, 15, 22]
    assert all(span.last - span.first == dt.timedelta(days=6) for span in spans)
    for at, span in enumerate(spans):
        assert are_totals(span.total.columns())
        days = made.daily.mean[7 * at : 7 * at + 7]
        assert span.total.mean == pytest.approx(days.sum(), rel=1e-3)


def test_a_forecast_of_less_than_a_week_has_no_weeks():
    made = from_bundle(make_bundle(), FLASK, None, ())
    assert replace(made, daily=made.daily.first(6)).weeks == []
