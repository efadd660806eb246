"""The speed of the page: a real server, real HTTP clients, a real Chromium.

python -m benchmarks.app_speed            everything, about four minutes
python -m benchmarks.app_speed --quick    fewer repetitions, as a quick test
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.figures import Figure, percentile, table
from forecast.bundle.reader import Bundle, read_folder
from forecast.bundle.replace import replacing
from forecast.bundle.writer import Writer
from forecast.document.pictures import badge, chart
from forecast.model.pickling import dumps
from tests.appserver import AppServer, train_sample
from tests.browser.chromium import chromium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser


MANY = 5_000  # packages
CHARTS = 50
FORECASTS = 1_000
USERS = 20
PACKAGE = "flask"
OTHERS = ("requests", "tensorflow", "pytorch", "fastapi")
KILOBYTES = 1024
SLOW = {  # a phone far from a mast: 400 kbit/s, in bytes, and 400 ms
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
READABLE = """document.querySelector('.answer')
&& performance.getEntriesByName('first-contentful-paint').length"""


@dataclass
class Load:
    """The results of many concurrent clients."""

    seconds: list[float]
    failures: int

    def percentile(self, share: float) -> float:
        """Milliseconds in which this share of the calls was answered."""
        return 1e3 * percentile(self.seconds, share)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(arguments).quick
    starts, visits, slow, calls, more = (2, 2, 1, 500, 1_000) if quick else (7, 9, 3, 5_000, 10_000)
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        train_sample(few)
        with replacing(many) as fresh:
            multiply(read_folder(few), MANY, fresh)
        # In turns, so that other load on the machine affects both.
        pairs = [(start(few), start(many)) for _ in range(starts)]
        start_few, start_many = (median(each) for each in zip(*pairs, strict=True))
        figures = [
            Figure("process start to page answering, 5 packages", start_few, "s", 4),
            Figure(f"the same, {MANY:,} packages", start_many, "s", start_few + 1),
        ]
        with AppServer({"MODELS_DIR": str(few)}) as app:
            figures += browse(app, visits)
            loaded = load(app, calls, more)
            # By now plotly.js is packed as it is for all but the first visitors.
            figures += browse_slowly(app, slow)
            figures += loaded
        with AppServer({"MODELS_DIR": str(many)}) as app:
            figures += crowd(app)
    sys.stdout.write(table(figures))
    return 0


def multiply(bundle: Bundle, size: int, folder: Path) -> None:
    """Write the same models under many names, each with its own counts and pictures."""
    bases = bundle.names
    days = bundle.manifest.forecast_days
    models = {name: bundle.model(name) for name in bases}
    pictures = {
        base: {
            "svg": chart(base, model, model.total(days), days),
            "badge.svg": badge(base, model.total(days), days),
        }
        for base, model in models.items()
    }
    random = np.random.default_rng(0)
    writer = Writer(folder, days)
    for at in range(size):
        name, base = f"package-{at}", bases[at % len(bases)]
        noise = models[base].history * random.normal(1, 0.1, len(models[base].history))
        model = replace(models[base], history=tuple(np.rint(noise).tolist()))
        drawn = {f"{name}.{end}": svg.replace(base, name) for end, svg in pictures[base].items()}
        counts = bundle.history(base)
        factors = random.normal(1, 0.1, len(counts))
        writer.history(name, (counts * factors).round().astype("int64"))
        entry = bundle.entry(base).model_copy(update={"label": name})
        made, totals = model.predict_with_totals(days)
        writer.add(name, entry, dumps(model), made, totals=totals, pictures=drawn)
    writer.close(bundle.manifest)


def start(models: Path) -> float:
    """Seconds from the process's start to a page, models in use."""
    with AppServer({"MODELS_DIR": str(models)}) as app:
        seconds = app.seconds
        call(http.client.HTTPConnection("127.0.0.1", app.port), "packages", b'{"data": ["", 0, 1]}')
    return seconds


def crowd(app: AppServer) -> list[Figure]:
    """The chooser, a visit and memory with thousands of packages."""
    connection = http.client.HTTPConnection("127.0.0.1", app.port)
    call(connection, "packages", b'{"data": ["", 0, 1]}')
    rested = memory(app)
    texts = ("", "p", "age-49", "package-4999", "pakage")
    found = [look_for(connection, text) for text in texts for _ in range(5)]
    opened = []
    with chromium() as browser:
        page = browser.new_page()
        for at in range(CHARTS):
            begun = time.perf_counter()
            page.goto(f"{app.url}?package=package-{at * MANY // CHARTS}")
            page.locator("#chart .main-svg").first.wait_for()
            opened.append(time.perf_counter() - begun)
    charted = memory(app)
    failures = 0
    connection = http.client.HTTPConnection("127.0.0.1", app.port)  # the other is closed by now
    for at in range(FORECASTS):
        body = json.dumps({"data": [f"package-{at * MANY // FORECASTS}", 30]}).encode()
        failures += b"event: complete" not in call(connection, "forecast", body)
    what = f"{MANY:,} packages: "
    return [
        Figure(f"{what}names near what is typed, median", 1e3 * median(found), "ms", 50),
        Figure(f"{what}first page open to chart drawn", opened[0], "s", 3.5),
        Figure(f"{what}the next {CHARTS - 1} pages, median", median(opened[1:]), "s", 2.5),
        Figure(f"{what}resident memory at rest", rested, "MB", 500),
        Figure(f"{what}after charts of {CHARTS} packages", charted, "MB", 500),
        Figure(f"{what}after /forecast of {FORECASTS:,} more", memory(app), "MB", 500),
        Figure(f"{what}failures among these", failures, "", 0),
    ]


def look_for(connection: http.client.HTTPConnection, text: str) -> float:
    """Seconds until the answer to this typed text."""
    begun = time.perf_counter()
    connection.request("GET", f"/find?text={text}")
    connection.getresponse().read()
    return time.perf_counter() - begun


def browse(app: AppServer, visits: int) -> list[Figure]:
    """Open a new page, and change the package."""
    opened, changed = [], []
    with chromium() as browser:
        for _ in range(visits):
            first, others = visit(browser, app.url)
            opened.append(first)
            changed += others
    return [
        Figure("page open to chart drawn", median(opened), "s", 2.5),
        Figure("change of package to redraw", median(changed), "s", 0.3),
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
        "name => document.querySelector('#chart .js-plotly-plot')?.layout.meta.file"
        ".startsWith(`${name}-`) && document.querySelector('#chart .main-svg')"
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


def browse_slowly(app: AppServer, visits: int) -> list[Figure]:
    """Open a new page over a slow network, with an empty cache."""
    with chromium() as browser:
        readable, drawn = zip(*[visit_slowly(browser, app.url) for _ in range(visits)], strict=True)
    what = "400 kbit/s, 400 ms: page open to "
    return [
        Figure(f"{what}answer readable", median(readable), "s", 2),
        Figure(f"{what}chart drawn", median(drawn), "s", 30),
    ]


def visit_slowly(browser: Browser, url: str) -> tuple[float, float]:
    """Seconds until the answer is painted, and until the chart is."""
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    begun = time.perf_counter()
    page.goto(f"{url}?package={PACKAGE}", wait_until="commit")
    page.wait_for_function(READABLE)
    readable = time.perf_counter() - begun
    page.locator("#chart .main-svg").first.wait_for(timeout=90_000)
    drawn = time.perf_counter() - begun
    context.close()
    return readable, drawn


def load(app: AppServer, calls: int, more: int) -> list[Figure]:
    """Many concurrent clients, and the memory in use after them."""
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
    """This many calls, by this many clients that call again as soon as they have an answer."""
    seconds: list[float] = []
    failures = [0]
    left = iter(range(calls))
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        # Each user keeps its session, like gradio's own clients.
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
    """Call a named endpoint, and wait for its answer."""
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
