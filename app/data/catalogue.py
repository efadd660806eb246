"""Finding a package among thousands, as somebody types its name."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from forecast.config import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from forecast.config import Package

MOST_LISTED = 200  # packages that the page has in its lists; more are looked for by name
MOST_NEAR = 3  # names offered in place of an unknown one
MOST_COMPARED = 5_000  # names, in some 15 ms


class Catalogue:
    """The packages on offer, in their order.

    Args:
        packages: each name once.
    """

    def __init__(self, packages: Iterable[Package]) -> None:
        self.packages = tuple(packages)
        self._by_name = {package.name: package for package in self.packages}

    def get(self, name: str) -> Package | None:
        """The package of a normalised name."""
        return self._by_name.get(name)

    def matches(self, text: str) -> list[Package]:
        """The packages whose name has the text in it; all of them for an empty one.

        The one that is so called comes first, then those that begin with the text.
        """
        wanted = _normalised(text)
        if not wanted:
            return list(self.packages) if not text.strip() else []
        inside = [package for package in self.packages if wanted in package.name]
        # Sorting is stable: among equals the order stays.
        inside.sort(key=lambda each: (each.name != wanted, not each.name.startswith(wanted)))
        return inside

    def near(self, text: str) -> list[Package]:
        """The packages that somebody who typed the text may have meant."""
        names = near(_normalised(text), self._by_name.keys())
        return [self._by_name[name] for name in names]


def near(name: str, known: Collection[str]) -> list[str]:
    """Known names that somebody who typed ``name`` may have meant, the likeliest first.

    Of very many only those with the same first letter, as that one is rarely mistyped.
    """
    if len(known) > MOST_COMPARED:
        known = [each for each in known if each[:1] == name[:1]]
    return difflib.get_close_matches(name, list(known), n=MOST_NEAR, cutoff=0.6)


def _normalised(text: str) -> str:
    """What is typed of a name, as PEP 503 normalises it; empty if it is none."""
    text = text.strip()
    return re.sub(r"[-_.]+", "-", text).lower() if len(text) <= LONGEST_NAME else ""
