"""The last phase of a run: what was fetched, trained and carried over becomes a bundle."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from forecast.bundle.manifest import Manifest
from trainer.outcomes import Gathered
from trainer.previous import carry_over
from trainer.reports.summary import NOT_ASKED
from trainer.reports.track_record import keep_record, most_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from forecast.bundle.reader import Bundle
    from forecast.bundle.writer import Writer
    from forecast.config import Package
    from forecast.history import Merged
    from trainer.engines.task import Outcome
    from trainer.work import Work

NOT_TRAINED = "the share of the run that should have trained it did not come to its end"


def join(work: Work, previous: Bundle | None, writer: Writer) -> Manifest:
    """Write a bundle with an entry for each package, with a model or a reason.

    What could not be trained now, or was not asked for, keeps the model of the previous
    bundle and says so. No day of the previous bundle's history is lost.

    Args:
        work: a run whose shares were trained.
        previous: the bundle that it goes on from, if there is one.
        writer: writes into an empty folder.

    Raises:
        ConfigError: if the fetch has not ended, or a file of the run is none.
        BundleError: if the previous bundle does not hold what it says.
    """
    plan = work.plan
    packages = {package.name: package for package in _to_publish(work, previous)}
    others = [*previous.observed, *previous.recorded] if previous else []
    outages, most = work.outages, most_rows(len(packages))
    with closing(Gathered(work.folder, plan.identity)) as outcomes:
        for name in dict.fromkeys([*packages, *others]):
            merged = work.counts(name)
            if package := packages.get(name):
                outcome = outcomes.get(name)
                _write_entry(package, work, outcome, merged, previous, writer)
            counts = merged.counts if merged else _earlier(previous, name)
            if counts is not None:
                writer.history(name, counts)
            if previous:
                today = plan.created_at.date()
                writer.record(*keep_record(previous, name, counts, outages, today, most=most))
    return writer.close(
        Manifest(
            created_at=plan.created_at,
            commit=plan.commit,
            run=plan.run,
            versions=plan.versions,
            source=plan.source,
            mirrors=plan.mirrors,
            forecast_days=plan.forecast_days,
            m_values=plan.m_values,
            outages=work.outages_seen,
            packages={},
        )
    )


def _to_publish(work: Work, previous: Bundle | None) -> Iterator[Package]:
    """What was asked for, and what of the config has a model that would else be lost."""
    plan = work.plan
    yield from plan.packages
    asked = {package.name for package in plan.packages}
    kept = set(previous.names if previous else ()) - asked
    yield from (package for package in plan.configured if package.name in kept)


def _write_entry(  # noqa: PLR0917 - what may be known of a package
    package: Package,
    work: Work,
    outcome: Outcome | None,
    merged: Merged | None,
    previous: Bundle | None,
    writer: Writer,
) -> None:
    name, plan = package.name, work.plan
    if outcome and outcome.product:
        product = outcome.product
        update = {
            "trained_at": plan.created_at,
            "revised": merged.revised if merged else 0,
            "seconds": round(outcome.seconds, 3),
        }
        entry = product.entry.model_copy(update=update)
        writer.add(name, entry, product.model, product.forecast, product.pictures)
        return
    untrained = NOT_TRAINED if merged else work.failure(name) or NOT_ASKED
    reason = outcome.reason if outcome else untrained
    entry, carried = carry_over(previous, package, reason, plan)
    if carried is None:
        writer.skip(name, entry)
    else:
        writer.add(name, entry, carried.model, carried.forecast, carried.pictures)


def _earlier(previous: Bundle | None, name: str) -> pd.Series[int] | None:
    """The counts that the previous bundle has of a package."""
    return previous.history(name) if previous and previous.has_history(name) else None
