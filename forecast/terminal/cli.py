"""The command line: arguments and environment in, exit status out."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from forecast.config import Package, load_config
from forecast.errors import ConfigError, ForecastError
from forecast.presentation.export import to_json
from forecast.process import clock_of
from forecast.terminal.find import Finder
from forecast.terminal.show import Style, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DONE, NO_FORECAST, WRONG_USAGE = 0, 1, 2
ROOT = Path(__file__).resolve().parents[2]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see python -m forecast --help")


def run(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the forecast that is asked for; the exit status of the program."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        given = _parser(environment).parse_args(words)
        package = _package(given.package)
        config = load_config(given.config)
        finder = Finder(config, environment, clock_of(environment))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USAGE
    try:
        found = finder.find(package)
        if given.json:
            text = to_json([found.forecast])
            sys.stderr.writelines(f"{warning}\n" for warning in found.warnings)
        else:
            style = Style.MARKDOWN if given.markdown else Style.TEXT
            text = shown(found, config.events, style)
    except ForecastError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USAGE if isinstance(error, ConfigError) else NO_FORECAST
    sys.stdout.write(text)
    return DONE


def _package(text: str) -> Package:
    """The package of this name.

    Raises:
        ConfigError: it is no name that PyPI allows.
    """
    try:
        return Package.parse(text)
    except ValueError as error:
        raise ConfigError(f"package {text!r:.60}: {error}") from None


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m forecast",
        description="Print the forecast of a package: from a bundle in MODELS_DIR or models/, "
        "else from the published one, else trained at once on counts from PyPI Stats.",
    )
    add = parser.add_argument
    add("package", metavar="PACKAGE", help="any name on PyPI, such as flask, or @group")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="history, forecast, total and accuracy")
    form.add_argument("--markdown", action="store_true", help="for an issue or a README")
    add(
        "--config",
        type=Path,
        default=Path(environment.get("FORECAST_CONFIG") or ROOT / "config.toml"),
        help="default: $FORECAST_CONFIG, else config.toml of the repository",
    )
    return parser
