"""Run the search and its peers on real series and print how they compare.

``python -m benchmarks.accuracy --data DIR`` takes any folder of CSV files with the
columns date and downloads, ``<package>.csv`` or ``<source>/<package>.csv``. Without
``--data`` it fetches what PyPI Stats has for the packages of config.toml.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from benchmarks.peers import NAIVE, OURS, PEERS, Peer
from benchmarks.scores import MEASURES, Run, measure, summarise
from benchmarks.windows import HORIZON, Window, from_folder, from_source, thinned
from forecast.config import load_config
from forecast.http import new_session
from forecast.search.backtest import seasonal_naive
from forecast.sources.pypistats import PyPIStats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Runs = dict[str, dict[int, Run]]  # by method, by the window's place in the list

HEADINGS = ("method", "windows", *MEASURES, "CPU s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, run, print the tables and write them."""
    options = _parser().parse_args(arguments)
    windows = _windows(options.data, options.config)
    if not windows:
        print("no series is long enough: 120 days of counts at least", file=sys.stderr)
        return 1
    peers = [peer for peer in PEERS if options.all or peer.every == 1] or list(PEERS)
    _warm_up(peers, windows[0])
    runs = run_all(peers, windows)
    text = report(peers, windows, runs)
    print(text)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text + "\n", encoding="utf-8")
    return 0


def run_all(peers: Sequence[Peer], windows: Sequence[Window]) -> Runs:
    """Every method on its windows, one window after the other."""
    place = {id(window): number for number, window in enumerate(windows)}
    found: Runs = {}
    for peer in peers:
        chosen = thinned(peer.every, list(windows))
        found[peer.name] = {
            place[id(window)]: run_one(peer, window)
            for window in tqdm(chosen, desc=peer.name, file=sys.stderr)
        }
    return found


def run_one(peer: Peer, window: Window) -> Run:
    """One method on one window; where it raises, last week stands in and is counted."""
    begun = time.process_time()
    try:
        made = peer.method(window.values, window.start, HORIZON)
        failed = not bool(np.all(np.isfinite(made)))
    except Exception:  # noqa: BLE001 - a peer may raise anything; it is counted in the table
        failed = True
    if failed:
        made = np.tile(seasonal_naive(window.values, HORIZON), (5, 1))
    return measure(window, made, time.process_time() - begun, failed=failed)


def report(peers: Sequence[Peer], windows: Sequence[Window], runs: Runs) -> str:
    """The tables as markdown: the fast methods on all windows, the slow ones on theirs."""
    packages = len({window.package for window in windows})
    sources = len({window.source for window in windows})
    today = dt.datetime.now(dt.UTC).date().isoformat()
    size = f"{len(windows)} windows of {packages} packages from {sources} sources"
    parts = [f"{today}: {size}, horizon {HORIZON} days."]
    for every in sorted({peer.every for peer in peers}):
        title = "All windows" if every == 1 else f"One window in {every}, slow methods too"
        parts += _section(title, every, peers, windows, runs)
    parts += _section("Tuning part", 1, peers, windows, runs, belongs=lambda each: each.is_tuning)
    parts += _section(
        "Held-out part", 1, peers, windows, runs, belongs=lambda each: not each.is_tuning
    )
    parts += _section(
        "Windows without a holiday",
        1,
        peers,
        windows,
        runs,
        belongs=lambda each: not each.sees_holidays,
    )
    return "\n\n".join(parts)


def _section(
    title: str,
    every: int,
    peers: Sequence[Peer],
    windows: Sequence[Window],
    runs: Runs,
    *,
    belongs: Callable[[Window], bool] = lambda _: True,
) -> list[str]:
    """The methods that are at least so fast, on the same windows in all rows."""
    able = [peer for peer in peers if peer.every <= every]
    shared = set.intersection(*(set(runs[peer.name]) for peer in able))
    places = sorted(place for place in shared if belongs(windows[place]))
    return [f"### {title}", _table(able, places, windows, runs)] if places else []


def _table(
    peers: Sequence[Peer], places: Sequence[int], windows: Sequence[Window], runs: Runs
) -> str:
    naive = [runs[NAIVE][place] for place in places]
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---" + "|---:" * (len(HEADINGS) - 1) + "|"]
    for peer in peers:
        made = summarise(
            [windows[place] for place in places],
            [runs[peer.name][place] for place in places],
            naive,
        )
        name = f"**{peer.name}**" if peer.name == OURS else peer.name
        name += f" ({made.failures} failed)" if made.failures else ""
        cells = [
            name,
            str(made.windows),
            f"{made.ratio:.3f}",
            f"{made.pooled_ratio:.3f}",
            f"{made.mase:.3f}",
            f"{made.coverage_80:.3f}",
            f"{made.coverage_95:.3f}",
            f"{made.interval:.3g}",
            f"{made.seconds:.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _warm_up(peers: Sequence[Peer], window: Window) -> None:
    """Import and compile what methods need, so that no window pays for it."""
    for peer in peers:
        run_one(peer, window)


def _windows(data: Path | None, config: Path) -> list[Window]:
    if data is not None:
        return from_folder(data)
    settings = load_config(config)
    source = PyPIStats(new_session())
    return from_source(source, [package.name for package in settings.packages])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of CSV files; default: PyPI Stats")
    parser.add_argument("--config", type=Path, default=Path("config.toml"))
    parser.add_argument(
        "--output", type=Path, default=Path("bench-results/accuracy.md"), help="markdown to write"
    )
    parser.add_argument(
        "--fast", dest="all", action="store_false", help="leave out the methods that take minutes"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
