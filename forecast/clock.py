"""The current time, which a test or a reproducible build can fix."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from forecast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = "SOURCE_DATE_EPOCH"


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
        raise ConfigError(f"{VARIABLE} = {epoch!r:.40}: expected seconds since 1970") from None
    return lambda: moment


def _machine() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
