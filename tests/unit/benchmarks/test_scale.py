"""The parts of the benchmark of thousands of packages that need no hour."""

import datetime as dt
import sqlite3
import sys
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from benchmarks.figures import Figure, table
from benchmarks.processes import highest, run
from benchmarks.scale import many
from benchmarks.scale.__main__ import config_of, kind_of, trained, twice, zipped
from benchmarks.scale.many import DAYS, cut, make
from forecast.bundle.manifest import Manifest, PackageEntry
from forecast.config import load_config
from forecast.errors import ConfigError, ForecastError
from forecast.sources.folder import CsvFolder


def series(days=400, start="2024-01-03"):
    index = pd.date_range(start, periods=days, freq="D", name="date")
    weekend = np.where(index.day_of_week >= 5, 0.5, 1.0)
    values = np.random.default_rng(0).integers(900, 1100, days) * weekend
    return pd.Series(values.round().astype("int64"), index=index, name="downloads")


def write(folder, **tables):
    for name, counts in tables.items():
        counts.to_csv(folder / f"{name}.csv")


# The folder


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    write(folder, flask=series())
    write(folder / "deep", rich=series(300).drop(pd.Timestamp("2024-03-05")), new=series(150))
    (folder / "INDEX.csv").write_text("name,licence\nflask,none\n")
    return folder


@pytest.mark.parametrize("real", [True, False])
def test_series_are_as_many_as_asked_for_of_one_length_and_no_two_alike(tmp_path, data, real):
    names = make(tmp_path / "made", 40, data if real else None)

    source = CsvFolder(tmp_path / "made")
    found = [source.daily(name) for name in names]
    assert len(list((tmp_path / "made").iterdir())) == len(set(names)) == 40
    assert {len(counts) for counts in found} == {DAYS}
    assert {counts.index[-1].date() for counts in found} == {many.TODAY - dt.timedelta(days=1)}
    assert len({counts.to_numpy().tobytes() for counts in found}) == 40


def test_series_that_came_before_are_drawn_again(tmp_path, data, monkeypatch):
    monkeypatch.setattr(many, "LARGEST_FACTOR", 1.0)

    names = make(tmp_path / "made", 20, data)

    source = CsvFolder(tmp_path / "made")
    assert len({source.daily(name).to_numpy().tobytes() for name in names}) == 20


def test_the_same_folder_is_made_again(tmp_path, data):
    make(tmp_path / "one", 5, data)
    make(tmp_path / "two", 5, data)

    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_pieces_keep_their_weekdays():
    pieces = cut([series()], np.random.default_rng(1))

    for counts in (next(pieces) for _ in range(5)):
        weekend = pd.DatetimeIndex(counts.index).day_of_week >= 5
        assert counts[weekend].max() < counts[~weekend].min()


def test_series_that_are_all_too_short_are_refused(tmp_path):
    write(tmp_path, new=series(150))

    with pytest.raises(ConfigError, match="expected CSV files with 187 days"):
        make(tmp_path / "made", 3, tmp_path)


# The runs


def test_the_config_is_one(tmp_path):
    (tmp_path / "config.toml").write_text(config_of(["package-0", "package-1"]))

    config = load_config(tmp_path / "config.toml")

    assert [package.name for package in config.packages] == ["package-0", "package-1"]
    assert config.forecast_days == 30


def test_the_cost_of_a_program_holds_that_of_its_children():
    child = "import time; data = b'x' * 60_000_000; [hash(str(i)) for i in range(10**6)];"
    child += "time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print(7)"

    cost = run([sys.executable, "-c", parent], {})

    assert cost.output == "7\n"
    assert cost.memory > 60 > cost.main > 1
    assert len(cost.cpu) == 2
    assert cost.seconds > 1


def test_a_program_is_killed_when_told():
    cost = run([sys.executable, "-c", "import time; time.sleep(60)"], {}, stop=lambda: True)

    assert cost.seconds < 30


def test_a_program_that_fails_is_an_error():
    with pytest.raises(ForecastError, match="it gave 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"], {})


def test_the_highest_memory_is_read():
    assert highest("Name:\tpython\nVmHWM:\t  204800 kB\nVmRSS:\t 1024 kB\n") == 200
    assert highest("Name:\tpython\nState:\tZ (zombie)\n") == 0


def test_what_is_trained_so_far_is_read_from_a_run_at_any_moment(tmp_path):
    path = tmp_path / "outcomes.sqlite"
    assert trained(path) == {}
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE facts (name TEXT)")
        assert trained(path) == {}
        database.execute("CREATE TABLE outcomes (package TEXT, seconds REAL, entry TEXT)")
        database.execute("INSERT INTO outcomes VALUES ('flask', 0.2, '{}'), ('rich', 0.1, NULL)")
        database.commit()

    assert trained(path) == {"flask": 0.2}


def test_packages_that_were_trained_again_are_counted():
    entries = {
        name: PackageEntry(label=name, status="trained", seconds=seconds)
        for name, seconds in {"flask": 0.123, "rich": 0.456, "later": 0.3}.items()
    }
    manifest = Manifest(
        created_at=dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
        source="folder",
        mirrors=True,
        forecast_days=30,
        m_values=(7,),
        versions={},
        packages=entries,
    )

    assert twice({"flask": 0.12345, "rich": 0.4}, manifest) == 1


# The table


def test_a_zip_is_told_by_kind_of_file(tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for name in ("a.svg", "b.svg", "a.badge.svg", "a.pkl", "history.csv"):
        (bundle / name).write_bytes(np.random.default_rng(0).bytes(1_000))

    sizes = zipped(bundle, tmp_path / "bundle.zip")

    assert set(sizes) == {"in all", ".svg", ".badge.svg", ".pkl", "history.csv", "names and places"}
    assert sizes[".svg"] == pytest.approx(2 * sizes[".pkl"])
    assert sum(sizes.values()) == pytest.approx(2 * sizes["in all"])
    assert sizes["in all"] == pytest.approx((tmp_path / "bundle.zip").stat().st_size / 1e6)


def test_a_badge_is_no_other_picture():
    assert [kind_of(name) for name in ("a.badge.svg", "a.svg", "manifest.json")] == [
        ".badge.svg",
        ".svg",
        "manifest.json",
    ]


def test_a_figure_says_whether_it_meets_its_target():
    lines = table(
        [
            Figure("time", 5, "s", 4),
            Figure("rate", 5, "/s", 4, at_least=True),
            Figure("size", 5, "MB", None),
        ]
    ).splitlines()

    assert lines[2:] == [
        "| time | 5.00 s | 4 s | NO |",
        "| rate | 5.00 /s | at least 4 /s | yes |",
        "| size | 5.00 MB | | |",
    ]
