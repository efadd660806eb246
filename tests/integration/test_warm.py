"""What is run by the warm ``python`` of the tests goes as with the real one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PROGRAMS = {
    "arguments": "import sys; print(sys.argv)",
    "exit status": "raise SystemExit(7)",
    "exit text": "raise SystemExit('no')",
    "error": "1 / 0",
    "input": "print(input())",
    "environment and folder": "import os; print(dict(os.environ), os.getcwd())",
    "signal": "import os; os.kill(os.getpid(), 9)",
    "last words": "import atexit; atexit.register(print, 'bye')",
    "path": "import os, sys; print([os.path.relpath(p) for p in sys.path[:3]])",
    "module": "import sys; print(__name__, sys.modules['__main__'].__dict__ is globals())",
}


def outcome(python, *words, folder):
    given = {"PYTHONPATH": "here:there", "PYTHONWARNINGS": "error", "LANG": "C.UTF-8", "A": "ü\n"}
    done = subprocess.run(
        [python, *words],
        input="words\n",
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.splitlines()[-1:]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_goes_as_with_python(warm_trainer, tmp_path, name):
    words = ("-c", PROGRAMS[name], "first", "--second")
    assert outcome(warm_trainer, *words, folder=tmp_path) == outcome(
        sys.executable, *words, folder=tmp_path
    )


def test_a_module_goes_as_with_python(warm_trainer, tmp_path):
    words = ("-m", "tool", "x")
    text = "import sys\nprint(__name__, __file__, sys.argv)\nsys.exit(3)\n"
    (tmp_path / "tool.py").write_text(text, encoding="utf-8")
    assert outcome(warm_trainer, *words, folder=tmp_path) == outcome(
        sys.executable, *words, folder=tmp_path
    )


def test_a_warning_is_an_error(warm_trainer, tmp_path):
    words = ("-c", "import warnings; warnings.warn('careful')")
    status, _, last = outcome(warm_trainer, *words, folder=tmp_path)
    assert (status, last) == (1, ["UserWarning: careful"])


def test_other_warnings_than_those_of_the_imports_are_refused(warm_trainer, tmp_path):
    done = subprocess.run(
        [warm_trainer, "-c", ""], env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("PYTHONWARNINGS is None, and was error")


def test_a_killed_command_kills_its_program_and_the_children(warm_trainer, tmp_path):
    code = (
        "import subprocess, time; subprocess.Popen(['sleep', '600']);"
        "print('ready', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [warm_trainer, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout.readline() == "ready\n"
        command.kill()
        assert command.stdout.read() == ""  # nobody holds the other end any more
    assert command.returncode == -signal.SIGKILL
