"""Cards for previews of links: ``picture/NAME.png``, drawn when asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.data.rate_limits import RateLimit
from app.web.guard import client_of
from app.web.pictures import MADE_UP, is_made_up
from forecast.config import Package
from forecast.document.card import Painter, card_of
from forecast.errors import BusyError, ForecastError

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.data.forecasts import Forecasts
    from forecast.presentation.package_forecast import PackageForecast

CACHE_SIZE = 200  # cards; each has some 30 kB
PER_CLIENT, TOTAL, MINUTE = 30, 120, 60.0  # cards drawn; each takes some 50 ms
HEADERS = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
EXPECTED = "expected picture/NAME.png of a package that has a forecast"


class Cards:
    """Draws cards, each once for a forecast.

    Args:
        forecasts: of all packages.
    """

    def __init__(self, forecasts: Forecasts) -> None:
        self._forecasts = forecasts
        self._drawn: OrderedDict[str, tuple[PackageForecast, bytes]] = OrderedDict()
        self._lock = threading.Lock()
        self._limit = RateLimit(PER_CLIENT, TOTAL, MINUTE)

    def png(self, package: Package, client: str) -> bytes | None:
        """The card of a package; None if it has no forecast yet: none is trained for a card.

        Raises:
            BusyError: if a limit is reached.
            ForecastError: if the package's files cannot be used.
        """
        if not self._forecasts.is_ready(package):
            return None
        forecast = self._forecasts.package_forecast(package)
        with self._lock:
            known = self._drawn.get(package.name)
        if known and known[0] is forecast:
            return known[1]
        self._limit.take(client)
        png = Painter().draw(card_of(forecast))
        with self._lock:
            self._drawn[package.name] = forecast, png
            while len(self._drawn) > CACHE_SIZE:
                self._drawn.popitem(last=False)
        return png


def card_route(forecasts: Forecasts) -> Route:
    """The address of the cards."""
    cards = Cards(forecasts)

    def card(request: Request) -> Response:
        try:
            package = Package.parse(request.path_params["name"])
            if is_made_up(forecasts, package.name):
                return PlainTextResponse(MADE_UP, 404)
            png = cards.png(package, client_of(request))
        except ValueError:
            return PlainTextResponse(EXPECTED, 404)
        except BusyError as error:
            headers = {"Retry-After": str(int(error.retry_after) + 1)}
            return PlainTextResponse(str(error), 429, headers=headers)
        except ForecastError as error:
            return PlainTextResponse(str(error), 503)
        if png is None:
            return PlainTextResponse(EXPECTED, 404)
        return Response(png, media_type="image/png", headers=HEADERS)

    return Route("/picture/{name}.png", card)
