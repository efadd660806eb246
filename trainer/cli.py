"""The trainer's command line: arguments and environment in, exit status out."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import platform
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from forecast.bundle.manifest import MANIFEST, PUBLIC
from forecast.bundle.reader import read_folder
from forecast.bundle.replace import check_target, replacing
from forecast.bundle.writer import Writer
from forecast.clock import clock_of
from forecast.config import load_config
from forecast.errors import ArtifactError, BundleError, ConfigError, ForecastError
from forecast.github.api import API as GITHUB_API
from forecast.github.api import TransientArtifactError
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import new_session
from forecast.sources import clickhouse
from forecast.sources.clickhouse import ClickHouse
from forecast.sources.folder import csv_folder
from forecast.sources.pypistats import API, PyPIStats
from forecast.sources.sample import Sample
from trainer.arguments import parse
from trainer.engines.fingerprint import source_digest
from trainer.engines.local import execute
from trainer.fetch import fetch
from trainer.join import join
from trainer.previous import check_kind, digest, download, forget, reopen
from trainer.reports.summary import annotation, markdown, plain, staleness, warnings_of
from trainer.train import train
from trainer.work import Plan, Work, remove

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from forecast.bundle.manifest import Manifest
    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.sources.source import CountsOrError, Source
    from trainer.arguments import Arguments
    from trainer.engines.task import Outcome, Task

DONE, NOTHING_TRAINED, WRONG_USAGE = 0, 1, 2
PROBE_SECONDS = 5.0
PATIENCE = 600.0  # seconds that a run waits for a rate limit of GitHub
LIBRARIES = ["numpy", "pandas", "pmdarima", "statsmodels"]
MOST_JOBS = 256  # of a matrix

T = TypeVar("T")

log = logging.getLogger("trainer")


@dataclass(frozen=True)
class Surroundings:
    """What the run is told by its environment."""

    now: dt.datetime
    on_actions: bool
    on_terminal: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Surroundings:
        """Read the clock, GitHub's variables and what standard error is.

        Raises:
            ConfigError: if SOURCE_DATE_EPOCH is no time.
        """
        now = clock_of(environment)().replace(microsecond=0)
        on_actions = environment.get("GITHUB_ACTIONS") == "true"
        return cls(now, on_actions, on_terminal=sys.stderr.isatty() and not on_actions)


def run(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do the phases as told; the exit status of the program."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    on_actions = environment.get("GITHUB_ACTIONS") == "true"
    try:
        arguments, surroundings = parse(words, environment), Surroundings.read(environment)
        job = _Job(arguments, surroundings, environment)
        if "join" in arguments.phases:
            check_target(arguments.output)
        config, source = job.order() if "fetch" in arguments.phases else (None, None)
    except (ConfigError, BundleError) as error:
        return _complain(str(error), WRONG_USAGE, on_actions=on_actions)
    try:
        if config and source:
            job.fetch(config, source)
        if "train" in arguments.phases:
            job.train()
        if "join" in arguments.phases:
            job.join()
    except (ForecastError, OSError, sqlite3.Error) as error:
        return _complain(str(error), NOTHING_TRAINED, on_actions=on_actions)
    return DONE


@dataclass(frozen=True)
class _Job:
    """One call of the program; its phases share nothing but the folder of the run."""

    arguments: Arguments
    surroundings: Surroundings
    environment: Mapping[str, str]

    def order(self) -> tuple[Config, Source]:
        """What to fetch, and from where.

        Raises:
            ConfigError: if the config or the source is wrong.
        """
        config = load_config(self.arguments.config)
        return config, self._source(config)

    def fetch(self, config: Config, source: Source) -> None:
        """Ask for what is not there yet."""
        previous = self._previous(config, source)
        plan = self._plan(config, source, previous)
        with closing(Work.begin(self.arguments.work, plan)) as work:
            fetch(work, source, previous, self._show_fetching)
            if self.arguments.phases == ("fetch",):
                self._tell_parts(len(work.counted()))

    def train(self) -> None:
        """Train the part of this machine."""
        with closing(Work(self.arguments.work)) as work:
            train(work, self.arguments.part, self._execute)

    def join(self) -> None:
        """Make the bundle, and put it into the place of the one before."""
        arguments = self.arguments
        try:
            with closing(Work(arguments.work)) as work, replacing(arguments.output) as fresh:
                previous = reopen(arguments.work, work.plan)
                manifest = join(work, previous, Writer(fresh))
                self._report(manifest)
                _check_worth(manifest, previous, arguments.output)
        except BundleError:
            self._end()
            raise
        self._end()
        models = sum(bool(entry.file) for entry in manifest.packages.values())
        log.info("%d models written to %s", models, arguments.output)

    def _end(self) -> None:
        forget(self.arguments.work)
        remove(self.arguments.work)

    def _source(self, config: Config) -> Source:
        choice, today = self.arguments.source or config.source, self.surroundings.now.date
        if choice == "sample":
            return Sample(today())
        if choice == "clickhouse":
            return ClickHouse(
                new_session(config.repository_url),
                url=self.environment.get("CLICKHOUSE_URL") or clickhouse.API,
                mirrors=config.mirrors,
                today=today,
            )
        if choice not in {"pypistats", "auto"}:
            return csv_folder(Path(choice))
        client = PyPIStats(
            new_session(config.repository_url),
            url=self.environment.get("PYPISTATS_URL") or API,
            mirrors=config.mirrors,
            today=today,
        )
        if choice == "auto" and not client.reachable(PROBE_SECONDS):
            log.warning("PyPI Stats cannot be reached: this is sample data, not real downloads")
            return Sample(today())
        return client

    def _previous(self, config: Config, source: Source) -> Bundle | None:
        """The bundle to go on from: the published one where there is a token, else the folder's."""
        arguments, token = self.arguments, self.environment.get("GITHUB_TOKEN")
        forget(arguments.work)
        if source.kind not in PUBLIC or not (token or (arguments.output / MANIFEST).is_file()):
            return None
        try:
            if token:
                bundle = download(self._github(config, token), arguments.work, self._warn)
            else:
                bundle = read_folder(arguments.output)
            return check_kind(bundle, kind=source.kind, mirrors=config.mirrors)
        except (ArtifactError, BundleError) as error:
            forget(arguments.work)
            unasked = (
                isinstance(error, TransientArtifactError) or getattr(error, "retry_after", 0.0) > 0
            )
            if unasked and self.surroundings.on_actions:
                # Published without it, this run's bundle would end the history for good.
                raise ArtifactError(f"the bundle before could not be asked for: {error}") from None
            message = f"going on from this fetch alone, without earlier history and models: {error}"
            self._warn(message)
            return None

    def _warn(self, message: str) -> None:
        _say("warning", message, on_actions=self.surroundings.on_actions)

    def _github(self, config: Config, token: str) -> GitHubArtifacts:
        return GitHubArtifacts.configured(
            config,
            token=token,
            url=self.environment.get("GITHUB_API_URL") or GITHUB_API,
            clock=lambda: self.surroundings.now,
            attempts=4,
            max_wait=PATIENCE,
        )

    def _plan(self, config: Config, source: Source, previous: Bundle | None) -> Plan:
        get = self.environment.get
        repository, run_id = get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID")
        server = get("GITHUB_SERVER_URL", "https://github.com")
        versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
        from_folder = previous is not None and not get("GITHUB_TOKEN")
        return Plan(
            created_at=self.surroundings.now,
            commit=get("GITHUB_SHA", ""),
            run=f"{server}/{repository}/actions/runs/{run_id}" if repository and run_id else "",
            versions={"python": platform.python_version(), **versions},
            code=source_digest(),
            source=source.kind,
            origin=self.arguments.source or config.source,
            mirrors=config.mirrors,
            forecast_days=config.forecast_days,
            m_values=config.m_values,
            packages=self.arguments.packages or config.packages,
            configured=config.packages,
            outages=tuple(sorted(config.outages)),
            previous=digest(previous) if previous else "",
            previous_folder=str(self.arguments.output.absolute()) if from_folder else "",
        )

    def _tell_parts(self, packages: int) -> None:
        """Tell the workflow which parts to train in a job each; none if one job does for all."""
        jobs = min(-(-packages // self.arguments.packages_per_job), MOST_JOBS)
        parts = [f"{number}/{jobs}" for number in range(1, jobs + 1)] if jobs > 1 else []
        log.info("%d packages to train%s", packages, f", by {jobs} jobs" if parts else "")
        if path := self.environment.get("GITHUB_OUTPUT"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"parts={json.dumps(parts)}\n")

    def _execute(self, tasks: Iterable[Task], most: int) -> Iterator[Outcome]:
        arguments = self.arguments
        if arguments.cluster:
            from trainer.engines import dask as cluster  # noqa: PLC0415 - Dask is there for who asks for it

            outcomes = cluster.execute(tasks, arguments.cluster)
        else:
            outcomes = execute(tasks, min(arguments.jobs, max(most, 1)))
        yield from self._show(
            "training", outcomes, most, lambda each: f"{each.name}: {_how_it_went(each)}"
        )

    def _show_fetching(
        self, answers: Iterator[tuple[str, CountsOrError]], most: int
    ) -> Iterator[tuple[str, CountsOrError]]:
        return self._show("fetching", answers, most, lambda each: f"fetched {_what_came(*each)}")

    def _show(
        self, what: str, things: Iterable[T], most: int, line: Callable[[T], str]
    ) -> Iterator[T]:
        """Show the progress: a bar on a terminal, else a line for each of few, or for each 1 %."""
        if self.surroundings.on_terminal:
            yield from tqdm(things, what, most, unit=" packages")
            return
        step = max(most // 100, 1)
        for number, thing in enumerate(things, 1):
            if number % step == 0:
                done = f"{what} {number} of {most}: " if step > 1 else ""
                log.info("%s%s", done, line(thing))
            yield thing

    def _report(self, manifest: Manifest) -> None:
        on_actions = self.surroundings.on_actions
        if table := plain(manifest):
            log.info("\n%s\n", table)
        for entry in manifest.packages.values():
            if entry.status != "trained":
                log.warning("%s: %s", entry.label, entry.reason)
        if stale := staleness(manifest):
            _say("error", stale, on_actions=on_actions)
        if not on_actions:
            return
        for text in warnings_of(manifest):
            print(text)  # noqa: T201 - GitHub reads workflow commands from standard output
        if path := self.environment.get("GITHUB_STEP_SUMMARY"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(markdown(manifest))


def _check_worth(manifest: Manifest, previous: Bundle | None, output: Path) -> None:
    """Refuse a bundle that is not worth publishing.

    Raises:
        BundleError: if nothing could be trained, or nothing new was learnt.
    """
    known = previous.modelled if previous else {}
    trained, learnt = 0, False
    for name, entry in manifest.packages.items():
        if entry.status == "trained":
            before = known.get(name)
            trained += 1
            learnt = learnt or before is None or before.trained_through != entry.trained_through
    if not trained:
        raise BundleError(f"no package could be trained; {output} is as it was")
    if (stale := staleness(manifest)) and not learnt:
        raise BundleError(f"nothing new was learnt, for {stale}; {output} is as it was")


def _how_it_went(outcome: Outcome) -> str:
    return outcome.reason or f"{outcome.seconds:.1f} s"


def _what_came(name: str, answer: CountsOrError) -> str:
    return f"{name}: {answer if isinstance(answer, Exception) else f'{len(answer)} days'}"


def _complain(message: str, status: int, *, on_actions: bool) -> int:
    _say("error", message, on_actions=on_actions)
    return status


def _say(level: str, message: str, *, on_actions: bool) -> None:
    line = " ".join(message.split())
    if on_actions:
        print(annotation(level, line))  # noqa: T201 - as above
    else:
        log.log(logging.ERROR if level == "error" else logging.WARNING, "%s", line)
