"""What is printed: markdown tables of scores."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.windows import HORIZON, Window
from forecast.quantities import WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
FEWEST_DAYS = 300  # of a class; from fewer, a coverage says nothing
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


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def methods(results: Results, where: Mask) -> str:
    """All methods that ran on these windows, one a row."""
    groups = sorted(set(results.groups[where]), reverse=True)
    parts = [(f"of it: {name}", where & (results.groups == name)) for name in groups]
    parts = parts if len(parts) > 1 else []
    sources = {window.source for window in results.windows}
    head = [
        "method",
        "windows",
        "error / naive",
        *(name for name, _ in parts),
        *(["by source"] if len(sources) > 1 else []),
        "of the mean",
        "better than naive",
        "MASE",
        "in 80 %",
        "in 95 %",
        "interval score",
        "total off by",
        "CPU s",
    ]
    rows = []
    for name in results.able(where):
        each = results.scores[name]
        ratios = each.log_ratios(results.naive)
        failures = int(each.failed[where].sum())
        rows.append(
            [
                (f"**{name}**" if name == OURS else name)
                + (f" ({failures} failed)" if failures else ""),
                str(int(where.sum())),
                f"{each.ratio(results.naive, where):.3f}",
                *(f"{each.ratio(results.naive, part):.3f}" for _, part in parts),
                *([f"{by_source(results, ratios, where):.3f}"] if len(sources) > 1 else []),
                f"{each.ratio(results.naive, where, of_mean=True):.3f}",
                f"{np.mean(ratios[where] < 0):.0%}",
                f"{each.error[where].mean():.3f}",
                f"{np.nanmean(each.inside_80[where]):.3f}",
                f"{np.nanmean(each.inside_95[where]):.3f}",
                f"{each.interval[where].mean():.3g}",
                f"{_off_by(each, where):.1%}",
                f"{np.median(each.seconds[where]):.3f}",
            ]
        )
    return markdown(head, rows)


def by_source(results: Results, ratios: Array, where: Mask) -> float:
    """Geometric mean over sources of the geometric mean of a source."""
    sources = np.array([window.source for window in results.windows])
    return float(
        np.exp(np.mean([ratios[where & (sources == name)].mean() for name in set(sources[where])]))
    )


def days_off(results: Results, where: Mask) -> str:
    """Error over the naive's on windows with and without a day off."""
    ahead = (results.shares >= DAY_OFF).any(axis=1)
    parts = {
        "no day off ahead": where & ~ahead,
        "a day off ahead": where & ahead,
        "no Christmas": where & ~results.christmas,
        "Christmas": where & results.christmas,
    }
    parts = {name: part for name, part in parts.items() if part.any()}
    head = ["method", *(f"{name} ({part.sum()})" for name, part in parts.items())]
    return markdown(
        head,
        [
            [name, *(f"{results.scores[name].ratio(results.naive, p):.3f}" for p in parts.values())]
            for name in results.able(where)
        ],
    )


def classes(results: Results, where: Mask) -> str:
    """Coverage of this project's bands by class of window and of day."""
    known = np.isfinite(results.ours.inside_80) & where[:, None]
    rows = []
    for name, window in window_classes(results, where).items():
        ratio = f"{results.ours.ratio(results.naive, where & window):.3f}"
        rows.append([name, *_covered(results.ours, known & window[:, None]), ratio])
    week = np.arange(HORIZON)[None] // WEEK
    off = results.shares >= DAY_OFF
    days = {f"week {place + 1} ahead": week == place for place in range(4)}
    days |= {"weekdays": ~results.weekend & ~off, "weekends": results.weekend & ~off}
    days |= {"days off": off}
    rows += [[name, *_covered(results.ours, known & day), ""] for name, day in days.items()]
    rows = [row for row in rows if int(row[1].replace(",", "")) >= FEWEST_DAYS]
    return markdown(["class", "days", "in 80 %", "in 95 %", "error / naive"], rows)


def window_classes(results: Results, where: Mask) -> dict[str, Mask]:
    """Windows by size and by volatility; empty classes left out."""
    found = {
        f"{low:,.0f} to {high:,.0f} a day" if np.isfinite(high) else f"{low:,.0f} a day and more": (
            (results.size >= low) & (results.size < high)
        )
        for low, high in itertools.pairwise(SIZES)
    }
    edges = np.quantile(results.volatility[where], [0.25, 0.5, 0.75])
    quarter = np.searchsorted(edges, results.volatility)
    names = ("calmest quarter", "second quarter", "third quarter", "most volatile quarter")
    found |= {name: quarter == place for place, name in enumerate(names)}
    return {name: each for name, each in found.items() if (each & where).any()}


def by_class(results: Results, where: Mask, names: Sequence[str]) -> str:
    """Error over the naive's of some methods by class of window."""
    rows = []
    for name, each in window_classes(results, where).items():
        part = where & each
        cells = [f"{results.scores[method].ratio(results.naive, part):.3f}" for method in names]
        rows.append([name, str(int(part.sum())), *cells])
    return markdown(["class", "windows", *names], rows)


def totals(results: Results, where: Mask, names: Sequence[str]) -> str:
    """The totals of the methods that have a band of them, by group, size and season."""
    head = ["method", "windows of", "number", "in 80 %", "in 95 %", "below 80 %", "above 80 %"]
    head += ["below 95 %", "above 95 %", "median log error", "off by"]
    rows = []
    for method in names:
        for name, part in total_classes(results, where).items():
            each = results.scores[method]
            if part.any() and each.ran[part].all():
                rows.append([method, name, str(int(part.sum())), *_total_cells(each, part)])
    return markdown(head, rows)


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


def breaks(results: Results, names: Sequence[str]) -> str:
    """Windows after a break, by the kind of break."""
    head = ["level", "method", "windows", "error / naive", "days in 80 %", "totals in 80 %"]
    rows = []
    for group in sorted(set(results.groups)):
        where = results.groups == group
        for method in names:
            each = results.scores[method]
            outside = np.nanmean(each.below_80[where]) + np.nanmean(each.above_80[where])
            rows.append(
                [
                    group,
                    method,
                    str(int(where.sum())),
                    f"{each.ratio(results.naive, where):.2f}",
                    f"{np.nanmean(each.inside_80[where]):.2f}",
                    f"{1 - outside:.2f}",
                ]
            )
    return markdown(head, rows)


def _covered(scores: Scores, days: Mask) -> list[str]:
    if not days.any():
        return ["0", "", ""]
    inside = [f"{np.nanmean(each[days]):.3f}" for each in (scores.inside_80, scores.inside_95)]
    return [f"{days.sum():,}", *inside]


def _total_cells(each: Scores, part: Mask) -> list[str]:
    below_80, above_80, below_95, above_95 = (
        float(np.nanmean(side[part]))
        for side in (each.below_80, each.above_80, each.below_95, each.above_95)
    )
    return [
        f"{1 - below_80 - above_80:.3f}",
        f"{1 - below_95 - above_95:.3f}",
        f"{below_80:.3f}",
        f"{above_80:.3f}",
        f"{below_95:.3f}",
        f"{above_95:.3f}",
        f"{np.nanmedian(each.total_error[part]):+.3f}",
        f"{_off_by(each, part):.1%}",
    ]


def _off_by(each: Scores, where: Mask) -> float:
    """By what share the total was missed in half the cases, in units of the forecast."""
    return float(np.expm1(np.nanmedian(np.abs(each.total_error[where]))))


def _sees_christmas(window: Window) -> bool:
    days = window.values.size + HORIZON
    dates = (window.start + dt.timedelta(days=day) for day in range(days))
    return any(
        (each.month, each.day) >= (12, 22) or (each.month, each.day) <= (1, 2) for each in dates
    )
