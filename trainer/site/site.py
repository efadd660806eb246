"""Writes the whole site."""

from __future__ import annotations

import json
import multiprocessing
import re
import xml.etree.ElementTree as ET
from collections import deque
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from markupsafe import Markup

from forecast.bundle.replace import Kind
from forecast.config import counted_names
from forecast.document import addresses, markup
from forecast.document.card import Painter
from forecast.document.document import TEMPLATES, Document, Link, Templates
from forecast.document.record import RECORD_TITLE, record_page
from forecast.document.surprise import surprise_picture
from forecast.presentation import wording
from forecast.presentation.feed import feed
from forecast.presentation.notices import notices
from forecast.presentation.record import record_answer
from forecast.process import start_fork_server
from forecast.record.record import make_record
from forecast.record.weeks import all_weeks, last_week
from trainer.site.package import Maker, Row, links_of
from trainer.site.share import share_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.record.weeks import LastWeek, Week

T = TypeVar("T")

MOST_LISTED = 200  # packages on one page, which then has some 40 kB
AT_ONCE = 50  # packages that a process gets at a time
TOP = (
    *("index.html", "404.html", "package", "group", "all", addresses.RECORD.rstrip("/")),
    *(addresses.PACKAGES, addresses.STYLE, addresses.SCRIPT, addresses.FEED, addresses.SITEMAP),
)
SITE = Kind("site", addresses.PACKAGES, re.compile("|".join(map(re.escape, TOP))))
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"  # the name of the format


def write_site(bundle: Bundle, config: Config, folder: Path, jobs: int = 1) -> None:
    """Write the site of a bundle.

    Args:
        bundle: with models that this version can load.
        config: names the site and the repository, and has the events.
        folder: an empty folder.
        jobs: how many processes may share the work.

    Raises:
        ForecastError: if the bundle contradicts itself.
        OSError: if a file cannot be written, or a process was killed.
    """
    last = last_week(bundle, config.redefined)
    write = partial(
        _write_packages,
        config=config,
        through=bundle.known_through,
        unusual=last.by_package,
        linked=_parts_with_a_page(bundle),
        folder=folder,
    )
    shares = (share_of(bundle, names) for names in _divided(bundle.names, AT_ONCE))
    rows = list(chain.from_iterable(_spread(write, shares, jobs, len(bundle.names))))
    site = _Site(bundle, config, folder, rows, Templates())
    site.write_lists()
    site.write_record(last)
    site.write_rest()


def _parts_with_a_page(bundle: Bundle) -> set[str]:
    """The parts of groups that have a page of their own; a share knows its packages alone."""
    modelled = bundle.modelled
    return {part.name for entry in modelled.values() for part in entry.parts} & modelled.keys()


def _divided(things: Sequence[T], most: int) -> list[Sequence[T]]:
    return [things[at : at + most] for at in range(0, len(things), most)]


def _spread(
    write: Callable[[Bundle], list[Row]], shares: Iterable[Bundle], jobs: int, packages: int
) -> Iterator[list[Row]]:
    """What ``write`` returns for each share, in their order."""
    if jobs == 1 or packages <= AT_ONCE:
        yield from map(write, shares)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start_fork_server()
    waiting: deque[Future[list[Row]]] = deque()
    pool = ProcessPoolExecutor(jobs, context)
    try:
        for share in shares:
            waiting.append(pool.submit(write, share))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenExecutor:
        raise ChildProcessError("a process that wrote pages was killed: is memory short?") from None
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C, only what has begun is waited for


@cache
def _tools() -> tuple[Templates, Painter]:
    """For all packages that a process writes: compiled templates, and the memory of a card."""
    return Templates(), Painter()


def _write_packages(
    share: Bundle,
    *,
    config: Config,
    through: dt.date | None,
    unusual: Mapping[str, Week],
    linked: Collection[str],
    folder: Path,
) -> list[Row]:
    """Write the folders of some packages; what lists say of them."""
    maker = Maker(share, config, through, unusual, linked, *_tools())
    rows = []
    for name in share.names:
        row, files = maker.files(name)
        place = folder / row.folder
        place.mkdir(parents=True)
        for file_name, data in files.items():
            (place / file_name).write_bytes(data)
        rows.append(row)
    return rows


@dataclass(frozen=True)
class _Site:
    """All that stands outside of the packages' folders."""

    bundle: Bundle
    config: Config
    folder: Path
    rows: Sequence[Row]
    templates: Templates

    def write_lists(self) -> None:
        """The page that finds a package; further pages list those that it has no room for."""
        told = [
            [row.label, row.name, row.folder, *([1] if row.unusual else [])] for row in self.rows
        ]
        self._write(addresses.PACKAGES, json.dumps(told, separators=(",", ":")) + "\n")
        pages = []
        if len(self.rows) > MOST_LISTED:
            ordered = sorted(self.rows, key=lambda row: row.name)
            for number, rows in enumerate(_divided(ordered, MOST_LISTED), 1):
                text = f"{rows[0].name} to {rows[-1].name}"
                pages.append(Link(text, f"all/{number}/"))
                self._list(pages[-1].href, f"Packages from {text}", rows)
        self._list("", "Packages", self.rows[:MOST_LISTED], pages)

    def write_record(self, last: LastWeek) -> None:
        """How good the forecasts were, as a page and as JSON."""
        record = make_record(self.bundle, self.config.redefined)
        root = addresses.up(addresses.RECORD)

        def picture(name: str) -> str:
            drawn = f"{name}.svg" in self.bundle.manifest.files
            return f"{root}{addresses.folder(name)}{addresses.CHART}" if drawn else ""

        answer = record_answer(record, last, picture=picture)
        told = json.dumps(answer, allow_nan=False, indent=1)
        self._write(f"{addresses.RECORD}{addresses.RECORD_JSON}", told + "\n")
        page = record_page(
            self.templates,
            self._document(addresses.RECORD, RECORD_TITLE),
            record,
            last,
            self.bundle.manifest.labels,
            root=root,
            links=links_of(root),
            place=lambda name: f"{root}{self._folder(name)}",
            picture=partial(surprise_picture, self.bundle),
            files=[Link("The same as JSON", addresses.RECORD_JSON)],
        )
        self._write(f"{addresses.RECORD}index.html", page)

    def write_rest(self) -> None:
        """Style, script, feed, sitemap and the page for unknown addresses."""
        style = "".join(
            (TEMPLATES / name).read_text("utf-8") for name in ("first.css", "plain.css")
        )
        self._write(addresses.STYLE, style)
        self._write(addresses.SCRIPT, (TEMPLATES / "find.js").read_text("utf-8"))
        url = self.config.site_url
        news = feed(
            all_weeks(self.bundle, self.config.redefined),
            self.bundle.manifest.labels,
            config=self.config,
            updated=self.bundle.manifest.created_at,
            page=url,
            folder=self._folder,
            itself=f"{url}{addresses.FEED}",
        )
        self._write(addresses.FEED, news.decode())
        self._write(addresses.SITEMAP, self._sitemap())
        # Served at any depth, so that it alone has its style within and absolute links.
        missing = Document(title=f"Not found - {wording.TITLE}", description="", url=url)
        page = self.templates.plain(
            "message.html",
            missing,
            url,
            links_of(url),
            title="There is no such page",
            text="The package has left the config, or the address has a typing error.",
        )
        self._write("404.html", page)

    def _folder(self, name: str) -> str:
        """Where a package is shown; the index for one that has left the config."""
        return addresses.folder(name) if name in self.bundle.modelled else ""

    def _list(
        self, place: str, title: str, rows: Sequence[Row], pages: Sequence[Link] = ()
    ) -> None:
        root = addresses.up(place)
        manifest = self.bundle.manifest
        told = markup.notices(notices(manifest, [], manifest.created_at))
        page = self.templates.plain(
            "index.html",
            self._document(place, title if place else ""),
            root,
            links_of(root),
            title=title,
            told=Markup(told),  # noqa: S704 - as is all of markup
            caption=f"Downloads in the next {manifest.forecast_days} days",
            number=counted_names([row.name for row in self.rows]),
            rows=rows,
            pages=pages,
            script="" if place else addresses.SCRIPT,
        )
        self._write(f"{place}index.html", page)

    def _document(self, place: str, title: str) -> Document:
        root = addresses.up(place)
        return Document(
            title=f"{title} - {wording.TITLE}" if title else wording.TITLE,
            description=wording.DESCRIPTION,
            url=f"{self.config.site_url}{place}",
            feed=f"{root}{addresses.FEED}",
            styles=f"{root}{addresses.STYLE}",
        )

    def _sitemap(self) -> str:
        root = ET.Element("urlset", xmlns=SITEMAPS)
        day = self.bundle.manifest.created_at.date().isoformat()
        for place in ("", addresses.RECORD, *(row.folder for row in self.rows)):
            url = ET.SubElement(root, "url")
            ET.SubElement(url, "loc").text = f"{self.config.site_url}{place}"
            ET.SubElement(url, "lastmod").text = day
        ET.indent(root, " ")
        return ET.tostring(root, "unicode", xml_declaration=True) + "\n"

    def _write(self, place: str, text: str) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
