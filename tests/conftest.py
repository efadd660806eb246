"""Fixtures of every test: its own environment, no network, and the stand-ins."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from forecast.http import new_session
from forecast.process import prepare_numpy
from tests.standins.clickhouse import ClickHouseServer
from tests.standins.engine import Engine
from tests.standins.github import GitHubServer
from tests.standins.pypistats import PyPIStatsServer
from tests.warm.python import TRAINER, warm_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

# As in both programs, before NumPy loads: with more threads a search takes several times as long.
prepare_numpy(os.environ)

# No deadlines, and the same examples on every machine, however busy it is.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

SETTINGS = ("CLICKHOUSE_URL", "FORECAST_CONFIG", "MODELS_DIR", "PYPISTATS_URL")
PREFIXES = ("GITHUB_", "GRADIO_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    """No variable of the shell or of a CI runner reaches a test."""
    for name in list(os.environ):
        if name in SETTINGS or name.startswith(PREFIXES) or name.lower() in PROXIES:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Only loopback can be reached from this process."""
    connect, connect_ex, getaddrinfo = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def checked_connect(self: socket.socket, address: Any) -> Any:
        _check(address)
        return connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> Any:
        _check(address)
        return connect_ex(self, address)

    def checked_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check((host,))
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", checked_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", checked_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", checked_getaddrinfo)


def _check(address: Any) -> None:
    if not isinstance(address, tuple):
        return  # a socket in the file system
    host = address[0].decode() if isinstance(address[0], bytes) else address[0]
    if host in {None, "", "localhost", "0.0.0.0", "::"}:
        return
    try:
        allowed = ipaddress.ip_address(host).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise AssertionError(f"a test reaches out to {host}")


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with new_session() as made:
        yield made


@pytest.fixture
def pypistats_server() -> Iterator[PyPIStatsServer]:
    with PyPIStatsServer() as server:
        yield server


@pytest.fixture
def github_server() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@pytest.fixture(scope="session")
def clickhouse_engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def clickhouse_server(clickhouse_engine) -> Iterator[ClickHouseServer]:
    with ClickHouseServer(clickhouse_engine) as server:
        yield server


@pytest.fixture(scope="session")
def warm_trainer() -> Iterator[str]:
    """A ``python`` that has imported the trainer already; a warning is an error in it."""
    with warm_python(*TRAINER, PYTHONWARNINGS="error") as command:
        yield command
