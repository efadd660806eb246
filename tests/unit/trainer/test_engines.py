"""Processes on this machine: what kills one costs nobody else anything."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from forecast.config import Package
from tests.trainings import obey, strictly, task
from trainer.engines.dispatch import TASKS_PER_PROCESSOR, Killed, dispatch
from trainer.engines.local import _Pool, execute
from trainer.engines.task import Outcome

ROOT = Path(__file__).parents[3]
PATIENCE = 60  # seconds, on a machine that does other things


def by_name(outcomes):
    return {outcome.name: outcome for outcome in outcomes}


def obeyed(names, jobs=2):
    """Reasons by name; all names are different."""
    reasons = {each.name: each.reason for each in execute(map(task, names), jobs, train=obey)}
    assert reasons.keys() == set(names)
    return reasons


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ended(pids):
    deadline = time.monotonic() + PATIENCE
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_two_processes_find_what_one_does():
    tasks = [task(name) for name in ("flask", "requests", "numpy")]
    there = by_name(execute(tasks, 2, train=strictly))
    for each in map(strictly, tasks):
        assert there[each.name].product.model == each.product.model
        assert there[each.name].product.entry == each.product.entry


def test_every_process_takes_part_and_this_one_does_not():
    pids = set(obeyed([f"a{n}" for n in range(20)]).values())
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


def test_one_job_is_done_in_this_process():
    assert set(obeyed(["a", "b"], jobs=1).values()) == {str(os.getpid())}


def started(before):
    """The processes that have been started since, and have not ended."""
    return set(multiprocessing.active_children()) - before


def test_no_process_is_started_while_another_is_idle():
    before = set(multiprocessing.active_children())  # other tests have some of their own
    with closing(_Pool(8, obey)) as pool:
        for name in ("a", "b", "c"):
            pool.submit(task(name))
            assert [came.name for _, came in pool.collect(wait=True)] == [name]
        assert len(started(before)) == 1


def test_a_task_that_kills_its_process_costs_only_itself():
    others = [f"a{n}" for n in range(10)]
    reasons = obeyed([*others[:3], "kill", *others[3:6], "exit", *others[6:]])
    assert reasons.pop("kill") == (
        "training it killed its process (SIGKILL), and again while no other task was running; if "
        "memory ran out, provide more or try fewer m_values, and run it again"
    )
    assert reasons.pop("exit").startswith(
        "training it killed its process (exit status 3), and again while"
    )
    assert all(reason.isdecimal() for reason in reasons.values())


def test_nothing_but_killers_comes_to_an_end():
    names = ["kill", *(f"kill {n}" for n in range(3))]
    assert all("SIGKILL" in reason for reason in obeyed(names).values())


def test_a_task_whose_process_was_killed_by_another_is_trained(tmp_path):
    name = f"kill-once {tmp_path / 'killed'}"
    reasons = obeyed(["a", name, "b"])
    assert (tmp_path / "killed").exists()
    assert all(reason.isdecimal() for reason in reasons.values())


def test_tasks_are_taken_as_they_can_be_trained():
    taken, model = [], task("a")

    def endless():
        for number in itertools.count():
            taken.append(number)
            yield replace(model, package=Package(f"a{number}", f"a{number}"))

    with closing(execute(endless(), 2, train=obey)) as outcomes:  # type: ignore[type-var] # it is a generator
        for done in range(1, 51):
            next(outcomes)
            assert len(taken) - done <= 2 * TASKS_PER_PROCESSOR


class Instant:
    """An engine that is done at once."""

    def __init__(self):
        self.done = []

    def has_room(self):
        return True

    def submit(self, task):
        self.done.append((task, Outcome(task.name, None, "", 0.0)))

    def collect(self, *, wait):
        done, self.done = self.done, []
        return done


class Frail(Instant):
    """An engine for two tasks at a time, which dies of one that is called ``kill``."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def has_room(self):
        return len(self.done) < 2

    def collect(self, *, wait):
        if not wait:
            return []
        done = super().collect(wait=wait)
        self.batches.append([task.name for task, _ in done])
        dead = "kill" in self.batches[-1]
        return [(task, Killed("died") if dead else outcome) for task, outcome in done]


def test_an_outcome_does_not_wait_for_tasks_that_are_slow_to_come():
    taken = []
    tasks = (taken.append(name) or task(name) for name in ("a", "b", "c"))
    for outcome in dispatch(tasks, Instant()):
        assert outcome.name == taken[-1]
    assert taken == ["a", "b", "c"]


def test_what_was_in_flight_at_a_death_is_retried_alone_after_all_others():
    engine = Frail()
    outcomes = by_name(dispatch(map(task, ["a", "b", "kill", "c", "d", "e"]), engine))
    assert engine.batches == [["a", "b"], ["kill", "c"], ["d", "e"], ["kill"], ["c"]]
    assert [name for name, each in outcomes.items() if each.reason] == ["kill"]


def test_leaving_early_leaves_no_process():
    before = set(multiprocessing.active_children())
    names = ["a", "b", *(f"sleep {n}" for n in range(4))]
    outcomes = execute(map(task, names), 2, train=obey)
    pids = [int(next(outcomes).reason) for _ in range(2)]
    assert started(before)
    outcomes.close()  # type: ignore[attr-defined] # it is a generator
    assert ended(pids)
    assert not started(before)


RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it
from tests.trainings import obey, task
from trainer.engines.local import execute
if __name__ == "__main__":
    for outcome in execute(map(task, ["a", "b", *sys.argv[1:]]), 2, train=obey):
        print(outcome.reason, flush=True)
"""


@pytest.fixture
def program(tmp_path, request):
    """A program with two processes that go on training; and their ids."""
    (tmp_path / "run.py").write_text(RUN, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, tmp_path / "run.py", *request.param],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process, [int(process.stdout.readline()) for _ in range(2)]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("program", [["sleep 1", "sleep 2"]], indirect=True)
def test_an_interrupt_ends_all_without_a_word_from_the_processes(program):
    process, pids = program
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert ended(pids)
    assert errors.count("Traceback") == 1  # this program's own, which the trainer's catches
    assert errors.endswith("KeyboardInterrupt\n")


SLOW = """
import sys, time
from trainer.engines.local import execute
from trainer.site.site import _spread

def train(task):
    return task

def write(share):
    print("writing", flush=True)
    return [share]

def shares():
    yield 1
    time.sleep(600)  # longer than any test

if sys.argv[0] == "-c":  # in the fork server, and not in the program itself
    print("loading", flush=True)
    time.sleep(1)
"""
SLOWLY = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import slow
if __name__ == "__main__":
    CALL
"""


@pytest.mark.parametrize(
    ("call", "begun"),
    [
        ("list(slow.execute([1, 2], 2, train=slow.train))", "loading\n"),
        ("list(slow._spread(slow.write, slow.shares(), 2, 99))", "writing\n"),
    ],
)
def test_an_interrupt_is_no_matter_of_the_fork_server_and_its_processes(tmp_path, call, begun):
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "run.py").write_text(SLOWLY.replace("CALL", call), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == begun
        time.sleep(0.3)  # the process that has written waits for more; the loading goes on
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)  # until the last process has ended
    assert errors.count("Traceback") == 1  # this program's own, which the trainer's catches
    assert errors.endswith("KeyboardInterrupt\n")
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize("program", [["nap 1", "nap 2", "nap 3", "nap 4"]], indirect=True)
def test_a_process_whose_parent_is_killed_ends_with_its_task(program):
    process, pids = program
    process.kill()
    process.wait(PATIENCE)
    assert ended(pids)
