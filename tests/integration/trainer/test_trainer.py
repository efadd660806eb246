"""``python -m trainer`` as a real process with a stand-in for PyPI Stats.

Where a test does not judge the start, the process is forked from one that has imported the trainer.
"""

from __future__ import annotations

import datetime as dt
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from forecast.bundle.reader import read_folder
from forecast.sources.sample import Sample
from tests.standins.pypistats import PyPIStatsServer
from trainer.cli import run

ROOT = Path(__file__).parents[3]
NOW = dt.datetime(2026, 11, 22, 3, 23, tzinfo=dt.UTC)
CONFIG = """\
packages = ["Flask", "requests"]
username = "somebody"
repo_name = "some-repo"
forecast_days = 30
m_values = [3, 6, 7]
"""


def run_with(python, *arguments, cwd, **environment):
    return subprocess.run(
        [python, "-m", "trainer", *arguments],
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


@pytest.fixture(scope="module")
def train(warm_trainer):
    return partial(run_with, warm_trainer)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def series(name):
    counts = Sample(NOW.date()).daily(name)
    return dict(zip(pd.DatetimeIndex(counts.index).date, counts.to_list(), strict=True))


def unused_url():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/api"


def test_a_run_under_actions(folder, github_server):
    github_server.owner, github_server.repo = "somebody", "some-repo"
    with PyPIStatsServer({"flask": series("flask")}) as server:
        done = run_with(
            sys.executable,
            "--config=config.toml",
            cwd=folder,
            PYPISTATS_URL=server.url,
            GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
            GITHUB_SHA="0123abc",
            GITHUB_REPOSITORY="somebody/some-repo",
            GITHUB_RUN_ID="17",
            GITHUB_API_URL=github_server.url,
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
    first, second = done.stdout.splitlines()
    assert "somebody/some-repo has no artifact called models yet" in first
    assert second == "::warning::requests: " + bundle.manifest.packages["requests"].reason
    assert "1 model written to models" in done.stderr
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## 1 of 2 packages trained\n")
    assert "- **requests**: " in summary
    assert [call.path for call in calls] == [
        "/api/packages/flask/overall",
        "/api/packages/requests/overall",
    ]
    assert calls[0].query == {"mirrors": "true"}
    assert "github.com/somebody/some-repo" in calls[0].headers["user-agent"]


def test_packages_of_the_command_line(folder, train):
    done = train("Zope.Interface", "--config=config.toml", "--source=sample", cwd=folder)
    assert done.returncode == 0, done.stderr
    bundle = read_folder(folder / "models")
    assert bundle.names == ["zope-interface"]
    assert bundle.manifest.source == "sample"


def test_auto_without_a_network_is_sample_data_and_says_so(folder, train):
    done = train(
        "flask", "--config=config.toml", "--source=auto", cwd=folder, PYPISTATS_URL=unused_url()
    )
    assert done.returncode == 0, done.stderr
    assert "this is sample data, not real downloads" in done.stderr
    assert read_folder(folder / "models").manifest.source == "sample"


def test_auto_takes_pypi_stats_where_it_answers(folder, train):
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
    assert "? packages/s" in shown
    assert "? models/s" in shown  # of groups too


def test_a_folder_of_real_counts(folder, train):
    counts = Sample(dt.date(2023, 1, 11)).daily("flask")
    lines = [f"{day:%Y-%m-%d},{count}" for day, count in counts.items()]
    (folder / "flask.csv").write_text("date,downloads\n" + "\n".join(lines), encoding="utf-8")
    done = train("flask", "--config=config.toml", f"--source={folder}", cwd=folder)
    assert done.returncode == 0, done.stderr
    bundle = read_folder(folder / "models")
    assert bundle.forecast("flask").index[0].date() == dt.date(2023, 1, 11)
    assert bundle.manifest.source == "folder"


def test_a_config_that_asks_clickhouse(folder, clickhouse_server, train):
    sample = Sample(NOW.date())
    clickhouse_server.fill({name: sample.daily(name) for name in ("flask", "requests")})
    (folder / "config.toml").write_text(f'source = "clickhouse"\n{CONFIG}', encoding="utf-8")
    done = train("--config=config.toml", cwd=folder, CLICKHOUSE_URL=clickhouse_server.url)
    assert done.returncode == 0, done.stderr
    bundle = read_folder(folder / "models")
    assert bundle.manifest.source == "clickhouse"
    assert bundle.history("flask").tolist() == sample.daily("flask").tolist()
    assert bundle.forecast("flask").index[0].date() == dt.date(2026, 11, 22)
    assert clickhouse_server.asked == [["flask", "requests"]]


def test_the_two_public_sources_go_on_from_each_other(folder, clickhouse_server, train):
    old, new = series("flask"), Sample(NOW.date()).daily("flask").tail(100)
    with PyPIStatsServer({"flask": old}) as server:
        first = train("flask", "--config=config.toml", cwd=folder, PYPISTATS_URL=server.url)
    assert first.returncode == 0, first.stderr
    clickhouse_server.fill({"flask": new})
    words = ["flask", "--config=config.toml", "--source=clickhouse"]
    second = train(*words, cwd=folder, CLICKHOUSE_URL=clickhouse_server.url)
    assert second.returncode == 0, second.stderr
    assert len(read_folder(folder / "models").history("flask")) == len(old)


def test_clickhouse_cannot_leave_mirrors_out(folder, train):
    (folder / "config.toml").write_text(f"mirrors = false\n{CONFIG}", encoding="utf-8")
    done = train("--config=config.toml", "--source=clickhouse", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("mirrors = false: --source clickhouse counts the downloads of")


def test_where_nothing_can_be_trained_the_output_is_as_it_was(folder, train):
    assert train("--config=config.toml", "--source=sample", cwd=folder).returncode == 0
    before = {path.name: path.read_bytes() for path in (folder / "models").iterdir()}
    done = train("--config=config.toml", f"--source={folder}", cwd=folder, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "::error::no package could be trained; models is unchanged"
    )
    assert {path.name: path.read_bytes() for path in (folder / "models").iterdir()} == before
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config=nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
        (["--jobs=0"], "argument --jobs: expected a whole number from 1 on, not “0”"),
        (["--jobs=two"], "argument --jobs: expected a whole number from 1 on, not “two”"),
        (["--sorce=sample"], "unrecognized arguments: --sorce=sample"),
        (["--source=nowhere"], "--source nowhere: expected pypistats, clickhouse, sample, auto or"),
        (
            ["--part=3/2", "--phase=train"],
            "argument --part: expected a part such as 3/5, not “3/2”",
        ),
        (["--part=1/2"], "--part says what a job trains: it needs --phase train"),
        (["--phase=all"], "argument --phase: invalid choice: 'all'"),
        (["fla/sk"], 'package "fla/sk": expected a name that PyPI allows'),
        (["--output=config.toml"], "config.toml is a file; name a folder for the bundle"),
        (["--output=."], ". holds files but no manifest.json, so it is no bundle to replace"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(folder, arguments, message, monkeypatch, caplog):
    monkeypatch.chdir(folder)
    assert run(["--config=config.toml", *arguments], {"SOURCE_DATE_EPOCH": "1795737600"}) == 2
    (logged,) = caplog.messages
    assert message in logged
    assert "\n" not in logged


def test_a_wrong_config_is_one_line_and_status_2(folder, train):
    (folder / "config.toml").write_text(CONFIG.replace("30", "0"), encoding="utf-8")
    done = train("--config=config.toml", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == "config.toml: forecast_days = 0: expected a whole number from 1 to 90\n"


def test_a_wrong_clock_is_one_line_and_status_2(folder):
    done = run_with(
        sys.executable, "--config=config.toml", cwd=folder, SOURCE_DATE_EPOCH="tomorrow"
    )
    assert done.returncode == 2
    assert "SOURCE_DATE_EPOCH = 'tomorrow': expected seconds since 1970" in done.stderr


MANY = [f"package-{number}" for number in range(12)]


def everything(folder):
    """The files of a bundle; the manifest without the seconds of each package."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = re.sub(rb'"seconds": ?[0-9.]+', b'"seconds": 0', files.pop("manifest.json"))
    return files | {"manifest.json": manifest}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, train):
    """The bundle of an undisturbed run of many packages."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    done = train(*MANY, "--config=config.toml", "--source=sample", "--jobs=1", cwd=folder)
    assert done.returncode == 0, done.stderr
    return everything(folder / "models")


def test_a_disk_that_refuses_says_what_to_do(folder, monkeypatch, caplog):
    monkeypatch.chdir(folder)
    words = ["flask", "--source=sample", "--work=config.toml/run"]

    variables = {"FORECAST_CONFIG": "config.toml", "SOURCE_DATE_EPOCH": "1795737600"}
    assert run(words, variables) == 1
    assert "make room, or name other folders" in caplog.text


def test_a_disk_that_is_full_says_what_to_do(folder):
    words = [sys.executable, "-m", "trainer", "flask", "--source=sample", "--jobs=1"]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *words, "--config=config.toml"],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "make room, or name other folders" in done.stderr
    assert not (folder / "models").exists()


INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it
from trainer.__main__ import main
if __name__ == "__main__":
    sys.exit(main())
"""


def test_an_interrupted_run_is_one_line_and_status_130(folder):
    (folder / "run.py").write_text(INTERRUPTIBLE, encoding="utf-8")
    words = ["--config=config.toml", "--source=sample", "--jobs=1"]
    clock = {"SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))}
    with subprocess.Popen(
        [sys.executable, "run.py", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **clock},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr.readline().startswith("fetched ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("stopped; the same command on the same day")
    assert not (folder / "models").exists()


def test_a_run_that_was_killed_goes_on_where_it_was(folder, undisturbed, train):
    words = [*MANY, "--config=config.toml", "--source=sample", "--jobs=1"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "trainer", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in killed.stderr:
        if line.startswith("package-5: "):
            break
    killed.kill()
    rest = killed.stderr.read()
    killed.wait()
    killed.stderr.close()
    assert "package-11: " not in rest
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models.run"]

    done = train(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "resuming a run that was stopped: 12 packages fetched" in done.stderr
    assert "package-3: " not in done.stderr
    assert everything(folder / "models") == undisturbed
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models"]


def test_a_second_run_in_the_folder_of_the_first_is_refused(folder, undisturbed, caplog):
    words = ["--source=sample", "--jobs=1", f"--output={folder / 'models'}"]
    clock = {"SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))}
    config = {"FORECAST_CONFIG": str(folder / "config.toml")}
    with subprocess.Popen(
        [sys.executable, "-m", "trainer", *MANY, *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **clock, **config},
        stderr=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stderr.readline().startswith("fetched ")
        assert run(["flask", *words], clock | config) == 1
        _, errors = first.communicate(timeout=120)

    assert f"{folder / 'models'}.run: another run is using this folder; wait" in caplog.text
    assert first.returncode == 0, errors
    assert everything(folder / "models") == undisturbed
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "models"]


def test_several_machines_make_what_one_makes(folder, undisturbed, train):
    def phase(name, *words):
        done = train("--work=run", f"--phase={name}", *words, cwd=folder)
        assert done.returncode == 0, done.stderr
        return done.stderr

    fetched = phase("fetch", *MANY, "--config=config.toml", "--source=sample")
    assert "\n12 packages to train\n" in fetched
    for number in (1, 2, 3):
        machine = folder / f"machine{number}"
        machine.mkdir()
        shutil.copy(folder / "run" / "run.sqlite", machine)
        phase("train", f"--work={machine}", f"--part={number}/3", "--jobs=1")
        shutil.move(machine / f"outcomes-{number}-of-3.sqlite", folder / "run")
    phase("join")
    assert everything(folder / "models") == undisturbed


def test_a_phase_without_the_one_before_says_so(folder, train):
    done = train("--phase=join", cwd=folder, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert done.stdout.endswith("and let no other run use this folder\n")
