"""A few tests in Firefox: npm's puppeteer-core drives it, as Playwright drives only its own."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import OBSERVED

DRIVER = "puppeteer-core@24.43.1"
NPM = "npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --silent"
ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("visit.cjs")


def run(*command, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, **options
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed: {done.stdout} {done.stderr}", pytrace=False)
    return done.stdout


def program(*names, packages):
    """The path of the first program that is there; the packages are installed if none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        run("sh", str(ROOT / ".ci" / "install"), *packages)
        found = next(filter(None, map(shutil.which, names)))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("firefox")


@pytest.fixture(scope="module")
def found(app, folder):
    """What one visit in Firefox found; it takes most of the time of these tests."""
    firefox = program("firefox-esr", "firefox", packages=["firefox-esr"])
    npm = program("npm", packages=["nodejs", "npm"])
    run(npm, *NPM.split()[1:], "--prefix", str(folder), DRIVER)
    modules = {"NODE_PATH": str(folder / "node_modules"), "HOME": str(folder), "PATH": "/usr/bin"}
    node = program("node", packages=["nodejs"])
    words = (app.url, firefox, str(folder), OBSERVED.isoformat())
    return json.loads(run(node, str(SCRIPT), *words, env=modules))


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"), dtype=float)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(("scheme", "ground"), [("light", 255), ("dark", 20)])
def test_the_chart_is_painted_in_the_scheme(folder, scheme, ground):
    picture = pixels(folder / f"{scheme}.png")
    assert np.median(picture) == pytest.approx(ground, abs=20)
    red, _, blue = np.moveaxis(picture, 2, 0)
    assert np.mean(blue - red > 50) > 0.01  # lines and bands


def test_a_suggestion_is_chosen_by_keyboard(app, found):
    assert found["chosen"] == f"{app.url}?package=pytorch"


def test_back_shows_what_was_looked_at_before(app, found):
    assert found["back"] == f"{app.url}?package=flask"


def test_no_script_fails(found):
    assert found["errors"] == []
