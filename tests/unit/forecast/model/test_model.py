import datetime as dt
import pickle

import numpy as np
import pytest

from forecast.bands import are_bands, are_totals, total_spans
from forecast.errors import BundleError, SeriesError
from forecast.model.model import Model
from forecast.quantities import LARGEST_COUNT, LONGEST_HORIZON
from forecast.search.days_off import calendar_of
from tests.unit.forecast.made import START, WEEK, fitted, weekly

RNG = np.random.default_rng(7)
SERIES = {
    "weekly": weekly(),
    "two-weeks": weekly(14),
    "zeros": np.zeros(180),
    "constant": np.full(180, 10.0),
    "poisson-0.05": RNG.poisson(0.05, 180).astype(float),
    "poisson-3": RNG.poisson(3.0, 180).astype(float),
    "negative-binomial": RNG.negative_binomial(0.3, 0.3 / 24.0, 180).astype(float),
    "spike": np.r_[np.ones(100), 1e6, np.ones(79)],
    "last-day-spike": np.r_[weekly(179), 45_450.0],
    "one-download-ever": np.r_[np.zeros(179), 32_600.0],
    "died": np.r_[weekly(150), np.zeros(30)],
    "born": np.r_[np.zeros(160), weekly(20)],
    "decay": np.rint(5000 * 0.9 ** np.arange(180)),
    "doubling": np.rint(10 * 2 ** (np.arange(180) / 7)),
    "tenfold-a-week-ago": weekly() * np.r_[np.ones(173), np.full(7, 10.0)],
    "tenth-three-days-ago": weekly() * np.r_[np.ones(177), np.full(3, 0.1)],
    "weekdays-only": np.where(np.arange(180) % 7 < 3, 0.0, weekly()),
    "huge": np.full(60, float(LARGEST_COUNT)),
    "alternating": np.tile([0.0, 1.0], 90),
}


@pytest.mark.parametrize("name", SERIES)
def test_every_series_gives_finite_nested_counts(name):
    model = fitted(SERIES[name], m_values=(1, 3, 7))
    daily, totals = model.predict_with_totals(90)

    assert are_bands(daily.columns())
    last = range(1, 91)
    for made in (model.sums([min(each, 7) for each in last], last), model.sums(last, last)):
        assert are_totals(made.columns())
    assert tuple(totals) == total_spans(90) == (7, 14, 28, 90)
    for days, total in totals.items():
        ends = (total.lower_95, total.lower_80, total.mean, total.upper_80, total.upper_95)
        assert np.isfinite(ends).all()
        assert list(ends) == sorted(ends)
        assert total.upper_95 <= daily.upper_95[:days].sum() * (1 + 1e-9)
        assert total.lower_95 >= daily.lower_95[:days].sum() * (1 - 1e-9)
        assert total.mean == pytest.approx(daily.mean[:days].sum())
        assert model.total(days).mean == pytest.approx(total.mean)


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0, 3.0])
def test_a_rare_package_has_its_rate_and_a_band_around_it(rate):
    totals = [
        fitted(np.random.default_rng(seed).poisson(rate, 180), m_values=(7,)).total(30)
        for seed in range(12)
    ]

    middle = np.median([total.mean for total in totals])
    assert middle == pytest.approx(30 * rate, rel=0.2, abs=0.5)
    held = [total.lower_80 <= 30 * rate <= total.upper_80 for total in totals]
    assert np.mean(held) >= 0.8
    assert all(total.upper_80 - total.lower_80 >= 1.0 for total in totals)


def test_skewed_counts_total_their_mean_and_not_their_medians():
    counts = np.random.default_rng(3).negative_binomial(0.5, 0.5 / 24.0, 180)
    total = fitted(counts).total(30)

    assert 0.6 < total.mean / (30 * counts[-56:].mean()) < 1.4


def test_a_single_day_is_no_level():
    assert fitted(SERIES["spike"]).total(30).mean == pytest.approx(30, rel=0.1)
    usual = fitted(weekly()).total(30).mean
    spiked = fitted(SERIES["last-day-spike"]).total(30)
    assert spiked.mean < 1.3 * usual
    assert spiked.lower_80 <= usual <= spiked.upper_80
    assert fitted(SERIES["one-download-ever"]).total(30).mean < 32_600 / 100


@pytest.mark.parametrize("days", [7, 14])
def test_a_fall_of_a_week_is_believed(days):
    counts = weekly() * np.r_[np.ones(180 - days), np.full(days, 0.1)]
    total = fitted(np.rint(counts)).total(28)

    assert total.mean == pytest.approx(4 * counts[-7:].sum(), rel=0.3)
    assert total.lower_80 <= 4 * counts[-7:].sum() <= total.upper_80


def test_two_days_without_downloads_are_no_fall():
    usual = fitted(weekly()).total(28).mean
    total = fitted(np.r_[weekly(178), 0.0, 0.0]).total(28)

    assert total.mean > 0.6 * usual
    assert total.lower_95 < 0.1 * usual


def test_the_days_of_a_rise_are_not_taken_for_skewness():
    risen = fitted(SERIES["tenfold-a-week-ago"])
    two_weeks = fitted(weekly() * np.r_[np.ones(166), np.full(14, 10.0)])

    assert risen.distribution(1).state.smearing[0] < 1.1
    assert two_weeks.total(28).mean < 1.15 * 10 * fitted(weekly()).total(28).mean


def test_no_day_of_a_band_lies_beyond_fifty_times_the_median():
    weekends_stopped = np.where((np.arange(180) % 7 < 2) & (np.arange(180) > 138), 0.0, weekly())
    made = fitted(weekends_stopped).predict(30)

    assert made.upper_95.max() < 100 * weekly().max()


def test_a_rise_of_a_week_widens_the_band_towards_the_old_level():
    usual, risen = fitted(weekly()).total(28), fitted(SERIES["tenfold-a-week-ago"]).total(28)

    assert risen.lower_80 / risen.mean < 0.75 * usual.lower_80 / usual.mean
    assert risen.lower_95 < 0.55 * risen.mean


def test_a_dead_package_stays_dead():
    assert fitted(SERIES["died"]).total(30).mean < 30
    assert fitted(SERIES["decay"]).total(30).upper_95 < 100


@pytest.mark.parametrize(("zeros", "held"), [(27, False), (28, True)])
def test_after_four_silent_weeks_the_bands_hold_none(zeros, held):
    rare = np.random.default_rng(0).poisson(3.0, 150)
    silent = fitted(np.r_[rare, np.zeros(zeros)])
    total = silent.total(30)
    assert (total.lower_80 == 0.0, total.lower_95 == 0.0) == (held, held)
    assert 0.0 < total.mean < total.upper_80


@pytest.mark.parametrize("begin", range(7))
def test_an_exactly_periodic_package_reads_as_many(begin):
    start = dt.date(2026, 2, 2) + dt.timedelta(days=begin)
    model = fitted(WEEK[(start.weekday() + np.arange(120)) % 7], start)

    assert model.change() == pytest.approx(1.0, abs=0.015)


def test_fewer_or_more_is_told_by_level():
    fallen = fitted(np.rint(weekly() * np.r_[np.ones(166), np.full(14, 0.5)]))
    assert fallen.change() < 0.8


def test_the_week_comes_back():
    made = fitted(weekly()).predict(14)
    ratio = made.median[5] / made.median[7]  # Saturday over Monday: 23 November is a Monday
    assert ratio == pytest.approx(0.5, rel=0.15)


def test_a_day_off_lowers_the_forecast_and_is_taken_out_of_the_history():
    thanksgiving = fitted(weekly()).predict(7)  # Thursday 26 November 2026, then Friday
    assert thanksgiving.median[3] < 0.9 * thanksgiving.median[1]
    machines = np.full(180, 1000.0)
    assert np.ptp(fitted(machines).predict(14).median) < 1.0


def test_fourteen_days_are_enough_and_fewer_are_refused():
    assert fitted(weekly(14)).total(30).mean > 0.0
    with pytest.raises(SeriesError, match="13 days"):
        fitted(weekly(13))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, 1e16])
def test_what_is_no_count_is_refused(bad):
    with pytest.raises(SeriesError, match="no counts"):
        fitted(np.r_[weekly(), bad])
    with pytest.raises(BundleError, match="history"):
        fitted(weekly()).extend([float(bad)])


@pytest.mark.parametrize("days", [0, -1, LONGEST_HORIZON + 1])
def test_no_horizon_beyond_reason(days):
    with pytest.raises(ValueError, match="days is"):
        fitted(weekly()).predict(days)


def test_extended_by_newer_days_the_parameters_stay():
    model = fitted(weekly(180))
    longer = model.extend(weekly(187)[180:].tolist())

    assert longer.last_day == model.last_day + dt.timedelta(days=7)
    assert longer.predict(1).start == longer.last_day + dt.timedelta(days=1)
    assert (longer.pattern, longer.weights, longer.gap) == (model.pattern, model.weights, model.gap)


def test_a_model_is_plain_values_and_survives_a_pickle():
    model = fitted(weekly())
    data = pickle.dumps(model, protocol=5)

    again = pickle.loads(data)
    assert again == model
    assert len(data) < 10_000
    assert again.total(30) == model.total(30)
    plain = [
        type(value) for field in (model.history, model.pattern, model.weights) for value in field
    ]
    assert set(plain) == {float}
    assert {type(value) for pair in model.days_off for value in pair} == {int, float}


def test_the_same_series_gives_the_same_model():
    assert fitted(weekly()) == fitted(weekly())


def test_sums_of_days_ahead_add_up_their_means_and_widen():
    model = fitted(weekly())
    made, daily = model.sums([1, 7, 7], [1, 11, 30]), model.predict(30)

    expected = [daily.mean[0], daily.mean[4:11].sum(), daily.mean[23:].sum()]
    np.testing.assert_allclose(made.mean, expected)
    widths = (made.upper_80 - made.lower_80) / made.mean
    assert widths[1] < widths[2] * 1.2


def test_a_longer_horizon_begins_with_the_shorter_one():
    model = fitted(weekly())
    np.testing.assert_allclose(model.predict(90).mean[:30], model.predict(30).mean)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("history", (1.0,) * 5),
        ("history", (1.0,) * 20 + (float("nan"),)),
        ("history", [1.0] * 20),
        ("gap", 7.0),
        ("pattern", (0.0,) * 6),
        ("weights", (1.0,)),
        ("days_off", ((5, 0.2), (3, 0.2))),
        ("days_off", ((5, "x"),)),
        ("searched", None),
        ("start", "2026-05-27"),
        ("start", dt.datetime(2026, 5, 27, tzinfo=dt.UTC)),
        ("start", dt.date(1066, 10, 14)),
        ("history", (1.0,) * 20 + (2,)),
        ("history", (1.0,) * 20 + (np.float64(2.0),)),
        ("history", (1.0,) * 20 + (-1.0,)),
        ("weights", (0.2, 0.2, 0.2)),
        ("weights", (0.5, 0.5, float("nan"))),
        ("days_off", [(5, 0.2)]),
        ("days_off", ((5, float("inf")),)),
        ("days_off", ((-1, 0.2),)),
        ("searched", "an ARIMA"),
    ],
)
def test_a_pickle_with_fields_that_are_wrong_is_refused(field, value):
    model = fitted(weekly())
    state = {**model.__dict__, field: value}
    with pytest.raises(BundleError, match="not a model of this project"):
        Model.from_fields(state)


def test_a_pickle_with_other_fields_is_refused():
    model = fitted(weekly())
    with pytest.raises(BundleError, match="fields"):
        Model.from_fields({"start": model.start})


def test_a_fall_of_three_days_leaves_both_levels_in_the_band():
    counts = np.rint(weekly() * np.r_[np.ones(177), np.full(3, 0.1)])
    total = fitted(counts).total(28)

    before, after = weekly()[-28:].sum(), 0.1 * weekly()[-28:].sum()
    assert total.lower_95 < 1.3 * after
    assert total.upper_95 > 0.7 * before


def test_weekends_that_stopped_six_weeks_ago_stay_away():
    weekday = (START.weekday() + np.arange(180)) % 7
    counts = np.where((weekday >= 5) & (np.arange(180) >= 138), 0.0, weekly())
    model = fitted(counts)

    assert model.total(28).mean == pytest.approx(counts[-28:].sum(), rel=0.25)
    assert model.predict(7).median[5:].max() < 50.0


def test_what_is_pooled_has_weights_beside_the_searched_arima():
    members = fitted(weekly()).members()

    assert [theta for _, theta, _ in members] == pytest.approx([-0.95, -0.8, -0.4, None])
    assert all(arima.order == (0, 1, 1) for arima, _, _ in members[:-1])
    assert sum(weight for _, _, weight in members) == pytest.approx(1.0)


def test_extending_by_parts_equals_extending_at_once():
    newer = weekly(187)[180:].tolist()
    model = fitted(weekly())

    assert model.extend(newer[:2]).extend(newer[2:]) == model.extend(newer)
    assert len(model.history) == 180


def test_a_day_off_is_told_by_what_it_costs():
    model = fitted(weekly())  # 23 November is its first day ahead
    losses = model.day_off_losses(7)

    assert losses[3] > 0.1
    assert losses[4] > 0.1
    assert np.abs(losses[:2]).max() < 0.05
    assert not fitted(np.full(180, 1000.0)).day_off_losses(7).any()


def test_days_off_in_the_history_are_not_taken_for_a_level():
    start = dt.date(2025, 7, 8)
    end = (dt.date(2026, 1, 2) - start).days
    off = np.exp(-0.7 * calendar_of(2025, 2026).shares(start, end))
    counts = weekly(end, start) * off

    assert counts[-11:].mean() < 0.75 * weekly(end, start)[-11:].mean()
    assert fitted(counts, start).total(28).mean > 0.85 * 4 * WEEK.sum()


@pytest.mark.parametrize("size", [0.03, 1.0, 1e3, 1e8])
def test_counts_of_every_size(size):
    counts = weekly(size=size)
    assert fitted(counts).total(28).mean == pytest.approx(counts[-56:].sum() / 2, rel=0.15)


def test_bands_hold_what_they_promise_on_series_that_wander():
    inside_80, inside_95 = [], []
    for seed in range(8):
        wandering = np.cumsum(np.random.default_rng(seed).normal(0.0, 0.02, 210))
        values = weekly(210, noise=0.1, seed=seed + 100) * np.exp(wandering)
        made, actual = fitted(values[:180]).predict(30), values[180:]
        inside_80.append(np.mean((made.lower_80 <= actual) & (actual <= made.upper_80)))
        inside_95.append(np.mean((made.lower_95 <= actual) & (actual <= made.upper_95)))

    assert 0.65 < np.mean(inside_80) < 0.97
    assert 0.85 < np.mean(inside_95) <= 1.0
