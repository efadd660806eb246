"""Reports of a run: a table for people, annotations for GitHub Actions."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from forecast.bundle.manifest import PUBLIC, Backtest
from forecast.config import GROUP, counted, counted_names
from forecast.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forecast.bundle.manifest import Manifest, PackageEntry

NOT_ASKED = "not asked for in this run"  # the reason of a package that is only carried over
NOT_TRAINED = "the part of the run that should have trained it did not end"
MOST_ANNOTATIONS = 10  # GitHub shows so many of each level per step
MOST_MESSAGE = 4_000  # bytes of an annotation
MOST_SECTION = 250_000  # bytes of each of four parts of the summary; GitHub takes 1 MiB
STALE_DAYS = 4  # one day behind is usual, and so are two after a failed night
MOST_ROWS = 2_000
MOST_PARTS = 50  # of a group that are named
HEAD = [
    *("package", "ARIMA orders", "m", "MASE", "seasonal naive", "ratio"),
    *("last day", "repaired", "seconds"),
]
EXPLANATION = (
    "MASE is the mean absolute error of the backtest over that of repeating the last week "
    "within the training days; the ratio compares it with the seasonal naive forecast, "
    "and below 1 the model is the better one."
)


def markdown(manifest: Manifest) -> str:
    """The job summary: the packages that were not trained, then a row for each that was."""
    entries = manifest.packages
    status: Counter[str] = Counter(entry.status for entry in entries.values())
    lines = [f"## {_trained(entries)} trained", ""]
    if manifest.source == "sample":
        lines += ["**Sample data: these are no real downloads.**", ""]
    for kind, head in (("failed", "without a model"), ("carried", "with an earlier model")):
        if status[kind]:
            lines += [f"### {status[kind]} {head}", ""]
            listed = (
                f"- **{escaped(each.shown)}**: {escaped(each.reason)}"
                for each in _first_entries(manifest, kind)
            )
            lines += [*_bounded(listed, status[kind]), ""]
    rows = _table([_row(entry) for entry in _first_entries(manifest, "trained")])
    lines += [*rows[:2], *_bounded(rows[2:], status["trained"]), "", EXPLANATION]
    lines += _groups(manifest)
    return "\n".join(lines) + "\n"


def _trained(entries: Mapping[str, PackageEntry]) -> str:
    """How many of the packages are trained, and of the groups if there are any."""
    groups = {name for name in entries if name.startswith(GROUP)}
    trained = {name for name, entry in entries.items() if entry.status == "trained"}
    told = [f"{len(trained - groups)} of {counted(len(entries) - len(groups))}"]
    told += [f"{len(trained & groups)} of {counted_names(groups)}"] if groups else []
    return " and ".join(told)


def _groups(manifest: Manifest) -> list[str]:
    """The groups with their parts; nothing without any."""
    groups = {name: entry for name, entry in manifest.packages.items() if entry.parts}
    listed = [line for name, entry in groups.items() for line in _parts(name, entry)]
    return ["", "### Groups", "", *_bounded(listed, len(listed))] if groups else []


def _parts(name: str, entry: PackageEntry) -> Iterator[str]:
    parts = [part.name for part in entry.parts if not part.missing]
    more = f" and {len(parts) - MOST_PARTS:,} more" if len(parts) > MOST_PARTS else ""
    told = ", ".join(parts[:MOST_PARTS]) + more
    yield f"- **{escaped(entry.shown)}** (`{name}`), the sum of {told}"
    yield from (f"  - {text}" for text in map(escaped, remarks(entry)))


def remarks(entry: PackageEntry) -> list[str]:
    """What must be said of the parts of a group."""
    return [f"{part.name} {part.remark}" for part in entry.parts if part.remark]


def _mended_last(entry: PackageEntry) -> bool:
    """Sorts what the next run mends by itself behind what the owner can mend."""
    return entry.reason.startswith((NOT_TRAINED, NOT_ASKED))


def _bounded(lines: Iterable[str], number: int) -> Iterator[str]:
    """As many of the lines as there is room for; then how many there are."""
    room, shown = MOST_SECTION, 0
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        shown += 1
        yield line
    if shown < number:
        yield ""
        yield f"{shown:,} of {number:,} are shown."


def plain(manifest: Manifest) -> str:
    """The same table for a terminal or a log; empty if there is no model."""
    rows = [HEAD, *(_row(entry) for entry in _first_entries(manifest, "trained", "carried"))]
    if len(rows) == 1:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _first_entries(manifest: Manifest, *statuses: str) -> Iterator[PackageEntry]:
    """The first entries with these statuses, as many as a table may have rows.

    Those that the owner can mend come first.
    """
    found = (entry for entry in manifest.packages.values() if entry.status in statuses)
    return islice(sorted(found, key=_mended_last), MOST_ROWS)


def warnings_of(manifest: Manifest) -> Iterator[str]:
    """Workflow commands: a warning for each package that failed and for sample data.

    What the owner can mend comes first. Packages with the same reason share a warning if there
    would be too many.
    """
    untrained = [
        (name, entry)
        for name, entry in manifest.packages.items()
        if entry.status != "trained" and not entry.reason.startswith(NOT_ASKED)
    ]
    untrained.sort(key=lambda each: _mended_last(each[1]))
    messages = [f"{entry.shown}: {entry.reason}" for _, entry in untrained]
    if len(messages) > MOST_ANNOTATIONS:
        messages = _grouped(untrained)
    messages += [
        f"{entry.shown}: {remark}"
        for entry in manifest.packages.values()
        for remark in remarks(entry)
    ]
    if manifest.source == "sample":
        messages.insert(0, "Trained on sample data: these are no real downloads")
    if len(messages) > MOST_ANNOTATIONS:
        more = len(messages) - MOST_ANNOTATIONS + 1
        messages[MOST_ANNOTATIONS - 1 :] = [f"{more} more reasons: see the job summary"]
    yield from (annotation("warning", message) for message in messages)


def _grouped(entries: Iterable[tuple[str, PackageEntry]]) -> list[str]:
    """A message for each reason, with the packages that it holds for."""
    alike: defaultdict[str, list[PackageEntry]] = defaultdict(list)
    for name, entry in entries:
        alike[re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "…", entry.reason)].append(entry)
    return [
        f"{same[0].shown}: {same[0].reason}"
        if len(same) == 1
        else f"{counted_names([each.label for each in same])}: {reason}: "
        f"{', '.join(each.shown for each in same)}"
        for reason, same in alike.items()
    ]


def staleness(manifest: Manifest) -> str:
    """A sentence about the age of the newest count if it is too old; else empty."""
    days = {
        entry.trained_through
        for entry in manifest.packages.values()
        if entry.status == "trained" and entry.trained_through
    }
    age = (manifest.created_at.date() - max(days)).days if days else 0
    if manifest.source not in PUBLIC or age <= STALE_DAYS:
        return ""
    return (
        f"the newest count of any package is of {max(days)}, {age} days ago: "
        "the source has not been updated"
    )


def annotation(level: str, message: str) -> str:
    """A workflow command that GitHub shows beside the run."""
    escaped = clean(message, MOST_MESSAGE).replace("%", "%25")
    if len(escaped.encode()) > MOST_MESSAGE:
        kept = escaped.encode()[: MOST_MESSAGE - len("…".encode())].decode(errors="ignore")
        escaped = re.sub(r"%[0-9A-F]?\Z", "", kept) + "…"
    return f"::{level}::{escaped}"


def _row(entry: PackageEntry) -> list[str]:
    backtest = entry.backtest or Backtest(origins=0)
    return [
        clean(entry.shown),
        _members(entry),
        str(entry.m),
        _figure(backtest.mase),
        _figure(backtest.naive_mase),
        _figure(backtest.ratio),
        f"no counts since {entry.no_counts_since}"
        if entry.no_counts_since
        else str(entry.trained_through),
        str(len(entry.repaired)),
        f"{entry.seconds:.1f}",
    ]


def _members(entry: PackageEntry) -> str:
    """The ARIMAs that are averaged, with their weights and the thetas of the pooled ones."""
    return " + ".join(
        f"{member.weight:.2f} {member.notation}"
        + ("" if member.theta is None else f" theta {member.theta:g}")
        for member in entry.members
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(rows: list[list[str]]) -> list[str]:
    align = ["---", "---", *["---:"] * (len(HEAD) - 2)]
    body = [[escaped(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (HEAD, align, *body)]


def escaped(text: str) -> str:
    """A clean text, escaped for a cell of a Markdown table."""
    text = clean(text)
    for special in "\\`*_[]<>|":
        text = text.replace(special, f"\\{special}")
    return text
