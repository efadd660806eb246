"""The pictures of packages: as the run drew them, or drawn again once their days are over."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from forecast.config import Package
from forecast.document.pictures import draw
from forecast.errors import ForecastError

if TYPE_CHECKING:
    from app.data.forecasts import Forecasts

MADE_UP = (
    "the counts of this package are made up (sample data), so there is no picture or badge of it: "
    "train on real counts"
)


def is_made_up(forecasts: Forecasts, name: str) -> bool:
    """Whether the counts of a package are sample data, which no picture may show elsewhere."""
    manifest = forecasts.store.snapshot.manifest
    return bool(manifest and not manifest.shareable and manifest.model_of(name))


def picture_of(forecasts: Forecasts, file: str, client: str) -> bytes | None:
    """A picture, SVG; None if the bundle has none of that name.

    Args:
        forecasts: of all packages.
        file: its name in the bundle.
        client: who asks.
    """
    bundle = forecasts.store.snapshot.bundle
    # The bundle looks it up among its own names, so no client's text reaches a path.
    published = bundle.picture(file) if bundle else None
    return published and (_redrawn(forecasts, file, client) or published)


def package_of(file: str) -> str:
    """The name of the package that a picture of the bundle shows."""
    return file.removesuffix(".svg").removesuffix(".badge")


def _redrawn(forecasts: Forecasts, file: str, client: str) -> bytes | None:
    """A picture of what is known now, if the published one tells of days that are over."""
    name = package_of(file)
    with suppress(ForecastError):
        made = forecasts.renewed(Package(name, name), client)
        if made and made.total:
            with forecasts.computing.turn(client):
                totals = {made.days: made.total}
                shown, stopped = made.package.shown, made.no_counts_since
                drawn = draw(name, shown, made.model, made.daily, totals, stopped=stopped)
                return drawn[file].encode()
    return None
