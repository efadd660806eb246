"""The parts of the benchmark that need no peer."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.scores import Run, measure, summarise
from benchmarks.windows import HORIZON, Window, from_folder, thinned, windows

START = dt.date(2026, 2, 2)


def series(days=400, start="2025-01-01"):
    index = pd.date_range(start, periods=days, freq="D")
    values = 1000 + np.random.default_rng(0).integers(0, 100, days)
    return pd.Series(values, index=index, name="downloads")


def window(package="flask", source="here", actual=None, start=START):
    values = np.full(100, 10.0)
    return Window(source, package, start, values, np.full(3, 12.0) if actual is None else actual, 2)


def run(mase, interval=1.0, seconds=1.0):
    return Run(mase, 0.8, 0.95, interval, seconds, failed=False)


# Windows


def test_windows_go_back_from_the_last_day_and_do_not_overlap_what_they_forecast():
    counts = series()

    found = list(windows("here", "flask", counts))

    assert len(found) == 4
    assert np.array_equal(found[0].actual, counts.to_numpy()[-HORIZON:])
    assert found[0].start == (counts.index[-HORIZON] - pd.Timedelta(days=180)).date()
    assert [each.values.size for each in found] == [180, 180, 180, 100]
    assert np.array_equal(found[0].values, counts.to_numpy()[-HORIZON - 180 : -HORIZON])


def test_gaps_to_forecast_stay_unknown_and_gaps_to_learn_from_are_filled():
    counts = series(210)

    (found, *_) = windows("here", "flask", counts.drop(counts.index[[50, 51, -5]]))

    assert np.isfinite(found.values).all()
    assert np.isnan(found.actual).sum() == 1


def test_a_window_with_too_little_to_compare_is_left_out():
    counts = series(210)

    assert len(list(windows("here", "flask", counts.drop(counts.index[-15:-1])))) < len(
        list(windows("here", "flask", counts))
    )


def test_a_folder_may_hold_packages_or_sources(tmp_path):
    table = series(150).rename_axis("date")
    (tmp_path / "deep").mkdir()
    table.to_csv(tmp_path / "flask.csv")
    table.to_csv(tmp_path / "deep" / "rich.csv")
    (tmp_path / "INDEX.csv").write_text("name,licence\nflask,none\n")

    found = from_folder(tmp_path)

    assert {(each.source, each.package) for each in found} == {
        (tmp_path.name, "flask"),
        ("deep", "rich"),
    }


def test_a_package_is_on_one_side_in_all_sources():
    names = [f"package-{number}" for number in range(200)]

    sides = {name: {window(name, source).is_tuning for source in ("a", "b")} for name in names}

    assert all(len(side) == 1 for side in sides.values())
    assert 60 < sum(True in side for side in sides.values()) < 140


def test_a_holiday_in_the_days_to_come_counts_as_seen():
    before = dt.date(2026, 12, 22) - dt.timedelta(days=100 + HORIZON)

    assert not window(start=before).sees_holidays
    assert window(start=before + dt.timedelta(days=1)).sees_holidays


def test_thinning_keeps_every_source_and_the_same_windows():
    many = [window(f"p{number}", "large") for number in range(50)] + [window("one", "small")]

    kept = thinned(10, many)

    assert [each.source for each in kept].count("large") == 5
    assert [each.source for each in kept].count("small") == 1
    assert {each.package for each in thinned(20, many)} <= {each.package for each in kept}
    again = [window(each.package, each.source) for each in reversed(many)]
    assert [each.package for each in thinned(10, again)] == [each.package for each in kept]


# Scores


def test_an_interval_score_is_the_width_and_ten_times_what_lies_outside():
    made = np.array([[11.0] * 3, [10.0] * 3, [13.0] * 3, [9.0] * 3, [14.0] * 3])
    actual = np.array([12.0, 15.0, np.nan])

    found = measure(window(actual=actual), made, 0.5, failed=False)

    assert found.mase == pytest.approx((1.0 + 4.0) / 2 / 2.0)
    assert found.interval == pytest.approx((3.0 + (3.0 + 10 * 2.0)) / 2 / 2.0)
    assert (found.inside_80, found.inside_95) == (0.5, 0.5)


def test_a_forecast_below_nothing_counts_as_nothing():
    made = np.array([[-5.0] * 3, [-9.0] * 3, [1.0] * 3, [-9.0] * 3, [2.0] * 3])

    found = measure(window(actual=np.zeros(3)), made, 0.5, failed=False)

    assert found.mase == 0.0
    assert found.interval == pytest.approx(0.5)


def test_sources_weigh_alike_in_the_ratio():
    places = [window(source="large")] * 3 + [window(source="small")]

    found = summarise(places, [run(0.5)] * 3 + [run(2.0)], [run(1.0)] * 4)

    assert found.ratio == pytest.approx(1.0)
    assert found.pooled_ratio == pytest.approx((0.5**3 * 2.0) ** 0.25)
    assert found.mase == pytest.approx(3.5 / 4)


def test_seconds_are_the_median():
    found = summarise(
        [window()] * 3, [run(1.0, seconds=each) for each in (1.0, 2.0, 90.0)], [run(1.0)] * 3
    )

    assert found.seconds == 2.0


def test_a_perfect_forecast_of_a_perfect_week_has_a_ratio():
    assert summarise([window()], [run(0.0)], [run(0.0)]).ratio == pytest.approx(1.0)
