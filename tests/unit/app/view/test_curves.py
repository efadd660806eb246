import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from app.view.curves import (
    FEWEST_MONTHS,
    MIDDLE,
    Span,
    curve_of,
    drawn_mode,
    first_day,
    months_known,
    shown_events,
)
from app.view.state import ALL, MODES, View
from forecast.config import Event
from forecast.errors import BundleError
from forecast.presentation.track_record import PastForecast, TrackRecord
from tests.bundles import LAST_DAY
from tests.unit.app.view.samples import package_forecast, with_history

RANDOM = np.random.default_rng(3)
WEEK = np.tile([5.0, 6, 6, 5, 4, 1, 1], 29)[:200]
HISTORIES = {
    "weekly": np.rint(1000 * WEEK * np.linspace(1, 2, 200)),
    "noisy": np.rint(WEEK * np.exp(RANDOM.normal(8, 0.5, 200))),
    "near zero": RANDOM.poisson(0.1, 200).astype(float),
    "zeros but one": np.r_[np.zeros(150), 1.0, np.zeros(49)],
    "dying": np.rint(1e6 * 0.9 ** np.arange(200)),
    "no weekends": np.where(WEEK > 1, 900.0 * WEEK, 0.0),
}


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
    curve = curve_of(made, View(days=days, mode="daily"))
    assert (curve.days[0], curve.days[-1]) == (day(ago), LAST_DAY)
    np.testing.assert_array_equal(curve.counts, made.series.values[-ago - 1 :])
    assert curve.past.at == [each.isoformat() for each in curve.days]


def test_the_forecast_follows_the_last_day():
    made = package_forecast()
    for mode in ("daily", "mean"):
        curve = curve_of(made, View(mode=mode))
        assert (curve.ahead.at[0], len(curve.ahead.at)) == (str(day(-1)), 30)


def test_the_days_of_the_forecast_are_those_of_the_table():
    made = package_forecast()
    values = curve_of(made, View(mode="daily")).ahead.values
    np.testing.assert_array_equal(values[MIDDLE], made.daily.median)
    for name in ("lower_80", "upper_80", "lower_95", "upper_95"):
        np.testing.assert_array_equal(values[name], getattr(made.daily, name))


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
def test_every_line_lies_within_its_bands(history, mode, scale):
    values = curve_of(with_history(HISTORIES[history]), View((), scale, ALL, mode)).ahead.values
    drawn = np.isfinite(values[MIDDLE])
    order = [values[n][drawn] for n in ("lower_95", "lower_80", MIDDLE, "upper_80", "upper_95")]
    assert (np.diff(np.array(order), axis=0) >= 0).all()
    assert drawn.size > 0


def test_means_are_of_seven_days_that_have_passed_also_before_the_range():
    made = package_forecast()
    values = made.series.values
    whole = curve_of(made, View(days=ALL)).past
    assert whole.at[0] == str(day(63))
    assert whole.values[MIDDLE][0] == pytest.approx(values[:7].mean())
    part = curve_of(made, View(days=30)).past
    np.testing.assert_allclose(part.values[MIDDLE], whole.values[MIDDLE][-30:])


def test_the_mean_runs_on_with_days_that_are_counted_and_known():
    made = package_forecast()
    counts, daily = made.series.values, made.daily.mean
    ahead = curve_of(made, View()).ahead.values
    for at, known in ((0, counts[-6:].sum()), (5, counts[-1]), (9, 0.0)):
        begin = max(at - 6, 0)
        expected = (known + daily[begin : at + 1].sum()) / 7
        assert ahead[MIDDLE][at] == pytest.approx(expected, rel=1e-3)
    widths = ahead["upper_80"] - ahead["lower_80"]
    assert widths[0] < widths[6] / 3
    # Neighbouring days do not all err alike, so their mean is surer than one of them.
    assert widths[20] < np.mean(made.daily.upper_80[14:21] - made.daily.lower_80[14:21])


def test_weeks_are_whole_and_the_present_one_is_partly_counted():
    made = package_forecast()  # counted to a Saturday, the 21st
    curve = curve_of(made, View(days=30, mode="weekly"))
    assert curve.past.spans[0] == Span(dt.date(2026, 10, 19), dt.date(2026, 10, 25))
    assert curve.past.spans[-1] == Span(dt.date(2026, 11, 9), dt.date(2026, 11, 15))
    present = curve.ahead.spans[0]
    assert present == Span(dt.date(2026, 11, 16), dt.date(2026, 11, 22))
    counted = made.series.values[-6:].sum()
    assert curve.ahead.values[MIDDLE][0] == pytest.approx(counted + made.daily.mean[0], rel=1e-3)
    assert curve.ahead.values["lower_95"][0] >= counted
    # One that begins within the forecast, to 21 December, is told to its end.
    assert curve.ahead.spans[-1] == Span(dt.date(2026, 12, 21), dt.date(2026, 12, 27))
    np.testing.assert_allclose(curve.past.values[MIDDLE][-1], made.series.values[-13:-6].sum())


def test_months_are_those_of_the_calendar():
    made = with_history(HISTORIES["weekly"])  # from 6 May
    curve = curve_of(made, View(days=ALL, mode="monthly"))
    assert curve.past.spans[0] == Span(dt.date(2026, 6, 1), dt.date(2026, 6, 30))
    assert [span.first.month for span in curve.ahead.spans] == [11, 12]
    assert curve.ahead.spans[1].last == dt.date(2026, 12, 31)
    october = made.series.values[-52:-21].sum()
    assert curve.past.values[MIDDLE][-1] == october
    short = curve_of(made, View(days=30, mode="monthly"))
    assert [span.first.month for span in short.past.spans] == [10]


def test_months_need_a_history_and_sums_a_model():
    short, long = package_forecast(), with_history(HISTORIES["weekly"])
    assert not months_known([short])
    assert not months_known([long, short])
    assert months_known([long])
    assert months_known([with_history(np.ones(113))])  # August, September and October
    assert not months_known([with_history(np.ones(112))])
    assert FEWEST_MONTHS == 3
    assert [drawn_mode([short], mode) for mode in MODES] == ["daily", "mean", "weekly", "weekly"]

    def broken():
        raise BundleError("no")

    bare = replace(short, load=broken)
    assert {drawn_mode([long, bare], mode) for mode in MODES} == {"daily"}


def test_repaired_days_are_those_of_the_series():
    made = package_forecast()
    changed = replace(made, series=replace(made.series, repaired=(day(3), day(60))))
    curve = curve_of(changed, View(days=30))
    assert [curve.days[at] for at in np.flatnonzero(curve.repaired)] == [day(3)]


@pytest.mark.parametrize("mode", MODES)
def test_an_index_starts_at_100_and_scales_everything_alike(mode):
    made = with_history(HISTORIES["weekly"])
    curve, plain = (curve_of(made, View(scale=s, mode=mode)) for s in ("indexed", "absolute"))
    first = curve.past.values[MIDDLE][0] if mode in {"weekly", "monthly"} else curve.counts[:7]
    assert np.mean(first) == pytest.approx(100)
    factor = curve.counts[0] / plain.counts[0]
    for name, values in plain.ahead.values.items():
        np.testing.assert_allclose(curve.ahead.values[name], values * factor)
        np.testing.assert_array_equal(curve.ahead.downloads[name], values)
    np.testing.assert_allclose(curve.past.values[MIDDLE], plain.past.values[MIDDLE] * factor)
    np.testing.assert_array_equal(curve.past.downloads[MIDDLE], plain.past.values[MIDDLE])


def test_an_index_of_zeros_stays_finite():
    curve = curve_of(with_counts(np.zeros(70)), View(scale="indexed"))
    assert (curve.counts == 0).all()


def test_a_log_scale_has_no_zeros_and_cuts_bands_below_a_thousandth():
    made = with_counts([*np.ones(69), 0])
    median = np.full(30, 5_000.0)
    bands = replace(made.daily, median=median, lower_80=median / 2, lower_95=np.zeros(30))
    curve = curve_of(replace(made, daily=bands), View(scale="log", mode="daily"))
    assert np.isnan(curve.counts[-1])
    assert np.isfinite(curve.counts[:-1]).all()
    assert curve.counted[-1] == 0
    np.testing.assert_allclose(curve.ahead.values["lower_95"], 5)
    np.testing.assert_allclose(curve.ahead.values["lower_80"], 2_500)


def said(ago, days, value=1234.0, **changes):
    """A package with a forecast made so many days ago, of so many days."""
    past = PastForecast(
        made_on=day(ago - 1),
        days=tuple(day(ago - 1 - at) for at in range(days)),
        values=(value,) * days,
    )
    record = TrackRecord(2, LAST_DAY, days, 0.9, 0.8, 0.95, past)
    return package_forecast(track_record=record, **changes)


def test_the_forecast_of_a_month_ago_is_drawn_day_by_day():
    curve = curve_of(said(28, 28), View(mode="daily"))
    assert curve.made_on == day(27)
    assert curve.earlier.at == [str(day(27 - at)) for at in range(28)]
    assert (curve.earlier.values[MIDDLE] == 1234.0).all()


def test_an_earlier_forecast_is_told_as_the_quantity_drawn():
    made = said(28, 28)
    mean = curve_of(made, View()).earlier
    assert mean.at[0] == str(day(27))
    before = made.series.values[-34:-28].sum()
    assert mean.values[MIDDLE][0] == pytest.approx((before + 1234.0) / 7)
    assert mean.values[MIDDLE][-1] == pytest.approx(1234.0)
    weeks = curve_of(made, View(mode="weekly")).earlier
    assert [span.first for span in weeks.spans] == [day(33 - 7 * at) for at in range(4)]
    assert weeks.values[MIDDLE][-1] == pytest.approx(7 * 1234.0)


def test_an_earlier_forecast_is_cut_to_the_range():
    assert len(curve_of(said(33, 7), View(days=30, mode="daily")).earlier.at) == 4
    assert curve_of(said(60, 7), View(days=30)).earlier is None
    assert curve_of(package_forecast(), View()).earlier is None


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
