"""The plan of a run, and the parts into which it is divided."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from forecast.bundle.manifest import Kind
from forecast.config import Package

if TYPE_CHECKING:
    from collections.abc import Sequence


class Plan(BaseModel):
    """The plan of a run: everything that its phases need from the config and the environment.

    Attributes:
        code: digest of the source files, so that no run resumes with other code.
        source: the kind of the source.
        requested_source: the source as the command line or the config has it, such as a folder.
        packages: to train, in this order; groups among them.
        configured: the packages and groups of the config.
        parts: the names of the packages of each of its groups.
        outages: those that the config lists.
        redefined: days from which on something else is counted, likewise.
        previous: digest of the previous bundle's manifest; empty if there is none.
        previous_folder: where that bundle is, if it did not come from GitHub.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    created_at: AwareDatetime
    commit: str = ""
    run: str = ""
    versions: dict[str, str]
    code: str = ""
    source: Kind
    requested_source: str = ""
    mirrors: bool
    forecast_days: int
    m_values: tuple[int, ...]
    packages: tuple[Package, ...]
    configured: tuple[Package, ...]
    parts: dict[str, tuple[str, ...]] = {}
    outages: tuple[dt.date, ...] = ()
    redefined: tuple[dt.date, ...] = ()
    previous: str = ""
    previous_folder: str = ""

    @property
    def sums(self) -> dict[str, tuple[str, ...]]:
        """The groups to train, with the names of their parts."""
        asked = [package.name for package in self.packages if package.is_group]
        return {name: self.parts[name] for name in asked}

    @property
    def to_fetch(self) -> list[str]:
        """The packages to ask the source for: those to train, then the parts of groups."""
        packages = [package.name for package in self.packages if not package.is_group]
        return list(dict.fromkeys([*packages, *chain.from_iterable(self.sums.values())]))

    @property
    def identity(self) -> str:
        """Equal for two plans if a run of the second may resume a run of the first."""
        same = self.model_dump_json(exclude={"created_at", "run"})
        return hashlib.sha256(f"{self.created_at:%Y-%m-%d} {same}".encode()).hexdigest()


@dataclass(frozen=True)
class Part:
    """One part of a run, trained by one machine: the ``number``-th of ``of``, from 1 on."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read a part such as ``3/5``.

        Raises:
            ValueError: if it is not one.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ValueError
        return cls(int(number), int(of))

    @classmethod
    def of_file(cls, name: str) -> Part | None:
        """The part that a file has the outcomes of; None if no part has a file of this name."""
        numbers = re.fullmatch(r"outcomes-(\d+)-of-(\d+)\.sqlite", name, re.ASCII)
        part = cls(int(numbers[1]), int(numbers[2])) if numbers else cls()
        return part if part.file == name and 1 <= part.number <= part.of else None

    @property
    def file(self) -> str:
        """The file with its outcomes."""
        return f"outcomes-{self.number}-of-{self.of}.sqlite" if self.of > 1 else "outcomes.sqlite"

    def share(self, names: Sequence[str]) -> Sequence[str]:
        """The packages that it trains, of all that have counts."""
        return names[self.number - 1 :: self.of]
