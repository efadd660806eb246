import dataclasses
import datetime as dt
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.sarimax import SARIMAX

from forecast.errors import BundleError
from forecast.model.ensemble import Model
from forecast.model.member import LARGEST_SEASON, LEVEL, LOG, Member, member_series, winsorise
from forecast.quantities import LARGEST_COUNT, LONGEST_HORIZON

START = dt.date(2026, 5, 4)  # a Monday
SEASONAL = Member((2, 0, 0), (0, 1, 1, 7), LOG, (0.4, 0.1, -0.6, 0.02), 1.0)
PLAIN = Member((0, 1, 1), (0, 0, 0, 0), LOG, (-0.7, 0.05), 1.0)
NAIVE = Member((0, 0, 0), (0, 1, 0, 7), LOG, (0.01,), 1.0)
WALK = Member((0, 1, 0), (0, 0, 0, 0), LOG, (0.01,), 1.0)


def counts(days=120, size=1000.0, seed=1):
    """A weekly rhythm with noise."""
    noise = np.random.default_rng(seed).normal(0.0, 0.1, days)
    weekend = np.where(np.arange(days) % 7 >= 5, -0.6, 0.0)
    return np.rint(size * np.exp(weekend + noise))


def model(*members, values=None, start=START, **fields):
    values = counts() if values is None else values
    weighted = (dataclasses.replace(each, weight=1.0 / len(members)) for each in members)
    history = tuple(float(value) for value in values)
    return Model(start, history, tuple(weighted), **fields)


def stacked(made):
    return np.array([made.lower_95, made.lower_80, made.mean, made.upper_80, made.upper_95])


# What a forecast is


@pytest.mark.parametrize("member", [SEASONAL, PLAIN], ids=["seasonal", "plain"])
def test_one_member_forecasts_as_statsmodels_does(member):
    values = counts()
    reference = SARIMAX(np.log1p(values), order=member.order, seasonal_order=member.seasonal_order)
    expected = reference.filter(np.array(member.params)).get_forecast(30)

    made = model(member, values=values).predict(30)

    assert np.allclose(np.log1p(made.mean), expected.predicted_mean, rtol=1e-6)
    assert np.allclose(np.log1p(made.upper_95), expected.conf_int(alpha=0.05)[:, 1], rtol=1e-3)
    assert np.allclose(np.log1p(made.lower_80), expected.conf_int(alpha=0.20)[:, 0], rtol=1e-3)


def test_the_forecast_starts_on_the_day_after_the_last():
    made = model(NAIVE, values=counts(70))

    assert made.last_day == dt.date(2026, 7, 12)
    assert made.predict(3).start == dt.date(2026, 7, 13)


def test_the_seasonal_naive_repeats_the_last_week():
    values = counts()

    assert np.allclose(model(NAIVE, values=values).predict(14).mean, np.tile(values[-7:], 2))


def test_the_level_scale_forecasts_in_units():
    values = counts()
    level = dataclasses.replace(NAIVE, scale=LEVEL, unit=float(values.mean()))

    made = model(level, values=values).predict(7)

    assert np.allclose(made.mean, values[-7:])
    assert np.allclose(made.upper_80 - made.mean, made.mean - made.lower_80)


def test_a_profile_is_taken_off_and_put_back():
    profile = (0.3, 0.1, 0.0, -0.1, -0.1, -0.1, -0.1)
    values = np.expm1(5.0 + np.resize(profile, 100))
    walk = dataclasses.replace(WALK, profile=profile)

    made = model(walk, values=values).predict(10)

    assert np.allclose(np.log1p(made.mean), 5.0 + np.resize(profile, 110)[100:])


def test_means_are_of_one_plus_y_and_geometric():
    values = np.r_[np.full(113, 99.0), np.full(7, 399.0)]
    flat = dataclasses.replace(WALK, params=(0.0,))
    slow = Member((0, 1, 1), (0, 0, 0, 0), LOG, (-0.9, 0.0), 1.0)

    both = model(flat, slow, values=values).predict(1).mean[0]

    alone = model(slow, values=values).predict(1).mean[0]
    assert 1.0 + both == pytest.approx(np.sqrt(400.0 * (1.0 + alone)))


def test_of_four_members_the_extremes_do_not_matter():
    values = np.full(60, 100.0)
    shifted = [
        dataclasses.replace(WALK, profile=(0.0,) * 60 + (shift,) * 60)
        for shift in (-9.0, -0.1, 0.1, 9.0)
    ]

    made = model(*shifted, values=values).predict(1)

    assert made.mean[0] == pytest.approx(100.0)


def test_christmas_lowers_the_days_it_should_and_no_others():
    values = counts(98)
    start = dt.date(2026, 12, 20) - dt.timedelta(days=98)

    without = model(NAIVE, values=values, start=start).predict(21)
    with_gap = model(NAIVE, values=values, start=start, weekend_gap=0.6).predict(21)

    factor = with_gap.mean / without.mean
    assert with_gap.start == dt.date(2026, 12, 20)
    assert np.allclose(factor[:2], 1.0)
    assert factor[5] == pytest.approx(np.exp(-1.25 * 0.6))  # Friday, 25 December
    assert np.allclose(factor[14:], 1.0)


def test_christmas_in_the_history_is_not_taken_for_a_level():
    days = 98
    start = dt.date(2026, 1, 3) - dt.timedelta(days=days)
    values = np.full(days, 1000.0)
    values[-12:] *= 0.6  # 22 December to 2 January

    naive = model(WALK, values=values, start=start).predict(30).mean.mean()
    knowing = model(WALK, values=values, start=start, weekend_gap=0.8).predict(30).mean.mean()

    assert naive < 700.0
    assert 800.0 < knowing < 1100.0


# Bands


def test_wider_factors_give_wider_bands():
    narrow, wide = (model(SEASONAL, widths=(k, k)).predict(30) for k in (1.0, 2.0))

    log_width = np.log1p(narrow.upper_80) - np.log1p(narrow.lower_80)
    assert np.allclose(np.log1p(wide.upper_80) - np.log1p(wide.lower_80), 2 * log_width)
    assert np.allclose(narrow.mean, wide.mean)


def test_each_band_has_its_own_factor():
    usual, wide = (model(SEASONAL, widths=(1.0, k)).predict(30) for k in (1.0, 2.0))

    log_width = np.log1p(usual.upper_95) - np.log1p(usual.lower_95)
    assert np.allclose(np.log1p(wide.upper_95) - np.log1p(wide.lower_95), 2 * log_width)
    assert np.array_equal(usual.upper_80, wide.upper_80)


def test_the_95_band_never_lies_inside_the_80_band():
    made = model(SEASONAL, widths=(3.0, 0.1)).predict(30)

    assert (np.diff(stacked(made), axis=0) >= 0).all()


def test_a_total_of_one_day_is_that_day():
    fitted = model(SEASONAL, values=counts(size=1e6))
    day, total = fitted.predict(1), fitted.total(1)

    assert total.mean == pytest.approx(day.mean[0])
    assert total.upper_80 == pytest.approx(day.upper_80[0], rel=1e-3)
    assert total.lower_95 == pytest.approx(day.lower_95[0], rel=1e-3)


def test_the_errors_of_a_random_walk_add_up_almost_fully():
    walk = model(WALK, values=np.full(100, 1000.0))
    day, total = walk.predict(30), walk.total(30)

    of_sum = total.upper_80 / total.mean - 1.0
    of_ends = day.upper_80.sum() / day.mean.sum() - 1.0
    assert 0.8 * of_ends < of_sum < of_ends


def test_the_errors_of_independent_days_mostly_cancel_in_the_sum():
    noise = model(Member((0, 1, 1), (0, 0, 0, 0), LOG, (-0.98, 0.04), 1.0))
    day, total = noise.predict(30), noise.total(30)

    assert np.log(total.upper_80 / total.mean) < 0.5 * np.log(day.upper_80[0] / day.mean[0])


def test_total_factors_widen_the_total_alone():
    one, two = (model(SEASONAL, total_widths=(k, k)) for k in (1.0, 2.0))

    ratio = np.log(two.total(30).upper_95 / two.total(30).mean)
    assert ratio == pytest.approx(2 * np.log(one.total(30).upper_95 / one.total(30).mean))
    assert np.array_equal(one.predict(30).upper_95, two.predict(30).upper_95)


MEMBERS = st.lists(
    st.sampled_from(
        [
            SEASONAL,
            PLAIN,
            NAIVE,
            dataclasses.replace(SEASONAL, cleaned=True),
            dataclasses.replace(PLAIN, scale=LEVEL, unit=50.0, profile=(0.1,) * 7),
        ]
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(
    MEMBERS,
    st.lists(st.floats(0, 1e9), min_size=30, max_size=60),
    st.integers(1, 40),
    st.floats(0, 1.2),
)
def test_whatever_the_history_bands_are_finite_ordered_and_not_negative(members, values, days, gap):
    fitted = model(*members, values=values, weekend_gap=gap)

    made, total = fitted.predict(days), fitted.total(days)

    ends = stacked(made)
    assert ends.shape == (5, days)
    assert np.isfinite(ends).all()
    assert (ends >= 0).all()
    assert (np.diff(ends, axis=0) >= 0).all()
    sums = [total.lower_95, total.lower_80, total.mean, total.upper_80, total.upper_95]
    assert np.isfinite(sums).all()
    assert sums == sorted(sums)


@pytest.mark.parametrize("days", [0, -1, LONGEST_HORIZON + 1])
def test_a_horizon_out_of_range_is_refused(days):
    with pytest.raises(ValueError, match="must lie between"):
        model(NAIVE).predict(days)


# Extending


def test_extending_moves_the_forecast_and_keeps_the_parameters():
    fitted = model(SEASONAL)

    longer = fitted.extend([900.0, 950.0])

    assert longer.last_day == fitted.last_day + dt.timedelta(days=2)
    assert longer.members == fitted.members
    assert longer.history == (*fitted.history, 900.0, 950.0)
    assert len(fitted.history) == 120


def test_extending_by_parts_equals_extending_at_once():
    newer = counts(6, seed=9).tolist()

    by_parts = model(SEASONAL, PLAIN).extend(newer[:2]).extend(newer[2:])

    whole = model(SEASONAL, PLAIN).extend(newer)
    assert by_parts == whole
    assert np.array_equal(by_parts.predict(30).mean, whole.predict(30).mean)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), 2 * LARGEST_COUNT])
def test_extending_by_what_is_no_count_is_refused(value):
    with pytest.raises(BundleError):
        model(NAIVE).extend([value])


# Spikes


def test_a_spike_is_pulled_in_and_the_rest_left_alone():
    z = np.log1p(counts(120))
    spiked = z.copy()
    spiked[60] += 5.0

    cleaned = winsorise(spiked, 7)

    assert abs(cleaned[60] - z[60]) < 1.0
    others = np.arange(120) != 60
    assert np.abs(cleaned - spiked)[others].max() < 0.1


def test_a_new_level_of_three_weeks_stays():
    z = np.log1p(np.r_[counts(99), 3 * counts(21, seed=2)])

    assert np.abs(winsorise(z, 7)[-7:] - z[-7:]).max() < 0.2


def test_what_hardly_ever_moves_is_left_as_it_is():
    z = np.zeros(100)
    z[50] = 3.0

    assert np.array_equal(winsorise(z, 7), z)


def test_a_cleaned_member_sees_the_cleaned_series():
    values = counts()
    values[60] *= 100

    seen = member_series(dataclasses.replace(SEASONAL, cleaned=True), values)

    assert np.array_equal(seen, winsorise(np.log1p(values), 7))
    assert np.array_equal(member_series(SEASONAL, values), np.log1p(values))


# At the door


def test_a_pickle_holds_plain_values_alone_and_comes_back_equal():
    fitted = model(SEASONAL, dataclasses.replace(PLAIN, profile=(0.1, -0.1)), note="a note")

    back = pickle.loads(pickle.dumps(fitted))

    assert back == fitted
    assert b"numpy" not in pickle.dumps(fitted)
    assert np.array_equal(back.predict(30).mean, fitted.predict(30).mean)


@pytest.mark.parametrize(
    "fields",
    [
        {"order": (1, 0)},
        {"order": (2, 0, 0.0)},
        {"order": (-1, 0, 0)},
        {"order": (6, 0, 0), "params": (0.0,) * 8},
        {"order": (True, 0, 0)},
        {"seasonal_order": (0, 1, 1)},
        {"seasonal_order": (0, 1, 1, 0)},
        {"seasonal_order": (0, 1, 1, LARGEST_SEASON + 1)},
        {"scale": "root"},
        {"params": (0.4, 0.1, 0.02)},
        {"params": (0.4, 0.1, -0.6, -0.02)},
        {"params": (0.4, 0.1, float("nan"), 0.02)},
        {"params": [0.4, 0.1, -0.6, 0.02]},
        {"params": (0.4, 0.1, -0.6, np.float64(0.02))},
        {"weight": 0.0},
        {"weight": 1.5},
        {"profile": (0.0,) * (LARGEST_SEASON + 1)},
        {"profile": (float("inf"),)},
        {"cleaned": 1},
        {"unit": 0.0},
    ],
    ids=str,
)
def test_a_member_out_of_range_is_refused(fields):
    with pytest.raises(BundleError, match="not a model of this project"):
        dataclasses.replace(SEASONAL, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"start": dt.datetime(2026, 5, 4, tzinfo=dt.UTC)},
        {"start": "2026-05-04"},
        {"history": ()},
        {"history": (1.0, -1.0)},
        {"history": (1.0, float("nan"))},
        {"history": [1.0, 2.0]},
        {"history": (1.0, 2)},
        {"members": ()},
        {"members": (NAIVE, NAIVE)},
        {"members": ("naive",)},
        {"note": None},
        {"weekend_gap": -0.1},
        {"weekend_gap": 99.0},
        {"widths": (1.0, 0.0)},
        {"widths": (1.0,)},
        {"total_widths": (float("nan"), 1.0)},
    ],
    ids=str,
)
def test_a_model_out_of_range_is_refused(fields):
    with pytest.raises(BundleError, match="not a model of this project"):
        dataclasses.replace(model(NAIVE), **fields)


@pytest.mark.parametrize("thing", [NAIVE, model(NAIVE)], ids=["member", "model"])
def test_a_pickled_state_is_checked_like_a_new_object(thing):
    state = dict(thing.__dict__)
    blank = object.__new__(type(thing))

    with pytest.raises(BundleError):
        blank.__setstate__(state | {"extra": 1})
    state.popitem()
    with pytest.raises(BundleError):
        blank.__setstate__(state)
    with pytest.raises(BundleError):
        blank.__setstate__(thing.__dict__ | {"weight": 2.0, "history": (-1.0,)})
