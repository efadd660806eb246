"""Stand-ins for ``train_package`` that any process can import; the package's name is a command."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
import warnings
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from forecast.config import Package
from forecast.series import recent, regular
from forecast.sources.sample import Sample
from tests.bundles import CREATED_AT
from trainer.engines.task import Outcome, Task, train_package
from trainer.plan import Plan

TODAY = dt.date(2026, 11, 22)


def task(name: str) -> Task:
    """A real task on sample data."""
    package = Package(name, name)
    return Task(package, regular(recent(Sample(TODAY).daily(name)), frozenset()), 30, (3, 6, 7))


def run_plan(*names: str, **changed: Any) -> Plan:
    """The plan of a run that trains these packages from a folder."""
    packages = tuple(Package(name, name) for name in names)
    settings: dict[str, Any] = {
        "created_at": CREATED_AT,
        "versions": {},
        "source": "folder",
        "mirrors": True,
        "forecast_days": 30,
        "m_values": (7,),
        "packages": packages,
        "configured": packages,
    }
    return Plan(**(settings | changed))


def strictly(task: Task) -> Outcome:
    """Train for real, as a program would: one BLAS thread, and a warning is an error."""
    with threadpool_limits(1, "blas"), warnings.catch_warnings():
        warnings.simplefilter("error")
        return train_package(task)


def obey(task: Task) -> Outcome:
    """Do what the name says; the reason of the outcome is the number of the process.

    ``kill``: is killed; ``exit``: exits with status 3; ``kill-once PATH``: is killed unless
    PATH exists; ``nap``: half a second; ``sleep``: longer than any test.
    """
    order, _, path = task.name.partition(" ")
    if order == "kill-once" and not Path(path).exists():
        Path(path).touch()
        order = "kill"
    if order == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "exit":
        os._exit(3)
    elif order == "nap":
        time.sleep(0.5)
    elif order == "sleep":
        time.sleep(600)
    return Outcome(task.name, None, str(os.getpid()), 0.0)
