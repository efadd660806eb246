"""The other methods, with the defaults of their libraries but for the season of a week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from statsforecast.models import (
    MSTL,
    AutoARIMA,
    AutoCES,
    AutoETS,
    AutoTheta,
    DynamicOptimizedTheta,
)

from benchmarks.accuracy.methods import LEVELS, SCALES, Method, point_and_ends
from benchmarks.accuracy.windows import HORIZON, Window
from forecast.quantities import WEEK

if TYPE_CHECKING:
    from forecast.quantities import Array

HIGHEST_LOG = 40.0  # beyond it a forecast on the log scale is no number of downloads

FAST = {
    "AutoETS": AutoETS(season_length=WEEK),
    "AutoTheta": AutoTheta(season_length=WEEK),
    "DynamicOptimizedTheta": DynamicOptimizedTheta(season_length=WEEK),
    "AutoCES": AutoCES(season_length=WEEK),
    "MSTL": MSTL(season_length=WEEK),
}
SLOW = {"AutoARIMA": AutoARIMA(season_length=WEEK)}


@dataclass(frozen=True)
class Peer:
    """A model of statsforecast on counts or on ln(1 + y)."""

    model: Any
    scale: str

    def __call__(self, window: Window) -> Array:
        """Forecast one window."""
        on_log = self.scale == "log"
        values = np.log1p(window.values) if on_log else window.values
        made = self.model.forecast(values, HORIZON, level=list(LEVELS))
        names = ["mean", *(f"{side}-{level}" for level in LEVELS for side in ("lo", "hi"))]
        point, *ends = (_back(made[name]) if on_log else np.asarray(made[name]) for name in names)
        return point_and_ends(point, ends)


def peers(models: dict[str, Any]) -> dict[str, Method]:
    """Each model on both scales, by "name, scale"."""
    return {
        f"{name}, {scale}": Peer(model, scale) for name, model in models.items() for scale in SCALES
    }


def _back(logs: Array) -> Array:
    return np.asarray(np.expm1(np.minimum(np.asarray(logs, dtype=np.float64), HIGHEST_LOG)))
