"""A Dask scheduler and its workers on loopback, as real processes that end with the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from distributed import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ROOT = Path(__file__).parents[1]
PATIENCE = 180  # seconds, on a busy machine
# Without the dashboard there still is a server of status pages, by default on all interfaces.
COMMON = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


class Dask:
    """A scheduler; workers are added to it.

    Args:
        folder: for all files that the processes write.
        python: the command that runs the workers.
    """

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self._folder = folder
        self._python = python
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        contact = self._folder / "scheduler.json"
        file = ("--scheduler-file", str(contact))
        self.scheduler = self._start(sys.executable, "scheduler", "--port", "0", *file)
        try:
            self._until(contact.exists)
            self.address = json.loads(contact.read_text(encoding="utf-8"))["address"]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(*self._processes)

    def worker(
        self, *options: str, cwd: Path = ROOT, python: str = "", **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker with one thread, without a nanny unless an option asks for one."""
        threads = () if "--nthreads" in options else ("--nthreads", "1")
        nanny = () if "--nanny" in options else ("--no-nanny",)
        scratch = ("--local-directory", str(self._folder), "--memory-limit", "0")
        arguments = ("worker", self.address, *threads, *nanny, *scratch, *options)
        return self._start(python or self._python, *arguments, cwd=cwd, **environment)

    def stop(self, *processes: subprocess.Popen[bytes]) -> None:
        """Kill processes and their children, and wait until they end."""
        for process in processes:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def wait_for_workers(self, number: int) -> None:
        """Wait until there are exactly that many."""
        with Client(self.address, set_as_default=False, timeout=PATIENCE) as client:
            self._until(lambda: len(client.nthreads()) == number)

    def ask(self, question: Callable[..., Any]) -> Any:
        """Run a function of ``dask_scheduler`` on the scheduler."""
        with Client(self.address, set_as_default=False, timeout=PATIENCE) as client:
            return client.run_on_scheduler(question)

    def wait_for(self, condition: Callable[..., bool]) -> None:
        """Wait until a function of ``dask_scheduler`` is true on the scheduler."""
        self._until(lambda: self.ask(condition))

    def _start(
        self, python: str, *arguments: str, cwd: Path = ROOT, **environment: str
    ) -> subprocess.Popen[bytes]:
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [python, "-m", "dask", *arguments, *COMMON],
                cwd=cwd,
                env={
                    **os.environ,
                    "OPENBLAS_NUM_THREADS": "1",
                    "PYTHONWARNINGS": "error",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **environment,
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self._logs()
            assert self.scheduler.poll() is None, self._logs()
            time.sleep(0.1)

    def _logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))
