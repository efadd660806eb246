"""Generated counts, for trials without a network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.sources.source import OneByOne

if TYPE_CHECKING:
    import datetime as dt

    from forecast.bundle.manifest import Kind

SAMPLE_DAYS = 181  # as many as PyPI Stats keeps


@dataclass(frozen=True)
class Sample(OneByOne):
    """Generated series that look like downloads; each name has its own, which ends yesterday."""

    today: dt.date
    kind: Kind = "sample"

    def daily(self, name: str) -> pd.Series[int]:
        """181 counts; the name is the seed of their size, trend, weekly pattern and noise."""
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        random = np.random.default_rng(seed)
        day = np.arange(SAMPLE_DAYS)
        size = random.uniform(np.log(300.0), np.log(3e6))
        growth = random.normal(0.0, 0.0015) * (day - SAMPLE_DAYS)
        weekend = np.where(day % 7 >= 5, -random.uniform(0.15, 0.7), 0.0)  # noqa: PLR2004 - of seven
        wandering = np.cumsum(random.normal(0.0, 0.008, SAMPLE_DAYS))
        noise = random.normal(0.0, random.uniform(0.03, 0.1), SAMPLE_DAYS)
        counts = np.exp(size + growth + weekend + wandering - wandering[-1] + noise)
        days = pd.date_range(end=pd.Timestamp(self.today), periods=SAMPLE_DAYS + 1)[:-1]
        return pd.Series(np.rint(counts).astype("int64"), index=days, name="downloads")
