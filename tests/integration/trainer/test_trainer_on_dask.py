"""``python -m trainer --cluster`` as a real process on a real Dask scheduler."""

from __future__ import annotations

import datetime as dt
import os
import re
import socket
import subprocess
import sys

import pytest

from tests.dask import ROOT, Dask

NOW = dt.datetime(2026, 11, 22, 3, 23, tzinfo=dt.UTC)
PACKAGES = [f"package-{number}" for number in range(10)]
CONFIG = f"""\
packages = {PACKAGES}
username = "somebody"
repo_name = "some-repo"
forecast_days = 30
m_values = [3, 6, 7]
"""


def start(folder, *words, python=sys.executable):
    return subprocess.Popen(
        [python, "-m", "trainer", "--config=config.toml", "--source=sample", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, on_outcome=None):
    """Its output; ``on_outcome`` is called after each package with the number of packages."""
    lines, outcomes = [], 0
    with process:
        for line in process.stdout:
            lines.append(line)
            if re.match(r"package-\d: [\d.]+ s$", line):
                outcomes += 1
                if on_outcome:
                    on_outcome(outcomes)
    return lines


def trained(lines):
    return [line.partition(":")[0] for line in lines if re.match(r"package-\d: [\d.]+ s$", line)]


def everything(folder):
    """The files of a bundle; the manifest without the seconds of each package."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = re.sub(rb'"seconds": ?[0-9.]+', b'"seconds": 0', files.pop("manifest.json"))
    return files | {"manifest.json": manifest}


def make_folder(parent):
    parent.mkdir()
    (parent / "config.toml").write_text(CONFIG, encoding="utf-8")
    return parent


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "run")


@pytest.fixture
def dask(tmp_path):
    (tmp_path / "dask").mkdir()
    with Dask(tmp_path / "dask") as started:
        yield started


@pytest.fixture(scope="module")
def alone(tmp_path_factory, warm_trainer):
    """The bundle of one process on this machine."""
    folder = make_folder(tmp_path_factory.mktemp("alone") / "run")
    process = start(folder, "--jobs=1", python=warm_trainer)
    lines = finish(process)
    assert process.returncode == 0, lines
    assert trained(lines) == PACKAGES
    return everything(folder / "models")


def test_a_worker_is_killed_in_mid_run_and_the_bundle_is_the_same(folder, dask, alone):
    victim, _ = dask.worker(), dask.worker()
    dask.wait_for_workers(2)
    process = start(folder, f"--cluster={dask.address}")
    lines = finish(process, lambda number: dask.stop(victim) if number == 2 else None)
    assert process.returncode == 0, lines
    assert sorted(trained(lines)) == PACKAGES
    dask.wait_for_workers(1)
    assert everything(folder / "models") == alone
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models"]


def test_after_the_scheduler_was_lost_a_second_run_goes_on(
    folder, tmp_path, alone, warm_trainer, warm_worker
):
    (tmp_path / "first").mkdir()
    with Dask(tmp_path / "first", warm_worker) as dask:
        dask.worker()
        dask.wait_for_workers(1)
        process = start(folder, f"--cluster={dask.address}", python=warm_trainer)
        first = finish(process, lambda number: dask.stop(dask.scheduler) if number == 3 else None)
    assert process.returncode == 1
    kept = trained(first)
    assert len(kept) < len(PACKAGES)
    rest = [line for line in first if not re.match(r"(fetched )?package-\d: ", line)]
    assert len(rest) == 1, rest
    assert rest[0].startswith("the Dask scheduler was lost (")
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models.run"]

    (tmp_path / "second").mkdir()
    with Dask(tmp_path / "second", warm_worker) as dask:
        dask.worker()
        process = start(folder, f"--cluster={dask.address}", python=warm_trainer)
        second = finish(process)
    assert process.returncode == 0, second
    assert f"resuming a run that was stopped: {len(kept)} packages trained\n" in second
    assert sorted([*kept, *trained(second)]) == PACKAGES
    assert everything(folder / "models") == alone


def test_a_scheduler_that_is_not_there_is_one_line_and_status_1(folder, warm_trainer):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        process = start(folder, f"--cluster={address}", python=warm_trainer)
        lines = finish(process)
    assert process.returncode == 1
    (line,) = [line for line in lines if not line.startswith("fetched ")]
    assert line.startswith(f"--cluster {address}: expected a Dask scheduler there, and asking")
    assert not (folder / "models").exists()
