"""Where a forecast comes from: a folder, the published bundle, or training at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.bundle.manifest import MANIFEST
from forecast.bundle.reader import read_models
from forecast.config import Package
from forecast.errors import ArtifactError, BundleError, SeriesError, UnknownPackageError
from forecast.github import api as github
from forecast.github.artifacts import GitHubArtifacts
from forecast.github.newest import open_newest
from forecast.http import new_session
from forecast.known import is_over
from forecast.presentation.notices import notices, unusual_weeks
from forecast.presentation.package_forecast import from_bundle, just_trained
from forecast.record.weeks import last_week
from forecast.search import train
from forecast.series import recent, regular
from forecast.sources import pypistats
from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from forecast.bundle.manifest import Manifest
    from forecast.bundle.reader import Bundle
    from forecast.config import Config
    from forecast.presentation.package_forecast import PackageForecast
    from forecast.record.weeks import Week

log = logging.getLogger("forecast")


@dataclass(frozen=True)
class Found:
    """A forecast, where it comes from, in a few words, and what the page says beside it."""

    forecast: PackageForecast
    origin: str
    warnings: tuple[str, ...] = ()


class Finder:
    """Finds forecasts: bundles first, then training.

    Args:
        config: names the repository, the horizon and the seasons.
        environment: MODELS_DIR, GITHUB_TOKEN and the addresses of the services.
        clock: the current time, UTC.
    """

    def __init__(
        self, config: Config, environment: Mapping[str, str], clock: Callable[[], dt.datetime]
    ) -> None:
        self._config = config
        self._get = environment.get
        self._clock = clock

    def find(self, package: Package) -> Found:
        """The forecast of a package.

        Raises:
            ConfigError: the config has no such group.
            ForecastError: MODELS_DIR has no valid bundle, or no counts can be had.
        """
        folder = Path(self._get("MODELS_DIR") or "models")
        bundle: Bundle | None = None
        origin = f"the models in {folder}, made"
        if self._get("MODELS_DIR") or (folder / MANIFEST).is_file():
            bundle = read_models(folder)
        elif self._get("GITHUB_TOKEN"):
            bundle = self._published()
            origin = f"the models that {self._config.repository_url} published"
        if bundle is not None and package.name in bundle.modelled:
            origin = f"{origin} on {bundle.manifest.created_at:%Y-%m-%d}"
            if not self._is_over(bundle):
                return self._from_bundle(bundle, package, origin)
            log.warning("not used, because their forecasts are over: %s", origin)
        if package.is_group:
            self._config.chosen((package,))
            raise UnknownPackageError(
                f"There is no new model of the group {package.label}: the weekly run makes those "
                "of the groups in config.toml, and python -m trainer makes them here. Those that "
                "are published are read with a GITHUB_TOKEN in the environment."
            )
        if hint := self._config.group_meant(package, bundle.modelled if bundle else ()):
            log.warning("%s", hint)
        return self._trained(package, bundle.known_through if bundle else None)

    def _is_over(self, bundle: Bundle) -> bool:
        """Whether no day of any forecast is still to come: so old are the models."""
        through = bundle.known_through
        return through is None or is_over(through, bundle.manifest.forecast_days, self._today())

    def _from_bundle(self, bundle: Bundle, package: Package, origin: str) -> Found:
        spelled = self._spelled(package.name, bundle)
        made = from_bundle(bundle, spelled, None, self._config.outages).seen_on(self._today())
        last = last_week(bundle, self._config.redefined)
        return self._found(made, origin, bundle.manifest, last.by_package)

    def _spelled(self, name: str, bundle: Bundle) -> Package:
        """A package of the bundle, as the config or else the bundle spells it."""
        configured = {each.name: each for each in self._config.packages}
        return configured.get(name) or Package(name, bundle.entry(name).label)

    def _found(
        self,
        made: PackageForecast,
        origin: str,
        manifest: Manifest | None = None,
        unusual: Mapping[str, Week] | None = None,
    ) -> Found:
        told = notices(manifest, [made], self._clock())
        told += unusual_weeks((unusual or {}).get, [made])
        return Found(made, origin, tuple(notice.text for notice in told))

    def _today(self) -> dt.date:
        return self._clock().date()

    def _published(self) -> Bundle | None:
        """The newest valid bundle; None, and a line that says why, if there is none."""
        client = GitHubArtifacts.configured(
            self._config,
            token=self._get("GITHUB_TOKEN"),
            url=self._get("GITHUB_API_URL") or github.API,
            clock=self._clock,
        )
        try:
            newest = client.newest()
            return open_newest(client, newest).bundle if newest else None
        except (ArtifactError, BundleError) as error:
            log.warning("no published models, so one is trained now: %s", error)
            return None

    def _trained(self, package: Package, through: dt.date | None) -> Found:
        """A forecast trained now on what PyPI Stats has.

        Args:
            package: any of PyPI.
            through: the last day that any package has counts of, as far as is known.

        Raises:
            DownloadsError: the counts cannot be had.
            SeriesError: there are too few of them.
        """
        config = self._config
        source = PyPIStats(
            new_session(config.repository_url),
            url=self._get("PYPISTATS_URL") or pypistats.API,
            mirrors=config.mirrors,
            retry=INTERACTIVE_RETRY,
            timeout=(5.0, 10.0),
            today=self._today,
        )
        counts = source.daily(package.name)
        try:
            series = regular(recent(counts, through), config.outages, through)
            trained = train(
                series.values,
                series.start,
                horizon=config.forecast_days,
                m_values=config.m_values,
                redefined=config.redefined,
            )
        except SeriesError as error:
            raise SeriesError(f"{package.label} {error}") from None
        made = just_trained(package, series, trained, config.forecast_days).seen_on(self._today())
        return self._found(made, "a model trained just now on counts from PyPI Stats")
