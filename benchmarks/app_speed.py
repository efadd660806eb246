"""How fast the page is: a real server, real HTTP clients, a real Chromium.

python -m benchmarks.app_speed            all of it, some three minutes
python -m benchmarks.app_speed --quick    fewer repetitions, to see that it works
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from app.outlook import from_bundle
from forecast.bundle import Bundle, read_folder
from forecast.config import Package
from forecast.folder import replacing
from forecast.writer import Writer
from tests.appserver import AppServer, train_sample
from tests.browser.chromium import chromium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

MANY = 1_000  # packages
USERS = 20
PACKAGE = "flask"
OTHERS = ("requests", "tensorflow", "pytorch", "fastapi")
KILOBYTES = 1024


@dataclass(frozen=True)
class Figure:
    """One measured number beside its target."""

    name: str
    value: float
    unit: str
    target: float

    def line(self) -> str:
        """A row of the table."""
        met = "yes" if self.value <= self.target else "NO"
        return (
            f"| {self.name} | {self.value:,.2f} {self.unit} | {self.target:,g} {self.unit} "
            f"| {met} |"
        )


@dataclass
class Load:
    """What many clients at once saw."""

    seconds: list[float]
    failures: int

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the calls was answered."""
        return (
            1e3 * sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(arguments).quick
    starts, visits, calls, more = (2, 2, 500, 1_000) if quick else (7, 9, 5_000, 10_000)
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        train_sample(few)
        with replacing(many) as fresh:
            multiply(read_folder(few), MANY, fresh)
        start_few = median(start(few) for _ in range(starts))
        start_many = median(start(many) for _ in range(starts))
        figures = [
            Figure("process start to page answering, 5 packages", start_few, "s", 4),
            Figure(f"the same, {MANY:,} packages", start_many, "s", start_few + 1),
        ]
        with AppServer({"MODELS_DIR": str(few)}) as app:
            figures += browse(app, visits)
            figures += load(app, calls, more)
    sys.stdout.write("| what | measured | target | met |\n| --- | --- | --- | --- |\n")
    sys.stdout.write("".join(f"{figure.line()}\n" for figure in figures))
    return 0


def multiply(bundle: Bundle, size: int, folder: Path) -> None:
    """Write the same models under many names."""
    bases = bundle.names
    names = {f"package-{at}": bases[at % len(bases)] for at in range(size)}
    models = {name: bundle.model(name) for name in bases}
    tables = {name: from_bundle(bundle, Package(name, name), None, ()).table for name in bases}
    writer = Writer(folder)
    for name, base in names.items():
        writer.history(name, bundle.history(base))
        writer.add(name, bundle.entry(base), models[base], tables[base], {})
    writer.close(bundle.manifest)


def start(models: Path) -> float:
    """Seconds from the process's start to a page, models in use."""
    with AppServer({"MODELS_DIR": str(models)}) as app:
        seconds = app.seconds
        call(http.client.HTTPConnection("127.0.0.1", app.port), "packages", b'{"data": []}')
    return seconds


def browse(app: AppServer, visits: int) -> list[Figure]:
    """Open the page anew, and change the package."""
    opened, changed = [], []
    with chromium() as browser:
        for _ in range(visits):
            first, others = visit(browser, app.url)
            opened.append(first)
            changed += others
    return [
        Figure("page open to chart drawn", median(opened), "s", 2.5),
        Figure("change of package to redraw", median(changed), "s", 0.5),
    ]


def visit(browser: Browser, url: str) -> tuple[float, list[float]]:
    """Seconds until the chart is drawn, and after each change of the package."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(f"{url}?package={PACKAGE}")
    page.locator("#chart .main-svg").first.wait_for()
    opened = time.perf_counter() - begun
    page.wait_for_timeout(1_000)
    changed = []
    drawn = (
        "name => document.querySelector('#chart .js-plotly-plot')?.layout.yaxis.title.text"
        ".includes(` ${name} `) && document.querySelector('#chart .main-svg')"
    )
    box = page.locator("#package input")
    for name in OTHERS:
        box.fill(name)
        begun = time.perf_counter()
        box.press("Enter")
        page.wait_for_function(drawn, arg=name, polling=10)
        changed.append(time.perf_counter() - begun)
    context.close()
    return opened, changed


def load(app: AppServer, calls: int, more: int) -> list[Figure]:
    """Many clients at once, and what they leave behind in memory."""
    call_often(app.port, USERS * 5, USERS)
    seen = call_often(app.port, calls, USERS)
    before = memory(app)
    call_often(app.port, more, USERS)
    after = memory(app)
    return [
        Figure(f"/forecast, {USERS} users at once, median", seen.percentile(0.5), "ms", 100),
        Figure(
            f"/forecast, {USERS} users at once, 95th percentile", seen.percentile(0.95), "ms", 100
        ),
        Figure(f"failures in {calls:,} calls", seen.failures, "", 0),
        Figure("resident memory after these", before, "MB", 400),
        Figure(f"growth over {more:,} further calls", after - before, "MB", 5),
    ]


def call_often(port: int, calls: int, users: int) -> Load:
    """So many calls, by so many clients that ask again as soon as they are answered."""
    seconds: list[float] = []
    failures = [0]
    left = iter(range(calls))
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        # Each user keeps a session, as gradio's own clients do.
        session = f"user-{threading.get_ident()}"
        body = json.dumps({"data": [PACKAGE, 30], "session_hash": session}).encode()
        while True:
            with lock:
                if next(left, None) is None:
                    return
            begun = time.perf_counter()
            answer = call(connection, "forecast", body)
            took = time.perf_counter() - begun
            with lock:
                seconds.append(took)
                failures[0] += b"event: complete" not in answer

    threads = [threading.Thread(target=work) for _ in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(seconds, failures[0] + calls - len(seconds))


def call(connection: http.client.HTTPConnection, endpoint: str, body: bytes) -> bytes:
    """Ask a named endpoint, and wait for its answer."""
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/gradio_api/call/{endpoint}", body, headers)
    event = json.loads(connection.getresponse().read())["event_id"]
    connection.request("GET", f"/gradio_api/call/{endpoint}/{event}")
    return connection.getresponse().read()


def memory(app: AppServer) -> float:
    """Resident memory of the app's process in MB."""
    lines = Path(f"/proc/{app.process.pid}/status").read_text(encoding="ascii").splitlines()
    [resident] = [line for line in lines if line.startswith("VmRSS:")]
    return int(resident.split()[1]) / KILOBYTES


if __name__ == "__main__":
    sys.exit(main())
