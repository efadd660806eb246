import datetime as dt
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from forecast.bands import are_bands
from forecast.errors import SeriesError
from forecast.search import train
from forecast.search.backtest import Scores
from tests.unit.forecast.made import START, fitted, trained, weekly


def test_what_is_found_is_told():
    result = trained(weekly(), m_values=(1, 3, 7))

    assert result.order == result.model.searched.order
    assert result.seasonal_order == result.model.searched.seasonal_order
    assert result.m in {1, 3, 7}
    assert result.candidates > 300
    assert result.scores.origins == 4
    assert result.scores.ratio == pytest.approx(result.scores.mase / result.scores.naive_mase)


def test_the_configured_season_has_an_effect():
    rhythm = np.exp(np.resize([0.4, 0.0, -0.4], 180))
    with_it, without = (trained(np.rint(rhythm * 1000), m_values=m) for m in ((3,), (1,)))

    assert (with_it.m, without.m) == (3, 1)
    assert np.abs(np.diff(with_it.model.predict(9).median)).max() > 50.0


def test_a_series_too_short_to_look_back_on_has_a_model_and_no_scores():
    assert trained(weekly(70)).scores == Scores(origins=0)


def test_the_same_input_gives_the_same_bytes_whatever_the_threads():
    pickles = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            assert {each["num_threads"] for each in threadpool_info()} == {threads}
            pickles.add(pickle.dumps(trained(weekly(seed=5), m_values=(3, 6, 7))))

    assert len(pickles) == 1


def test_the_tests_give_blas_one_thread_as_the_programs_do():
    threads = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    assert threads == {1}


def test_the_input_is_left_alone():
    values = weekly()
    before = values.copy()
    trained(values)

    assert np.array_equal(values, before)


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


def test_zeros_before_the_first_download_tell_nothing():
    late = np.r_[np.zeros(60), weekly(120)]
    alone = fitted(weekly(120), START.fromordinal(START.toordinal() + 60))

    assert fitted(late).pattern != ()
    assert fitted(late).total(30).mean > 0.8 * alone.total(30).mean


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
    values = np.rint(np.exp(random.normal(log_size, noise, days))).clip(0, 1e12)

    made = trained(values, m_values=tuple(m_values), horizon=horizon).model.predict(horizon)

    assert made.mean.shape == (horizon,)
    assert are_bands(made.columns())
    assert made.median.max() <= 10 * values.max() + 1


def stepped(factor: float) -> np.ndarray:
    """A series of which fewer are counted from the 120th day on."""
    return np.rint(weekly() * np.r_[np.ones(120), np.full(60, factor)])


def test_counts_before_a_change_of_definition_are_rescaled_where_that_narrows_the_band():
    day = START + dt.timedelta(days=120)
    counts = stepped(0.5)
    plain, told = (
        train(counts, START, horizon=30, m_values=(7,), redefined=days) for days in ((), (day,))
    )

    assert told.model.rescaled[0] == 120
    assert told.model.rescaled[1] == pytest.approx(0.5, abs=0.05)
    assert told.model.history == plain.model.history
    narrow, wide = told.model.total(30), plain.model.total(30)
    assert narrow.upper_80 - narrow.lower_80 < 0.75 * (wide.upper_80 - wide.lower_80)
    assert narrow.mean == pytest.approx(wide.mean, rel=0.1)


@pytest.mark.parametrize("day", [-400, 5, 175, 400])
def test_a_change_of_definition_near_the_ends_or_beyond_rescales_nothing(day):
    when = START + dt.timedelta(days=day)
    made = train(stepped(0.5), START, horizon=30, m_values=(7,), redefined=(when,))

    assert made.model.rescaled == (0, 1.0)


def test_the_days_before_a_change_are_counted_after_the_first_download():
    counts = np.r_[np.zeros(40), stepped(0.5)[40:]]
    made = train(
        counts, START, horizon=30, m_values=(7,), redefined=(START + dt.timedelta(days=120),)
    )

    assert made.model.rescaled[0] == 120
