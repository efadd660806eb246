"""The program that installs what a bare machine lacks."""

import os
import subprocess
from pathlib import Path

import pytest

INSTALL = Path(__file__).parents[3] / ".ci" / "install"
# As the real one, it refuses to run beside another.
APT = """#!/bin/sh
mkdir "$FOLDER/busy" || exit 100
sleep 0.1
echo "$*" >>"$FOLDER/asked"
rmdir "$FOLDER/busy"
"""


@pytest.fixture
def start(tmp_path):
    """Starts it with an apt-get of ours, as root or not."""

    def made(*packages, root=True):
        for name, text in (("apt-get", APT), ("id", f"#!/bin/sh\necho {0 if root else 1000}\n")):
            program = tmp_path / name
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)
        variables = os.environ | {"FOLDER": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
        return subprocess.Popen(
            ["sh", str(INSTALL), *packages], env=variables, stderr=subprocess.PIPE, text=True
        )

    return made


def test_two_wait_for_each_other(start, tmp_path):
    both = [start("one"), start("other")]
    assert [each.communicate()[1] for each in both] == ["", ""]
    assert [each.returncode for each in both] == [0, 0]
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert sorted(line.split()[-1] for line in asked) == ["one", "other", "update", "update"]


def test_who_is_not_root_is_told_what_to_do(start, tmp_path):
    program = start("one", root=False)
    assert (
        program.communicate()[1] == "needed and not found: one; run as root: apt-get install one\n"
    )
    assert program.returncode == 1
    assert not (tmp_path / "asked").exists()
