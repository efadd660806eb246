"""A ``python`` that has imported modules already, for the tests that do not judge the start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIBRARIES = ("pandas", "requests", "pydantic", "holidays.countries", "pmdarima")
TRAINER = ("trainer.cli", "forecast.search", "holidays.countries", "pmdarima")
WORKER = ("distributed.cli.dask_worker", "trainer.engines.dask", *TRAINER[1:])


@contextmanager
def warm_python(*modules: str, **variables: str) -> Iterator[str]:
    """The path of a command that runs a program as ``python`` does, with modules of the root.

    Args:
        modules: what is imported already.
        variables: the environment of the imports, in addition to this process's.
    """
    kept = {name: each for name, each in os.environ.items() if name != "PYTHONWARNINGS"}
    with tempfile.TemporaryDirectory() as folder:
        command = Path(folder) / "python"
        command.write_text(f"#!{sys.executable} -IS\n{(HERE / 'client.py').read_text()}")
        command.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{folder}/socket")
            listener.listen()
            host = subprocess.Popen(
                [sys.executable, str(HERE / "host.py"), str(listener.fileno()), *modules],
                cwd=folder,
                env={**kept, "PYTHONPATH": str(ROOT), **variables},
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
            )
        command.with_name("host").write_text(str(host.pid))
        with host:  # which ends when this closes its standard input
            yield str(command)


def host_of(command: str) -> int:
    """The process among whose descendants the programs of a warm command are."""
    return int(Path(command).with_name("host").read_text())
