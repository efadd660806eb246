"""The first phase of a run: counts from the source, merged with those of the previous bundle.

Groups are added up here too, so the later phases treat a group like a package.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

import pandas as pd

from forecast.bundle.manifest import PUBLIC
from forecast.config import counted
from forecast.errors import DownloadsError, ForecastError, UnknownPackageError
from forecast.history import merge
from forecast.series import TRAINING_DAYS, OutageDetector, recent
from forecast.sources.group import add_up, entries
from trainer.previous import predecessor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forecast.bundle.reader import Bundle
    from forecast.sources.source import Source
    from trainer.store import Store

    Fetched = tuple[str, pd.Series[int] | DownloadsError]  # a package, its counts or the failure
    Progress = Callable[[Iterator[Fetched], int], Iterable[Fetched]]

log = logging.getLogger(__name__)


def fetch(store: Store, source: Source, previous: Bundle | None, progress: Progress) -> None:
    """Fetch the counts that are still missing, add up the groups, and find the days to repair.

    Args:
        store: has the plan, and keeps the counts.
        source: where the counts come from.
        previous: the bundle to continue from, if there is one.
        progress: shows the progress; gets the fetched packages and their largest number.
    """
    wanted, unknown = store.plan.to_fetch, set[str]()
    done = set(store.with_counts(wanted))
    if done:
        log.info("resuming a run that was stopped: %s fetched", counted(len(done)))
    names = [name for name in wanted if name not in done]
    for name, found in progress(source.fetch(names), len(names)):
        counts = found
        if isinstance(found, UnknownPackageError) and _stopped(previous, name):
            counts = pd.Series(dtype="int64", index=pd.DatetimeIndex([]))  # forgotten by the source
        if isinstance(counts, DownloadsError):
            store.add_failure(name, str(counts))
            if isinstance(counts, UnknownPackageError):
                unknown.add(name)
            continue
        store.add_counts(name, merge(_earlier(previous, name), counts))
    _complete(store, previous, unknown)


def _stopped(previous: Bundle | None, name: str) -> bool:
    """Whether the counts of a package had stopped by the run before."""
    entry = previous.manifest.model_of(name) if previous else None
    return entry is not None and entry.no_counts_since is not None


def _complete(store: Store, previous: Bundle | None, unknown: set[str]) -> None:
    """Find from all packages the last day with counts, and the days on which the source failed."""
    detector = OutageDetector()
    through = previous.manifest.known_through if previous else None
    firsts: list[dt.date] = []
    lasts: list[dt.date] = []
    for name in store.with_counts(store.plan.to_fetch):
        if merged := store.counts(name):
            detector.add(merged.counts)
            trained_on = pd.DatetimeIndex(recent(merged.counts).index)
            firsts += [day.date() for day in trained_on[:1]]
            lasts += [day.date() for day in trained_on[-1:]]
    span = (min(firsts), max(lasts)) if firsts else None
    newest = max([*lasts, *([through] if through else [])], default=None)
    for name, parts in store.plan.sums.items():
        try:
            _add_up(store, name, parts, previous, unknown=unknown, through=newest)
        except ForecastError as error:
            store.add_failure(name, str(error))
    store.complete_fetch({*store.plan.outages, *detector.outages()}, span, newest)


def _add_up(
    store: Store,
    group: str,
    names: tuple[str, ...],
    previous: Bundle | None,
    *,
    unknown: set[str],
    through: dt.date | None,
) -> None:
    """Keep the sum of a group's parts.

    A part that the source does not know is left out, or has stopped if it has earlier counts. A
    part whose counts could not be fetched would lower the sum for this run alone.

    Raises:
        DownloadsError: if a part could not be fetched, or none has counts.
        SeriesError: if there is no sum.
    """
    parts: dict[str, pd.Series[int]] = {}
    missing: dict[str, str] = {}
    for name in names:
        merged = store.counts(name)
        counts = merged.counts if merged else _earlier(previous, name) if name in unknown else None
        if counts is not None and len(counts):
            parts[name] = counts
        else:
            missing[name] = store.failure(name)
    failed = next((name for name in missing if name not in unknown or not parts), None)
    if failed is not None:
        raise DownloadsError(f"there are no counts of its part {failed}: {missing[failed]}")
    plan = store.plan
    covered = plan.created_at.date() - dt.timedelta(days=TRAINING_DAYS)
    window = through, covered if plan.source in PUBLIC else None
    total, described = add_up(parts, *window), entries(parts, missing, *window)
    earlier = _earlier(predecessor(previous, group, plan, described), group)
    if earlier is not None and len(total):
        # Later days are known from the parts alone, or not at all.
        earlier = earlier[(earlier.index < total.index[0]) | earlier.index.isin(total.index)]
    store.add_parts(group, described)
    store.add_counts(group, merge(earlier, total))


def _earlier(previous: Bundle | None, name: str) -> pd.Series[int] | None:
    return previous.history(name) if previous and previous.has_history(name) else None
