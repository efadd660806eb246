"""Finding a package among thousands by a part of its name, or of its title."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from forecast.config import GROUP, LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from forecast.config import Package

MAX_SIMILAR = 3  # names suggested for an unknown one
CLOSE = 0.8  # likeness from 0 to 1: one letter wrong in five
MAX_COMPARED = 5_000  # names compared with an unknown one; it takes some 15 ms


class Catalogue:
    """The packages on offer, in their order.

    Args:
        packages: each name once.
    """

    def __init__(self, packages: Iterable[Package]) -> None:
        self.packages = tuple(packages)
        self._by_name = {package.name: package for package in self.packages}
        self._sorted = sorted(self.packages, key=lambda each: each.name.removeprefix(GROUP))

    def get(self, name: str) -> Package | None:
        """The package of a normalised name."""
        return self._by_name.get(name)

    def matches(self, text: str) -> list[Package]:
        """The packages whose name or title contains the text, by name; all for an empty text.

        The package of exactly that name comes first, then those that begin with the text.
        """
        wanted, typed = _normalised(text), text.strip().casefold()
        if not wanted:
            return list(self._sorted) if not text.strip() else []
        inside = [
            each
            for each in self._sorted
            if wanted in each.name or (each.title and typed in each.title.casefold())
        ]
        # Sorting is stable: among equals the order stays.
        inside.sort(
            key=lambda each: (
                each.name != wanted,
                not each.name.removeprefix(GROUP).startswith(wanted)
                and not each.title.casefold().startswith(typed),
            )
        )
        return inside

    def near(self, text: str) -> list[Package]:
        """The packages with a similar name, for typing errors."""
        names = near(_normalised(text), self._by_name.keys())
        return [self._by_name[name] for name in names]


def near(name: str, known: Collection[str]) -> list[str]:
    """Known names similar to ``name``, the most similar first; the @ of groups is not compared.

    Among very many, only those with the same first letter, as that one is rarely mistyped.
    """
    wanted, alike = name.removeprefix(GROUP), dict[str, list[str]]()
    for each in known:
        alike.setdefault(each.removeprefix(GROUP), []).append(each)
    compared = list(alike)
    if len(compared) > MAX_COMPARED:
        compared = [each for each in compared if each[:1] == wanted[:1]]
    close = difflib.get_close_matches(wanted, compared, n=MAX_SIMILAR, cutoff=CLOSE)
    return [each for plain in close for each in alike[plain]][:MAX_SIMILAR]


def _normalised(text: str) -> str:
    """A typed part of a name, as PEP 503 normalises it; empty if it is too long."""
    text = text.strip()
    return re.sub(r"[-_.]+", "-", text).lower() if len(text) <= LONGEST_NAME else ""
