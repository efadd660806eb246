"""The command line: its options, and which of them go together."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, get_args

from forecast.config import parse_packages
from forecast.errors import ConfigError
from forecast.text import excerpt
from trainer.engines.local import cores
from trainer.plan import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast.config import Package

ROOT = Path(__file__).resolve().parent.parent
Phase = Literal["fetch", "train", "join"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class Arguments:
    """What a command line asks for.

    Attributes:
        phases: all three, or the one that was named.
        site: folder for the site; None if none is wanted.
        packages_per_job: how many one job trains, where several share a run.
        cluster: address of a Dask scheduler; empty where this machine trains.
    """

    packages: tuple[Package, ...]
    config: Path
    source: str
    output: Path
    site: Path | None
    work: Path
    phases: tuple[Phase, ...]
    packages_per_job: int
    part: Part
    jobs: int
    cluster: str


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see python -m trainer --help")


def parse(words: Sequence[str], environment: Mapping[str, str]) -> Arguments:
    """Read a command line.

    Raises:
        ConfigError: if it is wrong.
    """
    given = _parser(environment).parse_args(words)
    if given.part and given.phase != "train":
        raise ConfigError("--part says what a job trains: it needs --phase train")
    phases = (given.phase,) if given.phase else PHASES
    if given.site and "join" not in phases:
        raise ConfigError("--site is written with the bundle: it needs --phase join, or no --phase")
    work = given.work or Path(f"{given.output.resolve()}.run")
    if "join" in phases:  # which replaces or removes each of them
        _check_apart({"--output": given.output, "--work": work, "--site": given.site})
    return Arguments(
        packages=parse_packages(" ".join(given.packages).split()),
        config=given.config,
        source=given.source,
        output=given.output,
        site=given.site,
        work=work,
        phases=phases,
        packages_per_job=given.packages_per_job,
        part=given.part or Part(),
        jobs=given.jobs,
        cluster=given.cluster,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m trainer", description="Train and publish forecasts.")
    add = parser.add_argument
    add(
        "packages",
        nargs="*",
        metavar="PACKAGE",
        help="one name, or several separated by white space, @name for a group of the config; "
        "default: the config's",
    )
    add(
        "--config",
        type=Path,
        default=Path(environment.get("FORECAST_CONFIG") or ROOT / "config.toml"),
        help="default: $FORECAST_CONFIG, else config.toml of the repository",
    )
    add(
        "--source",
        default="",
        help="pypistats, clickhouse (for thousands of packages), sample, auto (pypistats, or "
        "sample if it cannot be reached), or a folder with one <package>.csv (date,downloads) "
        "per package; default: the config's, or else pypistats",
    )
    add(
        "--output", type=Path, default=Path("models"), help="folder for the bundle; default: models"
    )
    add(
        "--site",
        type=Path,
        metavar="DIR",
        help="folder for a site of the forecasts, for any static server",
    )
    add("--jobs", type=_positive, default=cores(), help="processes; default: all processors")
    add("--cluster", metavar="ADDRESS", default="", help="train on a Dask scheduler, tcp://…")
    add(
        "--work",
        type=Path,
        help="folder of the run itself, from which a stopped run resumes; "
        "default: the output's name with .run",
    )
    add("--phase", choices=PHASES, help="only this phase of the run in --work")
    add(
        "--packages-per-job",
        type=_positive,
        default=1_000,
        metavar="N",
        help="with --phase fetch: how many one job trains; more are divided among several jobs",
    )
    add("--part", type=_part, metavar="K/N", help="with --phase train: the K-th of N parts")
    return parser


def _check_apart(folders: Mapping[str, Path | None]) -> None:
    """Refuse folders, by their options, of which one is or holds another."""
    places = [(f"{option} {path}", path.resolve()) for option, path in folders.items() if path]
    for (one, here), (other, there) in combinations(places, 2):
        if here.is_relative_to(there) or there.is_relative_to(here):
            raise ConfigError(f"{one} and {other}: name two folders apart")


def _positive(text: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, not {excerpt(text)}")


def _part(text: str) -> Part:
    try:
        return Part.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a part such as 3/5, not {excerpt(text)}"
        ) from None
