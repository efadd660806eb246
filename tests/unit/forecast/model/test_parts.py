import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.model import level, quantiles, state
from forecast.model.arima import Arima
from forecast.model.checks import are_numbers, is_number
from forecast.model.constants import constants
from forecast.model.weekdays import weekday_numbers, weekday_pattern, weekend_gap
from tests.unit.forecast.made import START


def test_smoothing_is_that_of_the_arima_0_1_1():
    x = np.random.default_rng(1).normal(0.0, 0.1, 120).cumsum()
    levels = level.smooth(x[None], np.zeros(120, dtype=bool))

    for alpha, last in zip(level.ALPHAS, levels.last[:, 0], strict=True):
        ahead = Arima((0, 1, 1), (0, 0, 0, 0), (float(alpha) - 1.0,)).ahead(x, 3)
        np.testing.assert_allclose(ahead, last, atol=0.02)
        assert np.ptp(ahead) < 1e-12


def test_every_day_moves_the_level_by_its_gain_of_the_error():
    rng = np.random.default_rng(2)
    x = rng.normal(0.0, 0.02, (2, 4 * level.BLOCK + 3)).cumsum(axis=1)
    weekend = np.arange(x.shape[1]) % 7 > 4
    levels = level.smooth(x, weekend)

    moved, expected = level.believed(x), np.median(x[:, :7], axis=1)[None].repeat(3, axis=0)
    for day in range(x.shape[1]):
        error = x[:, day] - expected
        if day >= level.WARM_UP:
            found = levels.errors[..., day - level.WARM_UP]
            np.testing.assert_allclose(found, error, atol=1e-12)
        gain = level.ALPHAS[:, None] * (level.WEEKEND if weekend[day] else 1.0)
        expected = expected + gain * (moved[:, day] - expected)
    np.testing.assert_allclose(levels.last, expected, atol=1e-12)


def test_two_days_far_away_are_outliers_and_three_are_a_level():
    x = np.full((4, 60), 5.0)
    x[0, -1] = x[1, -2:] = 0.0  # a fault, or a spike upside down
    x[2, -3:] = 0.0
    x[3, 30] = 9.0
    moved = level.believed(x)

    assert moved[0, -1] > 4.0
    assert (moved[1, -2:] > 4.0).all()
    np.testing.assert_array_equal(moved[2], x[2])
    assert moved[3, 30] < 6.0
    np.testing.assert_array_equal(np.delete(moved[3], 30), np.delete(x[3], 30))


def test_one_download_of_a_rare_package_is_no_outlier():
    x = np.log1p(np.random.default_rng(4).binomial(1, 0.05, (5, 180)).astype(float))
    np.testing.assert_array_equal(level.believed(x), x)


def test_days_that_the_level_ran_behind_are_told_from_noise():
    errors = np.random.default_rng(5).normal(0.0, 0.1, (2, 60))
    errors[1, 20:30] = 1.0
    moving = state.moving(errors, np.array([0.08, 0.08]))

    assert not moving[0].any()
    assert moving[1, 20:30].all()
    assert not moving[1, :16].any()


def test_weights_prefer_the_theta_that_fits():
    rng = np.random.default_rng(2)
    still, moving = rng.normal(0.0, 0.1, 120), rng.normal(0.0, 0.1, 120).cumsum()
    weights = level.weights(level.smooth(np.stack([still, moving]), np.zeros(120, dtype=bool)))

    np.testing.assert_allclose(weights.sum(axis=0), 1.0)
    assert weights[0, 0] > weights[2, 0]
    assert weights[2, 1] > weights[0, 1]


def test_a_noisy_pattern_is_drawn_to_the_profile_and_a_clear_one_is_kept():
    weekdays = weekday_numbers(START.weekday(), 84)
    own = np.array([0.0, 0.6, -0.2, 0.1, -0.5, 0.3, -0.3])
    rng = np.random.default_rng(3)
    clear, noisy = (own[weekdays] + rng.normal(0.0, size, 84) for size in (0.01, 3.0))
    found = weekday_pattern(np.stack([clear, noisy]), weekdays, constants().profile)

    np.testing.assert_allclose(found[0], own, atol=0.03)
    profile = np.array(constants().profile)
    along = (found[1] @ profile) * profile
    assert np.abs(found[1] - along).max() < 0.6


def test_the_gap_is_that_of_medians_and_bounded():
    weekdays = weekday_numbers(0, 28)
    z = np.stack([np.where(weekdays >= 5, 6.0, 6.5), np.where(weekdays >= 5, 0.0, 9.0)])
    np.testing.assert_allclose(weekend_gap(z, weekdays), [0.5, 1.0])


def test_chance_gives_a_count_its_width():
    mean = np.array([9.0])
    assert quantiles.chance(mean, "lower_80") == pytest.approx(5.5, abs=0.5)  # Poisson(9): 5
    assert quantiles.chance(mean, "upper_80") == pytest.approx(13.0, abs=0.5)  # 13
    assert quantiles.chance(mean, "upper_95") == pytest.approx(15.5, abs=0.7)  # 15


def test_constants_name_every_feature_and_column():
    known = constants()
    assert set(known.days) == set(quantiles.QUANTILES)
    assert all(set(each) == set(quantiles.DAY) for each in known.days.values())
    assert all(set(each) == set(quantiles.SUM) for each in known.sums.values())
    assert len(known.profile) == 7
    assert sum(known.profile) == pytest.approx(0.0, abs=1e-3)
    assert 0.0 <= known.search_weight <= 0.5


@given(st.lists(st.floats() | st.sampled_from([0.0, 1.0, 2.0]) | st.just(1), max_size=6).map(tuple))
def test_numbers_are_checked_as_if_one_by_one(values):
    expected = bool(values) and all(is_number(value, 0.0, 2.0) for value in values)
    assert are_numbers(values, 0.0, 2.0, 1, 6) == expected


def test_no_numbers_are_numbers_where_none_is_needed():
    assert are_numbers((), 0.0, 1.0, 0, 3)
    assert not are_numbers([1.0], 0.0, 1.0, 0, 3)
    assert not are_numbers((1.0,) * 4, 0.0, 1.0, 0, 3)
