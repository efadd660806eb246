"""Package forecasts by name: from the bundle or on demand, kept while nothing newer is known."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from app.data.live_counts import Counts
from app.data.package_forecast import PackageForecast, from_bundle
from forecast.bundle.manifest import PUBLIC
from forecast.config import Package
from forecast.errors import BundleError, BusyError, ForecastError, UnknownPackageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.data.live_counts import LiveCounts
    from app.data.on_demand import OnDemand
    from app.data.store import Snapshot, Store
    from forecast.bundle.reader import Bundle

log = logging.getLogger(__name__)

MOST_KEPT = 256  # shown; each has some 20 kB
NOTHING = Counts()
PREPARED = 10  # packages made ready as soon as a bundle is there


class Forecasts:
    """What the page and its endpoints ask for shown.

    Args:
        store: the bundle in use.
        live_counts: days counted since training.
        on_demand: packages that have no model in the bundle.
    """

    def __init__(self, store: Store, live_counts: LiveCounts, on_demand: OnDemand) -> None:
        self.store = store
        self._live_counts = live_counts
        self._on_demand = on_demand
        self._lock = threading.Lock()
        self._preparing = False
        self._kept: OrderedDict[str, tuple[Bundle, Counts, PackageForecast]] = OrderedDict()

    def package_forecast(
        self,
        package: Package,
        *,
        wait: float = 0.0,
        report: Callable[[float, str], None] = lambda _part, _text: None,
        visitor: str = "",
    ) -> PackageForecast:
        """Everything known of a package.

        Args:
            package: any of PyPI; one without a model in the bundle is trained on the spot.
            wait: seconds to wait for newer days, if they are being fetched.
            report: told how far a training is.
            visitor: who asks.

        Raises:
            ForecastError: if there is nothing to show; the sentence says why.
        """
        snapshot = self.store.snapshot
        bundle = snapshot.bundle
        package = self.store.catalogue.get(package.name) or package  # as the config spells it
        if bundle is not None and package.name in bundle.modelled:
            return self._from_bundle(bundle, package, wait)
        try:
            return self._on_demand.package_forecast(package, report, visitor)
        except BusyError:
            raise
        except ForecastError as error:
            if package.name in self.store.configured:
                why = _no_model(snapshot, package)
                raise BundleError(f"{why} Nor could one be made on the spot: {error}") from None
            if isinstance(error, UnknownPackageError):
                raise UnknownPackageError(f"{error}{self._hint(package)}") from None
            raise

    def first(self) -> tuple[Package, ...]:
        """The package that a visitor sees who asked for none: the first with a model."""
        packages = self.store.catalogue.packages
        bundle = self.store.snapshot.bundle
        ready = (each for each in packages if bundle and each.name in bundle.modelled)
        return (next(ready, packages[0]),)

    def at_hand(self, package: Package, days: int) -> bool:
        """Whether so many days can be told at once, without making anything."""
        bundle = self.store.snapshot.bundle
        with self._lock:
            kept = self._kept.get(package.name)
        if kept is None or kept[0] is not bundle or days > kept[2].days:
            return False
        return not self.pending(package)

    def pending(self, package: Package) -> bool:
        """Whether newer days of the package are on their way."""
        bundle = self.store.snapshot.bundle
        if bundle is None or package.name not in bundle.modelled or not _grows(bundle):
            return False
        return self._live_counts.pending(package.name)

    def start_preparing(self) -> None:
        """From now on make each new bundle's first packages ready before anybody asks.

        Not earlier: loading what models need takes two seconds, for which the page would
        have to wait while the process starts.
        """
        self._preparing = True
        bundle = self.store.snapshot.bundle
        if bundle is not None:
            threading.Thread(
                target=self.prepare, args=[bundle], name="prepare", daemon=True
            ).start()

    def prepare(self, bundle: Bundle) -> None:
        """Make the first packages of a bundle ready; never raises."""
        try:
            self._prepare(bundle)
        except ForecastError as error:
            log.warning("%s", error)  # whoever asks for that package will be told
        except Exception:  # nobody waits for it
            log.exception("preparing a bundle failed")

    def _prepare(self, bundle: Bundle) -> None:
        if not self._preparing:
            return
        for name in bundle.names[:PREPARED]:
            _ = self.package_forecast(Package(name, bundle.entry(name).label)).total

    def _from_bundle(self, bundle: Bundle, package: Package, wait: float) -> PackageForecast:
        counts = self._live_counts.counts(package.name, wait) if _grows(bundle) else NOTHING
        with self._lock:
            kept = self._kept.get(package.name)
        # "is": counts and bundles are replaced, never changed.
        if kept and kept[0] is bundle and kept[1] is counts:
            return kept[2]
        forecast = from_bundle(
            bundle, package, counts.series, self.store.config.outages, counts.problem
        )
        with self._lock:
            self._kept[package.name] = (bundle, counts, forecast)
            self._kept.move_to_end(package.name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return forecast

    def _hint(self, package: Package) -> str:
        labels = [each.label for each in self.store.catalogue.near(package.name)]
        return f" Did you mean {' or '.join(labels)}?" if labels else ""


def _grows(bundle: Bundle) -> bool:
    """Whether PyPI Stats can have newer days: made-up series and folders end where they end."""
    return bundle.manifest.source in PUBLIC


def _no_model(snapshot: Snapshot, package: Package) -> str:
    """Why a configured package has no model yet, and what gives it one."""
    if snapshot.bundle is None:
        return snapshot.problem or f"There are no models yet, so none of {package.label}."
    entry = snapshot.bundle.manifest.packages.get(package.name)
    if entry is not None and entry.reason:
        return (
            f"{package.label} is in config.toml, but the last run could not train it: "
            f"{entry.reason}"
        )
    return (
        f"{package.label} is in config.toml and has no model yet: "
        "start the workflow by hand (Actions, Upload Model Artifact, Run workflow), "
        "or wait for the weekly run."
    )
