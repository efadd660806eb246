"""The last phase of a run: what was fetched, trained and carried over becomes a bundle."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from forecast.manifest import Manifest
from trainer.outcomes import Gathered
from trainer.previous import NOT_ASKED, carry_over
from trainer.record import keep_record, most_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecast.bundle import Bundle
    from forecast.config import Package
    from forecast.writer import Writer
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
    packages = list(_to_publish(work, previous))
    outcomes = Gathered(work.folder, plan.identity)
    with closing(outcomes):
        for package in packages:
            _write_entry(package, work, outcomes, previous, writer)
    names = dict.fromkeys(package.name for package in packages)
    if previous:
        names |= dict.fromkeys([*previous.observed, *previous.recorded])
    for name in names:
        _write_days(name, work, previous, writer, most=most_rows(len(packages)))
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


def _write_entry(
    package: Package, work: Work, outcomes: Gathered, previous: Bundle | None, writer: Writer
) -> None:
    name, plan = package.name, work.plan
    outcome = outcomes.get(name)
    if outcome and outcome.product:
        product, merged = outcome.product, work.counts(name)
        update = {
            "trained_at": plan.created_at,
            "revised": merged.revised if merged else 0,
            "seconds": round(outcome.seconds, 3),
        }
        entry = product.entry.model_copy(update=update)
        writer.add(name, entry, product.model, product.forecast, product.pictures)
        return
    reason = outcome.reason if outcome else _why_untrained(name, work)
    entry, carried = carry_over(previous, package, reason, plan)
    if carried is None:
        writer.skip(name, entry)
    else:
        writer.add(name, entry, carried.model, carried.forecast, carried.pictures)


def _why_untrained(name: str, work: Work) -> str:
    if work.counts(name) is not None:
        return NOT_TRAINED
    return work.failure(name) or NOT_ASKED


def _write_days(
    name: str, work: Work, previous: Bundle | None, writer: Writer, *, most: int
) -> None:
    """The history of a package that is, or ever was, in the config, and its track record."""
    merged = work.counts(name)
    counts = merged.counts if merged else None
    if counts is None and previous and previous.has_history(name):
        counts = previous.history(name)
    if counts is not None:
        writer.history(name, counts)
    if previous:
        today = work.plan.created_at.date()
        writer.record(*keep_record(previous, name, counts, work.outages, today, most=most))
