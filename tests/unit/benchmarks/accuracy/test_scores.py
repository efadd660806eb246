"""What a forecast is worth once the days have come."""

import datetime as dt

import numpy as np
import pytest

from benchmarks.accuracy.methods import naive
from benchmarks.accuracy.run import forecast_one, gather, median_of, run
from benchmarks.accuracy.scores import score
from benchmarks.accuracy.windows import HORIZON, Window

START = dt.date(2026, 2, 2)
ONE = np.array([True])


def window(actual=12.0, values=None, package="flask"):
    values = np.arange(70.0) if values is None else values  # a scale of 7
    actual = np.broadcast_to(np.asarray(actual, dtype=np.float64), (HORIZON,))
    return Window("here", package, "all", START, values, actual)


def answer(median=11.0, mean=11.0):
    rows = np.array([median, mean, 10.0, 13.0, 9.0, 14.0])
    return np.column_stack([np.tile(rows[:, None], HORIZON), rows * HORIZON])


def scored(actual, **middle):
    given = window(actual)
    return score([given], run(lambda _: answer(**middle), [given], ONE, 1))


def test_the_error_is_that_of_the_median_and_the_mean_has_its_own():
    found = scored(12.0, median=11, mean=19)

    assert found.error[0] == pytest.approx(1.0 / 7)
    assert found.error_of_mean[0] == pytest.approx(1.0)


def test_an_interval_score_is_the_width_and_ten_times_what_lies_outside():
    actual = np.full(HORIZON, 12.0)
    actual[::2] = 15.0

    found = scored(actual)

    assert found.interval[0] == pytest.approx((3.0 + 10 * 2.0 / 2) / 7)
    assert found.inside_80.mean() == found.inside_95.mean() == 0.5


def test_unknown_days_count_nowhere():
    actual = np.full(HORIZON, 12.0)
    actual[3] = np.nan

    found = scored(actual)

    assert found.error[0] == pytest.approx(1.0 / 7)
    assert np.isnan(found.inside_80[0, 3])
    assert np.nansum(found.inside_80) == HORIZON - 1


@pytest.mark.parametrize(
    ("actual", "below", "above"), [(9.5, 1.0, 0.0), (12.0, 0.0, 0.0), (13.5, 0.0, 1.0)]
)
def test_a_total_may_miss_its_band_on_either_side(actual, below, above):
    found = scored(actual)

    assert (found.below_80[0], found.above_80[0]) == (below, above)
    assert (found.below_95[0], found.above_95[0]) == (0.0, 0.0)
    assert found.total_error[0] == pytest.approx(
        np.log1p(actual * HORIZON) - np.log1p(11.0 * HORIZON)
    )


def test_a_total_with_an_unknown_day_is_scaled_up_to_all_days():
    actual = np.full(HORIZON, 22.0)
    actual[0] = np.nan

    found = scored(actual, mean=11)

    assert found.total_error[0] == pytest.approx(np.log1p(22 * HORIZON) - np.log1p(11 * HORIZON))


def test_a_method_without_a_band_of_its_total_has_no_misses():
    given = window()
    found = score([given], run(naive, [given], ONE, 1))

    assert np.isnan(found.below_80[0])
    assert np.isfinite(found.total_error[0])


def test_a_ratio_is_the_geometric_mean_over_windows():
    windows = [window(63.0), window(np.resize(np.arange(63.0, 70.0), HORIZON) + 7.0)]
    where = np.array([True, True])
    plain = score(windows, run(naive, windows, where, 1))
    half = score(windows, run(_nearer, windows, where, 1))

    assert half.ratio(plain, where) == pytest.approx(0.5)
    assert plain.ratio(plain, where) == pytest.approx(1.0)


def _nearer(given):
    made = naive(given)
    made[0, :HORIZON] = (made[0, :HORIZON] + given.actual) / 2
    return made


def test_a_perfect_forecast_of_a_perfect_week_has_a_ratio():
    given = window(np.resize(np.arange(63.0, 70.0), HORIZON))
    plain = score([given], run(naive, [given], ONE, 1))

    assert plain.error[0] == 0.0
    assert plain.ratio(plain, ONE) == pytest.approx(1.0)


def test_last_week_stands_in_for_a_method_that_fails():
    def fails(_):
        raise ValueError

    for method in (fails, lambda _: answer(median=np.nan)):
        made, _, failed = forecast_one(method, window())
        assert failed
        assert np.array_equal(made, naive(window()), equal_nan=True)


def test_a_method_is_scored_where_it_ran_alone():
    windows = [window(), window(), window()]
    where = np.array([False, True, False])

    found = score(windows, run(lambda _: answer(), windows, where, 1))

    assert found.ran.tolist() == where.tolist()
    assert np.isfinite(found.error).tolist() == where.tolist()


def test_several_processes_answer_in_the_order_of_the_windows():
    windows = [window(values=np.arange(70.0) * number) for number in range(1, 21)]
    where = np.ones(20, dtype=bool)

    two, one = run(naive, windows, where, 2), run(naive, windows, where, 1)

    assert np.array_equal(two.answers, one.answers, equal_nan=True)


def test_the_median_of_methods_takes_the_seconds_of_all():
    several = [gather([(answer(median=each), 2.0, False)], ONE) for each in (1, 5, 30)]

    found = median_of(several)

    assert found.answers[0, 0, 0] == 5.0
    assert found.seconds[0] == 6.0
    assert not found.failed[0]
