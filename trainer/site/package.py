"""The files of one package on the site."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from forecast.config import Package
from forecast.document import addresses, markup
from forecast.document.card import Painter, card_of
from forecast.document.document import Document, Link
from forecast.model import pickling
from forecast.presentation import export, wording
from forecast.presentation.badge import shields_badge
from forecast.presentation.notices import Notice, notices, unusual_weeks
from forecast.presentation.package_forecast import from_bundle

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.document.document import Templates
    from forecast.presentation.package_forecast import PackageForecast
    from forecast.record.weeks import Week


class Row(NamedTuple):
    """A package in a list of packages."""

    name: str
    label: str
    folder: str
    mean: str
    band: str
    unusual: bool


@dataclass(frozen=True)
class Maker:
    """Makes the files of packages, each a function of the bundle alone.

    Attributes:
        bundle: has the packages.
        config: names the site, the repository and the events.
        through: the last day that any package has counts of.
        unusual: the last week of the packages for which it was unusual.
        linked: the parts of groups that have a page.
        templates: render the pages.
        painter: draws the cards.
    """

    bundle: Bundle
    config: Config
    through: dt.date | None
    unusual: Mapping[str, Week]
    linked: Collection[str]
    templates: Templates
    painter: Painter

    def files(self, name: str) -> tuple[Row, dict[str, bytes]]:
        """What a list says of a package, and the files of its folder by name.

        Raises:
            ForecastError: if the bundle contradicts itself.
        """
        forecast = self._forecast(name)
        told = self._told(forecast)
        chart = self.bundle.picture(f"{name}.svg")
        badge = self.bundle.picture(f"{name}.badge.svg")
        made = {
            "index.html": self._page(forecast, told, drawn=chart is not None),
            addresses.JSON: self._json(forecast, told),
            addresses.CSV: export.to_csv([forecast]).encode(),
        }
        shareable = self.bundle.manifest.shareable
        if shareable:
            made[addresses.CARD] = self.painter.draw(card_of(forecast))
        if shareable and forecast.total is not None:
            shields = shields_badge(forecast.total, forecast.days, forecast.no_counts_since)
            made[addresses.SHIELDS] = _dumped(shields)
        made |= {addresses.CHART: chart} if chart else {}
        made |= {addresses.BADGE: badge} if badge else {}
        mean, band = wording.expected_total(forecast)
        if silence := wording.no_counts(forecast):
            mean, band = silence, ""
        unusual = name in self.unusual
        folder = addresses.folder(name)
        return Row(name, forecast.package.shown, folder, mean, band, unusual), made

    def _forecast(self, name: str) -> PackageForecast:
        bundle = self.bundle
        package = Package(name, bundle.entry(name).label)
        made = from_bundle(bundle, package, None, self.config.outages, through=self.through)
        # The run has checked these very models when it wrote them: no need to run them again.
        made = replace(made, load=lambda: pickling.loads(bundle.pickle(name)))
        return made.seen_on(bundle.manifest.created_at.date())

    def _told(self, forecast: PackageForecast) -> list[Notice]:
        manifest = self.bundle.manifest
        found = notices(manifest, [forecast], manifest.created_at)
        return found + unusual_weeks(self.unusual.get, [forecast])

    def _json(self, forecast: PackageForecast, told: Sequence[Notice]) -> bytes:
        through = self.through
        return _dumped(
            {
                **export.contents(forecast),
                "known_through": through.isoformat() if through else None,
                "warnings": [notice.text for notice in told],
            }
        )

    def _page(self, forecast: PackageForecast, told: Sequence[Notice], *, drawn: bool) -> bytes:
        manifest, events, site = self.bundle.manifest, self.config.events, self.config.site_url
        package = forecast.package
        folder = addresses.folder(package.name)
        root, shown, url = addresses.up(folder), [forecast], f"{site}{folder}"
        document = Document(
            title=wording.title(shown),
            description=wording.headline(forecast, events),
            url=url,
            card=f"{url}{addresses.CARD}" if manifest.shareable else "",
            feed=f"{root}{addresses.FEED}",
            styles=f"{root}{addresses.STYLE}",
        )
        facts = markup.facts(shown, manifest, f"{root}{addresses.RECORD}")
        files = {"csv": addresses.CSV, "json": addresses.JSON}

        def place(name: str) -> str:
            return f"{root}{addresses.folder(name)}" if name in self.linked else ""

        details = markup.details(
            shown,
            (),
            mirrors=manifest.mirrors,
            repository=self.config.repository_url,
            place=place,
        )
        headline = markup.headline(shown, events, place)
        page = self.templates.plain(
            "package.html",
            document,
            root,
            links_of(root),
            headline=Markup(headline),  # noqa: S704 - as is all of markup
            picture=addresses.CHART if drawn else "",
            facts=Markup(markup.notices(told) + facts),  # noqa: S704
            exports=Markup(  # noqa: S704
                markup.exports(package.name, files) + (_embedding(package, url) if drawn else "")
            ),
            details=Markup(details),  # noqa: S704
            numbers=Markup(markup.numbers(shown)),  # noqa: S704
        )
        return page.encode()


def links_of(root: str) -> list[Link]:
    """The links that every page has."""
    return [
        Link("All packages", root),
        Link("How good were we?", f"{root}{addresses.RECORD}"),
        Link("Feed of unusual weeks", f"{root}{addresses.FEED}"),
    ]


def _embedding(package: Package, url: str) -> str:
    pictures = [
        markup.Picture("Chart", addresses.CHART, f"{url}{addresses.CHART}"),
        markup.Picture("Badge", addresses.BADGE, f"{url}{addresses.BADGE}"),
    ]
    shields = addresses.drawn_by_shields(url)
    return markup.embedding(package, url, pictures, shields, copied=False)


def _dumped(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode() + b"\n"
