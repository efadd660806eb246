"""Waiting for what another thread or process does, and never without end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WITHIN = 60.0  # seconds, on a busy machine
EVERY = 0.01  # seconds


def until(holds: Callable[[], object], what: object = "it") -> None:
    """Wait until something holds.

    An event and not ``time.sleep``: a test may have put a clock of its own in its place.
    """
    tick = threading.Event()
    for _ in range(int(WITHIN / EVERY)):
        if holds():
            return
        tick.wait(EVERY)
    raise AssertionError(f"{what}: not within {WITHIN:.0f} s")
