"""HTTP requests with bounds on time and size.

All clients call :func:`fetch`. It follows no redirect: a caller may read ``Location`` and
decide. No exception of :func:`fetch` holds a URL, a header or a body, so its text can be
shown and logged as it is.
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

# It logs addresses with their queries, and a blob's query gives access to it.
logging.getLogger("urllib3").setLevel(logging.ERROR)

PROJECT = "https://github.com/neelabalan/py-package-download-forecast"

_CHUNK = 1 << 16
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LATE = "no complete answer within the time allowed"


class ExchangeError(Exception):
    """No complete answer arrived; the text says why, without the address."""


class TooLargeError(ExchangeError):
    """The answer is over the size limit; a retry does not help."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one exchange.

    Attributes:
        connect: Seconds to connect.
        read: Seconds between two arrivals of bytes.
        total: Seconds for the whole exchange, against a server that sends byte by byte.
        max_bytes: Size of the body.
    """

    connect: float = 5.0
    read: float = 30.0
    total: float = 90.0
    max_bytes: int = 4 << 20


@dataclass(frozen=True)
class Reply:
    """A complete answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAuth(requests.auth.AuthBase):
    """Sends no Authorization, not even one that requests would find in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Remove the header that the session may have set."""
        request.headers.pop("Authorization", None)
        return request


class HeaderTimeoutAdapter(requests.adapters.HTTPAdapter):
    """Limits the seconds until a server has sent its status line and headers.

    A socket's own timeout starts again with every byte.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use connections with that timeout; ``pool_classes_by_scheme`` is urllib3's internal."""
        super().init_poolmanager(*args, **kwargs)
        members = {"seconds": self._seconds}
        http = type("Http", (_HeaderTimeoutConnection, HTTPConnection), members)
        https = type("Https", (_HeaderTimeoutConnection, HTTPSConnection), members)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("HttpPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
            "https": type("HttpsPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
        }


class _HeaderTimeoutConnection(HTTPConnection):
    seconds: ClassVar[float]

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3 does
        late = threading.Event()
        sock = self.sock

        def give_up() -> None:
            late.set()
            with contextlib.suppress(OSError):  # it has just ended
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
        if late.is_set():  # urllib3 takes truncated headers for complete ones
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
    """GET ``url``, or POST ``form`` to it, and read the whole answer, within the limits.

    Args:
        session: Sends the request; see :func:`new_session`.
        url: The address.
        params: Query parameters.
        headers: Added to the session's.
        auth: Authorises the request; by default none.
        limits: Bounds of the exchange.
        form: Fields of a multipart form; they make the request a POST.
        into: A file for a large body; it also gets the part that came before a failure. The
            reply's own body is then empty.

    Raises:
        ExchangeError: The server was not reached, took too long, or the connection was lost.
        TooLargeError: The body is over the limit.
    """
    limits = limits or Limits()
    started = time.monotonic()
    try:
        # So a small answer cannot decompress into a large one.
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
    # Raised here, so that no traceback holds the request and its headers.
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
    """Read the body within a size and a time."""
    declared = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,20}", declared) and int(declared) > max_bytes:
        raise TooLargeError(_too_large(max_bytes))
    late = threading.Event()

    def give_up() -> None:
        late.set()
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # it has just ended
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
    # The first that matches; subclasses come first.
    (requests.exceptions.ProxyError, "the proxy did not let the connection through"),
    (requests.exceptions.SSLError, "the TLS certificate or handshake was not accepted"),
    (requests.exceptions.ConnectTimeout, "no connection within the time allowed"),
    (requests.exceptions.Timeout, _LATE),
    (TimeoutError, _LATE),
    (requests.exceptions.ChunkedEncodingError, "the connection broke during the answer"),
    (requests.exceptions.ConnectionError, "no connection, or it was lost"),
)


def _reason(error: Exception) -> str:
    """What went wrong, without any part of the request."""
    if "timed out" in str(error).lower() and type(error) is requests.exceptions.ConnectionError:
        return _LATE  # how requests reports a read timeout in the body
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return f"the request failed ({type(error).__name__})"


def url_origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of an absolute HTTP address; None for anything else."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        return None
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    return scheme, host, port or _DEFAULT_PORTS[scheme]


def without_user(url: str) -> str:
    """An address without user and password, which no client here sends."""
    scheme, mark, rest = url.partition("//")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{rest[len(authority) :]}"


def new_session(repository_url: str = PROJECT, *, seconds: float = 60.0) -> requests.Session:
    """A session with a User-Agent that names the project, as PyPI Stats and GitHub ask.

    Args:
        repository_url: the project's page, for the User-Agent.
        seconds: until a server must have sent its headers.
    """
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HeaderTimeoutAdapter(seconds))
    session.headers["User-Agent"] = f"py-package-download-forecast/1.0 (+{repository_url})"
    return session
