"""A forecast as plain HTML: what stands in the head, and the answer in the body.

Made of texts alone, so that the page's first response and a static site look the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Document:
    """One view of the page.

    Attributes:
        title: of the tab and of previews.
        description: the answer in a sentence or two.
        url: the one address of this view, absolute.
        card: address of a PNG of 1200 by 630 pixels, absolute; empty without one.
        package: what is asked for, as it stands in the box.
        headline: HTML of the heading, the answer, and a notice.
        facts: HTML of what backs the answer; empty without any.
        picture: an SVG of the forecast; empty without one.
        offered: names of packages that can be opened without scripts.
        feed: address of the feed; empty without one.
        styles: address of the stylesheet; if empty, it stands in the head.
        theme: light or dark; empty for the visitor's own setting.
    """

    title: str
    description: str
    url: str
    card: str = ""
    package: str = ""
    headline: str = ""
    facts: str = ""
    picture: str = ""
    offered: Sequence[str] = ()
    feed: str = ""
    styles: str = ""
    theme: str = ""


class Link(NamedTuple):
    """A link of a plain page."""

    text: str
    href: str


class Templates:
    """Renders documents: everything is escaped, except HTML of :mod:`forecast.document.markup`."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["wording"] = wording

    def head(self, document: Document) -> str:
        """The elements of the document's head."""
        return self._environment.get_template("head.html").render(document=document)

    def plain(
        self, template: str, document: Document, root: str, links: Sequence[Link], **values: object
    ) -> str:
        """A whole page that needs no gradio.

        Args:
            template: the name of its file.
            document: what its head says.
            root: address of the page that lists the packages.
            links: beside its heading.
            values: what else the template shows; texts are escaped, ``Markup`` is not.
        """
        return self._environment.get_template(template).render(
            document=document, root=root, links=links, **values
        )

    def body(self, document: Document) -> str:
        """The answer, to stand at the begin of the body."""
        return self._environment.get_template("body.html").render(
            document=document,
            headline=Markup(document.headline),  # noqa: S704 - made by forecast.document.markup
            facts=Markup(document.facts),  # noqa: S704 - the same
            # In an <img> an SVG runs no script, whatever is in it.
            picture=f"data:image/svg+xml,{quote(document.picture)}" if document.picture else "",
        )
