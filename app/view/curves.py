"""The numbers of the chart: each package cut to the range shown and put on the scale.

What is drawn is one quantity over spans of days: a day's downloads, the mean of seven days, or
the total of a week or a month. A span may lie partly in the days that were counted; then only
its other days are forecast, and its bands are those of the whole span.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app.view.state import ALL
from forecast.bands import MEDIAN
from forecast.quantities import LONGEST_HORIZON, WEEK, Array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from app.view.state import Mode, Scale, View
    from forecast.config import Event
    from forecast.presentation.package_forecast import PackageForecast

LOG_RANGE = 1_000.0  # a band on the log scale ends at this fraction of the forecast
LEAST_ON_LOG = 0.01  # downloads; fewer are nothing, and would stretch the axis
FEWEST_MONTHS = 3  # counted from their first to their last day; fewer show no course
MIDDLE = "middle"  # of the bands; the other columns are their ends
ONE = dt.timedelta(days=1)


class Span(NamedTuple):
    """Days from the first to the last, both included."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Line:
    """One quantity, a point a span; NaN where nothing is drawn.

    Attributes:
        spans: the days of each point.
        values: on the chart's scale by column: ``MIDDLE``, and the ends of bands of a forecast.
        downloads: the same in downloads, whatever the scale.
    """

    spans: list[Span]
    values: dict[str, Array]
    downloads: dict[str, Array]

    @property
    def at(self) -> list[str]:
        """The last day of each span, an ISO date: the place of a day and of a mean."""
        return [span.last.isoformat() for span in self.spans]


@dataclass(frozen=True)
class Curve:
    """One package on the chart.

    Attributes:
        label: what the package, or the group, is called.
        mode: which quantity ``past`` and ``ahead`` are.
        days: the days of the history shown.
        counted: their downloads, shape (days,).
        counts: the same on the chart's scale.
        repaired: whether a day's count is an estimate, likewise.
        observed: the last day counted.
        stopped: the last day with a download, if they stopped.
        past: what was counted.
        ahead: the forecast of the same quantity.
        earlier: what was forecast of ``past`` a month ago; None if nothing was.
        made_on: the day of that forecast.
    """

    label: str
    mode: Mode
    days: list[dt.date]
    counted: Array
    counts: Array
    repaired: NDArray[np.bool_]
    observed: dt.date
    past: Line
    ahead: Line
    stopped: dt.date | None = None
    earlier: Line | None = None
    made_on: dt.date | None = None


def drawn_mode(shown: Sequence[PackageForecast], mode: Mode) -> Mode:
    """The mode that all packages can be drawn in: sums need a model, months a long history."""
    if not all(forecast.has_model for forecast in shown):
        return "daily"
    return "weekly" if mode == "monthly" and not months_known(shown) else mode


def months_known(shown: Sequence[PackageForecast]) -> bool:
    """Whether enough whole months of every package were counted."""
    return all(
        sum(span.last <= forecast.observed_through for span in _periods(forecast, "monthly"))
        >= FEWEST_MONTHS
        for forecast in shown
    )


def curve_of(forecast: PackageForecast, view: View) -> Curve:
    """The numbers of one package in a view, whose mode is one that it can be drawn in."""
    series, first = forecast.series, first_day(forecast, view)
    counts = series.values[(first - series.start).days :]
    days = [first + at * ONE for at in range(len(counts))]
    repaired = set(series.repaired)
    spans = list(_spans(forecast, view.mode, first))
    past = [span for span in spans if span.last <= series.last_day]
    known = {MIDDLE: _counted(forecast, past) / _divisor(view.mode)}
    base = float(counts[:WEEK].mean()) if view.mode in {"daily", "mean"} else _first(known[MIDDLE])
    scale = _Scale(view.scale, 100.0 / (base or 1.0))
    ahead = [span for span in spans if span.last > series.last_day]
    told, made_on = _earlier(forecast, view.mode, past)
    return Curve(
        label=forecast.package.shown,
        mode=view.mode,
        days=days,
        counted=counts,
        counts=scale.of(counts),
        repaired=np.array([day in repaired for day in days], dtype=bool),
        observed=series.last_day,
        stopped=series.stopped,
        past=scale.line(past, known),
        ahead=scale.line(ahead, _forecast(forecast, view.mode, ahead)),
        earlier=scale.line(list(told), {MIDDLE: np.array(list(told.values()))}) if told else None,
        made_on=made_on,
    )


def first_day(forecast: PackageForecast, view: View) -> dt.date:
    """The first day of history that a view shows."""
    series = forecast.series
    if view.days == ALL:
        return series.start
    return max(series.start, series.last_day - dt.timedelta(days=view.days - 1))


def shown_events(
    shown: Sequence[PackageForecast], view: View, events: Iterable[Event]
) -> list[Event]:
    """The events that overlap the history shown, oldest first."""
    if not shown:
        return []
    first = min(first_day(forecast, view) for forecast in shown)
    last = max(forecast.observed_through for forecast in shown)
    return sorted(
        (event for event in events if event.last >= first and event.date <= last),
        key=lambda event: event.date,
    )


class _Scale(NamedTuple):
    """Puts downloads on the vertical axis; ``factor`` is that of an index."""

    scale: Scale
    factor: float

    def of(self, values: Array) -> Array:
        if self.scale == "log":
            return np.where(values >= LEAST_ON_LOG, values, np.nan)
        return values * self.factor if self.scale == "indexed" else values

    def line(self, spans: list[Span], downloads: dict[str, Array]) -> Line:
        """On the log scale, the lower ends of bands stop close to the forecast."""
        columns = downloads
        if self.scale == "log":
            least = np.maximum(downloads[MIDDLE] / LOG_RANGE, LEAST_ON_LOG)
            columns = {
                name: np.maximum(values, least) if name.startswith("lower") else values
                for name, values in downloads.items()
            }
        values = {name: self.of(column) for name, column in columns.items()}
        return Line(spans, values, downloads)


def _spans(forecast: PackageForecast, mode: Mode, first: dt.date) -> Iterator[Span]:
    """The spans that end in the history shown, or touch the forecast."""
    if mode in {"weekly", "monthly"}:
        yield from (span for span in _periods(forecast, mode) if span.last >= first)
        return
    longest = WEEK if mode == "mean" else 1
    day = max(first, forecast.series.start + (longest - 1) * ONE)
    while day < forecast.daily.start + forecast.days * ONE:
        yield Span(day - (longest - 1) * ONE, day)
        day += ONE


def _periods(forecast: PackageForecast, mode: Mode) -> Iterator[Span]:
    """Whole weeks, from Monday, or whole months: from the first counted to the last forecast.

    One that begins within the forecast is forecast to its end.
    """
    start, observed = forecast.series.start, forecast.observed_through
    first = start.replace(day=1) if mode == "monthly" else start - start.weekday() * ONE
    while first < forecast.daily.start + forecast.days * ONE:
        after = (first + 31 * ONE).replace(day=1) if mode == "monthly" else first + WEEK * ONE
        if first >= start and (after - ONE - observed).days <= LONGEST_HORIZON:
            yield Span(first, after - ONE)
        first = after


def _divisor(mode: Mode) -> int:
    return WEEK if mode == "mean" else 1


def _first(values: Array) -> float:
    return float(values[0]) if values.size else 0.0


def _counted(forecast: PackageForecast, spans: Sequence[Span]) -> Array:
    """The downloads of the days of spans that were counted, shape (spans,)."""
    start, values = forecast.series.start, forecast.series.values
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = [((first - start).days, (last - start).days + 1) for first, last in spans]
    ends = np.clip(np.array(places, dtype=np.int64).reshape(-1, 2), 0, len(values))
    return np.asarray(sums[ends[:, 1]] - sums[ends[:, 0]])


def _forecast(forecast: PackageForecast, mode: Mode, spans: Sequence[Span]) -> dict[str, Array]:
    """Middle and bands of spans that end after the last day counted."""
    if mode == "daily":
        columns = forecast.daily.columns()
        return {MIDDLE: columns.pop(MEDIAN)} | {n: columns[n] for n in columns if n != "mean"}
    last = [(span.last - forecast.observed_through).days for span in spans]
    made = forecast.sums([min(span.days, n) for span, n in zip(spans, last, strict=True)], last)
    known, columns = _counted(forecast, spans), made.columns()
    columns[MIDDLE] = columns.pop("mean")
    return {name: (known + values) / _divisor(mode) for name, values in columns.items()}


def _earlier(
    forecast: PackageForecast, mode: Mode, spans: Sequence[Span]
) -> tuple[dict[Span, float], dt.date | None]:
    """What an earlier forecast said of spans that have been counted since."""
    record = forecast.track_record
    if record is None:
        return {}, None
    past = record.earlier
    said, begin = dict(zip(past.days, past.values, strict=True)), past.days[0]
    start, values = forecast.series.start, forecast.series.values
    told = {}
    for span in spans:
        days = [span.first + at * ONE for at in range(span.days)]
        if span.last in said and all(day in said or day < begin for day in days):
            counted = (float(values[(day - start).days]) for day in days if day not in said)
            told[span] = sum(counted, sum(said[day] for day in days if day in said))
    return {span: total / _divisor(mode) for span, total in told.items()}, past.made_on
