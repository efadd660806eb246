"""How long to go on asking a source of counts that refuses or fails for now."""

from __future__ import annotations

import re
from dataclasses import dataclass

import tenacity

from forecast.errors import DownloadsError


class TransientError(DownloadsError):
    """A failure that may be gone after a while."""

    def __init__(self, message: str, *, refused: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.refused = refused
        self.retry_after = retry_after


@dataclass(frozen=True)
class RetryPolicy:
    """How long to go on asking when a source refuses or fails, as tenacity asks it.

    Attributes:
        attempts: Calls for one package, the first included.
        refused: Seconds before the second call after a 429; doubles from there.
        failed: Seconds before the second call after any other failure; doubles.
        jitter: Up to this many seconds more, by chance, before each.
        longest: No single wait is longer, Retry-After or not.
        total: A wait that would end after this many seconds is not begun.
        queue: Nor is one this long for a turn among the spaced calls.
    """

    attempts: int = 6
    refused: float = 60.0
    failed: float = 5.0
    jitter: float = 15.0
    longest: float = 240.0
    total: float = 900.0
    queue: float = 900.0

    def next_wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next call; tenacity's ``wait``."""
        error = state.outcome.exception() if state.outcome else None
        refused = isinstance(error, TransientError) and error.refused
        asked_for = error.retry_after if isinstance(error, TransientError) else 0.0
        first = self.refused if refused else self.failed
        grown = first * 2.0 ** (state.attempt_number - 1)
        # Jitter comes last, or clients that reach the cap would all return together.
        wait = min(max(grown, asked_for), self.longest)
        return wait + float(tenacity.wait_random(0, self.jitter)(state))

    def is_over(self, state: tenacity.RetryCallState) -> bool:
        """Whether no further call follows; tenacity's ``stop``."""
        spent = max(state.seconds_since_start or 0.0, state.idle_for)
        return state.attempt_number >= self.attempts or spent + state.upcoming_sleep > self.total


def seconds_of(retry_after: str | None) -> float:
    """A Retry-After in seconds; 0 for none, for a date and for nonsense."""
    if retry_after is None or not re.fullmatch(r"\s*[0-9]{1,9}\s*", retry_after, re.ASCII):
        return 0.0
    return float(retry_after)
