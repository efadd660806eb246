"""Forecast real series with this project and with its peers, and print how they compare.

``python -m benchmarks.accuracy --data DIR`` takes any folder of CSV files with the
columns date and downloads, ``<package>.csv`` or ``<source>/<package>.csv``. Without
``--data`` it fetches what PyPI Stats has for the packages of config.toml.

This project runs on all windows. On a population the peers run on a sample of the test half,
all of them on the same windows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.accuracy import tables
from benchmarks.accuracy.before import run_before
from benchmarks.accuracy.breaks import broken_windows
from benchmarks.accuracy.methods import SCALES, Calendar, Method, naive
from benchmarks.accuracy.ours import Ours, calendar, empty_calendar
from benchmarks.accuracy.peers import FAST, SLOW, peers
from benchmarks.accuracy.results import BEFORE, NAIVE, NO_DAYS_OFF, OURS, Results
from benchmarks.accuracy.run import Made, Mask, median_of, run
from benchmarks.accuracy.scores import score
from benchmarks.accuracy.windows import (
    HORIZON,
    Daily,
    Window,
    all_windows,
    drawn,
    fetched,
    is_population,
    read,
    thinned,
)
from forecast.config import load_config
from forecast.http import new_session
from forecast.sources.pypistats import PyPIStats

ALL_PACKAGES = "Test half, all packages"  # told apart from the sample, where there is one
MEDIAN = "median of the five fast ones"
Run = Callable[[Method, Sequence[Window], Mask], Made]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run, print the tables and write them."""
    options = _parser().parse_args(arguments)
    series = _series(options.data, options.config)
    windows = all_windows(series)
    if not windows:
        print("no series is long enough: 120 days of counts at least", file=sys.stderr)
        return 1
    days_off = calendar()
    sampled = _sampled(windows, options.packages if is_population(series) else None)
    slowly = sampled & np.array(thinned(windows, options.slow_every))
    made = _run_all(windows, sampled, slowly, options)
    results = _results(windows, made, days_off)
    parts = [_title(windows, options.data), *_report(results, sampled, slowly)]
    if is_population(series):
        parts += _breaks(series, days_off, options)
    text = "\n\n".join(parts)
    print(text)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text + "\n", encoding="utf-8")
    return 0


def _run_all(
    windows: Sequence[Window],
    sampled: Mask,
    slowly: Mask,
    options: argparse.Namespace,
) -> dict[str, Made]:
    """Every method on its windows, in the order of the tables."""
    everywhere = np.ones(len(windows), dtype=np.bool_)
    plan: list[tuple[str, Method, Mask]] = [
        (OURS, Ours(calendar()), everywhere),
        (NO_DAYS_OFF, Ours(empty_calendar()), sampled),
        (NAIVE, naive, everywhere),
        *((name, method, sampled) for name, method in peers(FAST).items()),
        *((name, method, slowly) for name, method in peers(SLOW).items()),
    ]
    found = {name: _told(name, method, windows, where, options) for name, method, where in plan}
    for scale in SCALES:
        several = [found[f"{name}, {scale}"] for name in FAST]
        found[f"{MEDIAN}, {scale}"] = median_of(several)
    if options.before:
        print(BEFORE, file=sys.stderr)
        found[BEFORE] = run_before(options.before, windows, sampled, options.jobs)
    return found


def _told(
    name: str,
    method: Method,
    windows: Sequence[Window],
    where: Mask,
    options: argparse.Namespace,
) -> Made:
    """Run a method once for what it loads late, then on its windows."""
    print(f"{name}: {where.sum()} windows", file=sys.stderr)
    first = np.arange(len(windows)) == 0
    run(method, windows, first, 1)
    return run(method, windows, where, options.jobs)


def _results(windows: Sequence[Window], made: dict[str, Made], days_off: Calendar) -> Results:
    """The scores, the better scale of each peer told from the other."""
    scores = {name: score(windows, each) for name, each in made.items()}
    return Results(windows, scores, days_off)


def _report(results: Results, sampled: Mask, slowly: Mask) -> list[str]:
    """All tables; the test half first. What has no windows is left out."""
    test, everything = ~results.learns, np.ones(len(results.windows), dtype=np.bool_)
    some = sampled & test
    best = results.better_scales(some)
    told = [name for name in (OURS, BEFORE) if name in results.scores]
    rivals = [name for name in best.able(some) if name not in {OURS, NAIVE, NO_DAYS_OFF}]
    all_methods, off, classes = tables.methods, tables.days_off, tables.coverage
    planned: list[tuple[str, Callable[..., str], Results, Mask, list[list[str]]]] = [
        ("Test half, all methods", all_methods, best, some, []),
        ("Test half, slow methods too", all_methods, best, slowly & test, []),
        (ALL_PACKAGES, all_methods, best, test, []),
        ("Learn half", all_methods, best, ~test, []),
        ("Both halves", all_methods, best, everything, []),
        ("Test half, both scales of each peer", all_methods, results, some, []),
        ("Test half, days off", off, best, some, []),
        ("Both halves, days off", off, best, everything, []),
        ("Test half, error over naive by class", tables.by_class, best, some, [[OURS, *rivals]]),
        ("Test half, coverage by class", classes, results, test, []),
        ("Both halves, coverage by class", classes, results, everything, []),
        ("Test half, totals", tables.totals, results, test, [[OURS]]),
        ("Both halves, totals", tables.totals, results, everything, [[OURS]]),
        ("Test half, totals of the same windows", tables.totals, results, some, [told]),
    ]
    return [
        f"### {title}\n\n{made}"
        for title, table, source, where, more in planned
        if where.any()
        and not (title == ALL_PACKAGES and np.array_equal(where, some))
        and (made := table(source, where, *more))
    ]


def _breaks(series: Sequence[Daily], days_off: Calendar, options: argparse.Namespace) -> list[str]:
    """After a break: both halves, for a half has too few."""
    windows = broken_windows(series, days_off)
    if not windows:
        return []
    everywhere = np.ones(len(windows), dtype=np.bool_)
    made = {
        name: _told(name, method, windows, everywhere, options)
        for name, method in ((OURS, Ours(calendar())), (NAIVE, naive))
    }
    if options.before:
        made[BEFORE] = run_before(options.before, windows, everywhere, options.jobs)
    results = _results(windows, made, days_off)
    names = [name for name in (OURS, BEFORE) if name in made]
    return [f"### Both halves, after a break\n\n{tables.breaks(results, names)}"]


def _sampled(windows: Sequence[Window], packages: int | None) -> Mask:
    if packages is None:
        return np.ones(len(windows), dtype=np.bool_)
    names = drawn(windows, packages)
    return np.array([window.package in names for window in windows])


def _title(windows: Sequence[Window], data: Path | None) -> str:
    packages = len({window.package for window in windows})
    sources = len({window.source for window in windows})
    today = dt.datetime.now(dt.UTC).date().isoformat()
    return (
        f"{today}, {data.name if data else 'PyPI Stats'}: {len(windows)} windows of {packages} "
        f"packages from {sources} sources, {HORIZON} days ahead."
    )


def _series(data: Path | None, config: Path) -> list[Daily]:
    if data is not None:
        return read(data)
    settings = load_config(config)
    return fetched(PyPIStats(new_session()), [package.name for package in settings.packages])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of CSV files; default: PyPI Stats")
    parser.add_argument("--config", type=Path, default=Path("config.toml"))
    parser.add_argument(
        "--output", type=Path, default=Path("bench-results/accuracy.md"), help="markdown to write"
    )
    parser.add_argument("--before", type=Path, help="checkout of commit fbd1c83, to compare with")
    parser.add_argument(
        "--packages", type=int, default=200, help="packages of a population that peers run on"
    )
    parser.add_argument(
        "--slow-every", type=int, default=12, help="slow peers run on one window in so many"
    )
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    return parser


if __name__ == "__main__":
    sys.exit(main())
