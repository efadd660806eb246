"""Evicts unread results from gradio's queue, so that memory use stays bounded.

gradio keeps each result until a client reads its stream, and each session's name for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradio.queueing import Queue

MAX_UNREAD = 1_000  # sessions and results; a result has some 10 kB, a drawing 60
MAX_PER_SESSION = 100  # results that a session may leave unread while it asks for more


def queue_of(app: Any) -> Queue:
    """The queue of gradio's ASGI application."""
    queue: Queue = app.get_blocks()._queue  # noqa: SLF001 - it has no public name
    return queue


def is_waiting(queue: Queue, event: str) -> bool:
    """Whether an event is in the queue, or is being answered."""
    return event in queue.event_ids_to_events


# What gradio's page reads when its session is no longer known: it then loads itself anew.
SESSION_NOT_FOUND = (
    'data: {"msg":"unexpected_error","event_id":null,"message":"404: Not Found",'
    '"session_not_found":true,"success":false}\n\n'
)


def has_results(queue: Queue, key: str) -> bool:
    """Whether results are there or to come; for any others gradio logs a traceback.

    Args:
        queue: gradio's queue.
        key: a session, or the event of a call, which may have a session of its own.
    """
    return key in queue.pending_messages_per_session or any(
        key in events for events in queue.pending_event_ids_session.values()
    )


async def evict_unread(queue: Queue, limit: int = MAX_UNREAD) -> None:
    """Drop the oldest idle sessions until few enough are left.

    Args:
        queue: gradio's queue, with its three tables of sessions and events.
        limit: sessions and unread results that may stay.
    """
    sessions = queue.pending_event_ids_session
    size = len(sessions) + sum(map(len, sessions.values()))
    for session, events in list(sessions.items()):
        if size <= limit:
            return
        running = events & queue.event_ids_to_events.keys()
        if running and len(events) <= MAX_PER_SESSION:
            continue
        size -= 1 + len(events)
        if running:
            await queue.clean_events(session_hash=session)
        sessions.pop(session, None)
        queue.pending_messages_per_session.pop(session, None)
