"""The pictures that are written without Pillow, as Pillow reads them."""

import io

import numpy as np
from PIL import Image

from forecast.document.png import PNG


def test_pillow_reads_every_pixel():
    palette = [*range(0, 240, 5)]
    pixels = np.random.default_rng(0).integers(0, 16, (7, 10), np.uint8)
    image = Image.open(io.BytesIO(PNG(10, 7, palette).of(pixels)))
    image.load()
    assert (image.format, image.mode, image.size) == ("PNG", "P", (10, 7))
    assert image.getpalette() == palette
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_picture_leaves_nothing_in_the_next_one():
    writer = PNG(4, 2, [0, 0, 0, 255, 255, 255])
    first = writer.of(np.zeros((2, 4), np.uint8))
    writer.of(np.ones((2, 4), np.uint8))
    assert writer.of(np.zeros((2, 4), np.uint8)) == first
