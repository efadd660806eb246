"""The endpoints for programs: ``/forecast``, ``/packages``, and files to download.

No ``from __future__ import annotations`` here: gradio makes schemas of the annotations.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal, TypedDict

import gradio as gr
from anyio import to_thread
from gradio.events import api
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.data.forecasts import BUNDLE_TIMEOUT, LIVE_COUNTS_TIMEOUT, Forecasts
from app.view.search import find_names
from app.view.state import parse_view
from app.web.guard import client_of
from app.web.pictures import MADE_UP, is_made_up, package_of, picture_of
from forecast.bundle.gate import PICTURES
from forecast.bundle.themes import THEMES, themed
from forecast.config import LONGEST_NAME, Package
from forecast.errors import BusyError, ForecastError, UnknownPackageError
from forecast.presentation import export
from forecast.presentation.export import ForecastAnswer
from forecast.presentation.notices import notices, unusual_weeks
from forecast.quantities import LONGEST_HORIZON

MAX_LIMIT = 1_000  # packages in one response
MAX_OFFSET = 1_000_000  # packages; PyPI has fewer
FIND_HEADERS = {"Cache-Control": "private, max-age=60"}  # letters are typed and deleted again
PICTURE_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    # A picture opened by itself stays a picture, whatever is in it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class PackageStatus(TypedDict):
    """One package of ``/packages``."""

    package: str
    status: Literal["ready", "no model yet"]
    trained_through: str | None


def add_endpoints(forecasts: Forecasts, clock: Callable[[], dt.datetime]) -> None:
    """Add ``/forecast`` and ``/packages``, which are also MCP tools, to the current Blocks."""

    # The docstring is shown to callers, who do not pass the request.
    async def forecast(  # noqa: D417
        package: str, request: gr.Request, days: int = 30
    ) -> ForecastAnswer:
        """Forecast the daily downloads of a package on PyPI, with 80 % and 95 % bands.

        Args:
            package: name of the package, such as flask, or of a group, such as @pallets
            days: how many days to forecast, from the day after the last one observed
        """
        # A cached forecast takes less time than handing the call to a thread.
        plain = isinstance(package, str) and isinstance(days, int)
        if plain and forecasts.is_cached(Package(package, package), days):
            return answer(forecasts, package, days, clock())
        return await to_thread.run_sync(
            answer, forecasts, package, days, clock(), client_of(request)
        )

    def packages(search: str = "", offset: int = 0, limit: int = 100) -> list[PackageStatus]:
        """List the packages and groups that are trained every week, a page at a time.

        There are more as long as a page is full: ask again with offset raised by limit.

        Args:
            search: a part of the name, or of the title of a group; empty for every package
            offset: how many packages to leave out at the beginning
            limit: how many packages to list at most, from 1 to 1000
        """
        return list_packages(forecasts, search, offset, limit)

    options: dict[str, Any] = {"concurrency_limit": None}
    api(forecast, api_name="forecast", **options)
    api(packages, api_name="packages", **options)


def answer(
    forecasts: Forecasts, package: str, days: int, now: dt.datetime, client: str = ""
) -> ForecastAnswer:
    """The response of ``/forecast``.

    Raises:
        gr.Error: if there is no such package, or days are out of range.
    """
    try:
        parsed = Package.parse(package)
    except ValueError as error:
        raise gr.Error(f"package {package!r:.60}: {error}", print_exception=False) from None
    _check_whole("days", days, 1, LONGEST_HORIZON)
    forecasts.store.wait(BUNDLE_TIMEOUT)
    try:
        made = forecasts.package_forecast(parsed, wait=LIVE_COUNTS_TIMEOUT, client=client)
        through = forecasts.known_through
        snapshot = forecasts.store.snapshot
        configured = forecasts.store.configured
        found = notices(snapshot.manifest, [made], now, configured, problem=snapshot.problem)
        found += unusual_weeks(forecasts.records.unusual, [made])
        return ForecastAnswer(
            **export.answer(made, days),
            known_through=through.isoformat() if through else None,
            warnings=[notice.text for notice in found],
        )
    except ForecastError as error:
        name = "" if parsed.label in str(error) else f"package {parsed.label!r}: "
        raise gr.Error(f"{name}{error}", print_exception=False) from None


def list_packages(
    forecasts: Forecasts, search: str, offset: int, limit: int
) -> list[PackageStatus]:
    """The response of ``/packages``: first the packages that begin with the text.

    Raises:
        gr.Error: if an argument is out of range.
    """
    if not isinstance(search, str) or len(search) > LONGEST_NAME:
        raise gr.Error(
            f"search is {search!r:.40}: expected at most {LONGEST_NAME} characters of a name",
            print_exception=False,
        )
    _check_whole("offset", offset, 0, MAX_OFFSET)
    _check_whole("limit", limit, 1, MAX_LIMIT)
    bundle = forecasts.store.wait(BUNDLE_TIMEOUT).bundle
    modelled = bundle.modelled if bundle and not bundle.manifest.outdated else {}
    found = []
    for package in forecasts.store.catalogue.matches(search)[offset : offset + limit]:
        entry = modelled.get(package.name)
        through = entry.trained_through if entry else None
        found.append(
            PackageStatus(
                package=package.name,
                status="ready" if entry else "no model yet",
                trained_through=through.isoformat() if through else None,
            )
        )
    return found


def _check_whole(name: str, value: Any, least: int, most: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise gr.Error(
            f"{name} is {value!r:.40}: expected a whole number from {least} to {most:,}",
            print_exception=False,
        )


def find_route(forecasts: Forecasts) -> Route:
    """Package names for a part of one, for the chooser: ``find?text=PART``."""

    def answer_find(request: Request) -> JSONResponse:
        text = request.query_params.get("text", "")
        records = forecasts.records
        with forecasts.computing.turn(client_of(request)):
            found = find_names(
                forecasts.store.catalogue, text, lambda name: records.unusual(name) is not None
            )
        return JSONResponse(found, headers=FIND_HEADERS)

    return Route("/find", answer_find)


def export_route(forecasts: Forecasts) -> Route:
    """A view as a file: ``export/NAME.csv?package=NAME``, ``.json``; ``compare`` adds packages."""

    def export_file(request: Request) -> Response:
        view = parse_view(dict(request.query_params))
        kind = request.path_params["file"].rpartition(".")[2]
        makers = {"csv": (export.to_csv, "text/csv"), "json": (export.to_json, "application/json")}
        if kind not in makers or not view.packages:
            return PlainTextResponse("expected export/NAME.csv?package=NAME, or .json", 404)
        make, media_type = makers[kind]
        try:
            text = make(
                [
                    forecasts.package_forecast(each, client=client_of(request))
                    for each in view.packages
                ]
            )
        except UnknownPackageError as error:
            return PlainTextResponse(str(error), 404)
        except BusyError as error:
            headers = {"Retry-After": str(int(error.retry_after) + 1)}
            return PlainTextResponse(str(error), 429, headers=headers)
        except ForecastError as error:
            return PlainTextResponse(str(error), 503)
        name = f"{view.packages[0].name}.{kind}"
        return Response(
            text,
            media_type=media_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return Route("/export/{file}", export_file)


def picture_route(forecasts: Forecasts) -> Route:
    """Pictures for other web pages: ``picture/NAME.svg`` and ``picture/NAME.badge.svg``.

    ``?theme=light`` and ``?theme=dark`` make one that does not follow the reader's setting.
    """

    def picture(request: Request) -> Response:
        forecasts.store.wait(BUNDLE_TIMEOUT)
        file = _file_name(request.path_params["file"])
        if is_made_up(forecasts, package_of(file)):
            return PlainTextResponse(MADE_UP, 404)
        data = picture_of(forecasts, file, client_of(request))
        if data is None:
            return PlainTextResponse(
                "expected picture/NAME.svg or picture/NAME.badge.svg of a package with a model", 404
            )
        theme = THEMES.get(request.query_params.get("theme", ""))
        data = themed(data, theme) if theme else data
        return Response(data, media_type="image/svg+xml", headers=PICTURE_HEADERS)

    return Route("/picture/{file}", picture)


def _file_name(asked: str) -> str:
    """The file of a picture, whatever the spelling of the package; as asked if it has none."""
    for end in PICTURES[::-1]:  # the longer one first
        if asked.lower().endswith(end):
            try:
                return f"{Package.parse(asked[: -len(end)]).name}{end}"
            except ValueError:
                return asked
    return asked
