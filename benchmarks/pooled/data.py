"""Series of the population and of the corpus, and windows of them for learning and testing."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forecast.quantities import Array

LONGEST_TRAINING = 180  # days, what PyPI Stats keeps
RARE = 10.0  # downloads a day; below it a day that was left out is a zero
MOST_UNKNOWN = 0.2  # share of training days without a count


@dataclass(frozen=True)
class Daily:
    """One series: downloads a day from `start` on, NaN where none was counted, shape (n,)."""

    source: str
    package: str
    start: dt.date
    counts: Array

    @property
    def learns(self) -> bool:
        """Whether the package is of the half that constants are learned on."""
        return hashlib.sha256(self.package.encode()).digest()[-1] % 2 == 0


@dataclass(frozen=True)
class Panel:
    """Windows of equal length that begin on the same day; rows are packages.

    Attributes:
        start: the first day.
        past: downloads a day in training, without holes, shape (rows, n).
        future: the days after, NaN where none was counted, shape (rows, days).
    """

    start: dt.date
    past: Array
    future: Array


def read(folder: Path) -> list[Daily]:
    """Every `<package>.csv` and `<source>/<package>.csv` of a folder."""
    found = []
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*/*.csv")]):
        if path.name == "INDEX.csv":
            continue
        with path.open(encoding="utf-8") as file:
            rows = {
                dt.date.fromisoformat(row["date"]): float(row["downloads"])
                for row in csv.DictReader(file)
            }
        if rows:
            first, last = min(rows), max(rows)
            days = (last - first).days + 1
            counts = [rows.get(first + dt.timedelta(days=day), np.nan) for day in range(days)]
            found.append(Daily(path.parent.name, path.stem, first, np.array(counts)))
    return found


def population_panel(series: Sequence[Daily], origin: int, days: int, longest: int = 180) -> Panel:
    """All packages of the population that have every day, cut at one origin."""
    begin = max(origin - longest, 0)
    start = min(each.start for each in series)
    full = [each for each in series if each.start == start and each.counts.size >= origin + days]
    full = [each for each in full if usable(each.counts[begin:origin])]
    return Panel(
        start + dt.timedelta(days=begin),
        np.array([filled(each.counts[begin:origin]) for each in full]),
        np.array([each.counts[origin : origin + days] for each in full]),
    )


def corpus_panels(series: Sequence[Daily], days: int, spacing: int, most: int) -> list[Panel]:
    """Windows of the corpus as `benchmarks.accuracy.windows` cuts them, one a panel."""
    found = []
    for each in series:
        for back in range(most):
            origin = each.counts.size - days - back * spacing
            begin = max(origin - LONGEST_TRAINING, 0)
            past, future = each.counts[begin : max(origin, 0)], each.counts[max(origin, 0) :]
            if origin < LONGEST_TRAINING // 2 or not usable(past) or np.isnan(past[-1]):
                continue
            known = np.isfinite(future[:days]).sum()
            if known < 2 * days / 3:
                continue
            found.append(
                Panel(
                    each.start + dt.timedelta(days=begin),
                    filled(past)[None],
                    future[None, :days],
                )
            )
    return found


def usable(counts: Array) -> bool:
    """Whether enough days are known and the weeks differ."""
    if counts.size < 14 or np.isnan(counts).mean() > MOST_UNKNOWN:  # noqa: PLR2004
        return False
    whole = filled(counts)
    return bool(np.abs(whole[7:] - whole[:-7]).mean() > 0.0)


def filled(counts: Array) -> Array:
    """Counts without holes: zeros for rare packages, else the weekday's neighbours' mean."""
    holes = np.flatnonzero(np.isnan(counts))
    if not holes.size:
        return counts
    whole = counts.copy()
    if np.nanmedian(counts) < RARE:
        whole[holes] = 0.0
        return whole
    logs = np.log1p(counts)
    for hole in holes:
        same = logs[hole % 7 :: 7]
        distance = np.abs(np.arange(same.size) - hole // 7)
        near = np.argsort(np.where(np.isnan(same), 1e9, distance), kind="stable")[:2]
        whole[hole] = np.expm1(np.nanmean(same[near]))
    return np.nan_to_num(whole)
