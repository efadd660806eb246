"""Daily download counts of many packages at once, from ClickHouse's copy of PyPI's log.

ClickPy (https://clickpy.clickhouse.com) keeps a row for each package and day, every
installer and every mirror counted, and accepts SQL queries over HTTP. One query
serves thousands of packages.

The public user may send no settings (``readonly = 1``), and where a query outgrows its limits the
server may truncate silently: what it reads, groups, joins, puts into a set or returns
(``*_overflow_mode = 'break'`` or ``'any'``). So an answer has to prove that it is whole, or is
asked for again in smaller parts:

- There is a row for every name, with empty arrays if there are no counts.
- The rows of the table behind the answer add up to those of a second reading that groups nothing.
- The names that the server holds as a set are as many as were sent.
- The header ``X-ClickHouse-Summary`` counts as many rows read as there were to read.

The answer is stored in a temporary file before it is read, because a server drops a client that
reads as slowly as models are trained.

Why not clickhouse-connect (tried: 1.12.0): it follows redirects to other hosts, repeats a 429
at once like a 503, limits neither the time nor the size of an answer, and does not detect a
silent truncation. We would still need our own splitting, retries and checks.
"""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import date, timedelta
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import tenacity
from pydantic import BaseModel, ValidationError
from requests.auth import HTTPBasicAuth

from forecast.config import is_normalised
from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.http import ExchangeError, Limits, Reply, TooLargeError, fetch, url_origin
from forecast.quantities import LARGEST_COUNT
from forecast.sources.retry import RetryPolicy, TransientError, seconds_of
from forecast.text import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import requests

API = "https://sql-clickhouse.clickhouse.com"
USER = "demo"
DAYS = 365  # a year, so that a Christmas is in it; 5,000 packages make 10 MB zipped

# Days are sent as days since 1970. Both bounds of the date let ClickHouse use the primary
# key, (project, date).
QUERY = """\
WITH
    (
        SELECT sum(count + 1) FROM pypi.pypi_downloads_per_day
        WHERE project IN {names:Array(String)} AND date >= {first:Date} AND date < {today:Date}
    ) AS whole,
    (
        SELECT count() FROM (SELECT arrayJoin({names:Array(String)}) AS name)
        WHERE name IN {names:Array(String)}
    ) AS known
SELECT asked.name, arrayMap(pair -> pair.1, pairs), arrayMap(pair -> pair.2, pairs),
    weight, whole, known
FROM (SELECT arrayJoin({names:Array(String)}) AS name) AS asked
LEFT JOIN (
    SELECT project, arraySort(groupArray((toUInt16(date), total))) AS pairs, sum(part) AS weight
    FROM (
        SELECT project, date, sum(count) AS total, sum(count + 1) AS part
        FROM pypi.pypi_downloads_per_day
        WHERE project IN {names:Array(String)} AND date >= {first:Date} AND date < {today:Date}
        GROUP BY project, date
    )
    GROUP BY project
) AS found ON found.project = asked.name
FORMAT TabSeparated
"""

# With a year of counts, this many packages stay below the 10 MB limit of ClickPy's public role.
MOST_NAMES = 2_500
MOST_LETTERS = 100_000  # of all names with quotes; a server accepts 131,072 per parameter
FEWEST_NAMES = 40  # a smaller batch is not split further

RETRY = RetryPolicy(
    attempts=5, rate_limit_wait=60.0, failure_wait=5.0, max_wait=600.0, max_total=1800.0
)

_ROW = re.compile(
    rb"[^\t\n]+\t\[((?:\d{1,5},)*\d{1,5})?\]\t\[((?:\d{1,15},)*\d{1,15})?\](?:\t\d{1,19}){3}\n"
)
_PROOF = re.compile(rb"\t(\d{1,19})\t(\d{1,19})\t(\d{1,19})\n\Z")
_EXCEPTION = re.compile(rb"Code: (\d{1,5})\. DB::\w*Exception: ?([^\r\n]*)")
_DIGITS_A_DAY = 5 + 15 + 2
_BESIDE_DIGITS = 1 << 10  # bytes of a row: name, tabs, brackets
_TEXT = 1 << 16  # bytes of an answer in which an exception is looked for
_EPOCH = date(1970, 1, 1)

# Codes of ClickHouse's src/Common/ErrorCodes.cpp. A smaller query may be accepted:
# too many rows (158, 396) or bytes (307), too long (159, 160), memory (241).
_TOO_MUCH = frozenset({158, 159, 160, 241, 307, 396})
_RATE_LIMITED = frozenset({201, 202})  # quota used up, too many queries at once
# A retry cannot help: syntax, names, rights, settings, password.
_PERMANENT = frozenset({36, 46, 47, 60, 62, 81, 130, 164, 192, 193, 194, 456, 497, 516})
_TOO_MANY = 429
_SERVER_FAULT = 500
_OK = 200


class _TooMuchError(DownloadsError):
    """The query was over a limit that fewer packages might stay within."""


class _CutOffError(_TooMuchError):
    """The answer does not prove that it is whole."""


class _Summary(BaseModel):
    """The header X-ClickHouse-Summary; ClickHouse writes its numbers as texts."""

    read_rows: int
    total_rows_to_read: int


@dataclass(frozen=True, repr=False)
class Endpoint:
    """The server's address and the user; only the address may be shown.

    Attributes:
        address: Scheme, host, port and path.
        user: Name, by default that of the public user.
        password: Empty for none.
    """

    address: str
    user: str = USER
    password: str = ""

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """Take ``https://user:password@host:port/path`` apart.

        Raises:
            ConfigError: It is not such an address. The message does not repeat it.
        """
        try:
            parts = urlsplit(url.strip())
            address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        except ValueError:
            parts, address = urlsplit(""), ""
        if url_origin(address) is None or parts.query or parts.fragment:
            raise ConfigError(
                "CLICKHOUSE_URL: expected http(s)://host, with a user and a password before it, a "
                "port or a path perhaps, and got something else (not shown, it may hold a password)"
            )
        user, password = unquote(parts.username or USER), unquote(parts.password or "")
        return cls(address, user, password)


class ClickHouse:
    """A source that asks for thousands of packages at once.

    Args:
        session: Sends the queries; see :func:`forecast.http.new_session`.
        url: The server's address, optionally with ``user:password@``.
        mirrors: Must be true: the table cannot leave mirrors out.
        today: The present day, UTC. It is left out because it is not over.
        days: How many days before today to ask for.
        timeout: Seconds to connect, and between two reads.
        total_timeout: Seconds for one complete answer.
        retry: When to ask again after a failure; ``max_total`` is for all failures
            of a fetch together, after which every batch gets one attempt.
        most: Packages per query.
        sleep: Waits.
        clock: Monotonic seconds.

    Raises:
        ConfigError: The address is not valid, or mirrors is false.
    """

    kind: Final = "clickhouse"

    def __init__(
        self,
        session: requests.Session,
        *,
        today: Callable[[], date],
        url: str = API,
        mirrors: bool = True,
        days: int = DAYS,
        timeout: tuple[float, float] = (10.0, 90.0),
        total_timeout: float = 300.0,
        retry: RetryPolicy = RETRY,
        most: int = MOST_NAMES,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not mirrors:
            raise ConfigError(
                "mirrors = false: --source clickhouse counts the downloads of mirrors too and "
                "cannot leave them out; set mirrors = true, or use --source pypistats"
            )
        self._endpoint = Endpoint.parse(url)
        self._session = session
        self._today = today
        self._days = days
        self._timeout = timeout
        self._total_timeout = total_timeout
        self._retry = retry
        self._most = most
        self._sleep = sleep
        self._clock = clock
        self._longest_row = _DIGITS_A_DAY * days + _BESIDE_DIGITS

    def fetch(self, names: Sequence[str]) -> Iterator[tuple[str, pd.Series[int] | DownloadsError]]:
        """See :class:`forecast.sources.source.Source`.

        Memory does not grow with the number of names: an answer is stored in a temporary
        file and read row by row.
        """
        today = self._today()
        waiting: deque[str] = deque()
        for name in dict.fromkeys(names):
            if is_normalised(name):
                waiting.append(name)
            else:
                yield (
                    name,
                    DownloadsError(f"{excerpt(name)} is not a normalised package name (PEP 503)"),
                )
        most, lost = self._most, 0.0
        parts: deque[list[str]] = deque()  # of a batch that was cut off somewhere
        while parts or waiting:
            batch = parts.popleft() if parts else _take(waiting, most)
            begun = self._clock()
            with TemporaryFile() as answer:
                try:
                    self._ask_with_retries(batch, answer, today, self._retry.max_total - lost)
                except DownloadsError as error:
                    lost += self._clock() - begun
                    splits = isinstance(error, _TooMuchError) and lost < self._retry.max_total
                    half = len(batch) // 2
                    if splits and half and isinstance(error, _CutOffError):
                        parts.extendleft([batch[half:], batch[:half]])
                    elif splits and len(batch) > FEWEST_NAMES:
                        most = half
                        waiting.extendleft(reversed(batch))
                    else:
                        yield from ((name, DownloadsError(str(error))) for name in batch)
                    continue
                for line in self._rows(answer):
                    name = line.partition(b"\t")[0].decode()
                    yield name, self._read(name, line, today)

    def _ask_with_retries(
        self, batch: Sequence[str], answer: BinaryIO, today: date, seconds: float
    ) -> None:
        """Write the batch's rows to ``answer``, with retries for the given seconds.

        Raises:
            DownloadsError: No usable answer came.
        """
        policy = replace(self._retry, max_total=seconds)
        attempts = tenacity.Retrying(
            sleep=self._sleep,
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=policy.next_wait,
            stop=policy.is_over,
            reraise=True,
        )
        try:
            attempts(self._ask, batch, answer, today)
        except TransientError as error:
            tried = attempts.statistics.get("attempt_number", 1)
            raise DownloadsError(
                f"{error} Try again later. (Asked {tried} time{'s' if tried > 1 else ''}.)"
            ) from None

    def _ask(self, batch: Sequence[str], answer: BinaryIO, today: date) -> None:
        """Send the query once, and check that ``answer`` holds only rows of the batch."""
        answer.seek(0)
        answer.truncate()
        connect, read = self._timeout
        most_bytes = len(batch) * self._longest_row + _TEXT
        form = {
            "query": QUERY,
            "param_names": "[" + ",".join(f"'{name}'" for name in batch) + "]",
            "param_first": str(today - timedelta(days=self._days)),
            "param_today": str(today),
        }
        try:
            reply = fetch(
                self._session,
                self._endpoint.address,
                # The server buffers the answer until it is complete, so that most failures have
                # their own status. This is no setting, but an argument of the HTTP interface.
                params={"wait_end_of_query": "1"},
                auth=HTTPBasicAuth(self._endpoint.user.encode(), self._endpoint.password.encode()),
                limits=Limits(connect, read, self._total_timeout, most_bytes),
                form=form,
                into=answer,
            )
        except TooLargeError as error:
            raise self._wrong(f"at most {most_bytes:,} bytes", str(error)) from None
        except ExchangeError as error:
            self._raise_exception(answer, None)
            raise TransientError(f"{self._asked} and did not answer: {error}.") from None
        self._raise_exception(answer, reply)
        if reply.status != _OK:
            raise self._refusal(reply, _start(answer))
        self._check(answer, batch)
        self._check_summary(reply)

    @property
    def _asked(self) -> str:
        return f"ClickHouse at {self._endpoint.address} was asked for counts"

    def _raise_exception(self, answer: BinaryIO, reply: Reply | None) -> None:
        """Raise the exception that ClickHouse reports in the answer, if any.

        It is the body of an error status, or follows the rows: a status of 200 may be sent
        before the query fails.
        """
        found = _EXCEPTION.search(_end(answer))
        if found is None:
            return
        code, text = int(found[1]), excerpt(found[2])
        message = f"{self._asked} and answered with its error {code}, {text}."
        if code in _TOO_MUCH:
            raise _TooMuchError(f"{message} A smaller batch may be accepted.")
        if code in _PERMANENT:
            raise DownloadsError(
                f"{message} See whether CLICKHOUSE_URL names a server that has the table "
                "pypi.pypi_downloads_per_day, and a user who may read it."
            )
        retry_after = seconds_of(reply.headers.get("Retry-After")) if reply else 0.0
        raise TransientError(message, rate_limited=code in _RATE_LIMITED, retry_after=retry_after)

    def _refusal(self, reply: Reply, body: bytes) -> DownloadsError:
        """A status that is not 200, without an exception of ClickHouse: a proxy's."""
        message = f"{self._asked} and answered with status {reply.status}: {excerpt(body)}."
        if reply.status == _TOO_MANY or reply.status >= _SERVER_FAULT:
            return TransientError(
                message,
                rate_limited=reply.status == _TOO_MANY,
                retry_after=seconds_of(reply.headers.get("Retry-After")),
            )
        return DownloadsError(f"{message} See whether CLICKHOUSE_URL is right.")

    def _check(self, answer: BinaryIO, batch: Sequence[str]) -> None:
        """Check that each line is the row of a package in the batch, and that none is cut off."""
        left = set(batch)
        weight, control = 0, set()
        for line in self._rows(answer):
            name = line.partition(b"\t")[0].decode("utf-8", "replace")
            if name not in left or not line.endswith(b"\n"):
                raise TransientError(str(self._wrong("a row for each package asked for", line)))
            left.remove(name)
            if proof := _PROOF.search(line):
                own, whole, known = map(int, proof.groups())
                weight += own
                control.add((whole, known))
        asked = f"{self._asked} of {len(batch)} packages and answered"
        reason = "a limit of the server's may have cut them off."
        if len(left) == len(batch):
            raise _TooMuchError(f"{asked} without a single row: {reason}")
        if left:
            raise _CutOffError(f"{asked} without the rows of {len(left)} of them: {reason}")
        if control != {(weight, len(batch))}:
            raise _CutOffError(f"{asked} with other counts than its own control total: {reason}")

    def _check_summary(self, reply: Reply) -> None:
        """Check that the server has read all that there was to read."""
        try:
            found = _Summary.model_validate_json(reply.headers.get("X-ClickHouse-Summary", ""))
        except ValidationError:
            raise DownloadsError(
                f"{self._asked} and answered without the header X-ClickHouse-Summary, which tells "
                "whether it read everything: see whether CLICKHOUSE_URL names ClickHouse itself, "
                "without a proxy that leaves out headers."
            ) from None
        if found.read_rows < found.total_rows_to_read:
            raise _CutOffError(
                f"{self._asked} and read only {found.read_rows:,} of "
                f"{found.total_rows_to_read:,} rows: a limit of the server's has cut them off."
            )

    def _rows(self, answer: BinaryIO) -> Iterator[bytes]:
        """The lines of the answer; a line too long for a row is cut into pieces."""
        answer.seek(0)
        return iter(lambda: answer.readline(self._longest_row), b"")

    def _read(self, name: str, line: bytes, today: date) -> pd.Series[int] | DownloadsError:
        """The series in a row: name, days since 1970, counts."""
        found = _ROW.fullmatch(line)
        if found is None:
            return self._wrong(f"days and counts of {excerpt(name)}", line[len(name) :])
        days, counts = (np.array(_numbers(group), dtype=np.int64) for group in found.groups())
        if not days.size and not counts.size:
            return UnknownPackageError(
                f"ClickHouse at {self._endpoint.address} has no downloads of a package called "
                f"{excerpt(name)} in the last {self._days} days: check its spelling in "
                "config.toml, or wait a day or two if it is new on PyPI."
            )
        if days.size != counts.size:
            return self._wrong(f"a count a day of {excerpt(name)}", f"{counts.size} of {days.size}")
        end = (today - _EPOCH).days
        if not (days[0] >= end - self._days and days[-1] < end and (np.diff(days) > 0).all()):
            return self._wrong(
                f"{excerpt(name)}'s days before {today} in order, each once", line[len(name) :]
            )
        if counts.max() > LARGEST_COUNT:
            return self._wrong(
                f"{excerpt(name)}'s counts up to {LARGEST_COUNT:,}", f"{counts.max()}"
            )
        index = pd.DatetimeIndex(days.astype("datetime64[D]"), name="date").as_unit("us")
        return pd.Series(counts, index=index, name="downloads")

    def _wrong(self, expected: str, came: str | bytes) -> DownloadsError:
        came = excerpt(came) if isinstance(came, bytes) else came
        return DownloadsError(
            f"The answer of ClickHouse at {self._endpoint.address} is not usable: expected "
            f"{expected}, got {came}. See whether it is ClickHouse (CLICKHOUSE_URL)."
        )


def _take(waiting: deque[str], most: int) -> list[str]:
    """The next names, as many as fit into a query."""
    batch: list[str] = []
    letters = 0
    while waiting and len(batch) < most:
        letters += len(waiting[0]) + len("'',")
        if batch and letters > MOST_LETTERS:
            break
        batch.append(waiting.popleft())
    return batch


def _numbers(digits: bytes | None) -> list[int]:
    return [int(each) for each in digits.split(b",")] if digits else []


def _start(answer: BinaryIO) -> bytes:
    answer.seek(0)
    return answer.read(_TEXT)


def _end(answer: BinaryIO) -> bytes:
    size = answer.seek(0, 2)
    answer.seek(max(0, size - _TEXT))
    return answer.read()
