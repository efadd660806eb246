"""gradio's own queue, filled by nobody who reads."""

import asyncio
import inspect
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.queueing import Queue

from app.gradio_internals.session_cleanup import (
    MAX_PER_SESSION,
    evict_unread,
    has_results,
    queue_of,
)

RUNNING = "running"


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


def test_results_are_found_by_session_and_by_event(queue):
    fill(queue, "ab", 2)
    assert has_results(queue, "a")
    assert has_results(queue, "b-1")
    assert not has_results(queue, "b-2")


def test_few_are_let_be(queue, runner):
    fill(queue, "abc")
    runner.run(evict_unread(queue, 6))
    assert left(queue) == ["a", "b", "c"]


def test_the_oldest_are_forgotten(queue, runner):
    fill(queue, "abc")
    runner.run(evict_unread(queue, 4))
    assert left(queue) == ["b", "c"]


def test_the_names_of_sessions_count_too(queue, runner):
    fill(queue, map(str, range(100)), events=0)
    runner.run(evict_unread(queue, 10))
    assert len(left(queue)) == 10


def test_whoever_waits_is_spared(queue, runner):
    fill(queue, "a", running=True)
    fill(queue, "bc")
    runner.run(evict_unread(queue, 2))
    assert left(queue) == ["a"]


def test_one_that_asks_and_never_reads_is_not(queue, runner):
    fill(queue, "a", events=MAX_PER_SESSION + 1, running=True)
    runner.run(evict_unread(queue, 10))
    assert left(queue) == []
    assert not queue.active_jobs[0][0].alive


def test_gradio_s_application_has_its_queue(runner):
    async def make():
        with gr.Blocks(analytics_enabled=False) as page:
            page.queue()
        return gr.routes.App.create_app(page)

    assert isinstance(queue_of(runner.run(make())), Queue)


@pytest.mark.parametrize(
    "name",
    [
        "pending_event_ids_session",
        "pending_messages_per_session",
        "event_ids_to_events",
        "active_jobs",
        "clean_events",
    ],
)
def test_gradio_s_queue_has(queue, name):
    assert hasattr(queue, name)


def test_gradio_keeps_a_call_s_results_in_these_tables():
    source = inspect.getsource(Queue.push)
    assert "self.pending_messages_per_session[body.session_hash] = " in source
    assert "self.pending_event_ids_session[body.session_hash].add(event._id)" in source
    assert "self.event_ids_to_events[event._id] = event" in source
