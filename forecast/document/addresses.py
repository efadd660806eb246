"""Where things stand on the site, relative to its root: for what writes it and what links to it."""

from __future__ import annotations

from urllib.parse import quote

from forecast.config import GROUP

CHART, BADGE, SHIELDS, CARD = "chart.svg", "badge.svg", "badge.json", "card.png"
JSON, CSV = "forecast.json", "forecast.csv"
RECORD, RECORD_JSON, FEED = "record/", "record.json", "feed.xml"
STYLE, SCRIPT, PACKAGES, SITEMAP = "style.css", "find.js", "packages.json", "sitemap.xml"
SHIELDS_IO = "https://img.shields.io/endpoint?url="


def folder(name: str) -> str:
    """The folder of a package, or of a group: a name on PyPI may be that of any other folder."""
    return f"{'group' if name.startswith(GROUP) else 'package'}/{name.removeprefix(GROUP)}/"


def up(address: str) -> str:
    """The way from a page back to the root, such as ``../../``; ``./`` at the root."""
    return "../" * address.count("/") or "./"


def drawn_by_shields(folder_url: str) -> str:
    """The address at shields.io of the badge of a package, by the absolute one of its folder."""
    return SHIELDS_IO + quote(f"{folder_url}{SHIELDS}", safe="")
