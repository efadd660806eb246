"""The base of the stand-ins: an HTTP server in a thread, a log, and faults."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from typing import Self

ANY = "*"


@dataclass(frozen=True)
class Call:
    """A request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Answer:
    """A response: the body, and a fault in its delivery.

    Attributes:
        how: "whole"; "cut" breaks off half-way through the body; "drip" and
            "drip headers" send a byte every ``pause`` seconds; "endless" sends chunks
            that never end; "unfinished" sends the body as a chunk, and no last one;
            "hang" sends nothing; "drop" closes at once.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "whole"
    pause: float = 0.02


Fault = Answer | Callable[[Answer], Answer]


class Loopback:
    """An HTTP server on a free port of 127.0.0.1; use it as a context manager.

    Subclasses define :meth:`answer`, the answer without a fault, and :meth:`route`, the
    name of a call for which faults can be set.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, even during a hang or a drip."""
        self.closing.set()
        with contextlib.suppress(OSError):  # it wakes the thread, if the system supports it
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add_fault(self, route: str, fault: Fault, times: int = 1) -> None:
        """Make the next calls of a route fail; :data:`ANY` is every route."""
        with self._lock:
            self._faults[route].extend([fault] * times)

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def paths(self) -> list[str]:
        """The paths called so far."""
        with self._lock:
            return [call.path for call in self.calls]

    def route(self, call: Call) -> str:
        """The name of the route."""
        raise NotImplementedError

    def answer(self, call: Call) -> Answer:
        """The answer without a fault."""
        raise NotImplementedError

    def _respond(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            fault = self._next_fault(self.route(call))
        if isinstance(fault, Answer):
            return fault
        answer = self.answer(call)
        return fault(answer) if fault else answer

    def _next_fault(self, route: str) -> Fault | None:
        for queue in (self._faults[route], self._faults[ANY]):
            if queue:
                return queue.popleft()
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                call = Call(self.command, unquote(parts.path), query, headers, body)
                self.close_connection = True
                _deliver(self, loopback._respond(call), loopback.closing)

            do_POST = do_GET  # noqa: N815 - the base class's name

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: some tests are about clients that hang up."""


def _deliver(handler: BaseHTTPRequestHandler, answer: Answer, closing: threading.Event) -> None:
    if answer.how == "hang":
        closing.wait(30)
        return
    if answer.how == "drop":
        with contextlib.suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)
        return
    send = _dripping(handler, answer.pause, closing)
    head, body = _head(handler, answer), answer.body
    if answer.how == "drip headers":
        send(head)
    handler.wfile.write(b"" if answer.how == "drip headers" else head)
    if answer.how == "endless":
        while not closing.is_set():
            handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
    elif answer.how == "unfinished":
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
    elif answer.how == "drip":
        send(body)
    else:
        handler.wfile.write(body[: len(body) // 2] if answer.how == "cut" else body)
    handler.wfile.flush()


def _head(handler: BaseHTTPRequestHandler, answer: Answer) -> bytes:
    headers = {
        "Server": "stand-in",
        "Date": handler.date_time_string(),
        "Content-Type": answer.content_type,
        "Connection": "close",
        **answer.headers,
    }
    if answer.how in {"endless", "unfinished"}:
        headers["Transfer-Encoding"] = "chunked"
    else:
        headers["Content-Length"] = str(len(answer.body))
    lines = [f"HTTP/1.1 {answer.status} {handler.responses.get(answer.status, ('',))[0]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _dripping(
    handler: BaseHTTPRequestHandler, pause: float, closing: threading.Event
) -> Callable[[bytes], None]:
    def send(data: bytes) -> None:
        for byte in data:
            if closing.wait(pause):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()

    return send
