"""The output of a run: progress, warnings and errors, on a terminal or on GitHub."""

from __future__ import annotations

import errno
import logging
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from forecast.text import clean
from trainer.reports.summary import (
    annotation,
    escaped,
    markdown,
    plain,
    remarks,
    staleness,
    warnings_of,
)
from trainer.reports.unusual import unusual_weeks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from forecast.bundle.manifest import Manifest
    from forecast.record.weeks import LastWeek

T = TypeVar("T")

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no room, or no more of it is allowed

log = logging.getLogger("trainer")


@dataclass(frozen=True)
class Console:
    """Logs to standard error; on GitHub Actions it adds workflow commands on standard output.

    Attributes:
        on_actions: whether this is a step of a workflow.
        on_terminal: whether a progress bar can be drawn.
        summary: the file of the job summary; None if there is none.
    """

    on_actions: bool
    on_terminal: bool
    summary: Path | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Console:
        """Read GitHub's variables, and whether standard error is a terminal."""
        on_actions = environment.get("GITHUB_ACTIONS") == "true"
        summary = environment.get("GITHUB_STEP_SUMMARY") if on_actions else None
        on_terminal = sys.stderr.isatty() and not on_actions
        return cls(on_actions, on_terminal, Path(summary) if summary else None)

    def warn(self, message: str, *, in_summary: bool = False) -> None:
        """Show a warning, in one line; in the job summary too, if that is asked for."""
        self._show("warning", message)
        if in_summary and self.summary:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(f"> **Warning:** {escaped(message)}\n\n")

    def error(self, message: str) -> None:
        """Show an error, in one line."""
        self._show("error", message)

    def progress(
        self, what: str, things: Iterable[T], most: int, line: Callable[[T], str], unit: str
    ) -> Iterator[T]:
        """Yield the things and show a progress bar on a terminal, else up to a hundred lines.

        Args:
            what: the activity.
            things: what the activity has done.
            most: how many there can be.
            line: what to log of a thing.
            unit: what they are called.
        """
        if self.on_terminal:
            yield from tqdm(things, what, most, unit=f" {unit}")
            return
        step = max(most // 100, 1)
        for number, thing in enumerate(things, 1):
            if number % step == 0:
                done = f"{what} {number} of {most}: " if step > 1 else ""
                log.info("%s%s", done, clean(line(thing)))
            yield thing

    def report(self, manifest: Manifest) -> None:
        """Show the result of each package."""
        if table := plain(manifest):
            log.info("\n%s\n", table)
        for entry in manifest.packages.values():
            if entry.status != "trained":
                log.warning("%s", clean(f"{entry.shown}: {entry.reason}"))
            for remark in remarks(entry):
                log.warning("%s", clean(f"{entry.shown}: {remark}"))
        if stale := staleness(manifest):
            self.error(stale)
        if self.on_actions:
            for text in warnings_of(manifest):
                _command(text)
        if self.summary:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(markdown(manifest))

    def report_weeks(self, last: LastWeek, manifest: Manifest) -> None:
        """Add the packages whose last week was unusual to the job summary."""
        if self.summary:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(unusual_weeks(last, manifest))

    def _show(self, level: str, message: str) -> None:
        if self.on_actions:
            _command(annotation(level, message))
        else:
            log.log(logging.ERROR if level == "error" else logging.WARNING, "%s", clean(message))


def told(error: Exception) -> str:
    """The message of an error; what a disk refused does not say what to do itself."""
    full = isinstance(error, OSError) and (error.filename or error.errno in FULL)
    if full or isinstance(error, sqlite3.Error):
        return (
            f"{error}: expected room on the disk, and folders for the bundle, for the run (beside "
            "it, or --work) and for the site that can be written; make room, or name other folders"
        )
    return str(error)


def _command(text: str) -> None:
    print(text)  # noqa: T201 - GitHub reads workflow commands from standard output
