"""Visitors compute one at a time, by turns."""

import threading
import time

import pytest

from app.data.computing import Computing

A, B, C = "198.51.100.7", "203.0.113.9", "2001:db8:0:1::/64"


def wait_for(computing, waiting):
    until = time.monotonic() + 10
    while sum(map(len, computing._waiting.values())) < waiting:
        assert time.monotonic() < until
        time.sleep(0.001)


def order_of(clients):
    """Who computes when, if all come in this order while the first one still computes."""
    computing, order = Computing(), []

    def compute(client):
        with computing.turn(client):
            order.append(client)

    threads = [threading.Thread(target=compute, args=[client]) for client in clients]
    with computing.turn("first"):
        for at, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(computing, at)
        assert order == []
    for thread in threads:
        thread.join(10)
    return order


def test_a_visitor_waits_for_one_computation_of_another():
    assert order_of([A, A, A, A, B, C, B]) == [A, B, C, A, B, A, A]


def test_the_networks_of_a_site_have_one_turn():
    household = [f"2001:db8:0:{number}::/64" for number in range(3)]
    assert order_of([*household, B]) == [household[0], B, *household[1:]]


def test_a_computation_that_fails_lets_the_next_one_go_on():
    computing = Computing()
    with pytest.raises(ValueError, match="x"), computing.turn(A):
        raise ValueError("x")
    with computing.turn(A):
        pass
