"""Pictures that may be shown on anybody's page."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.bundles import make_bundle
from trainer.reports.pictures import badge, chart, compact

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


def test_a_chart_holds_history_forecast_and_both_bands(model):
    root = ET.fromstring(chart("Flask", model, model.predict(30), model.total(30)))
    lines = {
        each.get("class"): each.get("points").split()
        for tag in ("polyline", "polygon")
        for each in root.iter(SVG + tag)
    }
    assert {name: len(points) for name, points in lines.items()} == {
        "seen": 70,
        "ahead": 30,
        "b80": 60,
        "b95": 60,
    }
    assert float(lines["ahead"][0].split(",")[0]) > float(lines["seen"][-1].split(",")[0])
    texts = "".join(root.itertext())
    assert "counted to 2026-11-21" in texts
    assert "to 2026-12-21" in texts


def test_a_label_cannot_become_markup(model):
    for svg in (
        chart("<script>&", model, model.predict(30), model.total(30)),
        badge("<script>&", model.total(30), 30),
    ):
        ET.fromstring(svg)
        assert "<script>" not in svg


def test_pictures_ask_for_nothing_from_elsewhere(model):
    svg = chart("Flask", model, model.predict(30), model.total(30))
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in svg
