import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from app.data.package_forecast import Choice
from app.data.track_record import TrackRecord
from app.view import wording
from forecast.bundle.manifest import Backtest
from forecast.config import Event
from forecast.github.artifact import Provenance
from tests.bundles import CREATED_AT, LAST_DAY, make_bundle
from tests.unit.app.view.samples import SCORES, package_forecast, plain

STEP = Event(date=dt.date(2026, 11, 1), kind="definition", note="Counted in another way")


def scaled(last, following):
    """A forecast whose last 30 days and next 30 days have these sums."""
    made = package_forecast()
    series = replace(made.series, values=np.full(70, last / 30))
    changed = replace(made, series=series)
    bands = {
        f"{side}_{level}": following * (1 + sign * width)
        for side, sign in (("lower", -1), ("upper", 1))
        for level, width in (("80", 0.08), ("95", 0.12))
    }
    total = type("Total", (), {"mean": following, **bands})
    vars(changed)["total"] = total
    return changed


@pytest.mark.parametrize(
    ("last", "following", "sentence"),
    [
        (
            88.4e6,
            92e6,
            (
                "flask: about 92 million downloads in the next 30 days (80 %: 85 to 99 million), "
                "4 % more than in the last 30."
            ),
        ),
        (
            2e9,
            1.5e9,
            (
                "flask: about 1.50 billion downloads in the next 30 days "
                "(80 %: 1.38 to 1.62 billion), 25 % fewer than in the last 30."
            ),
        ),
        (
            9e6,
            9.9e6,
            (
                "flask: about 9.9 million downloads in the next 30 days "
                "(80 %: 9.1 to 10.7 million), 10 % more than in the last 30."
            ),
        ),
        (
            12_345,
            12_400,
            (
                "flask: about 12,400 downloads in the next 30 days (80 %: 11,400 to 13,400), "
                "about as many as in the last 30."
            ),
        ),
        (
            100,
            333,
            (
                "flask: about 333 downloads in the next 30 days (80 %: 306 to 360), "
                "3.3 times as many as in the last 30."
            ),
        ),
        (0, 0, "flask: about 0 downloads in the next 30 days (80 %: 0 to 0)."),
    ],
)
def test_headline(last, following, sentence):
    assert plain(wording.headline(scaled(last, following), ())) == sentence


def test_without_a_model_there_is_no_band_to_tell():
    made = package_forecast()
    vars(made)["total"] = None
    sentence = wording.headline(made, ())
    assert "80" not in sentence.partition("about")[2].partition("in the")[2]
    assert f"about {wording.format_rounded(made.daily.mean.sum())[0]} downloads" in sentence


def test_a_step_in_counting_is_no_fall():
    assert "not comparable with the last 30" in wording.headline(scaled(9e6, 5e6), [STEP])
    outage = Event(date=STEP.date, kind="outage", note="x")
    assert "44" in wording.headline(scaled(9e6, 5e6), [outage])


def test_the_headline_of_a_real_model_has_the_sum_s_own_band():
    made = package_forecast()
    sentence = plain(wording.headline(made, ()))
    low, high = wording.format_rounded(made.total.mean, made.total.lower_80, made.total.upper_80)[
        1:
    ]
    assert f"(80 %: {low} to {high})" in sentence


@pytest.mark.parametrize(
    ("ago", "comparable"), [(29, True), (28, False), (0, False), (-1, True)], ids=str
)
def test_only_a_step_within_the_days_compared_forbids_to_compare(ago, comparable):
    step = STEP.model_copy(update={"date": LAST_DAY - dt.timedelta(days=ago)})
    assert ("44" in wording.headline(scaled(9e6, 5e6), [step])) is comparable


@pytest.mark.parametrize(
    ("following", "comparison"),
    [
        (8_821, "about as many as in"),
        (8_820, "2 % fewer than in"),
        (9_179, "about as many as in"),
        (9_180, "2 % more than in"),
        (17_999, "100 % more than in"),
        (18_000, "2.0 times as many as in"),
    ],
)
def test_small_changes_are_none_and_large_ones_are_multiples(following, comparison):
    assert f"{comparison} the last 30." in plain(wording.headline(scaled(9_000, following), ()))


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
    first, second = wording.accuracy(package_forecast())
    assert plain(first) == (
        "Tested 4 times on the history of flask, 30 days ahead: the error was 25 % smaller than "
        "that of repeating the last week."
    )
    assert plain(second) == "The 80 % band contained 78 % of the days, the 95 % band 94 %."


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
    scores = SCORES.model_copy(update={"ratio": ratio})
    assert text in plain(wording.accuracy(package_forecast(scores=scores))[0])


def test_the_two_errors_stand_side_by_side():
    assert wording.error_figures(package_forecast())[:2] == [
        ("Error of the model (MASE)", "0.90"),
        ("Error of the seasonal naive (MASE)", "1.20"),
    ]


@pytest.mark.parametrize("scores", [None, Backtest(origins=0)])
def test_unmeasured_accuracy_is_called_so(scores):
    assert "could not be measured" in wording.accuracy(package_forecast(scores=scores))[0]
    assert wording.error_figures(package_forecast(scores=scores)) == []
    assert not wording.not_better(package_forecast(scores=scores))


def test_the_choice():
    made = package_forecast(choice=Choice(("ARIMA(2,0,0)(0,1,1)7", "ARIMA(0,1,1)"), 3456))
    assert wording.model_summary(made) == (
        "The mean of ARIMA(2,0,0)(0,1,1)7 and ARIMA(0,1,1), chosen among 3,456 candidates."
    )
    assert wording.model_summary(package_forecast(choice=Choice(("ARIMA(0,1,1)",), 1))).endswith(
        " 1 candidate."
    )
    assert wording.model_summary(
        package_forecast(choice=Choice((), 1, "Every day is the same."))
    ) == ("Every day is the same.")


def test_the_track_record():
    record = TrackRecord(
        forecasts=5,
        first=dt.date(2026, 10, 19),
        days=140,
        ratio=0.88,
        inside_80=0.79,
        inside_95=0.94,
        past_forecasts=(),
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


@pytest.mark.parametrize(
    ("ratio", "better"), [(0.999, True), (1.0, False), (1.1, False), (None, True)]
)
def test_a_model_must_beat_the_naive_forecast(ratio, better):
    scores = SCORES.model_copy(update={"ratio": ratio})
    assert wording.not_better(package_forecast(scores=scores)) is not better
