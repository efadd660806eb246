"""Days counted since training, fetched at most once per package and load of PyPI Stats."""

from __future__ import annotations

import datetime as dt
import logging
import queue
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forecast.errors import ForecastError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

log = logging.getLogger(__name__)

QUEUE_SIZE = 100  # packages; each takes some two seconds
CACHE_SIZE = 2_000  # packages; a series has a few kB
PUBLISHED = dt.timedelta(hours=1, minutes=30)  # UTC; yesterday's counts are loaded from 01:00 on


@dataclass(frozen=True, eq=False)
class Counts:
    """The newest response of PyPI Stats; equal only to itself.

    Attributes:
        series: the newest counts received; None before any.
        problem: why the last request failed; empty if it did not.
    """

    series: pd.Series[int] | None = None
    problem: str = ""


@dataclass
class _Request:
    """A request for one package after a load; ``done`` is set when ``counts`` holds its result."""

    load: dt.date
    counts: Counts
    done: threading.Event = field(default_factory=threading.Event)


class LiveCounts:
    """Fetches in one background thread, so that no page has to wait for another's request.

    Args:
        fetch: returns a package's counts, or raises a ForecastError.
        clock: the current time, UTC.

    Attributes:
        through: the last day in any counts so far; None before any.
    """

    def __init__(
        self, fetch: Callable[[str], pd.Series[int]], clock: Callable[[], dt.datetime]
    ) -> None:
        self.through: dt.date | None = None
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: OrderedDict[str, _Request] = OrderedDict()
        self._queue: queue.Queue[tuple[str, _Request]] = queue.Queue(QUEUE_SIZE)
        self._thread: threading.Thread | None = None

    def today(self) -> dt.date:
        """The present day, UTC."""
        return self._clock().date()

    def counts(self, name: str, wait: float = 0.0) -> Counts:
        """The known counts of a package.

        Never raises: a failure is part of the result, and is remembered until the next load.

        Args:
            name: normalised name of the package.
            wait: seconds to wait for a request under way.
        """
        request = self._request(name)
        request.done.wait(wait)
        return request.counts

    def pending(self, name: str) -> bool:
        """Whether a request is under way."""
        return not self._request(name).done.is_set()

    def _request(self, name: str) -> _Request:
        load = last_load(self._clock())
        with self._lock:
            request = self._requests.get(name)
            if request is not None and request.load == load:
                self._requests.move_to_end(name)
                return request
            request = _Request(load, request.counts if request else Counts())
            try:
                self._queue.put_nowait((name, request))
            except queue.Full:
                # Not remembered, so that the next call tries again.
                request.done.set()
                return request
            self._requests[name] = request
            self._requests.move_to_end(name)
            while len(self._requests) > CACHE_SIZE:
                self._requests.popitem(last=False)
            self._start()
            return request

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="newer-days", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            name, request = self._queue.get()
            request.counts = self._fetched(name, request.counts.series)
            request.done.set()

    def _fetched(self, name: str, before: pd.Series[int] | None) -> Counts:
        try:
            series = self._fetch(name)
            last = series.index[-1].date()
            self.through = max(self.through or last, last)
            return Counts(series)
        except ForecastError as error:
            log.warning("no newer days of %s: %s", name, error)
            return Counts(before, str(error))
        except Exception as error:  # the thread serves all packages: it must go on
            log.exception("fetching the newer days of %s failed", name)
            return Counts(before, f"Fetching its newer days failed ({type(error).__name__}).")


def last_load(now: dt.datetime) -> dt.date:
    """The day of the last nightly load of PyPI Stats, after which it has nothing newer."""
    return (now - PUBLISHED).date()
