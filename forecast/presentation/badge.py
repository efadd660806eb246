"""What a badge says of a package, for our own picture and for shields.io."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from forecast.presentation.wording import downloads

if TYPE_CHECKING:
    import datetime as dt

    from forecast.bands import Total

UNITS = ["", "K", "M", "B", "T"]
BLUE, GREY = "#0a58ca", "#6e7781"
CACHE_SECONDS = 3600  # a bundle is made once a week


class ShieldsBadge(TypedDict):
    """The JSON of shields.io's endpoint badge, which refuses any other key."""

    schemaVersion: Literal[1]
    label: str
    message: str
    color: str
    cacheSeconds: int


def badge_texts(total: Total, days: int, stopped: dt.date | None = None) -> tuple[str, str]:
    """The two halves of a badge.

    Args:
        total: downloads expected in the next days.
        days: how many days.
        stopped: the last day with a download, if they stopped.
    """
    if stopped:
        return "downloads", f"no counts since {stopped}"
    return f"next {days} days", downloads(compact(total.mean))


def shields_badge(total: Total, days: int, stopped: dt.date | None = None) -> ShieldsBadge:
    """The same for shields.io; its URL may override label and colours."""
    label, message = badge_texts(total, days, stopped)
    return ShieldsBadge(
        schemaVersion=1,
        label=label,
        message=message,
        color=GREY if stopped else BLUE,
        cacheSeconds=CACHE_SECONDS,
    )


def compact(number: float, *, exact: bool = False) -> str:
    """A count in two or three figures: 987, 1.2K, 34K, 560M; a round one exactly: 0.5, 250K."""
    power = 0
    while number >= 999.5 and power < len(UNITS) - 1:  # noqa: PLR2004 - 999.6 is 1.0K
        number, power = number / 1000, power + 1
    if exact:
        return f"{number:.3g}{UNITS[power]}"
    figures = 1 if power and number < 9.95 else 0  # noqa: PLR2004 - 1.2K but 12K
    return f"{number:.{figures}f}{UNITS[power]}"
