"""Ask methods for forecasts of many windows, on several processes."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.methods import ROWS, Method, naive
from benchmarks.accuracy.windows import HORIZON, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

Mask = NDArray[np.bool_]

AT_ONCE = 8  # windows handed to a process


@dataclass(frozen=True)
class Made:
    """The forecasts of one method; a row a window.

    Attributes:
        answers: shape (windows, len(ROWS), HORIZON + 1), see `Method`; NaN where not asked.
        seconds: CPU seconds, shape (windows,); NaN where not asked.
        failed: where the method raised or gave no number, and last week stood in.
    """

    answers: Array
    seconds: Array
    failed: Mask

    @property
    def ran(self) -> Mask:
        """Which windows the method was asked for."""
        return np.isfinite(self.seconds)


def run(method: Method, windows: Sequence[Window], where: Mask, jobs: int) -> Made:
    """Forecast the windows that `where` marks."""
    chosen = [window for window, wanted in zip(windows, where, strict=True) if wanted]
    if jobs == 1 or len(chosen) <= AT_ONCE:
        rows = [forecast_one(method, window) for window in chosen]
    else:
        # A fork has imported and compiled already what the methods need.
        with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
            rows = list(pool.map(partial(forecast_one, method), chosen, chunksize=AT_ONCE))
    return gather(rows, where)


def forecast_one(method: Method, window: Window) -> tuple[Array, float, bool]:
    """The answer, its CPU seconds, and whether last week stands in for it."""
    begun = time.process_time()
    try:
        made = method(window)
    except Exception:  # noqa: BLE001 - a peer may raise anything; it is counted in the table
        made = None
    seconds = time.process_time() - begun
    if made is None or not np.all(np.isfinite(made[:, :HORIZON])):
        return naive(window), seconds, True
    return made, seconds, False


def gather(rows: Sequence[tuple[Array, float, bool]], where: Mask) -> Made:
    """Put the answers of the marked windows at their places."""
    made = Made(
        np.full((where.size, len(ROWS), HORIZON + 1), np.nan),
        np.full(where.size, np.nan),
        np.zeros(where.size, dtype=np.bool_),
    )
    for place, (answer, seconds, failed) in zip(np.flatnonzero(where), rows, strict=True):
        made.answers[place] = answer
        made.seconds[place] = seconds
        made.failed[place] = failed
    return made


def median_of(several: Sequence[Made]) -> Made:
    """The median of several methods on each day, and of each end of their bands."""
    return Made(
        np.median([each.answers for each in several], axis=0),
        np.sum([each.seconds for each in several], axis=0),
        np.any([each.failed for each in several], axis=0),
    )
