"""``python -m trainer``: the weekly job on the command line.

Exit status: 0, a bundle with at least one new model was written; 1, nothing could be
trained or written, and the output folder is unchanged; 2, wrong usage or config; 130,
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
    if not sys.stderr.isatty():
        sys.stderr = cast("TextIO", CleanStream(sys.stderr))
    try:
        from trainer.cli import run  # noqa: PLC0415 - NumPy must load after the line above

        return run(sys.argv[1:], os.environ)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command on the same day goes on where it was\n")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
