"""Reads an answer of PyPI Stats, and checks it before it is used."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecast.config import normalise
from forecast.errors import DownloadsError
from forecast.known import complete
from forecast.quantities import LARGEST_COUNT
from forecast.sources.retry import TransientError
from forecast.text import excerpt

# The server keeps 181 days. A row years away from the others would need years of estimates.
_LONGEST_SPAN = timedelta(days=5 * 366)


class _Row(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    category: str
    day: Annotated[str, Field(alias="date", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    downloads: Annotated[int, Field(ge=0, le=LARGEST_COUNT)]


class _Counts(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    data: list[_Row]
    package: str
    type: Literal["overall_downloads"]


def read_answer(
    body: bytes, name: str, *, mirrors: bool, today: date | None = None
) -> pd.Series[int]:
    """The series in an answer to ``/packages/<name>/overall``, without today, which is not over.

    Raises:
        DownloadsError: The answer is not what PyPI Stats documents.
    """
    try:
        answer = _Counts.model_validate_json(body)
    except ValidationError as error:
        raise _malformed(body, name, error) from None
    if not _same_package(answer.package, name):
        raise _wrong(name, "the package", excerpt(name), excerpt(answer.package))
    if not answer.data:
        raise _wrong(name, "a row for each day", "one at least", "none")
    category = "with_mirrors" if mirrors else "without_mirrors"
    counts: dict[date, int] = {}
    for row in answer.data:
        if row.category != category:
            raise _wrong(name, "the category", category, excerpt(row.category))
        day = _day(row.day, name)
        if day in counts:
            raise _wrong(name, "each day once", "no day again", row.day)
        counts[day] = row.downloads
    _check_days(min(counts), max(counts), name, today)
    days = sorted(counts)
    index = pd.DatetimeIndex([day.isoformat() for day in days], name="date")
    series = pd.Series([counts[day] for day in days], index=index, dtype="int64", name="downloads")
    if today is not None:
        series = complete(series, today)
    if series.empty:
        raise _wrong(name, "a day that is over", f"one before {today}", str(days[0]))
    return series


def _same_package(one: str, other: str) -> bool:
    try:
        return normalise(one) == normalise(other)
    except ValueError:
        return False


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong(name, "dates", "YYYY-MM-DD", excerpt(text)) from None


def _check_days(first: date, last: date, name: str, today: date | None) -> None:
    if last - first > _LONGEST_SPAN:
        raise _wrong(name, "days", "some six months in a row", f"{first} to {last}")
    # One day of tolerance: the two clocks may be on either side of midnight.
    if today is not None and (last - today).days > 1:
        raise _wrong(name, "days", f"none after {today}", str(last))


def _wrong(name: str, what: str, expected: str, came: str) -> DownloadsError:
    return DownloadsError(
        f"PyPI Stats' answer for {excerpt(name)} is not usable: expected {what} ({expected}), "
        f"got {came}. Try again later; if it stays so, its API has changed."
    )


def _malformed(body: bytes, name: str, error: ValidationError) -> DownloadsError:
    """Pydantic's first error and its place; for invalid JSON a retry may help."""
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return TransientError(
            f"PyPI Stats was asked for {excerpt(name)} and should have answered with JSON, but "
            f"sent {excerpt(body)} ({len(body)} bytes)."
        )
    place = ".".join(str(step) for step in first["loc"]) or "the whole"
    came = "nothing" if first["type"] == "missing" else excerpt(repr(first["input"])[:200])
    return _wrong(name, excerpt(place), excerpt(first["msg"]), came)
