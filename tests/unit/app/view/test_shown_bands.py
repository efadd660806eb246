"""Each of the columns is shown and exported under its own name."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from app.view import chart
from app.view.state import View
from forecast.bands import BAND_COLUMNS, Total
from forecast.config import Package
from forecast.document import markup
from forecast.presentation import export
from forecast.presentation.package_forecast import from_bundle
from tests.bundles import BANDS, TOTAL, bands, make_bundle
from tests.unit.app.view.samples import AROUND


@pytest.fixture
def forecast():
    made = from_bundle(make_bundle(), Package("flask", "Flask"), None, ())
    made = replace(made, daily=bands(30))
    vars(made)["total"] = Total(**{name: 30 * value for name, value in TOTAL.items()})
    return made


def test_the_schema_of_the_endpoint_has_the_columns():
    assert tuple(export.Day.__annotations__) == ("date", *BAND_COLUMNS)
    assert tuple(export.COLUMNS[-7:-1]) == BAND_COLUMNS


def test_the_answer(forecast):
    day = export.answer(forecast, 1)["forecast"][0]
    assert list(day.items()) == [("date", "2026-11-22"), *BANDS.items()]


def test_csv(forecast):
    text = export.to_csv([forecast])
    assert text.endswith("flask,2026-12-21,,,310.0,300.0,200.0,400.0,100.0,500.0,\n")
    last = list(csv.DictReader(io.StringIO(text)))[-1]
    assert {name: float(last[name]) for name in BANDS} == BANDS


def test_json(forecast):
    [whole] = json.loads(export.to_json([forecast]))
    assert whole["forecast"][0] == {"date": "2026-11-22", **BANDS}
    assert list(whole["total"].items()) == [(name, 30 * value) for name, value in TOTAL.items()]


def test_the_bundle_s_own_forecast_is_read_by_name():
    bundle = make_bundle()
    made = from_bundle(bundle, Package("flask", "Flask"), None, ())
    for name in BAND_COLUMNS:
        assert getattr(made.daily, name).tolist() == bundle.forecast("flask")[name].tolist()
        assert getattr(made.ahead(2), name).tolist() == getattr(made.daily, name)[:2].tolist()


def test_the_table(forecast):
    text = markup.numbers([forecast]).replace("\N{NO-BREAK SPACE}", " ")
    heads = re.findall("<th[^>]*>([^<]*)</th>", text)[:7]
    assert heads == ["Day", "Mean", "Median", "80 %: from", "to", "95 %: from", "to"]
    row = text[text.index("Sun 22 Nov 2026") :].partition("</tr>")[0]
    assert re.findall("<td[^>]*>([^<]*)</td>", row) == ["310", "300", "200", "400", "100", "500"]


def test_the_chart(forecast):
    figure = json.loads(chart.to_json(chart.draw([forecast], View(mode="daily"), AROUND)))
    shown = {each["name"]: each for each in figure["data"] if "name" in each}
    assert shown["Forecast"]["y"][0] == BANDS["median"]
    for level in ("80", "95"):
        assert shown[f"{level} % band"]["y"][0] == BANDS[f"lower_{level}"]
        assert shown[f"Upper end of {level} %"]["y"][0] == BANDS[f"upper_{level}"]
    expected = "about 300 downloads expected<br>80 %: 200 to 400<br>95 %: 100 to 500"
    assert shown["Labels"]["text"][-30] == expected


def test_the_chart_of_two(forecast):
    other = replace(forecast, package=Package("requests", "requests"))
    figure = json.loads(chart.to_json(chart.draw([forecast, other], View(mode="daily"), AROUND)))
    shown = {each["name"]: each for each in figure["data"]}
    assert "Flask: 300<br>80 %: 200 to 400<br>" in shown["Labels"]["text"][-30]
    assert shown["80 % band"]["y"][0] == BANDS["lower_80"]
    assert shown["Upper end of 80 %"]["y"][0] == BANDS["upper_80"]
