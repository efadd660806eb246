"""From the environment to a page that is served."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.data.forecasts import Forecasts
from app.data.live_counts import LiveCounts
from app.data.on_demand import OnDemand, train_model
from app.data.store import ArtifactSource, FolderSource, Store
from app.gradio_internals.shortcuts import take_shortcuts
from app.gradio_internals.stubs import without_stubs
from forecast.config import load_config
from forecast.errors import ConfigError
from forecast.github import api as github
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import new_session
from forecast.process import clock_of
from forecast.sources import pypistats
from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats
from forecast.text import clean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, MutableMapping

    from forecast.config import Config

ROOT = Path(__file__).resolve().parent.parent

# Addresses that a Space's own proxies may have. uvicorn takes the last address of
# X-Forwarded-For outside of them as the client's; client-supplied entries come before it.
PROXIES = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10"

PYPISTATS_TIMEOUT = 20.0  # seconds for a whole answer, as a visitor waits for it

LAST_PORT = 65_535
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

log = logging.getLogger("app")


@dataclass(frozen=True)
class Settings:
    """The environment, read once.

    Attributes:
        host: address to listen on.
        port: likewise.
        root_path: path, or whole address, under which a reverse proxy shows the page.
        token: kept out of ``repr``, and so out of logs.
        models_dir: None where bundles come from GitHub.
    """

    config: Path
    github_url: str
    pypistats_url: str
    models_dir: Path | None
    token: str | None
    host: str = "127.0.0.1"
    port: int = 7860
    root_path: str = ""

    def __repr__(self) -> str:
        return clean(f"Settings({self.config}, {self.models_dir or self.github_url})")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read what is set; an empty variable counts as not set.

        Raises:
            ConfigError: the port or the root path is none.
        """

        def get(name: str) -> str | None:
            return environment.get(name, "").strip() or None

        models_dir = get("MODELS_DIR")
        port = get("GRADIO_SERVER_PORT") or str(cls.port)
        if not (port.isdecimal() and port.isascii() and 1 <= int(port) <= LAST_PORT):
            raise ConfigError(
                f"GRADIO_SERVER_PORT is {port!r:.40}: expected a number from 1 to {LAST_PORT}"
            )
        return cls(
            config=Path(get("FORECAST_CONFIG") or ROOT / "config.toml"),
            github_url=get("GITHUB_API_URL") or github.API,
            pypistats_url=get("PYPISTATS_URL") or pypistats.API,
            models_dir=Path(models_dir) if models_dir else None,
            token=get("GITHUB_TOKEN"),
            host=get("GRADIO_SERVER_NAME") or cls.host,
            port=int(port),
            root_path=_checked_root_path(get("GRADIO_ROOT_PATH") or ""),
        )


def _checked_root_path(text: str) -> str:
    """The text, if links of the page can begin with it; else every request of it would fail."""
    with suppress(ValueError):  # as of a port that is none
        parts = urlsplit(text)
        whole = text.startswith(("http://", "https://"))
        fits = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        if not whole:
            fits = not text or (text.startswith("/") and not text.startswith("//"))
        if fits and text.isprintable() and not set(text) & set("?#\\"):
            return text
    raise ConfigError(
        f"GRADIO_ROOT_PATH is {clean(text, 80)!r}: expected a path that begins with one '/', or an "
        "http(s) address, both without query; set it to such as '/forecasts', or leave it out"
    )


def assemble(settings: Settings, config: Config, clock: Callable[[], dt.datetime]) -> Forecasts:
    """Put the parts together, without any network access yet.

    Args:
        settings: addresses and folders.
        config: lists the packages.
        clock: the current time, UTC.
    """
    stats = PyPIStats(
        new_session(config.repository_url, seconds=PYPISTATS_TIMEOUT),
        url=settings.pypistats_url,
        mirrors=config.mirrors,
        retry=INTERACTIVE_RETRY,
        timeout=(5.0, 10.0),
        total_timeout=PYPISTATS_TIMEOUT,
        today=lambda: clock().date(),
    )
    source = (
        FolderSource(settings.models_dir)
        if settings.models_dir
        else ArtifactSource(
            GitHubArtifacts.configured(
                config, token=settings.token, url=settings.github_url, clock=clock
            )
        )
    )
    on_demand = OnDemand(
        stats.daily,
        partial(train_model, redefined=config.redefined),
        clock,
        horizon=config.forecast_days,
        m_values=config.m_values,
        outages=config.outages,
    )
    forecasts = Forecasts(Store(config, source), LiveCounts(stats.daily, clock), on_demand)
    forecasts.store.notify = forecasts.prepare
    return forecasts


def check_address(host: str, port: int) -> None:
    """Make sure that the page can listen there, before anything is loaded.

    Raises:
        ConfigError: the port is taken, or this machine has no such address.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} of {host} is taken: end the program that listens there, "
                "or set GRADIO_SERVER_PORT to another"
            ) from None
        raise ConfigError(
            f"GRADIO_SERVER_NAME is {host!r:.80}, port {port}: the page cannot listen there "
            f"({error.strerror or error})"
        ) from None


def hosts_of(host: str, root_path: str) -> frozenset[str] | None:
    """The names that the page may be asked by; None for any.

    On loopback only programs of this machine can ask, but a web page whose host name leads
    here could make a browser ask for it. So the name has to be ours, or a proxy's.
    """
    host = host.strip("[]").lower()
    if not _is_loopback(host):
        return None
    proxy = urlsplit(root_path).hostname
    return LOOPBACK | {host} | ({proxy} if proxy else set())


def _is_loopback(host: str) -> bool:
    """Whether a name or an address leads to this machine alone, in any spelling."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    return host in LOOPBACK


def launch(environment: MutableMapping[str, str]) -> int:
    """Serve the page until the process is told to end.

    Args:
        environment: see ``app.py``; on a Space uvicorn's proxies are added to it.

    Returns:
        The exit code: 2 if a setting is wrong.
    """
    if environment.get("SPACE_ID"):
        environment.setdefault("FORWARDED_ALLOW_IPS", PROXIES)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    try:
        settings = Settings.from_environment(environment)
        check_address(settings.host, settings.port)
        clock = clock_of(environment)
        config = load_config(settings.config)
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says all
        return 2
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        environment.pop(name, None)  # gradio gets both as arguments, and would read them otherwise
    forecasts = assemble(settings, config, clock)
    forecasts.store.start()
    with without_stubs():
        from app import page  # noqa: PLC0415 - gradio loads while the store fetches the bundle

        blocks = page.build(forecasts, clock)
    blocks.launch(
        **page.launch_options(
            forecasts,
            clock,
            host=environment.get("SPACE_HOST", ""),
            hosts=hosts_of(settings.host, settings.root_path),
        ),
        root_path=settings.root_path,
        server_name=settings.host,
        server_port=settings.port,
        prevent_thread_lock=True,
    )
    take_shortcuts(blocks.app)
    forecasts.start_preparing()
    blocks.block_thread()
    return 0
