"""How good the forecasts were, for programs: ``/record``, ``/feed.xml`` and ``/badge/NAME.json``.

No ``from __future__ import annotations`` here: gradio makes schemas of the annotations.
"""

from contextlib import suppress

import gradio as gr
from gradio.events import api
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.data.forecasts import BUNDLE_TIMEOUT, Forecasts
from app.data.records import Recorded
from app.view.state import address_of
from app.web.first import HOST
from app.web.guard import client_of
from app.web.pictures import MADE_UP, is_made_up
from forecast.config import Package
from forecast.errors import ForecastError
from forecast.presentation.badge import shields_badge
from forecast.presentation.feed import MEDIA_TYPE, feed
from forecast.presentation.record import RecordAnswer, record_answer

HEADERS = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
NO_BUNDLE = "There are no models yet; try again later."


def add_record(forecasts: Forecasts) -> None:
    """Add ``/record``, which is also an MCP tool, to the current Blocks."""

    def record() -> RecordAnswer:
        """How good earlier forecasts of all packages were, and whose last week was unusual."""
        recorded, problem = recorded_now(forecasts)
        if recorded is None:
            raise gr.Error(problem, print_exception=False)
        return record_answer(recorded.record, recorded.last)

    api(record, api_name="record", concurrency_limit=None)


def record_route(forecasts: Forecasts) -> Route:
    """The same by one request: ``record``."""

    def answer_record(_request: Request) -> Response:
        recorded, problem = recorded_now(forecasts)
        if recorded is None:
            return PlainTextResponse(problem, 503)
        return JSONResponse(record_answer(recorded.record, recorded.last), headers=HEADERS)

    return Route("/record", answer_record)


def recorded_now(forecasts: Forecasts) -> tuple[Recorded | None, str]:
    """The record of the bundle in use, and why there is none."""
    snapshot = forecasts.store.wait(BUNDLE_TIMEOUT)
    return forecasts.records.current(), snapshot.problem or NO_BUNDLE


def feed_route(forecasts: Forecasts) -> Route:
    """An Atom feed of unusual weeks: ``feed.xml``."""

    def answer_feed(request: Request) -> Response:
        recorded, problem = recorded_now(forecasts)
        if recorded is None:
            return PlainTextResponse(problem, 503)
        manifest = recorded.bundle.manifest
        # A client may send any host: only one that is one stands in a link.
        known = HOST.fullmatch(request.headers.get("host", ""))
        data = feed(
            recorded.weeks,
            manifest.labels,
            config=forecasts.store.config,
            updated=manifest.created_at,
            page=str(request.base_url) if known else "",
            folder=address_of,
            itself=str(request.url.replace(query="")) if known else "",
        )
        return Response(data, media_type=MEDIA_TYPE, headers=HEADERS)

    return Route("/feed.xml", answer_feed)


def badge_route(forecasts: Forecasts) -> Route:
    """Badges for shields.io: ``badge/NAME.json``."""

    def badge(request: Request) -> Response:
        bundle = forecasts.store.wait(BUNDLE_TIMEOUT).bundle
        try:
            package = Package.parse(request.path_params["name"])
        except ValueError:
            package = Package("", "")
        if is_made_up(forecasts, package.name):
            return PlainTextResponse(MADE_UP, 404)
        days = bundle.manifest.forecast_days if bundle else 0
        total = bundle.totals(package.name).get(days) if bundle else None
        if bundle is None or total is None:
            return PlainTextResponse("expected badge/NAME.json of a package with a model", 404)
        stopped = bundle.entry(package.name).no_counts_since
        with suppress(ForecastError):
            if renewed := forecasts.renewed(package, client_of(request)):
                total, stopped = renewed.total or total, renewed.no_counts_since
        made = shields_badge(total, days, stopped)
        return JSONResponse(made, headers=HEADERS)

    return Route("/badge/{name}.json", badge)
