"""``python -m trainer`` as a real process beside a stand-in of PyPI Stats."""

from __future__ import annotations

import datetime as dt
import os
import pty
import socket
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from forecast.bundle import read_folder
from tests.standins.pypistats import PyPIStatsServer
from trainer.sources import Sample

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 22, 3, 23, tzinfo=dt.UTC)
CONFIG = """\
packages = ["Flask", "requests"]
username = "somebody"
repo_name = "some-repo"
forecast_days = 30
m_values = [3, 6, 7]
"""


def train(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "trainer", *arguments],
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def series(name):
    counts = Sample(NOW.date()).daily(name)
    return {day.date(): int(count) for day, count in counts.items()}


def unused_url():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api"


def test_a_run_under_actions(folder):
    with PyPIStatsServer({"flask": series("flask")}) as server:
        done = train(
            "--config=config.toml",
            cwd=folder,
            PYPISTATS_URL=server.url,
            GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
            GITHUB_SHA="0123abc",
            GITHUB_REPOSITORY="somebody/some-repo",
            GITHUB_RUN_ID="17",
        )
        calls = server.calls
    assert done.returncode == 0, done.stderr
    bundle = read_folder(folder / "models")
    assert bundle.names == ["flask"]
    assert bundle.manifest.created_at == NOW
    assert bundle.manifest.source == "pypistats"
    assert bundle.manifest.commit == "0123abc"
    assert bundle.manifest.run == "https://github.com/somebody/some-repo/actions/runs/17"
    assert bundle.entry("flask").label == "Flask"
    assert bundle.entry("flask").trained_through == dt.date(2026, 11, 21)
    assert bundle.forecast("flask").index[0].date() == dt.date(2026, 11, 22)
    assert done.stdout.splitlines() == [
        "::warning::requests: " + bundle.manifest.packages["requests"].reason
    ]
    assert "1 models written to models" in done.stderr
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## 1 of 2 packages trained\n")
    assert "- **requests**: " in summary
    assert [call.path for call in calls] == [
        "/api/packages/flask/overall",
        "/api/packages/requests/overall",
    ]
    assert calls[0].query == {"mirrors": "true"}
    assert "github.com/somebody/some-repo" in calls[0].headers["user-agent"]


def test_packages_of_the_command_line(folder):
    done = train("Zope.Interface", "--config=config.toml", "--source=sample", cwd=folder)
    assert done.returncode == 0, done.stderr
    bundle = read_folder(folder / "models")
    assert bundle.names == ["zope-interface"]
    assert bundle.manifest.source == "sample"


def test_auto_without_a_network_is_sample_data_and_says_so(folder):
    done = train(
        "flask", "--config=config.toml", "--source=auto", cwd=folder, PYPISTATS_URL=unused_url()
    )
    assert done.returncode == 0, done.stderr
    assert "this is sample data, not real downloads" in done.stderr
    assert read_folder(folder / "models").manifest.source == "sample"


def test_auto_takes_pypi_stats_where_it_answers(folder):
    with PyPIStatsServer({"flask": series("flask")}) as server:
        done = train(
            "flask", "--config=config.toml", "--source=auto", cwd=folder, PYPISTATS_URL=server.url
        )
    assert done.returncode == 0, done.stderr
    assert read_folder(folder / "models").manifest.source == "pypistats"


def test_a_terminal_gets_progress_bars(folder):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "flask", "--config=config.toml", "--source=sample"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stderr=theirs,
        timeout=120,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "fetching: 100%" in shown
    assert "training: 100%" in shown


def test_a_folder_of_real_counts(folder):
    counts = Sample(dt.date(2023, 1, 11)).daily("flask")
    lines = [f"{day:%Y-%m-%d},{count}" for day, count in counts.items()]
    (folder / "flask.csv").write_text("date,downloads\n" + "\n".join(lines), encoding="utf-8")
    done = train("flask", "--config=config.toml", f"--source={folder}", cwd=folder)
    assert done.returncode == 0, done.stderr
    bundle = read_folder(folder / "models")
    assert bundle.forecast("flask").index[0].date() == dt.date(2023, 1, 11)
    assert bundle.manifest.source == "folder"


def test_where_nothing_can_be_trained_the_output_is_as_it_was(folder):
    assert train("--config=config.toml", "--source=sample", cwd=folder).returncode == 0
    before = {path.name: path.read_bytes() for path in (folder / "models").iterdir()}
    done = train("--config=config.toml", f"--source={folder}", cwd=folder, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "::error::no package could be trained; models is as it was"
    )
    assert {path.name: path.read_bytes() for path in (folder / "models").iterdir()} == before
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config=nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
        (["--jobs=0"], "argument --jobs: invalid number from 1 on value: '0'"),
        (["--sorce=sample"], "unrecognized arguments: --sorce=sample"),
        (["--source=nowhere"], "--source nowhere: expected pypistats, sample, auto or a folder"),
        (["fla/sk"], 'package "fla/sk": expected a name that PyPI allows'),
        (["--output=config.toml"], "config.toml is a file; name a folder for the bundle"),
        (["--output=."], ". holds files but no manifest.json, so it is no bundle to replace"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(folder, arguments, message):
    done = train("--config=config.toml", *arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_config_is_one_line_and_status_2(folder):
    (folder / "config.toml").write_text(CONFIG.replace("30", "0"), encoding="utf-8")
    done = train("--config=config.toml", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == "config.toml: forecast_days = 0: expected a whole number from 1 to 90\n"


def test_a_wrong_clock_is_one_line_and_status_2(folder):
    done = train("--config=config.toml", cwd=folder, SOURCE_DATE_EPOCH="tomorrow")
    assert done.returncode == 2
    assert "SOURCE_DATE_EPOCH = 'tomorrow': expected seconds since 1970" in done.stderr
