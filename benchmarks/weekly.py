"""The first weekly run, and those that go on from the bundle of the week before.

python -m benchmarks.weekly                  300 packages, three weeks
python -m benchmarks.weekly --packages 1000 --weeks 6
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, table
from benchmarks.processes import run
from benchmarks.scale import many
from benchmarks.scale.__main__ import config_of
from forecast.bundle.reader import read_folder
from forecast.quantities import WEEK
from tests.standins.clickhouse import ClickHouseServer
from tests.standins.engine import Engine
from trainer.engines.local import cores
from trainer.reports.total_record import update_total_record
from trainer.reports.track_record import most_rows, update_track_record

MILLISECONDS = 1e3


def main() -> None:
    """Run the trainer once a week on a local ClickHouse, and print what each run took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=300)
    parser.add_argument("--weeks", type=int, default=3)
    given = parser.parse_args()
    stream = many.made_up()
    series = {many.name_of(at): next(stream) for at in range(given.packages)}
    figures = []
    with tempfile.TemporaryDirectory() as place, Engine() as engine:
        config, output = Path(place) / "config.toml", Path(place) / "models"
        config.write_text(config_of(list(series)), encoding="utf-8")
        words = [sys.executable, "-m", "trainer", "--source", "clickhouse"]
        words += ["--config", str(config), "--output", str(output)]
        for week in range(1, given.weeks + 1):
            ahead = WEEK * (given.weeks - week)  # the days that are still to come
            now = dt.datetime.combine(many.TODAY, dt.time(), dt.UTC) - dt.timedelta(days=ahead)
            with ClickHouseServer(engine) as server:
                server.fill({name: days.iloc[: -ahead or None] for name, days in series.items()})
                environment = {
                    "CLICKHOUSE_URL": server.url,
                    "SOURCE_DATE_EPOCH": str(int(now.timestamp())),
                }
                cost = run(words, environment)
            what = f"week {week}, {given.packages:,} packages, {cores()} processes: "
            figures += [
                Figure(f"{what}from start to bundle", cost.seconds, "s", None),
                Figure(f"{what}CPU a package", cost.cpu_seconds / given.packages, "s", None),
                Figure(f"{what}peak memory, all processes", cost.memory, "MB", None),
            ]
        figures.append(score_once_more(output, given.packages))
    print(table(figures))


def score_once_more(folder: Path, packages: int) -> Figure:
    """What the record alone takes: that of a bundle is brought up to its own day."""
    bundle, most = read_folder(folder), most_rows(packages)
    through, begun = bundle.known_through, time.process_time()
    for name in bundle.names:
        counts, today = bundle.history(name), many.TODAY
        update_track_record(bundle, name, counts, (), today, most=most)
        update_total_record(bundle, name, counts, (), today, through=through, most=most)
    took = (time.process_time() - begun) / packages
    return Figure("the record alone, CPU a package", took * MILLISECONDS, "ms", None)


if __name__ == "__main__":
    main()
