"""What was measured, and how windows are put into classes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.methods import SCALES
from benchmarks.accuracy.windows import HORIZON, Window
from forecast.quantities import WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.accuracy.methods import Calendar
    from benchmarks.accuracy.run import Mask
    from benchmarks.accuracy.scores import Scores
    from forecast.quantities import Array

OURS = "this project"
NO_DAYS_OFF = "this project, without days off"
NAIVE = "seasonal naive"
BEFORE = "this project before"

DAY_OFF = 0.1  # of the weekend gap; a smaller share moves no forecast visibly
FEW = 10.0  # downloads a day
SIZES = (0.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, np.inf)
SATURDAY = 5


@dataclass(frozen=True)
class Results:
    """Everything that was measured: windows, and the scores of each method on them."""

    windows: Sequence[Window]
    scores: Mapping[str, Scores]
    calendar: Calendar

    @property
    def ours(self) -> Scores:
        """This project's."""
        return self.scores[OURS]

    @property
    def naive(self) -> Scores:
        """The seasonal naive's."""
        return self.scores[NAIVE]

    @cached_property
    def learns(self) -> Mask:
        """Which windows are of packages that constants are learned on."""
        return np.array([window.learns for window in self.windows])

    @cached_property
    def groups(self) -> Array:
        """The group of each window."""
        return np.array([window.group for window in self.windows])

    @cached_property
    def size(self) -> Array:
        """Downloads a day in the last four weeks of training."""
        return np.array([window.values[-4 * WEEK :].mean() for window in self.windows])

    @cached_property
    def volatility(self) -> Array:
        """Mean absolute change of ln(1 + y) in a week."""
        logs = [np.log1p(window.values) for window in self.windows]
        return np.array([np.abs(each[WEEK:] - each[:-WEEK]).mean() for each in logs])

    @cached_property
    def shares(self) -> Array:
        """Share of the weekend gap lost on each day ahead, shape (windows, HORIZON)."""
        return np.stack([self.calendar.shares(w.first_ahead, HORIZON) for w in self.windows])

    @cached_property
    def weekend(self) -> Mask:
        """Which days ahead are Saturdays or Sundays, shape (windows, HORIZON)."""
        first = np.array([window.first_ahead.weekday() for window in self.windows])
        return np.asarray((first[:, None] + np.arange(HORIZON)) % WEEK >= SATURDAY)

    @cached_property
    def christmas(self) -> Mask:
        """Which windows hold a day from 22 December to 2 January, in training or ahead."""
        return np.array([_sees_christmas(window) for window in self.windows])

    def able(self, where: Mask) -> list[str]:
        """The methods that ran on all of these windows."""
        return [name for name, each in self.scores.items() if each.ran[where].all()]

    def better_scales(self, where: Mask) -> Results:
        """The same with one scale a peer: the one with the smaller error on these windows."""
        chosen = {}
        for name, each in self.scores.items():
            base, _, scale = name.rpartition(", ")
            part = where & each.ran
            if scale in SCALES and part.any():
                rivals = [self.scores[f"{base}, {other}"] for other in SCALES]
                if each is not min(rivals, key=lambda rival: rival.ratio(self.naive, part)):
                    continue
            chosen[name] = each
        return replace(self, scores=chosen)


def window_classes(results: Results, where: Mask) -> dict[str, Mask]:
    """Windows by size and by volatility; empty classes left out."""
    found = {
        f"{low:,.0f} to {high:,.0f} a day" if np.isfinite(high) else f"{low:,.0f} a day and more": (
            (results.size >= low) & (results.size < high)
        )
        for low, high in pairwise(SIZES)
    }
    edges = np.quantile(results.volatility[where], [0.25, 0.5, 0.75])
    quarter = np.searchsorted(edges, results.volatility)
    names = ("calmest quarter", "second quarter", "third quarter", "most volatile quarter")
    found |= {name: quarter == place for place, name in enumerate(names)}
    return {name: each for name, each in found.items() if (each & where).any()}


def total_classes(results: Results, where: Mask) -> dict[str, Mask]:
    """All windows; by group, where there are several; by season, where it is one; by size."""
    found = {"all": where}
    groups = sorted(set(results.groups[where]), reverse=True)
    if len(groups) > 1:
        found |= {name: where & (results.groups == name) for name in groups}
    else:
        middles = [w.first_ahead + dt.timedelta(days=HORIZON // 2) for w in results.windows]
        quarter = np.array([(middle.month - 1) // 3 for middle in middles])
        names = ("January to March", "April to June", "July to September", "October to December")
        found |= {name: where & (quarter == place) for place, name in enumerate(names)}
    found["10 a day and more"] = where & (results.size >= FEW)
    found["under 10 a day"] = where & (results.size < FEW)
    return found


def _sees_christmas(window: Window) -> bool:
    days = window.values.size + HORIZON
    dates = (window.start + dt.timedelta(days=day) for day in range(days))
    return any(
        (each.month, each.day) >= (12, 22) or (each.month, each.day) <= (1, 2) for each in dates
    )
