"""Does a longer past help? The same windows forecast from 180 days, a year, two, and all.

``python -m benchmarks.years --data DIR`` takes the folder that ``benchmarks.accuracy``
takes and uses the series that reach back a year and a month or more. Every length forecasts
the same 30 days, and all errors are in the unit of the last 180 days, so rows compare.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.scores import MEASURES, Run, measure, summarise
from benchmarks.windows import HORIZON, LONGEST_TRAINING, Window, windows
from forecast.errors import DownloadsError, SeriesError
from forecast.search.backtest import seasonal_naive
from forecast.search.search import train
from forecast.series import regular
from forecast.sources.folder import CsvFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from forecast.quantities import Array

YEAR = 365
EVERYTHING = 3650
LENGTHS = (LONGEST_TRAINING, YEAR, 2 * YEAR, EVERYTHING)
MOST_ORIGINS = 24  # a package; every 90 days of six years
HEADINGS = ("days to learn from", *MEASURES)


@dataclass(frozen=True)
class Past:
    """A window, and all that was known of the package on its last day of training."""

    window: Window
    counts: pd.Series[int]

    def last(self, days: int) -> Window:
        """The same window with so many days to learn from."""
        end = self.counts.index[-1]
        kept = self.counts[self.counts.index > end - np.timedelta64(days, "D")]
        series = regular(kept)
        return replace(self.window, start=series.start, values=series.values)


def pasts(path: Path) -> Iterator[Past]:
    """Every window of `path` that a year lies before."""
    for file in sorted([*path.glob("*.csv"), *path.glob("*/*.csv")]):
        try:
            counts = CsvFolder(file.parent).daily(file.stem)
        except DownloadsError:
            continue  # an index or a table of something else
        for window in windows(file.parent.name, file.stem, counts, MOST_ORIGINS):
            end = np.datetime64(window.start) + np.timedelta64(window.values.size - 1, "D")
            known = counts[counts.index <= end]
            if (known.index[-1] - known.index[0]).days >= YEAR:
                yield Past(window, known)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.years", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of CSV files")
    parser.add_argument("--held-out", action="store_true", help="the packages not tuned on")
    options = parser.parse_args(arguments)
    chosen = [past for past in pasts(options.data) if past.window.is_tuning != options.held_out]
    for reach in (YEAR, 2 * YEAR):
        able = [each for each in chosen if _days(each) >= reach]
        print(table(able, [days for days in LENGTHS if days <= reach or days == EVERYTHING]))
    return 0


def table(chosen: Sequence[Past], lengths: Sequence[int]) -> str:
    """A row a length, on the same windows, as markdown."""
    where = [each.window for each in chosen]
    naive = [
        measure(w, np.tile(seasonal_naive(w.values, HORIZON), (5, 1)), 0.0, failed=False)
        for w in where
    ]
    lines = [
        f"{len(where)} windows of {len({w.package for w in where})} packages\n",
        "| " + " | ".join(HEADINGS) + " |",
        "|---" + "|---:" * (len(HEADINGS) - 1) + "|",
    ]
    for days in lengths:
        runs = [forecast(each, days) for each in tqdm(chosen, desc=str(days), file=sys.stderr)]
        made = summarise(where, runs, naive)
        name = "all" if days == EVERYTHING else str(days)
        lines.append(
            f"| {name} | {made.ratio:.3f} | {made.pooled_ratio:.3f} | {made.mase:.3f} "
            f"| {made.coverage_80:.3f} | {made.coverage_95:.3f} | {made.interval:.2f} |"
        )
    return "\n".join(lines) + "\n"


def forecast(past: Past, days: int) -> Run:
    """The search on the last `days` days; last week repeated where they are no series."""
    try:
        made = predicted(past, days)
    except SeriesError:
        made, failed = np.tile(seasonal_naive(past.window.values, HORIZON), (5, 1)), True
    else:
        failed = False
    return measure(past.window, made, 0.0, failed=failed)


def predicted(past: Past, days: int) -> Array:
    """Point forecast and band ends, shape (5, HORIZON)."""
    longer = past.last(days)
    model = train(longer.values, longer.start, horizon=HORIZON, m_values=(7,)).model
    made = model.predict(HORIZON)
    return np.stack(list(made.columns().values()))


def _days(past: Past) -> int:
    return int((past.counts.index[-1] - past.counts.index[0]).days)


if __name__ == "__main__":
    sys.exit(main())
