"""How much of what is dear one visitor may ask for, and all visitors together."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from forecast.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEPT = 10_000  # visitors remembered; whoever is forgotten begins anew
NETWORK = 64  # bits of an IPv6 address that one household has to itself


class Allowance:
    """A moving window of seconds: so many for each visitor, and so many in all.

    Args:
        each: how often one visitor may.
        everybody: how often all of them may; None for no bound.
        seconds: the length of the window.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        each: int,
        everybody: int | None,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each = each
        self._everybody = everybody
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._all: deque[float] = deque()
        self._visitors: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, visitor: str) -> None:
        """Count one more.

        Raises:
            BusyError: if that is one too many; it says when there is room again.
        """
        now = self._clock()
        with self._lock:
            own = self._visitors.setdefault(visitor, deque())
            self._visitors.move_to_end(visitor)
            while len(self._visitors) > MOST_KEPT:
                self._visitors.popitem(last=False)
            self._refuse_if_full(own, self._each, now, "you have")
            if self._everybody is not None:
                self._refuse_if_full(self._all, self._everybody, now, "all visitors together have")
                self._all.append(now)
            own.append(now)

    def _refuse_if_full(self, taken: deque[float], most: int, now: float, who: str) -> None:
        while taken and taken[0] <= now - self._seconds:
            taken.popleft()
        if len(taken) < most:
            return
        left = taken[0] + self._seconds - now
        raise BusyError(
            f"{who} asked for {most} within {_span(self._seconds)}, which is the most; "
            f"come back in {_span(left)}",
            retry_after=left,
        )


def visitor_of(address: str | None) -> str:
    """Whom an address stands for: itself, or the network that an IPv6 address is one of."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""  # nobody knows: those are one visitor
    if parsed.version == 6:  # noqa: PLR2004 - its name
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), NETWORK), strict=False))
    return str(parsed)


def _span(seconds: float) -> str:
    minutes = -(-int(seconds) // 60)
    if minutes <= 1:
        return "a minute"
    return "an hour" if minutes == 60 else f"{minutes} minutes"  # noqa: PLR2004
