"""The check of the pictures of a bundle, which other web pages show and may even inline."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn
from xml.parsers import expat

from forecast.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping

SVG = "http://www.w3.org/2000/svg"  # the namespace
LARGEST_PICTURE = 64 * 1024  # bytes
# What a picture may be made of: nothing that runs, links or loads.
ELEMENTS = {
    *("svg", "title", "desc", "style", "defs", "g", "clipPath", "linearGradient", "stop"),
    *("rect", "path", "line", "circle", "ellipse", "polygon", "polyline", "text", "tspan"),
}
MOST_NAMES = 256  # of elements and attributes that are remembered; our pictures have 30
LINKS = {"href", "src"}  # attributes, with or without a namespace
# What loads something in CSS or in an attribute, and the escapes that could hide it. Each begins
# with its rarest letter, which the search can jump to; what stands before that is looked back at.
FUNCTIONS = ("url", "src", "image", "set", "fade", "element")
LOADS = re.compile(
    r"@import|\\|:(?<=javascript:)|\((?!#)(?:"
    + "|".join(rf"(?<={each}\()" for each in FUNCTIONS)
    + ")",
    re.IGNORECASE,
)
MOST_SHOWN = 20  # letters of such a text in a message
# In HTML a comment or a CDATA section may end elsewhere than in XML.
DECLARATIONS = (
    *("StartDoctypeDecl", "XmlDecl", "ProcessingInstruction"),
    *("Comment", "StartCdataSection"),
)


def check_picture(file_name: str, data: bytes) -> None:
    """Refuse an SVG that is too large, is not whole, or may run, link to or load anything.

    Raises:
        BundleError: saying what is wrong.
    """
    if len(data) > LARGEST_PICTURE:
        raise BundleError(
            f"{file_name!r} has {len(data):,} bytes; at most {LARGEST_PICTURE:,} are allowed"
        )
    if not _is_utf8(data):
        raise BundleError(f"{file_name} is no SVG in UTF-8")
    checks = _Checks(file_name)
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = checks.element
    parser.CharacterDataHandler = checks.texts.append
    for kind in DECLARATIONS:
        setattr(parser, f"{kind}Handler", checks.declaration)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BundleError(f"{file_name} is no SVG: {expat.ErrorString(error.code)}") from None
    checks.text("".join(checks.texts))  # joined, as elements inside CSS do not interrupt it


def _is_utf8(data: bytes) -> bool:
    """Whether it can only be UTF-8: the parser would find UTF-16 by itself."""
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


@lru_cache(MOST_NAMES)
def _is_allowed(element: str) -> bool:
    space, _, local = element.rpartition(" ")
    return space in {"", SVG} and local in ELEMENTS


@lru_cache(MOST_NAMES)
def _runs_or_links(attribute: str) -> bool:
    return attribute.lower().startswith("on") or attribute.rpartition(" ")[2] in LINKS


class _Checks:
    """What the parser calls for the parts of a picture."""

    def __init__(self, file_name: str) -> None:
        self.texts: list[str] = []
        self._file_name = file_name

    def element(self, element: str, attributes: Mapping[str, str]) -> None:
        """Refuse an element that is not listed, and attributes that run or link."""
        if not _is_allowed(element):
            self._refuse(f"the element {element!r:.40}")
        for key, value in attributes.items():
            if _runs_or_links(key):
                self._refuse(f"the attribute {key!r:.40}")
            self.text(value)

    def text(self, text: str) -> None:
        """Refuse text that loads something where it is CSS."""
        if found := LOADS.search(text):
            self._refuse(repr(text[max(found.end() - MOST_SHOWN, 0) : found.end()]))

    def declaration(self, *_: object) -> None:
        """Refuse whatever is neither element nor text."""
        self._refuse("a comment or a declaration")

    def _refuse(self, what: str) -> NoReturn:
        raise BundleError(f"{self._file_name} has {what}, which no picture of ours has")
