import datetime as dt
import json
import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.view import chart
from app.view.layout import HEIGHT, in_lines, linear_ticks, log_ticks, short, spread
from app.view.state import ALL, MODES, View
from forecast.config import Event, Package
from forecast.presentation.track_record import PastForecast, TrackRecord
from tests.bundles import LAST_DAY
from tests.unit.app.view.samples import AROUND, package_forecast, plain, with_history

STEP = Event(date=LAST_DAY - dt.timedelta(days=20), kind="definition", note="A <new> way %{x}")
OUTAGE = Event(
    date=LAST_DAY - dt.timedelta(days=10),
    until=LAST_DAY - dt.timedelta(days=8),
    kind="outage",
    note="Down",
)
LONG = with_history(np.rint(np.tile([900.0, 1000, 1100, 1000, 900, 500, 400], 29)[:200]))


def drawn(shown, view=None, around=AROUND):
    """The figure as the browser gets it."""
    return json.loads(chart.to_json(chart.draw(shown, view or View(), around)))


def trace(figure, name):
    [found] = [each for each in figure["data"] if each.get("name") == name]
    return found


def points(figure, name):
    """Value by place."""
    found = trace(figure, name)
    return dict(zip(found["x"], found["y"], strict=True))


def labels(figure):
    """Label by place."""
    found = trace(figure, "Labels")
    return dict(zip(found["x"], found["text"], strict=True))


def words(figure):
    return [each["text"] for each in figure["layout"]["annotations"]]


@pytest.mark.parametrize("mode", ["daily", "mean"])
def test_the_forecast_starts_on_the_day_after_the_last_counted(mode):
    figure = drawn([package_forecast()], View(mode=mode))
    assert trace(figure, "Counted")["x"][-1] == LAST_DAY.isoformat()
    assert trace(figure, "Forecast")["x"][0] == (LAST_DAY + dt.timedelta(days=1)).isoformat()
    assert len(trace(figure, "Forecast")["x"]) == 30


def test_bands_are_those_of_the_forecast():
    made = package_forecast()
    figure = drawn([made], View(mode="daily"))
    np.testing.assert_allclose(trace(figure, "80 % band")["y"], made.daily.lower_80, atol=0.01)
    np.testing.assert_allclose(
        trace(figure, "Upper end of 95 %")["y"], made.daily.upper_95, atol=0.01
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_band_is_filled_between_two_edges(mode):
    figure = drawn([LONG], View(mode=mode))
    for level in ("80", "95"):
        upper, lower = trace(figure, f"Upper end of {level} %"), trace(figure, f"{level} % band")
        assert figure["data"].index(lower) == figure["data"].index(upper) + 1
        assert lower["fill"] == "tonexty"
        assert lower["x"] == upper["x"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
def test_the_line_lies_inside_its_bands_in_every_mode(mode, scale):
    figure = drawn([LONG], View(mode=mode, scale=scale))
    line = points(figure, "Forecast")
    ends = [points(figure, name) for name in ("95 % band", "80 % band")]
    ends += [points(figure, f"Upper end of {level} %") for level in ("80", "95")]
    for day, value in line.items():
        lower_95, lower_80, upper_80, upper_95 = (end[day] for end in ends)
        assert lower_95 <= lower_80 <= value <= upper_80 <= upper_95
    assert len(line) >= 28


@pytest.mark.parametrize("mode", MODES)
def test_everything_drawn_lies_within_the_axes(mode):
    figure = drawn([with_record(28)], View(mode=mode))
    top = figure["layout"]["yaxis"]["range"][1]
    first, last = figure["layout"]["xaxis"]["range"]
    for each in figure["data"]:
        if each.get("yaxis") != "y2":
            assert max(value for value in each["y"] if value is not None) <= top
            assert first[:10] <= each["x"][0]
            assert each["x"][-1] <= last


def test_the_default_is_one_quantity_with_single_days_behind_it():
    figure = drawn([package_forecast()])
    assert trace(figure, "Counted")["mode"] == "markers"
    mean, ahead = trace(figure, "7-day mean"), trace(figure, "Forecast")
    joint = points(figure, "Forecast begins")
    assert joint == {mean["x"][-1]: mean["y"][-1], ahead["x"][0]: ahead["y"][0]}
    # Where it begins nothing is uncertain.
    for name in ("80 % band", "95 % band", "Upper end of 80 %", "Upper end of 95 %"):
        assert points(figure, name)[LAST_DAY.isoformat()] == mean["y"][-1]


def test_daily_counts_are_a_line():
    figure = drawn([package_forecast()], View(mode="daily"))
    assert trace(figure, "Counted")["mode"] == "lines"
    names = {each.get("name") for each in figure["data"]}
    assert not {"7-day mean", "Forecast begins"} & names


@pytest.mark.parametrize(
    ("mode", "name", "first", "last"),
    [
        ("weekly", "Weekly total", "2026-08-24T00:00", "2026-12-27T23:59"),
        ("monthly", "Monthly total", "2026-08-01T00:00", "2026-12-31T23:59"),
    ],
)
def test_weeks_and_months_are_steps_over_their_days(mode, name, first, last):
    figure = drawn([LONG], View(mode=mode))
    past, ahead = trace(figure, name), trace(figure, "Forecast")
    assert past["line"]["shape"] == ahead["line"]["shape"] == "hvh"
    assert (past["x"][0], ahead["x"][-1]) == (first, last)
    labels = trace(figure, "Labels")
    assert [day[:10] for day in labels["x"]] == [day[:10] for day in past["x"] + ahead["x"]]


def test_an_axis_of_weeks_begins_with_the_first_one():
    begin = drawn([LONG], View(mode="monthly", days=ALL))["layout"]["xaxis"]["range"][0]
    assert begin == "2026-06-01T00:00"


@pytest.mark.parametrize(("days", "shown"), [(30, 30), (60, 60), (90, 70), (180, 70), (ALL, 70)])
def test_the_range(days, shown):
    figure = drawn([package_forecast()], View(days=days))
    assert len(trace(figure, "Counted")["x"]) == shown
    assert figure["layout"]["xaxis"]["range"][0].startswith(trace(figure, "Counted")["x"][0])


def test_the_log_scale_leaves_out_what_it_cannot_show_and_labels_its_ticks():
    made = package_forecast()
    values = made.series.values.copy()
    values[-1] = 0.0
    bands = replace(made.daily, lower_95=np.zeros(30))
    changed = replace(made, series=replace(made.series, values=values), daily=bands)
    figure = drawn([changed], View(scale="log", mode="daily"))
    axis = figure["layout"]["yaxis"]
    assert axis["type"] == "log"
    low, high = (10**end for end in axis["range"])
    assert 3 <= sum(low <= tick <= high for tick in axis["tickvals"]) <= 7
    assert len(axis["ticktext"]) == len(axis["tickvals"])
    assert trace(figure, "Counted")["y"][-1] is None
    assert all(value > 0 for value in trace(figure, "95 % band")["y"])


def test_a_day_between_zeros_is_seen_on_a_log_scale():
    rare = with_history(np.r_[np.zeros(50), 1.0, np.zeros(49)])
    view = View(mode="daily", scale="log", days=ALL)
    assert trace(drawn([rare], view), "Counted")["mode"] == "lines+markers"
    assert trace(drawn([rare], replace(view, scale="absolute")), "Counted")["mode"] == "lines"


@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
def test_zeros_alone_can_be_drawn(scale):
    figure = drawn([with_history(np.zeros(100))], View(scale=scale))
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < high


def test_the_indexed_scale_starts_at_100_and_tells_real_counts():
    figure = drawn([package_forecast()], View(scale="indexed", days=ALL))
    assert np.mean(trace(figure, "Counted")["y"][:7]) == pytest.approx(100, abs=0.01)
    values = package_forecast().series.values
    label = labels(figure)[LAST_DAY.isoformat()]
    assert label.startswith(f"{values[-1]:,.0f} downloads counted<br>")
    assert f"<br>{values[-7:].mean():,.0f} downloads a day" in label


def test_the_hover_says_count_bands_and_weekday():
    figure = drawn([package_forecast()])
    text = labels(figure)[(LAST_DAY + dt.timedelta(days=1)).isoformat()].replace("<br>", " ")
    assert text.startswith("about ")
    assert "downloads a day expected (7-day mean) 80 %: " in text
    assert figure["layout"]["hovermode"] == "x unified"
    assert "%A" in figure["layout"]["xaxis"]["hoverformat"]


def test_events_are_marked_with_their_notes_in_words():
    around = replace(AROUND, events=[STEP, OUTAGE])
    figure = drawn([package_forecast()], View(days=30), around)
    marks = trace(figure, "Event")
    assert marks["x"] == [STEP.date.isoformat(), OUTAGE.date.isoformat()]
    assert "A &lt;new&gt; way % {x}" in labels(figure)[marks["x"][0]].replace("<br>", " ")
    assert {"A &lt;new&gt; way % {x}", "Down"} <= set(words(figure))
    shapes = {shape["type"] for shape in figure["layout"]["shapes"]}
    assert shapes == {"line", "rect"}
    assert len(figure["layout"]["shapes"]) == 3


def test_the_note_of_an_event_at_the_left_edge_stands_within_the_axes():
    begin = LAST_DAY - dt.timedelta(days=29)
    before = OUTAGE.model_copy(
        update={"date": begin - dt.timedelta(days=9), "until": begin + dt.timedelta(days=2)}
    )
    around = replace(AROUND, events=[before])
    notes = drawn([package_forecast()], View(days=30), around)["layout"]["annotations"]
    [note] = [each for each in notes if each["text"] == "Down"]
    assert (note["x"], note["xanchor"]) == (begin.isoformat(), "left")


def test_of_events_near_each_other_the_newest_has_its_note_in_words():
    near = OUTAGE.model_copy(update={"date": OUTAGE.date - dt.timedelta(days=2), "note": "Before"})
    figure = drawn([package_forecast()], View(days=30), replace(AROUND, events=[near, OUTAGE]))
    assert "Down" in words(figure)
    assert "Before" not in words(figure)
    assert "Before" in labels(figure)[near.date.isoformat()]


@pytest.mark.parametrize("mode", MODES)
def test_labels_are_told_by_one_trace_alone(mode):
    """plotly.js shows the nearest point of each trace, those of other days among them."""
    figure = drawn([with_record(28)], View(mode=mode), replace(AROUND, events=[STEP, OUTAGE]))
    telling = [each["name"] for each in figure["data"] if each["hoverinfo"] != "skip"]
    assert telling == ["Labels"]
    places = trace(figure, "Labels")["x"]
    assert places == sorted(set(places))


def test_the_key_has_two_signs_a_line():
    made = with_record(28)
    day = LAST_DAY - dt.timedelta(days=3)
    figure = drawn([replace(made, series=replace(made.series, repaired=(day,)))])
    [key] = [re.sub("<[^b][^>]*>|<b>", "", text) for text in words(figure) if "7-day" in text]
    assert key == "• Counted   — 7-day mean<br>✕ Repaired day   - - Forecast of 24 Oct"
    assert figure["layout"]["showlegend"] is False
    pair = drawn([package_forecast(), package_forecast("a")])
    assert not any("7-day mean" in text for text in words(pair))


def test_no_events_no_marks():
    assert "Event" not in {each["name"] for each in drawn([package_forecast()])["data"]}


def test_repaired_days_are_marked_and_called_estimates():
    made = package_forecast()
    day = LAST_DAY - dt.timedelta(days=3)
    changed = replace(made, series=replace(made.series, repaired=(day,)))
    figure = drawn([changed])
    assert trace(figure, "Repaired day")["x"] == [day.isoformat()]
    assert "estimated" in labels(figure)[day.isoformat()]
    assert "estimated" not in labels(figure)[LAST_DAY.isoformat()]
    assert any("Repaired day" in word for word in words(figure))


def test_five_packages_differ_in_colour_and_without():
    names = ("flask", "requests", "a", "b", "c")
    figure = drawn([package_forecast(name) for name in names], View(packages=()))
    lines = [trace(figure, name) for name in names]
    for look in (("line", "color"), ("marker", "symbol")):
        assert len({line[look[0]][look[1]] for line in lines}) == 5
    for colour, glyph, name in zip(chart.COLOURS, chart.GLYPHS, names, strict=True):
        line = f'<br><span style="color:{colour}">{glyph}</span> {name}: '
        assert line in labels(figure)[LAST_DAY.isoformat()]
    assert set(names) <= set(words(figure))


@pytest.mark.parametrize("names", [("flask",), ("flask", "requests")])
@pytest.mark.parametrize("mode", ["daily", "mean", "weekly"])
def test_dashes_mean_a_forecast_and_nothing_else(names, mode):
    record = with_record(28).track_record
    shown = [package_forecast(name, track_record=record) for name in names]
    figure = drawn(shown, View(mode=mode), replace(AROUND, events=[STEP, OUTAGE]))
    dashed = {
        each["name"]
        for each in figure["data"]
        if each.get("line", {}).get("dash", "solid") != "solid"
    }
    assert all("orecast" in name for name in dashed)
    assert dashed
    for shape in figure["layout"]["shapes"]:
        assert shape["line"].get("dash", "solid") == "solid"


@pytest.mark.parametrize(("names", "bands"), [(("flask", "requests"), 2), (("a", "b", "c"), 0)])
def test_two_packages_keep_their_bands_and_three_do_not(names, bands):
    figure = drawn([package_forecast(name) for name in names])
    assert sum(each["name"] == "80 % band" for each in figure["data"]) == bands
    assert "95 % band" not in {each["name"] for each in figure["data"]}


@pytest.mark.parametrize(
    ("mode", "scale", "title"),
    [
        ("daily", "absolute", "Daily downloads"),
        ("daily", "log", "Daily downloads (log scale)"),
        ("mean", "indexed", "Downloads a day, 7-day mean, first week shown = 100"),
        ("weekly", "absolute", "Weekly downloads"),
        ("monthly", "indexed", "Monthly downloads, first month shown = 100"),
    ],
)
def test_the_axis_says_what_it_measures(mode, scale, title):
    for shown in ([LONG], [LONG, LONG]):
        lines = drawn(shown, View(scale=scale, mode=mode))["layout"]["yaxis"]["title"]["text"]
        assert lines.replace("<br>", " ") == title
        assert max(map(len, lines.split("<br>"))) <= 30  # a phone's chart is 200 pixels high


def test_what_cannot_be_summed_is_drawn_by_day():
    bare = replace(package_forecast(), load=LONG.load)
    vars(bare)["has_model"] = False
    figure = drawn([bare], View(mode="weekly"))
    assert figure["layout"]["yaxis"]["title"]["text"] == "Daily downloads"


def test_the_boundary_lies_between_history_and_forecast_and_has_words():
    figure = drawn([package_forecast()])
    [boundary] = figure["layout"]["shapes"]
    assert boundary["x0"] == boundary["x1"] == f"{LAST_DAY}T12:00"
    assert {"today ", "forecast →"} <= set(words(figure))


def test_old_counts_end_before_today():
    late = replace(AROUND, today=LAST_DAY + dt.timedelta(days=9))
    figure = drawn([package_forecast()], around=late)
    boundary, today = figure["layout"]["shapes"]
    assert boundary["x0"] == f"{LAST_DAY}T12:00"
    assert today["x0"] == f"{late.today}T00:00"
    assert {"today", "counted through 21 Nov "} <= set(words(figure))
    longago = replace(AROUND, today=LAST_DAY + dt.timedelta(days=99))
    assert not {"today", "today "} & set(words(drawn([package_forecast()], around=longago)))


def test_source_and_day_stand_at_the_foot():
    foot = drawn([package_forecast()])["layout"]["xaxis"]["title"]["text"]
    assert foot == "Source: PyPI Stats<br>counted through 21 November 2026"


def test_a_saved_picture_has_a_title_and_the_name_of_package_and_day():
    meta = drawn([package_forecast()])["layout"]["meta"]
    assert meta["title"] == "Downloads a day, 7-day mean: flask"
    assert meta["file"] == "flask-2026-11-21"
    pair = drawn([package_forecast(), package_forecast("a")])["layout"]["meta"]
    assert pair == {
        "title": "Downloads a day, 7-day mean: flask, a",
        "file": "flask-a-2026-11-21",
    }


def with_record(age):
    """A package with a forecast made so many days ago."""
    past = PastForecast(
        made_on=LAST_DAY - dt.timedelta(days=age),
        days=tuple(LAST_DAY - dt.timedelta(days=age - at) for at in range(min(age, 28))),
        values=(1234.0,) * min(age, 28),
    )
    record = TrackRecord(1, LAST_DAY, 7, 0.9, 0.8, 0.95, past)
    return package_forecast(track_record=record)


@pytest.mark.parametrize("scale", ["absolute", "log", "indexed"])
def test_last_month_s_forecast_stands_over_what_came(scale):
    figure = drawn([with_record(28)], View(scale=scale))
    earlier = trace(figure, "Forecast of 24 Oct")
    assert earlier["x"][0] == (LAST_DAY - dt.timedelta(days=28)).isoformat()
    label = labels(figure)[earlier["x"][-1]]
    assert label.endswith("<br>1,230 downloads a day forecast<br>on 24 October 2026")
    assert any("Forecast of 24 Oct" in word for word in words(figure))


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("colour", [*chart.COLOURS, chart.DAYS_COLOUR])
@pytest.mark.parametrize("page", ["#ffffff", "#0b0f19"])
def test_every_colour_stands_out_from_light_and_dark(colour, page):
    light, dark = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3.0


def test_the_figure_is_fit_for_the_page():
    figure = drawn([package_forecast()])
    layout = figure["layout"]
    assert layout["height"] == HEIGHT
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "bdata" not in json.dumps(figure)
    assert figure["config"]["displayModeBar"] is False


def test_days_off_that_move_the_forecast_are_marked_named_and_explained():
    made = package_forecast()
    thanksgiving, friday = (made.daily.start + dt.timedelta(days=ahead) for ahead in (4, 5))
    christmas = friday + dt.timedelta(days=8)
    vars(made)["days_off"] = {thanksgiving: 0.21, friday: -0.04, christmas: 0.3}
    names = ("Thanksgiving Day", "Day after it", "A <feast>")
    vars(made)["day_off_names"] = dict(zip(made.days_off, names, strict=True))
    figure = drawn([made])
    marks = trace(figure, "Day off")
    assert marks["x"] == [day.isoformat() for day in made.days_off]
    told = {day: plain(text).replace("<br>", " ") for day, text in labels(figure).items()}
    for day, text in zip(
        marks["x"],
        (
            "Thanksgiving Day: 21 % fewer expected",
            "Day after it: 4 % more expected",
            "A &lt;feast&gt;: 30 % fewer expected",
        ),
        strict=True,
    ):
        assert told[day].endswith(text)
    # Of two that are near, the larger one is named.
    upright = [each for each in figure["layout"]["annotations"] if each.get("textangle")]
    assert {each["text"]: each["x"] for each in upright} == {
        "Thanksgiving Day": thanksgiving.isoformat(),
        "A &lt;feast&gt;": christmas.isoformat(),
    }
    assert "Day off" not in {each.get("name") for each in drawn([package_forecast()])["data"]}


def test_a_long_note_is_cut_where_it_would_leave_the_picture():
    event = replace_note(STEP, "PyPI counts .whl, .tar.gz and .zip files alone from here on")
    notes = words(drawn([package_forecast()], around=replace(AROUND, events=[event])))
    assert "PyPI counts .whl, .tar.gz and .zip …" in notes


def replace_note(event, note):
    return event.model_copy(update={"note": note})


POSITIVE = st.floats(0.01, 1e13)


@given(POSITIVE, st.floats(1.2, 1e9))
def test_a_log_axis_of_any_range_has_three_to_some_ticks(low, ratio):
    ticks = log_ticks(low, low * ratio)
    assert 3 <= len(ticks) <= 12
    assert all(low <= tick <= low * ratio for tick in ticks)
    assert ticks == sorted(set(ticks))


@given(POSITIVE)
@example(14.0)
@example(14.5)
@example(0.140625)
@example(17.5)
def test_a_linear_axis_has_four_to_seven_ticks_from_zero(high):
    ticks = linear_ticks(high)
    assert 4 <= len(ticks) <= 7
    assert ticks[0] == 0
    assert high * 0.7 <= ticks[-1] <= high
    steps = np.diff(ticks)
    assert steps == pytest.approx([steps[0]] * len(steps))


@pytest.mark.parametrize(
    ("high", "ticks"),
    [
        (1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (6_000, ["0", "1k", "2k", "3k", "4k", "5k", "6k"]),
        (2_600_000, ["0", "500k", "1M", "1.5M", "2M", "2.5M"]),
    ],
)
def test_ticks_of_a_linear_axis_are_round_and_short(high, ticks):
    assert [short(tick) for tick in linear_ticks(high)] == ticks


def test_plotly_js_draws_the_figure_once():
    """With margins of its own, it draws everything again when the labels are measured."""
    layout = drawn([package_forecast()])["layout"]
    assert not any(layout[axis].get("automargin") for axis in ("xaxis", "yaxis"))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (800, 1_200_000, ["1k", "10k", "100k", "1M"]),
        (90, 1_100, ["100", "300", "1k"]),
        (300_000, 460_000, ["300k", "350k", "400k", "450k"]),
        (2_000_000, 2_400_000, ["2M", "2.2M", "2.4M"]),
        (0.01, 1e10, ["0.01", "1", "100", "10k", "1M", "100M", "10B"]),
    ],
)
def test_ticks_are_round_and_short(low, high, ticks):
    assert [short(tick) for tick in log_ticks(low, high)] == ticks


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.02, 0.15)), max_size=5))
def test_labels_do_not_overlap_and_stay_near(labels):
    places, heights = [p for p, _ in labels], [h for _, h in labels]
    moved = spread(places, heights)
    rows = sorted(zip(moved, heights, strict=True))
    for (low, below), (high, above) in pairwise(rows):
        assert high - low >= (below + above) / 2 - 1e-9
    assert all(math.isfinite(each) and each <= 1.0 + 1e-9 for each in moved)


def test_labels_that_do_not_touch_stay_where_they_are():
    assert spread([0.9, 0.1, 0.5], [0.1, 0.1, 0.1]) == [0.9, 0.1, 0.5]
    assert spread([], []) == []


def test_the_foot_says_that_there_are_no_counts_any_more():
    stopped = with_history([1000] * 60 + [0] * 10)
    foot = drawn([stopped])["layout"]["xaxis"]["title"]["text"]
    assert "flask: no counts since 11 November<br>2026" in foot


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("flask", "flask"),
        ("scikit-learn", "scikit-learn"),
        ("google-cloud-storage", "google-cloud-<br>storage"),
        ("containerservicefleet", "containerserv…"),
        ("a.b_c-" + "d" * 14, "a.b_c-<br>" + "d" * 14),
    ],
)
def test_a_long_name_is_broken_behind_its_signs(name, lines):
    assert in_lines(name, 14) == lines


def test_a_group_is_drawn_under_its_title():
    group = replace(package_forecast(), package=Package("@web", "@web", "Web <frameworks>"))
    figure = drawn([group, package_forecast("a")])
    assert "Web &lt;frameworks&gt;" in {each["name"] for each in figure["data"]}
    assert figure["layout"]["meta"]["file"] == "@web-a-2026-11-21"
