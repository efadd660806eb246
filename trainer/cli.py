"""The trainer's command line: arguments and environment in, exit status out."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from functools import partial
from typing import TYPE_CHECKING

from forecast.bundle.replace import check_target
from forecast.config import load_config
from forecast.errors import BundleError, ConfigError, ForecastError
from trainer.arguments import parse
from trainer.inputs import Environment, has_sample, open_source
from trainer.phases import Phases
from trainer.reports.console import Console, told
from trainer.site.site import SITE
from trainer.store import reserved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trainer.arguments import Arguments

DONE, NOTHING_TRAINED, WRONG_USAGE = 0, 1, 2
SYSTEMS = {"posix"}  # names of os.name; fork server, pipes and renaming differ elsewhere

log = logging.getLogger("trainer")


def run(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the phases that are asked for; the exit status of the program."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    console = Console.of(environment)
    try:
        phases = _prepare(words, environment, console)
    except (ConfigError, BundleError) as error:
        console.error(str(error))
        return WRONG_USAGE
    try:
        for phase in phases:
            phase()
    except (ForecastError, OSError, sqlite3.Error) as error:
        console.error(told(error))
        return NOTHING_TRAINED
    return DONE


def _prepare(
    words: Sequence[str], variables: Mapping[str, str], console: Console
) -> list[Callable[[], None]]:
    """Check what can be checked at once; the phases, ready to be called.

    Raises:
        ConfigError: if the command line, the environment, the config or the source is wrong.
        BundleError: if the output folder may not be replaced.
    """
    if os.name not in SYSTEMS:
        raise ConfigError("the trainer runs on Linux and macOS, and on Windows inside WSL; use one")
    arguments, environment = parse(words, variables), Environment.read(variables)
    if "join" in arguments.phases:
        check_target(arguments.output)
    phases = Phases(arguments, environment, console)
    ready: dict[str, Callable[[], None]] = {"train": phases.train, "join": phases.join}
    last: list[Callable[[], None]] = []
    if arguments.site or "fetch" in arguments.phases:
        config = load_config(arguments.config)
    if arguments.site:
        check_target(arguments.site, SITE)
        last = [lambda: phases.site(config)]
    if "fetch" in arguments.phases:
        config.chosen(arguments.packages)  # raises at once if there is no such group
        for hint in filter(None, map(config.group_meant, arguments.packages)):
            console.warn(hint)
        name = arguments.source or config.source
        source = open_source(name, config, environment)
        if (
            name == "auto"
            and source.kind == "sample"
            and has_sample(arguments, config, environment)
        ):
            log.info("%s has a sample of today already; it stays", arguments.output)
            return last
        ready["fetch"] = lambda: phases.fetch(config, source)
    return [partial(_in_order, arguments, [ready[phase] for phase in arguments.phases]), *last]


def _in_order(arguments: Arguments, phases: Sequence[Callable[[], None]]) -> None:
    """Run the phases while no other run uses their folder; parts may be trained side by side."""
    with reserved(arguments.work, shared=arguments.phases == ("train",)):
        for phase in phases:
            phase()
