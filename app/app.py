"""Starts the page: ``python app/app.py``, with nothing but the environment to tell it how.

GITHUB_TOKEN     a token that may read the repository's Actions
GITHUB_API_URL   where GitHub's API is
PYPISTATS_URL    where PyPI Stats' API is
FORECAST_CONFIG  the config, instead of config.toml beside this folder
MODELS_DIR       a folder with a bundle; GitHub is then never asked
SOURCE_DATE_EPOCH  the present moment, for a page that stands still
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping

    from app.data.forecasts import Forecasts
    from forecast.config import Config

# Read when gradio is imported and when it serves.
GRADIO = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # else the server calls out when it starts
    # After each call gradio sums up the last 10,000 in a table, which nobody looks at here.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "100",
}

# Whom a Space's own proxies may be: uvicorn takes the last address of X-Forwarded-For that is
# none of these for the visitor's; what he writes there himself stands before it.
PROXIES = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10"

VISITORS_WAIT = 20.0  # seconds that PyPI Stats has for an answer

log = logging.getLogger("app")


@dataclass(frozen=True)
class Settings:
    """The environment, read once.

    Attributes:
        token: kept out of ``repr``, and so out of logs.
        models_dir: None where GitHub is to be asked.
    """

    config: Path
    github_url: str
    pypistats_url: str
    models_dir: Path | None
    token: str | None

    def __repr__(self) -> str:
        return f"Settings({self.config}, {self.models_dir or self.github_url})"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read what is set; an empty variable counts as none."""
        from forecast.github.api import API as GITHUB  # noqa: PLC0415 - once the root is on the path
        from forecast.sources.pypistats import API as PYPISTATS  # noqa: PLC0415 - the same

        def get(name: str) -> str | None:
            return environment.get(name, "").strip() or None

        models_dir = get("MODELS_DIR")
        return cls(
            config=Path(get("FORECAST_CONFIG") or ROOT / "config.toml"),
            github_url=get("GITHUB_API_URL") or GITHUB,
            pypistats_url=get("PYPISTATS_URL") or PYPISTATS,
            models_dir=Path(models_dir) if models_dir else None,
            token=get("GITHUB_TOKEN"),
        )


def assemble(settings: Settings, config: Config, clock: Callable[[], dt.datetime]) -> Forecasts:
    """Put the parts together; asks nobody anything yet.

    Args:
        settings: where things are.
        config: which packages there should be.
        clock: the present moment, UTC.
    """
    from app.data.forecasts import Forecasts as Made  # noqa: PLC0415 - the root is on the path by now
    from app.data.live_counts import LiveCounts  # noqa: PLC0415
    from app.data.on_demand import OnDemand, search_now  # noqa: PLC0415
    from app.data.store import ArtifactSource, FolderSource, Store  # noqa: PLC0415
    from forecast.github.artifacts import GitHubArtifacts  # noqa: PLC0415
    from forecast.http import new_session  # noqa: PLC0415
    from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats  # noqa: PLC0415

    stats = PyPIStats(
        new_session(config.repository_url, seconds=VISITORS_WAIT),
        url=settings.pypistats_url,
        mirrors=config.mirrors,
        retry=INTERACTIVE_RETRY,
        timeout=(5.0, 10.0),
        total_timeout=VISITORS_WAIT,
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
        search_now,
        clock,
        horizon=config.forecast_days,
        m_values=config.m_values,
        outages=config.outages,
    )
    forecasts = Made(Store(config, source), LiveCounts(stats.daily, clock), on_demand)
    forecasts.store.notify = forecasts.prepare
    return forecasts


@contextmanager
def _no_stubs() -> Iterator[None]:
    """Import gradio in half of the time.

    gradio compares a type stub of each component with one it makes anew, and writes it
    into its own folder, whenever it is imported or first used. It leaves out what has no
    source file.
    """
    import inspect  # noqa: PLC0415 - used here alone

    getfile = inspect.getfile

    def refuse(thing: Any) -> str:
        if sys._getframe(1).f_globals.get("__name__") == "gradio.component_meta":  # noqa: SLF001
            raise OSError("no stubs are wanted")
        return getfile(thing)

    inspect.getfile = refuse  # type: ignore[assignment]  # it takes whatever getfile takes
    try:
        yield
    finally:
        inspect.getfile = getfile


def main() -> int:
    """Serve the page until the process is told to end."""
    # app/ would hide the package of the same name; the root is what everything is named from.
    sys.path[0] = str(ROOT)
    os.environ.update(GRADIO)
    if os.environ.get("SPACE_ID"):
        os.environ.setdefault("FORWARDED_ALLOW_IPS", PROXIES)

    from forecast.threads import use_one_thread  # noqa: PLC0415 - the root is on the path by now

    use_one_thread(os.environ)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    from forecast.clock import clock_of  # noqa: PLC0415 - NumPy may load from here on
    from forecast.config import load_config  # noqa: PLC0415
    from forecast.errors import ConfigError  # noqa: PLC0415

    settings = Settings.from_environment(os.environ)
    try:
        clock = clock_of(os.environ)
        config = load_config(settings.config)
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says all
        return 2
    forecasts = assemble(settings, config, clock)
    forecasts.store.start()
    with _no_stubs():
        from app import page  # noqa: PLC0415

        served = page.build(forecasts, clock)
    served.launch(**page.launch_options(forecasts), prevent_thread_lock=True)
    forecasts.start_preparing()
    served.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
