"""The answer to a visitor who types part of a package's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from forecast.presentation import wording

if TYPE_CHECKING:
    from app.data.catalogue import Catalogue

MOST_FOUND = 30  # names in one answer


class SearchResult(TypedDict):
    """What the page lists below the box.

    Attributes:
        names: of packages as they are displayed, the best match first.
        note: how many packages match, or what to do if none does.
    """

    names: list[str]
    note: str


def find_names(catalogue: Catalogue, text: str) -> SearchResult:
    """The packages whose name contains the text, or else those with a similar name.

    Args:
        catalogue: the packages of the bundle and the config.
        text: as typed so far.
    """
    found = catalogue.matches(text)
    if found:
        note = wording.match_count(min(len(found), MOST_FOUND), len(found))
    else:
        found = catalogue.near(text)
        note = wording.no_match(near=bool(found))
    return SearchResult(names=[package.label for package in found[:MOST_FOUND]], note=note)
