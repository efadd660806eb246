"""Windows whose level has just changed: fallen to under half, or risen to over twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.windows import HORIZON, Daily, Window, cut
from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from benchmarks.accuracy.methods import Calendar

ORIGINS = range(56, 90, 3)  # days of training
BEFORE = 5  # weeks that the old level holds
AFTER = (1, 2, 3)  # weeks that the new one holds
BREAK = float(np.log(2))  # of ln(1 + y): to under half or over twice
STEADY = BREAK  # largest range of the weekly means of one level
SATURDAY = 5


def broken_windows(series: Sequence[Daily], calendar: Calendar) -> list[Window]:
    """Every window of a population that learns from a break; its group says which."""
    return [
        window
        for each in series
        for origin in ORIGINS
        for group in breaks(each, origin, calendar)
        if (window := cut(each, origin, group)) is not None
    ]


def breaks(series: Daily, origin: int, calendar: Calendar) -> list[str]:
    """The breaks that a series shows in the weeks before day `origin`."""
    if series.days < origin + HORIZON:
        return []
    counts = np.array(series.counts.asfreq("D").iloc[:origin], dtype=np.float64)
    if np.isnan(counts).any():
        return []
    z = without_days_off(counts, series.counts.index[0].date(), calendar)
    found = []
    for weeks in AFTER:
        if origin < WEEK * (BEFORE + weeks):
            continue
        levels = z[-WEEK * (BEFORE + weeks) :].reshape(-1, WEEK).mean(axis=1)
        old, new = levels[:BEFORE], levels[BEFORE:]
        step = new.mean() - old.mean()
        if max(np.ptp(old), np.ptp(new)) < STEADY and abs(step) > BREAK:
            found.append(f"{'rose' if step > 0 else 'fell'} {weeks} week{'s'[: weeks - 1]} ago")
    return found


def without_days_off(counts: Array, start: dt.date, calendar: Calendar) -> Array:
    """ln(1 + y) with what days off took put back, shape as `counts`."""
    z = np.log1p(counts)
    weekend = (start.weekday() + np.arange(z.size)) % WEEK >= SATURDAY
    gap = np.clip(np.median(z[~weekend]) - np.median(z[weekend]), 0.0, 1.0)
    return np.asarray(z + gap * calendar.shares(start, z.size))
