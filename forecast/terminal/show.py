"""A forecast as text for a terminal, or as Markdown."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from forecast.presentation import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forecast.config import Event
    from forecast.presentation.package_forecast import PackageForecast
    from forecast.terminal.find import Found

HEAD = ("week", "expected", "80 % band", "95 % band")


class Style(enum.Enum):
    """How a table is written."""

    TEXT = "text"
    MARKDOWN = "markdown"


def shown(found: Found, events: Iterable[Event], style: Style) -> str:
    """The sentence, the warnings, a row for each week, the accuracy, and where it comes from.

    Raises:
        BundleError: the model cannot be loaded.
    """
    forecast = found.forecast
    headline = wording.headline(forecast, events)
    blocks = [
        f"**{headline}**" if style is Style.MARKDOWN else headline,
        *filter(None, [wording.parts(forecast), "\n".join(found.warnings)]),
        _table(_rows(forecast), style),
        "\n".join(filter(None, [*wording.accuracy(forecast), wording.track_record(forecast)])),
        f"From {found.origin}. Counted through {wording.format_date(forecast.observed_through)}.",
    ]
    return "\n\n".join(block.replace("\N{NO-BREAK SPACE}", " ") for block in blocks) + "\n"


def _rows(forecast: PackageForecast) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [HEAD]
    for span in forecast.weeks:
        days = f"{span.first:%Y-%m-%d} to {span.last:%m-%d}"
        rows.append((days, *wording.format_total(span.total)))
    return rows


def _table(rows: Sequence[tuple[str, ...]], style: Style) -> str:
    if style is Style.MARKDOWN:
        head, *body = rows
        lines = [head, ("---", *["---:"] * (len(head) - 1)), *body]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
