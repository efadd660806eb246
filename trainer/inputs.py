"""What a run works on: its environment, the source, the previous bundle, and the plan."""

from __future__ import annotations

import importlib.metadata
import logging
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.bundle.manifest import MANIFEST, PUBLIC, parse_manifest
from forecast.bundle.reader import read_folder
from forecast.errors import ArtifactError, BundleError, NoArtifactError
from forecast.github.api import API as GITHUB_API
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import new_session
from forecast.process import clock_of
from forecast.sources import clickhouse, pypistats
from forecast.sources.clickhouse import ClickHouse
from forecast.sources.folder import csv_folder
from forecast.sources.pypistats import PyPIStats
from forecast.sources.sample import Sample
from trainer.engines.fingerprint import source_digest
from trainer.plan import Plan
from trainer.previous import check_kind, digest, download, forget

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.sources.source import Source
    from trainer.arguments import Arguments
    from trainer.reports.console import Console

PROBE_SECONDS = 5.0
MAX_WAIT = 600.0  # seconds that a run waits for a rate limit of GitHub
LIBRARIES = ["holidays", "numpy", "pandas", "pmdarima", "statsmodels"]

log = logging.getLogger("trainer")


@dataclass(frozen=True)
class Environment:
    """What a run takes from the environment and the clock.

    Attributes:
        now: when the run began, to the second.
        token: GitHub's; empty if there is none.
        commit: of the checkout, on GitHub.
        run: page of the workflow run, on GitHub.
        repository: of the workflow run, as owner/name, on GitHub.
        repository_id: its number; None outside of GitHub.
        owner_id: the number of its owner; None outside of GitHub.
        step_output: the file that takes a step's outputs; None outside of GitHub.
    """

    now: dt.datetime
    token: str
    github_url: str
    pypistats_url: str
    clickhouse_url: str
    commit: str
    run: str
    repository: str
    repository_id: int | None
    owner_id: int | None
    step_output: Path | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Environment:
        """Read the clock and the variables.

        Raises:
            ConfigError: if SOURCE_DATE_EPOCH is no time.
        """
        get = environment.get
        server = get("GITHUB_SERVER_URL", "https://github.com")
        repository, run_id = get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID")
        step_output = get("GITHUB_OUTPUT")
        return cls(
            now=clock_of(environment)().replace(microsecond=0),
            token=get("GITHUB_TOKEN", ""),
            github_url=get("GITHUB_API_URL") or GITHUB_API,
            pypistats_url=get("PYPISTATS_URL") or pypistats.API,
            clickhouse_url=get("CLICKHOUSE_URL") or clickhouse.API,
            commit=get("GITHUB_SHA", ""),
            run=f"{server}/{repository}/actions/runs/{run_id}" if repository and run_id else "",
            repository=repository or "",
            repository_id=_number(get("GITHUB_REPOSITORY_ID")),
            owner_id=_number(get("GITHUB_REPOSITORY_OWNER_ID")),
            step_output=Path(step_output) if step_output else None,
        )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def open_source(name: str, config: Config, environment: Environment) -> Source:
    """The source of this name.

    Raises:
        ConfigError: if it does not exist or does not fit the config.
    """
    today = environment.now.date
    if name == "sample":
        return Sample(today())
    if name == "clickhouse":
        return ClickHouse(
            new_session(config.repository_url),
            url=environment.clickhouse_url,
            mirrors=config.mirrors,
            today=today,
        )
    if name not in {"pypistats", "auto"}:
        return csv_folder(Path(name), today())
    client = PyPIStats(
        new_session(config.repository_url),
        url=environment.pypistats_url,
        mirrors=config.mirrors,
        today=today,
    )
    if name == "auto" and not client.reachable(PROBE_SECONDS):
        log.warning("PyPI Stats cannot be reached: this is sample data, not real downloads")
        return Sample(today())
    return client


def open_previous(
    arguments: Arguments,
    config: Config,
    source: Source,
    environment: Environment,
    console: Console,
) -> Bundle | None:
    """The bundle to continue from: the published one if there is a token, else the output's.

    Returns:
        None, after a warning, if there is none, or outside of Actions if it cannot be used.

    Raises:
        ArtifactError: if there may be one and it cannot be used, on Actions.
    """
    here = (arguments.output / MANIFEST).is_file()
    published = environment.token or (console.on_actions and not here)
    forget(arguments.work)
    if source.kind not in PUBLIC or not (published or here):
        return None

    def check(bundle: Bundle) -> Bundle:
        return check_kind(bundle, kind=source.kind, mirrors=config.mirrors)

    try:
        if not published:
            return check(read_folder(arguments.output))
        client = _artifacts(config, environment)
        return download(client, arguments.work, console.warn, check)
    except (ArtifactError, BundleError) as error:
        forget(arguments.work)
        if console.on_actions and not isinstance(error, NoArtifactError):
            # A bundle published without the previous one would lose the history for good.
            raise ArtifactError(
                "the previous bundle could not be fetched, and nothing is published, so that its "
                f"history is not lost: {str(error).rstrip('.')}. Then run the workflow again, "
                "whose own token has the rights that stand under permissions in its file; to begin "
                f"without an earlier history, delete the artifacts called {config.artifact_name} "
                "on the pages of their runs."
            ) from None
        console.warn(
            f"continuing from this fetch only, without the earlier history and models: {error}"
        )
        return None


def has_sample(arguments: Arguments, config: Config, environment: Environment) -> bool:
    """Whether the output is a sample of today with models of every package asked for."""
    try:
        manifest = parse_manifest((arguments.output / MANIFEST).read_bytes())
    except (OSError, BundleError):
        return False
    asked = {package.name for package in arguments.packages or config.packages}
    return (
        manifest.source == "sample"
        and manifest.created_at.date() == environment.now.date()
        and (manifest.forecast_days, manifest.m_values) == (config.forecast_days, config.m_values)
        and asked <= manifest.modelled.keys()
    )


def other_repository(config: Config, environment: Environment) -> str:
    """That run and config name different repositories, as a fork with an unedited config does."""
    named, ours = f"{config.username}/{config.repo_name}", environment.repository
    if not ours or ours.lower() == named.lower():
        return ""
    owner, _, name = ours.partition("/")
    return (
        f"this run is of {ours}, but config.toml names {named}, whose models a page with this "
        f'config would show: set username = "{owner}" and repo_name = "{name}" in config.toml'
    )


def make_plan(
    arguments: Arguments,
    config: Config,
    source: Source,
    previous: Bundle | None,
    environment: Environment,
) -> Plan:
    """The plan of this run."""
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    from_folder = previous is not None and not environment.token
    return Plan(
        created_at=environment.now,
        commit=environment.commit,
        run=environment.run,
        versions={"python": platform.python_version(), **versions},
        code=source_digest(),
        source=source.kind,
        requested_source=arguments.source or config.source,
        mirrors=config.mirrors,
        forecast_days=config.forecast_days,
        m_values=config.m_values,
        packages=config.chosen(arguments.packages),
        configured=config.everything,
        parts=config.parts,
        outages=tuple(sorted(config.outages)),
        redefined=config.redefined,
        previous=digest(previous) if previous else "",
        previous_folder=str(arguments.output.absolute()) if from_folder else "",
    )


def _artifacts(config: Config, environment: Environment) -> GitHubArtifacts:
    owner, _, name = environment.repository.partition("/")
    if owner and name:  # where this run's own artifacts are, whatever the config says
        ids = {"repository_id": environment.repository_id, "owner_id": environment.owner_id}
        known = {key: number for key, number in ids.items() if number}
        config = config.model_copy(update={"username": owner, "repo_name": name, **known})
    return GitHubArtifacts.configured(
        config,
        token=environment.token,
        url=environment.github_url,
        clock=lambda: environment.now,
        attempts=4,
        max_wait=MAX_WAIT,
    )
