"""Forecast a folder with statsforecast, in its own environment; prints JSON."""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoARIMA

DAYS = 30


def main() -> None:
    """Read and forecast; print how long the forecast took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", help="a JSON file with the packages to forecast")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    names = json.loads(Path(given.names).read_text(encoding="utf-8"))
    table = pd.concat([_series(given.folder, name) for name in names], ignore_index=True)
    begun = time.perf_counter()
    engine = StatsForecast(models=[AutoARIMA(season_length=7)], freq="D", n_jobs=given.jobs)
    made = engine.forecast(df=table, h=DAYS, level=[80, 95])
    seconds = time.perf_counter() - begun
    packages = made["unique_id"].nunique()
    print(
        json.dumps({"seconds": seconds, "packages": packages, "version": version("statsforecast")})
    )


def _series(folder: Path, name: str) -> pd.DataFrame:
    table = pd.read_csv(folder / f"{name}.csv", parse_dates=["date"])
    table.insert(0, "unique_id", name)
    return table.rename(columns={"date": "ds", "downloads": "y"}).astype({"y": "float64"})


if __name__ == "__main__":
    main()
