"""The search: every order of the grid, for every m, and pmdarima for the one that wins.

The series is adjusted first: days off and weekday pattern are taken out of ln(1 + y), so an
ARIMA without a season competes fairly with seasonal ones, whose terms describe what the
adjustment left. Then a cheap step for all candidates and a dear one for the best:

1. Hannan and Rissanen (1982): given the residuals of one long autoregression, an ARMA is an
   ordinary regression on past values and past residuals. All orders of a grid regress on
   subsets of the same columns, so each costs the solution of one small linear system.
2. The one with the least AICc (Hurvich and Tsai 1989) is fitted by exact maximum likelihood
   with pmdarima, from where the regression left it.

Criteria compare across m and across differencing because all count the one-step errors of
the same days, those that every candidate can forecast from the days before them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.model.arima import Arima, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

Integers = NDArray[np.int64]

MOST_P = MOST_Q = 3
MOST_SEASONAL = 2  # P and Q; 1 for an m beyond `LONG_SEASON`, whose state grows with P m
LONG_SEASON = 12
SEASONS_NEEDED = 3  # of m in the series: two differ, the third tells which is usual
FEWEST_ROWS = 24  # of the regression; it has up to ten columns
LIMIT = 0.9  # of a partial autocorrelation: beyond it an AR is a difference by another name
ITERATIONS = 1  # of pmdarima's optimiser; to its end, seasonal MA roots pile up at 1


@dataclass(frozen=True)
class Found:
    """The winner, and how many candidates it had.

    Attributes:
        arima: fitted by pmdarima.
        m: its season, 1 for none.
        candidates: how many models were compared.
    """

    arima: Arima
    m: int
    candidates: int


@dataclass(frozen=True)
class _Candidate:
    criterion: float
    m: int
    differences: tuple[int, int]
    orders: tuple[int, int, int, int]
    found: Array


def search(x: Array, m_values: Sequence[int]) -> Found:
    """Find and fit the ARIMA of an adjusted series x (n,)."""
    families = _families(x.size, m_values)
    given = max(
        d + big_d * m + _long_lags(x.size - d - big_d * m, m)[-1] for m, d, big_d in families
    )
    leaders = [
        _screened(difference(x, d, big_d, m), (m, d, big_d), given) for m, d, big_d in families
    ]
    winner = min(leaders, key=lambda each: each.criterion)
    looked_at = sum(len(order_grid(m)) for m, _, _ in families)
    return Found(_exact(winner, x), winner.m, looked_at)


def usable(n: int, m_values: Sequence[int]) -> list[int]:
    """The seasons that n days can show, ascending; no season where none is left."""
    return sorted({m for m in m_values if m == 1 or n >= SEASONS_NEEDED * m + 14}) or [1]


@lru_cache(maxsize=64)
def order_grid(m: int) -> Integers:
    """All p, q, P, Q of a season m, shape (candidates, 4).

    Where m is 3 or less a high p meets the lags of P, and of two names for one model only
    the plain one is kept.
    """
    seasonal = range(1 if m == 1 else 2 if m > LONG_SEASON else MOST_SEASONAL + 1)
    grid = [
        (p, q, big_p, big_q)
        for p, q, big_p, big_q in product(range(MOST_P + 1), range(MOST_Q + 1), seasonal, seasonal)
        if not (big_p and p >= m) and not (big_q and q >= m)
    ]
    return np.array(grid, dtype=np.int64)


def aicc(squares: Array, n: int, parameters: Array | Integers) -> Array:
    """Akaike's criterion with the correction of Hurvich and Tsai (1989)."""
    k = parameters + 1
    return np.asarray(
        n * np.log(np.maximum(squares, 1e-12 * n) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    )


def _families(n: int, m_values: Sequence[int]) -> list[tuple[int, int, int]]:
    """(m, d, D): one difference each, plain or seasonal, for the level never stands still."""
    seasons = usable(n, m_values)
    return [(m, 1, 0) for m in seasons] + [(m, 0, 1) for m in seasons if m > 1]


def _long_lags(n: int, m: int) -> list[int]:
    """Lags of the long autoregression: two seasons and a bit, or what n allows."""
    longest = max(min(n - FEWEST_ROWS, n // 3), 1)
    if m == 1:
        lags = list(range(1, 11))
    elif m <= LONG_SEASON:
        lags = list(range(1, MOST_SEASONAL * m + MOST_P + 1))
    else:
        lags = [*range(1, 11), m - 1, m, m + 1]
    return [lag for lag in lags if lag <= longest] or [1]


def _columns(w: Array, m: int) -> Array:
    """Past values and past residuals that the orders regress on, shape (rows, 10)."""
    lags = _long_lags(w.size, m)
    reach = lags[-1]
    design = np.stack([w[reach - lag : w.size - lag] for lag in lags], axis=1)
    tiny = 1e-8 * float(w @ w) + 1e-12
    weights = np.linalg.solve(design.T @ design + tiny * np.eye(len(lags)), design.T @ w[reach:])
    e = np.zeros(w.size)
    e[reach:] = w[reach:] - design @ weights
    plain = range(1, MOST_P + 1)
    seasonal = [k * m for k in range(1, MOST_SEASONAL + 1)]
    used = [(w, lag) for lag in plain] + [(e, lag) for lag in plain]
    used += [(w, lag) for lag in seasonal] + [(e, lag) for lag in seasonal]
    columns = [
        values[reach - lag : w.size - lag] if lag <= reach else np.zeros(w.size - reach)
        for values, lag in used
    ]
    return np.stack(columns, axis=1)


def _screened(w: Array, family: tuple[int, int, int], given: int) -> _Candidate:
    """The best order of a family for its differenced series w (n,)."""
    m, d, big_d = family
    orders = order_grid(m)
    columns = _columns(w, m)
    counted = max(w.size + d + big_d * m - given, FEWEST_ROWS // 2)
    columns = columns[-counted:]
    target = w[-columns.shape[0] :]
    used, both, unused = _used(m)
    cross = columns.T @ columns
    # A ridge of a hundred-millionth keeps a constant or exactly periodic w solvable.
    cross += (1e-8 * np.trace(cross) / len(cross) + 1e-12) * np.eye(len(cross))
    systems = both * cross + unused
    sides = np.where(used, columns.T @ target, 0.0)
    found = np.linalg.solve(systems, sides[..., None])[..., 0]
    squares = np.maximum(float(target @ target) - (found * sides).sum(axis=1), 0.0)
    criterion = aicc(squares, target.size, orders.sum(axis=1))
    best = int(np.argmin(criterion))
    p, q, big_p, big_q = (int(order) for order in orders[best])
    return _Candidate(
        float(criterion[best]), m, (d, big_d), (p, q, big_p, big_q), found[best, used[best]]
    )


@lru_cache(maxsize=64)
def _used(m: int) -> tuple[NDArray[np.bool_], Array, Array]:
    """Which of the ten parameters each candidate of a season has, shape (candidates, 10).

    Then the same for pairs of parameters, shape (candidates, 10, 10), and a one on the diagonal
    for each parameter that a candidate does not have, of the same shape.
    """
    orders, sizes = order_grid(m), (MOST_P, MOST_Q, MOST_SEASONAL, MOST_SEASONAL)
    parts = [np.arange(size) < orders[:, [place]] for place, size in enumerate(sizes)]
    used = np.concatenate(parts, axis=1)
    both = (used[:, :, None] & used[:, None, :]).astype(np.float64)
    return used, both, ~used[:, :, None] * np.eye(used.shape[1])


def _stable(values: Array, orders: tuple[int, int, int, int]) -> Array:
    """Coefficients pulled to where they are stationary and invertible, block by block.

    Durbin and Levinson's recursion turns an AR's coefficients into partial autocorrelations,
    which `LIMIT` bounds, and those into coefficients again; an MA's change sign.
    """
    found = []
    for place, block in enumerate(np.split(values, np.cumsum(orders)[:-1])):
        sign = 1.0 if place in {0, 2} else -1.0
        rest, partial = sign * block, np.zeros(block.size)
        for k in reversed(range(block.size)):
            partial[k] = last = float(np.clip(rest[k], -LIMIT, LIMIT))
            rest[:k] = (rest[:k] + last * rest[:k][::-1]) / (1.0 - last**2)
        for k, last in enumerate(partial):
            rest[:k] = rest[:k] - last * rest[:k][::-1]
            rest[k] = last
        found.append(sign * rest)
    return np.concatenate(found)


def _exact(winner: _Candidate, x: Array) -> Arima:
    """The winner with parameters of exact likelihood, or of the regression where that fails.

    The variance is concentrated out and x is differenced beforehand, which halves the state
    and quarters the time (Harvey 1989, chapter 3).
    """
    (p, q, big_p, big_q), (d, big_d) = winner.orders, winner.differences
    start = _stable(winner.found, winner.orders)
    seasonal = big_p or big_d or big_q
    arima = Arima(
        (p, d, q),
        (big_p, big_d, big_q, winner.m) if seasonal else (0, 0, 0, 0),
        tuple(start.tolist()),
    )
    if not arima.params:
        return arima
    from pmdarima import ARIMA  # noqa: PLC0415 - its import takes seconds

    fitting = ARIMA(
        arima.order,
        arima.seasonal_order,
        start_params=start,
        maxiter=ITERATIONS,
        with_intercept=False,
        suppress_warnings=True,
        simple_differencing=True,
        concentrate_scale=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the optimiser was stopped early is no news
        try:
            fitted = fitting.fit(x, low_memory=True, cov_type="none")
            params = np.asarray(fitted.params(), dtype=np.float64)
        except (ValueError, IndexError):  # LinAlgError is a ValueError
            return arima
    if not np.all(np.isfinite(params)):
        return arima
    return Arima(arima.order, arima.seasonal_order, tuple(params.tolist()))
