"""A folder is replaced whole, and only where that destroys nothing else."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from forecast.bundle.replace import replacing
from forecast.errors import BundleError
from tests.bundles import replace_folder

OLD = {"manifest.json": b"old", "a.pkl": b"old"}
NEW = {"manifest.json": b"new", "b.pkl": b"new"}
ROOT = Path(__file__).parents[4]


def content(path):
    return {each.name: each.read_bytes() for each in path.iterdir()}


def test_a_new_folder(tmp_path):
    replace_folder(tmp_path / "deep" / "models", NEW)
    assert content(tmp_path / "deep" / "models") == NEW


def test_an_older_bundle_is_replaced_and_nothing_is_left_beside(tmp_path):
    replace_folder(tmp_path / "models", OLD)
    replace_folder(tmp_path / "models", NEW)
    assert content(tmp_path / "models") == NEW
    assert [each.name for each in tmp_path.iterdir()] == ["models"]


def test_an_empty_folder_is_replaced(tmp_path):
    (tmp_path / "models").mkdir()
    replace_folder(tmp_path / "models", NEW)
    assert content(tmp_path / "models") == NEW


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match="holds files but no manifest.json"):
        replace_folder(tmp_path, NEW)
    assert content(tmp_path) == {"thesis.tex": b"years of work"}


@pytest.mark.parametrize("foreign", ["notes.txt", "x/manifest.json", ".git/HEAD"])
def test_what_was_put_into_a_bundle_is_not_lost(tmp_path, foreign):
    target = tmp_path / "models"
    replace_folder(target, OLD)
    (target / foreign).parent.mkdir(exist_ok=True)
    (target / foreign).write_text("of somebody else")
    name = Path(foreign).parts[0]
    with pytest.raises(BundleError, match=f"holds {name}, which would be lost when the bundle"):
        replace_folder(target, NEW)
    assert (target / foreign).read_text() == "of somebody else"
    assert (target / "a.pkl").read_bytes() == b"old"


def test_a_file_is_left_alone(tmp_path):
    (tmp_path / "models").write_text("x")
    with pytest.raises(BundleError, match="is a file; name a folder"):
        replace_folder(tmp_path / "models", NEW)


def test_a_write_that_fails_leaves_the_old_folder_and_no_other(tmp_path):
    replace_folder(tmp_path / "models", OLD)
    with pytest.raises(OSError, match="No such file"):
        replace_folder(tmp_path / "models", {"manifest.json": b"new", "no/such/folder": b"x"})
    assert content(tmp_path / "models") == OLD
    assert [each.name for each in tmp_path.iterdir()] == ["models"]


def test_what_goes_wrong_while_it_is_made_leaves_the_old_folder_and_no_other(tmp_path):
    replace_folder(tmp_path / "models", OLD)

    def interrupted():
        with replacing(tmp_path / "models") as fresh:
            (fresh / "manifest.json").write_bytes(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert content(tmp_path / "models") == OLD
    assert [each.name for each in tmp_path.iterdir()] == ["models"]


def test_without_an_exchange_in_one_step_two_steps_do(tmp_path, monkeypatch):
    replace_folder(tmp_path / "models", OLD)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    replace_folder(tmp_path / "models", NEW)
    assert content(tmp_path / "models") == NEW
    assert [each.name for each in tmp_path.iterdir()] == ["models"]


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from forecast.bundle.replace import replacing

step, target = int(sys.argv[1]), Path(sys.argv[2])
calls = 0

def watch(event, arguments):
    global calls
    if event in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "ctypes.dlsym"}:
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
with replacing(target) as fresh:
    (fresh / "manifest.json").write_bytes(b"new")
    (fresh / "b.pkl").write_bytes(b"new")
sys.addaudithook(lambda *_: None)
sys.stdout.write(str(calls))
"""


def run_killed_at(step, target):
    return subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(step), str(target)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )


def test_killed_at_any_step_it_leaves_the_old_folder_or_the_new(tmp_path):
    whole = run_killed_at(-1, tmp_path / "whole")
    assert whole.returncode == 0
    killed = 0
    for step in range(1, int(whole.stdout) + 8):
        target = tmp_path / f"models{step}"
        replace_folder(target, OLD)
        killed += run_killed_at(step, target).returncode == -9
        assert content(target) in (OLD, NEW), step
    assert killed >= 6


@pytest.mark.parametrize("has_syncfs", [True, False])
def test_files_are_on_the_disk_before_they_take_their_place(tmp_path, monkeypatch, has_syncfs):
    library, synced = SimpleNamespace(), []

    def note(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        assert not (tmp_path / "models").exists()
        return 0

    if has_syncfs:
        library.syncfs = note
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: library)
    monkeypatch.setattr(os, "fsync", note)

    with replacing(tmp_path / "models") as fresh:
        (fresh / "a.pkl").write_text("a")
        (fresh / "b.pkl").write_text("b")

    assert sorted(synced) == sorted([fresh.name] if has_syncfs else ["a.pkl", "b.pkl", fresh.name])


def test_a_disk_that_fails_leaves_the_old_folder(tmp_path, monkeypatch):
    with replacing(tmp_path / "models") as fresh:
        (fresh / "manifest.json").write_text("old")

    def fail(_):
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(syncfs=fail))
    with (
        pytest.raises(OSError, match="Input/output error"),
        replacing(tmp_path / "models") as fresh,
    ):
        (fresh / "manifest.json").write_text("new")

    assert (tmp_path / "models" / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["models"]
