"""Time and memory of a program: a real process, measured with all its children as it runs."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from forecast.errors import ForecastError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOOK_SECONDS = 0.2
KILOBYTES = 1024


@dataclass
class Cost:
    """Resources used by a program and its children.

    Attributes:
        seconds: by the wall clock, from the start to the end of the first process.
        memory: largest sum over the processes of their share of resident memory (PSS, where
            a page that n of them share counts 1/n in each), in MB; sampled every 0.2 s.
        main: largest resident memory of the first process, in MB; the kernel's VmHWM.
        cpu: CPU seconds of each process by its number; of the last 0.2 s some may be missing.
        output: its standard output.
    """

    seconds: float = 0.0
    memory: float = 0.0
    main: float = 0.0
    cpu: dict[int, float] = field(default_factory=dict)
    output: str = ""

    @property
    def cpu_seconds(self) -> float:
        """Of all processes."""
        return sum(self.cpu.values())


def run(
    words: Sequence[str],
    environment: Mapping[str, str],
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Cost:
    """Run a program to its end, or kill it (SIGKILL) as soon as ``stop`` is true.

    Args:
        words: the command.
        environment: added to this process's.
        stop: called every 0.2 s.

    Raises:
        ForecastError: if it fails and was not killed.
    """
    cost, killed, begun = Cost(), False, time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - the command is this program's own
        words, env=os.environ | dict(environment), stdout=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            look(psutil.Process(process.pid), cost)
            if not killed and stop():
                process.kill()
                killed = True
            try:
                process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        cost.seconds = time.perf_counter() - begun
        cost.output = process.stdout.read() if process.stdout else ""
    if process.returncode and not killed:
        raise ForecastError(f"expected {' '.join(words)} to end well; it gave {process.returncode}")
    return cost


def look(main: psutil.Process, cost: Cost) -> None:
    """Add the current use of a process and its children."""
    resident = 0
    try:
        status = Path(f"/proc/{main.pid}/status").read_text(encoding="ascii", errors="replace")
        family = [main, *main.children(recursive=True)]
    except (OSError, psutil.Error):  # it has just ended
        return
    cost.main = max(cost.main, highest(status))
    for process in family:
        try:
            times, memory = process.cpu_times(), process.memory_full_info()
        except (OSError, psutil.Error):
            continue
        cost.cpu[process.pid] = times.user + times.system
        resident += memory.pss
    cost.memory = max(cost.memory, resident / KILOBYTES**2)


def highest(status: str) -> float:
    """The VmHWM of a /proc/PID/status in MB; 0 where a process that ends has none."""
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / KILOBYTES if lines else 0.0
