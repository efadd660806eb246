"""gradio's own queue, filled by nobody who reads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import gradio as gr
import pytest

from app.gradio_internals.session_cleanup import MOST_OF_ONE, forget_unread

RUNNING = "running"


@pytest.fixture
def runner():
    # In a thread of its own: a browser of other tests may keep a loop going in this one.
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(asyncio.Runner).result()
        yield SimpleNamespace(run=lambda task: thread.submit(made.run, task).result())
        thread.submit(made.close).result()


@pytest.fixture
def queue(runner):
    async def make():  # its locks ask for a loop
        with gr.Blocks(analytics_enabled=False) as page:
            page.queue()
        return page._queue

    return runner.run(make())


def fill(queue, sessions, events=1, *, running=False):
    """Sessions with answers that nobody fetched."""
    for session in sessions:
        ids = {f"{session}-{number}" for number in range(events)}
        if running:
            event = SimpleNamespace(_id=f"{session}-0", session_hash=session, alive=True)
            queue.event_ids_to_events[event._id] = event
            queue.active_jobs.append([event])
        queue.pending_event_ids_session[session] = ids
        queue.pending_messages_per_session[session] = asyncio.Queue()


def left(queue):
    assert list(queue.pending_event_ids_session) == list(queue.pending_messages_per_session)
    return list(queue.pending_event_ids_session)


def test_few_are_let_be(queue, runner):
    fill(queue, "abc")
    runner.run(forget_unread(queue, 6))
    assert left(queue) == ["a", "b", "c"]


def test_the_oldest_are_forgotten(queue, runner):
    fill(queue, "abc")
    runner.run(forget_unread(queue, 4))
    assert left(queue) == ["b", "c"]


def test_the_names_of_sessions_count_too(queue, runner):
    fill(queue, map(str, range(100)), events=0)
    runner.run(forget_unread(queue, 10))
    assert len(left(queue)) == 10


def test_whoever_waits_is_spared(queue, runner):
    fill(queue, "a", running=True)
    fill(queue, "bc")
    runner.run(forget_unread(queue, 2))
    assert left(queue) == ["a"]


def test_one_that_asks_and_never_reads_is_not(queue, runner):
    fill(queue, "a", events=MOST_OF_ONE + 1, running=True)
    runner.run(forget_unread(queue, 10))
    assert left(queue) == []
    assert not queue.active_jobs[0][0].alive
