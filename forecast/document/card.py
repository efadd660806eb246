"""The card that messengers show beside a link: title, answer and a small chart, as a PNG."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from forecast.document.png import PNG
from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from forecast.presentation.package_forecast import PackageForecast
    from forecast.quantities import Array

WIDTH, HEIGHT, MARGIN = 1200, 630, 70  # pixels
CHART_TOP, CHART_BOTTOM = 300, 530
FINER = 2  # lines are drawn so many times larger, as Pillow's own have hard edges
INK, SOFT, LINE = "#1f2937", "#57606a", "#0a58ca"
INKS = (INK, SOFT, LINE)
SHADES = 5  # of each ink, the last one pure; with white there are 16 colours
FULL = 255  # coverage of a pixel by an ink
BANDS = {"95": FULL // 5, "80": 2 * FULL // 5}  # the bands are shades of the line
HIGHEST = 1.5  # of the 80 % band; what a 95 % band has above it is cut off
ROOM = WIDTH - 2 * MARGIN
LINE_HEIGHT = 1.35  # of the size of the type
OVERHANG = 8  # pixels that a letter may reach beyond its place
MOST_LETTERS, MOST_WORDS = 1_000, 500  # that are kept, of all sizes


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


class Painter:
    """Draws cards one after the other, as new memory for each would cost more than the drawing."""

    def __init__(self) -> None:
        self._pixels = np.zeros((HEIGHT, WIDTH), np.uint8)  # places in the palette
        self._coverage = Image.new("L", (ROOM * FINER, (CHART_BOTTOM - CHART_TOP) * FINER))
        self._png = PNG(WIDTH, HEIGHT, _palette())

    def draw(self, card: Card) -> bytes:
        """The card as a PNG."""
        self._pixels.fill(0)
        if len(card.past) + len(card.ahead["mean"]) > 1:
            self._draw_chart(card)
        self._write(56, _wrapped(card.title, 58, 1), 58, INK)
        self._write(140, _wrapped(card.answer, 36, 3), 36, INK)
        self._write(560, _wrapped(card.foot, 24, 1), 24, SOFT)
        return self._png.of(self._pixels)

    def _draw_chart(self, card: Card) -> None:
        width, height = self._coverage.size
        self._coverage.paste(0, (0, 0, width, height))
        pen = ImageDraw.Draw(self._coverage)
        # What is forecast begins at the last mean counted.
        ahead = {name: np.concatenate([card.past[-1:], each]) for name, each in card.ahead.items()}
        start = max(len(card.past) - 1, 0)
        days = start + len(ahead["mean"])
        shown = np.minimum(ahead["upper_95"], HIGHEST * ahead["upper_80"])
        highest = max(np.nanmax(np.concatenate([card.past, ahead["mean"], shown])), 1.0)

        def points(values: Array, first: int) -> list[tuple[float, float]]:
            heights = height * (1 - np.clip(values / highest, 0, 1))
            places = (np.arange(len(values)) + first) * (width - 1) / (days - 1)
            known = np.isfinite(heights)
            return list(zip(places[known].tolist(), heights[known].tolist(), strict=True))

        for level, shade in BANDS.items():
            upper, lower = (points(ahead[f"{end}_{level}"], start) for end in ("upper", "lower"))
            if upper:
                pen.polygon(upper + lower[::-1], fill=shade)
        for values, first, thick in ((card.past, 0, 3), (ahead["mean"], start, 4)):
            pen.line(points(values, first), FULL, thick * FINER)
        smooth = self._coverage.reduce(FINER)
        chart = self._pixels[CHART_TOP:CHART_BOTTOM, MARGIN : MARGIN + ROOM]
        now = round(start * ROOM / (days - 1))  # where the ink changes
        for ink, left, right in ((SOFT, 0, now), (LINE, now, ROOM)):
            chart[:, left:right] = _inked(smooth.crop((left, 0, right, smooth.height)), ink)
        chart[-1] = _places(SOFT)[FULL]

    def _write(self, top: int, lines: list[list[str]], size: int, colour: str) -> None:
        for number, words in enumerate(lines):
            y, x = top + round(number * size * LINE_HEIGHT), MARGIN
            for word in words:
                drawn = _word(word, size, colour)
                left = x - OVERHANG
                place = self._pixels[y : y + drawn.shape[0], left : left + drawn.shape[1]]
                np.maximum(place, drawn, out=place)
                x += _width(word, size)


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
def _places(ink: str) -> bytes:
    """The place in the palette of each coverage by an ink, from 0 to ``FULL``."""
    shades = [round(covered * SHADES / FULL) for covered in range(FULL + 1)]
    return bytes(shade and INKS.index(ink) * SHADES + shade for shade in shades)


def _inked(coverage: Image.Image, ink: str) -> NDArray[np.uint8]:
    """Places in the palette, shape (height, width)."""
    places = coverage.tobytes().translate(_places(ink))
    return np.frombuffer(places, np.uint8).reshape(coverage.height, coverage.width)


def _wrapped(text: str, size: int, most: int) -> list[list[str]]:
    """The words of the lines that fit the card; what does not fit is cut off."""
    lines: list[list[str]] = [[]]
    left = ROOM
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


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _width(word: str, size: int) -> int:
    """Pixels to the next word."""
    return sum(_advance(letter, size) for letter in f"{word} ")


@lru_cache(maxsize=MOST_WORDS)
def _word(word: str, size: int, colour: str) -> NDArray[np.uint8]:
    """A word as places in the palette, shape (height, width with ``OVERHANG`` on both sides)."""
    letters = [_letter(letter, size, colour) for letter in word]
    width = _width(word, size) - _advance(" ", size) + 2 * OVERHANG
    drawn, x = np.zeros((round(size * LINE_HEIGHT), width), np.uint8), 0
    for letter in letters:
        place = drawn[:, x : x + letter.shape[1]]
        np.maximum(place, letter, out=place)
        x += letter.shape[1] - 2 * OVERHANG
    return drawn


@lru_cache(maxsize=MOST_LETTERS)
def _advance(letter: str, size: int) -> int:
    """Pixels to the next letter; the font has no kerning."""
    return round(_font(size).getlength(letter))


@lru_cache(maxsize=MOST_LETTERS)
def _letter(letter: str, size: int, colour: str) -> NDArray[np.uint8]:
    """A letter, as ``_word``: the words of a card are new, and its letters are not."""
    width = _advance(letter, size) + 2 * OVERHANG
    mask = Image.new("L", (width, round(size * LINE_HEIGHT)))
    ImageDraw.Draw(mask).text((OVERHANG, 0), letter, FULL, _font(size))
    return _inked(mask, colour)
