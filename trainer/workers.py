"""Training on several cores: one process a core, one BLAS thread a process."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from trainer.pipeline import Outcome, train_package

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from trainer.pipeline import Task

# A matrix product of ours has a few dozen rows. Spread over threads it waits for them:
# 20 times slower as soon as the machine does anything else.
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1"
)


def use_one_thread(environment: MutableMapping[str, str]) -> None:
    """Give BLAS one thread in this process and its children; call it before NumPy loads."""
    environment.update(ONE_THREAD)


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
    context.set_forkserver_preload(["trainer.search", "pmdarima"])
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures = {pool.submit(train_package, task): task.name for task in tasks}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                reason = "a worker process was killed, perhaps for want of memory; run it again"
                yield Outcome(futures[future], None, reason, 0.0)
