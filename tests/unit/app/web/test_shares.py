"""What one visitor may hold while another one is there, by a clock that stands still."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from app.web.shares import AT_WORK, MINUTE, Neighbours, Turns
from tests.unit.app.loops import run

A, B = "198.51.100.7", "203.0.113.9"


class Clock:
    """Seconds that pass only when they are told to."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def neighbours(clock):
    return Neighbours(clock)


def test_a_visitor_alone_has_no_neighbours(neighbours):
    neighbours.note(A)
    assert not neighbours.has(A)
    assert neighbours.has(B)


def test_the_networks_of_a_site_are_no_neighbours(neighbours):
    neighbours.note("2001:db8:0:1::/64")
    assert not neighbours.has("2001:db8:0:2::/64")
    assert neighbours.has("2001:db8:0:100::/64")


def test_a_neighbour_is_forgotten_after_a_minute(neighbours, clock):
    neighbours.note(A)
    for clock.now in (1.0, MINUTE - 1.0):
        neighbours.note(B)
        assert neighbours.has(B)
    clock.now = MINUTE
    neighbours.note(B)
    assert not neighbours.has(B)


def test_calls_that_wait_for_counts_take_no_share_of_the_work(neighbours, clock):
    """Of three places, one is for what computes while another visitor is there."""
    queue: Any = SimpleNamespace(event_ids_to_events={})
    turns = Turns(3, 3, 1, 0.0, clock)

    def call(event):
        if not run(turns.take(A, queue, neighbours)):
            return False
        queue.event_ids_to_events[event] = None
        turns.give(A, json.dumps({"event_id": event}).encode())
        return True

    neighbours.note(A)
    neighbours.note(B)
    assert [call("1"), call("2")] == [True, False]
    clock.now += AT_WORK
    assert [call("2"), call("3")] == [True, False]
    clock.now += AT_WORK
    assert [call("3"), call("4")] == [True, False]
    clock.now += AT_WORK
    assert not call("4"), "three are waiting"
    queue.event_ids_to_events.clear()
    clock.now += MINUTE
    neighbours.note(A)  # who is alone by now
    assert [call(f"more {number}") for number in range(4)] == [True] * 3 + [False]
