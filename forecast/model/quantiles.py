"""Bands: quantiles of what such forecasts missed by, pooled over thousands of packages.

The errors of daily counts are skewed, have heavy tails and grow with the horizon at a rate
that differs between packages, so no normal theory holds. Instead each quantile of the error
of ln(1 + y) is a log-linear function of what is known when the forecast is made:

    q = -+ exp(b0 + b1 error + b2 weekly + b3 ln h + ...)

with coefficients b that minimise the pinball loss over all packages (Koenker and Bassett
1978). Days have four such quantiles. Sums of days have two, for each tail the same with the
signed features turned round: which way a season moves all packages together is not known
beforehand, so a spring's growth must not be learned as a law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from forecast.quantities import Array

QUANTILES = {"lower_80": 0.1, "upper_80": 0.9, "lower_95": 0.025, "upper_95": 0.975}
WIDER = 1.05  # a 95 % end lies beyond the 80 % end by this factor at the least
WIDEST = 4.0  # in ln(1 + y): a factor of fifty; twice that gained nothing
SIGNED = ("tilt", "pull")
PACKAGE = (
    *("one", "error", "recent", "weekly", "worst", "moved", "jump", "length"),
    *("speed", "spread", "size", "small", *SIGNED),
)
DAY = (*PACKAGE, "horizon", "horizon_weekly", "weekend", "weekend_gap", "day_off")
SUM = (*PACKAGE, "horizon", "horizon_weekly", "lead")

# Of the standard normal, for the least width that chance alone gives a count.
DEVIATIONS = {"lower_80": -1.2816, "upper_80": 1.2816, "lower_95": -1.96, "upper_95": 1.96}


@dataclass(frozen=True)
class Ends:
    """Ends of the bands; arrays of equal shape."""

    lower_80: Array
    upper_80: Array
    lower_95: Array
    upper_95: Array


def day_features(
    evidence: Mapping[str, Array], horizon: Array, weekend: NDArray[np.bool_], shares: Array
) -> dict[str, Array]:
    """Features of days `horizon` (days,) ahead, by name, each (rows, days) or (rows, 1)."""
    ahead = np.log(horizon / 7.0)[None]
    gap = evidence["gap"][:, None]
    return {
        **{name: evidence[name][:, None] for name in PACKAGE},
        "horizon": ahead,
        "horizon_weekly": ahead * (evidence["weekly"] - evidence["error"])[:, None],
        "weekend": weekend[None].astype(np.float64),
        "weekend_gap": weekend[None] * gap,
        "day_off": shares[None] * (gap + 0.5),
    }


def sum_features(evidence: Mapping[str, Array], days: Array, last: Array) -> dict[str, Array]:
    """Features of sums over `days` days that end `last` days ahead, both shape (sums,)."""
    long = np.log(days / 7.0)[None]
    return {
        **{name: evidence[name][:, None] for name in PACKAGE},
        "horizon": long,
        "horizon_weekly": long * (evidence["weekly"] - evidence["error"])[:, None],
        "lead": np.log(last / days)[None],
    }


def day_widths(
    features: Mapping[str, Array], coefficients: Mapping[str, Mapping[str, float]]
) -> Ends:
    """Errors at the four quantiles, in ln(1 + y), shape (rows, days)."""
    return _nested(_widths(features, [coefficients[name] for name in QUANTILES]))


def sum_widths(
    features: Mapping[str, Array], coefficients: Mapping[str, Mapping[str, float]]
) -> Ends:
    """The same for sums, in the logarithm of the sum and 1."""
    tails = {name: coefficients[name[-2:]] for name in QUANTILES}
    return _nested(
        _widths(
            features,
            [_turned(tail) if name.startswith("lower") else tail for name, tail in tails.items()],
        )
    )


def chance(mean: Array, name: str) -> Array:
    """The end of a band that a Poisson count of this mean has (Anscombe 1948)."""
    root = np.sqrt(mean + 0.375) + DEVIATIONS[name] / 2.0
    return np.asarray(np.maximum(root, 0.0) ** 2 - 0.375)


def _turned(coefficients: Mapping[str, float]) -> Mapping[str, float]:
    """For the other tail."""
    return {name: -value if name in SIGNED else value for name, value in coefficients.items()}


def _widths(features: Mapping[str, Array], coefficients: Sequence[Mapping[str, float]]) -> Array:
    """Distances from the median, by quantile, shape (quantiles, rows, days)."""
    names = list(coefficients[0])
    table = np.array([[each[name] for name in names] for each in coefficients])[..., None, None]
    total: Array = np.zeros((1, 1, 1))
    for at, name in enumerate(names):
        total = total + table[:, at] * features[name]
    return np.asarray(np.minimum(np.exp(np.minimum(total, 3.0)), WIDEST))


def _nested(widths: Array) -> Ends:
    found = dict(zip(QUANTILES, widths, strict=True))
    return Ends(
        lower_80=-found["lower_80"],
        upper_80=found["upper_80"],
        lower_95=-np.maximum(found["lower_95"], WIDER * found["lower_80"]),
        upper_95=np.maximum(found["upper_95"], WIDER * found["upper_80"]),
    )
