"""An Atom feed (RFC 4287) of the weeks that were unusual."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from forecast.presentation.record import week_sentence
from forecast.presentation.wording import format_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from forecast.config import Config
    from forecast.record.weeks import Week

ATOM = "http://www.w3.org/2005/Atom"  # the name of the format, not an address that is asked
BEGUN = 2026  # the year in which the ids were made; they never change
MOST_ENTRIES = 50
MEDIA_TYPE = "application/atom+xml"


def feed(
    weeks: Iterable[Week],
    labels: Mapping[str, str],
    *,
    config: Config,
    updated: dt.datetime,
    folder: Callable[[str], str],
    page: str = "",
    itself: str = "",
) -> bytes:
    """The feed, with the newest weeks first.

    Args:
        weeks: of ``forecast.record.weeks.all_weeks``.
        labels: the packages' names as configured, by name.
        config: names the repository, which the ids are made of.
        updated: when the bundle was made, with its zone.
        folder: where a package is shown, behind the page's address.
        page: absolute address of the page; empty if there is none.
        itself: absolute address of the feed; empty if it is not known.
    """
    root = ET.Element("feed", xmlns=ATOM)
    _text(root, "id", _id(config, "unusual-weeks"))
    _text(root, "title", "PyPI download forecast: unusual weeks")
    _text(root, "subtitle", "Packages whose downloads left the band that was forecast for a week")
    _text(root, "updated", updated.isoformat(timespec="seconds"))
    _text(ET.SubElement(root, "author"), "name", f"{config.username}/{config.repo_name}")
    if itself:
        ET.SubElement(root, "link", rel="self", type=MEDIA_TYPE, href=itself)
    ET.SubElement(root, "link", rel="alternate", href=page or config.repository_url)
    newest = sorted(weeks, key=lambda week: (week.end, week.package), reverse=True)
    for week in newest[:MOST_ENTRIES]:
        href = f"{page}{folder(week.package)}" if page else config.repository_url
        _add(root, week, labels.get(week.package, week.package), config, href)
    ET.indent(root, " ")
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _add(root: ET.Element, week: Week, label: str, config: Config, href: str) -> None:
    entry = ET.SubElement(root, "entry")
    side = "above" if week.above else "below"
    _text(entry, "id", _id(config, f"unusual-weeks/{week.package}/{week.start}"))
    _text(entry, "title", f"{label}: {side} what was expected, {format_date(week.end)}")
    # The day after the week: an entry never changes, whichever bundle it is made of.
    _text(entry, "updated", f"{week.end + dt.timedelta(days=1)}T00:00:00Z")
    ET.SubElement(entry, "link", rel="alternate", href=href)
    _text(entry, "content", week_sentence(week, label)).set("type", "text")


def _id(config: Config, path: str) -> str:
    """A tag URI (RFC 4151) of the owner's name on GitHub Pages, used or not."""
    return f"tag:{config.username.lower()}.github.io,{BEGUN}:{config.repo_name}/{path}"


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element
