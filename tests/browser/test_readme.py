"""The examples of the README, run unchanged."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_DAY = "2026-11-22"


def example(language):
    section = README.split("## From code\n")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]


def run(app, command, code):
    code = code.replace("http://127.0.0.1:7860", app.url.rstrip("/"))
    done = subprocess.run([*command, code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_python(app):
    assert FIRST_DAY in run(app, [sys.executable, "-c"], example("python"))


def test_curl(app):
    if shutil.which("curl") is None:
        subprocess.run(["sh", ROOT / ".ci" / "install", "curl"], check=True)
    lines = run(app, ["bash", "-ec"], example("sh")).strip().splitlines()
    assert lines[0] == "event: complete"
    [answer] = json.loads(lines[1].removeprefix("data: "))
    assert answer["forecast"][0]["date"] == FIRST_DAY


def test_javascript(new_visit, app):
    page = new_visit.page
    page.goto(app.url)
    code = example("js").replace("http://127.0.0.1:7860", app.url.rstrip("/"))
    with page.expect_console_message(lambda said: "forecast" in said.text) as said:
        page.evaluate(f"async () => {{ {code} }}")
    answer = said.value.args[0].json_value()
    assert answer["forecast"][0]["date"] == FIRST_DAY
