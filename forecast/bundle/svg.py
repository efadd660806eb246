"""The check of the pictures of a bundle, which other web pages show and may even inline."""

from __future__ import annotations

import re
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
LINKS = {"href", "src"}  # attributes, with or without a namespace
# What loads something in CSS or in an attribute, and the escapes that could hide it.
LOADS = re.compile(r"@import|\\|javascript:|(url|src|image|set|fade|element)\((?!#)", re.IGNORECASE)
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


class _Checks:
    """What the parser calls for the parts of a picture."""

    def __init__(self, file_name: str) -> None:
        self.texts: list[str] = []
        self._file_name = file_name

    def element(self, element: str, attributes: Mapping[str, str]) -> None:
        """Refuse an element that is not listed, and attributes that run or link."""
        space, _, local = element.rpartition(" ")
        if space not in {"", SVG} or local not in ELEMENTS:
            self._refuse(f"the element {element!r:.40}")
        for key, value in attributes.items():
            if key.lower().startswith("on") or key.rpartition(" ")[2] in LINKS:
                self._refuse(f"the attribute {key!r:.40}")
            self.text(value)

    def text(self, text: str) -> None:
        """Refuse text that loads something where it is CSS."""
        # Long lists of points have none of these marks; looking for them first is faster.
        marked = "(" in text or ":" in text or "@" in text or "\\" in text
        if marked and (found := LOADS.search(text)):
            self._refuse(repr(found[0]))

    def declaration(self, *_: object) -> None:
        """Refuse whatever is neither element nor text."""
        self._refuse("a comment or a declaration")

    def _refuse(self, what: str) -> NoReturn:
        raise BundleError(f"{self._file_name} has {what}, which no picture of ours has")
