"""The process as a Space starts it: as user 1000, beside `spaces`, on a root that is read-only.

Python 3.12, which a Space has, is one of those that the tests workflow runs.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
import requests

from tests.appserver import ROOT, STANDING, AppServer, call
from tests.bundles import files_of, make_bundle, replace_folder
from tests.standins.server import Answer, Loopback

HUGGING_FACE = ROOT / "tests" / "standins" / "hugging_face"
# Root becomes user 1000, who may read everything and write nothing; anybody else stays.
AS_USER = (
    *("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
COMMAND = (sys.executable, "app/app.py")
# In a mount namespace of its own every file is read-only, but for one folder, the first argument.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'
FILES = ["app/app.py", "config.toml", "README.md", ".git/config", "forecast/model/constants.json"]


class Device(Loopback):
    """The device API of free hardware."""

    def answer(self, call):
        return Answer()

    def route(self, call):
        return call.path


@cache
def may_become_another_user():
    return os.getuid() == 0 and shutil.which("setpriv") is not None


@cache
def may_mount():
    """Whether root may make its files read-only, which some containers do not allow."""
    if not (may_become_another_user() and shutil.which("unshare")):
        return False
    trial = ("unshare", "--mount", "sh", "-c", READ_ONLY, tempfile.gettempdir(), "true")
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def device():
    with Device() as device:
        yield device


@pytest.fixture(scope="module")
def space(tmp_path_factory, device):
    folder = tmp_path_factory.mktemp("space")
    replace_folder(folder / "models", files_of(make_bundle()))
    writable = folder / "tmp"
    writable.mkdir()
    command: tuple[str, ...] = COMMAND
    if may_become_another_user():
        os.chown(writable, 1000, 1000)
        command = (*AS_USER, *COMMAND)
    if may_mount():
        command = ("unshare", "--mount", "sh", "-c", READ_ONLY, str(writable), *command)
    settings = {
        "SYSTEM": "spaces",
        "SPACE_ID": "owner/space",
        "SPACE_HOST": "owner-space.hf.space",
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": device.origin,
        "MODELS_DIR": str(folder / "models"),
        "PYTHONPATH": str(HUGGING_FACE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(writable),
        "HOME": "/",
    }
    with AppServer(settings, command) as app:
        app.writable = writable  # type: ignore[attr-defined] # for the tests below
        yield app


def listening(process):
    """The addresses that a process listens on, as the kernel lists them."""
    inodes = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            if found := re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink())):
                inodes.add(found[1])
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]


def test_it_runs_as_the_user_of_a_space(space):
    expected = 1000 if may_become_another_user() else os.getuid()
    assert Path(f"/proc/{space.process.pid}").stat().st_uid == expected


def files_of_the_programs():
    """But for what tests that run beside this one compile."""
    paths = [path for folder in ("app", "forecast") for path in (ROOT / folder).rglob("*")]
    return {path for path in paths if "__pycache__" not in path.parts}


def test_it_writes_into_one_folder_alone(space):
    """Seen from inside, if root may mount: there the root is read-only, and that folder is not."""
    mounts = Path(f"/proc/{space.process.pid}/mounts").read_text().splitlines()
    options = {place: flags.split(",")[0] for _, place, _, flags, *_ in map(str.split, mounts)}
    if may_mount():
        assert (options["/"], options[str(space.writable)]) == ("ro", "rw")
    before = files_of_the_programs()
    assert call(space, "forecast", package="flask", days=7)[0] == "complete"
    assert files_of_the_programs() == before


def test_it_listens_on_one_port(space):
    assert call(space, "forecast", package="flask", days=7)[0] == "complete"
    assert listening(space.process.pid) == [f"0100007F:{space.port:04X}"]


def test_the_port_of_hot_reload_is_shut(space):
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 7887)) != 0


def test_the_page_asks_no_other_host(space):
    page = requests.get(space.url, timeout=10).text
    assert '"space_id":null' in page
    assert requests.get(f"{space.url}config", timeout=10).json()["space_id"] is None


@pytest.mark.parametrize("file", FILES)
def test_no_file_of_the_repository_is_served(space, file):
    text = (ROOT / file).read_bytes() if (ROOT / file).is_file() else b"[core]"
    for address in (
        file,
        f"gradio_api/file={file}",
        f"gradio_api/file={ROOT / file}",
        f"file={file}",
        f"static/{file}",
        f"static/..%2F..%2F..%2F..%2F{file}",
        f"assets/{file}",
        f"assets/..%2F{file}",
        f"svelte/{file}",
        f"custom_component/{file}",
    ):
        answer = requests.get(f"{space.url}{address}", timeout=10)
        assert text[:60] not in answer.content


def test_free_hardware_is_told_of_a_function(space, device):
    assert [made.path for made in device.calls] == ["/startup-report"]


def test_nothing_of_it_is_a_traceback(space):
    assert "Traceback" not in space.log
    assert "Invalid file descriptor" not in space.log


def started(**settings):
    """A page that ends by itself."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        COMMAND,
        cwd=ROOT,
        env={**kept, **STANDING, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_is_told_and_no_other_is_used():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = started(GRADIO_SERVER_PORT=str(port))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        f"ERROR app: port {port} of 127.0.0.1 is taken: end the program that listens there, "
        "or set GRADIO_SERVER_PORT to another\n"
    )


def test_a_root_path_that_is_none_ends_with_one_line():
    ended = started(GRADIO_ROOT_PATH="x")
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("ERROR app: GRADIO_ROOT_PATH is 'x': expected a path that begins with ")


def test_a_root_path_is_that_of_every_address(tmp_path):
    replace_folder(tmp_path / "models", files_of(make_bundle()))
    settings = {"MODELS_DIR": str(tmp_path / "models"), "GRADIO_ROOT_PATH": "/forecasts"}
    with AppServer(settings) as app:
        root = requests.get(f"{app.url}config", timeout=10).json()["root"]
        page = requests.get(app.url, timeout=10)
    assert root == f"{app.url}forecasts"
    assert not re.search(r"""(src|href)=["']/(assets|export|picture|static)""", page.text)
