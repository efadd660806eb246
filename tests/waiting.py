"""Waits for another thread or process, always with a timeout."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WITHIN = 60.0  # seconds, on a busy machine
EVERY = 0.01  # seconds


def until(holds: Callable[[], object], what: object = "it") -> None:
    """Wait until a condition holds.

    By an event and not ``time.sleep``, which a test may have replaced.
    """
    tick = threading.Event()
    for _ in range(int(WITHIN / EVERY)):
        if holds():
            return
        tick.wait(EVERY)
    raise AssertionError(f"{what}: not within {WITHIN:.0f} s")
