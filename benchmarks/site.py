"""Time and size of the site of many packages.

python -m benchmarks.site                  5,000 packages, on all cores
python -m benchmarks.site --packages 500
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.app_speed import MANY, multiply
from benchmarks.figures import Figure, table
from forecast.bundle.reader import read_folder
from forecast.config import load_config
from tests.appserver import ROOT, train_sample
from trainer.engines.local import cores
from trainer.site.site import write_site

SECONDS, MEGABYTES, KILOBYTES = 30.0, 1_000.0, 60.0  # targets; the size is the limit of Pages
MEGABYTE, KILOBYTE = 1e6, 1e3


def main() -> None:
    """Write the site once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=MANY)
    packages = parser.parse_args().packages
    with tempfile.TemporaryDirectory() as place:
        few, many, site = (Path(place) / name for name in ("few", "many", "site"))
        train_sample(few)
        many.mkdir()
        site.mkdir()
        multiply(read_folder(few), packages, many)
        bundle, config = read_folder(many), load_config(ROOT / "config.toml")
        begun, used = time.perf_counter(), cpu_seconds()
        write_site(bundle, config, site, cores())
        seconds, used = time.perf_counter() - begun, cpu_seconds() - used
        sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    pages = [
        size + sizes.get(path.with_name("chart.svg"), 0)
        for path, size in sizes.items()
        if path.name == "index.html"
    ]
    print(
        table(
            [
                Figure(f"site of {packages:,} packages, {cores()} cores", seconds, "s", SECONDS),
                Figure("CPU of all processes", used, "s", None),
                Figure("size", sum(sizes.values()) / MEGABYTE, "MB", MEGABYTES),
                Figure("files", len(sizes), "", None),
                Figure("largest page with its picture", max(pages) / KILOBYTE, "kB", KILOBYTES),
            ]
        )
    )


def cpu_seconds() -> float:
    """CPU time of this process and of those that it has waited for."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
