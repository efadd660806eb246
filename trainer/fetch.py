"""The first phase of a run: counts from the source, merged with those of the previous bundle."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pandas as pd

from forecast.errors import DownloadsError, UnknownPackageError
from forecast.history import merge
from forecast.series import OutageDetector, recent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from forecast.bundle.reader import Bundle
    from forecast.sources.source import Source
    from trainer.store import Store

    Fetched = tuple[str, pd.Series[int] | DownloadsError]  # a package, its counts or the failure
    Progress = Callable[[Iterator[Fetched], int], Iterable[Fetched]]

log = logging.getLogger(__name__)


def fetch(store: Store, source: Source, previous: Bundle | None, progress: Progress) -> None:
    """Fetch the counts that are still missing, and find the days to repair.

    Args:
        store: has the plan, and keeps the counts.
        source: where the counts come from.
        previous: the bundle to continue from, if there is one.
        progress: shows the progress; gets the fetched packages and their largest number.
    """
    done = set(store.fetched())
    if done:
        log.info("resuming a run that was stopped: %d packages are fetched", len(done))
    names = [package.name for package in store.plan.packages if package.name not in done]
    for name, found in progress(source.fetch(names), len(names)):
        counts = found
        if isinstance(found, UnknownPackageError) and _stopped(previous, name):
            counts = pd.Series(dtype="int64", index=pd.DatetimeIndex([]))  # forgotten by the source
        if isinstance(counts, DownloadsError):
            store.add_failure(name, str(counts))
            continue
        earlier = previous.history(name) if previous and previous.has_history(name) else None
        store.add_counts(name, merge(earlier, counts))
    _complete(store, previous)


def _stopped(previous: Bundle | None, name: str) -> bool:
    """Whether the counts of a package had stopped by the run before."""
    entry = previous.manifest.model_of(name) if previous else None
    return entry is not None and entry.no_counts_since is not None


def _complete(store: Store, previous: Bundle | None) -> None:
    """Find from all packages the last day with counts, and the days on which the source failed."""
    detector = OutageDetector()
    through = previous.manifest.known_through if previous else None
    firsts: list[dt.date] = []
    lasts: list[dt.date] = []
    for name in store.fetched():
        if merged := store.counts(name):
            detector.add(merged.counts)
            trained_on = pd.DatetimeIndex(recent(merged.counts).index)
            firsts += [day.date() for day in trained_on[:1]]
            lasts += [day.date() for day in trained_on[-1:]]
    span = (min(firsts), max(lasts)) if firsts else None
    newest = max([*lasts, *([through] if through else [])], default=None)
    store.complete_fetch({*store.plan.outages, *detector.outages()}, span, newest)
