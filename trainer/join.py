"""The last phase of a run: a bundle of what was fetched, trained and carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.bundle.manifest import Manifest
from forecast.config import GROUP
from forecast.errors import BundleError
from trainer.previous import carry_over, predecessor
from trainer.reports.summary import NOT_ASKED, NOT_TRAINED, staleness
from trainer.reports.total_record import update_total_record
from trainer.reports.track_record import most_rows, update_track_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from forecast.bundle.manifest import PackageEntry
    from forecast.bundle.reader import Bundle
    from forecast.bundle.writer import Writer
    from forecast.config import Package
    from forecast.history import Merged
    from trainer.engines.task import Product
    from trainer.plan import Plan
    from trainer.store import Store


def join(store: Store, previous: Bundle | None, writer: Writer) -> Manifest:
    """Write a bundle with an entry for each package, with a model or a reason.

    A package that could not be trained now, was not asked for, or whose model the writer
    refuses, keeps the model of the previous bundle, and its entry says so. No day of the
    previous bundle's history is lost.

    Args:
        store: a run whose parts were trained.
        previous: the bundle to continue from, if there is one.
        writer: writes into an empty folder.

    Raises:
        ConfigError: if the fetch is not complete, or a file of the run is damaged.
        BundleError: if the previous bundle does not hold what its manifest says.
    """
    plan = store.plan
    packages = {package.name: package for package in _to_publish(plan, previous)}
    others = [*previous.observed, *previous.recorded] if previous else []
    outages, most = store.outages, most_rows(len(packages))
    for name in dict.fromkeys([*packages, *plan.to_fetch, *others]):
        before = _before(store, previous, name)
        merged = store.counts(name)
        if package := packages.get(name):
            _write_entry(package, store, merged, before, writer)
        counts = merged.counts if merged else _earlier(before, name)
        if counts is not None:
            writer.history(name, counts)
        if before:
            today = plan.created_at.date()
            of_days = update_track_record(before, name, counts, outages, today, most=most)
            # Of a package that was not fetched, silence does not mean that nobody downloaded it.
            through = store.known_through if merged else None
            of_totals = update_total_record(
                before, name, counts, outages, today, through=through, most=most
            )
            writer.record(name, *of_days, *of_totals)
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
            outages=store.outages_within,
            packages={},
        )
    )


def check_worth(manifest: Manifest, previous: Bundle | None, output: Path) -> None:
    """Refuse a bundle that is not worth publishing.

    Raises:
        BundleError: if nothing could be trained, or no model has a newer day than before.
    """
    known = previous.modelled if previous else {}
    trained, learnt = 0, False
    for name, entry in manifest.packages.items():
        if entry.status == "trained":
            before = known.get(name)
            trained += 1
            learnt = learnt or before is None or before.trained_through != entry.trained_through
    if not trained:
        raise BundleError(f"no package could be trained; {output} is unchanged")
    if (stale := staleness(manifest)) and not learnt:
        raise BundleError(f"there are no newer counts: {stale}; {output} is unchanged")


def _to_publish(plan: Plan, previous: Bundle | None) -> Iterator[Package]:
    """What was asked for, and configured packages whose model would be lost otherwise."""
    yield from plan.packages
    asked = {package.name for package in plan.packages}
    modelled = set(previous.names if previous else ()) - asked
    yield from (package for package in plan.configured if package.name in modelled)


def _write_entry(
    package: Package,
    store: Store,
    merged: Merged | None,
    previous: Bundle | None,
    writer: Writer,
) -> None:
    name, plan = package.name, store.plan
    outcome = store.outcome(name)
    untrained = NOT_TRAINED if merged else store.failure(name) or NOT_ASKED
    reason = outcome.reason if outcome else untrained
    if outcome and outcome.product:
        update = {
            "label": package.label,
            "title": package.title,
            "status": "trained",
            "reason": "",
            "parts": store.parts(name) if package.is_group else (),
            "trained_at": plan.created_at,
            "revised": merged.revised if merged else 0,
            "seconds": round(outcome.seconds, 3),
        }
        entry = outcome.product.entry.model_copy(update=update)
        try:
            _check_days(entry, plan)
            _add(writer, name, entry, outcome.product)
        except BundleError as error:
            reason = f"what was trained was refused: {error}"
        else:
            return
    entry, carried = carry_over(previous, package, reason, plan)
    if carried is not None:
        try:
            _add(writer, name, entry, carried)
        except BundleError as error:
            entry, _ = carry_over(None, package, f"{reason}; its earlier model: {error}", plan)
        else:
            return
    writer.skip(name, entry)


def _check_days(entry: PackageEntry, plan: Plan) -> None:
    """Refuse a model that knows of days after the run."""
    through = entry.trained_through
    if through is None or through > plan.created_at.date():
        raise BundleError(f"it is trained through {through}, which lies after the run")


def _before(store: Store, previous: Bundle | None, name: str) -> Bundle | None:
    """The previous bundle; None for a group that is the sum of other packages now."""
    if not name.startswith(GROUP):
        return previous
    return predecessor(previous, name, store.plan, store.parts(name))


def _add(writer: Writer, name: str, entry: PackageEntry, product: Product) -> None:
    totals, pictures = product.totals, product.pictures
    writer.add(name, entry, product.model, product.forecast, totals=totals, pictures=pictures)


def _earlier(previous: Bundle | None, name: str) -> pd.Series[int] | None:
    """The counts that the previous bundle has of a package."""
    return previous.history(name) if previous and previous.has_history(name) else None
