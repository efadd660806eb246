"""Everything the page knows of one package: what was counted, what is expected, how sure it is."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from app.data.track_record import record_of
from forecast.bands import Forecast
from forecast.errors import BundleError, SeriesError
from forecast.history import merge
from forecast.series import Series, regular

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from app.data.track_record import Record
    from forecast.bands import Total
    from forecast.bundle.manifest import Backtest
    from forecast.bundle.reader import Bundle
    from forecast.config import Package
    from forecast.model.ensemble import Model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """Which model it is, and among how many it was found.

    Attributes:
        names: its ARIMAs in Box and Jenkins' notation, the first carries most weight.
        candidates: how many were tried.
        note: one sentence where a simple model stands in for the search.
    """

    names: tuple[str, ...]
    candidates: int
    note: str = ""


@dataclass(frozen=True)
class PackageForecast:
    """One package, ready to be shown.

    Attributes:
        package: its name, and how it is spelled.
        series: what was counted, made regular; ends on the day before the forecast.
        trained_through: the last day the parameters were estimated from.
        daily: mean and bands by day, from the day after the last counted one.
        backtest: how its forecasts would have done; None where unknown.
        choice: which model it is.
        load: gives the model that made the forecast.
        on_the_spot: whether it was trained for a visitor rather than by the weekly run.
        problem: why no newer days are in it, in a sentence; empty where all went well.
        record: how earlier weeks' forecasts turned out; None before any did.
    """

    package: Package
    series: Series
    trained_through: dt.date
    daily: Forecast
    backtest: Backtest | None
    choice: Choice
    load: Callable[[], Model] = field(repr=False)
    on_the_spot: bool = False
    problem: str = ""
    record: Record | None = None

    @property
    def observed_through(self) -> dt.date:
        """The last day counted."""
        return self.series.last_day

    @cached_property
    def model(self) -> Model:
        """The model, with every counted day.

        Raises:
            BundleError: if its pickle is not what it should be.
        """
        return self.load()

    def ahead(self, days: int) -> Forecast:
        """Mean and bands of the next days.

        Raises:
            BundleError: if the forecast is too short and the model cannot be had.
        """
        if days > len(self.daily.mean):
            return self.model.predict(days)
        return self.daily.first(days)

    @cached_property
    def total(self) -> Total | None:
        """The sum over the forecast's days, with the sum's own band; None without a model."""
        try:
            return self.model.total(len(self.daily.mean))
        except BundleError as error:
            log.warning("%s: %s", self.package.name, error)
            return None

    @property
    def expected(self) -> float:
        """Downloads expected over the forecast's days."""
        return float(self.daily.mean.sum() if self.total is None else self.total.mean)

    @property
    def days(self) -> int:
        """Days that the page forecasts."""
        return len(self.daily.mean)

    def last_total(self) -> float | None:
        """Downloads in as many days before the forecast; None where fewer are known."""
        counts = counted(self.series)
        return float(counts[-self.days :].sum()) if len(counts) >= self.days else None


def from_bundle(
    bundle: Bundle,
    package: Package,
    newer: pd.Series[int] | None,
    outages: Collection[dt.date],
    problem: str = "",
) -> PackageForecast:
    """A package of a bundle, its model fed with newer days where there are any.

    Args:
        bundle: the bundle.
        package: a package that has a model there.
        newer: counts fetched since; None where there are none.
        outages: days that failed for every package.
        problem: why there are none.

    Raises:
        BundleError: if there is no model, or it is not what it should be.
        SeriesError: if the bundle's own history is not fit to be shown.
    """
    entry = bundle.entry(package.name)
    trained_through = _day(entry.trained_through)
    known_outages = {*outages, *bundle.manifest.outages}
    series = regular(bundle.history(package.name), known_outages)
    merged, problem = _merged(bundle, package, newer, known_outages, problem)
    choice = Choice(
        names=tuple(arima(each.order, each.seasonal_order) for each in entry.members)
        or ((arima(entry.order, entry.seasonal_order),) if entry.order else ()),
        candidates=entry.candidates,
        note=entry.note,
    )

    def extended() -> Model:
        model = bundle.model(package.name)
        more = _after(merged, trained_through) if merged else []
        return model.extend(more) if len(more) else model

    model: Model | None = None
    if merged is not None and merged.last_day > trained_through:
        try:
            model = extended()
        except BundleError as error:
            problem = f"The model of {package.label} cannot be used: {error}."
    if merged is not None and model is not None:
        return PackageForecast(
            package=package,
            series=merged,
            trained_through=trained_through,
            daily=model.predict(bundle.manifest.forecast_days),
            backtest=entry.backtest,
            choice=choice,
            load=lambda: model,
            problem=problem,
            record=record_of(bundle.track(package.name)),
        )
    return PackageForecast(
        package=package,
        series=_until(series, trained_through),
        trained_through=trained_through,
        daily=Forecast.of(trained_through + dt.timedelta(days=1), bundle.forecast(package.name)),
        backtest=entry.backtest,
        choice=choice,
        load=lambda: bundle.model(package.name),
        problem=problem,
        record=record_of(bundle.track(package.name)),
    )


def counted(series: Series) -> NDArray[np.float64]:
    """Downloads a day, repaired days included, shape (days,)."""
    return series.values


def arima(order: tuple[int, ...] | None, seasonal: tuple[int, ...] | None) -> str:
    """An ARIMA's name, such as "ARIMA(2,0,0)(0,1,1)7"."""
    name = f"ARIMA({','.join(map(str, order or ()))})"
    if seasonal and seasonal[-1] > 1:
        name += f"({','.join(map(str, seasonal[:-1]))}){seasonal[-1]}"
    return name


def _merged(
    bundle: Bundle,
    package: Package,
    newer: pd.Series[int] | None,
    outages: Collection[dt.date],
    problem: str,
) -> tuple[Series | None, str]:
    """The bundle's history with newer counts laid over it, regular; None without any."""
    if newer is None:
        return None, problem
    history = bundle.history(package.name)
    try:
        return regular(merge(history, newer).counts, outages), problem
    except SeriesError as error:
        return None, f"The newer counts of {package.label} cannot be used: it {error}"


def _after(series: Series, day: dt.date) -> list[float]:
    known = max((day - series.start).days + 1, 0)
    return [float(value) for value in counted(series)[known:]]


def _until(series: Series, day: dt.date) -> Series:
    """The series up to a day, which it reaches by definition.

    Raises:
        BundleError: if it does not: the bundle's tables do not belong together.
    """
    length = (day - series.start).days + 1
    counts = counted(series)
    if not 0 < length <= len(counts):
        raise BundleError(
            f"history.csv ends on {series.last_day}, but the model was trained through {day}: "
            "the bundle does not fit together; start the workflow again"
        )
    repaired = tuple(each for each in series.repaired if each <= day)
    return Series(series.start, counts[:length], repaired)


def _day(value: dt.date | None) -> dt.date:
    if value is None:  # the manifest's own check holds this together with the file
        raise BundleError("the manifest names a model without the day it was trained through")
    return value
