"""A ClickHouse engine in its own process, and the program that runs there.

The engine's wheel is in a separate folder (see the Makefile), on the path of that process
only. A request is one line of JSON, and so is a response.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

PACKAGES = Path(sys.prefix) / "clickhouse"


class EngineError(Exception):
    """ClickHouse's own error message."""


class Engine:
    """ClickHouse, for any thread; use it as a context manager."""

    def __init__(self) -> None:
        assert PACKAGES.is_dir(), f"{PACKAGES} is not there: `make env` installs ClickHouse"
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, "PYTHONPATH": str(PACKAGES)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def query(self, sql: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """The answer in the format of the query, by default separated by tabs.

        Raises:
            EngineError: The engine raised.
        """
        return self.measured(sql, parameters)[0]

    def measured(self, sql: str, parameters: Mapping[str, str] | None = None) -> tuple[bytes, int]:
        """The same, and how many rows were read for it."""
        with self._lock:
            self._process.stdin.write(json.dumps([sql, dict(parameters or {})]) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise EngineError(answer["error"])
        return base64.b64decode(answer["body"]), int(answer["read"])

    def error_of(self, sql: str) -> str:
        """The error message of a query that fails."""
        try:
            self.query(sql)
        except EngineError as error:
            return str(error)
        raise AssertionError(f"{sql} did not fail")


def serve() -> None:
    """Answer queries until standard input ends."""
    from chdb import session  # noqa: PLC0415 - in the engine's own process alone

    clickhouse = session.Session()
    for line in sys.stdin:
        sql, parameters = json.loads(line)
        try:
            found = clickhouse.query(sql, "TabSeparated", params=parameters)
        except Exception as error:  # noqa: BLE001 - it raises what it likes
            answer = {"error": str(error)}
        else:
            body = base64.b64encode(found.bytes()).decode()
            answer = {"body": body, "read": str(found.storage_rows_read())}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    serve()
