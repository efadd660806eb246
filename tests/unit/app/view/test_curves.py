import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from app.view.curves import curve_of, first_day, shown_events
from app.view.state import ALL, View
from forecast.config import Event
from tests.bundles import LAST_DAY
from tests.unit.app.view.samples import package_forecast


def day(ago):
    return LAST_DAY - dt.timedelta(days=ago)


def with_counts(values):
    made = package_forecast()
    return replace(made, series=replace(made.series, values=np.asarray(values, dtype=float)))


@pytest.mark.parametrize(
    ("days", "ago"), [(30, 29), (60, 59), (90, 69), (180, 69), (ALL, 69)], ids=str
)
def test_a_range_ends_with_the_last_day_and_starts_within_the_history(days, ago):
    made = package_forecast()
    assert first_day(made, View(days=days)) == day(ago)
    curve = curve_of(made, View(days=days))
    assert (curve.days[0], curve.days[-1]) == (str(day(ago)), str(LAST_DAY))
    np.testing.assert_array_equal(curve.counts, made.series.values[-ago - 1 :])


def test_the_forecast_follows_the_last_day():
    made = package_forecast()
    curve = curve_of(made, View())
    assert (curve.forecast_days[0], len(curve.forecast_days)) == (str(day(-1)), 30)
    for name, values in curve.bands.items():
        np.testing.assert_array_equal(values, getattr(made.daily, name))


def test_means_are_of_seven_days_that_have_passed_also_before_the_range():
    made = package_forecast()
    values = made.series.values
    whole = curve_of(made, View(days=ALL))
    assert np.isnan(whole.means[:6]).all()
    assert whole.means[6] == pytest.approx(values[:7].mean())
    part = curve_of(made, View(days=30))
    np.testing.assert_allclose(part.means, whole.means[-30:])
    expected = (values[-6:].sum() + made.daily.mean[0]) / 7
    assert part.forecast_means[0] == pytest.approx(expected)


def test_six_days_have_no_mean_and_seven_have_one():
    made = package_forecast()
    none = replace(made.daily, mean=np.zeros(0))
    for length, with_mean in ((6, 0), (7, 1)):
        series = replace(made.series, values=np.ones(length))
        curve = curve_of(replace(made, series=series, daily=none), View(days=ALL))
        assert np.isfinite(curve.means).sum() == with_mean


def test_repaired_days_are_those_of_the_series():
    made = package_forecast()
    changed = replace(made, series=replace(made.series, repaired=(day(3), day(60))))
    curve = curve_of(changed, View(days=30))
    assert [curve.days[at] for at in np.flatnonzero(curve.repaired)] == [str(day(3))]


def test_an_index_starts_at_100_and_scales_everything_alike():
    made = package_forecast()
    curve, plain = (curve_of(made, View(scale=scale)) for scale in ("indexed", "absolute"))
    assert curve.counts[:7].mean() == pytest.approx(100)
    factor = curve.counts[0] / plain.counts[0]
    for name in ("counts", "means", "forecast_means"):
        np.testing.assert_allclose(getattr(curve, name), getattr(plain, name) * factor)
    for name, values in plain.bands.items():
        np.testing.assert_allclose(curve.bands[name], values * factor)
    np.testing.assert_array_equal(curve.downloads["counts"], plain.counts)


def test_an_index_of_zeros_stays_finite():
    curve = curve_of(with_counts(np.zeros(70)), View(scale="indexed"))
    assert (curve.counts == 0).all()


def test_a_log_scale_has_no_zeros_and_cuts_bands_below_a_thousandth():
    made = with_counts([*np.ones(69), 0])
    median = np.full(30, 5_000.0)
    bands = replace(made.daily, median=median, lower_80=median / 2, lower_95=np.zeros(30))
    curve = curve_of(replace(made, daily=bands), View(scale="log"))
    assert np.isnan(curve.counts[-1])
    assert np.isfinite(curve.counts[:-1]).all()
    assert curve.downloads["counts"][-1] == 0
    np.testing.assert_allclose(curve.bands["lower_95"], 5)
    np.testing.assert_allclose(curve.bands["lower_80"], 2_500)


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [(30, 30, False), (35, 29, True), (29, 29, True), (0, 0, True), (-1, -1, False)],
)
def test_events_that_touch_the_range_are_shown(first, last, shown):
    until = day(last) if last != first else None
    event = Event(date=day(first), until=until, kind="outage", note="x")
    assert bool(shown_events([package_forecast()], View(days=30), [event])) is shown


def test_events_are_in_order_and_none_without_a_package():
    events = [Event(date=day(ago), kind="outage", note="x") for ago in (3, 9)]
    assert shown_events([package_forecast()], View(), events) == events[::-1]
    assert shown_events([], View(), events) == []
