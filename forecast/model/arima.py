"""One ARIMA(p,d,q)(P,D,Q)m of an adjusted series: plain values, and what it expects.

(1 - phi B ...)(1 - Phi B^m ...)(1 - B)^d (1 - B^m)^D x[t]
= (1 + theta B ...)(1 + Theta B^m ...) e[t]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from forecast.model.checks import PICKLED_AS, Checked, are_numbers, is_whole, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

LARGEST_SEASON = 366  # days
MOST_TERMS = 10  # of each kind; the search stops at 3
LARGEST_PARAMETER = 10.0

Lags: TypeAlias = list[tuple[int, float]]  # with their coefficients


@dataclass(frozen=True)
class Arima(Checked):
    """Orders and parameters.

    Attributes:
        order: (p, d, q).
        seasonal_order: (P, D, Q, m); (0, 0, 0, 0) where there is no season.
        params: AR, MA, seasonal AR, seasonal MA, as statsmodels counts them.
    """

    order: tuple[int, int, int]
    seasonal_order: tuple[int, int, int, int]
    params: tuple[float, ...]

    __module__ = PICKLED_AS

    def _check(self) -> None:
        for name, orders, size in (
            ("order", self.order, 3),
            ("seasonal order", self.seasonal_order, 4),
        ):
            fine = isinstance(orders, tuple) and len(orders) == size
            fine = fine and all(is_whole(each, 0, LARGEST_SEASON) for each in orders)
            require(fine, f"{name} must be {size} whole numbers")
        (p, d, q), (big_p, big_d, big_q, _) = self.order, self.seasonal_order
        few = max(p, d, q, big_p, big_d, big_q) <= MOST_TERMS
        require(few, f"an order is above {MOST_TERMS}")
        count = p + q + big_p + big_q
        fine = are_numbers(self.params, -LARGEST_PARAMETER, LARGEST_PARAMETER, count, count)
        require(fine, "params must be one number for each order")

    @property
    def reach(self) -> int:
        """How many days back a forecast looks: the lags of both polynomials, differences too."""
        (p, d, q), (big_p, big_d, big_q, season) = self.order, self.seasonal_order
        return p + d + q + (big_p + big_d + big_q) * season

    def ahead(self, x: Array, days: int) -> Array:
        """The forecast of x (n,) for `days` days, shape (days,).

        Innovations are those of conditional least squares, with zero initial conditions.
        """
        (p, d, q), (big_p, big_d, big_q, season) = self.order, self.seasonal_order
        m = max(season, 1)
        w = difference(x, d, big_d, m)
        ar, ma = polynomials(np.array(self.params), (p, q, big_p, big_q), m)
        ar_lags, ma_lags = _lags(np.convolve(ar, difference_polynomial(d, big_d, m))), _lags(ma)
        path, shocks = [0.0] * _farthest(ar_lags) + x.tolist(), _innovations(w, ar, ma_lags)
        for _ in range(days):
            path.append(_weighted(ma_lags, shocks) - _weighted(ar_lags, path))
            shocks.append(0.0)
        return np.array(path[len(path) - days :])


def difference(x: Array, d: int, seasonal_d: int, m: int) -> Array:
    """Take d plain and seasonal_d seasonal differences of x (n,); d + seasonal_d m days fewer."""
    for _ in range(d):
        x = x[1:] - x[:-1]
    for _ in range(seasonal_d):
        x = x[m:] - x[:-m]
    return x


def difference_polynomial(d: int, seasonal_d: int, m: int) -> Array:
    """Coefficients of (1 - B)^d (1 - B^m)^D by lag, from lag 0 on."""
    found = np.ones(1)
    for period in [1] * d + [m] * seasonal_d:
        found = np.convolve(found, np.r_[1.0, np.zeros(period - 1), -1.0])
    return np.asarray(found)


def polynomials(params: Array, orders: tuple[int, int, int, int], m: int) -> tuple[Array, Array]:
    """The AR and the MA polynomial multiplied out, by lag from 0 on; orders p, q, P, Q."""
    ar, ma, seasonal_ar, seasonal_ma = np.split(params, np.cumsum(orders)[:-1])
    return (
        np.convolve(_polynomial(-ar, 1), _polynomial(-seasonal_ar, m)),
        np.convolve(_polynomial(ma, 1), _polynomial(seasonal_ma, m)),
    )


def _polynomial(values: Sequence[float] | Array, period: int) -> Array:
    """1 + c[0] B^period + c[1] B^(2 period) + ..., by lag from 0 on."""
    found = np.zeros(1 + len(values) * period)
    found[0] = 1.0
    found[period::period] = values
    return found


def _lags(polynomial: Array) -> Lags:
    """The lags from 1 on whose coefficients are not 0: a dozen of perhaps hundreds."""
    return [(int(lag), float(polynomial[lag])) for lag in np.flatnonzero(polynomial) if lag]


def _farthest(lags: Lags) -> int:
    return max((lag for lag, _ in lags), default=0)


def _innovations(w: Array, ar: Array, ma_lags: Lags) -> list[float]:
    """Innovations of a differenced series w (n,), after zeros as far as the MA reaches."""
    found = [0.0] * _farthest(ma_lags)
    for value in np.convolve(w, ar)[: w.size].tolist() if w.size else ():
        found.append(value - _weighted(ma_lags, found))
    return found


def _weighted(lags: Lags, values: list[float]) -> float:
    """The last values, each times the coefficient of its lag."""
    total = 0.0
    for lag, coefficient in lags:  # plain numbers: NumPy takes longer for so few
        total += coefficient * values[-lag]
    return total
