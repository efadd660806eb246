"""config.toml, read once into a frozen :class:`Config`.

Each field's ``description`` says what is allowed; every error message about the field
ends with it.
"""

from __future__ import annotations

import codecs
import contextlib
import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tomli
from packaging.utils import InvalidName, canonicalize_name
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from forecast.errors import ConfigError
from forecast.quantities import LONGEST_HORIZON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

T = TypeVar("T")

LONGEST_EVENT = 366  # days; the series is estimated on the days of an outage
LONGEST_NAME = 100  # the longest name on PyPI is shorter
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_TWICE = ": a key, or events, is given twice; keep one of the two"
LONGEST_QUOTATION = 40  # characters of a refused value that a message repeats
GROUP = "@"  # begins the name of a group, and no name on PyPI
MOST_GROUPS = 100
LONGEST_TITLE = 80  # of a group
MOST_PARTS = 1_000  # packages of a group


@dataclass(frozen=True, order=True)
class Package:
    """A package, or a group of packages, whose counts are the sum of theirs.

    Attributes:
        name: normalised as PEP 503 says; that of a group has an @ before it.
        label: the name as it was typed.
        title: what a group is called; empty for a package.
    """

    name: str
    label: str
    title: str = ""

    @classmethod
    def parse(cls, text: object) -> Package:
        """Make a Package of a name as typed, that of a group with its @.

        Raises:
            ValueError: the name is not allowed.
        """
        if isinstance(text, str) and text.startswith(GROUP):
            return cls(GROUP + normalise(text.removeprefix(GROUP)), text)
        return cls(normalise(text), str(text))

    @property
    def is_group(self) -> bool:
        """Whether it is a group."""
        return self.name.startswith(GROUP)

    @property
    def shown(self) -> str:
        """What it is called in sentences and pictures."""
        return self.title or self.label


def normalise(name: object) -> str:
    """The name as PEP 503 spells it: lower case, with single hyphens.

    Raises:
        ValueError: PyPI does not allow the name.
    """
    if isinstance(name, str) and len(name) <= LONGEST_NAME and name.isascii():
        with contextlib.suppress(InvalidName):
            return canonicalize_name(name, validate=True)
    raise ValueError(
        "expected a name that PyPI allows: letters, digits, '.', '_' and '-' between them"
    )


def is_normalised(name: object) -> bool:
    """Whether PyPI allows the name and PEP 503 spells it so."""
    return is_series_name(name) and not str(name).startswith(GROUP)


def is_series_name(name: object) -> bool:
    """Whether it is the normalised name of a package, or that of a group."""
    return isinstance(name, str) and is_label_of(name, name)


def is_label_of(label: str, name: str) -> bool:
    """Whether a label is a spelling of the name of a package or a group."""
    try:
        return Package.parse(label).name == name
    except ValueError:
        return False


def counted(packages: int, groups: int = 0) -> str:
    """How many packages and groups, such as "2 packages and 1 group"; groups only if any."""
    told = []
    if packages or not groups:
        told.append(f"{packages:,} package{'' if packages == 1 else 's'}")
    if groups:
        told.append(f"{groups:,} group{'' if groups == 1 else 's'}")
    return " and ".join(told)


def counted_names(names: Collection[str]) -> str:
    """The same of the names of packages and groups."""
    groups = sum(name.startswith(GROUP) for name in names)
    return counted(len(names) - groups, groups)


def _on_pypi(text: object) -> Package:
    """A package, and no group.

    Raises:
        ValueError: PyPI does not allow the name.
    """
    return Package(normalise(text), str(text))


Packages = tuple[Annotated[Package, BeforeValidator(_on_pypi)], ...]


class Event(BaseModel):
    """A known event that changed the counts of every package."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: dt.date = Field(description="a date such as 2026-08-24, without quotes", strict=True)
    until: dt.date | None = Field(
        default=None, description="a date, not before `date`, without quotes", strict=True
    )
    kind: Literal["definition", "outage"] = Field(description='"definition" or "outage"')
    note: Annotated[StrictStr, Field(min_length=1, max_length=120)] = Field(
        description="a sentence of 1 to 120 characters"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Event:
        if self.until is not None and self.until < self.date:
            raise ValueError("`until` lies before `date`")
        if (self.last - self.date).days >= LONGEST_EVENT:
            raise ValueError(f"an event has at most {LONGEST_EVENT} days")
        return self

    @property
    def last(self) -> dt.date:
        """The last day of the event."""
        return self.until or self.date


class Group(BaseModel):
    """Several packages whose sum is a series of its own, called ``@name``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[StrictStr, Field(max_length=LONGEST_NAME - 1), AfterValidator(normalise)] = (
        Field(
            description=f"up to {LONGEST_NAME - 1} letters and digits, and '.', '_', '-', but no @"
        )
    )
    title: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_TITLE)] = Field(
        description=f"what the group is called, in one line of 1 to {LONGEST_TITLE} characters"
    )
    packages: Packages = Field(
        min_length=2,
        max_length=MOST_PARTS,
        description=f"2 to {MOST_PARTS:,} names of packages on PyPI, each once",
    )

    @field_validator("title")
    @classmethod
    def _one_line_of_text(cls, title: str) -> str:
        if not (title.isprintable() and title.strip()):
            raise ValueError("not in one line of text")
        return title

    @field_validator("packages")
    @classmethod
    def _each_package_once(cls, packages: tuple[Package, ...]) -> tuple[Package, ...]:
        return _each_once(packages)

    @property
    def package(self) -> Package:
        """The group as it is named where a package can be."""
        return Package(GROUP + self.name, GROUP + self.name, self.title)


def _each_once(packages: tuple[Package, ...]) -> tuple[Package, ...]:
    duplicate = _first_duplicate(package.name for package in packages)
    if duplicate is not None:
        raise ValueError(f"{duplicate!r} appears twice")
    return packages


def _name(pattern: str, allowed: str, default: Any = ...) -> Any:
    return Field(default=default, pattern=pattern, description=allowed)


class Config(BaseModel):
    """The settings that both programs share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    packages: Packages = Field(
        min_length=1, description="one or more names of packages on PyPI, each once"
    )
    username: StrictStr = _name(
        r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$", "the name of a GitHub user or organisation"
    )
    repo_name: StrictStr = _name(r"^[A-Za-z0-9._-]{1,100}$", "the name of a GitHub repository")
    forecast_days: StrictInt = Field(
        ge=1, le=LONGEST_HORIZON, description=f"a whole number from 1 to {LONGEST_HORIZON}"
    )
    m_values: tuple[Annotated[StrictInt, Field(ge=1, le=31)], ...] = Field(
        min_length=1,
        max_length=8,
        description="one to eight season lengths in days, each a whole number from 1 to 31, once",
    )
    source: Literal["pypistats", "clickhouse"] = Field(
        default="pypistats",
        description='"pypistats", or "clickhouse" for thousands of packages',
    )
    mirrors: StrictBool = Field(default=True, description="true or false")
    artifact_name: StrictStr = _name(
        r"^[A-Za-z0-9._-]{1,100}$", "the name of a workflow artifact", "models"
    )
    default_branch: StrictStr = _name(
        r"^[A-Za-z0-9._/-]{1,200}$", "the name of the branch that the workflow runs on", "main"
    )
    workflow_file: StrictStr = _name(
        r"^[A-Za-z0-9._-]{1,100}\.ya?ml$",
        "the file name of a workflow in .github/workflows",
        "upload_artifact.yml",
    )
    repository_id: Annotated[StrictInt, Field(ge=1)] | None = Field(
        default=None, description="the number that GitHub's API gives as the repository's `id`"
    )
    owner_id: Annotated[StrictInt, Field(ge=1)] | None = Field(
        default=None, description="the number that GitHub's API gives as its owner's `id`"
    )
    site: StrictStr = _name(
        r"^https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~-]+)*/$",
        "the address of the published site, https://…, with a slash at its end",
        "",
    )
    verify_attestation: StrictBool = Field(default=False, description="true or false")
    events: tuple[Event, ...] = Field(
        default=(),
        max_length=1_000,
        description="at most 1,000 tables with date, kind, note and perhaps until",
    )
    groups: tuple[Group, ...] = Field(
        default=(),
        max_length=MOST_GROUPS,
        description=f"up to {MOST_GROUPS} [[groups]] tables with name, title and packages, "
        "each name once",
    )

    @field_validator("packages")
    @classmethod
    def _each_package_once(cls, packages: tuple[Package, ...]) -> tuple[Package, ...]:
        return _each_once(packages)

    @field_validator("groups")
    @classmethod
    def _each_group_once(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        _each_once(tuple(group.package for group in groups))
        return groups

    @field_validator("repo_name", "artifact_name", "default_branch")
    @classmethod
    def _no_step_of_a_path(cls, name: str) -> str:
        if {"", ".", ".."} & set(name.split("/")):  # an address would lead elsewhere
            raise ValueError("a part of it is empty, '.' or '..'")
        return name

    @field_validator("m_values")
    @classmethod
    def _each_m_once(cls, m_values: tuple[int, ...]) -> tuple[int, ...]:
        duplicate = _first_duplicate(m_values)
        if duplicate is not None:
            raise ValueError(f"{duplicate} appears twice")
        return m_values

    @property
    def everything(self) -> tuple[Package, ...]:
        """The packages, then the groups."""
        return (*self.packages, *(group.package for group in self.groups))

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The names of the packages of each group."""
        return {
            group.package.name: tuple(part.name for part in group.packages) for group in self.groups
        }

    def chosen(self, packages: tuple[Package, ...]) -> tuple[Package, ...]:
        """What was named on the command line, groups with their titles; everything for nothing.

        Raises:
            ConfigError: there is no such group.
        """
        groups = {group.package.name: group.package for group in self.groups}
        for package in packages:
            if package.is_group and package.name not in groups:
                known = ", ".join(groups) or "no groups"
                raise ConfigError(
                    f"package {_quoted(package.label)}: is no group of the config; it has {known}"
                )
        return tuple(groups.get(each.name, each) for each in packages) or self.everything

    def group_meant(self, package: Package, published: Collection[str] = ()) -> str:
        """What to tell where a group alone has the name of a package asked for; else empty.

        Args:
            package: as it was asked for.
            published: names that have a model, in the config or not.
        """
        known = {each.name for each in self.everything}
        group = GROUP + package.name
        if package.name in known or group not in known.union(published):
            return ""
        return (
            f"{package.label} is taken as the package on PyPI; for the group of that name ask for "
            f"{group}"
        )

    @property
    def repository_url(self) -> str:
        """The repository's page, which the User-Agent names."""
        return f"https://github.com/{self.username}/{self.repo_name}"

    @property
    def site_url(self) -> str:
        """The site's address, or else the one that GitHub Pages gives to the repository."""
        host = f"{self.username}.github.io".lower()
        path = "" if self.repo_name.lower() == host else f"{self.repo_name}/"
        return self.site or f"https://{host}/{path}"

    @property
    def redefined(self) -> tuple[dt.date, ...]:
        """The days from which on something else is counted, ascending."""
        return tuple(sorted(event.date for event in self.events if event.kind == "definition"))

    @property
    def outages(self) -> frozenset[dt.date]:
        """Every day of every event of the kind "outage"."""
        return frozenset(
            event.date.fromordinal(day)
            for event in self.events
            if event.kind == "outage"
            for day in range(event.date.toordinal(), event.last.toordinal() + 1)
        )


def decode(data: bytes) -> str:
    r"""The text of a file in UTF-8, or in UTF-16 with its mark; with ``\n`` line ends.

    Raises:
        ValueError: it is in neither; the message says on which line.
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    try:
        text = data[len(mark) :].decode(_MARKS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, len(mark) + error.start) + 1
        raise ValueError(f"line {line}: is not text in UTF-8: save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def load_config(path: Path) -> Config:
    """Read a Config from a TOML file.

    Raises:
        ConfigError: the message is one line with file, key, value and what is allowed.
    """
    try:
        document = tomli.loads(decode(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # not UTF-8, or not TOML
        twice = _TWICE if str(error).startswith("Cannot ") else ""
        raise ConfigError(f"{path}: is not TOML: {_one_line(error)}{twice}") from None
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        # A mistyped key gives two errors, unknown and missing: the first says more.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        raise ConfigError(f"{path}: {_explain(first)}") from None


def parse_packages(names: Iterable[str]) -> tuple[Package, ...]:
    """Packages named on the command line; of equal names the first is kept.

    Raises:
        ConfigError: PyPI does not allow a name.
    """
    packages: dict[str, Package] = {}
    for text in names:
        try:
            package = Package.parse(text)
        except ValueError as error:
            raise ConfigError(f"package {_quoted(text)}: {error}") from None
        packages.setdefault(package.name, package)
    return tuple(packages.values())


def _explain(error: ErrorDetails) -> str:
    """One line: the key, its value, what is allowed and what is wrong."""
    location = error["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)[1:]
    if error["type"] == "extra_forbidden":
        table = location[0]
        if len(location) > 1 and location[-1] in Config.model_fields:
            return (
                f"{key}: stands in a table [[{table}]], as does every key after the line "
                f"[[{table}]]; move {location[-1]} above the first [[{table}]]"
            )
        fields = _fields(location)
        return f"{key}: unknown key; expected one of {', '.join(fields)}"
    allowed = _allowed(location)
    if error["type"] == "missing":
        return f"{key}: is missing; expected {allowed}"
    wrong = f" ({error['ctx']['error']})" if error["type"] == "value_error" else ""
    return f"{key} = {_quoted(error['input'])}: expected {allowed}{wrong}"


def _fields(location: tuple[int | str, ...]) -> dict[str, FieldInfo]:
    """The keys of the table that a place is in."""
    tables: dict[int | str, type[BaseModel]] = {"events": Event, "groups": Group}
    table = tables.get(location[0], Config) if len(location) > 2 else Config  # noqa: PLR2004
    return table.model_fields


def _allowed(location: tuple[int | str, ...]) -> str:
    """The description of the field at ``location``."""
    names = [part for part in location if isinstance(part, str)]
    fields = _fields(location)
    field = fields.get(names[-1]) if names else None
    return (field.description if field else None) or "what the README says"


def _quoted(value: object) -> str:
    text = _one_line(json.dumps(value, default=str, ensure_ascii=False))
    return text if len(text) <= LONGEST_QUOTATION else text[: LONGEST_QUOTATION - 1] + "…"


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def _first_duplicate(values: Iterable[T]) -> T | None:
    seen: set[T] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
