"""Handing tasks to an engine and taking their outcomes, whatever the engine is.

Tasks are taken from their iterable as the engine has room, so a run needs the memory of
the tasks in flight, however many there are in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trainer.engines.task import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainer.engines.task import Task

# The task that a processor works on, and one that it finds when it is done with that.
TASKS_A_PROCESSOR = 2


@dataclass(frozen=True)
class Killed:
    """A task was lost with the process that had it; ``how`` ends a sentence about it."""

    how: str


class Engine(Protocol):
    """Processes that train, here or elsewhere."""

    def has_room(self) -> bool:
        """Whether one more task would keep a processor from waiting."""

    def submit(self, task: Task) -> None:
        """Hand a task over, without waiting for it."""

    def collect(self, *, wait: bool) -> Iterable[tuple[Task, Outcome | Killed]]:
        """The tasks that are done with; perhaps none, even after it waited."""


def dispatch(tasks: Iterable[Task], engine: Engine) -> Iterator[Outcome]:
    """Train the tasks on the engine, yielding outcomes as they come.

    When a process dies, any of the tasks that it had may be why. Each of them is tried
    once more with nothing else in flight: the guilty one is then known, has all memory
    to itself, and if it kills again there is a reason in place of its model.
    """
    waiting = iter(tasks)
    suspects: list[Task] = []
    in_flight, alone, exhausted = 0, False, False
    while in_flight or suspects or not exhausted:
        if suspects and not in_flight:
            engine.submit(suspects.pop())
            in_flight, alone = 1, True
        open_to_more = not (exhausted or suspects or alone) and engine.has_room()
        if open_to_more:
            task = next(waiting, None)
            if task is None:
                exhausted = True
            else:
                engine.submit(task)
                in_flight += 1
        for task, came in engine.collect(wait=not open_to_more):
            in_flight -= 1
            if isinstance(came, Outcome):
                yield came
            elif alone:
                yield Outcome(task.name, None, _reason(came), 0.0)
            else:
                suspects.append(task)
            alone = False


def _reason(killed: Killed) -> str:
    return (
        f"training it {killed.how}, again with no other task beside it; if that was for want "
        "of memory, give it more or try fewer m_values, and run it again"
    )
