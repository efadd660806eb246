"""The numbers of the chart: each package cut to the range shown and put on the scale."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app.view.state import ALL
from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from app.data.package_forecast import PackageForecast
    from app.view.state import View
    from forecast.config import Event

LOG_RANGE = 1_000.0  # a band on the log scale ends at this fraction of the forecast


@dataclass(frozen=True)
class Curve:
    """One package on the chart; NaN where nothing is drawn.

    Attributes:
        label: the package's name as it is displayed.
        days: ISO dates of the history shown.
        counts: on the chart's scale, shape (days,).
        means: 7-day means of the counts, likewise.
        repaired: whether a day's count is an estimate, likewise.
        forecast_days: ISO dates of the forecast.
        forecast_means: 7-day means that continue ``means``, shape (forecast days,).
        bands: mean, median and the ends of its bands by column, likewise.
        downloads: ``counts``, ``means`` and ``bands`` in downloads, whatever the scale.
    """

    label: str
    days: list[str]
    counts: Array
    means: Array
    repaired: NDArray[np.bool_]
    forecast_days: list[str]
    forecast_means: Array
    bands: dict[str, Array]
    downloads: dict[str, Array]


def curve_of(forecast: PackageForecast, view: View) -> Curve:
    """The numbers of one package in a view."""
    series, daily = forecast.series, forecast.daily
    first = first_day(forecast, view)
    skipped = (first - series.start).days
    means = _trailing_means(np.concatenate([series.values, daily.mean]))
    counts, past_means = series.values[skipped:], means[skipped : len(series.values)]
    days = _days_from(first, len(counts))
    repaired = set(series.repaired)
    bands = daily.columns()
    curve = Curve(
        label=forecast.package.label,
        days=[day.isoformat() for day in days],
        counts=counts,
        means=past_means,
        repaired=np.array([day in repaired for day in days], dtype=bool),
        forecast_days=[day.isoformat() for day in _days_from(daily.start, len(daily.mean))],
        forecast_means=means[len(series.values) :],
        bands=bands,
        downloads={**bands, "counts": counts, "means": past_means},
    )
    if view.scale == "indexed":
        return _indexed(curve)
    return _logarithmic(curve) if view.scale == "log" else curve


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


def positive(values: Array) -> Array:
    """NaN in place of what a log scale cannot show."""
    return np.where(values > 0, values, np.nan)


def _days_from(first: dt.date, length: int) -> list[dt.date]:
    return [first + dt.timedelta(days=day) for day in range(length)]


def _indexed(curve: Curve) -> Curve:
    """With the mean of the first week as 100: a single day would depend on its weekday."""
    factor = 100.0 / (float(curve.counts[:WEEK].mean()) or 1.0)
    return replace(
        curve,
        counts=curve.counts * factor,
        means=curve.means * factor,
        forecast_means=curve.forecast_means * factor,
        bands={name: values * factor for name, values in curve.bands.items()},
    )


def _logarithmic(curve: Curve) -> Curve:
    """Without zeros; the lower ends of the bands stop close to the forecast instead."""
    least = np.maximum(curve.bands["median"] / LOG_RANGE, 1e-3)
    lower = {
        name: np.maximum(values, least)
        for name, values in curve.bands.items()
        if name.startswith("lower")
    }
    return replace(
        curve,
        counts=positive(curve.counts),
        means=positive(curve.means),
        forecast_means=positive(curve.forecast_means),
        bands={name: positive(values) for name, values in (curve.bands | lower).items()},
    )


def _trailing_means(values: Array) -> Array:
    """Means of the last seven days, NaN before there are seven.

    Trailing and not centred, so that the newest days do not change later.
    """
    means = np.full(len(values), np.nan)
    if len(values) >= WEEK:
        sums = np.cumsum(np.concatenate([[0.0], values]))
        means[WEEK - 1 :] = (sums[WEEK:] - sums[:-WEEK]) / WEEK
    return means
