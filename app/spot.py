"""A package that nobody configured: fetched, searched and forecast for the visitor who asks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.outlook import Choice, Outlook, arima
from forecast.errors import ForecastError, SeriesError, UnknownPackageError
from forecast.manifest import Backtest
from forecast.series import Series, recent, regular

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection

    import pandas as pd

    from forecast.arima.search import Trained
    from forecast.config import Package

    TrainNow = Callable[[Series, int, tuple[int, ...]], Trained]

MOST_KEPT = 128  # packages, failures included; an outlook has some 20 kB


def search_now(series: Series, horizon: int, m_values: tuple[int, ...]) -> Trained:
    """The search of the weekly run, in this process.

    Raises:
        SeriesError: if the series is too short or is not one of counts.
    """
    from forecast.arima.search import train  # noqa: PLC0415 - loaded when somebody asks for it

    return train(series.values, series.start, horizon=horizon, m_values=m_values)


@dataclass
class _Kept:
    """One package's day; filled by whoever holds its lock."""

    day: dt.date
    lock: threading.Lock = field(default_factory=threading.Lock)
    outlook: Outlook | None = None
    failure: ForecastError | None = None


class Spot:
    """Outlooks on demand, each made once a UTC day for all visitors together.

    Args:
        fetch: gives a package's counts; shares its limits with everybody.
        train: trains; None where this page only shows what the weekly run made.
        clock: the present moment, UTC.
        horizon: days to forecast.
        m_values: season lengths to try.
        outages: days that failed for every package.
    """

    def __init__(
        self,
        fetch: Callable[[str], pd.Series[int]],
        train: TrainNow | None,
        clock: Callable[[], dt.datetime],
        *,
        horizon: int,
        m_values: tuple[int, ...],
        outages: Collection[dt.date] = (),
    ) -> None:
        self._fetch = fetch
        self._train = train
        self._clock = clock
        self._horizon = horizon
        self._m_values = m_values
        self._outages = outages
        self._lock = threading.Lock()
        self._training = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @property
    def offered(self) -> bool:
        """Whether this page can train."""
        return self._train is not None

    def outlook(
        self, package: Package, report: Callable[[float, str], None] = lambda _part, _text: None
    ) -> Outlook:
        """The package's outlook, today's if it was made today.

        Args:
            package: any package of PyPI.
            report: told how far it is, from 0 to 1, and what is being done.

        Raises:
            ForecastError: if it is unknown, or cannot be forecast; the same all day.
        """
        kept = self._keep(package.name)
        with kept.lock:
            if kept.outlook is None and kept.failure is None:
                try:
                    kept.outlook = self._make(package, report)
                except ForecastError as error:
                    # Kept as well: a source in trouble is not asked again and again.
                    kept.failure = error
        if kept.failure is not None:
            # Raised anew, as an exception holds the frames of whoever it was raised for.
            raise type(kept.failure)(str(kept.failure))
        if kept.outlook is None:
            raise AssertionError  # one of the two is set above
        return kept.outlook

    def _keep(self, name: str) -> _Kept:
        today = self._clock().date()
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.day != today:
                kept = self._kept[name] = _Kept(today)
            self._kept.move_to_end(name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return kept

    def _make(self, package: Package, report: Callable[[float, str], None]) -> Outlook:
        if self._train is None:
            raise UnknownPackageError(
                f"{package.label} has no model here, and this page does not train: "
                "add it to packages in config.toml, and the next run will have it."
            )
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
        return _outlook(package, series, trained, self._horizon)


def _outlook(package: Package, series: Series, trained: Trained, horizon: int) -> Outlook:
    model = trained.model
    backtest = Backtest.model_validate(trained.scores, from_attributes=True)
    names = tuple(arima(member.order, member.seasonal_order) for member in model.members)
    return Outlook(
        package=package,
        series=series,
        trained_through=series.last_day,
        table=model.predict(horizon),
        backtest=backtest,
        choice=Choice(names, trained.candidates, model.note),
        load=lambda: model,
        on_the_spot=True,
    )
