"""The trainer's command line: arguments and environment in, exit status out."""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from forecast import github
from forecast.artifacts import GitHubArtifacts
from forecast.bundle import read_folder
from forecast.clock import clock_of
from forecast.config import Config, load_config, parse_packages
from forecast.downloads import API, PyPIStats
from forecast.errors import ArtifactError, BundleError, ConfigError, ForecastError
from forecast.folder import check_target, replacing
from forecast.manifest import MANIFEST
from forecast.web import new_session
from trainer.pipeline import Run, run_pipeline
from trainer.previous import check_kind, newest_published
from trainer.sources import Live, Sample, Source, folder
from trainer.summary import annotation, markdown, plain, staleness, warnings_of
from trainer.workers import cores, execute

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forecast.bundle import Bundle
    from forecast.config import Package
    from forecast.manifest import Manifest
    from trainer.pipeline import Outcome, Task

DONE, NOTHING_TRAINED, WRONG_USAGE = 0, 1, 2
ROOT = Path(__file__).resolve().parent.parent
PROBE_SECONDS = 5.0
LIBRARIES = ["numpy", "pandas", "pmdarima", "statsmodels"]

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


@dataclass(frozen=True)
class Job:
    """What the arguments ask for."""

    config: Config
    packages: Sequence[Package]
    source: Source
    output: Path
    processes: int


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Train as told and write the bundle; the exit status of the program."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    on_actions = environment.get("GITHUB_ACTIONS") == "true"
    try:
        surroundings = Surroundings.read(environment)
        job = _prepare(arguments, environment, surroundings)
    except (ConfigError, BundleError) as error:
        return _complain(str(error), WRONG_USAGE, on_actions=on_actions)
    try:
        previous = _previous(job, surroundings, environment)
        with replacing(job.output) as fresh:
            manifest = _train(job, fresh, previous, surroundings, environment)
            _report(manifest, surroundings, environment)
            if refusal := _why_not_to_publish(manifest, previous):
                raise BundleError(f"{refusal}; {job.output} is as it was")
    except (ForecastError, OSError) as error:
        return _complain(str(error), NOTHING_TRAINED, on_actions=on_actions)
    log.info("%d models written to %s", len(manifest.modelled), job.output)
    return DONE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see python -m trainer --help")


def _parse(arguments: Sequence[str], environment: Mapping[str, str]) -> argparse.Namespace:
    parser = _Parser(prog="python -m trainer", description="Train and publish forecasts.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help="default: the config's")
    parser.add_argument(
        "--config",
        type=Path,
        default=Path(environment.get("FORECAST_CONFIG") or ROOT / "config.toml"),
        help="default: $FORECAST_CONFIG, else config.toml beside the packages",
    )
    parser.add_argument(
        "--source",
        default="pypistats",
        help="pypistats (default), sample, auto (pypistats, or sample if it cannot be reached), "
        "or a folder with one <package>.csv (date,downloads) a package",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("models"), help="folder for the bundle; default: models"
    )
    parser.add_argument(
        "--jobs", type=_positive, default=cores(), help="processes; default: all processors"
    )
    return parser.parse_args(arguments)


def _prepare(
    arguments: Sequence[str], environment: Mapping[str, str], surroundings: Surroundings
) -> Job:
    options = _parse(arguments, environment)
    config = load_config(options.config)
    packages = parse_packages(options.packages) or config.packages
    check_target(options.output)
    source = _source(options.source, config, surroundings, environment)
    return Job(config, packages, source, options.output, options.jobs)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "number from 1 on"  # argparse puts it into its message


def _source(
    choice: str, config: Config, surroundings: Surroundings, environment: Mapping[str, str]
) -> Source:
    if choice == "sample":
        return Sample(surroundings.now.date())
    if choice not in {"pypistats", "auto"}:
        return folder(Path(choice))
    client = PyPIStats(
        new_session(config.repository_url),
        url=environment.get("PYPISTATS_URL") or API,
        mirrors=config.mirrors,
        today=surroundings.now.date,
    )
    if choice == "auto" and not client.reachable(PROBE_SECONDS):
        log.warning("PyPI Stats cannot be reached: this is sample data, not real downloads")
        return Sample(surroundings.now.date())
    return Live(client)


def _previous(
    job: Job, surroundings: Surroundings, environment: Mapping[str, str]
) -> Bundle | None:
    """The bundle to go on from: the published one where there is a token, else the folder's."""
    token = environment.get("GITHUB_TOKEN")
    if job.source.kind != "pypistats" or not (token or (job.output / MANIFEST).is_file()):
        return None
    config = job.config
    try:
        if token:
            client = GitHubArtifacts.configured(
                config,
                token=token,
                url=environment.get("GITHUB_API_URL") or github.API,
                clock=lambda: surroundings.now,
                attempts=4,
            )
            bundle = newest_published(client)
        else:
            bundle = read_folder(job.output)
        return check_kind(bundle, kind=job.source.kind, mirrors=config.mirrors)
    except (ArtifactError, BundleError) as error:
        unasked = isinstance(error, github.PassingError) or getattr(error, "retry_after", 0.0) > 0
        if unasked and surroundings.on_actions:
            # Published without it, this run's bundle would end the history for good.
            raise ArtifactError(f"the bundle before could not be asked for: {error}") from None
        message = f"going on from this fetch alone, without earlier history and models: {error}"
        _say("warning", message, on_actions=surroundings.on_actions)
        return None


def _why_not_to_publish(manifest: Manifest, previous: Bundle | None) -> str:
    """Why a bundle is not worth publishing; empty where it is."""
    entries = manifest.packages
    trained = {name: entry for name, entry in entries.items() if entry.status == "trained"}
    if not trained:
        return "no package could be trained"
    known = previous.manifest.modelled if previous else {}
    through = {name: entry.trained_through for name, entry in known.items()}
    if stale := staleness(manifest):
        learnt = any(through.get(name) != each.trained_through for name, each in trained.items())
        return "" if learnt else f"nothing new was learnt, for {stale}"
    return ""


def _train(
    job: Job,
    folder: Path,
    previous: Bundle | None,
    surroundings: Surroundings,
    environment: Mapping[str, str],
) -> Manifest:
    def track(packages: Iterable[Package]) -> Iterator[Package]:
        bar = tqdm(packages, "fetching", unit=" packages", disable=not surroundings.on_terminal)
        for package in bar:
            if not surroundings.on_terminal:
                log.info("fetching %s", package.label)
            yield package

    def execute_with_progress(tasks: Sequence[Task]) -> Iterator[Outcome]:
        quiet = not surroundings.on_terminal
        outcomes = execute(tasks, job.processes)
        bar = tqdm(outcomes, "training", len(tasks), unit=" packages", disable=quiet)
        for outcome in bar:
            if quiet:
                log.info("%s: %s", outcome.name, outcome.reason or f"{outcome.seconds:.1f} s")
            yield outcome

    return run_pipeline(
        job.config,
        job.packages,
        job.source,
        _describe(surroundings, environment),
        folder,
        previous=previous,
        execute=execute_with_progress,
        track=track,
    )


def _describe(surroundings: Surroundings, environment: Mapping[str, str]) -> Run:
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    repository, run_id = environment.get("GITHUB_REPOSITORY"), environment.get("GITHUB_RUN_ID")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    return Run(
        created_at=surroundings.now,
        commit=environment.get("GITHUB_SHA", ""),
        run=f"{server}/{repository}/actions/runs/{run_id}" if repository and run_id else "",
        versions={"python": platform.python_version(), **versions},
    )


def _report(manifest: Manifest, surroundings: Surroundings, environment: Mapping[str, str]) -> None:
    if manifest.modelled:
        log.info("\n%s\n", plain(manifest))
    for entry in manifest.packages.values():
        if entry.status != "trained":
            log.warning("%s: %s", entry.label, entry.reason)
    if stale := staleness(manifest):
        _say("error", stale, on_actions=surroundings.on_actions)
    if not surroundings.on_actions:
        return
    for line in warnings_of(manifest):
        print(line)  # noqa: T201 - GitHub reads workflow commands from standard output
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown(manifest))


def _complain(message: str, status: int, *, on_actions: bool) -> int:
    _say("error", message, on_actions=on_actions)
    return status


def _say(level: str, message: str, *, on_actions: bool) -> None:
    line = " ".join(message.split())
    if on_actions:
        print(annotation(level, line))  # noqa: T201 - as above
    else:
        log.log(logging.ERROR if level == "error" else logging.WARNING, "%s", line)
