"""A package that nobody configured: fetched, searched and forecast for the visitor who asks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.data.package_forecast import Choice, PackageForecast, arima
from app.data.rate_limits import Allowance
from forecast.bundle.manifest import Backtest
from forecast.errors import BusyError, ForecastError, SeriesError, UnknownPackageError
from forecast.series import Series, recent, regular

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection

    import pandas as pd

    from forecast.config import Package
    from forecast.search.search import Trained

    TrainNow = Callable[[Series, int, tuple[int, ...]], Trained]

MOST_KEPT = 128  # packages, failures included; a forecast has some 20 kB
MOST_AT_ONCE = 8  # packages being made or waiting for it; each holds a thread
EACH, EVERYBODY, HOUR = 20, 120, 3600.0  # new packages a visitor, and all, in so many seconds


def search_now(series: Series, horizon: int, m_values: tuple[int, ...]) -> Trained:
    """The search of the weekly run, in this process.

    Raises:
        SeriesError: if the series is too short or is not one of counts.
    """
    from forecast.search.search import train  # noqa: PLC0415 - loaded when somebody asks for it

    return train(series.values, series.start, horizon=horizon, m_values=m_values)


@dataclass
class _Kept:
    """One package's day; filled by whoever holds its lock."""

    day: dt.date
    lock: threading.Lock = field(default_factory=threading.Lock)
    forecast: PackageForecast | None = None
    failure: ForecastError | None = None


class OnDemand:
    """Package forecasts on demand, each made once a UTC day for all visitors together.

    Args:
        fetch: gives a package's counts; shares its limits with everybody.
        train: the search.
        clock: the present moment, UTC.
        horizon: days to forecast.
        m_values: season lengths to try.
        outages: days that failed for every package.
        allowance: how many new packages may be asked for.
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
        allowance: Allowance | None = None,
    ) -> None:
        self._fetch = fetch
        self._train = train
        self._clock = clock
        self._horizon = horizon
        self._m_values = m_values
        self._outages = outages
        self._lock = threading.Lock()
        self._training = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._allowance = allowance or Allowance(EACH, EVERYBODY, HOUR)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def package_forecast(
        self,
        package: Package,
        report: Callable[[float, str], None] = lambda _part, _text: None,
        visitor: str = "",
    ) -> PackageForecast:
        """The package's forecast, today's if it was made today.

        Args:
            package: any package of PyPI.
            report: told how far it is, from 0 to 1, and what is being done.
            visitor: who asks; what somebody asked for before today costs nothing.

        Raises:
            BusyError: if there is no room now.
            ForecastError: if it is unknown, or cannot be forecast; the same all day.
        """
        kept = self._keep(package, visitor)
        with kept.lock:
            if kept.forecast is None and kept.failure is None:
                try:
                    kept.forecast = self._make_in_turn(package, report)
                except BusyError:
                    raise
                except ForecastError as error:
                    # Kept as well: a source in trouble is not asked again and again.
                    kept.failure = error
        if kept.failure is not None:
            # Raised anew, as an exception holds the frames of whoever it was raised for.
            raise type(kept.failure)(str(kept.failure))
        if kept.forecast is None:
            raise AssertionError  # one of the two is set above
        return kept.forecast

    def _keep(self, package: Package, visitor: str) -> _Kept:
        name, today = package.name, self._clock().date()
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.day != today:
                self._take(package, visitor)
                kept = self._kept[name] = _Kept(today)
            self._kept.move_to_end(name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return kept

    def _take(self, package: Package, visitor: str) -> None:
        try:
            self._allowance.take(visitor)
        except BusyError as error:
            raise BusyError(
                f"{package.label} would have to be fetched and trained, and {error}. Packages that "
                "the weekly run trains are there at any time.",
                retry_after=error.retry_after,
            ) from None

    def _make_in_turn(
        self, package: Package, report: Callable[[float, str], None]
    ) -> PackageForecast:
        if not self._room.acquire(blocking=False):
            raise BusyError(
                f"{package.label} would have to be fetched and trained, and {MOST_AT_ONCE} other "
                "packages are in line; come back in a minute.",
                retry_after=60.0,
            )
        try:
            return self._make(package, report)
        finally:
            self._room.release()

    def _make(self, package: Package, report: Callable[[float, str], None]) -> PackageForecast:
        report(0.1, f"Fetching the counts of {package.label} from PyPI Stats")
        try:
            counts = self._fetch(package.name)
        except UnknownPackageError:
            raise UnknownPackageError(
                f"PyPI Stats knows no package called {package.label}: check the spelling, "
                "or come back in a day or two if it is new on PyPI."
            ) from None
        try:
            series = regular(recent(counts), self._outages)
        except SeriesError as error:
            raise SeriesError(f"{package.label} {error}") from None
        report(0.4, f"Searching for a model of {package.label}")
        with self._training:  # one search at a time leaves a core to everybody else
            try:
                trained = self._train(series, self._horizon, self._m_values)
            except SeriesError as error:
                raise SeriesError(f"{package.label}: {error}") from None
        report(0.9, "Drawing")
        return _package_forecast(package, series, trained, self._horizon)


def _package_forecast(
    package: Package, series: Series, trained: Trained, horizon: int
) -> PackageForecast:
    model = trained.model
    backtest = Backtest.model_validate(trained.scores, from_attributes=True)
    names = tuple(arima(member.order, member.seasonal_order) for member in model.members)
    return PackageForecast(
        package=package,
        series=series,
        trained_through=series.last_day,
        daily=model.predict(horizon),
        backtest=backtest,
        choice=Choice(names, trained.candidates, model.note),
        load=lambda: model,
        on_the_spot=True,
    )
