"""What programs ask for: ``/forecast``, ``/packages``, and files to take away.

No ``from __future__ import annotations`` here: gradio makes schemas of the annotations
as they stand.
"""

from typing import Any, Literal, TypedDict

import gradio as gr
from anyio import to_thread
from gradio.events import api
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import export
from app.almanac import Almanac
from app.export import Answer
from app.links import parse_view
from app.outlook import LONGEST_DAYS
from forecast.config import Package
from forecast.errors import ForecastError, UnknownPackageError

COLD_START = 45.0  # seconds that a visitor waits for the first bundle at the most
PATIENCE = 12.0  # seconds for newer days
PICTURE_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    # Whoever opens the picture by itself gets a picture, whatever is in it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class Listed(TypedDict):
    """One package that ``/packages`` lists."""

    package: str
    status: Literal["ready", "no model yet"]
    trained_through: str | None


def add_endpoints(almanac: Almanac) -> None:
    """Add ``/forecast`` and ``/packages``, which are MCP tools as well, to the present Blocks."""

    async def forecast(package: str, days: int = 30) -> Answer:
        """Forecast the daily downloads of a package on PyPI, with 80 % and 95 % bands.

        Args:
            package: name of the package, such as flask
            days: how many days to forecast, from the day after the last one observed
        """
        # What is at hand takes less time than handing it to a thread.
        plain = isinstance(package, str) and isinstance(days, int)
        if plain and almanac.at_hand(Package(package, package), days):
            return answer(almanac, package, days)
        return await to_thread.run_sync(answer, almanac, package, days)

    def packages() -> list[Listed]:
        """List the packages that are trained every week."""
        return listed(almanac)

    options: dict[str, Any] = {"concurrency_limit": None}
    api(forecast, api_name="forecast", **options)
    api(packages, api_name="packages", **options)


def answer(almanac: Almanac, package: str, days: int) -> Answer:
    """What ``/forecast`` answers.

    Raises:
        gr.Error: if there is no such package, or days are out of range.
    """
    try:
        parsed = Package.parse(package)
    except ValueError as error:
        raise gr.Error(f"package {package!r:.60}: {error}", print_exception=False) from None
    almanac.store.wait(COLD_START)
    bundle = almanac.store.snapshot.bundle
    most = max(LONGEST_DAYS, bundle.manifest.forecast_days if bundle else 0)
    whole = isinstance(days, int) and not isinstance(days, bool)
    if not whole or not 1 <= days <= most:
        raise gr.Error(
            f"days is {days!r:.40}: expected a whole number from 1 to {most}",
            print_exception=False,
        )
    try:
        return export.answer(almanac.outlook(parsed, wait=PATIENCE), days)
    except ForecastError as error:
        name = "" if parsed.label in str(error) else f"package {parsed.label!r}: "
        raise gr.Error(f"{name}{error}", print_exception=False) from None


def listed(almanac: Almanac) -> list[Listed]:
    """What ``/packages`` answers."""
    bundle = almanac.store.wait(COLD_START).bundle
    entries = bundle.manifest.modelled if bundle else {}
    found = []
    for package in almanac.store.packages():
        entry = entries.get(package.name)
        through = entry.trained_through if entry else None
        found.append(
            Listed(
                package=package.name,
                status="ready" if entry else "no model yet",
                trained_through=through.isoformat() if through else None,
            )
        )
    return found


def export_route(almanac: Almanac) -> Route:
    """Files of a view: ``export/NAME.csv?package=NAME``, ``.json``, other packages as well."""

    def export_file(request: Request) -> Response:
        view = parse_view(dict(request.query_params))
        kind = request.path_params["file"].rpartition(".")[2]
        makers = {"csv": (export.to_csv, "text/csv"), "json": (export.to_json, "application/json")}
        if kind not in makers or not view.packages:
            return PlainTextResponse("expected export/NAME.csv?package=NAME, or .json", 404)
        make, media_type = makers[kind]
        try:
            text = make([almanac.outlook(package) for package in view.packages])
        except UnknownPackageError as error:
            return PlainTextResponse(str(error), 404)
        except ForecastError as error:
            return PlainTextResponse(str(error), 503)
        name = f"{view.packages[0].name}.{kind}"
        return Response(
            text,
            media_type=media_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return Route("/export/{file}", export_file)


def picture_route(almanac: Almanac) -> Route:
    """Pictures for other people's pages: ``picture/NAME.svg`` and ``picture/NAME.badge.svg``."""

    def picture(request: Request) -> Response:
        bundle = almanac.store.wait(COLD_START).bundle
        name = request.path_params["file"]
        # Looked up among the bundle's own names, so nothing of a visitor's reaches a path.
        data = bundle.picture(name) if bundle else None
        if data is None:
            return PlainTextResponse(
                "expected picture/NAME.svg or picture/NAME.badge.svg of a package with a model", 404
            )
        return Response(data, media_type="image/svg+xml", headers=PICTURE_HEADERS)

    return Route("/picture/{file}", picture)
