"""Apps that start in a second: forked from a process that has imported them already."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
from multiprocessing import forkserver
from multiprocessing.reduction import DupFd
from typing import TYPE_CHECKING, Any
from unittest import mock

from app.gradio_internals.environment import DEFAULTS
from tests.appserver import AppServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IMPORTED = ["app.launch", "app.page"]  # 6 s of a core, most of it for gradio


class WarmAppServer(AppServer):
    """A running app, in a process of its own; its command ends with the script to run."""

    def _start(self, command: tuple[str, ...], root: Path, environment: Mapping[str, str]) -> Any:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        with mock.patch.dict(os.environ, DEFAULTS):  # gradio reads them when it is imported
            forkserver.ensure_running()
        log = _Handle(self._log.fileno())
        process = context.Process(target=_serve, args=(command[-1], root, environment, log))
        process.start()
        return _Process(process)


class _Handle:
    """An open file for another process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __getstate__(self) -> Any:
        return DupFd(self.number)

    def __setstate__(self, duplicate: Any) -> None:
        self.number = duplicate.detach()


class _Process:
    """A process of multiprocessing with the methods of subprocess that ``AppServer`` calls."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.terminate, self.kill = process.terminate, process.kill

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> None:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("app", timeout or 0.0)


def _serve(script: str, root: Path, environment: Mapping[str, str], log: _Handle) -> None:
    """Run a script in the root, as Python does."""
    for stream in (1, 2):
        os.dup2(log.number, stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(root)
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")
