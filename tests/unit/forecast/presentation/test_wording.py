import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from forecast.bands import Total
from forecast.bundle.manifest import Backtest, MemberEntry
from forecast.config import Event
from forecast.github.artifact import Provenance
from forecast.presentation import wording
from forecast.presentation.package_forecast import Choice
from forecast.presentation.track_record import PastForecast, TrackRecord
from tests.bundles import CREATED_AT, LAST_DAY, make_bundle, model_of
from tests.unit.app.view.samples import SCORES, package_forecast, plain, with_history

STEP = Event(date=dt.date(2026, 11, 1), kind="definition", note="Counted in another way")


def expecting(total, change=1.0):
    """A forecast with this total, and this level over that of the last four weeks."""
    changed = package_forecast()
    bands = {
        f"{side}_{level}": total * (1 + sign * width)
        for side, sign in (("lower", -1), ("upper", 1))
        for level, width in (("80", 0.08), ("95", 0.12))
    }
    vars(changed).update(total=Total(mean=total, **bands), change=change)
    return changed


@pytest.mark.parametrize(
    ("total", "change", "sentence"),
    [
        (
            92e6,
            1.04,
            (
                "flask: about 92 million downloads in the next 30 days (probably 85 to 99 "
                "million), 4 % more a day than in the last 28 days."
            ),
        ),
        (
            1.5e9,
            0.75,
            (
                "flask: about 1.50 billion downloads in the next 30 days "
                "(probably 1.38 to 1.62 billion), 25 % fewer a day than in the last 28 days."
            ),
        ),
        (
            12_400,
            1.01,
            (
                "flask: about 12,400 downloads in the next 30 days (probably 11,400 to 13,400), "
                "about as many a day as in the last 28 days."
            ),
        ),
        (
            333,
            3.33,
            (
                "flask: about 333 downloads in the next 30 days (probably 306 to 360), "
                "3.3 times as many a day as in the last 28 days."
            ),
        ),
        (0, None, "flask: about 0 downloads in the next 30 days (probably 0 to 0)."),
    ],
)
def test_headline(total, change, sentence):
    assert plain(wording.headline(expecting(total, change), ())) == sentence


def test_without_a_model_there_is_no_band_to_tell():
    made = package_forecast()
    vars(made)["total"] = None
    sentence = wording.headline(made, ())
    assert "80" not in sentence.partition("about")[2].partition("in the")[2]
    assert f"about {wording.format_rounded(made.daily.mean.sum())[0]} downloads" in sentence


def test_nothing_is_compared_with_days_without_downloads():
    made = expecting(7, 1.5)
    values = made.series.values.copy()
    values[-28:] = 0.0
    silent = replace(made, series=replace(made.series, values=values))
    vars(silent).update(vars(made) | {"series": silent.series})
    assert wording.headline(silent, ()).endswith(" 8).")


def test_a_step_in_counting_is_no_fall():
    assert "not comparable with the last 28 days" in wording.headline(expecting(5e6, 0.56), [STEP])
    outage = Event(date=STEP.date, kind="outage", note="x")
    assert "44" in wording.headline(expecting(5e6, 0.56), [outage])


def test_the_headline_of_a_real_model_has_the_sum_s_own_band():
    made = package_forecast()
    sentence = plain(wording.headline(made, ()))
    low, high = wording.format_rounded(made.total.mean, made.total.lower_80, made.total.upper_80)[
        1:
    ]
    assert f"(probably {low} to {high})" in sentence


@pytest.mark.parametrize(
    ("ago", "comparable"), [(27, True), (26, False), (0, False), (-1, True)], ids=str
)
def test_only_a_step_within_the_days_compared_forbids_to_compare(ago, comparable):
    step = STEP.model_copy(update={"date": LAST_DAY - dt.timedelta(days=ago)})
    assert ("44" in wording.headline(expecting(5e6, 0.56), [step])) is comparable


@pytest.mark.parametrize(
    ("change", "comparison"),
    [
        (0.001, "over 99 % fewer a day than in"),
        (0.02, "98 % fewer a day than in"),
        (0.9801, "about as many a day as in"),
        (0.9799, "2 % fewer a day than in"),
        (1.0199, "about as many a day as in"),
        (1.0201, "2 % more a day than in"),
        (1.999, "100 % more a day than in"),
        (2.0, "2.0 times as many a day as in"),
    ],
)
def test_small_changes_are_none_and_large_ones_are_multiples(change, comparison):
    told = plain(wording.headline(expecting(9_000, change), ()))
    assert f"{comparison} the last 28 days." in told


@pytest.mark.parametrize("start", range(7))
def test_an_exactly_periodic_package_reads_as_many(start):
    last = LAST_DAY + dt.timedelta(days=start)
    week = [1000, 1050, 1050, 1020, 950, 500, 450]
    days = pd.date_range(end=pd.Timestamp(last), periods=90)
    newer = pd.Series([week[day.day_of_week] for day in days], days, name="downloads")
    model = model_of(days[0].date(), newer)
    made = package_forecast(load=lambda: model)
    assert "about as many a day as in the last 28 days" in wording.headline(made, ())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999_400, "999,000"),
        (1e6, "1.00 million"),
        (1.99e6, "1.99 million"),
        (2e6, "2.0 million"),
        (19.9e6, "19.9 million"),
        (20e6, "20 million"),
        (1e9, "1.00 billion"),
        (2e9, "2.0 billion"),
        (20e9, "20 billion"),
    ],
)
def test_large_numbers_have_two_or_three_digits(value, text):
    assert wording.format_rounded(value) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.4, "0.4"), (9.0, "9"), (9.6, "9.6"), (10.4, "10"), (1234567.8, "1,234,568")],
)
def test_a_day_s_count(value, text):
    assert wording.format_count(value) == text


def test_accuracy_in_words():
    made = package_forecast()
    vars(made).update(usual_miss=0.082, usual_error=0.75)
    first, second = wording.accuracy(made)
    assert plain(first) == (
        "Forecasts like this one have missed the total by 8 % in half the cases, with an error "
        "25 % smaller than that of repeating the last week."
    )
    assert plain(second) == (
        "Tested 4 times on the history of flask, 30 days ahead: the 80 % band contained 78 % of "
        "the days, the 95 % band 94 %."
    )
    vars(made)["usual_miss"] = None
    assert plain(wording.accuracy(made)[0]) == (
        "Forecasts like this one have an error 25 % smaller than that of repeating the last week."
    )


def test_what_is_told_is_drawn_towards_all_packages():
    better, worse = (
        package_forecast(scores=SCORES.model_copy(update={"ratio": ratio, "total_error": error}))
        for ratio, error in ((0.3, 0.01), (3.0, 1.0))
    )
    assert 0.3 < better.usual_error < worse.usual_error < 1.0
    assert 0.0 < better.usual_miss < worse.usual_miss < 1.0


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.1, "10 % larger than"),
        (1.006, "1 % larger than"),
        (1.004, "as large as"),
        (1.0, "as large as"),
        (0.996, "as large as"),
        (0.994, "1 % smaller than"),
    ],
)
def test_accuracy_of_a_model_that_is_no_better(ratio, text):
    made = package_forecast()
    vars(made)["usual_error"] = ratio
    assert text in plain(wording.accuracy(made)[0])


def test_the_two_errors_stand_side_by_side():
    assert wording.error_figures(package_forecast())[:2] == [
        ("Error of the model (MASE)", "0.90"),
        ("Error of the seasonal naive (MASE)", "1.20"),
    ]


@pytest.mark.parametrize("scores", [None, Backtest(origins=0)])
def test_unmeasured_accuracy_is_called_so(scores):
    usual, unmeasured = wording.accuracy(package_forecast(scores=scores))
    assert usual.startswith("Forecasts like this one have missed the total by ")
    assert unmeasured == "Its own history is too short, or too even, to test a forecast on."
    assert wording.error_figures(package_forecast(scores=scores)) == []
    assert not wording.not_better(package_forecast(scores=scores))


def test_the_choice():
    made = package_forecast()
    pooled, searched = (
        MemberEntry(order=order, seasonal_order=seasonal, weight=weight, theta=theta)
        for order, seasonal, weight, theta in (
            ((0, 1, 1), (0, 0, 0, 0), 0.9, -0.8),
            ((2, 1, 0), (0, 0, 1, 7), 0.1, None),
        )
    )
    made = replace(made, choice=Choice((pooled, searched), 3456))
    assert plain(wording.model_summary(made)) == (
        "A mean of ARIMA(0,1,1), the same for all packages (90 % with theta -0.8), and of "
        "ARIMA(2,1,0)(0,0,1)7 (10 %), chosen among 3,456 candidates for this one. The weekly "
        "pattern and days off are taken out before and put back after. The thetas, the effect of "
        "days off and the widths of the bands were learned from thousands of packages."
    )
    single = replace(made, choice=Choice((pooled, searched), 1))
    assert "among 1 candidate for" in wording.model_summary(single)


def test_the_track_record():
    record = TrackRecord(
        forecasts=5,
        first=dt.date(2026, 10, 19),
        days=140,
        ratio=0.88,
        inside_80=0.79,
        inside_95=0.94,
        earlier=PastForecast(LAST_DAY, (LAST_DAY,), (1.0,)),
    )
    assert plain(wording.track_record(package_forecast(track_record=record))) == (
        "The 5 forecasts published since 19 October 2026, compared with the counts so far: an "
        "error 12 % smaller than that of repeating the last week; 79 % of 140 days within the "
        "80 % band, 94 % within the 95 % band."
    )
    worse = replace(record, forecasts=1, ratio=1.1)
    told = wording.track_record(package_forecast(track_record=worse))
    assert "The forecast of 19 October 2026" in told
    assert "10 % larger" in plain(told)
    unknown = replace(record, ratio=None)
    assert "error" not in wording.track_record(package_forecast(track_record=unknown))
    assert wording.track_record(package_forecast()) == ""


def test_freshness():
    made = package_forecast()
    assert wording.freshness(made, make_bundle().manifest) == [
        ("Last model updated on", CREATED_AT.date()),
        ("Trained through", LAST_DAY),
        ("Observed through", LAST_DAY),
    ]
    assert "Model trained today" in wording.freshness(replace(made, on_demand=True), None)[0][0]


@pytest.mark.parametrize(
    ("asked", "says"),
    [(True, "were read from a folder"), (False, "config.toml does not ask for it")],
)
def test_what_was_not_verified_says_why(asked, says):
    told = wording.origin(None, asked=asked)
    assert told.startswith("Not verified, because ")
    assert says in told


def test_what_was_verified_is_named():
    told = wording.origin(
        Provenance("o/r", ".github/workflows/w.yml", "c0ffee" * 7, 42), asked=True
    )
    assert told.startswith(
        "Attested by GitHub Actions: built by .github/workflows/w.yml of o/r at commit c0ffeec, "
        "in run 42. Signatures, repository, branch, workflow, commit, run and digest were verified"
    )


def test_notes_of_events():
    assert wording.event_note(STEP) == "1 November 2026: Counted in another way."
    span = STEP.model_copy(update={"until": dt.date(2026, 11, 3)})
    assert wording.event_note(span).startswith("1 November 2026 to 3 November 2026:")


def test_names_in_a_sentence():
    made = [package_forecast(name) for name in ("flask", "requests", "a")]
    assert [wording.format_names(made[:length]) for length in (1, 2, 3)] == [
        "flask",
        "flask and requests",
        "flask, requests and a",
    ]


def test_a_model_without_orders_says_so():
    made = package_forecast(choice=Choice((), 1))
    assert wording.model_summary(made) == "The orders of the model are not recorded."


@pytest.mark.parametrize(("error", "better"), [(0.999, True), (1.0, False), (1.1, False)])
def test_a_model_must_beat_the_naive_forecast(error, better):
    made = package_forecast()
    vars(made)["usual_error"] = error
    assert wording.not_better(made) is not better


def test_a_package_whose_counts_stopped_says_so():
    forecast = with_history([1000] * 60 + [0] * 10)
    told = plain(wording.headline(forecast, ()))
    assert told.startswith("flask: no counts since 11 November 2026, and about ")
    assert "than in" not in told
    assert ("No counts since", dt.date(2026, 11, 11)) in wording.freshness(forecast, None)
    assert plain(wording.title([forecast])) == "flask: no counts since 11 November 2026"
    assert plain(wording.card(forecast)) == "No counts since 11 November 2026."


def test_one_download_is_singular():
    assert wording.downloads("1") == "1 download"
    assert wording.downloads("0") == "0 downloads"
    assert wording.downloads("1.0 million") == "1.0 million downloads"


def test_the_next_round_number_is_named_where_the_forecast_reaches_it():
    made = package_forecast()
    counted = float(made.series.values.sum())
    near, far = (
        replace(made, series=replace(made.series, values=made.series.values * factor))
        for factor in (99_000 / counted, 21_000 / counted)
    )
    assert plain(wording.total_so_far(near)).endswith(
        "100,000 will be reached around 23 November 2026."
    )
    assert "will be reached" not in wording.total_so_far(far)
    assert wording.total_so_far(far).startswith("Since 13 September 2026, 21,000 downloads")
    none = replace(made, series=replace(made.series, values=made.series.values * 0))
    assert wording.total_so_far(none) == ""


def test_a_band_that_held_few_days_is_told():
    made = package_forecast()
    held = [
        replace(made, backtest=Backtest(origins=4, mase=1.0, naive_mase=1.1, coverage_80=share))
        for share in (0.18, 0.5, None)
    ]
    told = [plain(wording.narrow_band(each)) for each in held]
    assert told[0].startswith("In the tests on the past of flask the 80 % band held 18 % of")
    assert told[1:] == ["", ""]
    stopped = replace(held[0], series=replace(made.series, stopped=LAST_DAY))
    assert wording.narrow_band(stopped) == ""


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (dt.date(2026, 11, 16), dt.date(2026, 11, 22), "16 to 22 Nov"),
        (dt.date(2026, 11, 30), dt.date(2026, 12, 6), "30 Nov to 6 Dec"),
    ],
)
def test_a_span_names_its_month_once(first, last, told):
    assert wording.format_days(first, last) == told


def test_a_total_has_its_unit_once():
    total = Total(mean=16.2e6, lower_80=15e6, upper_80=17.6e6, lower_95=9e5, upper_95=18.8e6)
    assert wording.format_total(total) == ("16.2 million", "15.0 to 17.6", "0.9 to 18.8")
