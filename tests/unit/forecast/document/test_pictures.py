"""Pictures that may be shown on anybody's page."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from forecast.bundle.themes import themed
from forecast.document.pictures import BOTTOM, HEIGHT, TOP, badge, chart, draw, ticks
from forecast.presentation.badge import compact
from tests.bundles import make_bundle, model_of

WIDE = np.exp(np.random.default_rng(1).normal(5, 2, 120)).round()
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def model():
    return make_bundle().model("flask")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (987.4, "987"),
        (999.6, "1.0K"),
        (1234, "1.2K"),
        (9940, "9.9K"),
        (9960, "10K"),
        (560e6, "560M"),
        (999.6e6, "1.0B"),
        (5e12, "5.0T"),
        (7e15, "7000T"),
    ],
)
def test_counts_are_short(number, text):
    assert compact(number) == text


def test_a_badge_says_how_many(model):
    total = model.total(30)
    root = ET.fromstring(badge("Flask", total, 30))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert texts == ["next 30 days", f"{compact(total.mean)} downloads"]
    assert root.find(f"{SVG}title").text.startswith("Flask: about ")


def lines_of(svg):
    """Points by class."""
    root = ET.fromstring(svg)
    return {
        each.get("class").split()[-1]: [
            tuple(map(float, p.split(","))) for p in each.get("points").split()
        ]
        for tag in ("polyline", "polygon")
        for each in root.iter(SVG + tag)
    }


def test_a_chart_holds_means_forecast_and_both_bands(model):
    svg = chart("Flask", model, model.total(30), 30)
    lines = lines_of(svg)
    assert {name: len(points) for name, points in lines.items()} == {
        "seen": 64,
        "ahead": 31,
        "b80": 62,
        "b95": 62,
    }
    # The forecast goes on where the counts end, and so do its bands.
    assert lines["ahead"][0] == lines["seen"][-1] == lines["b80"][0] == lines["b95"][-1]
    texts = "".join(ET.fromstring(svg).itertext())
    assert "PyPI downloads a day, 7-day mean, counted through 21 Nov 2026" in texts
    assert "to 21 Dec 2026" in texts


def test_the_line_lies_inside_its_bands(model):
    lines = lines_of(chart("Flask", model, model.total(30), 30))
    for at, (x, y) in enumerate(lines["ahead"]):
        uppers = [lines[name][at] for name in ("b95", "b80")]
        lowers = [lines[name][::-1][at] for name in ("b80", "b95")]
        heights = [point[1] for point in (*uppers, (x, y), *lowers)]
        assert heights == sorted(heights)  # from the top downwards
        assert {point[0] for point in (*uppers, *lowers)} == {x}


@pytest.mark.parametrize("values", [[5] * 60, [0] * 59 + [1], [10**9] * 14, WIDE])
def test_the_whole_95_band_is_drawn_above_an_axis(values):
    model = model_of(dt.date(2026, 1, 1), values)
    svg = chart("a", model, model.total(30), 30)
    top = [y for _, y in lines_of(svg)["b95"][:31]]
    assert min(top) >= TOP
    assert max(y for line in lines_of(svg).values() for _, y in line) <= HEIGHT - BOTTOM
    assert len(set(top)) > 5  # and not cut off flat
    labels = [each.text for each in ET.fromstring(svg).iter(f"{SVG}text")][2:-2]
    assert 3 <= len(labels) <= 6
    assert labels[0] == "0"
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("highest", "texts"),
    [
        (1.04, ["0", "0.5", "1"]),
        (4_100, ["0", "2K", "4K"]),
        (540, ["0", "200", "400"]),
        (2.1e6, ["0", "1M", "2M"]),
        (1.3e6, ["0", "500K", "1M"]),
    ],
)
def test_ticks_are_round(highest, texts):
    assert [compact(each, exact=True) for each in ticks(highest)] == texts


def fills(svg):
    """Colour by class, of the rules that apply without a media query."""
    style = svg.partition("<style>")[2].partition("</style>")[0]
    rules = re.sub(r"@media[^{]*\{\n.*?\n\}\n", "", style, flags=re.DOTALL)
    return dict(re.findall(r"(\.?\w+) \{[^}]*?fill: (#\w{6})", rules))


def test_no_rule_of_a_picture_reaches_beyond_it(model):
    svg = chart("Flask", model, model.total(30), 30)
    style = svg.partition("<style>")[2].partition("</style>")[0]
    selectors = re.findall(r"([^{}]+)\{[^{]", re.sub(r"@media[^{]*\{", "", style))
    assert len(selectors) > 10
    assert all(each.strip().startswith(".pf ") for each in selectors)
    assert ET.fromstring(svg).get("class") == "pf"


def test_a_theme_fixes_what_follows_the_reader_s_setting(model):
    svg = chart("Flask", model, model.total(30), 30)
    assert "prefers-color-scheme: dark" in svg
    light, dark = (themed(svg.encode(), theme).decode() for theme in ("light", "dark"))
    assert fills(svg)[".ground"] == fills(light)[".ground"] == "#ffffff"
    assert fills(dark) == {**fills(dark), ".ground": "#0d1117", "text": "#e6edf3"}
    for each in (light, dark):
        assert "prefers-color-scheme" not in each
        assert lines_of(each) == lines_of(svg)


def test_on_a_phone_the_words_are_larger_and_fewer(model):
    svg = chart("Flask", model, model.total(30), 30, stopped=dt.date(2026, 9, 20))
    for each in (svg, *(themed(svg.encode(), theme).decode() for theme in ("light", "dark"))):
        rules = re.search(r"@media \(max-width: 400px\) \{\n(.*?)\n\}\n", each, re.DOTALL)
        assert "font-size: 14px" in rules[1]
        assert ".pf .wide { display: none } .pf .narrow { display: inline }" in rules[1]
        assert each.index(".pf .narrow { display: none }") < each.index(rules[1])
    root = ET.fromstring(svg)
    narrow = [each.text for each in root.iter(f"{SVG}tspan") if each.get("class") == "narrow"]
    amount = compact(model.total(30).mean)
    assert narrow == [
        f"no counts since 2026-09-20; {amount} expected in 30 days",
        "PyPI downloads a day through 21 Nov 2026",
    ]
    assert [each.text for each in root.iter(f"{SVG}text")][-1] == "to 21 Dec 2026"


def test_a_picture_of_one_theme_stays_as_it_is(model):
    svg = badge("Flask", model.total(30), 30).encode()
    assert themed(svg, "dark") == themed(svg, "light") == svg


def test_a_label_cannot_become_markup(model):
    for svg in (
        chart("<script>&", model, model.total(30), 30),
        badge("<script>&", model.total(30), 30),
    ):
        ET.fromstring(svg)
        assert "<script>" not in svg


def test_pictures_ask_for_nothing_from_elsewhere(model):
    svg = chart("Flask", model, model.total(30), 30)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in svg


def test_pictures_say_that_there_are_no_counts_any_more(model):
    stopped = dt.date(2026, 9, 20)
    drawn = draw("flask", "Flask", model, *model.predict_with_totals(30), stopped=stopped)
    chart_texts = "".join(ET.fromstring(drawn["flask.svg"]).itertext())
    assert "no counts since 2026-09-20; " in chart_texts
    first = model.last_day + dt.timedelta(days=1)
    assert f" downloads in the 30 days from {first}" in chart_texts
    assert "next" not in chart_texts
    root = ET.fromstring(drawn["flask.badge.svg"])
    assert [each.text for each in root.iter(f"{SVG}text")] == [
        "downloads",
        "no counts since 2026-09-20",
    ]
    assert root.find(f"{SVG}title").text == "Flask: no counts since 2026-09-20"
