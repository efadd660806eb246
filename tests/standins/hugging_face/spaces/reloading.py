"""The server of hot reload: it listens on a port of its own."""

from __future__ import annotations

import socket
from typing import Any

PORT = 7887


def start_reload_server(*, stop_event: Any, **_: Any) -> None:
    """Listen until the event is set; the real one reads files and runs code for whoever asks."""
    with socket.create_server(("127.0.0.1", PORT)):
        stop_event.wait()
