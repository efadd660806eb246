import pytest

from tests.browser.chromium import (
    APT_DRIVER,
    APT_SHELL,
    APT_WHOLE,
    DRIVER,
    INSTALL,
    NoChromiumError,
    find_chromium,
    ready_driver,
)


def program(folder, name):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path):
    return tmp_path / "playwright" / "chrome"


class Run:
    """Notes the commands; ``then`` says which succeed and what they do."""

    def __init__(self, **then):
        self.then, self.commands = then, []

    def __call__(self, command):
        self.commands.append(command)
        names = {INSTALL: "install", APT_SHELL: "shell", APT_WHOLE: "whole"}
        act = self.then.get(names[command])
        if act is None:
            return False
        act()
        return True


def test_chrome_comes_first(tmp_path, nowhere):
    named = program(tmp_path / "own", "my-chrome")
    program(tmp_path / "bin", "chromium")
    environment = {"CHROME": str(named), "PATH": str(tmp_path / "bin")}
    assert find_chromium(environment, nowhere) == named


def test_a_wrong_chrome_is_not_passed_over(tmp_path, nowhere):
    program(tmp_path / "bin", "chromium")
    with pytest.raises(NoChromiumError, match="CHROME is 'none'"):
        find_chromium({"CHROME": "none", "PATH": str(tmp_path / "bin")}, nowhere)


def test_then_the_path(tmp_path, nowhere):
    found = program(tmp_path / "bin", "google-chrome")
    own = program(tmp_path / "own", "chrome")
    assert find_chromium({"PATH": str(tmp_path / "bin")}, own) == found


def test_then_playwright_s_own(tmp_path):
    own = program(tmp_path / "own", "chrome")
    run = Run()
    assert find_chromium({"PATH": ""}, own, run) == own
    assert run.commands == []


def test_then_playwright_installs_one(tmp_path):
    own = tmp_path / "own" / "chrome"
    run = Run(install=lambda: program(tmp_path / "own", "chrome"))
    assert find_chromium({"PATH": ""}, own, run) == own
    assert run.commands == [INSTALL]


@pytest.mark.parametrize(
    ("has", "name", "asked"),
    [
        ("shell", "chromium-headless-shell", [APT_SHELL]),
        ("whole", "chromium", [APT_SHELL, APT_WHOLE]),  # an older Debian has no shell
    ],
)
def test_then_apt_is_asked(has, name, asked, tmp_path, nowhere):
    folder = tmp_path / "bin"
    run = Run(**{has: lambda: program(folder, name)})
    found = find_chromium({"PATH": str(folder)}, nowhere, run)
    assert found == folder / name
    assert run.commands == [INSTALL, *asked]


def test_the_shell_comes_before_the_whole_browser(tmp_path, nowhere):
    program(tmp_path / "bin", "chromium")
    shell = program(tmp_path / "bin", "chromium-headless-shell")
    assert find_chromium({"PATH": str(tmp_path / "bin")}, nowhere) == shell


def test_none_is_one_line(nowhere):
    with pytest.raises(NoChromiumError, match="set CHROME") as caught:
        find_chromium({"PATH": ""}, nowhere, Run())
    assert "\n" not in str(caught.value)


class Driver:
    """Playwright's driver, which runs once a library is there."""

    def __init__(self, *, runs, mendable=True):
        self.runs, self.mendable, self.commands = runs, mendable, []

    def __call__(self, command):
        self.commands.append(command)
        if command == APT_DRIVER:
            self.runs = self.mendable
        return self.runs if command == DRIVER else True


def test_a_driver_that_runs_is_let_be():
    driver = Driver(runs=True)
    ready_driver(driver)
    assert driver.commands == [DRIVER]


def test_what_the_driver_lacks_is_installed():
    driver = Driver(runs=False)
    ready_driver(driver)
    assert driver.commands == [DRIVER, APT_DRIVER, DRIVER]


def test_a_driver_that_cannot_be_mended_is_one_line():
    with pytest.raises(NoChromiumError, match="libatomic1") as caught:
        ready_driver(Driver(runs=False, mendable=False))
    assert "\n" not in str(caught.value)
