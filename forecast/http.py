"""One HTTP exchange with a bound on everything: seconds, bytes and hosts.

All clients ask through :func:`fetch`. Redirects are never followed here: a caller
that wants one takes the ``Location`` and decides. Nothing that :func:`fetch` raises
holds a URL, a header or a body, so it can be shown and logged as it is.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import socket
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests.auth import AuthBase

# It tells addresses with their queries, and a blob's query is a key to it.
logging.getLogger("urllib3").setLevel(logging.ERROR)

PROJECT = "https://github.com/neelabalan/py-package-download-forecast"

_CHUNK = 1 << 16
_SHOWN = 80
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LATE = "no whole answer within the time allowed"


class ExchangeError(Exception):
    """No whole answer came; the text says why in a few words, and never where from."""


class TooLargeError(ExchangeError):
    """The answer is larger than it can reasonably be; asking again is no use."""


@dataclass(frozen=True)
class Limits:
    """What one exchange may cost.

    Attributes:
        connect: Seconds until the connection stands.
        read: Seconds between two arrivals of bytes.
        total: Seconds for all of it, against an answer that only drips.
        max_bytes: Size of the body.
    """

    connect: float = 5.0
    read: float = 30.0
    total: float = 90.0
    max_bytes: int = 4 << 20


@dataclass(frozen=True)
class Reply:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()


class NoAuth(requests.auth.AuthBase):
    """Sends no Authorization, and keeps requests from finding one in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Take away what the session's own headers may have brought."""
        request.headers.pop("Authorization", None)
        return request


class PunctualAdapter(requests.adapters.HTTPAdapter):
    """Gives a server so many seconds for its status line and headers.

    A socket's own time-out begins anew with every byte that arrives.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make pools whose connections are watched."""
        super().init_poolmanager(*args, **kwargs)
        members = {"seconds": self._seconds}
        http = type("Http", (_PunctualConnection, HTTPConnection), members)
        https = type("Https", (_PunctualConnection, HTTPSConnection), members)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("HttpPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
            "https": type("HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
        }


class _PunctualConnection(HTTPConnection):
    seconds: ClassVar[float]

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3 does
        late = threading.Event()
        sock = self.sock

        def give_up() -> None:
            late.set()
            with contextlib.suppress(OSError):  # it ended at this very moment
                sock.shutdown(socket.SHUT_RDWR)

        watchdog = threading.Timer(self.seconds, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            response = super().getresponse()
        except (OSError, HTTPException) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            watchdog.cancel()
        if late.is_set():  # headers that break off pass for whole ones
            response.close()
            raise TimeoutError
        return response


def fetch(
    session: requests.Session,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: AuthBase | None = None,
    limits: Limits | None = None,
    form: Mapping[str, str] | None = None,
    into: BinaryIO | None = None,
) -> Reply:
    """GET ``url``, or POST ``form`` to it, and read the answer whole, within the limits.

    Args:
        session: Sends the request; see :func:`new_session`.
        url: Where to.
        params: Added to the address.
        headers: Added to the session's.
        auth: Signs the request; nobody by default.
        limits: What the exchange may cost.
        form: Fields of a multipart form; they make the request a POST.
        into: Takes a body that may be large, as far as it came even if it broke off. The
            reply's own body is empty then.

    Raises:
        ExchangeError: The server was not reached, took too long or broke off.
        TooLargeError: The body is over the limit.
    """
    limits = limits or Limits()
    started = time.monotonic()
    try:
        # Nobody decompresses what nobody asked to be compressed.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        method = "GET" if form is None else "POST"
        fields = None if form is None else {name: (None, text) for name, text in form.items()}
        request = session.prepare_request(
            requests.Request(
                method, url, params=params, headers=sent, auth=auth or NoAuth(), files=fields
            )
        )
        with _send(session, request, (limits.connect, limits.read)) as response:
            left = limits.total - (time.monotonic() - started)
            body = io.BytesIO()
            _read(response, max(left, 0.001), limits.max_bytes, into or body)
            return Reply(response.status_code, response.headers, body.getvalue())
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        reason = _reason(error)
    # Raised out here, so that no traceback leads to the request and its headers.
    raise ExchangeError(reason)


def _send(
    session: requests.Session,
    request: requests.PreparedRequest,
    timeout: tuple[float, float],
) -> requests.Response:
    """Send through the session's adapter.

    ``Session.send`` reads the body of a redirect whole, without a limit, even when it
    is told not to follow it.
    """
    url = request.url or ""
    settings = session.merge_environment_settings(url, {}, True, None, None)
    return session.get_adapter(url).send(
        request,
        stream=True,
        timeout=timeout,
        verify=settings["verify"] or True,
        cert=settings["cert"],
        proxies=settings["proxies"],
    )


def _read(response: requests.Response, seconds: float, max_bytes: int, into: BinaryIO) -> None:
    """Read the body, unless it is too large or comes too slowly."""
    declared = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,20}", declared) and int(declared) > max_bytes:
        raise TooLargeError(_too_large(max_bytes))
    late = threading.Event()

    def give_up() -> None:
        late.set()
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # it ended at this moment
            response.raw.shutdown()

    watchdog = threading.Timer(seconds, give_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        _collect(response.iter_content(_CHUNK), max_bytes, into)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
        if not late.is_set():
            raise
    finally:
        watchdog.cancel()
    if late.is_set():
        raise requests.Timeout


def _collect(chunks: Iterator[bytes], max_bytes: int, into: BinaryIO) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise TooLargeError(_too_large(max_bytes))
        into.write(chunk)


def _too_large(max_bytes: int) -> str:
    return f"the answer is larger than {max_bytes:,} bytes"


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    # The first that fits; the narrower before the wider.
    (requests.exceptions.ProxyError, "the proxy did not let the connection through"),
    (requests.exceptions.SSLError, "the TLS certificate or handshake was not accepted"),
    (requests.exceptions.ConnectTimeout, "no connection within the time allowed"),
    (requests.exceptions.Timeout, _LATE),
    (TimeoutError, _LATE),
    (requests.exceptions.ChunkedEncodingError, "the connection broke off in mid-answer"),
    (requests.exceptions.ConnectionError, "no connection, or it broke off"),
)


def _reason(error: Exception) -> str:
    """What went wrong, in words that hold nothing of the request."""
    if "timed out" in str(error).lower() and type(error) is requests.exceptions.ConnectionError:
        return _LATE  # so requests calls a body that stops coming
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return f"the request failed ({type(error).__name__})"


def origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of an absolute HTTP address; None for anything else."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        return None
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    return scheme, host, port or _DEFAULT_PORTS[scheme]


def shown(text: str | bytes | None) -> str:
    """What came, fit for one line: printable, short, without line breaks."""
    if text is None:
        return "nothing"
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN].decode("utf-8", "replace")
    clean = re.sub(r"\s+", " ", text[: 4 * _SHOWN]).strip()
    clean = "".join(letter if letter.isprintable() else "?" for letter in clean)
    if not clean:
        return "nothing"
    return f"“{clean}”" if len(clean) <= _SHOWN else f"“{clean[: _SHOWN - 1]}…”"


def new_session(repository_url: str = PROJECT, *, seconds: float = 60.0) -> requests.Session:
    """A session that says who is calling, as PyPI Stats and GitHub both ask.

    Args:
        repository_url: where those who are called can complain.
        seconds: until a server must have sent its headers.
    """
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, PunctualAdapter(seconds))
    session.headers["User-Agent"] = f"py-package-download-forecast/1.0 (+{repository_url})"
    return session
