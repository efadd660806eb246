"""ClickHouse's HTTP interface in front of a real engine, with its peculiarities and faults.

Its handler (src/Server/HTTPHandler.cpp) reads the query and ``param_…`` from fields of a
multipart form, each of at most 131,072 bytes. It takes every unknown argument of the address as
a setting, and a user with ``readonly = 1`` may change none. An exception has its code in a
header, or comes in the middle of a body that began with status 200.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from email import message_from_bytes
from typing import TYPE_CHECKING

from tests.standins.engine import EngineError
from tests.standins.server import ANY, Answer, Call, Fault, Loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tests.standins.engine import Engine

# As in ClickPy (scripts/create_tables.sh).
TABLE = """CREATE OR REPLACE TABLE pypi.pypi_downloads_per_day
(`date` Date, `project` String, `count` Int64)
ENGINE = SummingMergeTree ORDER BY (project, date)"""

TSV = "text/tab-separated-values; charset=UTF-8"
HTML = "text/html; charset=utf-8"
VERSION = " (version 26.5.1.1 (official build))\n"
NO_SETTINGS = frozenset({"wait_end_of_query", "database", "default_format", "query", "query_id"})
LONGEST_FIELD = 131_072
TOO_LONG = "Poco::Exception. Code: 1000, e.code() = 0, HTML Form Exception: Field value too long"
STATUSES = {62: 400, 130: 400, 456: 400, 60: 404, 81: 404, 192: 403, 516: 403, 194: 401}
TAG = "dngjzjnxkvlwkeua"


class ClickHouseServer(Loopback):
    """ClickHouse on loopback.

    Args:
        engine: Answers the queries.
        users: Name to password.

    Attributes:
        limits: Settings of the user's profile, such as ``max_result_rows``.
        asked: The names of each accepted query.
    """

    def __init__(self, engine: Engine, users: Mapping[str, str] | None = None) -> None:
        self.engine = engine
        self.users = users or {"demo": ""}
        self.limits: dict[str, str] = {}
        self.asked: list[list[str]] = []
        engine.query("CREATE DATABASE IF NOT EXISTS pypi")
        engine.query(TABLE)
        super().__init__()

    @property
    def url(self) -> str:
        """The value of CLICKHOUSE_URL."""
        return self.origin

    def fill(self, series: Mapping[str, pd.Series[int]]) -> None:
        """Add a row for each package and day; counts of an existing day add up."""
        rows = [
            f"('{day:%Y-%m-%d}','{name}',{count})"
            for name, counts in series.items()
            for day, count in counts.items()
        ]
        self.engine.query(f"INSERT INTO pypi.pypi_downloads_per_day VALUES {','.join(rows)}")

    def fail(self, fault: int | str | Fault, times: int = 1) -> None:
        """Make the next queries fail: a status, a name of ``Answer.how``, or a fault."""
        if isinstance(fault, int):
            fault = Answer(fault, f"<h1>{fault}</h1>".encode(), HTML)
        if isinstance(fault, str):
            how = fault
            fault = lambda answer: replace(answer, how=how)  # noqa: E731
        self.add_fault(ANY, fault, times)

    def route(self, call: Call) -> str:
        """There is one route."""
        return call.path

    def answer(self, call: Call) -> Answer:
        """The answer of the real server."""
        form = fields(call)
        if any(len(value) > LONGEST_FIELD for value in form.values()):
            return Answer(500, (TOO_LONG + VERSION).encode(), "text/plain")
        if not self._is_known(call.headers.get("authorization", "")):
            return exception(
                "Code: 516. DB::Exception: demo: Authentication failed: password is incorrect, "
                "or there is no user with such name. (AUTHENTICATION_FAILED)"
            )
        for name in set(call.query) - NO_SETTINGS:
            return exception(
                f"Code: 164. DB::Exception: Cannot modify '{name}' setting in readonly mode. "
                "(READONLY)"
            )
        sql = whole = form["query"]
        if self.limits:
            sql += "SETTINGS " + ", ".join(
                f"{name} = {value}" for name, value in self.limits.items()
            )
        parameters = {
            name.removeprefix("param_"): value for name, value in form.items() if name != "query"
        }
        self.asked.append(re.findall("'([^']*)'", parameters.get("names", "")))
        try:
            body, read = self.engine.measured(sql, parameters)
        except EngineError as error:
            return exception(str(error))
        # What there is to read is known from the index, so a limit does not change it.
        total = self.engine.measured(whole, parameters)[1] if self.limits else read
        summary = json.dumps({"read_rows": str(read), "total_rows_to_read": str(total)})
        headers = {"X-ClickHouse-Format": "TabSeparated", "X-ClickHouse-Summary": summary}
        return Answer(200, body, TSV, headers)

    def _is_known(self, authorization: str) -> bool:
        try:
            name, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        except ValueError:
            return False
        return self.users.get(name) == password


def fields(call: Call) -> dict[str, str]:
    """The fields of a multipart form."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(
            decode=True
        ).decode()
        for part in message_from_bytes(head + call.body).get_payload()
    }


def exception(text: str) -> Answer:
    """An exception before the first byte of a result."""
    code = int(re.match(r"Code: (\d+)\.", text)[1])
    headers = {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Exception-Tag": TAG}
    return Answer(STATUSES.get(code, 500), (text + VERSION).encode(), "text/plain", headers)


def midway(text: str, *, tagged: bool) -> Fault:
    """An exception after half of the rows, in the form of servers before 25.11 or since."""

    def apply(answer: Answer) -> Answer:
        rows = answer.body[: len(answer.body) // 2]
        said = (text + VERSION).encode()
        if not tagged:
            return replace(answer, body=rows + said)
        frame = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n"
        body = rows + frame % (TAG.encode(), said, len(said), TAG.encode())
        # The connection ends there, without the last chunk.
        headers = {**answer.headers, "X-ClickHouse-Exception-Tag": TAG}
        return replace(answer, body=body, how="unfinished", headers=headers)

    return apply


def edited(old: bytes, new: bytes) -> Fault:
    """The real answer with the first match of a pattern replaced."""
    return lambda answer: replace(answer, body=re.sub(old, new, answer.body, count=1))
