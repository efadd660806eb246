"""Package forecasts by name: from the bundle or on demand, cached while nothing newer is known."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from app.data.computing import Computing
from app.data.live_counts import Counts
from app.data.records import Records
from forecast.bundle.manifest import PUBLIC
from forecast.config import Package
from forecast.errors import BundleError, BusyError, ForecastError, UnknownPackageError
from forecast.history import merge
from forecast.known import is_over
from forecast.presentation.package_forecast import PackageForecast, from_bundle
from forecast.sources.group import add_up

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from app.data.live_counts import LiveCounts
    from app.data.on_demand import OnDemand
    from app.data.store import Snapshot, Store
    from forecast.bundle.reader import Bundle

log = logging.getLogger(__name__)

BUNDLE_TIMEOUT = 45.0  # seconds to wait for the first bundle after a cold start
LIVE_COUNTS_TIMEOUT = 12.0  # seconds that an answer waits for newer days
CATCH_UP_TIMEOUT = 60.0  # the same for a page that shows the known ones meanwhile
CACHE_SIZE = 256  # package forecasts; each has some 20 kB
MOST_ADDED = 20  # parts of a group whose newer days are asked for; each takes some two seconds
PREPARED = 10  # packages whose forecasts are made as soon as a bundle is there


@dataclass(frozen=True)
class _Cached:
    """A forecast, and what it was made of."""

    bundle: Bundle
    counts: Mapping[str, Counts]
    through: dt.date | None
    forecast: PackageForecast

    def is_of(self, bundle: Bundle, counts: Mapping[str, Counts], through: dt.date | None) -> bool:
        """Whether nothing newer is known; counts and bundles are replaced, never changed."""
        same = all(self.counts.get(name) is each for name, each in counts.items())
        return self.bundle is bundle and same and self.through == through


class Forecasts:
    """All package forecasts, for the page and its endpoints.

    Args:
        store: the bundle in use.
        live_counts: days counted since training.
        on_demand: packages that have no model in the bundle.

    Attributes:
        records: how good the forecasts of the bundle in use were.
        computing: whose turn it is to compute.
    """

    def __init__(self, store: Store, live_counts: LiveCounts, on_demand: OnDemand) -> None:
        self.store = store
        self.records = Records(store)
        self.computing = Computing()
        self._live_counts = live_counts
        self._on_demand = on_demand
        self._lock = threading.Lock()
        self._preparing = False
        self._cache: OrderedDict[str, _Cached] = OrderedDict()

    def package_forecast(
        self,
        package: Package,
        *,
        wait: float = 0.0,
        report: Callable[[float, str], None] = lambda _part, _text: None,
        client: str = "",
    ) -> PackageForecast:
        """The forecast of a package.

        Args:
            package: any of PyPI; one without a model in the bundle is trained on demand.
            wait: seconds to wait for newer days, if they are being fetched.
            report: called with the progress of a training, from 0 to 1, and its step.
            client: who asks: limits of trainings, and turns, are by client.

        Raises:
            ForecastError: if there is none; the message says why.
        """
        snapshot = self.store.snapshot
        bundle = snapshot.bundle
        package = self.store.catalogue.get(package.name) or package  # as the config spells it
        if _has_model(bundle, package.name):
            return self._from_bundle(bundle, package, wait, client)
        if package.is_group:
            raise self._no_group(snapshot, package)
        try:
            return self._on_demand.package_forecast(package, report, client, self._through(bundle))
        except BusyError:
            raise
        except ForecastError as error:
            if package.name in self.store.configured:
                none = _no_model(snapshot, package)
                text = f"{none} Training one now failed as well: {error}"
                raise BundleError(text, owner=none.owner) from None
            if isinstance(error, UnknownPackageError):
                raise UnknownPackageError(f"{error}{self._hint(package)}") from None
            raise

    def is_ready(self, package: Package) -> bool:
        """Whether its forecast needs no fetch and no training."""
        return _has_model(self.store.snapshot.bundle, package.name) or self._on_demand.is_made(
            package
        )

    def takes_long(self, package: Package) -> bool:
        """Whether it is fetched and trained when it is asked for; a group never is."""
        return not package.is_group and not self.is_ready(package)

    def renewed(self, package: Package, client: str = "") -> PackageForecast | None:
        """What is known of a package whose published forecast lies in the past; else None.

        Args:
            package: any name.
            client: who asks.

        Raises:
            ForecastError: if there is no forecast of it.
        """
        manifest = self.store.snapshot.manifest
        entry = manifest.model_of(package.name) if manifest else None
        through = entry.trained_through if entry else None
        if manifest is None or through is None:
            return None
        if not is_over(through, manifest.forecast_days, self._live_counts.today()):
            return None
        return self.package_forecast(package, client=client)

    @property
    def known_through(self) -> dt.date | None:
        """The last day that any package has counts of."""
        return self._through(self.store.snapshot.bundle)

    def first(self) -> tuple[Package, ...]:
        """The package to show when none was asked for: the first with a model."""
        packages = self.store.catalogue.packages
        bundle = self.store.snapshot.bundle
        ready = (each for each in packages if _has_model(bundle, each.name))
        return (next(ready, packages[0]),)

    def is_cached(self, package: Package, days: int) -> bool:
        """Whether that many days are forecast and no newer counts are expected."""
        bundle = self.store.snapshot.bundle
        with self._lock:
            cached = self._cache.get(package.name)
        if cached is None or cached.bundle is not bundle or days > cached.forecast.days:
            return False
        return not self.pending(package)

    def pending(self, package: Package) -> bool:
        """Whether newer days of the package are being fetched."""
        bundle = self.store.snapshot.bundle
        if not _has_model(bundle, package.name):
            return False
        return any(map(self._live_counts.pending, _asked(bundle, package)))

    def newest(self, packages: Iterable[Package]) -> tuple[Counts, ...]:
        """The newest counts of these packages so far: equal as long as there are no newer ones."""
        bundle = self.store.snapshot.bundle
        asked = [_asked(bundle, each) for each in packages if _has_model(bundle, each.name)]
        return tuple(self._live_counts.counts(name) for names in asked for name in names)

    def start_preparing(self) -> None:
        """From now on forecast the first packages of each new bundle in advance.

        Called after the page is up: loading what models need takes two seconds.
        """
        self._preparing = True
        bundle = self.store.snapshot.bundle
        if bundle is not None:
            threading.Thread(
                target=self.prepare, args=[bundle], name="prepare", daemon=True
            ).start()

    def prepare(self, bundle: Bundle) -> None:
        """Forecast the first packages of a bundle; never raises."""
        try:
            self._prepare(bundle)
        except ForecastError as error:
            log.warning("%s", error)  # the page shows the same error for that package
        except Exception:  # no caller could handle it
            log.exception("preparing a bundle failed")

    def _prepare(self, bundle: Bundle) -> None:
        if not self._preparing or bundle.manifest.outdated:
            return
        self.records.current()
        for name in bundle.names[:PREPARED]:
            forecast = self.package_forecast(Package(name, bundle.entry(name).label))
            _ = forecast.change, forecast.day_off_names

    def _from_bundle(
        self, bundle: Bundle, package: Package, wait: float, client: str
    ) -> PackageForecast:
        end = time.monotonic() + wait
        counts = {
            name: self._live_counts.counts(name, max(end - time.monotonic(), 0.0))
            for name in _asked(bundle, package)
        }
        through = self._through(bundle)
        with self._lock:
            cached = self._cache.get(package.name)
        if cached and cached.is_of(bundle, counts, through):
            made = cached.forecast
        else:
            with self.computing.turn(client):
                newer = _newer(bundle, package, counts, through)
                made = from_bundle(
                    bundle,
                    package,
                    newer.series,
                    self.store.config.outages,
                    newer.problem,
                    through=through,
                )
        forecast = made.seen_on(self._live_counts.today())
        if cached and forecast is cached.forecast:
            return forecast
        with self._lock:
            self._cache[package.name] = _Cached(bundle, counts, through, forecast)
            self._cache.move_to_end(package.name)
            while len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return forecast

    def _through(self, bundle: Bundle | None) -> dt.date | None:
        """The last day that any package has counts of, as far as this page knows."""
        days = (bundle.known_through if bundle else None, self._live_counts.through)
        return max((day for day in days if day), default=None)

    def _no_group(self, snapshot: Snapshot, group: Package) -> ForecastError:
        """Why there is no forecast of a group: the weekly run alone adds up and trains one."""
        if group.name in self.store.configured:
            return _no_model(snapshot, group)
        return UnknownPackageError(
            f"There is no group {group.label}: the groups are those of config.toml."
            f"{self._hint(group)}"
        )

    def _hint(self, package: Package) -> str:
        labels = [each.label for each in self.store.catalogue.near(package.name)]
        return f" Did you mean {' or '.join(labels)}?" if labels else ""


def _has_model(bundle: Bundle | None, name: str) -> TypeGuard[Bundle]:
    """Whether there is a bundle with a model of this package that this version can load."""
    return bundle is not None and not bundle.manifest.outdated and name in bundle.modelled


def _asked(bundle: Bundle, package: Package) -> tuple[str, ...]:
    """The packages to ask PyPI Stats for: none if it has no newer days, or a group has many."""
    if not _grows(bundle):
        return ()
    if not package.is_group:
        return (package.name,)
    names = tuple(part.name for part in bundle.entry(package.name).parts if not part.missing)
    return names if len(names) <= MOST_ADDED else ()


def _newer(
    bundle: Bundle, package: Package, counts: Mapping[str, Counts], through: dt.date | None
) -> Counts:
    """The newest counts of a package, or the newer days of a group's sum."""
    if not package.is_group:
        return counts.get(package.name, Counts())
    trained_through = bundle.entry(package.name).trained_through
    if _grows(bundle) and not counts and through != trained_through:
        return Counts(problem=f"Of groups of more than {MOST_ADDED} only the weekly run adds days.")
    parts: dict[str, pd.Series[int]] = {}
    for name, each in counts.items():
        if each.series is None:
            return each
        earlier = bundle.history(name) if bundle.has_history(name) else None
        parts[name] = merge(earlier, each.series).counts
    if not parts:
        return Counts()
    total = add_up(parts, through)
    return Counts(total.loc[total.index > str(trained_through)])


def _grows(bundle: Bundle) -> bool:
    """Whether PyPI Stats can have newer days of it: not of sample data or a folder of files."""
    return bundle.manifest.source in PUBLIC


def _no_model(snapshot: Snapshot, package: Package) -> BundleError:
    """That a configured package has no model yet, and why."""
    if snapshot.bundle is None:
        problem = snapshot.problem or f"There are no models yet, so none of {package.shown}."
        return BundleError(problem)
    entry = snapshot.bundle.manifest.packages.get(package.name)
    if entry is not None and entry.reason:
        return BundleError(
            f"There is no model of {package.shown}: the last weekly run could not make one, and "
            "the next one tries again.",
            owner=f"{package.label} is in config.toml, but the last run could not train it: "
            f"{entry.reason}",
        )
    return BundleError(
        f"There is no model of {package.shown} yet: the next weekly run makes it.",
        owner=f"{package.label} is in config.toml and has no model yet: "
        "start the workflow by hand (Actions, Upload Model Artifact, Run workflow), "
        "or wait for the weekly run.",
    )
