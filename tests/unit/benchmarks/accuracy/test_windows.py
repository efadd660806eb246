"""Which windows are cut from series, and which of them are sampled."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy.windows import (
    CORPUS,
    HORIZON,
    POPULATION,
    Daily,
    Window,
    all_windows,
    drawn,
    is_population,
    read,
    thinned,
    windows,
)


def series(days=400, package="flask", dropped=()):
    index = pd.date_range("2025-01-01", periods=days, freq="D")
    counts = 1000 + np.random.default_rng(0).integers(0, 100, days)
    made = pd.Series(counts, index=index, name="downloads")
    return Daily("here", package, made.drop(made.index[list(dropped)]))


def window(package="flask", source="here", start=dt.date(2026, 2, 2)):
    return Window(source, package, "all", start, np.full(100, 10.0), np.full(HORIZON, 12.0))


def test_windows_of_a_corpus_go_back_from_the_last_day():
    daily = series()
    counts = daily.counts.to_numpy()

    found = list(windows(daily, CORPUS))

    assert [each.values.size for each in found] == [180, 180, 180, 100]
    assert np.array_equal(found[0].actual, counts[-HORIZON:])
    assert np.array_equal(found[1].values, counts[-HORIZON - 270 : -HORIZON - 90])
    assert found[0].start == (daily.counts.index[-HORIZON] - pd.Timedelta(days=180)).date()
    assert found[0].first_ahead == daily.counts.index[-HORIZON].date()


def test_windows_of_a_population_have_89_and_59_days():
    found = list(windows(series(119), POPULATION))

    assert [each.group for each in found] == ["89 days", "59 days"]
    assert [each.values.size for each in found] == [89, 59]


def test_a_population_leaves_out_packages_that_are_younger():
    found = all_windows([series(119, "old"), series(119, "older"), series(112, "young")])

    assert {each.package for each in found} == {"old", "older"}
    assert {each.group for each in found} == {"89 days", "59 days"}


@pytest.mark.parametrize(("days", "so"), [((119, 119), True), ((119, 400), False)])
def test_a_folder_with_a_long_series_is_a_corpus(days, so):
    assert is_population([series(each) for each in days]) is so


def test_gaps_to_forecast_stay_unknown_and_gaps_to_learn_from_are_filled():
    (found, *_) = windows(series(210, dropped=(50, 51, -5)), CORPUS)

    assert np.isfinite(found.values).all()
    assert np.isnan(found.actual).sum() == 1


@pytest.mark.parametrize("dropped", [range(-15, -1), range(40, 100), [-HORIZON - 1]])
def test_a_window_with_too_little_known_is_left_out(dropped):
    assert len(list(windows(series(210), CORPUS))) == 2
    found = list(windows(series(210, dropped=dropped), CORPUS))

    assert len(found) < 2


def test_a_folder_may_hold_packages_or_sources(tmp_path):
    table = series(150).counts.rename_axis("date")
    (tmp_path / "deep").mkdir()
    table.to_csv(tmp_path / "flask.csv")
    table.to_csv(tmp_path / "deep" / "rich.csv")
    (tmp_path / "INDEX.csv").write_text("name,licence\nflask,none\n")

    found = read(tmp_path)

    assert {(each.source, each.package, each.days) for each in found} == {
        (tmp_path.name, "flask", 150),
        ("deep", "rich", 150),
    }


def test_a_package_is_in_one_half_in_all_sources():
    names = [f"package-{number}" for number in range(200)]

    halves = {name: {window(name, source).learns for source in ("a", "b")} for name in names}

    assert all(len(half) == 1 for half in halves.values())
    assert 60 < sum(True in half for half in halves.values()) < 140
    assert window("django").learns is True  # its SHA-256 ends in an even byte
    assert window("flask").learns is False


def test_thinning_keeps_every_source_and_the_same_windows():
    many = [window(f"p{number}", "large") for number in range(50)] + [window("one", "small")]

    kept = [each for each, so in zip(many, thinned(many, 10), strict=True) if so]

    assert [each.source for each in kept].count("large") == 5
    assert [each.source for each in kept].count("small") == 1
    again = many[::-1]
    assert {each.package for each, so in zip(again, thinned(again, 10), strict=True) if so} == {
        each.package for each in kept
    }


def test_a_sample_is_drawn_from_the_test_half_and_grows():
    many = [window(f"p{number}") for number in range(50)]

    few, more = drawn(many, 5), drawn(many, 10)

    assert len(few) == 5
    assert few < more
    assert not any(window(name).learns for name in more)
    assert drawn(many[::-1], 5) == few
