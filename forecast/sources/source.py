"""The interface of a source of counts, and the base of sources with one request per package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from forecast.errors import DownloadsError
from forecast.sources.retry import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from forecast.bundle.manifest import Kind

MAX_FAILURES_IN_A_ROW = 3

CountsOrError: TypeAlias = "pd.Series[int] | DownloadsError"


class Source(Protocol):
    """Download counts of many packages."""

    @property
    def kind(self) -> Kind:
        """The source's name in the manifest."""

    def fetch(self, names: Sequence[str]) -> Iterator[tuple[str, CountsOrError]]:
        """Yield each package once, in any order, with its counts or why there are none.

        Counts are int64 by ascending day; a day without a count is left out.

        Args:
            names: normalised package names.
        """


class OneByOne:
    """A source with one request per package."""

    def daily(self, name: str) -> pd.Series[int]:
        """Counts of a package, int64 by ascending day.

        Raises:
            DownloadsError: there are no usable counts.
        """
        raise NotImplementedError

    def fetch(self, names: Sequence[str]) -> Iterator[tuple[str, CountsOrError]]:
        """See :class:`Source`.

        After three packages in a row that were asked for again and again in vain, no further one
        is requested: each may have taken many minutes. An answer that is wrong costs its own
        package alone.
        """
        failures = 0
        for name in names:
            if failures >= MAX_FAILURES_IN_A_ROW:
                yield name, DownloadsError("not asked for: the source failed too often before")
                continue
            try:
                outcome: CountsOrError = self.daily(name)
                failures = 0
            except UnavailableError as error:
                outcome = error
                failures += 1
            except DownloadsError as error:
                outcome = error
                failures = 0
            yield name, outcome
