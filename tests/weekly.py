"""The weekly job in this process: the real command, with a model without a search."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from forecast.bundle.reader import read_folder
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import HeaderTimeoutAdapter, new_session
from forecast.sources.clickhouse import ClickHouse
from forecast.sources.pypistats import PyPIStats
from tests.bundles import SEARCHED, model_of, zip_of
from trainer import cli, inputs
from trainer.engines import local
from trainer.engines.task import Outcome, product_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pytest
    import requests

    from forecast.bundle.reader import Bundle
    from tests.standins.clickhouse import ClickHouseServer
    from tests.standins.github import GitHubServer
    from tests.standins.pypistats import PyPIStatsServer
    from trainer.engines.task import Task

CONFIG = """\
packages = [{packages}]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [7]
"""


class Seconds:
    """A clock that only advances during a sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def estimated(task: Task) -> Outcome:
    """A model of which everything but the searched ARIMA is estimated."""
    unknown = dict.fromkeys(
        ["mase", "naive_mase", "ratio", "coverage_80", "coverage_95", "total_error"]
    )
    trained = SimpleNamespace(
        model=model_of(task.series.start, task.series.values),
        scores=SimpleNamespace(origins=0, **unknown),
        m=7,
        order=SEARCHED.order,
        seasonal_order=SEARCHED.seasonal_order,
        candidates=1,
    )
    product = product_of(task, trained)  # type: ignore[arg-type] # what it reads is there
    return Outcome(task.name, product, "", 0.0)


def without_search(tasks: Iterable[Task], _jobs: int) -> Iterator[Outcome]:
    """What takes the place of ``trainer.engines.local.execute``."""
    yield from map(estimated, tasks)


class WeeklyJob:
    """``trainer.cli.run`` on Actions, with the stand-ins and without waits.

    Args:
        monkeypatch: reverts the replacements at the end.
        folder: of config and bundle.
        pypistats: PyPI Stats.
        github: GitHub.
        pypistats_client: further settings of the client of PyPI Stats.
        github_client: the same for GitHub's.
        clickhouse: ClickHouse, if the job uses it.
        clickhouse_client: further settings of its client.
        punctual: seconds until a server must have sent its headers.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        folder: Path,
        pypistats: PyPIStatsServer,
        github: GitHubServer,
        *,
        pypistats_client: dict[str, Any] | None = None,
        github_client: dict[str, Any] | None = None,
        clickhouse: ClickHouseServer | None = None,
        clickhouse_client: dict[str, Any] | None = None,
        punctual: float = 60.0,
    ) -> None:
        self.folder, self.pypistats, self.github = folder, pypistats, github
        self.clickhouse = clickhouse
        self.output = folder / "models"
        self.tables = ""  # of the config, beside its keys
        self.seconds = Seconds()
        patient: dict[str, Any] = {"sleep": self.seconds.sleep, "clock": self.seconds}
        bulk = functools.partial(ClickHouse, **(patient | (clickhouse_client or {})))
        stats = functools.partial(
            PyPIStats, **({"interval": 0.0} | patient | (pypistats_client or {}))
        )
        options = {"sleep": self.seconds.sleep} | (github_client or {})

        class Artifacts(GitHubArtifacts):
            """The configured client, with the changes of a test."""

            def __init__(self, session: requests.Session, **settings: Any) -> None:
                session.mount("http://", HeaderTimeoutAdapter(punctual))
                super().__init__(session, **(settings | options))

        def session(repository_url: str) -> requests.Session:
            made = new_session(repository_url)
            made.mount("http://", HeaderTimeoutAdapter(punctual))
            return made

        monkeypatch.setattr(inputs, "new_session", session)
        monkeypatch.setattr(inputs, "PyPIStats", stats)
        monkeypatch.setattr(inputs, "ClickHouse", bulk)
        monkeypatch.setattr(inputs, "GitHubArtifacts", Artifacts)
        monkeypatch.setattr(local, "execute", without_search)

    def run(
        self, packages: Sequence[str], now: dt.datetime, *arguments: str, **variables: str
    ) -> int:
        """The exit status of one run at this time, with more environment variables."""
        config = self.folder / "config.toml"
        quoted = ", ".join(f'"{package}"' for package in packages)
        config.write_text(CONFIG.format(packages=quoted) + self.tables, encoding="utf-8")
        environment = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_TOKEN": self.github.token,
            "GITHUB_API_URL": self.github.url,
            "PYPISTATS_URL": self.pypistats.url,
            "SOURCE_DATE_EPOCH": str(int(now.timestamp())),
            **variables,
        }
        if self.clickhouse:
            environment["CLICKHOUSE_URL"] = self.clickhouse.url
        options = [f"--config={config}", f"--output={self.output}", "--jobs=1"]
        return cli.run([*options, *arguments], environment)

    def bundle(self) -> Bundle:
        """The files in the output folder."""
        return read_folder(self.output, in_memory=True)

    def zipped(self) -> bytes:
        """The same as the zip of an artifact."""
        return zip_of({path.name: path.read_bytes() for path in sorted(self.output.iterdir())})
