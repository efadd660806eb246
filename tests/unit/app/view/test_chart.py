import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from app.data.track_record import PastForecast, TrackRecord
from app.view import chart
from app.view.state import ALL, View
from forecast.config import Event
from tests.bundles import LAST_DAY
from tests.unit.app.view.samples import package_forecast

STEP = Event(date=LAST_DAY - dt.timedelta(days=20), kind="definition", note="A <new> way %{x}")
OUTAGE = Event(
    date=LAST_DAY - dt.timedelta(days=10),
    until=LAST_DAY - dt.timedelta(days=8),
    kind="outage",
    note="Down",
)
OLD = Event(date=dt.date(2020, 1, 1), kind="outage", note="Long ago")


def drawn(shown, view=None, events=()):
    """The figure as the browser gets it."""
    return json.loads(chart.to_json(chart.draw(shown, view or View(), events), "name"))


def trace(figure, name):
    [found] = [each for each in figure["data"] if each.get("name") == name]
    return found


def test_the_forecast_starts_on_the_day_after_the_last_counted():
    figure = drawn([package_forecast()])
    assert trace(figure, "Counted")["x"][-1] == LAST_DAY.isoformat()
    assert trace(figure, "Forecast")["x"][0] == (LAST_DAY + dt.timedelta(days=1)).isoformat()
    assert len(trace(figure, "Forecast")["x"]) == 30


def test_bands_are_those_of_the_forecast():
    made = package_forecast()
    figure = drawn([made])
    np.testing.assert_allclose(trace(figure, "80 % band")["y"], made.daily.lower_80, atol=0.01)
    np.testing.assert_allclose(
        trace(figure, "Upper end of 95 %")["y"], made.daily.upper_95, atol=0.01
    )
    for level in ("80", "95"):
        assert trace(figure, f"{level} % band")["fill"] == "tonexty"
        upper = figure["data"].index(trace(figure, f"Upper end of {level} %"))
        assert figure["data"][upper + 1]["name"] == f"{level} % band"


def test_the_7_day_mean_looks_back_and_runs_on_into_the_forecast():
    made = package_forecast()
    figure = drawn([made], View(days=ALL))
    means = trace(figure, "7-day mean")["y"]
    assert means[:6] == [None] * 6
    assert means[-1] == pytest.approx(made.series.values[-7:].mean(), abs=0.01)
    ahead = trace(figure, "Forecast, 7-day mean")["y"]
    expected = (made.series.values[-6:].sum() + made.daily.mean[0]) / 7
    assert ahead[0] == pytest.approx(expected, abs=0.01)


def test_without_smoothing_the_counts_are_the_line():
    figure = drawn([package_forecast()], View(smooth=False))
    assert trace(figure, "Counted")["mode"] == "lines"
    assert "7-day mean" not in {each.get("name") for each in figure["data"]}


@pytest.mark.parametrize(("days", "shown"), [(30, 30), (60, 60), (90, 70), (180, 70), (ALL, 70)])
def test_the_range(days, shown):
    figure = drawn([package_forecast()], View(days=days))
    assert len(trace(figure, "Counted")["x"]) == shown
    assert figure["layout"]["xaxis"]["range"][0].startswith(trace(figure, "Counted")["x"][0])


def test_the_log_scale_leaves_out_what_it_cannot_show():
    made = package_forecast()
    values = made.series.values.copy()
    values[-1] = 0.0
    bands = replace(made.daily, lower_95=np.zeros(30))
    changed = replace(made, series=replace(made.series, values=values), daily=bands)
    figure = drawn([changed], View(scale="log"))
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert trace(figure, "Counted")["y"][-1] is None
    assert all(value > 0 for value in trace(figure, "95 % band")["y"])


def test_the_indexed_scale_starts_at_100_and_tells_real_counts():
    figure = drawn([package_forecast()], View(scale="indexed", days=ALL))
    counted = trace(figure, "Counted")
    assert np.mean(counted["y"][:7]) == pytest.approx(100, abs=0.01)
    assert counted["text"][0].startswith(f"{package_forecast().series.values[0]:,.0f} ")
    mean = package_forecast().series.values[-7:].mean()
    assert trace(figure, "7-day mean")["text"][-1] == f"{mean:,.0f}"
    ratio = counted["y"][-1] / package_forecast().series.values[-1]
    band = trace(figure, "80 % band")["y"]
    np.testing.assert_allclose(band, package_forecast().daily.lower_80 * ratio, rtol=1e-3)


def test_nothing_to_index_by_is_no_error():
    made = package_forecast()
    zeros = replace(made, series=replace(made.series, values=np.zeros(70)))
    drawn([zeros], View(scale="indexed"))


def test_the_hover_says_count_bands_and_weekday():
    figure = drawn([package_forecast()])
    made = package_forecast().daily
    text = trace(figure, "Forecast")["text"][0]
    assert text.startswith(f"{made.median[0]:,.0f} expected<br>80 %: {made.lower_80[0]:,.0f} to ")
    assert f"95 %: {made.lower_95[0]:,.0f} to {made.upper_95[0]:,.0f}" in text
    assert figure["layout"]["hovermode"] == "x unified"
    assert "%A" in figure["layout"]["xaxis"]["hoverformat"]


def test_events_in_the_range_are_marked_with_their_notes():
    figure = drawn([package_forecast()], View(days=30), [STEP, OUTAGE, OLD])
    marks = trace(figure, "Event")
    assert marks["x"] == [STEP.date.isoformat(), OUTAGE.date.isoformat()]
    assert "A &lt;new&gt; way % {x}" in marks["text"][0].replace("<br>", " ")
    shapes = {shape["type"] for shape in figure["layout"]["shapes"]}
    assert shapes == {"line", "rect"}
    assert len(figure["layout"]["shapes"]) == 3


def test_no_events_no_marks():
    assert "Event" not in {
        each["name"] for each in drawn([package_forecast()], View(), [OLD])["data"]
    }


def test_repaired_days_are_marked_and_called_estimates():
    made = package_forecast()
    day = LAST_DAY - dt.timedelta(days=3)
    changed = replace(made, series=replace(made.series, repaired=(day,)))
    figure = drawn([changed])
    assert trace(figure, "Repaired day")["x"] == [day.isoformat()]
    assert "estimated" in trace(figure, "Counted")["text"][-4]
    assert "estimated" not in trace(figure, "Counted")["text"][-3]


def test_five_packages_differ_in_colour_and_without():
    names = ("flask", "requests", "a", "b", "c")
    figure = drawn([package_forecast(name) for name in names], View(packages=()))
    lines = [trace(figure, name) for name in names]
    for look in (("line", "color"), ("line", "dash"), ("marker", "symbol")):
        assert len({line[look[0]][look[1]] for line in lines}) == 5
    assert [each["name"] for each in figure["data"] if each.get("showlegend", True)] == list(names)


@pytest.mark.parametrize(("names", "bands"), [(("flask", "requests"), 2), (("a", "b", "c"), 0)])
def test_two_packages_keep_their_bands_and_three_do_not(names, bands):
    figure = drawn([package_forecast(name) for name in names])
    assert sum(each["name"] == "80 % band" for each in figure["data"]) == bands
    assert "95 % band" not in {each["name"] for each in figure["data"]}


@pytest.mark.parametrize(
    ("scale", "title"),
    [
        ("absolute", "Daily downloads of flask"),
        ("log", "Daily downloads of flask (log scale)"),
        ("indexed", "Daily downloads of flask, first week shown = 100"),
    ],
)
def test_the_axis_says_what_it_measures(scale, title):
    figure = drawn([package_forecast()], View(scale=scale))
    assert figure["layout"]["yaxis"]["title"]["text"] == title
    pair = drawn([package_forecast(), package_forecast("a")], View(scale=scale))
    assert pair["layout"]["yaxis"]["title"]["text"] == title.replace(" of flask", "")


def test_the_boundary_lies_between_history_and_forecast():
    [boundary] = drawn([package_forecast()])["layout"]["shapes"]
    assert boundary["x0"] == boundary["x1"] == f"{LAST_DAY}T12:00"


@pytest.mark.parametrize(("scale", "traces"), [("absolute", 1), ("log", 1), ("indexed", 0)])
def test_earlier_forecasts_are_left_out_of_an_index(scale, traces):
    figure = drawn([with_record(7)], View(scale=scale))
    assert sum(each["name"] == "Earlier forecast" for each in figure["data"]) == traces


def with_record(*ages):
    """A forecast with a forecast of each age in days, each telling a week."""
    said = tuple(
        PastForecast(
            made_on=LAST_DAY - dt.timedelta(days=age),
            days=tuple(LAST_DAY - dt.timedelta(days=age - at) for at in range(7)),
            values=(1234.0,) * 7,
        )
        for age in ages
    )
    record = TrackRecord(len(ages), LAST_DAY, 7 * len(ages), 0.9, 0.8, 0.95, said)
    return package_forecast(track_record=record)


def test_earlier_forecasts_are_drawn_beside_the_counts():
    figure = drawn([with_record(7, 14)])
    first, second = [each for each in figure["data"] if each["name"] == "Earlier forecast"]
    assert first["x"][0] == (LAST_DAY - dt.timedelta(days=7)).isoformat()
    assert first["text"][0].startswith("1,234 forecast on 14 November 2026")
    assert (first["showlegend"], second["showlegend"]) == (True, False)


def test_earlier_forecasts_are_cut_to_the_range():
    assert not [
        each
        for each in drawn([with_record(60)], View(days=30))["data"]
        if each["name"] == "Earlier forecast"
    ]
    [half] = [
        each
        for each in drawn([with_record(33)], View(days=30))["data"]
        if each["name"] == "Earlier forecast"
    ]
    assert len(half["x"]) == 3


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("colour", chart.COLOURS)
@pytest.mark.parametrize("page", ["#ffffff", "#0b0f19"])
def test_every_colour_stands_out_from_light_and_dark(colour, page):
    light, dark = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3.0


def test_the_figure_is_fit_for_the_page():
    figure = drawn([package_forecast()])
    layout = figure["layout"]
    assert layout["height"] == chart.HEIGHT
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "bdata" not in json.dumps(figure)
    assert figure["config"]["displaylogo"] is False
    assert figure["config"]["toImageButtonOptions"]["filename"] == "name"


def test_days_off_that_move_the_forecast_are_marked_and_explained():
    made = package_forecast()
    thanksgiving, friday = (made.daily.start + dt.timedelta(days=ahead) for ahead in (4, 5))
    vars(made)["days_off"] = {thanksgiving: 0.21, friday: -0.04}
    marks = trace(drawn([made]), "Day off")
    assert marks["x"] == [thanksgiving.isoformat(), friday.isoformat()]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in marks["text"]] == [
        "Day off: 21 % fewer expected",
        "Day off: 4 % more expected",
    ]
    assert "Day off" not in {each.get("name") for each in drawn([package_forecast()])["data"]}
