"""A visitor's view, and the query string that opens it again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlencode

from forecast.bundle.themes import THEMES
from forecast.config import Package
from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forecast.bundle.themes import Theme

Scale = Literal["absolute", "log", "indexed"]
Mode = Literal["daily", "mean", "weekly", "monthly"]

MOST_READ = 20  # names to compare with that are read from a query; the rest is ignored
MOST_COMPARED = 5  # packages on one chart, the first included
RECORD = "?view=record"  # shows how good the forecasts of all packages were
THEME = "__theme"  # of an address, as gradio calls it
ALL = 0  # the range that shows every day
RANGES = (30, 60, 90, 180, ALL)
LONGEST_READ = 500  # characters in which a name is looked for
LONGEST_KEPT = 200  # characters of a text that is no name, in an address
# A name in an address of a package's page, and in a requirement or a command that installs it.
ADDRESS = re.compile(r"/(?:project|packages)/([^/?#\s]+)")
COMMAND = re.compile(r"(?:\S+ -m )?(?:uv )?(?:pip3?|pipx|uv|poetry|pdm) (?:install|add) (?:-\S+ )*")
PIN = re.compile(r"([\w.-]+)\s*(?:\[[\w\s,.-]*\])?\s*(?:[<>=!~;@(].*)?", re.ASCII)
SCALES: tuple[Scale, ...] = get_args(Scale)
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True)
class View:
    """One state of the page.

    Attributes:
        packages: with the spelling of the visitor, the main one first; empty if none is chosen.
        scale: of the vertical axis.
        days: days of history shown, ``ALL`` for every day.
        mode: what is drawn: days, their 7-day mean, or totals of weeks or months.
        typed: what was asked for where that cannot be a name; None if nothing was.
        refused: what was to be compared and cannot be a name either.
        ignored: what else of an address was not followed, in sentences; not part of the state.
    """

    packages: tuple[Package, ...] = ()
    scale: Scale = "absolute"
    days: int = 90
    mode: Mode = "mean"
    typed: str | None = None
    refused: tuple[str, ...] = ()
    ignored: tuple[str, ...] = field(default=(), compare=False)

    @property
    def query(self) -> str:
        """The query string of this view, with its question mark; empty for the default view."""
        fields: dict[str, str] = {}
        if self.packages:
            fields["package"] = self.packages[0].label
        elif self.typed is not None:
            fields["package"] = self.typed[:LONGEST_KEPT]
        if len(self.packages) > 1:
            fields["compare"] = ",".join(package.label for package in self.packages[1:])
        default = View()
        if self.scale != default.scale:
            fields["scale"] = self.scale
        if self.days != default.days:
            fields["range"] = "all" if self.days == ALL else str(self.days)
        if self.mode != default.mode:
            fields["mode"] = self.mode
        return "?" + urlencode(fields, safe=",@") if fields else ""


def address_of(name: str, view: View | None = None, theme: str = "") -> str:
    """The query string of a package's view.

    Args:
        name: of the package.
        view: whose range, scale and mode are kept; without one they are the default ones.
        theme: see :func:`with_theme`.
    """
    package = Package(name, name)
    return with_theme(replace(view or View(), packages=(package,)).query, theme)


def record_address(view: View, theme: str = "") -> str:
    """The query string of the record, from which a link leads back to the view.

    Args:
        view: where the reader is.
        theme: see :func:`with_theme`.
    """
    return with_theme(RECORD + view.query.replace("?", "&", 1), theme)


def with_theme(query: str, theme: str) -> str:
    """A query string, which keeps the theme of the page's own address if that has one.

    The theme is no part of a view: a link that is shared leaves it to the reader.
    """
    return f"{query}{'&' if query else '?'}{THEME}={theme}" if theme else query


def theme_of(query: Mapping[str, str]) -> Theme | Literal[""]:
    """The theme that an address asks for; empty for the reader's own setting."""
    return THEMES.get(query.get(THEME, ""), "")


def usual_fields() -> dict[str, str | int]:
    """The fields of a query that the default view leaves out, in the order of the controls."""
    usual = View()
    return {"range": usual.days, "scale": usual.scale, "mode": usual.mode}


def parse_view(query: Mapping[str, str]) -> View:
    """The view of a query string; an unknown value leaves the default, and is told."""
    view = chosen(query.get("package"), query.get("compare", "").split(","))
    scales: dict[str, Scale] = {scale: scale for scale in SCALES}
    ranges = {"all" if days == ALL else str(days): days for days in RANGES}
    modes: dict[str, Mode] = {mode: mode for mode in MODES}
    usual: Mode = "daily" if query.get("smooth") == "0" else view.mode  # as links of 1.1 say it
    allowed: Mapping[str, Iterable[str]] = {"scale": scales, "range": ranges, "mode": modes}
    found = {name: query.get(name, "").strip() for name in allowed}
    unknown = tuple(
        wording.no_choice(name, value, allowed[name])
        for name, value in found.items()
        if value and value not in allowed[name]
    )
    return replace(
        view,
        scale=scales.get(found["scale"], view.scale),
        days=ranges.get(found["range"], view.days),
        mode=modes.get(found["mode"], usual),
        ignored=view.ignored + unknown,
    )


def chosen(package: str | None, others: Iterable[str]) -> View:
    """The default view of these packages, with what cannot be a name."""
    asked = [other for other in others if other.strip()]
    others = asked[:MOST_READ]
    packages = choose(package, others)
    if not packages:
        return View(typed=package)
    found = {other: _package(other) for other in others}
    refused = tuple(other for other in others if found[other] is None)
    names = {package.name for package in packages}
    left_out = {each.name: each.label for each in found.values() if each and each.name not in names}
    labels, more = list(left_out.values()), len(asked) - len(others)
    ignored = (wording.too_many(labels, MOST_COMPARED, more),) if labels or more else ()
    return View(packages, refused=refused, ignored=ignored)


def choose(package: str | None, others: Iterable[str]) -> tuple[Package, ...]:
    """The packages with these names, without duplicates and without invalid names.

    If the first name is invalid, there are no packages at all: another one must not take
    its place.
    """
    first = _package(package or "")
    if first is None:
        return ()
    chosen = {first.name: first}
    for other in map(_package, islice(others, MOST_READ)):
        if other is not None and len(chosen) < MOST_COMPARED:
            chosen.setdefault(other.name, other)
    return tuple(chosen.values())


def _package(text: str) -> Package | None:
    try:
        return Package.parse(typed_name(text))
    except ValueError:
        return None


def typed_name(text: str) -> str:
    """The name in what was typed or pasted: an address, a requirement or a command."""
    text = text.strip(" \t\r\n'\"`")
    if len(text) > LONGEST_READ:
        return text
    address = ADDRESS.search(text)
    if address:
        return address[1]
    pin = PIN.fullmatch(COMMAND.sub("", " ".join(text.split()), count=1))
    return pin[1] if pin else text
