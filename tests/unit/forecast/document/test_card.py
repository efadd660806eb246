"""The card for previews: its size, and what is painted on it."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageColor

from forecast.document.card import (
    CHART_BOTTOM,
    CHART_TOP,
    LINE,
    MARGIN,
    WIDTH,
    Card,
    Painter,
)

BAND_80, BAND_95 = "#9dbcea", "#cedef4"
AHEAD = {
    "mean": np.full(30, 100.0),
    "lower_80": np.full(30, 80.0),
    "upper_80": np.full(30, 120.0),
    "lower_95": np.full(30, 60.0),
    "upper_95": np.full(30, 140.0),
}
CARD = Card("flask", "About 69 million downloads.", "the foot", np.full(90, 90.0), AHEAD)


def painted(card):
    image = Image.open(io.BytesIO(Painter().draw(card)))
    assert image.format == "PNG"
    assert image.size == (1200, 630)
    pixels = np.asarray(image.convert("RGB"), dtype=np.uint32) @ [1 << 16, 1 << 8, 1]
    return {f"#{colour:06x}" for colour in np.unique(pixels)}


def test_line_and_both_bands_are_painted():
    assert {LINE, BAND_80, BAND_95} <= painted(CARD)


def test_it_is_small_enough_for_messengers():
    noisy = replace(CARD, past=np.random.default_rng(0).uniform(0, 200, 90))
    assert len(Painter().draw(noisy)) < 300_000


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "a" * 214},
        {"answer": "word " * 200},
        {"past": np.array([])},
        {"past": np.full(90, np.nan)},
        {"past": np.zeros(5), "ahead": {name: np.zeros(1) for name in AHEAD}},
        {"past": np.array([]), "ahead": {name: np.ones(1) for name in AHEAD}},
        {"ahead": {name: np.full(30, 1e15) for name in AHEAD}},
    ],
    ids=["title", "answer", "nothing counted", "nothing known", "zeros", "one day", "huge"],
)
def test_nothing_is_too_long_or_too_little(changes):
    painted(replace(CARD, **changes))


def test_the_ground_is_white_and_no_other_ground():
    image = Image.open(io.BytesIO(Painter().draw(CARD))).convert("RGB")
    assert image.getpixel((5, 5)) == (255, 255, 255)
    assert image.getpixel((600, 600)) == (255, 255, 255)


def test_the_whole_of_a_usual_band_is_seen():
    rising = replace(CARD, ahead={**AHEAD, "upper_95": np.linspace(125, 175, 30)})
    image = np.asarray(Image.open(io.BytesIO(Painter().draw(rising))).convert("RGB"))
    band = (image == np.array(ImageColor.getrgb(BAND_95))).all(axis=2)
    assert 0 < band[CHART_TOP + 1].sum() < 20  # its peak, and not a part that is cut off


def test_what_is_forecast_begins_where_the_counts_end():
    image = np.asarray(Image.open(io.BytesIO(Painter().draw(CARD))).convert("RGB"))
    ink = (image[CHART_TOP:CHART_BOTTOM] != 255).any(axis=2)[:-10].any(axis=0)
    assert ink[MARGIN : WIDTH - MARGIN].all()


def test_nothing_is_left_of_the_card_before():
    painter = Painter()
    painter.draw(replace(CARD, title="a longer title", answer="more " * 90))
    assert painter.draw(CARD) == Painter().draw(CARD)
    one_day = replace(CARD, past=np.array([]), ahead={name: np.ones(1) for name in AHEAD})
    assert painter.draw(one_day) == Painter().draw(one_day)
