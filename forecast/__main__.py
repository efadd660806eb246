"""``python -m forecast PACKAGE``: a package's forecast in the terminal.

Exit status: 0, a forecast was printed; 1, there is none; 2, wrong usage or config; 130,
stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO, cast

from forecast.process import INTERRUPTED, prepare_numpy
from forecast.text import CleanStream


def main() -> int:
    """Run with the arguments and the environment of this process."""
    prepare_numpy(os.environ)
    sys.stderr = cast("TextIO", CleanStream(sys.stderr))
    try:
        from forecast.terminal.cli import run  # noqa: PLC0415 - NumPy must load after the line above

        return run(sys.argv[1:], os.environ)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
