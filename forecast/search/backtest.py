"""How well a model would have done: rolling origins on the package's own past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.bands import Forecast
    from forecast.model.ensemble import Model


SPACING = 10  # days between origins: not whole weeks, so that weekdays change
MOST_ORIGINS = 4  # a month of origins; the search must not know it, and 120 days remain
SHORTEST_TRAINING = 56  # days before the first origin: eight weeks


@dataclass(frozen=True)
class Scores:
    """Errors over all origins of a backtest; None where nothing could be measured.

    Attributes:
        origins: number of forecasts made and compared.
        mase: mean absolute error over that of the seasonal naive within the training
            part (Hyndman and Koehler 2006), mean over origins.
        naive_mase: the same for the seasonal naive forecast.
        ratio: `mase` over `naive_mase`; below 1 the model is the better one.
        coverage_80: share of days that fell into the 80 % band; likewise for 95 %.
    """

    origins: int
    mase: float | None = None
    naive_mase: float | None = None
    ratio: float | None = None
    coverage_80: float | None = None
    coverage_95: float | None = None


def origins(n: int, horizon: int) -> list[int]:
    """Sizes of the training parts of a backtest, smallest first; may be empty."""
    latest = n - horizon
    sizes = [latest - SPACING * back for back in range(MOST_ORIGINS)]
    return sorted(size for size in sizes if size >= SHORTEST_TRAINING)


def seasonal_naive(values: Array, days: int, season: int = WEEK) -> Array:
    """The last `season` days of values (n,) repeated over `days` days."""
    return np.resize(values[-season:], days)


def naive_error(values: Array, season: int = WEEK) -> float:
    """Mean absolute difference of days one season apart: the scale of the MASE."""
    return float(np.mean(np.abs(values[season:] - values[:-season])))


def backtest(early: Model, values: Array, horizon: int, sizes: Sequence[int]) -> Scores:
    """Forecast from every origin with the parameters of `early`, and compare.

    Args:
        early: a model whose history is the first min(sizes) of `values`.
        values: downloads a day, shape (n,).
        horizon: days to forecast from each origin.
        sizes: origins, as sizes of the training part.
    """
    errors, naive_errors, inside_80, inside_95 = [], [], [], []
    for size in sizes:
        past, future = values[:size], values[size : size + horizon]
        scale = naive_error(past)
        if scale <= 0.0:
            continue
        made = early.extend(past[len(early.history) :].tolist()).predict(horizon)
        errors.append(float(np.mean(np.abs(made.mean - future))) / scale)
        naive = seasonal_naive(past, horizon)
        naive_errors.append(float(np.mean(np.abs(naive - future))) / scale)
        inside_80.append(_share_inside(future, made, "80"))
        inside_95.append(_share_inside(future, made, "95"))
    if not errors:
        return Scores(origins=0)
    mase, naive_mase = float(np.mean(errors)), float(np.mean(naive_errors))
    return Scores(
        origins=len(errors),
        mase=mase,
        naive_mase=naive_mase,
        ratio=mase / naive_mase if naive_mase > 0.0 else None,
        coverage_80=float(np.mean(inside_80)),
        coverage_95=float(np.mean(inside_95)),
    )


def _share_inside(future: Array, made: Forecast, band: str) -> float:
    """Share of the days of `future` that lie within a band of `made`."""
    lower, upper = getattr(made, f"lower_{band}"), getattr(made, f"upper_{band}")
    return float(np.mean((lower <= future) & (future <= upper)))
