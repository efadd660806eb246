"""What one visitor may hold at a time: open requests, work on them, places in gradio's queue."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from app.data.rate_limits import site_key
from app.gradio_internals.session_cleanup import is_waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gradio.queueing import Queue

POLL = 0.05  # seconds


class OpenRequests:
    """Counts the requests that are being answered, streams included.

    Args:
        per_client: of one client.
        per_site: of one site.
        total: of all.
    """

    def __init__(self, per_client: int, per_site: int, total: int) -> None:
        self._per_client = per_client
        self._per_site = per_site
        self._total = total
        self._open: Counter[str] = Counter()
        self._all = 0

    def is_full(self, client: str) -> bool:
        """Whether one more request of a client would be too many."""
        return (
            self._open[client] >= self._per_client
            or self._open[site_key(client)] >= self._per_site
            or self._all >= self._total
        )

    @contextmanager
    def counted(self, client: str) -> Iterator[None]:
        """Count a request for the duration of the block."""
        keys = {client, site_key(client)}
        self._open.update(keys)
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._open -= Counter(keys)


class Places:
    """Lets few requests of a visitor be worked on at once; its others wait, in their order.

    Then another visitor's request waits for few, however many this one sends.

    Args:
        per_client: of one client.
        per_site: of one site.
        patience: seconds that a request waits.
    """

    def __init__(self, per_client: int, per_site: int, patience: float) -> None:
        self._per_client = per_client
        self._per_site = per_site
        self._patience = patience
        self._places: dict[str, asyncio.Semaphore] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def taken(self, client: str) -> AsyncIterator[bool]:
        """Hold a place for the duration of the block; False if none was free in time."""
        limits = {site_key(client): self._per_site, client: self._per_client}
        async with AsyncExitStack() as stack:
            taken = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    for key, most in reversed(limits.items()):
                        stack.callback(self._leave, key)
                        self._users[key] += 1
                        places = self._places.setdefault(key, asyncio.Semaphore(most))
                        await stack.enter_async_context(places)
                    taken = True
            yield taken

    def _leave(self, key: str) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key], self._places[key]


class Turns:
    """Lets a visitor's calls into gradio's queue while the visitor has few there.

    A call outlives the request that made it, so the requests alone bound nothing. With fewer
    places for a site than there are workers, no visitor makes another one wait.

    Args:
        per_client: calls of one client, waiting or being answered.
        per_site: of one site.
        patience: seconds that a call waits for a place.
    """

    def __init__(self, per_client: int, per_site: int, patience: float) -> None:
        self._per_client = per_client
        self._per_site = per_site
        self._patience = patience
        self._coming: Counter[str] = Counter()  # let in, and not yet known by an event
        self._events: defaultdict[str, set[str]] = defaultdict(set)

    async def take(self, client: str, queue: Queue) -> bool:
        """Wait for a place; False if there was none within the patience. ``give`` ends it."""
        limits = {site_key(client): self._per_site, client: self._per_client}
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                # gradio tells nobody when an event ends.
                while any(self._held(key, queue) >= most for key, most in limits.items()):  # noqa: ASYNC110
                    await asyncio.sleep(POLL)
                self._coming.update(limits.keys())
                return True
        return False

    def give(self, client: str, answer: bytes) -> None:
        """Keep the place for the event that an answer names; without one it is free again."""
        event = None
        with suppress(ValueError, AttributeError):
            event = json.loads(answer).get("event_id")
        keys = {client, site_key(client)}
        self._coming -= Counter(keys)
        if isinstance(event, str):
            for key in keys:
                self._events[key].add(event)

    def _held(self, key: str, queue: Queue) -> int:
        waiting = {event for event in self._events.pop(key, ()) if is_waiting(queue, event)}
        if waiting:
            self._events[key] = waiting
        return self._coming[key] + len(waiting)
