"""What a process and its children begin with: one BLAS thread, a clock, no word at Ctrl-C."""

from __future__ import annotations

import datetime as dt
import signal
from typing import TYPE_CHECKING

from forecast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

# The matrices have a few dozen rows. With several threads a product waits for all of them:
# 20 times slower as soon as the machine is busy.
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1"
)
VARIABLE = "SOURCE_DATE_EPOCH"
INTERRUPTED = 130  # exit status after Ctrl-C: 128 and the number of the signal, as of a shell


def prepare_numpy(environment: MutableMapping[str, str]) -> None:
    """Set what NumPy reads when it loads, in this process and its children: call this before."""
    environment.update(ONE_THREAD)
    if not environment.get(VARIABLE):
        environment.pop(VARIABLE, None)  # NumPy fails where it is empty


def start_fork_server() -> None:
    """Start the fork server of multiprocessing, if it does not run, deaf to Ctrl-C.

    So are the processes that it forks: Ctrl-C reaches this process, which ends them.
    """
    # Page and terminal start without these.
    from multiprocessing import forkserver, resource_tracker  # noqa: PLC0415

    resource_tracker.ensure_running()  # now, as starting it lets signals through again
    # A blocked signal stays blocked in a child, and in this process it waits. Were it ignored
    # instead, one that comes in these milliseconds would be lost.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def clock_of(environment: Mapping[str, str]) -> Callable[[], dt.datetime]:
    """A clock in UTC: the machine's, or a fixed one at SOURCE_DATE_EPOCH.

    Raises:
        ConfigError: the variable is not a number of seconds since 1970.
    """
    epoch = environment.get(VARIABLE)
    if not epoch:
        return _machine
    try:
        moment = dt.datetime.fromtimestamp(int(epoch), dt.UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None or moment.timestamp() < 0:
        raise ConfigError(f"{VARIABLE} = {epoch!r:.40}: expected seconds since 1970")
    return lambda: moment


def _machine() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
