"""The whole grid of orders, screened by two regressions a series.

Hannan and Rissanen (1982): the innovations of an ARMA are first taken from one long
autoregression; given them, an ARMA is an ordinary regression on past values and past
innovations. All orders of a grid regress on subsets of the same columns, so one table
of cross-products serves them all and each candidate costs the solution of one small
linear system. A hundred orders take about a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.search.least_squares import (
    BLOCKS,
    PARAMETERS,
    SEASONAL_TERMS,
    TERMS,
    partial_autocorrelations,
)

if TYPE_CHECKING:
    from forecast.quantities import Array

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]

LONG_SEASON = 12  # beyond it P and Q stop at 1: the state of the filter grows with P m
FEWEST_ROWS = 24  # of the second regression; it has up to ten columns


@dataclass(frozen=True)
class Screened:
    """Candidates of one series, best first.

    Attributes:
        orders: p, q, P, Q; shape (candidates, 4).
        coefficients: of the second regression, shape (candidates, PARAMETERS).
        aicc: Akaike's criterion, corrected for small samples; shape (candidates,).
    """

    orders: Integers
    coefficients: Array
    aicc: Array

    def starts(self, best: int) -> Array:
        """Partial autocorrelations to refine the first `best` from, shape (best, PARAMETERS)."""
        signs = (1.0, -1.0, 1.0, -1.0)
        return np.concatenate(
            [
                partial_autocorrelations(sign * self.coefficients[:best, block])
                for sign, block in zip(signs, BLOCKS, strict=True)
            ],
            axis=1,
        )


@lru_cache(maxsize=64)
def order_grid(m: int) -> Integers:
    """All p, q, P, Q of a season m, shape (candidates, 4).

    p and q run from 0 to 3, P and Q from 0 to 2. Where m is 3 or less a high p meets
    the lags of P, and of two names for one model only the plain one is kept.
    """
    seasonal = range(1 if m == 1 else 2 if m > LONG_SEASON else SEASONAL_TERMS + 1)
    plain = range(TERMS + 1)
    grid = [
        (p, q, big_p, big_q)
        for p, q, big_p, big_q in product(plain, plain, seasonal, seasonal)
        if not (big_p and p >= m) and not (big_q and q >= m)
    ]
    return np.array(grid, dtype=np.int64)


def used(orders: Integers) -> Mask:
    """Which of the PARAMETERS each candidate has, shape (candidates, PARAMETERS)."""
    found = np.zeros((len(orders), PARAMETERS), dtype=np.bool_)
    for column, block in zip((0, 1, 2, 3), BLOCKS, strict=True):
        size = block.stop - block.start
        found[:, block] = np.arange(size) < orders[:, column : column + 1]
    return found


def aicc(squares: Array, n: int | Integers, parameters: Integers | Array) -> Array:
    """Akaike's criterion with the correction of Hurvich and Tsai (1989).

    Args:
        squares: sums of squared innovations.
        n: number of innovations.
        parameters: number of parameters, the innovation variance left out.
    """
    k = parameters + 1
    return np.asarray(
        n * np.log(np.maximum(squares, 1e-300) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    )


def screen(w: Array, m: int, skipped: int = 0, extra: int = 0) -> Screened:
    """Rank every order of the grid for a stationary series w (n,) with season m.

    Args:
        w: the differenced series, shape (n,).
        m: the season, 1 for none.
        skipped: days at the beginning that no criterion may count, so that those of
            several seasons are taken over the same days and compare.
        extra: parameters that were estimated on the way to w.
    """
    orders = order_grid(m)
    columns = _columns(w, m)[max(skipped - long_lags(w.size, m)[-1], 0) :]
    mask = used(orders)[:, : columns.shape[1]]
    rows = columns.shape[0]
    target = w[-rows:]
    cross = columns.T @ columns
    # A ridge of a hundred-millionth keeps a constant or exactly periodic w solvable.
    cross += (1e-8 * np.trace(cross) / len(cross) + 1e-12) * np.eye(len(cross))
    with_target = columns.T @ target
    systems = np.where(mask[:, :, None] & mask[:, None, :], cross, 0.0)
    systems += np.where(mask, 0.0, 1.0)[:, :, None] * np.eye(mask.shape[1])
    sides = np.where(mask, with_target, 0.0)
    found = np.linalg.solve(systems, sides[..., None])[..., 0]
    squares = np.maximum(float(target @ target) - np.einsum("cj,cj->c", found, sides), 0.0)
    criterion = aicc(squares, rows, mask.sum(axis=1) + extra)
    best = np.argsort(criterion, kind="stable")
    return Screened(orders[best], found[best], criterion[best])


def _columns(w: Array, m: int) -> Array:
    """Past values and past innovations, shape (rows, PARAMETERS), in the order of BLOCKS.

    Seasonal lags that reach beyond the data are noughts, as are all of them for m = 1.
    """
    lags = long_lags(w.size, m)
    reach = lags[-1]
    design = np.stack([w[reach - lag : w.size - lag] for lag in lags], axis=1)
    tiny = 1e-8 * float(w @ w) + 1e-12
    weights = np.linalg.solve(design.T @ design + tiny * np.eye(len(lags)), design.T @ w[reach:])
    e = np.zeros(w.size)
    e[reach:] = w[reach:] - design @ weights
    plain = list(range(1, TERMS + 1))
    seasonal = [k * m for k in range(1, SEASONAL_TERMS + 1)]
    columns = [(w, plain), (e, plain), (w, seasonal), (e, seasonal)]
    start = reach
    return np.stack(
        [
            series[start - lag : w.size - lag] if 0 < lag <= start else np.zeros(w.size - start)
            for series, lags_of in columns
            for lag in lags_of
        ],
        axis=1,
    )


def long_lags(n: int, m: int) -> list[int]:
    """Lags of the long autoregression: two seasons and a bit, or what n allows."""
    longest = max(n - FEWEST_ROWS, 1)
    if m == 1:
        lags = list(range(1, 11))
    elif m <= LONG_SEASON:
        lags = list(range(1, SEASONAL_TERMS * m + TERMS + 1))
    else:
        lags = [*range(1, 11), m - 1, m, m + 1]
    return [lag for lag in lags if lag <= longest and lag <= max(n // 3, 1)] or [1]
