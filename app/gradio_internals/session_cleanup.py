"""Lets gradio forget what nobody fetches.

It keeps every answer until its stream is read, and the name of each session for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.queueing import Queue

MOST_UNREAD = 1_000  # sessions and answers; an answer has some 10 kB, a drawing 60
MOST_OF_ONE = 100  # answers that one session may leave lying while it asks for more


async def forget_unread(queue: Queue, most: int = MOST_UNREAD) -> None:
    """Drop the oldest sessions for which nothing runs, until few enough are left.

    Args:
        queue: gradio's; these are the three tables in which it keeps them.
        most: sessions and unread answers that may stay.
    """
    sessions = queue.pending_event_ids_session
    size = len(sessions) + sum(map(len, sessions.values()))
    for session, events in list(sessions.items()):
        if size <= most:
            return
        running = events & queue.event_ids_to_events.keys()
        if running and len(events) <= MOST_OF_ONE:
            continue
        size -= 1 + len(events)
        if running:
            await queue.clean_events(session_hash=session)
        sessions.pop(session, None)
        queue.pending_messages_per_session.pop(session, None)
