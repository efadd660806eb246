"""The app keeps everything in memory: killed at any moment it leaves no file behind."""

from __future__ import annotations

import sys

from tests.appserver import AppServer
from tests.bundles import make_bundle, zip_of
from tests.waiting import until

# The app, in a process that tells of every file it creates or opens for writing.
WATCHED = """
import os, runpy, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.symlink"}

def hook(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        tell(arguments[0])
    elif event in CHANGES:
        tell(arguments[0])

def tell(path):
    if "__pycache__" not in str(path) and str(path) != os.devnull:
        os.write(2, f"WROTE {path}\\n".encode())

sys.addaudithook(hook)
sys.argv, sys.path[0] = ["app/app.py"], "app"
runpy.run_path("app/app.py", run_name="__main__")
"""


def test_killed_while_it_downloads_a_bundle(github_server, pypistats_server, tmp_path):
    bundle = make_bundle()
    github_server.add_artifact(zip_of(bundle))
    github_server.fail("blob", "hang")
    folders = {name: tmp_path / name for name in ("home", "tmp")}
    for folder in folders.values():
        folder.mkdir()
    (tmp_path / "config.toml").write_text(
        'packages = ["flask"]\nusername = "owner"\nrepo_name = "repo"\n'
        "forecast_days = 30\nm_values = [7]\n",
        encoding="utf-8",
    )
    settings = {
        "FORECAST_CONFIG": str(tmp_path / "config.toml"),
        "GITHUB_API_URL": github_server.url,
        "GITHUB_TOKEN": github_server.token,
        "PYPISTATS_URL": pypistats_server.url,
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
    }
    with AppServer(settings, command=(sys.executable, "-c", WATCHED)) as app:
        until(lambda: github_server.blob.calls)
        app.process.kill()
        app.process.wait(20)
        log = app.log
    # Python tests its temporary folder with a file that it removes at once, gradio creates an
    # empty folder there, and a number is a pipe.
    wrote = [line.removeprefix("WROTE ") for line in log.splitlines() if line.startswith("WROTE")]
    known = f"{folders['tmp']}/"
    assert [path for path in wrote if not path.isdigit() and not path.startswith(known)] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "config.toml"]
