"""The app as the Space starts it: in its own process, from the root, without PYTHONPATH."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)  # the app's fixed current time
STANDING = {"SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))}
ROOT = Path(__file__).resolve().parent.parent
KEPT = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "TMPDIR", "LD_LIBRARY_PATH")
# The app, except that it asks PyPI Stats without a pause between two calls.
UNPACED = """
import runpy, sys
from forecast.sources.pypistats import PyPIStats
PyPIStats.__init__.__kwdefaults__["interval"] = 0.0
sys.argv, sys.path[0] = ["app/app.py"], "app"
runpy.run_path("app/app.py", run_name="__main__")
"""
STARTS_WITHIN = 60.0  # seconds, on a busy machine


def train_sample(folder: Path) -> None:
    """A bundle of the config's packages, of sample data that ends the day before ``NOW``."""
    subprocess.run(
        [sys.executable, "-m", "trainer", "--source", "sample", "--output", str(folder)],
        cwd=ROOT,
        env={**os.environ, **STANDING},
        check=True,
        capture_output=True,
    )


class AppServer:
    """A running app.

    Args:
        settings: its environment variables, in addition to those that every process needs.
        command: what to run in the root.
        root: the checkout to run it in.
        port: to listen on; None for a free one.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        command: tuple[str, ...] = (sys.executable, "app/app.py"),
        root: Path = ROOT,
        port: int | None = None,
    ) -> None:
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - close() does
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        listening = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(self.port)}
        started = time.monotonic()
        environment = {**kept, **listening, **STANDING, **settings}
        self.process = self._start(command, root, environment)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise
        self.seconds = time.monotonic() - started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def log(self) -> str:
        """Its output so far."""
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        """Terminate it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()

    def _start(
        self, command: tuple[str, ...], root: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen:
        return subprocess.Popen(
            command, cwd=root, env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"the app ended with {self.process.returncode}: {self.log}")
            try:
                if requests.get(self.url, timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.03)
        raise AssertionError(f"the app did not answer within {STARTS_WITHIN} s: {self.log}")


def call(app: AppServer, endpoint: str, **arguments: object) -> tuple[str, Any]:
    """Call an endpoint as in the README; the name and the data of the last event."""
    url = f"{app.url}gradio_api/call/v2/{endpoint}"
    event = requests.post(url, json=arguments, timeout=30).json()["event_id"]
    answer = requests.get(f"{app.url}gradio_api/call/{endpoint}/{event}", timeout=60).text
    kind, data = (line.split(": ", 1)[1] for line in answer.strip().splitlines()[-2:])
    return kind, json.loads(data)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
