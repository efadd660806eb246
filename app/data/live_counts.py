"""Days counted since training, asked of PyPI Stats at most once a package a UTC day."""

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

MOST_WAITING = 100  # packages in the queue; two seconds each is patience enough
MOST_KEPT = 2_000  # packages; a series has a few kB
LOADED = dt.time(1, 30)  # UTC; yesterday's counts are loaded from 01:00 on


@dataclass(frozen=True)
class Counts:
    """What PyPI Stats said last.

    Attributes:
        series: the newest counts that came; None before any did.
        problem: why none came at the last attempt; empty if they did.
    """

    series: pd.Series[int] | None = None
    problem: str = ""


@dataclass
class _Asked:
    """The attempts for one package; changed under the owner's lock alone."""

    day: dt.date
    counts: Counts
    done: threading.Event = field(default_factory=threading.Event)


class LiveCounts:
    """Fetches in one background thread, so that visitors never wait in line for each other.

    Args:
        fetch: gives a package's counts, or raises a ForecastError.
        clock: the present moment, UTC.
    """

    def __init__(
        self, fetch: Callable[[str], pd.Series[int]], clock: Callable[[], dt.datetime]
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._waiting: queue.Queue[tuple[str, _Asked]] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def counts(self, name: str, wait: float = 0.0) -> Counts:
        """What is known of a package, after waiting for an answer that is on its way.

        Never raises: a failure is part of what is known, and is remembered for the day.
        """
        asked = self._ask(name)
        asked.done.wait(wait)
        return asked.counts

    def pending(self, name: str) -> bool:
        """Whether an answer is due today and has not come yet."""
        return not self._ask(name).done.is_set()

    def _ask(self, name: str) -> _Asked:
        now = self._clock()
        with self._lock:
            asked = self._asked.get(name)
            if asked is not None and not _is_due(asked.day, now):
                self._asked.move_to_end(name)
                return asked
            asked = _Asked(now.date(), asked.counts if asked else Counts())
            try:
                self._waiting.put_nowait((name, asked))
            except queue.Full:
                # Not remembered: there may be room when the next visitor comes.
                asked.done.set()
                return asked
            self._asked[name] = asked
            self._asked.move_to_end(name)
            while len(self._asked) > MOST_KEPT:
                self._asked.popitem(last=False)
            self._start()
            return asked

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="newer-days", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            name, asked = self._waiting.get()
            asked.counts = self._answer(name, asked.counts.series)
            asked.done.set()

    def _answer(self, name: str, before: pd.Series[int] | None) -> Counts:
        try:
            return Counts(self._fetch(name))
        except ForecastError as error:
            log.warning("no newer days of %s: %s", name, error)
            return Counts(before, str(error))
        except Exception as error:  # the thread serves everybody: it must go on
            log.exception("fetching the newer days of %s failed", name)
            return Counts(before, f"Fetching its newer days failed ({type(error).__name__}).")


def _is_due(last: dt.date, now: dt.datetime) -> bool:
    """Whether to ask again: on another day, once yesterday's counts are there."""
    return now.date() != last and now.time() >= LOADED
