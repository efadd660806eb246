"""What each constant gains: ``python -m benchmarks.pooled.ablation --data DIR --corpus DIR``.

Each row changes one thing and leaves the rest; the figures are of the testing half: error
over the seasonal naive's on three days of the population and on the corpus.
"""

from __future__ import annotations

import argparse
import datetime as dt
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.pooled.constants import (
    BELIEVED,
    FIRST,
    HORIZON,
    LAST,
    STRETCH,
    distribution,
    learn_bands,
    learn_days_off,
    learning_panels,
    ratios,
)
from benchmarks.pooled.data import Daily, Panel, corpus_panels, population_panel, read
from forecast.model import level, weekdays
from forecast.model.constants import Constants, constants
from forecast.search.days_off import COLUMNS, Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from forecast.model.distribution import Distribution

ORIGINS = (59, 74, 89)  # days of the population before the forecast

CHANGES: tuple[tuple[str, ModuleType, str, Any], ...] = (
    ("weekday pattern not shrunk", weekdays, "SHRINKAGE", 0.0),
    ("weekday pattern shrunk twice as much", weekdays, "SHRINKAGE", 3.0),
    ("weekday deviations not clipped", weekdays, "CLIPPED_AT", 99.0),
    ("weekdays of all weeks alike", weekdays, "HALF_LIFE", 1e6),
    ("weekend gap without bound", weekdays, "WIDEST_GAP", 9.0),
    ("one theta, alpha 0.2", level, "ALPHAS", np.array([0.2])),
    ("thetas not weighted by fit", level, "TEMPERATURE", 1e6),
    ("the best theta alone", level, "TEMPERATURE", 1e-3),
    ("weekends move the level as weekdays do", level, "WEEKEND", 1.0),
    ("small packages' level not steadied", level, "SMALL", 1e-9),
    ("outliers move the level", level, "OUTLYING", 99.0),
    ("no warm-up", level, "WARM_UP", 0),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    options = parser.parse_args(arguments)
    series, long = read(options.data), read(options.corpus)
    pooled = constants()
    tested = [each for each in series if not each.learns]
    panels = [population_panel(tested, origin, HORIZON) for origin in ORIGINS]
    windows = corpus_panels([each for each in long if not each.learns], HORIZON, 90, 6)
    calendar = _calendar(pooled.days_off)
    print(f"{'as it is':42s} {_line(panels, windows, calendar, pooled)}")
    for name, module, constant, value in CHANGES:
        with _changed(module, constant, value):
            print(f"{name:42s} {_line(panels, windows, calendar, pooled)}", flush=True)
    ours, others = _halves(series, long)
    cut = [_until(each, dt.date(2026, 1, 1)) for each in others if each.source != "clickpy"]
    past = [each for each in cut if each.counts.size > STRETCH]
    tables: dict[str, Mapping[str, float]] = {
        "no days off": dict.fromkeys(COLUMNS, 0.0),
        "days off as believed, never fitted": {name: BELIEVED[name][0] for name in COLUMNS},
        "days off learned before 2026": learn_days_off([past]),
        "days off learned on 2026 alone": learn_days_off([ours]),
    }
    for name, table in tables.items():
        print(f"{name:42s} {_line(panels, windows, _calendar(table), pooled)}", flush=True)
    print("bands of the population learned on the corpus alone (other years and seasons):")
    alone = [each for each in learning_panels(ours, others) if len(each[1].past) == 1]
    known = replace(pooled, days_off=tables["days off learned before 2026"])
    days, sums = learn_bands(alone, _calendar(known.days_off), known)
    for panel, origin in zip(panels, ORIGINS, strict=True):
        learned = replace(known, days=days, sums=sums)
        made = distribution(panel, _calendar(known.days_off), learned)
        print(f"  day {origin}  {_coverage(panel, made)}")
    return 0


def _coverage(panel: Panel, made: Distribution) -> str:
    """Shares of days and of totals in the bands, and of totals below and above."""
    span = np.array([float(HORIZON)])
    total = panel.future.sum(axis=1, keepdims=True)
    found = []
    for name, actual, ends in (
        ("days", panel.future, made.days),
        ("totals", total, made.sums(span, span)[1]),
    ):
        for band in ("80", "95"):
            below = (actual < getattr(ends, f"lower_{band}")).mean()
            above = (actual > getattr(ends, f"upper_{band}")).mean()
            inside = 1.0 - below - above
            found.append(f"{name} {band} % {inside:.3f} (below {below:.3f}, above {above:.3f})")
    return "  ".join(found)


def _halves(series: Sequence[Daily], long: Sequence[Daily]) -> tuple[list[Daily], list[Daily]]:
    return [each for each in series if each.learns], [each for each in long if each.learns]


def _until(each: Daily, day: dt.date) -> Daily:
    return replace(each, counts=each.counts[: max((day - each.start).days, 0)])


def _calendar(weights: Mapping[str, float]) -> Calendar:
    return Calendar(FIRST, LAST, tuple(weights[name] for name in COLUMNS))


def _line(
    panels: Sequence[Panel], windows: Sequence[Panel], calendar: Calendar, pooled: Constants
) -> str:
    each = [np.exp(ratios(panel, distribution(panel, calendar, pooled)).mean()) for panel in panels]
    mixed = [ratios(panel, distribution(panel, calendar, pooled)).mean() for panel in windows]
    return "  ".join(f"{value:.4f}" for value in [*each, np.exp(np.mean(mixed))])


@contextmanager
def _changed(module: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


if __name__ == "__main__":
    raise SystemExit(main())
