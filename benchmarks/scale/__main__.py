"""Thousands of packages on one machine, compared with statsforecast on the same folder.

python -m benchmarks.scale --data DIR                      everything, an hour on two cores
python -m benchmarks.scale --series 60,120 --peer-series 6    a quick test
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sqlite3
import sys
import tempfile
import zipfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, table
from benchmarks.processes import Cost, run
from benchmarks.scale import many
from benchmarks.scale.cluster import dask_cluster
from forecast.bundle.manifest import MANIFEST, parse_manifest
from forecast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forecast.bundle.manifest import Manifest

PEER_TARGET = 5.0  # times the packages per second of statsforecast
PEER = Path(".venv-bench/bin/python")
MEGABYTE = 1e6


@dataclass(frozen=True)
class Trainer:
    """Runs ``python -m trainer`` on a folder of series, as a user would.

    Attributes:
        series: the folder of CSV files.
        place: where configs and bundles go.
        now: the clock of all runs, in seconds since 1970; a run can be resumed only on its day.
    """

    series: Path
    place: Path
    now: int

    def words(self, names: Sequence[str], title: str, *more: str) -> list[str]:
        """The command that trains these packages into the bundle of this title."""
        config = self.place / f"{title}.toml"
        config.write_text(config_of(names), encoding="utf-8")
        files = ["--config", str(config), "--output", str(self.bundle(title))]
        return [sys.executable, "-m", "trainer", "--source", str(self.series), *files, *more]

    def run(self, names: Sequence[str], title: str, *more: str) -> Cost:
        """Train to the end."""
        return run(self.words(names, title, *more), self.environment)

    def run_and_kill(self, names: Sequence[str], title: str, *more: str) -> dict[str, float]:
        """Train half of them, then kill it; the CPU seconds of each trained package."""
        outcomes = self.place / f"{title}.run" / "outcomes.sqlite"
        half = len(names) // 2
        words = self.words(names, title, *more)
        run(words, self.environment, stop=lambda: len(trained(outcomes)) >= half)
        return trained(outcomes)

    @property
    def environment(self) -> dict[str, str]:
        """The clock."""
        return {"SOURCE_DATE_EPOCH": str(self.now)}

    def bundle(self, title: str) -> Path:
        """The folder of the bundle with this title."""
        return self.place / title

    def manifest(self, title: str) -> Manifest:
        """The manifest of the bundle with this title."""
        return parse_manifest((self.bundle(title) / MANIFEST).read_bytes())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.place) as folder:
        place = Path(folder)
        names = many.make(place / "series", max(options.series), options.data)
        now = int(dt.datetime.combine(many.TODAY, dt.time(), dt.UTC).timestamp())
        trainer = Trainer(place / "series", place, now)
        figures = []
        for figure in measure(trainer, names, options):
            sys.stderr.write(f"{figure.line()}\n")  # half an hour in total: show the progress
            figures.append(figure)
    print(f"{_machine()}; series {'made up' if options.data is None else 'cut from real ones'}.\n")
    print(table(figures))
    return 0


def measure(
    trainer: Trainer, names: Sequence[str], options: argparse.Namespace
) -> Iterator[Figure]:
    """All figures, one run after the other."""
    jobs, sizes = options.jobs, sorted(options.series)
    costs: dict[int, Cost] = {}
    for size in sizes:
        costs[size] = trainer.run(names[:size], f"of-{size}", "--jobs", str(jobs))
        yield from _of_run(size, jobs, costs[size])
    yield from _growth(costs)
    yield from _of_bundle(trainer.bundle(f"of-{sizes[-1]}"), sizes[-1])
    some = names[: max(sizes[0] // 2, 1)]
    alone = trainer.run(some, "alone", "--jobs", "1")
    yield from _scaling(sizes[0], costs[sizes[0]], len(some), alone, jobs)
    yield from _resumed(trainer, names[: sizes[0]], costs[sizes[0]], jobs)
    if options.dask:
        yield _clustered(trainer, names[: sizes[0]])
    if options.peer_series:
        rate = sizes[0] / costs[sizes[0]].seconds
        yield from _beside(trainer, names[: options.peer_series], options, rate)


def config_of(names: Sequence[str]) -> str:
    """A config.toml that lists these packages, with the defaults of the project's own."""
    facts = {"packages": list(names), "username": "nobody", "repo_name": "nothing"}
    more = {"forecast_days": 30, "m_values": [3, 6, 7]}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**facts, **more}.items())


def trained(outcomes: Path) -> dict[str, float]:
    """CPU seconds of every package that a run has trained so far."""
    if not outcomes.is_file():
        return {}
    try:
        with closing(sqlite3.connect(outcomes, timeout=10)) as database:
            query = "SELECT package, seconds FROM outcomes WHERE entry IS NOT NULL"
            return dict(database.execute(query).fetchall())
    except sqlite3.OperationalError:  # its tables do not exist yet
        return {}


def twice(before: dict[str, float], manifest: Manifest) -> int:
    """How many packages were trained again; no two trainings take equal CPU seconds."""
    return sum(
        round(seconds, 3) != manifest.packages[name].seconds for name, seconds in before.items()
    )


def zipped(bundle: Path, target: Path) -> dict[str, float]:
    """Size of a bundle's zip by kind of file in MB, file names included."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(bundle.iterdir()):
            archive.write(path, path.name)
        sizes: Counter[str] = Counter()
        for member in archive.infolist():
            sizes[kind_of(member.filename)] += member.compress_size
    whole = target.stat().st_size
    sizes["names and places"] = whole - sum(sizes.values())
    return {"in all": whole / MEGABYTE} | {
        kind: size / MEGABYTE for kind, size in sizes.most_common()
    }


def kind_of(name: str) -> str:
    """The name of a file's kind: its suffix, or the file name if it is the only one."""
    for end in (".badge.svg", ".svg", ".pkl"):
        if name.endswith(end):
            return end
    return name


def _of_run(size: int, jobs: int, cost: Cost) -> Iterator[Figure]:
    what = f"{size:,} packages, {jobs} processes: "
    yield Figure(f"{what}from start to bundle", cost.seconds, "s", None)
    yield Figure(f"{what}packages a second", size / cost.seconds, "/s", None)
    yield Figure(f"{what}CPU, all processes", cost.cpu_seconds, "s", None)
    yield Figure(f"{what}CPU a package", cost.cpu_seconds / size, "s", None)
    yield Figure(f"{what}peak memory, all processes (PSS)", cost.memory, "MB", None)
    yield Figure(f"{what}peak memory, main process (VmHWM)", cost.main, "MB", None)


def _growth(costs: dict[int, Cost]) -> Iterator[Figure]:
    """The growth of memory from the smallest to the largest run."""
    small, large = min(costs), max(costs)
    if small == large:
        return
    what = f"peak memory at {large:,} over that at {small:,}, "
    yield Figure(f"{what}all processes", costs[large].memory / costs[small].memory, "", 1.25)
    yield Figure(f"{what}main process", costs[large].main / costs[small].main, "", 1.25)


def _of_bundle(bundle: Path, size: int) -> Iterator[Figure]:
    sizes = zipped(bundle, bundle.with_suffix(".zip"))
    for kind, megabytes in sizes.items():
        target = 60.0 if kind == "in all" else None
        yield Figure(f"zip of {size:,} packages, first run, {kind}", megabytes, "MB", target)


def _scaling(size: int, cost: Cost, some: int, alone: Cost, jobs: int) -> Iterator[Figure]:
    rate = some / alone.seconds
    yield Figure(f"{some:,} packages, 1 process: packages a second", rate, "/s", None)
    ratio = size / cost.seconds / rate
    name = f"{jobs} processes over 1, packages a second"
    yield Figure(name, ratio, "", 0.85 * jobs, at_least=True)


def _resumed(trainer: Trainer, names: Sequence[str], whole: Cost, jobs: int) -> Iterator[Figure]:
    """Kill a run half-way, and resume it."""
    before = trainer.run_and_kill(names, "resumed", "--jobs", str(jobs))
    rest = trainer.run(names, "resumed", "--jobs", str(jobs))
    again = twice(before, trainer.manifest("resumed"))
    what = f"{len(names):,} packages, killed after {len(before):,}: "
    expected = whole.seconds * (1.0 - len(before) / len(names))
    yield Figure(f"{what}seconds to finish", rest.seconds, "s", round(1.1 * expected + 10.0, 1))
    yield Figure(f"{what}packages trained twice", again, "", 0)


def _clustered(trainer: Trainer, names: Sequence[str]) -> Figure:
    with dask_cluster(workers=2) as address:
        cost = trainer.run(names, "clustered", "--cluster", address)
    what = f"{len(names):,} packages, a Dask scheduler and 2 workers on loopback: "
    return Figure(f"{what}packages a second", len(names) / cost.seconds, "/s", None)


def _beside(
    trainer: Trainer, names: Sequence[str], options: argparse.Namespace, ours: float
) -> Iterator[Figure]:
    """Run statsforecast on the first series of the folder; its time excludes reading them."""
    listed = trainer.place / "names.json"
    listed.write_text(json.dumps(names), encoding="utf-8")
    words = [
        str(options.peer),
        "-m",
        "benchmarks.scale.stats_peer",
        str(trainer.series),
        str(listed),
    ]
    cost = run([*words, str(listed), "--jobs", str(options.jobs)], {})
    answer = json.loads(cost.output.splitlines()[-1])
    rate = answer["packages"] / answer["seconds"]
    what = f"{len(names):,} packages, statsforecast {answer['version']} AutoARIMA, m = 7, "
    what += f"n_jobs = {options.jobs}: "
    yield Figure(f"{what}seconds of forecasting", answer["seconds"], "s", None)
    yield Figure(f"{what}packages a second", rate, "/s", None)
    yield Figure(f"{what}peak memory, all processes (PSS)", cost.memory, "MB", None)
    name = "packages a second, this project's whole run over statsforecast's forecasting"
    yield Figure(name, ours / rate, "", PEER_TARGET, at_least=True)


def _machine() -> str:
    cores, today = len(os.sched_getaffinity(0)), dt.datetime.now(dt.UTC).date()
    return f"{today}: {cores} cores, {platform.machine()}, Python {platform.python_version()}"


def _sizes(text: str) -> list[int]:
    sizes = [int(size) for size in text.split(",")]
    if min(sizes) < 1:
        raise ValueError
    return sizes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder of CSV files to cut series from; default: made-up ones")
    add("--series", type=_sizes, default=[1_000, 5_000], help="how many, such as 1000,5000")
    add("--peer-series", type=int, default=200, help="how many for statsforecast; 0: leave it out")
    add("--peer", type=Path, default=PEER, help="a Python that has statsforecast")
    add("--jobs", type=int, default=2)
    add("--dask", action="store_true", help="train on a Dask scheduler with two workers as well")
    add("--place", type=Path, help="folder for some hundred MB; default: the system's for this")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ConfigError as error:
        sys.exit(str(error))
