"""The card that messengers show beside a link: title, answer and a small chart, as a PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache, lru_cache
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
INKS = (INK, SOFT, LINE)
SHADES = 10  # of each ink, the last one pure; the palette begins with white
FULL = 255  # coverage of a pixel by an ink
BANDS = {"95": FULL // 5, "80": 2 * FULL // 5}  # the bands are shades of the line
HIGHEST = 1.5  # of the 80 % band; what a 95 % band has above it is cut off
QUICK = 3  # of nine levels of compression; the higher ones take longer than all the drawing
ROOM = WIDTH - 2 * MARGIN
LINE_HEIGHT = 1.35  # of the size of the type
MOST_WORDS = 500  # that are kept


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
    image = Image.new("P", (WIDTH, HEIGHT))
    image.putpalette(_palette())
    if len(card.past) + len(card.ahead["mean"]) > 1:
        _draw_chart(image, card)
    _write(image, 56, _wrapped(card.title, 58, 1), 58, INK)
    _write(image, 140, _wrapped(card.answer, 36, 3), 36, INK)
    _write(image, 560, _wrapped(card.foot, 24, 1), 24, SOFT)
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=QUICK)
    return data.getvalue()


def _palette() -> list[int]:
    """The colours of a card: white, then the shades of each ink."""
    shades = [
        round(255 + (part - 255) * shade / SHADES)
        for ink in map(ImageColor.getrgb, INKS)
        for shade in range(1, SHADES + 1)
        for part in ink
    ]
    return [255, 255, 255, *shades]


@cache
def _places(ink: str) -> list[int]:
    """The place in the palette of each coverage by an ink, from 0 to ``FULL``."""
    shades = [round(covered * SHADES / FULL) for covered in range(FULL + 1)]
    return [shade and INKS.index(ink) * SHADES + shade for shade in shades]


def _draw_chart(image: Image.Image, card: Card) -> None:
    width, height = ROOM * FINER, (CHART_BOTTOM - CHART_TOP) * FINER
    coverage = Image.new("L", (width, height))
    pen = ImageDraw.Draw(coverage)
    # What is forecast begins at the last mean counted.
    ahead = {name: np.concatenate([card.past[-1:], each]) for name, each in card.ahead.items()}
    start = max(len(card.past) - 1, 0)
    days = start + len(ahead["mean"])
    seen = [card.past, ahead["mean"], np.minimum(ahead["upper_95"], HIGHEST * ahead["upper_80"])]
    highest = max(np.nanmax(np.concatenate(seen)), 1.0)

    def points(values: Array, first: int) -> list[tuple[float, float]]:
        heights = height * (1 - np.clip(values / highest, 0, 1))
        places = (np.arange(len(values)) + first) * (width - 1) / (days - 1)
        known = np.isfinite(heights)
        return list(zip(places[known].tolist(), heights[known].tolist(), strict=True))

    for level, shade in BANDS.items():
        edge = points(ahead[f"upper_{level}"], start) + points(ahead[f"lower_{level}"], start)[::-1]
        if len(edge) > 2:  # noqa: PLR2004 - a polygon has three corners
            pen.polygon(edge, fill=shade)
    for values, first, thick in ((card.past, 0, 3), (ahead["mean"], start, 4)):
        if places := points(values, first):
            pen.line(places, FULL, thick * FINER, joint="curve")
    smooth = coverage.reduce(FINER)
    now = round(start * ROOM / (days - 1))  # where the ink changes
    for ink, left, right in ((SOFT, 0, now), (LINE, now, ROOM)):
        part = smooth.crop((left, 0, right, smooth.height)).point(_places(ink))
        image.paste(part, (MARGIN + left, CHART_TOP))
    ground = (MARGIN, CHART_BOTTOM - 1, MARGIN + ROOM, CHART_BOTTOM)
    image.paste(_places(SOFT)[FULL], ground)


def _wrapped(text: str, size: int, most: int) -> list[list[str]]:
    """The words of the lines that fit the card; what does not fit is cut off."""
    lines: list[list[str]] = [[]]
    left = float(ROOM)
    for word in text.replace("\N{NO-BREAK SPACE}", " ").split():
        width = _width(word, size)
        if width > left and lines[-1]:
            lines.append([])
            left = ROOM
        while width > ROOM:
            word = word[:-4] + "..."  # noqa: PLW2901 - no line has room for more of it
            width = _width(word, size)
        lines[-1].append(word)
        left -= width
    return lines[:most]


def _write(image: Image.Image, top: int, lines: list[list[str]], size: int, colour: str) -> None:
    """Write lines word by word: most words are those of the card before."""
    for number, words in enumerate(lines):
        x = float(MARGIN)
        for word in words:
            image.paste(
                _drawn(word, size, colour), (round(x), top + round(number * size * LINE_HEIGHT))
            )
            x += _width(word, size)


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=MOST_WORDS)
def _width(word: str, size: int) -> float:
    """Pixels to the next word."""
    return _font(size).getlength(f"{word} ")


@lru_cache(maxsize=MOST_WORDS)
def _drawn(word: str, size: int, colour: str) -> Image.Image:
    """A word as places in the palette."""
    mask = Image.new("L", (round(_width(word, size)), round(size * LINE_HEIGHT)))
    ImageDraw.Draw(mask).text((0, 0), word, FULL, _font(size))
    return mask.point(_places(colour))
