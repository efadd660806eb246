"""The constants that are learned from thousands of packages: one readable file, read once.

`constants.json` is written by ``make constants`` (`benchmarks/pooled/constants.py`), which says
of each block from which days and packages it was learned.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).with_name("constants.json")


@dataclass(frozen=True)
class Constants:
    """What is pooled.

    Attributes:
        profile: the weekday pattern of all packages, Monday first; length 1, mean 0.
        days_off: the share of the weekend gap that each column of `days_off.COLUMNS`
            takes, by its name.
        days: log-linear quantiles of a day's error: by quantile, the coefficient of each
            feature of `quantiles`.
        sums: the same for sums of days, where both tails share them.
        search_weight: weight of the searched ARIMA in the mean. Measured alone, 0.1 costs
            0.0009 (standard error 0.0007) of the error over the seasonal naive's, so the
            strict choice is 0. It is 0.1 so that the configured m has an effect on the forecast.
        record: how far a package's own record is believed, see `forecast.search.backtest`.
    """

    profile: tuple[float, ...]
    days_off: Mapping[str, float]
    days: Mapping[str, Mapping[str, float]]
    sums: Mapping[str, Mapping[str, float]]
    search_weight: float
    record: Mapping[str, float]

    @classmethod
    def from_json(cls, text: str) -> Constants:
        """Read what `benchmarks/constants.py` wrote."""
        read: dict[str, Any] = json.loads(text)
        return cls(
            profile=tuple(read["profile"]),
            days_off=read["days_off"],
            days=read["days"],
            sums=read["sums"],
            search_weight=float(read["search_weight"]),
            record=read["record"],
        )


@cache
def constants() -> Constants:
    """The constants that this version ships."""
    return Constants.from_json(FILE.read_text(encoding="utf-8"))
