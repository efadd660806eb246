"""The answer to a visitor who types part of a package's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.data.catalogue import Catalogue

MOST_FOUND = 30  # names in one answer


class SearchResult(TypedDict):
    """What the page lists below the box.

    Attributes:
        names: of packages as they are displayed, the best match first.
        unusual: those of them whose last week was unusual.
        note: how many packages and groups match, or what to do if none does.
    """

    names: list[str]
    unusual: list[str]
    note: str


def find_names(
    catalogue: Catalogue, text: str, is_unusual: Callable[[str], bool] = lambda _name: False
) -> SearchResult:
    """The packages whose name or title contains the text, or else those with a similar name.

    Args:
        catalogue: the packages of the bundle and the config.
        text: as typed so far.
        is_unusual: whether the last week of the package of a name was.
    """
    found = catalogue.matches(text)
    if found:
        names = [package.name for package in found]
        note = wording.match_count(min(len(found), MOST_FOUND), names)
    else:
        found = catalogue.near(text)
        note = wording.no_match(near=bool(found))
    listed = found[:MOST_FOUND]
    return SearchResult(
        names=[package.label for package in listed],
        unusual=[package.label for package in listed if is_unusual(package.name)],
        note=note,
    )
