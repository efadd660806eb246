"""What a process takes from its environment before it begins: one BLAS thread, and a clock."""

from __future__ import annotations

import datetime as dt
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
