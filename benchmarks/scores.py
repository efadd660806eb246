"""What the table says: errors, bands and seconds of a method over its windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.bands import Bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.windows import Window
    from forecast.quantities import Array


MISS = 2.0 / (1.0 - 0.80)  # an interval score's price of a unit outside an 80 % band
TINY = 1e-6  # a MASE of nought, which has no logarithm
MEASURES = (
    "MASE / naive's, by source",
    "the same, all windows",
    "MASE",
    "in 80 %",
    "in 95 %",
    "interval score",
)  # headings, in the order of a Summary's figures


@dataclass(frozen=True)
class Run:
    """One method on one window.

    Attributes:
        mase: mean absolute error in units of the window's scale.
        inside_80: share of days within the 80 % band; likewise for 95 %.
        interval: interval score of the 80 % band in units of the window's scale
            (Gneiting and Raftery 2007): its width, and what lies outside ten times.
        seconds: CPU seconds.
        failed: whether the method raised, and last week stood in.
    """

    mase: float
    inside_80: float
    inside_95: float
    interval: float
    seconds: float
    failed: bool


@dataclass(frozen=True)
class Summary:
    """One method over many windows; a row of the table.

    Attributes:
        windows: how many.
        ratio: geometric mean of MASE over the seasonal naive's, by source, and the
            geometric mean of those.
        pooled_ratio: the same over all windows alike.
        mase: mean.
        coverage_80: mean share of days within; likewise for 95 %.
        interval: mean scaled interval score of the 80 % band.
        seconds: median CPU seconds a package.
        failures: windows on which the method raised.
    """

    windows: int
    ratio: float
    pooled_ratio: float
    mase: float
    coverage_80: float
    coverage_95: float
    interval: float
    seconds: float
    failures: int


def measure(window: Window, made: Array, seconds: float, *, failed: bool) -> Run:
    """Compare a forecast (5, days), in the order of ``BAND_COLUMNS``, with the known days."""
    known = ~np.isnan(window.actual)
    actual = window.actual[known]
    bands = Bands(*np.maximum(made[:, known], 0.0))
    outside = np.maximum(bands.lower_80 - actual, 0.0) + np.maximum(actual - bands.upper_80, 0.0)
    return Run(
        mase=float(np.mean(np.abs(bands.mean - actual))) / window.scale,
        inside_80=float(np.mean((bands.lower_80 <= actual) & (actual <= bands.upper_80))),
        inside_95=float(np.mean((bands.lower_95 <= actual) & (actual <= bands.upper_95))),
        interval=float(np.mean(bands.upper_80 - bands.lower_80 + MISS * outside)) / window.scale,
        seconds=seconds,
        failed=failed,
    )


def summarise(windows: Sequence[Window], runs: Sequence[Run], naive: Sequence[Run]) -> Summary:
    """Sum up a method; `naive` are the seasonal naive's runs on the same windows."""
    ratios = np.log(
        [max(run.mase, TINY) / max(each.mase, TINY) for run, each in zip(runs, naive, strict=True)]
    )
    sources = np.array([window.source for window in windows])
    by_source = [float(ratios[sources == source].mean()) for source in np.unique(sources)]
    return Summary(
        windows=len(windows),
        ratio=float(np.exp(np.mean(by_source))),
        pooled_ratio=float(np.exp(ratios.mean())),
        mase=float(np.mean([run.mase for run in runs])),
        coverage_80=float(np.mean([run.inside_80 for run in runs])),
        coverage_95=float(np.mean([run.inside_95 for run in runs])),
        interval=float(np.mean([run.interval for run in runs])),
        seconds=float(np.median([run.seconds for run in runs])),
        failures=sum(run.failed for run in runs),
    )
