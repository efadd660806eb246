"""When a call is repeated, and after how long."""

from __future__ import annotations

import pytest
import tenacity

from forecast.errors import DownloadsError
from forecast.sources.retry import RetryPolicy, TransientError, seconds_of

POLICY = RetryPolicy(
    attempts=4, rate_limit_wait=60.0, failure_wait=5.0, jitter=0.0, max_wait=200.0, max_total=300.0
)
RATE_LIMIT = TransientError("429", rate_limited=True)
FAILURE = TransientError("500")


def state(error, attempt=1, *, slept=0.0, ahead=0.0):
    retrying = tenacity.Retrying()
    made = tenacity.RetryCallState(retrying, None, (), {})
    made.attempt_number = attempt
    made.idle_for = slept
    made.upcoming_sleep = ahead
    made.set_exception((type(error), error, None))
    made.outcome_timestamp = made.start_time
    return made


@pytest.mark.parametrize(
    ("error", "attempt", "seconds"),
    [
        (RATE_LIMIT, 1, 60.0),
        (RATE_LIMIT, 2, 120.0),
        (RATE_LIMIT, 3, 200.0),
        (FAILURE, 1, 5.0),
        (FAILURE, 2, 10.0),
        (FAILURE, 3, 20.0),
        (DownloadsError("other"), 1, 5.0),
        (TransientError("503", retry_after=30.0), 1, 30.0),
        (TransientError("503", retry_after=4.0), 1, 5.0),
        (TransientError("503", retry_after=3600.0), 1, 200.0),
        (TransientError("429", rate_limited=True, retry_after=30.0), 1, 60.0),
    ],
)
def test_the_wait_doubles_within_its_bound(error, attempt, seconds):
    assert POLICY.next_wait(state(error, attempt)) == seconds


def test_jitter_is_added_to_the_bound():
    policy = RetryPolicy(jitter=15.0, max_wait=240.0)
    waits = [policy.next_wait(state(RATE_LIMIT, 9)) for _ in range(50)]
    assert all(240.0 <= wait <= 255.0 for wait in waits)
    assert len(set(waits)) > 1


@pytest.mark.parametrize(("attempt", "over"), [(3, False), (4, True), (5, True)])
def test_so_many_calls_are_made(attempt, over):
    assert POLICY.is_over(state(FAILURE, attempt)) is over


@pytest.mark.parametrize(("slept", "ahead", "over"), [(200, 100, False), (200, 100.5, True)])
def test_a_wait_that_ends_after_the_total_is_not_begun(slept, ahead, over):
    assert POLICY.is_over(state(FAILURE, 2, slept=slept, ahead=ahead)) is over


@pytest.mark.parametrize("seconds", [249.0, 251.0])
def test_time_in_calls_counts_as_well(seconds):
    spent = state(FAILURE, 2, slept=10.0, ahead=50.0)
    spent.outcome_timestamp = spent.start_time + seconds
    assert POLICY.is_over(spent) is (seconds + 50.0 > 300.0)


def test_the_usual_policy_waits_a_minute_for_a_rate_limit_and_a_quarter_of_an_hour_in_all():
    usual = RetryPolicy()
    assert (usual.attempts, usual.rate_limit_wait, usual.failure_wait) == (6, 60.0, 5.0)
    assert (usual.jitter, usual.max_wait, usual.max_total, usual.max_queue) == (15, 240, 900, 900)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("999999999", 999999999.0),
        ("9999999999", 0.0),
        ("١٢", 0.0),
        ("Fri, 27 Nov 2026 07:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_in_seconds(header, seconds):
    assert seconds_of(header) == seconds
