import datetime as dt
import pickle
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from forecast.errors import SeriesError
from forecast.search import search
from forecast.search.backtest import Scores
from forecast.search.search import profile, train

START = dt.date(2026, 2, 2)  # a Monday; 180 days end on 31 July
M_VALUES = (3, 6, 7)


def counts(days=180, size=1000.0, noise=0.1, seed=1, weekend=-0.5):
    """A weekly rhythm with noise around a level that stays."""
    random = np.random.default_rng(seed).normal(0.0, noise, days)
    return np.rint(size * np.exp(np.where(np.arange(days) % 7 >= 5, weekend, 0.0) + random))


def trained(values, m_values=M_VALUES, horizon=30, start=START, *, backtested=False):
    """Train; the backtest is half of the time, and left out where a test does not need it."""
    counted = np.asarray(values, dtype=np.float64)
    if backtested:
        return train(counted, start, horizon=horizon, m_values=m_values)
    with patch.object(search, "_backtested", lambda *_: Scores(origins=0)):
        return train(counted, start, horizon=horizon, m_values=m_values)


@cache
def usual(m_values=M_VALUES, **of_counts):
    """What is trained on ``counts(**of_counts)``: many tests look at the same few searches."""
    return trained(counts(**of_counts), m_values=m_values)


def forecast(values, days=30, **settings_of_train):
    return sound(trained(values, **settings_of_train), days)


def sound(result, days=30):
    """Its forecast, finite and in order."""
    made = result.model.predict(days)
    ends = np.array([made.lower_95, made.lower_80, made.mean, made.upper_80, made.upper_95])
    assert np.isfinite(ends).all()
    assert (ends >= 0.0).all()
    assert (np.diff(ends, axis=0) >= 0.0).all()
    return made


# What is found


def test_a_weekly_rhythm_is_found_among_other_seasons():
    result = usual()

    assert result.m == 7
    assert result.model.note == ""
    assert result.order == result.model.members[0].order
    assert result.seasonal_order == result.model.members[0].seasonal_order


def test_a_rhythm_of_three_days_is_found_too():
    rhythm = np.exp(np.resize([0.4, 0.0, -0.4], 180))

    assert trained(np.rint(rhythm * counts(weekend=0.0)), m_values=(3, 7)).m == 3


def test_the_forecast_keeps_the_rhythm_and_the_level():
    values = counts()

    made = sound(usual())

    weekday = (made.start.weekday() + np.arange(30)) % 7
    weekend = made.mean[weekday >= 5].mean() / made.mean[weekday < 5].mean()
    assert weekend == pytest.approx(np.exp(-0.5), abs=0.06)
    assert made.mean.mean() == pytest.approx(values[-28:].mean(), rel=0.08)


def test_members_differ_and_each_is_differenced():
    members = usual().model.members

    assert len(members) == 4
    assert {member.scale for member in members} == {"log", "level"}
    assert all(member.order[1] + member.seasonal_order[1] >= 1 for member in members)
    assert len({(member.scale, member.seasonal_order[1]) for member in members}) == 4
    assert sum(member.weight for member in members) == pytest.approx(1.0)


def test_thousands_of_candidates_are_looked_at():
    assert usual().candidates > 3000
    assert usual(m_values=(7,)).candidates == 144 * 8


def test_a_model_is_a_few_kilobytes():
    assert len(pickle.dumps(usual(size=1e9).model)) < 10_000


def test_without_a_season_plain_models_are_found():
    result = trained(counts(), m_values=(1,))

    assert result.m == 1
    assert all(member.seasonal_order == (0, 0, 0, 0) for member in result.model.members)
    assert all(member.profile == () for member in result.model.members)


@pytest.mark.parametrize("m_values", [(366,), (100, 200), (366, 1)])
def test_seasons_too_long_for_the_series_are_left_out(m_values):
    assert trained(counts(), m_values=m_values).m == 1


def test_what_fits_is_used_beside_what_is_too_long():
    with_long, without = (usual(m_values=each) for each in ((7, 366), (7,)))

    assert pickle.dumps(with_long.model) == pickle.dumps(without.model)


def test_a_drift_of_months_gets_a_second_difference():
    values = np.rint(np.exp(np.linspace(3.0, 9.0, 180))) + counts(size=5)

    result = trained(values)

    made, members = sound(result), result.model.members

    assert any(member.order[1] + member.seasonal_order[1] == 2 for member in members)
    assert made.mean[-7:].mean() > 1.3 * values[-7:].mean()


def test_christmas_is_expected_of_a_package_that_has_weekends():
    start = dt.date(2026, 5, 25)  # a Monday; 180 days end on 20 November

    made = forecast(counts(), start=start, days=40)

    christmas = (dt.date(2026, 12, 25) - made.start).days
    assert made.mean[christmas] < 0.7 * made.mean[christmas - 7]
    machines = forecast(counts(weekend=0.0), start=start, days=40)
    assert machines.mean[christmas] > 0.9 * machines.mean[christmas - 7]


def test_orders_are_searched_without_the_holidays(monkeypatch):
    start = dt.date(2025, 7, 14)  # a Monday; 180 days end on 9 January
    christmas = (dt.date(2025, 12, 25) - start).days
    values = counts()
    values[christmas] *= 0.5
    seen = []
    found = search.SearchResult(trained(counts(60)).model.members, 7, 1)
    monkeypatch.setattr(search, "search", lambda *given: seen.append(given[0]) or found)

    trained(values, start=start)

    assert seen[0][christmas] > 1.5 * values[christmas]
    assert np.array_equal(seen[0][: christmas - 4], values[: christmas - 4])


# Accuracy and honesty


def test_it_beats_the_seasonal_naive_where_noise_hides_the_level():
    ratios = [
        trained(counts(noise=0.2, seed=seed), backtested=True).scores.ratio for seed in range(3)
    ]

    assert np.mean(ratios) < 0.85


def test_bands_hold_what_they_promise_on_series_that_wander():
    inside_80, inside_95 = [], []
    for seed in range(6):
        random = np.random.default_rng(seed)
        wandering = np.cumsum(random.normal(0.0, 0.02, 210))
        values = counts(210, 5000.0, 0.1, seed=seed + 100) * np.exp(wandering)
        made, actual = forecast(values[:180]), values[180:]
        inside_80.append(np.mean((made.lower_80 <= actual) & (actual <= made.upper_80)))
        inside_95.append(np.mean((made.lower_95 <= actual) & (actual <= made.upper_95)))

    assert 0.68 < np.mean(inside_80) < 0.95
    assert 0.88 < np.mean(inside_95) < 0.995


def test_the_backtest_knows_nothing_after_its_first_origin(monkeypatch):
    seen = []

    def spy(early, values, horizon, sizes):
        seen.append((pickle.dumps(early), list(sizes), horizon))
        return Scores(origins=0)

    monkeypatch.setattr(search, "backtest", spy)
    values = counts()
    changed = values.copy()
    changed[120:] = 7.0
    trained(values, backtested=True)
    trained(changed, backtested=True)

    assert seen[0] == seen[1]
    assert seen[0][1:] == ([120, 130, 140, 150], 30)


def test_the_backtest_is_published_with_the_model():
    scores = trained(counts(), backtested=True).scores

    assert scores.origins == 4
    assert scores.ratio == pytest.approx(scores.mase / scores.naive_mase)
    assert 0.0 <= scores.coverage_80 <= scores.coverage_95 <= 1.0


def test_a_series_too_short_to_look_back_on_has_a_model_and_no_scores():
    result = trained(counts(70), backtested=True)

    assert result.scores == Scores(origins=0)
    assert len(result.model.members) == 4


# The same again


def test_the_same_input_gives_the_same_bytes_whatever_the_threads():
    values = counts(seed=5)
    pickles = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            assert {each["num_threads"] for each in threadpool_info()} == {threads}
            pickles.add(pickle.dumps(trained(values, backtested=True)))

    assert len(pickles) == 1


def test_the_tests_give_blas_one_thread_as_the_programs_do():
    threads = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    assert threads == {1}


def test_the_input_is_left_alone():
    values = counts()
    before = values.copy()
    trained(values)

    assert np.array_equal(values, before)


# Hard inputs


def test_nothing_downloaded_is_forecast_as_nothing():
    result = trained(np.zeros(100), backtested=True)

    assert "No download" in result.model.note
    assert not result.model.predict(30).upper_95.any()
    assert result.scores == Scores(origins=0)


def test_a_constant_is_repeated():
    result = trained(np.full(100, 5.0))

    assert "same count" in result.model.note
    assert np.allclose(result.model.predict(30).mean, 5.0)


def test_a_constant_that_moves_later_is_followed():
    later = trained(np.full(100, 5.0)).model.extend([8.0, 8.0, 8.0])

    assert np.allclose(later.predict(5).mean, 8.0)


@pytest.mark.parametrize("days", [14, 30, 55])
def test_a_short_series_repeats_its_last_week(days):
    values = counts(days)

    result = trained(values)

    assert f"Only {days} days" in result.model.note
    assert np.allclose(result.model.predict(7).mean, values[-7:])


def test_fifty_six_days_are_enough_for_a_search():
    result = trained(counts(56))

    assert result.model.note == ""
    assert result.model.predict(30).mean.mean() == pytest.approx(counts(56).mean(), rel=0.15)


@pytest.mark.parametrize(
    "values",
    [
        np.ones(13),
        np.full(60, np.nan),
        np.full(60, -1.0),
        np.full(60, 1e16),
        np.full((60, 2), 1.0),
        np.array([]),
    ],
    ids=["13 days", "nan", "negative", "too large", "two columns", "none"],
)
def test_what_is_no_series_of_counts_is_refused(values):
    with pytest.raises(SeriesError):
        trained(values)


def test_a_mostly_idle_package_stays_near_nothing():
    random = np.random.default_rng(4)
    values = np.where(random.random(180) < 0.05, random.integers(1, 4, 180), 0)

    made = forecast(values)

    assert made.mean.max() < 1.0
    assert made.upper_95.max() < 10.0


@pytest.mark.parametrize("day", [60, 120, 150, 179])
def test_one_spike_does_not_move_the_level(day):
    values = counts()
    values[day] *= 50

    assert forecast(values).mean.mean() == pytest.approx(counts().mean(), rel=0.2)


def test_one_spike_hardly_enters_the_variance():
    e = np.random.default_rng(0).normal(size=170)
    spiked = e.copy()
    spiked[100] = 50.0

    assert search._robust_variance(e) == pytest.approx(e.var(), rel=0.05)
    assert search._robust_variance(spiked) == pytest.approx(e.var(), rel=0.15)


def test_a_single_download_in_silence_is_not_a_level():
    assert forecast(np.eye(180)[90] * 500).mean.max() < 1.0


@pytest.mark.parametrize("factor", [3.0, 0.3])
def test_a_shift_in_the_last_week_is_followed_and_not_yet_believed_wholly(factor):
    values = counts()
    values[-7:] *= factor
    old, new = np.log(counts()[-28:].mean()), np.log(factor * counts()[-28:].mean())

    level = np.log(forecast(values).mean.mean())

    assert 0.25 < (level - old) / (new - old) < 1.0


def test_a_bridged_hole_of_three_weeks_changes_little():
    values = counts()
    bridged = values.copy()
    bridged[100:121] = np.linspace(values[99], values[121], 21)

    assert np.allclose(forecast(bridged).mean, sound(usual()).mean, rtol=0.1)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4, 1e9])
def test_counts_of_every_size(size):
    made = sound(usual(size=size))

    assert made.mean.mean() == pytest.approx(counts(size=size).mean(), rel=0.15, abs=0.3)


def test_an_exact_rhythm_goes_on_and_raises_no_division():
    values = np.tile([5.0, 5.0, 5.0, 5.0, 5.0, 2.0, 1.0], 26)

    result = trained(values, backtested=True)

    assert np.allclose(result.model.predict(14).mean, values[:14], atol=0.02)
    assert result.scores == Scores(origins=0)


def test_a_ramp_over_nine_decades_goes_on_upwards():
    values = np.rint(np.exp(np.linspace(0.0, np.log(1e9), 180)))

    assert forecast(values).mean.mean() > values[-7:].mean()


def test_a_package_that_ceased_is_forecast_near_nothing():
    values = counts()
    values[-28:] = 0.0

    assert forecast(values).mean.mean() < 20.0


@settings(max_examples=15, deadline=None)
@given(
    days=st.integers(14, 200),
    log_size=st.floats(0.0, 20.0),
    noise=st.floats(0.0, 3.0),
    seed=st.integers(0, 10),
    m_values=st.sets(st.sampled_from([1, 2, 3, 6, 7, 12, 30]), min_size=1, max_size=3),
    horizon=st.integers(1, 60),
)
def test_any_counts_give_a_forecast(*, days, log_size, noise, seed, m_values, horizon):
    random = np.random.default_rng(seed)
    values = np.rint(np.exp(random.normal(log_size, noise, days)))

    made = forecast(values, m_values=tuple(m_values), horizon=horizon, days=horizon)

    assert made.mean.shape == (horizon,)
    assert made.mean.max() <= 10 * values.max() + 1


# The profile


def test_the_profile_of_an_exact_rhythm_is_that_rhythm():
    effects = np.array([0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.3])

    found = profile(np.resize(effects, 70) + 5.0, 7)

    assert np.allclose(found, effects, atol=0.02)


def test_the_profile_of_an_even_season():
    effects = np.array([0.3, 0.0, -0.3, 0.0])

    assert np.allclose(profile(np.resize(effects, 80), 4), effects, atol=0.02)


def test_a_spike_does_not_enter_the_profile():
    z = np.resize([0.1, 0.0, -0.1], 90)
    spiked = z.copy()
    spiked[45] = 50.0

    assert np.allclose(profile(spiked, 3), profile(z, 3), atol=1e-6)


def test_no_season_has_no_profile():
    assert profile(np.arange(20.0), 1).tolist() == [0.0]


def test_a_profile_adds_nothing_to_the_level():
    z = np.random.default_rng(2).gamma(1.0, size=100)

    assert abs(profile(z, 7).mean()) < 1e-12
