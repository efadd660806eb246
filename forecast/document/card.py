"""The card that messengers show beside a link: title, answer and a small chart, as a PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.presentation.package_forecast import PackageForecast
    from forecast.quantities import Array

WIDTH, HEIGHT, MARGIN = 1200, 630, 70  # pixels
CHART_TOP, CHART_BOTTOM = 300, 530
FINER = 2  # lines are drawn so many times larger, as Pillow's own have hard edges
INK, SOFT, LINE = "#1f2937", "#57606a", "#0a58ca"
BAND_80, BAND_95 = "#9dbcea", "#cedef4"
HIGHEST = 1.05  # of the highest value that has to be seen
SHADES = 12  # between a colour and white, for soft edges
QUICK = 4  # of nine levels of compression; the higher ones take longer than all the drawing


@dataclass(frozen=True)
class Card:
    """What a card says and draws.

    Attributes:
        title: the name of the package.
        answer: a sentence.
        foot: source and date.
        past: what was counted, shape (days,).
        ahead: the forecast by column, each of shape (days ahead,): mean and ends of bands.
    """

    title: str
    answer: str
    foot: str
    past: Array
    ahead: Mapping[str, Array]


def card_of(forecast: PackageForecast) -> Card:
    """The card of a package."""
    until = wording.format_date(forecast.observed_through)
    return Card(
        title=forecast.package.label,
        answer=wording.card(forecast),
        foot=f"{wording.TITLE}, counts through {until}",
        past=forecast.means.past,
        ahead=forecast.means.ahead,
    )


def draw(card: Card) -> bytes:
    """The card as a PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    if len(card.past) + len(card.ahead["mean"]) > 1:
        image.paste(_chart(card), (MARGIN, CHART_TOP))
    pen = ImageDraw.Draw(image)
    title = _wrapped(card.title, 58, 1)
    pen.text((MARGIN, 56), title, INK, ImageFont.load_default(58))
    pen.multiline_text(
        (MARGIN, 140), _wrapped(card.answer, 36, 3), INK, ImageFont.load_default(36), spacing=12
    )
    pen.text((MARGIN, 560), card.foot, SOFT, ImageFont.load_default(24))
    data = io.BytesIO()
    small = image.quantize(palette=_palette(), dither=Image.Dither.NONE)
    small.save(data, "PNG", compress_level=QUICK)
    return data.getvalue()


def _palette() -> Image.Image:
    """An image with the colours of a card and their shades."""
    inks = [ImageColor.getrgb(name) for name in (INK, SOFT, LINE, BAND_80, BAND_95)]
    shades = [
        round(255 + (part - 255) * shade / SHADES)
        for ink in inks
        for shade in range(1, SHADES + 1)
        for part in ink
    ]
    image = Image.new("P", (1, 1))
    image.putpalette([255, 255, 255, *shades])
    return image


def _chart(card: Card) -> Image.Image:
    width, height = (WIDTH - 2 * MARGIN) * FINER, (CHART_BOTTOM - CHART_TOP) * FINER
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    ahead = card.ahead
    days = len(card.past) + len(ahead["mean"])
    seen = [card.past, ahead["upper_80"], ahead["mean"]]
    highest = max(np.nanmax(np.concatenate(seen)), 1.0) * HIGHEST

    def points(values: Array, first: int) -> list[tuple[float, float]]:
        heights = height * (1 - np.clip(values / highest, 0, 1))
        places = (np.arange(len(values)) + first) * (width - 1) / (days - 1)
        known = np.isfinite(heights)
        return list(zip(places[known].tolist(), heights[known].tolist(), strict=True))

    start = len(card.past)
    for level, colour in (("95", BAND_95), ("80", BAND_80)):
        edge = points(ahead[f"upper_{level}"], start) + points(ahead[f"lower_{level}"], start)[::-1]
        if len(edge) > 2:  # noqa: PLR2004 - a polygon has three corners
            pen.polygon(edge, fill=colour)
    lines = ((card.past, 0, SOFT, 3), (ahead["mean"], start, LINE, 4))
    for values, first, colour, thick in lines:
        if places := points(values, first):
            pen.line(places, colour, thick * FINER, joint="curve")
    pen.line([(0, height - 1), (width, height - 1)], SOFT, FINER)
    return image.reduce(FINER)


def _wrapped(text: str, size: int, most: int) -> str:
    """The text in lines that fit the card; what does not fit is cut off."""
    font = ImageFont.load_default(size)
    lines = [""]
    for word in text.replace("\N{NO-BREAK SPACE}", " ").split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= WIDTH - 2 * MARGIN or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    cut = lines[:most]
    while font.getlength(cut[-1]) > WIDTH - 2 * MARGIN:
        cut[-1] = cut[-1][:-4] + "..."
    return "\n".join(cut)
