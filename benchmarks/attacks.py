"""How long an ordinary visitor waits while another one attacks the page.

python -m benchmarks.attacks              each attack for some seconds, about three minutes
python -m benchmarks.attacks NAME ...     only these

The page runs in its own process and listens on 127.0.0.1 only, behind a proxy that names the
visitors, as in a Space. The attacker is one address in a process of its own, with bounds on its
requests and seconds; the visitor is another address.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import percentile
from tests.appserver import NOW, AppServer
from tests.bundles import files_of, make_bundle, replace_folder
from tests.standins.pypistats import PyPIStatsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECONDS = 8.0  # of an attack
MOST = 20_000  # requests of an attack
VISITS = 40  # during an attack
BOUND = 1.0  # seconds; the p95 of each step of a visit
ATTACKER, VISITOR = "198.51.100.66", "203.0.113.7"
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
PENDING = 400  # packages whose newer days PyPI Stats does not send
PACKAGES = ("flask", *(f"pending-{number}" for number in range(PENDING)))
SLOW = "slow-to-come"  # without a model; PyPI Stats does not answer
NEW = 30  # packages without a model that PyPI Stats has
CALL, JOIN, MCP = "/gradio_api/call/v2/forecast", "/gradio_api/queue/join", "/gradio_api/mcp/"


class Client:
    """Requests of one address, over one connection while the page keeps it."""

    def __init__(self, port: int, address: str) -> None:
        self.port = port
        self._address = address
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(
        self, method: str, target: str, body: object = None, claim: str = ""
    ) -> tuple[int, bytes]:
        """Status and body of an answer; ``claim`` is an address that the client makes up."""
        headers = {**JSON, "X-Forwarded-For": f"{claim}, {self._address}".strip(", ")}
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, target, data, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def forecast(self, package: str) -> bytes:
        """Call ``/forecast``, and wait for the result; what came in place of one otherwise."""
        status, body = self.ask("POST", CALL, {"package": package, "days": 30})
        if status != http.HTTPStatus.OK:
            return body
        event = json.loads(body)["event_id"]
        return self.ask("GET", f"/gradio_api/call/forecast/{event}")[1]

    def draw(self, package: str, session: str, load: int) -> bytes:
        """Open the page's session, as its scripts do; the stream of its results."""
        body = {"data": [], "fn_index": load, "session_hash": session}
        status, said = self.ask("POST", f"{JOIN}?package={package}", body)
        if status != http.HTTPStatus.OK:
            return said
        return self.ask("GET", f"/gradio_api/queue/data?session_hash={session}")[1]

    def hold(self, request: bytes, seconds: float) -> None:
        """Send the begin of a request, then a byte a second."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=5)) as held:
            forwarded = f"Host: localhost\r\nX-Forwarded-For: {self._address}\r\n"
            held.sendall(request.replace(b"{headers}", forwarded.encode()))
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(min(1.0, max(end - time.monotonic(), 0.0)))
                held.sendall(b"x")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


# Each attack does this again and again: with a client, the number of the turn, and the number of
# the event that draws a page.


def pending_calls(client: Client, number: int, _load: int) -> None:
    """Ask for forecasts that wait for newer days, and leave the results unread."""
    client.ask("POST", CALL, {"package": f"pending-{number % PENDING}", "days": 30})


def drawings(client: Client, number: int, load: int) -> None:
    """Draw pages, and leave them unread."""
    body = {"data": [], "fn_index": load, "session_hash": f"attack-{number}"}
    client.ask("POST", f"{JOIN}?package=flask", body)


def streams(client: Client, number: int, load: int) -> None:
    """Open streams of results, and hold them."""
    client.draw(f"pending-{number % PENDING}", f"held-{number}", load)


def slow_bodies(client: Client, _number: int, _load: int) -> None:
    """Send bodies, a byte a second."""
    head = f"POST {CALL} HTTP/1.1\r\n{{headers}}Content-Length: 60000\r\n\r\n"
    client.hold(head.encode(), SECONDS)


def slow_heads(client: Client, _number: int, _load: int) -> None:
    """Send headers, a byte a second."""
    client.hold(b"GET / HTTP/1.1\r\n{headers}X-Long: ", SECONDS)


def mcp_calls(client: Client, number: int, _load: int) -> None:
    """Call the MCP tool, each time from another address by its own account."""
    call = {"name": "forecast", "arguments": {"package": f"new-{number % NEW}"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    client.ask("POST", MCP, message, claim=f"192.0.2.{number % 250}")


def mcp_streams(client: Client, _number: int, _load: int) -> None:
    """Ask for the stream of MCP that carries nothing."""
    client.ask("GET", MCP)


def new_packages(client: Client, number: int, _load: int) -> None:
    """Have models trained."""
    client.forecast(f"new-{number % NEW}")


def slow_exports(client: Client, _number: int, _load: int) -> None:
    """Ask for files of a package whose counts do not come."""
    client.ask("GET", f"/export/x.csv?package={SLOW}")


def exports(client: Client, number: int, _load: int) -> None:
    """Ask for files of five packages."""
    others = ",".join(PACKAGES[at + number % 300] for at in range(1, 5))
    client.ask("GET", f"/export/x.csv?package=flask&compare={others}")


def badges(client: Client, _number: int, _load: int) -> None:
    """Ask for badges."""
    client.ask("GET", "/badge/flask.json")


def pictures(client: Client, number: int, _load: int) -> None:
    """Ask for pictures that are drawn when asked for."""
    client.ask("GET", f"/picture/{PACKAGES[number % PENDING]}.png")


def forecasts(client: Client, _number: int, _load: int) -> None:
    """Ask for forecasts."""
    client.forecast("flask")


def pages(client: Client, number: int, _load: int) -> None:
    """Open pages."""
    client.ask("GET", f"/?package={PACKAGES[number % 9]}")


def searches(client: Client, number: int, _load: int) -> None:
    """Look for names."""
    client.ask("GET", f"/find?text=pnding{number}")


def bad_events(client: Client, _number: int, _load: int) -> None:
    """Call events that do not exist."""
    client.ask("POST", JOIN, {"data": [], "fn_index": 999, "session_hash": "x"})


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        does: one turn of it.
        workers: how many do so at once.
    """

    does: Callable[[Client, int, int], None]
    workers: int = 32

    @property
    def name(self) -> str:
        """As in the table and on the command line."""
        return self.does.__name__.replace("_", " ")


MANY = 100  # more requests of one client at once are refused
ATTACKS = (
    *(Attack(each, MANY) for each in (pending_calls, drawings, streams, slow_bodies, slow_heads)),
    *(Attack(each, MANY) for each in (mcp_streams, slow_exports)),
    *(Attack(each) for each in (mcp_calls, new_packages, exports, badges, pictures, forecasts)),
    *(Attack(each) for each in (pages, searches, bad_events)),
)


def run_attack(name: str, port: int, load: int) -> None:
    """Attack for some seconds; what a process of its own does."""
    [attack] = [each for each in ATTACKS if each.name == name]
    end = time.monotonic() + SECONDS
    turns = iter(range(MOST))
    lock = threading.Lock()

    def work() -> None:
        client = Client(port, ATTACKER)
        while time.monotonic() < end:
            with lock:
                number = next(turns, None)
            if number is None:
                return
            try:
                attack.does(client, number, load)
            except (OSError, http.client.HTTPException):  # refused by closing the connection
                client.close()
                time.sleep(0.01)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(attack.workers)]
    for thread in threads:
        thread.start()
    time.sleep(max(end - time.monotonic(), 0.0))
    # The threads that still wait for an answer end with the process.


@dataclass
class Visits:
    """What an ordinary visitor has seen: seconds of each step, and failures."""

    page: list[float]
    chart: list[float]
    forecast: list[float]
    failures: int = 0

    def line(self, name: str) -> str:
        """A row of the table: the p95 of each step in milliseconds."""
        steps = [
            percentile(each, 0.95) if each else float("nan")
            for each in (self.page, self.chart, self.forecast)
        ]
        met = max(steps) <= BOUND and not self.failures
        shown = " | ".join(f"{1e3 * each:,.0f}" for each in steps)
        verdict = "yes" if met else "NO"
        return f"| {name} | {shown} | {self.failures} of {len(self.page)} | {verdict} |\n"


HEAD = (
    "| attack | page, ms | chart, ms | `/forecast`, ms | failures | met |\n"
    "| --- | ---: | ---: | ---: | ---: | --- |\n"
)


def visit_often(port: int, load: int, goes_on: Callable[[], bool]) -> Visits:
    """Open the page, have its chart drawn and call ``/forecast``, some times."""
    seen = Visits([], [], [])
    client = Client(port, VISITOR)
    steps: tuple[tuple[list[float], Callable[[], bytes], bytes], ...] = (
        (seen.page, lambda: client.ask("GET", "/?package=flask")[1], b"next 30 days"),
        (
            seen.chart,
            lambda: client.draw("flask", f"visit-{time.time_ns()}", load),
            b"process_completed",
        ),
        (seen.forecast, lambda: client.forecast("flask"), b"event: complete"),
    )
    for _ in range(VISITS):
        if not goes_on():
            break
        whole = True
        for seconds, step, expected in steps:
            begun = time.perf_counter()
            with suppress(OSError, http.client.HTTPException):
                whole &= expected in step()
            seconds.append(time.perf_counter() - begun)
        seen.failures += not whole
    client.close()
    return seen


@contextmanager
def serving() -> Iterator[AppServer]:
    """The page over a bundle of hundreds of packages; of most PyPI Stats sends no newer days."""
    last = NOW.date() - dt.timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder, PyPIStatsServer() as pypistats:
        days = [last - dt.timedelta(days=back) for back in range(120, -1, -1)]
        series = {day: 1000 + day.weekday() for day in days}
        pypistats.series |= {"flask": series}
        pypistats.series |= {f"new-{number}": series for number in range(NEW)}
        for name in (*PACKAGES[1:], SLOW):
            pypistats.fail(name, "hang", 1000)
        replace_folder(Path(folder) / "models", files_of(make_bundle(PACKAGES)))
        settings = {
            "MODELS_DIR": str(Path(folder) / "models"),
            "PYPISTATS_URL": pypistats.url,
            "SPACE_ID": "owner/space",  # loopback is one of its proxies
        }
        with AppServer(settings) as app:
            yield app


def load_event(port: int) -> int:
    """The number of the event that draws the page when it is opened."""
    config = json.loads(Client(port, VISITOR).ask("GET", "/config")[1])
    return next(
        int(each["id"])
        for each in config["dependencies"]
        if each["backend_fn"] and any(name == "load" for _, name in each["targets"])
    )


def measure(attack: Attack | None) -> Visits:
    """A visitor's waits during an attack, or without one."""
    with serving() as app:
        load = load_event(app.port)
        earlier = Client(app.port, VISITOR)
        earlier.forecast("flask")  # its newer days are known from now on
        earlier.draw("flask", "earlier", load)  # the first drawing of a process takes longer
        if attack is None:
            return visit_often(app.port, load, lambda: True)
        context = multiprocessing.get_context("spawn")
        attacker = context.Process(target=run_attack, args=(attack.name, app.port, load))
        attacker.start()
        time.sleep(1.5)  # until it is at work
        seen = visit_often(app.port, load, attacker.is_alive)
        attacker.join()
        return seen


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table; 1 if a bound is exceeded."""
    names = [attack.name for attack in ATTACKS]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("attacks", nargs="*", metavar="NAME", help=f"of: {', '.join(names)}")
    chosen = parser.parse_args(arguments).attacks
    if unknown := sorted({*chosen} - {*names}):
        parser.error(f"there is no attack {unknown[0]!r}; there are {', '.join(names)}")
    sys.stdout.write(HEAD)
    lines = [measure(None).line("none")]
    sys.stdout.write(lines[0])
    for attack in ATTACKS:
        if not chosen or attack.name in chosen:
            lines.append(measure(attack).line(attack.name))
            sys.stdout.write(lines[-1])
            sys.stdout.flush()
    return int(any("NO" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
