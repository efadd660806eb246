"""The second phase of a run: one task per package, run by an engine, one part at a time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from forecast.config import counted_names
from forecast.errors import SeriesError
from forecast.series import recent, regular
from trainer.engines.task import Outcome, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.plan import Part
    from trainer.store import Store

    Execute = Callable[[Iterable[Task], int], Iterable[Outcome]]

log = logging.getLogger(__name__)


def train(store: Store, part: Part, execute: Execute) -> None:
    """Train the packages of a part that have no model yet, and keep the outcomes.

    Args:
        store: a run that has been fetched.
        part: which packages.
        execute: runs ``train_package`` over tasks, in any order; gets the tasks, which are
            generated lazily, and their largest possible number.

    Raises:
        ConfigError: if the fetch is not complete.
    """
    outages, through = store.outages, store.known_through
    done = store.trained(part)
    if done:
        log.info("resuming a run that was stopped: %s trained", counted_names(done))
    names = [name for name in part.share(store.fetched()) if name not in done]

    def tasks() -> Iterator[Task]:
        """A task for each series that can be made regular; the others fail at once."""
        plan = store.plan
        packages = {package.name: package for package in plan.packages}
        for name in names:
            if not (merged := store.counts(name)):
                continue
            try:
                series = regular(recent(merged.counts, through), outages, through)
                series = series.seen_on(plan.created_at.date(), plan.forecast_days)
            except SeriesError as error:
                store.add_outcome(Outcome(name, None, str(error), 0.0), part)
                continue
            yield Task(
                packages[name],
                series,
                plan.forecast_days,
                plan.m_values,
                redefined=plan.redefined,
                pictures=plan.source != "sample",
            )

    for outcome in execute(tasks(), len(names)):
        store.add_outcome(outcome, part)
