"""Rate limits for expensive requests, by client and for all clients together."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from functools import lru_cache
from typing import TYPE_CHECKING

from forecast.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CLIENTS = 10_000  # remembered; a forgotten client starts from zero
IPV6_PREFIX = 64  # bits; a household has a whole network of this size
IPV6_SITE = 56  # bits; many households have 256 such networks
MOST_KEYS = 256  # that are remembered; addresses may be long
SITE_SHARE = 2  # times the share of one client, for all clients of a site


class RateLimit:
    """A sliding window over the requests of each client, and over those of all.

    Args:
        per_client: requests that one client may make in a window; a site may make twice as many.
        total: requests that all clients may make in a window; None for no limit.
        seconds: length of the window.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        per_client: int,
        total: int | None,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_client = per_client
        self._total = total
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._all: deque[float] = deque()
        self._clients: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count one request.

        Raises:
            BusyError: if it exceeds a limit; a refused request is not counted.
        """
        now = self._clock()
        with self._lock:
            limits = {site_key(client): SITE_SHARE * self._per_client, client: self._per_client}
            for key, limit in limits.items():
                self._refuse_if_full(self._taken(key), limit, now, "you have")
            if self._total is not None:
                self._refuse_if_full(self._all, self._total, now, "all visitors together have")
                self._all.append(now)
            for key in limits:
                self._taken(key).append(now)

    def _taken(self, key: str) -> deque[float]:
        """When a client or a site made its requests; the one that is idle longest is forgotten."""
        taken = self._clients.setdefault(key, deque())
        self._clients.move_to_end(key)
        while len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        return taken

    def give_back(self, client: str) -> None:
        """Take the client's last request as not made."""
        with self._lock:
            for taken in (self._all, *map(self._clients.get, {site_key(client), client})):
                if taken:
                    taken.pop()

    def _refuse_if_full(self, taken: deque[float], limit: int, now: float, who: str) -> None:
        while taken and taken[0] <= now - self._seconds:
            taken.popleft()
        if len(taken) < limit:
            return
        left = taken[0] + self._seconds - now
        raise BusyError(
            f"{who} reached the limit of {limit} in {_span(self._seconds)}; "
            f"try again in {_span(left)}",
            retry_after=left,
        )


@lru_cache(maxsize=MOST_KEYS)
def client_key(address: str | None) -> str:
    """What an address is counted as: itself, or the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""  # unknown addresses count as one client
    if parsed.version == 6:  # noqa: PLR2004 - its name
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), IPV6_PREFIX), strict=False))
    return str(parsed)


@lru_cache(maxsize=MOST_KEYS)
def site_key(client: str) -> str:
    """The site of a client: the /56 network of an IPv6 network; any other client is its own."""
    try:
        network = ipaddress.ip_network(client)
    except ValueError:
        return client
    if network.version == 4:  # noqa: PLR2004 - its name
        return client
    return str(network.supernet(new_prefix=IPV6_SITE))


def _span(seconds: float) -> str:
    minutes = -(-int(seconds) // 60)
    if minutes <= 1:
        return "a minute"
    return "an hour" if minutes == 60 else f"{minutes} minutes"  # noqa: PLR2004
