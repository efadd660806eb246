import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from app.data.package_forecast import Choice, from_bundle
from app.data.store import Snapshot
from app.data.track_record import TrackRecord
from app.view import wording
from forecast.bundle.manifest import Backtest
from forecast.config import Event, Package
from forecast.github.artifact import Provenance
from tests.bundles import CREATED_AT, LAST_DAY, make_bundle

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SCORES = Backtest(
    origins=4, mase=0.9, naive_mase=1.2, ratio=0.75, coverage_80=0.78, coverage_95=0.941
)
STEP = Event(date=dt.date(2026, 11, 1), kind="definition", note="Counted in another way")


def package_forecast(name="flask", *, scores=SCORES, **changes):
    made = from_bundle(make_bundle(), Package(name, name), None, ())
    return replace(made, backtest=scores, **changes)


def scaled(last, following):
    """An forecast whose last 30 days and next 30 days have these sums."""
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


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


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
    assert f"about {wording.about(made.daily.mean.sum())[0]} downloads" in sentence
    [(kind, text)] = texts(make_bundle(), [made])
    assert kind == "warning"
    assert "run the workflow again" in text


def test_a_step_in_counting_is_no_fall():
    assert "not comparable with the last 30" in wording.headline(scaled(9e6, 5e6), [STEP])
    before = STEP.model_copy(update={"date": LAST_DAY - dt.timedelta(days=29)})
    assert "44" in wording.headline(scaled(9e6, 5e6), [before])
    outage = Event(date=STEP.date, kind="outage", note="x")
    assert "44" in wording.headline(scaled(9e6, 5e6), [outage])


def test_the_headline_of_a_real_model_has_the_sum_s_own_band():
    made = package_forecast()
    sentence = plain(wording.headline(made, ()))
    low, high = wording.about(made.total.mean, made.total.lower_80, made.total.upper_80)[1:]
    assert f"(80 %: {low} to {high})" in sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.4, "0.4"), (9.0, "9"), (9.6, "9.6"), (10.4, "10"), (1234567.8, "1,234,568")],
)
def test_a_day_s_count(value, text):
    assert wording.count(value) == text


def test_accuracy_in_words():
    first, second = wording.accuracy(package_forecast())
    assert plain(first) == (
        "Tested 4 times on the past of flask, 30 days ahead: the error was 25 % smaller than "
        "that of simply repeating the last week."
    )
    assert plain(second) == "The 80 % band held 78 % of the days, the 95 % band 94 %."


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.1, "10 % larger than"), (1.0, "as large as"), (0.999, "as large as")]
)
def test_accuracy_of_a_model_that_is_no_better(ratio, text):
    scores = SCORES.model_copy(update={"ratio": ratio})
    assert text in plain(wording.accuracy(package_forecast(scores=scores))[0])


def test_the_two_errors_stand_side_by_side():
    assert wording.errors(package_forecast())[:2] == [
        ("Error of the model (MASE)", "0.90"),
        ("Error of the seasonal naive (MASE)", "1.20"),
    ]


@pytest.mark.parametrize("scores", [None, Backtest(origins=0)])
def test_unmeasured_accuracy_is_called_so(scores):
    assert "could not be measured" in wording.accuracy(package_forecast(scores=scores))[0]
    assert wording.errors(package_forecast(scores=scores)) == []
    assert not wording.not_better(package_forecast(scores=scores))


def test_the_choice():
    made = package_forecast(choice=Choice(("ARIMA(2,0,0)(0,1,1)7", "ARIMA(0,1,1)"), 3456))
    assert wording.choice(made) == (
        "The mean of ARIMA(2,0,0)(0,1,1)7 and ARIMA(0,1,1), chosen among 3,456 candidates."
    )
    assert wording.choice(package_forecast(choice=Choice(("ARIMA(0,1,1)",), 1))).endswith(
        " 1 candidate."
    )
    assert wording.choice(package_forecast(choice=Choice((), 1, "Every day is the same."))) == (
        "Every day is the same."
    )


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
        "The 5 forecasts published since 19 October 2026, seen from today: an error 12 % smaller "
        "than that of repeating the last week; 79 % of 140 days within the 80 % band, 94 % within "
        "the 95 % band."
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
    assert "Model made today" in wording.freshness(replace(made, on_demand=True), None)[0][0]


def texts(bundle=None, shown=(), now=NOW, problem="", configured=()):
    found = wording.notices(Snapshot(bundle, problem, looked=True), shown, now, configured)
    return [(notice.kind, notice.text) for notice in found]


@pytest.mark.parametrize(
    ("asked", "says"),
    [(True, "were read from a folder"), (False, "config.toml does not ask for it")],
)
def test_what_was_not_verified_says_why(asked, says):
    told = wording.origin(None, asked=asked)
    assert told.startswith("Not verified, as ")
    assert says in told


def test_what_was_verified_is_named():
    told = wording.origin(
        Provenance("o/r", ".github/workflows/w.yml", "c0ffee" * 7, 42), asked=True
    )
    assert told.startswith(
        "Attested by GitHub Actions: built by .github/workflows/w.yml of o/r at commit c0ffeec, "
        "in run 42. Signatures, repository, branch, workflow, commit, run and digest were checked"
    )


def test_nothing_to_notice():
    assert texts(make_bundle(), [package_forecast()]) == []


def test_sample_data_comes_first():
    bundle = make_bundle(source="sample")
    kind, text = texts(bundle, [package_forecast()], problem="x")[0]
    assert kind == "sample"
    assert "made up" in text


def test_a_problem_without_a_bundle_is_told_as_it_is():
    assert texts(problem="Set GITHUB_TOKEN.") == [("error", "Set GITHUB_TOKEN.")]


def test_a_problem_beside_a_good_bundle_is_a_warning():
    [(kind, text)] = texts(make_bundle(), [], problem="GitHub is down.")
    assert kind == "warning"
    assert text.endswith("the last good ones are shown. GitHub is down.")


@pytest.mark.parametrize(("days", "old"), [(10, False), (11, True)])
def test_a_stale_model(days, old):
    found = texts(make_bundle(), [], now=CREATED_AT + dt.timedelta(days=days))
    assert bool(found) is old
    if old:
        assert "11 days old" in found[0][1]
        assert "start the workflow by hand" in found[0][1]


@pytest.mark.parametrize(("days", "old"), [(4, False), (5, True)])
def test_old_counts(days, old):
    now = dt.datetime.combine(LAST_DAY, dt.time(12), dt.UTC) + dt.timedelta(days=days)
    found = texts(make_bundle(), [package_forecast(), package_forecast("requests")], now=now)
    assert bool(found) is old
    if old:
        [(_, text)] = found
        assert "flask and requests are 5 days old (21 November 2026)" in text


def test_a_model_that_does_not_beat_the_naive_is_warned_of():
    worse = SCORES.model_copy(update={"ratio": 1.0})
    [(kind, text)] = texts(
        make_bundle(), [package_forecast(), package_forecast("requests", scores=worse)]
    )
    assert kind == "warning"
    assert "On requests the model has not beaten" in text


def test_missing_days_and_missing_models_are_told():
    found = texts(
        make_bundle(),
        [package_forecast(problem="Down."), package_forecast(on_demand=True)],
        configured={"flask"},
    )
    assert [kind for kind, _ in found] == ["info", "info"]
    assert "starts after 21 November 2026. Down." in found[0][1]
    assert "flask has no model of the weekly run yet" in found[1][1]


def carried():
    """A bundle that has flask's model from the run of the week before."""
    entry = (
        make_bundle()
        .manifest.packages["flask"]
        .model_copy(
            update={
                "status": "carried",
                "reason": "PyPI Stats is down; the model of 2026-11-15 goes on serving",
                "trained_at": CREATED_AT - dt.timedelta(days=7),
            }
        )
    )
    made = make_bundle()
    packages = {**made.manifest.packages, "flask": entry}
    manifest = made.manifest.model_copy(update={"packages": packages})
    return replace(made, manifest=manifest)


def test_a_model_of_an_earlier_run_says_why_and_since_when():
    found = wording.notices(Snapshot(carried(), looked=True), [package_forecast()], NOW)
    [notice] = found
    assert notice.text == (
        "The last run did not train flask: PyPI Stats is down; "
        "the model of 2026-11-15 goes on serving."
    )
    assert (
        wording.notices(Snapshot(carried(), looked=True), [package_forecast("requests")], NOW) == []
    )
    fresh = dict(wording.freshness(package_forecast(), carried().manifest))
    assert fresh["Last model updated on"] == dt.date(2026, 11, 15)


def test_notes_of_events():
    assert wording.event_note(STEP) == "1 November 2026: Counted in another way."
    span = STEP.model_copy(update={"until": dt.date(2026, 11, 3)})
    assert wording.event_note(span).startswith("1 November 2026 to 3 November 2026:")
