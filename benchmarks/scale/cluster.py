"""A Dask scheduler and its workers on loopback, for the time of a block."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60.0


@contextmanager
def dask_cluster(workers: int) -> Iterator[str]:
    """Start them, and yield the scheduler's address.

    Raises:
        ClusterError: if the scheduler has no address within a minute.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "scheduler.json"
        local = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--no-dashboard"]
        named = ["--scheduler-file", str(file), *local]
        _start(stack, "scheduler", *named, "--port", "0")
        address = _address(file)
        threads = ["--nworkers", str(workers), "--nthreads", "1", "--local-directory", folder]
        _start(stack, "worker", *named, *threads)
        yield address


def _start(stack: ExitStack, *words: str) -> None:
    process = subprocess.Popen(  # noqa: S603 - the command is this program's own
        [sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _address(file: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["address"])
        except (OSError, ValueError):  # missing, or written in part
            time.sleep(0.1)
    raise ClusterError(f"expected a Dask scheduler within {START_SECONDS:g} s; it has no address")
