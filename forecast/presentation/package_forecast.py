"""Everything the page shows of one package: counts, forecast, model and accuracy."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from forecast.bands import Forecast, Total
from forecast.bundle.manifest import Backtest, member_entries
from forecast.errors import BundleError, SeriesError
from forecast.history import merge
from forecast.model.model import COMPARED_DAYS
from forecast.presentation.means import HISTORY_DAYS, Means, means_of
from forecast.presentation.track_record import track_record
from forecast.quantities import WEEK
from forecast.search.backtest import told_ratio, told_total_error
from forecast.search.day_names import name_of
from forecast.series import Series, regular

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd

    from forecast.bands import Bands
    from forecast.bundle.manifest import MemberEntry, PartEntry
    from forecast.bundle.reader import Bundle
    from forecast.config import Package
    from forecast.model.distribution import Distribution
    from forecast.model.model import Model
    from forecast.presentation.track_record import TrackRecord
    from forecast.quantities import Array
    from forecast.search import Trained

log = logging.getLogger(__name__)

T = TypeVar("T")
NO_BACKTEST = Backtest(origins=0)
LEAST_LOSS = 0.02  # of a day's downloads; a smaller one is not worth a mark on the chart


@dataclass(frozen=True)
class Choice:
    """The ARIMAs that are averaged, and among how many candidates one of them was chosen.

    Attributes:
        members: the pooled ARIMAs and the searched one, as the manifest has them.
        candidates: how many models were compared.
    """

    members: tuple[MemberEntry, ...]
    candidates: int


@dataclass(frozen=True)
class Span:
    """A total over some of the days ahead, first and last included."""

    first: dt.date
    last: dt.date
    total: Total


@dataclass(frozen=True)
class PackageForecast:
    """The forecast of one package, with what it was made of.

    Attributes:
        package: its name and label, of a group its title as the label.
        series: daily counts; it ends on the day before the forecast.
        trained_through: the last day the parameters were estimated from.
        daily: mean and bands by day, from the day after the last counted one.
        backtest: errors of the same model on the past; None if unknown.
        choice: the model chosen.
        load: returns the model that made the forecast.
        totals: the totals that came with ``daily``, by number of days.
        on_demand: whether the page trained the model, rather than the weekly run.
        problem: why newer days are missing, in a sentence; empty if none are.
        track_record: errors of earlier weeks' forecasts; None before any day of them was counted.
        parts: the packages of a group; empty for a package.
    """

    package: Package
    series: Series
    trained_through: dt.date
    daily: Forecast
    backtest: Backtest | None
    choice: Choice
    load: Callable[[], Model] = field(repr=False)
    totals: Mapping[int, Total] = field(default_factory=dict)
    on_demand: bool = False
    problem: str = ""
    track_record: TrackRecord | None = None
    parts: tuple[PartEntry, ...] = ()

    @property
    def observed_through(self) -> dt.date:
        """The last day counted."""
        return self.series.last_day

    @property
    def no_counts_since(self) -> dt.date | None:
        """The last day with a download, if they stopped."""
        return self.series.stopped

    def seen_on(self, today: dt.date) -> PackageForecast:
        """The same; if all its days have passed by then, the counts are told to have stopped."""
        series = self.series.seen_on(today, self.days)
        return self if series is self.series else replace(self, series=series)

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
        if days > self.days:
            return self.model.predict(days)
        return self.daily if days == self.days else self.daily.first(days)

    @cached_property
    def has_model(self) -> bool:
        """Whether the model can be loaded; without it there are no sums."""
        return self._of_model(lambda _model: True) is not None

    def sums(self, days: Sequence[int], last: Sequence[int]) -> Bands[Array]:
        """Sums over ``days`` days that end ``last`` days ahead, see ``Model.sums``.

        Raises:
            BundleError: if the model cannot be loaded.
        """
        return self.model.sums(days, last)

    @cached_property
    def total(self) -> Total | None:
        """The sum over the forecast's days, with its own band; None if nobody knows it."""
        if self.days in self.totals:
            return self.totals[self.days]
        return self._of_model(lambda model: model.total(self.days))

    @cached_property
    def weeks(self) -> list[Span]:
        """The whole weeks ahead, each with bands of its own; none if no model loads."""
        if self._means is None:
            return []
        begin, ends = self.daily.start, range(WEEK, self.days + 1, WEEK)
        return [
            Span(
                begin + dt.timedelta(days=end - WEEK),
                begin + dt.timedelta(days=end - 1),
                Total(
                    **{
                        name: WEEK * float(each[end - 1])
                        for name, each in self._means.ahead.items()
                    }
                ),
            )
            for end in ends
        ]

    @cached_property
    def means(self) -> Means:
        """Means of seven days around the last one counted; of a day each if no model loads."""
        return self._means or Means(self.series.values[-HISTORY_DAYS:], self.daily.columns())

    @cached_property
    def _means(self) -> Means | None:
        return self._of_model(lambda model: means_of(model, self.days, self._distribution))

    @cached_property
    def change(self) -> float | None:
        """The expected level over that of the last ``compared_days``; None if no model loads."""
        return self._of_model(lambda model: model.change(self._distribution))

    @cached_property
    def _distribution(self) -> Distribution | None:
        """What is expected of the days ahead; None if no model loads."""
        return self._of_model(lambda model: model.distribution(self.days))

    @property
    def compared_days(self) -> int:
        """Over how many days back ``change`` compares."""
        return min(COMPARED_DAYS, len(self.series.values))

    @cached_property
    def days_off(self) -> dict[dt.date, float]:
        """By day of the forecast, the share of its downloads that it loses as a day off.

        Empty if the counts have stopped: of nothing there is no share.
        """
        if self.no_counts_since:
            return {}
        losses = self._of_model(lambda model: model.day_off_losses(self.days))
        return {
            self.daily.start + dt.timedelta(days=at): float(loss)
            for at, loss in enumerate(() if losses is None else losses)
            if abs(loss) >= LEAST_LOSS
        }

    @cached_property
    def day_off_names(self) -> dict[dt.date, str]:
        """By day of ``days_off``, what it is called."""
        return {day: name_of(day) for day in self.days_off}

    @cached_property
    def usual_error(self) -> float:
        """The error of such forecasts over that of repeating the last week."""
        return told_ratio(self.backtest or NO_BACKTEST)

    @cached_property
    def usual_miss(self) -> float | None:
        """By what share of it such totals are missed in half the cases; None without a total."""
        if self.total is None:
            return None
        return told_total_error(self.backtest or NO_BACKTEST, self.total)

    def _of_model(self, ask: Callable[[Model], T]) -> T | None:
        """What the model answers; None if it cannot be loaded."""
        try:
            return ask(self.model)
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


def from_bundle(
    bundle: Bundle,
    package: Package,
    newer: pd.Series[int] | None,
    outages: Collection[dt.date],
    problem: str = "",
    *,
    through: dt.date | None = None,
) -> PackageForecast:
    """The forecast of a bundle's package, its model extended with newer days if there are any.

    Args:
        bundle: the bundle.
        package: a package that has a model there.
        newer: counts fetched since; None if there are none.
        outages: days that failed for every package.
        problem: why there are none.
        through: the last day that any package has counts of.

    Raises:
        BundleError: if the bundle has no model of it, or contradicts itself.
        SeriesError: if the bundle's own history is unusable.
    """
    entry = bundle.entry(package.name)
    package = replace(package, label=entry.title or package.label)
    trained_through = _day(entry.trained_through)
    known_outages = {*outages, *bundle.manifest.outages}
    series = regular(bundle.history(package.name), known_outages, trained_through)
    merged, problem = _merged(bundle, package, newer, known_outages, problem, through=through)
    choice = Choice(entry.members, entry.candidates)

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
        daily, totals = model.predict_with_totals(bundle.manifest.forecast_days)
        return PackageForecast(
            package=package,
            series=merged,
            trained_through=trained_through,
            daily=daily,
            backtest=entry.backtest,
            choice=choice,
            load=lambda: model,
            totals=totals,
            problem=problem,
            track_record=track_record(bundle.track(package.name)),
            parts=entry.parts,
        )
    return PackageForecast(
        package=package,
        series=_until(series, trained_through),
        trained_through=trained_through,
        daily=Forecast.of(trained_through + dt.timedelta(days=1), bundle.bands(package.name)),
        backtest=entry.backtest,
        choice=choice,
        load=lambda: bundle.model(package.name),
        totals=bundle.totals(package.name),
        problem=problem,
        track_record=track_record(bundle.track(package.name)),
        parts=entry.parts,
    )


def just_trained(
    package: Package, series: Series, trained: Trained, horizon: int
) -> PackageForecast:
    """The forecast of a package whose model was trained now, and not by the weekly run."""
    model = trained.model
    backtest = Backtest.model_validate(trained.scores, from_attributes=True)
    daily, totals = model.predict_with_totals(horizon)
    return PackageForecast(
        package=package,
        series=series,
        trained_through=series.last_day,
        daily=daily,
        backtest=backtest,
        choice=Choice(tuple(member_entries(model)), trained.candidates),
        load=lambda: model,
        totals=totals,
        on_demand=True,
    )


def _merged(
    bundle: Bundle,
    package: Package,
    newer: pd.Series[int] | None,
    outages: Collection[dt.date],
    problem: str,
    *,
    through: dt.date | None,
) -> tuple[Series | None, str]:
    """The bundle's history updated with newer counts; None, and why, if there are none."""
    if newer is None:
        return None, problem
    history = bundle.history(package.name)
    try:
        return regular(merge(history, newer).counts, outages, through), problem
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
    return Series(series.start, counts[:length], repaired, series.stopped)


def _day(value: dt.date | None) -> dt.date:
    if value is None:  # the manifest's own check holds this together with the file
        raise BundleError("the manifest names a model without the day it was trained through")
    return value
