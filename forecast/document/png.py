"""PNG of sixteen colours, two pixels a byte: Pillow packs these slower than it draws them."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BITS, INDEXED = 4, 3  # of a pixel; its value is a place in the palette
QUICK = 1  # of nine levels of compression; the higher ones take longer than all the drawing


class PNG:
    """Writes pictures of one size and palette, in the same memory.

    Args:
        width: pixels, an even number.
        height: pixels.
        palette: red, green and blue of each colour, one after the other.
    """

    def __init__(self, width: int, height: int, palette: Sequence[int]) -> None:
        header = struct.pack(">IIBBBBB", width, height, BITS, INDEXED, 0, 0, 0)
        self._begin = SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"PLTE", bytes(palette))
        self._rows = np.zeros((height, 1 + width // 2), np.uint8)  # 0: a row without a filter
        self._pairs = np.zeros((height, width // 2), "<u2")

    def of(self, pixels: NDArray[np.uint8]) -> bytes:
        """A picture.

        Args:
            pixels: places in the palette, shape (height, width).

        References: W3C, Portable Network Graphics (PNG) Specification (Third Edition), 2025.
        """
        # The left pixel is the low byte. In the product the high byte has both, the left one first.
        np.multiply(pixels.view("<u2"), 1 << (8 + BITS) | 1, out=self._pairs)
        self._rows[:, 1:] = np.right_shift(self._pairs, 8, out=self._pairs)
        return self._begin + _chunk(b"IDAT", _compressed(self._rows)) + _chunk(b"IEND", b"")


def _compressed(rows: NDArray[np.uint8]) -> bytes:
    """What is alike in such a picture are its runs; looking for more takes longer."""
    runs = zlib.compressobj(QUICK, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return runs.compress(rows.data) + runs.flush()


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum
