"""Training on several cores: one process a core, one BLAS thread a process."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from trainer.pipeline import Outcome, train_package

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.pipeline import Task


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Train the tasks on ``jobs`` processes, yielding outcomes as they come.

    A process that is killed, for want of memory say, costs the packages that were not
    yet trained their model and ends nothing else.
    """
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from map(train_package, tasks)
        return
    # The fork server loads pmdarima once and forks from there, before it has any thread.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["forecast.arima.search", "pmdarima"])
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures = {pool.submit(train_package, task): task.name for task in tasks}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                reason = "a worker process was killed, perhaps for want of memory; run it again"
                yield Outcome(futures[future], None, reason, 0.0)
