"""When to retry a request for counts after a temporary failure."""

from __future__ import annotations

import re
from dataclasses import dataclass

import tenacity

from forecast.errors import DownloadsError


class TransientError(DownloadsError):
    """A failure that a later retry may not meet.

    ``retry_after`` is the number of seconds that the server asked to wait, 0.0 if none.
    """

    def __init__(
        self, message: str, *, rate_limited: bool = False, retry_after: float = 0.0
    ) -> None:
        super().__init__(message)
        self.rate_limited = rate_limited
        self.retry_after = retry_after


class UnavailableError(DownloadsError):
    """The source did not answer, or refused, although it was asked again and again."""


@dataclass(frozen=True)
class RetryPolicy:
    """When to retry, with exponential backoff; tenacity calls its methods.

    Attributes:
        attempts: calls for one package, the first included.
        rate_limit_wait: seconds before the second call after a rate limit; doubles from there.
        failure_wait: seconds before the second call after another failure; doubles from there.
        jitter: up to this many random seconds are added to each wait.
        max_wait: bound of a single wait without its jitter, Retry-After included.
        max_total: seconds after which no wait may end.
        max_queue: longest wait, in seconds, for a turn among the spaced calls.
    """

    attempts: int = 6
    rate_limit_wait: float = 60.0
    failure_wait: float = 5.0
    jitter: float = 15.0
    max_wait: float = 240.0
    max_total: float = 900.0
    max_queue: float = 900.0

    def next_wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next call; tenacity's ``wait``."""
        error = state.outcome.exception() if state.outcome else None
        rate_limited = isinstance(error, TransientError) and error.rate_limited
        retry_after = error.retry_after if isinstance(error, TransientError) else 0.0
        first = self.rate_limit_wait if rate_limited else self.failure_wait
        backoff = first * 2.0 ** (state.attempt_number - 1)
        # Jitter comes last, or clients that reach the bound would all return together.
        wait = min(max(backoff, retry_after), self.max_wait)
        return wait + float(tenacity.wait_random(0, self.jitter)(state))

    def is_over(self, state: tenacity.RetryCallState) -> bool:
        """Whether no further call follows; tenacity's ``stop``."""
        spent = max(state.seconds_since_start or 0.0, state.idle_for)
        out_of_time = spent + state.upcoming_sleep > self.max_total
        return state.attempt_number >= self.attempts or out_of_time


def seconds_of(retry_after: str | None) -> float:
    """Seconds in a Retry-After header; 0.0 if it is missing, a date or malformed."""
    if retry_after is None or not re.fullmatch(r"\s*[0-9]{1,9}\s*", retry_after, re.ASCII):
        return 0.0
    return float(retry_after)
