"""What is printed: markdown tables of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.results import (
    DAY_OFF,
    OURS,
    Results,
    total_classes,
    window_classes,
)
from benchmarks.accuracy.windows import HORIZON
from forecast.quantities import WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.accuracy.run import Mask
    from benchmarks.accuracy.scores import Scores
    from forecast.quantities import Array

FEWEST_DAYS = 300  # of a class; from fewer, a coverage says nothing


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
        "ours against it",
        "of the mean",
        "better than naive",
        "MASE",
        "in 80 %",
        "in 95 %",
        "windows under half",
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
                "" if name == OURS else against(results, each, where),
                f"{each.ratio(results.naive, where, of_mean=True):.3f}",
                f"{np.mean(ratios[where] < 0):.0%}",
                f"{each.error[where].mean():.3f}",
                f"{np.nanmean(each.inside_80[where]):.3f}",
                f"{np.nanmean(each.inside_95[where]):.3f}",
                f"{under_half(each, where):.0%}",
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


def against(results: Results, other: Scores, where: Mask) -> str:
    """How far this project's error lies from another's, and its standard error over packages."""
    logs = results.ours.log_ratios(results.naive) - other.log_ratios(results.naive)
    names = np.array([window.package for window in results.windows])
    means = np.array([logs[where & (names == name)].mean() for name in sorted(set(names[where]))])
    error = f" ± {means.std(ddof=1) / np.sqrt(means.size):.1%}" if means.size > 1 else ""
    return f"{np.expm1(means.mean()):+.1%}{error}"


def under_half(each: Scores, where: Mask) -> float:
    """Share of windows that have fewer than half of their days in the 80 % band."""
    shares = [np.nanmean(row) for row in each.inside_80[where]]
    return float(np.mean(np.array(shares) < 0.5))  # noqa: PLR2004


def days_off(results: Results, where: Mask) -> str:
    """Error over the naive's on windows with and without a day off; empty where all are alike."""
    ahead = (results.shares >= DAY_OFF).any(axis=1)
    parts = {
        "no day off ahead": where & ~ahead,
        "a day off ahead": where & ahead,
        "no Christmas": where & ~results.christmas,
        "Christmas": where & results.christmas,
    }
    parts = {name: part for name, part in parts.items() if 0 < part.sum() < where.sum()}
    if not parts:
        return ""
    head = ["method", *(f"{name} ({part.sum()})" for name, part in parts.items())]
    return markdown(
        head,
        [
            [name, *(f"{results.scores[name].ratio(results.naive, p):.3f}" for p in parts.values())]
            for name in results.able(where)
        ],
    )


def coverage(results: Results, where: Mask) -> str:
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
