"""How good the forecasts of the bundle in use were, made once for each bundle."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.record.record import Record, make_record
from forecast.record.weeks import LastWeek, Week, all_weeks, last_week

if TYPE_CHECKING:
    from app.data.store import Store
    from forecast.bundle.reader import Bundle


@dataclass(frozen=True)
class Recorded:
    """A bundle with its record.

    Attributes:
        bundle: what it was made of.
        record: of all packages.
        last: the last week of all packages.
        weeks: every week outside its band.
    """

    bundle: Bundle
    record: Record
    last: LastWeek
    weeks: list[Week]


class Records:
    """The record of the bundle in use.

    Args:
        store: holds the bundle.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._recorded: Recorded | None = None

    def current(self) -> Recorded | None:
        """The record of the bundle in use; None while there is no bundle."""
        bundle = self._store.snapshot.bundle
        if bundle is None:
            return None
        with self._lock:
            if self._recorded is None or self._recorded.bundle is not bundle:
                redefined = self._store.config.redefined
                self._recorded = Recorded(
                    bundle,
                    make_record(bundle, redefined),
                    last_week(bundle, redefined),
                    all_weeks(bundle, redefined),
                )
            return self._recorded

    def unusual(self, name: str) -> Week | None:
        """The last week of a package, if it was unusual."""
        recorded = self.current()
        return recorded.last.by_package.get(name) if recorded else None
