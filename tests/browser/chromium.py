"""Finds a Chromium for the browser tests, or gets one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from playwright.sync_api import Browser

# The headless shell is the same engine without the browser's own windows, which cost a page a third
# more CPU time.
NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome-stable", "google-chrome", "chrome"),
)
# No sandbox, as root cannot have one; no requests of its own. Pages of one site share a process, so
# that only the first one compiles the scripts: half of the CPU time of the others.
ARGUMENTS = (
    "--no-sandbox",
    "--process-per-site",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DRIVER = (sys.executable, "-m", "playwright", "--version")
INSTALL = (sys.executable, "-m", "playwright", "install", "chromium")
APT = ("sh", str(Path(__file__).parents[2] / ".ci" / "install"))
APT_SHELL, APT_WHOLE = (*APT, "chromium-headless-shell"), (*APT, "chromium")
# Playwright's driver is a separate program, and needs packages that a minimal Debian lacks.
APT_DRIVER = (*APT, "libatomic1")
LONGEST = 300.0  # seconds for one command


class NoChromiumError(Exception):
    """There is none, and none could be installed; the message is one line."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium.

    Raises:
        NoChromiumError: if there is none, and none could be installed.
    """
    ready_driver()
    with sync_playwright() as playwright:
        path = find_chromium(os.environ, Path(playwright.chromium.executable_path))
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


def ready_driver(run: Callable[[Sequence[str]], bool] | None = None) -> None:
    """Make sure that Playwright's driver runs.

    Args:
        run: runs a command; returns whether it succeeded.

    Raises:
        NoChromiumError: if it does not, and could not be repaired.
    """
    run = run or _run
    if not (run(DRIVER) or (run(APT_DRIVER) and run(DRIVER))):
        raise NoChromiumError(
            "no Chromium: Playwright's driver does not run; it needs libatomic1 (as root: "
            "apt-get install libatomic1)"
        )


def find_chromium(
    environment: Mapping[str, str],
    playwrights_own: Path,
    run: Callable[[Sequence[str]], bool] | None = None,
) -> Path:
    """The Chromium to use: CHROME, then PATH, then Playwright's own, then a new one.

    Args:
        environment: CHROME and PATH are used.
        playwrights_own: path of Playwright's own, which may not exist.
        run: runs a command; returns whether it succeeded.

    Raises:
        NoChromiumError: if CHROME names nothing, or all ways failed.
    """
    named = environment.get("CHROME", "")
    if named:
        path = shutil.which(named, path=environment.get("PATH"))
        if path is None:
            raise NoChromiumError(f"CHROME is {named!r}, which is no program: unset it or mend it")
        return Path(path)
    found = _on_path(environment) or _existing(playwrights_own)
    if found:
        return found
    run = run or _run
    if run(INSTALL) and playwrights_own.exists():
        return playwrights_own
    _ = run(APT_SHELL) or run(APT_WHOLE)
    installed = _on_path(environment)
    if installed:
        return installed
    raise NoChromiumError(
        "no Chromium: not in CHROME, not on PATH, `playwright install chromium` failed and so did "
        "apt-get (which needs root); install one, or set CHROME to its path"
    )


def _on_path(environment: Mapping[str, str]) -> Path | None:
    for name in NAMES:
        path = shutil.which(name, path=environment.get("PATH"))
        if path:
            return Path(path)
    return None


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None


def _run(command: Sequence[str]) -> bool:
    """Run it without output; a missing command has failed."""
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=LONGEST, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
