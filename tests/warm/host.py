"""A process that has imported modules, and runs Python programs in forks of itself.

``python host.py SOCKET MODULE...``, with the number of a socket that listens. It ends when its
standard input does. Warnings are handled as its environment says, during its imports too.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from types import ModuleType
from typing import Any

WARNINGS = "PYTHONWARNINGS"
MOST_FILES = 250  # that one message can carry


def main() -> None:
    """Import the modules, then run what the clients ask for."""
    here, number, *modules = sys.argv
    sys.path.remove(os.path.dirname(os.path.abspath(here)))  # noqa: PTH100, PTH120 - as Python does
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy the pages of all objects
    with socket.socket(fileno=int(number)) as listener:
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                return _keep(connection)
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    return None


def _keep(connection: socket.socket) -> None:
    """Run one program in a fork, and tell the client how it ended."""
    head, files, _, _ = socket.recv_fds(connection, 4, MOST_FILES)
    order = json.loads(_read(connection, int.from_bytes(head, "big")))
    program = os.fork()
    if not program:
        connection.close()
        return _run(order, dict(zip(order["files"], files, strict=True)))
    ended = threading.Event()

    def hunt() -> None:
        if not connection.recv(1) and not ended.is_set():
            os.killpg(program, signal.SIGKILL)  # its client was killed

    threading.Thread(target=hunt, daemon=True).start()
    _, status = os.waitpid(program, 0)
    ended.set()
    with suppress(BrokenPipeError):
        connection.sendall(status.to_bytes(4, "big"))
    os._exit(0)


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (more := connection.recv(size - len(data))):
            raise SystemExit("the client was killed while it said what to run")
        data += more
    return data


def _run(order: dict[str, Any], files: dict[int, int]) -> None:
    """Become the program; it ends as any program does, by returning or raising."""
    os.setsid()
    _number(files)
    before, after = os.environ.get(WARNINGS), order["variables"].get(WARNINGS)
    if before != after:
        raise SystemExit(f"{WARNINGS} is {after}, and was {before} when the modules were imported")
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.clear()
    os.environ.update(order["variables"])
    os.chdir(order["folder"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = filter(None, [*given, *(path for path in sys.path if path not in own)])
    multiprocessing.set_executable(order["command"])  # its fork server starts warm too
    # Those that multiprocessing hands on; the function is missing in the types.
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    begin = len(flags) if order["words"][: len(flags)] == flags else 0
    _execute(order["words"][begin:])


def _number(files: dict[int, int]) -> None:
    """Give each file the number that it has in the client."""
    first = max(files) + 1
    moved = {number: fcntl.fcntl(file, fcntl.F_DUPFD, first) for number, file in files.items()}
    for file in files.values():
        os.close(file)
    for number, file in moved.items():
        os.dup2(file, number)
        os.close(file)


def _execute(words: list[str]) -> None:
    match words:
        case ["-m", module, *arguments]:
            sys.argv = [module, *arguments]
            sys.path.insert(0, os.getcwd())  # noqa: PTH109 - Python has text in its path
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *arguments]:
            sys.argv = ["-c", *arguments]
            sys.path.insert(0, "")
            sys.modules["__main__"] = ModuleType("__main__")
            exec(compile(code, "<string>", "exec"), sys.modules["__main__"].__dict__)
        case _:
            raise SystemExit(f"a warm process cannot run {words}")


if __name__ == "__main__":
    main()
