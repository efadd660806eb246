"""What one visitor may hold at a time: open requests, work on them, places in gradio's queue."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, OrderedDict, defaultdict
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from app.data.rate_limits import site_key
from app.gradio_internals.session_cleanup import is_waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gradio.queueing import Queue

POLL = 0.05  # seconds
MINUTE = 60.0
AT_WORK = 2.0  # seconds; a call that takes longer waits for counts, and costs others nothing


class Neighbours:
    """Knows whether a visitor has the page for itself.

    Args:
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()  # by site

    def note(self, client: str) -> None:
        """Remember that a client has asked for something."""
        now, site = self._clock(), site_key(client)
        self._seen[site] = now
        self._seen.move_to_end(site)
        while next(iter(self._seen.values())) <= now - MINUTE:
            self._seen.popitem(last=False)

    def has(self, client: str) -> bool:
        """Whether another site than the client's was here within a minute of the last request."""
        return len(self._seen) > (site_key(client) in self._seen)


class OpenRequests:
    """Counts the requests that are being answered, streams included.

    Args:
        per_site: of one site, and so of one client.
        total: of all.
    """

    def __init__(self, per_site: int, total: int) -> None:
        self._per_site = per_site
        self._total = total
        self._open: Counter[str] = Counter()
        self._all = 0

    def is_full(self, client: str) -> bool:
        """Whether one more request of a client would be too many."""
        return self._open[site_key(client)] >= self._per_site or self._all >= self._total

    @contextmanager
    def counted(self, client: str) -> Iterator[None]:
        """Count a request for the duration of the block."""
        site = site_key(client)
        self._open[site] += 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._open -= Counter([site])


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
        beside_others: calls of one client or site that are at work, while others are there.
        patience: seconds that a call waits for a place.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        per_client: int,
        per_site: int,
        beside_others: int,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_client = per_client
        self._per_site = per_site
        self._beside_others = beside_others
        self._patience = patience
        self._clock = clock
        self._coming: Counter[str] = Counter()  # let in, and not yet known by an event
        self._events: defaultdict[str, dict[str, float]] = defaultdict(dict)  # since when

    async def take(self, client: str, queue: Queue, neighbours: Neighbours) -> bool:
        """Wait for a place; False if there was none within the patience. ``give`` ends it."""
        limits = {site_key(client): self._per_site, client: self._per_client}
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                # gradio tells nobody when an event ends.
                while any(  # noqa: ASYNC110
                    self._is_full(key, most, queue, crowded=neighbours.has(client))
                    for key, most in limits.items()
                ):
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
                self._events[key][event] = self._clock()

    def _is_full(self, key: str, most: int, queue: Queue, *, crowded: bool) -> bool:
        events = self._events.pop(key, {})
        waiting = {each: since for each, since in events.items() if is_waiting(queue, each)}
        if waiting:
            self._events[key] = waiting
        begun = self._clock() - AT_WORK
        at_work = sum(since > begun for since in waiting.values())
        coming = self._coming[key]
        return coming + len(waiting) >= most or (
            crowded and coming + at_work >= self._beside_others
        )
