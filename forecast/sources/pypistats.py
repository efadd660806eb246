"""Daily download counts from PyPI Stats.

PyPI Stats allows an address 30 calls a minute and 5 a second of a route, and answers any further
call with 429, without Retry-After or JSON. Hosted runners share addresses, so even a first
call can be over the limit. Hence the spacing, and the long first wait.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin

import tenacity

from forecast.errors import DownloadsError, UnknownPackageError
from forecast.http import (
    ExchangeError,
    Limits,
    Reply,
    TooLargeError,
    fetch,
    url_origin,
)
from forecast.sources.pypistats_answer import read_answer
from forecast.sources.retry import RetryPolicy, TransientError, UnavailableError, seconds_of
from forecast.sources.source import OneByOne
from forecast.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd
    import requests

API = "https://pypistats.org/api"

_MAX_BYTES = 2 << 20
_MAX_REDIRECTS = 2
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_FOUND = 404
_TOO_MANY = 429
_SERVER_FAULT = 500
_OK = 200


RETRY = RetryPolicy()
# For a waiting visitor: one quick retry. A rate limit takes too long to wait for.
INTERACTIVE_RETRY = RetryPolicy(
    attempts=2, failure_wait=0.5, jitter=0.5, max_total=5.0, max_queue=20.0
)


class _Spacing:
    """Lets the calls of all threads start at least ``interval`` seconds apart."""

    def __init__(
        self, interval: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = clock()

    def wait(self, most: float) -> bool:
        """Wait for this caller's turn; False, at once, if it is over ``most`` seconds away."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            if turn - now > most:
                return False
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
        return True

    def hold(self, seconds: float) -> None:
        """Delay the next turn of every thread: the limit is for the whole address."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


class PyPIStats(OneByOne):
    """A source that asks PyPI Stats; threads may share it.

    Args:
        session: Sends the calls; see :func:`forecast.http.new_session`.
        url: The API's address.
        mirrors: Whether the counts include mirrors' downloads.
        interval: Seconds between two calls. A little over two keeps the thirty-first call
            out of the minute even if the network delays some calls.
        timeout: Seconds to connect, and between two reads.
        total_timeout: Seconds for one whole call.
        retry: When to ask again after a failure.
        today: The present day, UTC; if given, later days are refused.
        sleep: Waits.
        clock: Monotonic seconds.
    """

    kind: Final = "pypistats"

    def __init__(
        self,
        session: requests.Session,
        *,
        url: str = API,
        mirrors: bool = True,
        interval: float = 2.1,
        timeout: tuple[float, float] = (5.0, 30.0),
        total_timeout: float = 60.0,
        retry: RetryPolicy = RETRY,
        today: Callable[[], date] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._mirrors = mirrors
        self._limits = Limits(timeout[0], timeout[1], total_timeout, _MAX_BYTES)
        self._retry = retry
        self._today = today
        self._sleep = sleep
        self._spacing = _Spacing(interval, clock, sleep)

    def daily(self, name: str) -> pd.Series[int]:
        """The package's downloads by day.

        Args:
            name: The package; a normalised name.

        Returns:
            Counts as int64, called "downloads", by ascending days called "date". A day
            that PyPI Stats does not have is not there.

        Raises:
            UnknownPackageError: PyPI Stats has no such package.
            DownloadsError: It could not be reached, or its answer is not usable.
        """
        attempts = tenacity.Retrying(
            sleep=self._sleep,
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=self._retry.next_wait,
            stop=self._retry.is_over,
            before_sleep=self._delay_others,
            reraise=True,
        )
        try:
            return attempts(self._ask, name)
        except TransientError as error:
            tried = attempts.statistics.get("attempt_number", 1)
            raise UnavailableError(
                f"{error} {_advice(error)} (Asked {tried} time{'s' if tried > 1 else ''}.)"
            ) from error

    def reachable(self, timeout: float = 5.0) -> bool:
        """Whether PyPI Stats can be reached: any HTTP answer within ``timeout`` will do.

        Name resolution has no timeout, so the probe runs in its own thread, which is
        abandoned if it hangs.
        """
        limits = Limits(timeout, timeout, timeout, _MAX_BYTES)
        answered = threading.Event()
        done = threading.Event()

        def probe() -> None:
            try:
                fetch(self._session, self._url, limits=limits)
            except TooLargeError:
                answered.set()
            except ExchangeError:
                pass
            else:
                answered.set()
            finally:
                done.set()

        threading.Thread(target=probe, name="pypistats-probe", daemon=True).start()
        done.wait(timeout)
        return answered.is_set()

    def _ask(self, name: str) -> pd.Series[int]:
        reply = self._fetch(name)
        if reply.status == _NOT_FOUND:
            raise UnknownPackageError(
                f"PyPI Stats has no counts of a package called {excerpt(name)}: check its "
                "spelling in config.toml, or wait a day or two if it is new on PyPI."
            )
        if reply.status == _TOO_MANY:
            raise TransientError(
                f"PyPI Stats was asked for {excerpt(name)} and refused: too many calls from "
                "this address (429).",
                rate_limited=True,
                retry_after=seconds_of(reply.headers.get("Retry-After")),
            )
        if reply.status >= _SERVER_FAULT:
            raise TransientError(
                f"PyPI Stats was asked for {excerpt(name)} and failed with status "
                f"{reply.status}: {excerpt(reply.body)}.",
                retry_after=seconds_of(reply.headers.get("Retry-After")),
            )
        if reply.status != _OK:
            raise DownloadsError(
                f"PyPI Stats was asked for {excerpt(name)} and should have answered 200; it "
                f"answered {reply.status}: {excerpt(reply.body)}. See whether {self._url} is "
                "still its API (PYPISTATS_URL)."
            )
        today = self._today() if self._today else None
        return read_answer(reply.body, name, mirrors=self._mirrors, today=today)

    def _fetch(self, name: str) -> Reply:
        """One call; redirects are followed on the same scheme, host and port only."""
        flag = "true" if self._mirrors else "false"
        url = f"{self._url}/packages/{quote(name, safe='')}/overall?mirrors={flag}"
        for _ in range(_MAX_REDIRECTS + 1):
            if not self._spacing.wait(self._retry.max_queue):
                raise DownloadsError(
                    f"PyPI Stats was not asked for {excerpt(name)}: it is being asked as often as "
                    "it allows already. Try again in a minute."
                )
            try:
                reply = fetch(
                    self._session,
                    url,
                    headers={"Accept": "application/json"},
                    limits=self._limits,
                )
            except TooLargeError as error:
                raise DownloadsError(
                    f"PyPI Stats' counts of {excerpt(name)} should fit into a few kB, but "
                    f"{error}: see whether {self._url} is PyPI Stats (PYPISTATS_URL)."
                ) from None
            except ExchangeError as error:
                raise TransientError(
                    f"PyPI Stats was asked for {excerpt(name)} and did not answer: {error}."
                ) from None
            if reply.status not in _REDIRECTS:
                return reply
            url = self._redirected(url, reply.headers.get("Location"))
        raise DownloadsError(
            f"PyPI Stats redirects in a loop when asked for {excerpt(name)}: set "
            "PYPISTATS_URL to where its API is now."
        )

    def _redirected(self, url: str, location: str | None) -> str:
        try:
            target = urljoin(url, location or "")
        except ValueError:
            target = ""
        if not location or url_origin(target) is None or url_origin(target) != url_origin(url):
            raise DownloadsError(
                f"PyPI Stats at {self._url} should answer itself, but sends on to "
                f"{excerpt(location)}, which is not followed: if its API has moved there, set "
                "PYPISTATS_URL."
            )
        return target

    def _delay_others(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientError) and error.rate_limited:
            self._spacing.hold(state.upcoming_sleep)


def _advice(error: TransientError) -> str:
    if error.rate_limited:
        return "Try again in a few minutes, and at most once a day for a package."
    return "Try again later; https://pypistats.org tells whether it is down."
