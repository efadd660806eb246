import csv
import datetime as dt
import io
import json
from dataclasses import replace

import pytest

from forecast.bundle.manifest import Backtest
from forecast.config import Package
from forecast.presentation import export
from forecast.presentation.package_forecast import from_bundle
from forecast.presentation.track_record import PastForecast, TrackRecord
from tests.bundles import LAST_DAY, make_bundle


@pytest.fixture
def forecast():
    made = from_bundle(make_bundle(), Package("flask", "Flask"), None, ())
    return replace(made, series=replace(made.series, repaired=(LAST_DAY,)))


def test_csv_has_a_row_a_day(forecast):
    rows = list(csv.DictReader(io.StringIO(export.to_csv([forecast]))))
    assert len(rows) == 70 + 30
    last, first = rows[69], rows[70]
    assert last["date"] == LAST_DAY.isoformat()
    assert float(last["downloads"]) == forecast.series.values[-1]
    assert last["repaired"] == "1"
    assert last["mean"] == first["downloads"] == first["repaired"] == ""
    assert first["date"] == (LAST_DAY + dt.timedelta(days=1)).isoformat()
    assert float(first["upper_95"]) == pytest.approx(forecast.daily.upper_95[0], abs=0.05)
    assert [row["repaired"] for row in rows[:69]] == ["0"] * 69


def test_csv_of_several_packages_names_each(forecast):
    other = from_bundle(make_bundle(), Package("requests", "requests"), None, ())
    rows = list(csv.DictReader(io.StringIO(export.to_csv([forecast, other]))))
    assert [row["package"] for row in rows] == ["flask"] * 100 + ["requests"] * 100


def test_json_holds_everything(forecast):
    [whole] = json.loads(export.to_json([forecast]))
    assert whole["history"][-1] == {
        "date": LAST_DAY.isoformat(),
        "downloads": forecast.series.values[-1],
        "repaired": True,
    }
    assert whole["forecast"] == export.ahead(forecast, 30)
    assert whole["backtest"]["naive_mase"] == 1.0
    assert set(whole["total"]) == {"mean", "lower_80", "upper_80", "lower_95", "upper_95"}


def test_json_without_a_model(forecast):
    vars(forecast)["total"] = None
    assert json.loads(export.to_json([forecast]))[0]["total"] is None


def test_the_answer_has_exactly_these_keys(forecast):
    answer = export.answer(forecast, 2)
    assert list(answer) == [
        "package",
        "trained_through",
        "observed_through",
        "no_counts_since",
        "forecast",
        "accuracy",
    ]
    assert [list(day) for day in answer["forecast"]] == [
        ["date", "mean", "median", "lower_80", "upper_80", "lower_95", "upper_95"]
    ] * 2


def test_the_answer_says_how_far_to_believe_it(forecast):
    record = TrackRecord(
        *(4, LAST_DAY, 28, None, 0.75, 0.96429), PastForecast(LAST_DAY, (LAST_DAY,), (1.0,))
    )
    told = export.answer(replace(forecast, track_record=record), 2)["accuracy"]
    assert told["error_ratio"] == round(forecast.usual_error, 3)
    assert told["total_error"] == round(forecast.usual_miss, 3)
    assert told["backtest"] == {
        "forecasts": 3,
        "error_ratio": 0.9,
        "inside_80": 0.8,
        "inside_95": 0.95,
    }
    assert told["record"] == {
        "forecasts": 4,
        "error_ratio": None,
        "inside_80": 0.75,
        "inside_95": 0.964,
    }
    for untested in (None, Backtest(origins=0)):
        told = export.answer(replace(forecast, backtest=untested), 2)["accuracy"]
        assert told["backtest"] is None
        assert told["record"] is None
        assert told["error_ratio"] > 0


def test_a_package_whose_counts_stopped_says_so(forecast):
    assert export.answer(forecast, 2)["no_counts_since"] is None
    assert {row["no_counts_since"] for row in rows_of(forecast)} == {""}
    stopped = replace(forecast, series=replace(forecast.series, stopped=dt.date(2026, 9, 20)))
    assert export.answer(stopped, 2)["no_counts_since"] == "2026-09-20"
    assert {row["no_counts_since"] for row in rows_of(stopped)} == {"2026-09-20"}


def rows_of(forecast):
    return list(csv.DictReader(io.StringIO(export.to_csv([forecast]))))
