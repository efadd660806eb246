"""Time and size of the site of many packages.

python -m benchmarks.site                  5,000 packages, on all cores
python -m benchmarks.site --packages 500
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.app_speed import MANY, multiply
from benchmarks.figures import Figure, table
from benchmarks.processes import run
from forecast.bundle.reader import read_folder
from forecast.config import load_config
from tests.appserver import ROOT, train_sample
from trainer.engines.local import cores
from trainer.site.site import write_site

SECONDS, MEGABYTES, KILOBYTES = 30.0, 1_000.0, 60.0  # targets; the size is the limit of Pages
MEGABYTE, KILOBYTE = 1e6, 1e3


def main() -> None:
    """Write the site once in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=MANY)
    parser.add_argument("--write", nargs=2, type=Path, metavar=("BUNDLE", "SITE"))
    given = parser.parse_args()
    if given.write:
        bundle, site = given.write
        made = read_folder(bundle)
        # Sample data has no cards and badges.
        counted = replace(made, manifest=made.manifest.model_copy(update={"source": "pypistats"}))
        write_site(counted, load_config(ROOT / "config.toml"), site, cores())
        return
    with tempfile.TemporaryDirectory() as place:
        few, many, site = (Path(place) / name for name in ("few", "many", "site"))
        train_sample(few)
        many.mkdir()
        site.mkdir()
        multiply(read_folder(few), given.packages, many)
        words = [sys.executable, "-m", "benchmarks.site", "--write", str(many), str(site)]
        cost = run(words, {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
        sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    pages = [
        size + sizes.get(path.with_name("chart.svg"), 0)
        for path, size in sizes.items()
        if path.name == "index.html"
    ]
    what = f"bundle read and site written, {given.packages:,} packages, {cores()} cores"
    print(
        table(
            [
                Figure(what, cost.seconds, "s", SECONDS),
                Figure("CPU of all processes", cost.cpu_seconds, "s", None),
                Figure("memory of all processes", cost.memory, "MB", None),
                Figure("size", sum(sizes.values()) / MEGABYTE, "MB", MEGABYTES),
                Figure("files", len(sizes), "", None),
                Figure("largest page with its picture", max(pages) / KILOBYTE, "kB", KILOBYTES),
            ]
        )
    )


if __name__ == "__main__":
    main()
