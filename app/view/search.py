"""What is shown to somebody who types the name of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from app.view import wording

if TYPE_CHECKING:
    from app.data.catalogue import Catalogue

MOST_FOUND = 30  # at once, of those that are looked for


class SearchResult(TypedDict):
    """What the page shows below a name that is being typed.

    Attributes:
        names: labels of packages, the likeliest first.
        note: how many there are, and what else can be done.
    """

    names: list[str]
    note: str


def search(catalogue: Catalogue, text: str) -> SearchResult:
    """What to show to somebody who has typed so much of a name.

    Args:
        catalogue: the packages on offer.
        text: as it was typed.
    """
    found = catalogue.matches(text)
    if found:
        note = wording.matches(min(len(found), MOST_FOUND), len(found))
    else:
        found = catalogue.near(text)
        note = wording.no_match(near=bool(found))
    return SearchResult(names=[package.label for package in found[:MOST_FOUND]], note=note)
