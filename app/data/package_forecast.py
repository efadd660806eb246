"""Everything the page shows of one package: counts, forecast, model and accuracy."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from app.data.track_record import track_record
from forecast.bands import Forecast
from forecast.errors import BundleError, SeriesError
from forecast.history import merge
from forecast.series import Series, regular

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import pandas as pd

    from app.data.track_record import TrackRecord
    from forecast.bands import Total
    from forecast.bundle.manifest import Backtest
    from forecast.bundle.reader import Bundle
    from forecast.config import Package
    from forecast.model.ensemble import Model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """The model chosen, and among how many.

    Attributes:
        names: its ARIMAs in Box and Jenkins' notation, the heaviest first.
        candidates: how many models were tried.
        note: one sentence where a simple model stands in for the search.
    """

    names: tuple[str, ...]
    candidates: int
    note: str = ""


@dataclass(frozen=True)
class PackageForecast:
    """The forecast of one package, with what it was made of.

    Attributes:
        package: its name and label.
        series: daily counts; it ends on the day before the forecast.
        trained_through: the last day the parameters were estimated from.
        daily: mean and bands by day, from the day after the last counted one.
        backtest: errors of the same model on the past; None if unknown.
        choice: the model chosen.
        load: returns the model that made the forecast.
        on_demand: whether the page trained the model, rather than the weekly run.
        problem: why newer days are missing, in a sentence; empty if none are.
        track_record: errors of earlier weeks' forecasts; None before any day of them was counted.
    """

    package: Package
    series: Series
    trained_through: dt.date
    daily: Forecast
    backtest: Backtest | None
    choice: Choice
    load: Callable[[], Model] = field(repr=False)
    on_demand: bool = False
    problem: str = ""
    track_record: TrackRecord | None = None

    @property
    def observed_through(self) -> dt.date:
        """The last day counted."""
        return self.series.last_day

    @cached_property
    def model(self) -> Model:
        """The model, with every counted day.

        Raises:
            BundleError: if the model cannot be loaded.
        """
        return self.load()

    def ahead(self, days: int) -> Forecast:
        """Mean and bands of the next days.

        Raises:
            BundleError: if the forecast is too short and the model cannot be loaded.
        """
        if days > len(self.daily.mean):
            return self.model.predict(days)
        return self.daily.first(days)

    @cached_property
    def total(self) -> Total | None:
        """The sum over the forecast's days, with its own band; None if no model loads."""
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
        """Length of the forecast, in days."""
        return len(self.daily.mean)

    def last_total(self) -> float | None:
        """Downloads in as many days before the forecast; None if fewer are known."""
        counts = self.series.values
        return float(counts[-self.days :].sum()) if len(counts) >= self.days else None


def from_bundle(
    bundle: Bundle,
    package: Package,
    newer: pd.Series[int] | None,
    outages: Collection[dt.date],
    problem: str = "",
) -> PackageForecast:
    """The forecast of a bundle's package, its model extended with newer days if there are any.

    Args:
        bundle: the bundle.
        package: a package that has a model there.
        newer: counts fetched since; None if there are none.
        outages: days that failed for every package.
        problem: why there are none.

    Raises:
        BundleError: if the bundle has no model of it, or contradicts itself.
        SeriesError: if the bundle's own history is unusable.
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
            track_record=track_record(bundle.track(package.name)),
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
        track_record=track_record(bundle.track(package.name)),
    )


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
    """The bundle's history updated with newer counts; None, and why, if there are none."""
    if newer is None:
        return None, problem
    history = bundle.history(package.name)
    try:
        return regular(merge(history, newer).counts, outages), problem
    except SeriesError as error:
        return None, f"The newer counts of {package.label} cannot be used: it {error}"


def _after(series: Series, day: dt.date) -> list[float]:
    known = max((day - series.start).days + 1, 0)
    return [float(value) for value in series.values[known:]]


def _until(series: Series, day: dt.date) -> Series:
    """The series up to a day.

    Raises:
        BundleError: if it ends before: the bundle's tables do not belong together.
    """
    length = (day - series.start).days + 1
    counts = series.values
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
