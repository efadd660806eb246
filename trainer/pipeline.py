"""A training run: fetch, repair, train every package, write the bundle.

What fails stays with its package. Training is a pure function of a task, so any
executor may run it; what came of it is put in the order of the config.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.errors import DownloadsError, ForecastError, SeriesError, UnknownPackageError
from forecast.history import merge_all
from forecast.manifest import Backtest, Manifest, MemberEntry, PackageEntry
from forecast.series import Series, common_outages, recent, regular
from forecast.writer import Writer
from trainer.drawing import badge, chart
from trainer.previous import NOT_ASKED, carry_over
from trainer.record import keep_record, most_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from forecast.arima.search import Trained
    from forecast.bundle import Bundle
    from forecast.config import Config, Package
    from forecast.model import Member, Model
    from trainer.sources import Source

    Execute = Callable[[Sequence["Task"]], Iterable["Outcome"]]
    Track = Callable[[Iterable["Package"]], Iterable["Package"]]

MOST_FAILURES_RUNNING = 3


@dataclass(frozen=True)
class Task:
    """All that the training of one package depends on."""

    name: str
    series: Series
    horizon: int
    m_values: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a task: a model, or the reason why there is none."""

    name: str
    trained: Trained | None
    reason: str
    seconds: float


@dataclass(frozen=True)
class Run:
    """Where and when this run happens; the manifest repeats it."""

    created_at: dt.datetime
    commit: str
    run: str
    versions: Mapping[str, str]


def train_package(task: Task) -> Outcome:
    """Search, backtest and fit one package; never raises."""
    from forecast.arima.search import train  # noqa: PLC0415 - pmdarima loads where it is used

    begun = time.process_time()
    trained, reason = None, ""
    try:
        series = task.series
        trained = train(series.values, series.start, horizon=task.horizon, m_values=task.m_values)
    except ForecastError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - one package's surprise must not end the others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        reason = f"training failed at {place}: {type(error).__name__}: {error}"
    return Outcome(task.name, trained, reason, time.process_time() - begun)


def fetch(
    packages: Iterable[Package], source: Source
) -> tuple[dict[str, pd.Series[int]], dict[str, str]]:
    """Counts by package, and the reasons of those that have none.

    A source that fails three packages running is not asked for the rest: each failure
    may have cost many minutes of patience.
    """
    counts: dict[str, pd.Series[int]] = {}
    failures: dict[str, str] = {}
    running = 0
    for package in packages:
        if running >= MOST_FAILURES_RUNNING:
            failures[package.name] = "not asked for: the source failed too often before"
            continue
        try:
            counts[package.name] = source.daily(package.name)
            running = 0
        except UnknownPackageError as error:
            failures[package.name] = str(error)
        except DownloadsError as error:
            failures[package.name] = str(error)
            running += 1
    return counts, failures


def prepare(
    counts: Mapping[str, pd.Series[int]], config: Config, outages: frozenset[dt.date]
) -> tuple[list[Task], dict[str, str]]:
    """A task for each series that can be made regular, and the reasons of the others."""
    tasks: list[Task] = []
    failures: dict[str, str] = {}
    for name, each in counts.items():
        try:
            series = regular(recent(each), outages)
        except SeriesError as error:
            failures[name] = str(error)
        else:
            tasks.append(Task(name, series, config.forecast_days, config.m_values))
    return tasks, failures


def run_pipeline(
    config: Config,
    packages: Sequence[Package],
    source: Source,
    run: Run,
    folder: Path,
    *,
    previous: Bundle | None,
    execute: Execute,
    track: Track,
) -> Manifest:
    """Train the packages; the bundle has an entry for each, with a model or a reason.

    What could not be trained now, or was not asked for, keeps the model of the previous
    bundle and says so. No day of the previous bundle's history is lost.

    Args:
        config: horizon, m values, known outages.
        packages: what to train, in this order.
        source: where the counts come from.
        run: what the manifest says of this run.
        folder: an empty folder for the bundle.
        previous: the bundle to go on from, if there is one.
        execute: runs ``train_package`` over the tasks, in any order.
        track: shows the progress of the fetch.
    """
    fetched, failures = fetch(track(packages), source)
    known = {name: previous.history(name) for name in previous.observed} if previous else {}
    histories = merge_all(known, fetched)
    counts = {name: histories[name].counts for name in fetched}
    outages = config.outages | common_outages(counts)
    tasks, refused = prepare(counts, config, outages)
    outcomes = {outcome.name: outcome for outcome in execute(tasks)}
    failures |= refused | {name: each.reason for name, each in outcomes.items() if each.reason}
    series = {task.name: task.series for task in tasks}

    writer = Writer(folder)
    for name, merged in histories.items():
        writer.history(name, merged.counts)
    for package in _to_publish(config, packages, previous):
        name = package.name
        outcome = outcomes.get(name)
        if outcome and outcome.trained:
            model: Model | None = outcome.trained.model
            entry = _entry(package, outcome.trained, series[name]).model_copy(
                update={
                    "trained_at": run.created_at,
                    "revised": histories[name].revised,
                    "seconds": round(outcome.seconds, 3),
                }
            )
        else:
            reason = failures.get(name, NOT_ASKED)
            entry, model = carry_over(previous, package, reason)
        if model is None:
            writer.skip(name, entry)
        else:
            days = config.forecast_days
            pictures = _pictures(package, model, days) if source.kind != "sample" else {}
            writer.add(name, entry, model, model.predict(days), pictures)
    if previous:
        names = dict.fromkeys([*previous.names, *previous.recorded])
        most, today = most_rows(len(names)), run.created_at.date()
        for name in names:
            counts_of = histories[name].counts if name in histories else None
            writer.record(*keep_record(previous, name, counts_of, outages, today, most=most))
    return writer.close(
        Manifest(
            created_at=run.created_at,
            commit=run.commit,
            run=run.run,
            versions=dict(run.versions),
            source=source.kind,
            mirrors=config.mirrors,
            forecast_days=config.forecast_days,
            m_values=config.m_values,
            outages=tuple(sorted(_seen(outages, series.values()))),
            packages={},
        )
    )


def _pictures(package: Package, model: Model, days: int) -> dict[str, str]:
    """A chart and a badge; sample data has none, for nobody could tell there."""
    label = package.label
    return {
        f"{package.name}.svg": chart(label, model, days),
        f"{package.name}.badge.svg": badge(label, model.total(days), days),
    }


def _to_publish(
    config: Config, packages: Sequence[Package], previous: Bundle | None
) -> Iterator[Package]:
    """What was asked for, and what of the config has a model that would else be lost."""
    yield from packages
    asked = {package.name for package in packages}
    kept = set(previous.names if previous else ()) - asked
    yield from (package for package in config.packages if package.name in kept)


def _seen(outages: Iterable[dt.date], series: Iterable[Series]) -> Iterator[dt.date]:
    """The outages that lie within what was fetched."""
    spans = [(each.start, each.last_day) for each in series]
    if not spans:
        return
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    yield from (day for day in outages if first <= day <= last)


def _entry(package: Package, trained: Trained, series: Series) -> PackageEntry:
    return PackageEntry(
        label=package.label,
        status="trained",
        m=trained.m,
        order=trained.order,
        seasonal_order=trained.seasonal_order,
        members=tuple(_member_entry(member) for member in trained.model.members),
        candidates=trained.candidates,
        note=trained.model.note,
        trained_through=trained.model.last_day,
        n_obs=len(series.values),
        repaired=series.repaired,
        backtest=Backtest.model_validate(trained.scores, from_attributes=True),
    )


def _member_entry(member: Member) -> MemberEntry:
    fields = {name: getattr(member, name) for name in MemberEntry.model_fields}
    return MemberEntry.model_validate(fields | {"profile": len(member.profile)})
