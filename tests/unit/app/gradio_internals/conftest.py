"""Whatever makes a page of gradio needs an event loop for its locks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def runner():
    # In a thread of its own: a browser of other tests may keep a loop going in this one.
    with ThreadPoolExecutor(1) as thread:
        made = thread.submit(asyncio.Runner).result()
        yield SimpleNamespace(run=lambda task: thread.submit(made.run, task).result())
        thread.submit(made.close).result()
