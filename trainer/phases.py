"""The phases of a run as the command line asks for them."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast.bundle.reader import read_folder
from forecast.bundle.replace import replacing
from forecast.bundle.writer import Writer
from forecast.config import counted_names
from forecast.errors import BundleError, ConfigError, ForecastError
from forecast.record.weeks import last_week
from trainer.engines import local
from trainer.fetch import fetch
from trainer.inputs import make_plan, open_previous, other_repository
from trainer.join import check_worth, join
from trainer.previous import forget, reopen
from trainer.reports.console import told
from trainer.site.site import SITE, write_site
from trainer.store import Store, remove
from trainer.train import train

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from forecast.config import Config
    from forecast.sources.source import Source
    from trainer.arguments import Arguments
    from trainer.engines.task import Outcome, Task
    from trainer.fetch import Fetched
    from trainer.inputs import Environment
    from trainer.reports.console import Console

MOST_JOBS = 256  # of a matrix of GitHub Actions

log = logging.getLogger("trainer")


@dataclass(frozen=True)
class Phases:
    """One call of the program. Its phases share only the folder of the run."""

    arguments: Arguments
    environment: Environment
    console: Console

    def fetch(self, config: Config, source: Source) -> None:
        """Fetch the counts that are not there yet."""
        arguments, environment = self.arguments, self.environment
        if other := other_repository(config, environment):
            self.console.warn(other, in_summary=True)
        previous = open_previous(arguments, config, source, environment, self.console)
        plan = make_plan(arguments, config, source, previous, environment)
        with closing(Store.begin(arguments.work, plan)) as store:
            fetch(store, source, previous, self._show_fetching)
            if arguments.phases == ("fetch",):
                self._divide(store.fetched())

    def train(self) -> None:
        """Train the packages of the part."""
        with closing(Store(self.arguments.work)) as store:
            train(store, self.arguments.part, self._execute)

    def join(self) -> None:
        """Write the bundle, and replace the previous one in the output folder."""
        arguments = self.arguments
        try:
            with closing(Store(arguments.work)) as store, replacing(arguments.output) as fresh:
                previous = reopen(arguments.work, store.plan)
                manifest = join(store, previous, Writer(fresh, store.plan.forecast_days))
                self.console.report(manifest)
                check_worth(manifest, previous, arguments.output)
                # The writer has run the models, whose digests the reader checks.
                written = read_folder(fresh)
                self.console.report_weeks(last_week(written, store.plan.redefined), manifest)
        except BundleError:
            self._remove_run()
            raise
        self._remove_run()
        models = sum(bool(entry.file) for entry in manifest.packages.values())
        log.info("%s written to %s", _counted(models, "model"), arguments.output)

    def site(self, config: Config) -> None:
        """Write the site of the bundle in the output folder; a failure is a warning.

        The bundle is published all the same, and the site of the run before stays.
        """
        arguments = self.arguments
        if arguments.site is None:
            return
        try:
            bundle = read_folder(arguments.output)
            with replacing(arguments.site, SITE) as fresh:
                write_site(bundle, config, fresh, arguments.jobs)
        except (ForecastError, OSError) as error:
            self.console.warn(f"the site was not written to {arguments.site}: {told(error)}")
        else:
            log.info("site of %s written to %s", counted_names(bundle.names), arguments.site)

    def _remove_run(self) -> None:
        forget(self.arguments.work)
        remove(self.arguments.work)

    def _divide(self, names: Collection[str]) -> None:
        """Tell the workflow the parts to train; none if one job can do it."""
        jobs = min(-(-len(names) // self.arguments.packages_per_job), MOST_JOBS)
        parts = [f"{number}/{jobs}" for number in range(1, jobs + 1)] if jobs > 1 else []
        shared = f", shared by {jobs} jobs" if parts else ""
        log.info("%s to train%s", counted_names(names), shared)
        if path := self.environment.step_output:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"parts={json.dumps(parts)}\n")

    def _execute(self, tasks: Iterable[Task], most: int) -> Iterator[Outcome]:
        arguments = self.arguments
        if arguments.cluster:
            outcomes = _on_cluster(tasks, arguments.cluster)
        else:
            outcomes = local.execute(tasks, min(arguments.jobs, max(most, 1)))
        return self.console.progress("training", outcomes, most, _outcome_line, "models")

    def _show_fetching(self, fetched: Iterator[Fetched], most: int) -> Iterator[Fetched]:
        return self.console.progress("fetching", fetched, most, _fetched_line, "packages")


def _on_cluster(tasks: Iterable[Task], address: str) -> Iterator[Outcome]:
    try:
        from trainer.engines import dask  # noqa: PLC0415 - Dask is optional
    except ImportError:
        raise ConfigError("--cluster needs Dask; pip install -r requirements/cluster.txt") from None
    return dask.execute(tasks, address)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _outcome_line(outcome: Outcome) -> str:
    return f"{outcome.name}: {outcome.reason or f'{outcome.seconds:.1f} s'}"


def _fetched_line(fetched: Fetched) -> str:
    name, counts = fetched
    if isinstance(counts, Exception):
        return f"could not fetch {name}: {counts}"
    return f"fetched {name}: {len(counts)} days"
