"""A stand-in for PyPI Stats, with its peculiarities and faults.

They were read in the source of psf/pypistats.org and seen by running that server unchanged, with
its database and its limiter: the limits of 5 calls a second and 30 a minute hold for each route,
whatever the package (seen on pypistats.org too: 30 calls of ``recent`` did not touch ``overall``),
and count calls that end in 404; rows are sorted by category and day; a package without rows is a
404, and so is a trailing slash; errors are not JSON, and 429 has no Retry-After.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.standins.server import ANY, Answer, Call, Fault, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

RETENTION = 181
HTML = "text/html; charset=utf-8"
PROXY_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

STATUSES: dict[int, Answer] = {
    404: Answer(404, b"404", HTML),
    429: Answer(429, b'<a href="/api/#etiquette">RATE LIMIT EXCEEDED</a>', HTML),
    500: Answer(500, b"500", HTML),
    502: Answer(502, PROXY_PAGE.format("502 Bad Gateway").encode(), HTML),
    503: Answer(503, b"503 TEMPORARILY DISABLED", HTML),
    504: Answer(504, PROXY_PAGE.format("504 Gateway Time-out").encode(), HTML),
}


class PyPIStatsServer(Loopback):
    """PyPI Stats on loopback.

    Args:
        series: Package, spelled as PEP 503 says, to day to count with mirrors. May be
            changed while the server runs.
        without_mirrors: Makes the count without mirrors from the count with them.
        limited: Whether to refuse calls of a route over 5 a second and 30 a minute.
        clock: Seconds, for the limits.
    """

    def __init__(
        self,
        series: Mapping[str, Mapping[date, int]] | None = None,
        *,
        without_mirrors: Callable[[int], int] = lambda count: count * 9 // 10,
        limited: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.series: dict[str, Mapping[date, int]] = dict(series or {})
        self.limited = limited
        self._without = without_mirrors
        self._clock = clock
        self._admitted: defaultdict[str, deque[float]] = defaultdict(deque)
        super().__init__()

    @property
    def url(self) -> str:
        """The value of PYPISTATS_URL."""
        return f"{self.origin}/api"

    def fail(
        self, package: str | None, fault: int | str | Fault, times: int = 1, **headers: str
    ) -> None:
        """Make the next calls for a package (None: any) fail.

        ``fault`` is a status, a name of :data:`FAULTS` or of ``Answer.how``, or a fault.
        Keyword arguments are headers, with ``_`` for ``-``.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.add_fault(package or ANY, _fault(fault, named), times)

    def route(self, call: Call) -> str:
        """The package, or the path of another call."""
        parts = call.path.split("/")
        return parts[3] if call.path.startswith("/api/packages/") else call.path

    def answer(self, call: Call) -> Answer:
        """The answer of the real server."""
        if self.limited and not self._admit(call.path.rpartition("/")[2]):
            return STATUSES[429]
        if call.path in {"/api", "/api/"}:
            return Answer(200, b"<!doctype html><title>PyPI Download Stats</title>", HTML)
        parts = call.path.removeprefix("/api/packages/").split("/")
        if not call.path.startswith("/api/packages/") or len(parts) != 2:
            return STATUSES[404]
        name = parts[0].replace(".", "-").replace("_", "-")  # not lower-cased, as in the real one
        days = sorted(self.series.get(name, {}).items())[-RETENTION:]
        makers = {"overall": self._overall, "recent": self._recent}
        if not days or parts[1] not in makers:
            return STATUSES[404]
        return _json({"package": name, **makers[parts[1]](days, call)})

    def _overall(self, days: list[tuple[date, int]], call: Call) -> dict[str, Any]:
        asked = call.query.get("mirrors")
        data = []
        if asked != "false":
            data += [_row("with_mirrors", day, count) for day, count in days]
        if asked != "true":
            data += [_row("without_mirrors", day, self._without(count)) for day, count in days]
        return {"data": data, "type": "overall_downloads"}

    def _recent(self, days: list[tuple[date, int]], _call: Call) -> dict[str, Any]:
        counts = [self._without(count) for _, count in days]
        spans = {"last_day": 1, "last_month": 30, "last_week": 7}
        data = {name: sum(counts[-span:]) for name, span in spans.items()}
        return {"data": data, "type": "recent_downloads"}

    def _admit(self, route: str) -> bool:
        with self._lock:
            now, admitted = self._clock(), self._admitted[route]
            while admitted and admitted[0] <= now - 60:
                admitted.popleft()
            if len(admitted) >= 30 or sum(at > now - 1 for at in admitted) >= 5:
                return False
            admitted.append(now)
            return True


def _row(category: str, day: date, count: int) -> dict[str, Any]:
    return {"category": category, "date": day.isoformat(), "downloads": count}


def _json(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode() + b"\n")


def _fault(fault: int | str | Fault, headers: dict[str, str]) -> Fault:
    if isinstance(fault, int):
        fault = STATUSES.get(fault, Answer(fault, str(fault).encode(), HTML))
    if isinstance(fault, str):
        fault = FAULTS.get(fault) or _delivered(fault)
    if isinstance(fault, Answer):
        return replace(fault, headers={**fault.headers, **headers})
    return fault


def _delivered(how: str) -> Fault:
    return lambda answer: replace(answer, how=how)


def edited(change: Callable[[dict[str, Any]], None]) -> Fault:
    """The real answer, changed."""

    def apply(answer: Answer) -> Answer:
        value = json.loads(answer.body)
        change(value)
        return replace(answer, body=json.dumps(value).encode())

    return apply


def _last_row(key: str, value: Any) -> Fault:
    return edited(lambda whole: whole["data"][-1].update({key: value}))


def _both(whole: dict[str, Any]) -> None:
    whole["data"] += [{**row, "category": "without_mirrors"} for row in whole["data"]]


def _without_hyphens(whole: dict[str, Any]) -> None:
    row = whole["data"][-1]
    row["date"] = row["date"].replace("-", "")


FAULTS: dict[str, Fault] = {
    "html": Answer(200, b"<!doctype html><title>Down for maintenance</title>", HTML),
    "truncated": lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2]),
    "empty": lambda answer: replace(answer, body=b""),
    "not an object": lambda answer: replace(answer, body=b"[]"),
    "wrong package": edited(lambda whole: whole.update(package="another")),
    "wrong type": edited(lambda whole: whole.update(type="recent_downloads")),
    "wrong category": _last_row("category", "with_misprints"),
    "both categories": edited(_both),
    "no rows": edited(lambda whole: whole.update(data=[])),
    "no data": edited(lambda whole: whole.pop("data")),
    "negative": _last_row("downloads", -1),
    "float": _last_row("downloads", 10.5),
    "whole float": _last_row("downloads", 10.0),
    "bool": _last_row("downloads", True),
    "null": _last_row("downloads", None),
    "text": _last_row("downloads", "10"),
    "huge": _last_row("downloads", 10**15),
    "beyond int64": _last_row("downloads", 10**30),
    "nan": _last_row("downloads", float("nan")),
    "infinity": _last_row("downloads", float("inf")),
    "free-form date": _last_row("date", "1 May 2026"),
    "date without hyphens": edited(_without_hyphens),
    "impossible date": _last_row("date", "2026-02-30"),
    "timestamp": _last_row("date", 1750000000),
    "far date": _last_row("date", "2099-01-01"),
    "duplicate dates": edited(lambda whole: whole["data"].append(dict(whole["data"][0]))),
}
