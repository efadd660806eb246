"""When ``make run`` trains, and what it hands on to the page."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.bundles import files_of, make_bundle, replace_folder

ROOT = Path(__file__).parents[3]
TRAINS, SERVES = "-m trainer --source auto --output models", "models 15700 app/app.py"
# In place of Python: tells its arguments, and the page's settings.
SAYS = (
    "sh -c 'case $$0 in app/app.py) echo $$MODELS_DIR $$GRADIO_SERVER_PORT $$0;; "
    "*) echo $$0 $$@;; esac'"
)


def made(folder, **variables):
    """What ``make run`` calls in a folder where the environment exists."""
    command = ["make", "--silent", f"--file={ROOT / 'Makefile'}", "--old-file=env", "run"]
    done = subprocess.run(
        [*command, f"RUN={SAYS}"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "GRADIO_SERVER_PORT": "15700", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[:-1] == [TRAINS], done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("source", "age", "trains"),
    [(None, 0, True), ("pypistats", 60, False), ("sample", 60, True), ("pypistats", -60, True)],
)
def test_make_run_trains_where_it_must(tmp_path, source, age, trains):
    config = tmp_path / "config.toml"
    config.write_text("", encoding="utf-8")
    if source:
        replace_folder(tmp_path / "models", files_of(make_bundle(source=source)))
        changed = (tmp_path / "models" / "manifest.json").stat().st_mtime - age
        os.utime(config, (changed, changed))
    assert made(tmp_path) == (trains, SERVES)
