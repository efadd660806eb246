"""One ARIMA(p,d,q)(P,D,Q)m of an adjusted series: plain values, and what it expects.

(1 - phi B ...)(1 - Phi B^m ...)(1 - B)^d (1 - B^m)^D x[t]
= (1 + theta B ...)(1 + Theta B^m ...) e[t]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.model.checks import PICKLED_AS, Checked, are_numbers, is_whole, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

LARGEST_SEASON = 366  # days
MOST_TERMS = 10  # of each kind; the search stops at 3
LARGEST_PARAMETER = 10.0


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

        Innovations are those of least squares, with noughts before the first day.
        """
        (p, d, q), (big_p, big_d, big_q, season) = self.order, self.seasonal_order
        m = max(season, 1)
        w = difference(x, d, big_d, m)
        ar, ma = polynomials(np.array(self.params), (p, q, big_p, big_q), m)
        full = np.convolve(ar, difference_polynomial(d, big_d, m))
        past, reach = full.size - 1, ma.size - 1
        path = np.concatenate([np.zeros(past), x, np.zeros(days)])[x.size :]
        with np.errstate(over="ignore", invalid="ignore"):  # parameters may come out of a pickle
            shocks = np.concatenate([np.zeros(reach), _innovations(w, ar, ma), np.zeros(days)])
            shocks = shocks[w.size :]
            for day in range(days):
                path[past + day] = -full[:0:-1] @ path[day : day + past]
                path[past + day] += ma[:0:-1] @ shocks[day : day + reach]
        return path[past:]


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


def _innovations(w: Array, ar: Array, ma: Array) -> Array:
    """Innovations (n,) of a differenced series w (n,)."""
    if not w.size:
        return w
    after_ar = np.convolve(w, ar)[: w.size]
    if ma.size == 1:
        return after_ar
    reach = ma.size - 1
    backward = ma[:0:-1].copy()
    e = np.zeros(reach + w.size)
    for day in range(w.size):
        e[reach + day] = after_ar[day] - backward @ e[day : day + reach]
    return e[reach:]
