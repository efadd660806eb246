"""Packages without a model in the bundle: fetched, trained and forecast when asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.data.live_counts import last_load
from app.data.rate_limits import RateLimit
from forecast.errors import BusyError, ForecastError, SeriesError, UnknownPackageError
from forecast.presentation.package_forecast import PackageForecast, just_trained
from forecast.search import Trained, train
from forecast.series import Series, recent, regular

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection

    import pandas as pd

    from forecast.config import Package

    TrainNow = Callable[[Series, int, tuple[int, ...]], Trained]

CACHE_SIZE = 128  # packages, failures included; a forecast has some 20 kB
MAX_CONCURRENT = 8  # packages being made or waiting for it; each holds a thread
PER_CLIENT, TOTAL, HOUR = 20, 120, 3600.0  # new packages in so many seconds
UNKNOWN_PER_CLIENT, UNKNOWN_TOTAL = 60, 360  # names that are none, and do not count as packages


def train_model(
    series: Series, horizon: int, m_values: tuple[int, ...], redefined: tuple[dt.date, ...] = ()
) -> Trained:
    """Search for a model as the weekly run does, in this process.

    Raises:
        SeriesError: if the series is too short or is not one of counts.
    """
    return train(
        series.values, series.start, horizon=horizon, m_values=m_values, redefined=redefined
    )


@dataclass
class _Result:
    """The result for one package after the load of a day; filled under its lock."""

    load: dt.date
    lock: threading.Lock = field(default_factory=threading.Lock)
    forecast: PackageForecast | None = None
    failure: ForecastError | None = None


class OnDemand:
    """Package forecasts on demand, each made once per UTC day for all clients together.

    Args:
        fetch: returns a package's counts.
        train: searches for a model.
        clock: the current time, UTC.
        horizon: days to forecast.
        m_values: season lengths to try.
        outages: days that failed for every package.
        rate_limit: limits new packages; None for the usual limits.
    """

    def __init__(
        self,
        fetch: Callable[[str], pd.Series[int]],
        train: TrainNow,
        clock: Callable[[], dt.datetime],
        *,
        horizon: int,
        m_values: tuple[int, ...],
        outages: Collection[dt.date] = (),
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._fetch = fetch
        self._train = train
        self._clock = clock
        self._horizon = horizon
        self._m_values = m_values
        self._outages = outages
        self._lock = threading.Lock()
        self._training = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT)
        self._rate_limit = rate_limit or RateLimit(PER_CLIENT, TOTAL, HOUR)
        self._unknown = RateLimit(UNKNOWN_PER_CLIENT, UNKNOWN_TOTAL, HOUR)
        self._results: OrderedDict[str, _Result] = OrderedDict()

    def package_forecast(
        self,
        package: Package,
        report: Callable[[float, str], None] = lambda _part, _text: None,
        client: str = "",
        through: dt.date | None = None,
    ) -> PackageForecast:
        """The package's forecast, the one made since the last load of PyPI Stats if there is one.

        Args:
            package: any package of PyPI.
            report: called with the progress, from 0 to 1, and the step.
            client: whose limit it counts towards; a package made already counts towards none.
            through: the last day that any package has counts of.

        Raises:
            BusyError: if a limit is reached.
            ForecastError: if it is unknown or cannot be forecast; the same error all day.
        """
        result = self._result(package, client)
        with result.lock:
            if result.forecast is None and result.failure is None:
                try:
                    result.forecast = self._make_within_limits(package, report, through)
                except BusyError:
                    raise
                except UnknownPackageError as error:
                    result.failure = error
                    with suppress(BusyError):
                        self._unknown.take(client)
                        self._rate_limit.give_back(client)
                except ForecastError as error:
                    # Cached too, so that a failing source is not asked repeatedly.
                    result.failure = error
        if result.failure is not None:
            # A copy, as an exception keeps the frames it passed through alive.
            raise type(result.failure)(str(result.failure))
        forecast = result.forecast
        if forecast is None:
            raise AssertionError  # one of the two is set above
        # Made for another visitor, who may have spelled it differently.
        return forecast if forecast.package == package else replace(forecast, package=package)

    def is_made(self, package: Package) -> bool:
        """Whether the package was asked for since the last load, with or without success."""
        with self._lock:
            result = self._results.get(package.name)
        if result is None or result.load != last_load(self._clock()):
            return False
        return result.forecast is not None or result.failure is not None

    def _result(self, package: Package, client: str) -> _Result:
        name, load = package.name, last_load(self._clock())
        with self._lock:
            result = self._results.get(name)
            if result is None or result.load != load:
                self._count(package, client)
                result = self._results[name] = _Result(load)
            self._results.move_to_end(name)
            while len(self._results) > CACHE_SIZE:
                self._results.popitem(last=False)
            return result

    def _count(self, package: Package, client: str) -> None:
        try:
            self._rate_limit.take(client)
        except BusyError as error:
            raise BusyError(
                f"{package.label} has no model and would have to be trained now, but {error}. "
                "Packages of the weekly run have no limit.",
                retry_after=error.retry_after,
            ) from None

    def _make_within_limits(
        self, package: Package, report: Callable[[float, str], None], through: dt.date | None
    ) -> PackageForecast:
        if not self._slots.acquire(blocking=False):
            raise BusyError(
                f"{package.label} has no model and would have to be trained now, but "
                f"{MAX_CONCURRENT} other packages are waiting for that; try again in a minute.",
                retry_after=60.0,
            )
        try:
            return self._make(package, report, through)
        finally:
            self._slots.release()

    def _make(
        self, package: Package, report: Callable[[float, str], None], through: dt.date | None
    ) -> PackageForecast:
        report(0.1, f"Fetching the counts of {package.label} from PyPI Stats")
        try:
            counts = self._fetch(package.name)
        except UnknownPackageError:
            raise UnknownPackageError(
                f"PyPI Stats has no package named {package.name}: check the spelling, "
                "or try again in a day or two if it is new on PyPI."
            ) from None
        try:
            series = regular(recent(counts, through), self._outages, through)
        except SeriesError as error:
            raise SeriesError(f"{package.name} {error}") from None
        report(0.4, f"Searching for a model of {package.label}")
        with self._training:  # one search at a time leaves a core for other requests
            try:
                trained = self._train(series, self._horizon, self._m_values)
            except SeriesError as error:
                raise SeriesError(f"{package.name}: {error}") from None
        report(0.9, "Drawing")
        made = just_trained(package, series, trained, self._horizon)
        return made.seen_on(self._clock().date())
