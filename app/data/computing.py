"""One computation at a time, by turns of the visitors."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.data.rate_limits import site_key

if TYPE_CHECKING:
    from collections.abc import Iterator


class Computing:
    """Lets one thread compute at a time; the sites that wait take turns.

    Python runs one thread at a time anyway, and switches between all that compute. So a visitor
    who asks for many drawings would slow down everybody's; by turns, each waits for one of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: OrderedDict[str, deque[threading.Event]] = OrderedDict()

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """Compute in this block, which must not wait for anything else.

        Args:
            client: for whom; see :func:`app.data.rate_limits.client_key`.
        """
        come = threading.Event()
        with self._lock:
            if self._busy:
                self._waiting.setdefault(site_key(client), deque()).append(come)
            else:
                self._busy = True
                come.set()
        come.wait()
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Let the first one of the next site go on."""
        with self._lock:
            self._busy = bool(self._waiting)
            if not self._busy:
                return
            site, events = self._waiting.popitem(last=False)
            events.popleft().set()
            if events:
                self._waiting[site] = events  # after the others
