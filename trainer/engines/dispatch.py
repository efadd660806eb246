"""Hands tasks to an engine and collects their outcomes, whatever the engine is.

Tasks are taken from their iterable as the engine has room, so memory use depends on the
tasks in flight and not on how many there are in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trainer.engines.task import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainer.engines.task import Task

# The task that a processor works on, and the one that it takes next.
TASKS_PER_PROCESSOR = 2


@dataclass(frozen=True)
class Killed:
    """The process that had a task died; ``how`` ends a sentence about the task."""

    how: str


class Engine(Protocol):
    """Processes that train, here or elsewhere."""

    def has_room(self) -> bool:
        """Whether one more task would keep a processor from waiting."""

    def submit(self, task: Task) -> None:
        """Hand a task over, without waiting for it."""

    def collect(self, *, wait: bool) -> Iterable[tuple[Task, Outcome | Killed]]:
        """The tasks that have ended; perhaps none, even after it waited."""


def dispatch(tasks: Iterable[Task], engine: Engine) -> Iterator[Outcome]:
    """Train the tasks on the engine, yielding outcomes as they come.

    When a process dies, any task that it had may be the cause. Each of them is retried
    once, after all others and with no other task in flight, so that it has all memory to
    itself. If its process dies again, its outcome is the reason.
    """
    lost: list[Task] = []
    for task, result in _run(tasks, engine):
        if isinstance(result, Outcome):
            yield result
        else:
            lost.append(task)
    for suspect in lost:
        for task, result in _run([suspect], engine):
            yield result if isinstance(result, Outcome) else _failed(task, result)


def _run(tasks: Iterable[Task], engine: Engine) -> Iterator[tuple[Task, Outcome | Killed]]:
    waiting = iter(tasks)
    in_flight, exhausted = 0, False
    while in_flight or not exhausted:
        has_room = not exhausted and engine.has_room()
        if has_room:
            task = next(waiting, None)
            if task is None:
                exhausted = True
            else:
                engine.submit(task)
                in_flight += 1
        for ended in engine.collect(wait=not has_room):
            in_flight -= 1
            yield ended


def _failed(task: Task, killed: Killed) -> Outcome:
    reason = (
        f"training it {killed.how}, and again while no other task was running; if memory ran "
        "out, provide more or try fewer m_values, and run it again"
    )
    return Outcome(task.name, None, reason, 0.0)
