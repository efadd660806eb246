"""Which rows of a table are whose: found, and checked, while the table streams by.

What is kept of a table is an index from a package to the place of its rows, so that one
package's rows can be parsed when they are asked for.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecast.bundle.tables import FORECASTS, HISTORY, NEWLINE, head, parse
from forecast.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

LONGEST_LINE = 1024  # bytes; ours have a hundred
MOST_BLOCKS = 200_000  # a table; 5,000 packages have 5,000


class Block(NamedTuple):
    """Rows of one package that lie together.

    Attributes:
        start: where they begin in the table, in bytes.
        length: how many bytes they take.
        rows: how many there are.
        first: day of the first row, counted from 1970-01-01.
        last: day of the last row.
    """

    start: int
    length: int
    rows: int
    first: int
    last: int


class Blocks:
    """Takes a table piece by piece; memory grows with the packages and not with the rows.

    The rows of a package lie together. Only the track record may have them in several
    places, for it was once written run by run.

    Args:
        table: its name, one of ``forecast.bundle.tables.COLUMNS``.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._found: dict[str, list[Block]] = {}
        self._count = 0
        self._name: str | None = None  # of the last row so far
        self._position = 0
        self._rest = b""
        self._begun = False

    def feed(self, piece: bytes) -> None:
        """Check the next piece of the table.

        Raises:
            BundleError: if anything in it is not as we write it.
        """
        data = self._rest + piece
        if not self._begun:
            data = self._without_head(data)
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        if len(self._rest) > LONGEST_LINE:
            raise BundleError(f"{self._table} is not a table of ours: a line has no end")
        if end and self._begun:
            self._take(data[:end])

    def close(self) -> dict[str, tuple[Block, ...]]:
        """The index of the whole table: package to its blocks, in order.

        Raises:
            BundleError: if the table ends in the middle of a line.
        """
        if self._rest or not self._begun:
            raise BundleError(f"{self._table} is not a table of ours: it breaks off")
        return {name: tuple(blocks) for name, blocks in self._found.items()}

    def _without_head(self, data: bytes) -> bytes:
        expected = head(self._table)
        if len(data) < len(expected) and expected.startswith(data):
            return data
        if not data.startswith(expected):
            columns = expected.decode().strip()
            raise BundleError(f"{self._table}: expected the columns {columns}")
        self._begun = True
        self._position = len(expected)
        return data[len(expected) :]

    def _take(self, lines: bytes) -> None:
        rows = parse(lines, self._table)
        days = rows["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
        names = rows["package"].cat.categories
        codes = rows["package"].cat.codes.to_numpy()
        changes = np.flatnonzero(np.diff(codes)) + 1
        self._count += len(changes)
        if self._count > MOST_BLOCKS:
            raise BundleError(f"{self._table}: the rows of a package do not lie together")
        ends = np.append(0, np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == NEWLINE) + 1)
        edges = [0, *changes.tolist(), len(codes)]
        self._check_order(days, changes)
        for begin, end in pairwise(edges):
            place = self._position + int(ends[begin])
            length = int(ends[end] - ends[begin])
            block = Block(place, length, end - begin, int(days[begin]), int(days[end - 1]))
            self._add(str(names[codes[begin]]), block)
        self._position += len(lines)

    def _check_order(self, days: NDArray[np.int64], changes: NDArray[np.intp]) -> None:
        steps = np.diff(days)
        steps[changes - 1] = 1
        if self._table in {HISTORY, FORECASTS} and (steps <= 0).any():
            raise self._disorder()

    def _add(self, name: str, block: Block) -> None:
        blocks = self._found.setdefault(name, [])
        alone = self._table in {HISTORY, FORECASTS}
        if name == self._name:
            before = blocks.pop()
            if alone and block.first <= before.last:
                raise self._disorder()
            block = Block(
                before.start,
                before.length + block.length,
                before.rows + block.rows,
                before.first,
                block.last,
            )
        elif blocks and alone:
            raise BundleError(f"{self._table}: the rows of {name!r:.100} do not lie together")
        blocks.append(block)
        self._name = name

    def _disorder(self) -> BundleError:
        return BundleError(
            f"{self._table}: a package has a day twice, or its days are not in order"
        )


def rows_of(name: str, pieces: Iterable[bytes], table: str) -> pd.DataFrame:
    """The rows in a package's blocks.

    Args:
        name: the package.
        pieces: the bytes of its blocks.
        table: the table that they are of.

    Raises:
        BundleError: if they are not that package's any more.
    """
    rows = parse(b"".join(pieces), table)
    if list(rows["package"].cat.categories) not in ([name], []):
        raise BundleError(f"{table} has changed since it was opened: {name!r:.100} has other rows")
    return rows.astype({"package": "str"})
