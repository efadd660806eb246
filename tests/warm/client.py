"""A command that takes the place of ``python``: a warm process runs the program in a fork.

The program has the arguments, the folder, the environment and the open files of this command, and
this command ends as it does. If this command is killed, so are the program and its children.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path


def main() -> None:
    """Let the process that listens beside this file run the program."""
    files = open_files()
    order = {
        "command": __file__,
        "words": sys.argv[1:],
        "folder": str(Path.cwd()),
        "variables": dict(os.environ),
        "files": files,
    }
    text = json.dumps(order).encode()
    with socket.socket(socket.AF_UNIX) as host:
        host.connect(str(Path(__file__).parent / "socket"))
        socket.send_fds(host, [len(text).to_bytes(4, "big")], files)
        host.sendall(text)
        status = host.recv(4)
    if not status:
        raise SystemExit("the warm process could not run the program")
    end_like(os.waitstatus_to_exitcode(int.from_bytes(status, "big")))


def open_files() -> list[int]:
    """The numbers of the files that this command was started with."""
    found = []
    for number in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        with suppress(OSError):  # the folder's own one is closed by now
            os.fstat(number)
            found.append(number)
    return found


def end_like(code: int) -> None:
    """End with an exit status, or by the signal of a negative one."""
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
