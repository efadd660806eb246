"""The second phase of a run: one task a package, run by an engine, one share at a time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from forecast.errors import SeriesError
from forecast.series import recent, regular
from trainer.engines.task import Outcome, Task
from trainer.outcomes import Outcomes

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from trainer.outcomes import Part
    from trainer.work import Work

    Execute = Callable[[Iterable[Task], int], Iterable[Outcome]]

log = logging.getLogger(__name__)


def train(work: Work, part: Part, execute: Execute) -> None:
    """Train what the share has and is not trained yet; the outcomes go into its file.

    Args:
        work: a run that has been fetched.
        part: the share.
        execute: runs ``train_package`` over tasks, in any order; gets the tasks, which are
            made as they are asked for, and how many there will be at the most.

    Raises:
        ConfigError: if the fetch has not ended.
    """
    outages = work.outages
    outcomes = Outcomes(work.folder / part.file, work.plan.identity)
    share = work.counted()[part.number - 1 :: part.of]
    done = outcomes.trained()
    if done:
        log.info("going on with a run that was stopped: %d packages are trained", len(done))
    names = [name for name in share if name not in done]
    try:
        for outcome in execute(_tasks(work, names, outages, outcomes), len(names)):
            outcomes.keep(outcome)
    finally:
        outcomes.close()


def _tasks(
    work: Work, names: Iterable[str], outages: frozenset[dt.date], outcomes: Outcomes
) -> Iterator[Task]:
    """A task for each series that can be made regular; the others have their outcome at once."""
    plan = work.plan
    packages = {package.name: package for package in plan.packages}
    for name in names:
        merged = work.counts(name)
        if merged is None:
            continue
        try:
            series = regular(recent(merged.counts), outages)
        except SeriesError as error:
            outcomes.keep(Outcome(name, None, str(error), 0.0))
            continue
        pictures = plan.source != "sample"
        yield Task(packages[name], series, plan.forecast_days, plan.m_values, pictures)
