"""The first phase of a run: counts from the source, merged with those of the bundle before."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pandas as pd

from forecast.errors import DownloadsError
from forecast.history import merge
from forecast.series import OutageDetector, recent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from forecast.bundle.reader import Bundle
    from forecast.sources.source import CountsOrError, Source
    from trainer.work import Work

    Track = Callable[
        [Iterator[tuple[str, CountsOrError]], int], Iterator[tuple[str, CountsOrError]]
    ]

log = logging.getLogger(__name__)


def fetch(work: Work, source: Source, previous: Bundle | None, track: Track) -> None:
    """Ask for the counts that are not there yet, and settle which days are to be repaired.

    Args:
        work: what to fetch, and where to keep it.
        source: where the counts come from.
        previous: the bundle to go on from, if there is one.
        track: shows the progress; gets the answers and how many there will be.
    """
    there = set(work.counted())
    if there:
        log.info("going on with a run that was stopped: %d packages are fetched", len(there))
    names = [package.name for package in work.plan.packages if package.name not in there]
    for name, answer in track(source.fetch(names), len(names)):
        if isinstance(answer, DownloadsError):
            work.keep_failure(name, str(answer))
            continue
        earlier = previous.history(name) if previous and previous.has_history(name) else None
        work.keep_counts(name, merge(earlier, answer))
    _settle(work)


def _settle(work: Work) -> None:
    """Find the days that failed for everybody, which takes the counts of all."""
    witnesses, spans = OutageDetector(), []
    for name in work.counted():
        if merged := work.counts(name):
            witnesses.add(merged.counts)
            days = pd.DatetimeIndex(recent(merged.counts).index)
            spans += [days[0].date(), days[-1].date()] if len(days) else []
    seen: tuple[dt.date, dt.date] | None = (min(spans), max(spans)) if spans else None
    work.settle({*work.plan.outages, *witnesses.outages()}, seen)
