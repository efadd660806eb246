"""Training on several cores: one process per core, one BLAS thread per process.

Each process has its own pipe. So the end of a pipe shows which tasks its process had, no
process waits for a lock that a dead one held, and a process ends when its parent is killed.
The pools of concurrent.futures, loky and pebble share their pipes. In the first two one
death breaks the pool without naming the task. pebble 5.2 names a task that kills its own
process. But if a process is killed at another moment, for example while it holds the lock
of the pipe, the pool breaks and the other processes wait up to two minutes for the lock.
With two processes, tasks of 50 ms and random kills, pebble broke in six of six runs; this
pool finished three of three, one with 45 kills.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from contextlib import closing, suppress
from multiprocessing.connection import wait as wait_for_any
from typing import TYPE_CHECKING

from forecast.process import start_fork_server
from trainer.engines.dispatch import TASKS_PER_PROCESSOR, Killed, dispatch
from trainer.engines.task import train_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext

    from trainer.engines.task import Outcome, Task

    Train = Callable[[Task], Outcome]


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def execute(tasks: Iterable[Task], jobs: int, *, train: Train = train_package) -> Iterator[Outcome]:
    """Train the tasks on ``jobs`` processes, yielding outcomes as they come.

    If a process is killed, for example when memory runs out, its tasks are retried; a package
    loses its model only if its process dies twice. Closing the iterator ends the processes at
    once; if this process is killed, they end after the task they have. With one job the
    tasks are trained in this process.
    """
    if jobs == 1:
        yield from map(train, tasks)
        return
    with closing(_Pool(jobs, train)) as pool:
        yield from dispatch(tasks, pool)


class _Pool:
    """Up to ``jobs`` processes, started as there are tasks for them."""

    def __init__(self, jobs: int, train: Train) -> None:
        self._jobs = jobs
        self._train = train
        self._workers: list[_Worker] = []
        # The fork server loads the libraries once and forks from there, without any thread.
        self._context = multiprocessing.get_context("forkserver")
        modules = [train.__module__, "forecast.search", "holidays.countries", "pmdarima"]
        self._context.set_forkserver_preload(modules)

    def has_room(self) -> bool:
        return len(self._workers) < self._jobs or any(
            len(worker.tasks) < TASKS_PER_PROCESSOR for worker in self._workers
        )

    def submit(self, task: Task) -> None:
        worker = min(self._workers, key=lambda each: len(each.tasks), default=None)
        if worker is None or (worker.tasks and len(self._workers) < self._jobs):
            worker = _Worker(self._context, self._train)
            self._workers.append(worker)
        worker.tasks.append(task)
        with suppress(ConnectionError):  # it has died; collect() finds out
            worker.pipe.send(task)

    def collect(self, *, wait: bool) -> Iterator[tuple[Task, Outcome | Killed]]:
        pipes = [worker.pipe for worker in self._workers]
        ready = wait_for_any(pipes, None if wait else 0)
        for worker in [each for each in self._workers if each.pipe in ready]:
            try:
                outcome = worker.pipe.recv()
            except (EOFError, OSError):
                self._workers.remove(worker)
                killed = Killed(f"killed its process ({worker.end()})")
                yield from ((task, killed) for task in worker.tasks)
            else:
                yield worker.tasks.popleft(), outcome

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.end()


class _Worker:
    """A process, the pipe to it, and its unfinished tasks in order."""

    def __init__(self, context: ForkServerContext, train: Train) -> None:
        self.tasks: deque[Task] = deque()
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, train), daemon=True)
        start_fork_server()
        self.process.start()
        theirs.close()  # the process has its own copy, which alone must keep the pipe open

    def end(self) -> str:
        """Wait for the process to end; how it ended."""
        self.pipe.close()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _serve(pipe: Connection, train: Train) -> None:
    with suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            pipe.send(train(pipe.recv()))
