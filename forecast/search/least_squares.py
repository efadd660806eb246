"""Seasonal ARMA models by conditional least squares, many at a time.

The innovations of an ARMA follow from its observations one day after the other, with
noughts before the first day (Box and Jenkins 1970, chapter 7). The days have to be
walked one by one, but candidates need not be: every array here has one row a
candidate, so a hundred of them cost about as much as one.

A candidate's ten parameters are partial autocorrelations within (-1, 1): three of the
AR polynomial, three of the MA, `SEASONAL_TERMS` of the seasonal AR and as many of the
seasonal MA; 0 where its order is lower. Every such point is stationary and invertible
(Barndorff-Nielsen and Schou 1973), so the search for the least squares is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.model.state_space import difference_coefficients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.quantities import Array

Mask = NDArray[np.bool_]

TERMS = 3  # highest p and q
SEASONAL_TERMS = 2  # highest P and Q
PARAMETERS = 2 * (TERMS + SEASONAL_TERMS)
BLOCKS = (
    slice(0, TERMS),
    slice(TERMS, 2 * TERMS),
    slice(2 * TERMS, 2 * TERMS + SEASONAL_TERMS),
    slice(2 * TERMS + SEASONAL_TERMS, PARAMETERS),
)  # AR, MA, seasonal AR, seasonal MA: the order of statsmodels' parameters

# Rounds of Gauss-Newton. After eight the sum of squares of half of the tuning series'
# candidates is within a ten-thousandth of its minimum, and of nine in ten within a hundredth.
ROUNDS = 8
STEP = 1e-4  # of the numerical derivative, in the unbounded parameters

# How large a partial autocorrelation may grow. Least squares, and exact likelihood more
# so, drive a seasonal MA towards 1 and an AR towards a root of 1: the one fixes season
# and level for good, the other is a difference by another name, and both lose at a
# month's horizon. With 0.7 and 0.9 the tuning series' error is half a percent lower
# than with 0.98 (0.5 to 0.8 for the MA alone gave a quarter to a half); 0.98 elsewhere
# keeps roots off the unit circle.
LARGEST = np.repeat([0.9, 0.98, 0.98, 0.7], [TERMS, TERMS, SEASONAL_TERMS, SEASONAL_TERMS])


@dataclass(frozen=True)
class Fitted:
    """Candidates after least squares, one row each.

    Attributes:
        partial: partial autocorrelations, shape (candidates, PARAMETERS).
        innovations: shape (candidates, n), noughts where a row has no observation.
        squares: sum of squared innovations, shape (candidates,).
    """

    partial: Array
    innovations: Array
    squares: Array


@dataclass(frozen=True)
class Walk:
    """What carries a forecast from day to day, one row a candidate.

    Attributes:
        phi: AR coefficients with the differences multiplied in, shape (candidates, lags).
        theta: MA coefficients, shape (candidates, lags).
    """

    phi: Array
    theta: Array


def walk(partial: Array, differences: Sequence[tuple[int, int]], m: int) -> Walk:
    """The candidates' polynomials, with each one's (d, D) multiplied into the AR."""
    phi, theta = polynomials(partial, m)
    unit = np.hstack([np.ones((len(phi), 1)), -phi])
    longest = 1 + m  # of the difference polynomial; d + D m where both are 1
    full = np.zeros((len(phi), unit.shape[1] + longest))
    for row, (d, seasonal_d) in enumerate(differences):
        product = np.convolve(unit[row], difference_coefficients(d, seasonal_d, m))
        full[row, : product.size] = product
    return Walk(-full[:, 1:], theta)


def coefficients(partial: Array) -> Array:
    """Polynomial coefficients (candidates, k) of partial autocorrelations (candidates, k).

    The recursion of Durbin and Levinson; for an AR they are the phi of
    z[t] = phi[1] z[t-1] + ...
    """
    found = np.zeros_like(partial)
    for k in range(partial.shape[1]):
        last = partial[:, k : k + 1]
        found[:, :k] = found[:, :k] - last * found[:, :k][:, ::-1]
        found[:, k : k + 1] = last
    return found


def partial_autocorrelations(phi: Array) -> Array:
    """The inverse of `coefficients`, pulled inside (-1, 1) where `phi` is not stationary."""
    rest, found = phi.copy(), np.zeros_like(phi)
    for k in reversed(range(phi.shape[1])):
        last = np.clip(rest[:, k : k + 1], -0.95, 0.95)
        found[:, k : k + 1] = last
        rest[:, :k] = (rest[:, :k] + last * rest[:, :k][:, ::-1]) / (1.0 - last**2)
    return found


def natural(partial: Array) -> Array:
    """Parameters as statsmodels counts them, without the variance; same shape.

    The MA blocks change sign: (1 + theta B) is the reading of both Box and Jenkins'
    followers and statsmodels, where the recursion gives (1 - theta B).
    """
    found = np.concatenate([coefficients(partial[:, block]) for block in BLOCKS], axis=1)
    found[:, BLOCKS[1]] *= -1.0
    found[:, BLOCKS[3]] *= -1.0
    return found


def polynomials(partial: Array, m: int) -> tuple[Array, Array]:
    """Multiplied-out polynomials, lags 1 to TERMS + SEASONAL_TERMS * m.

    Returns:
        phi and theta of shape (candidates, lags), such that
        w[t] = sum phi[i] w[t-i] + e[t] + sum theta[j] e[t-j].
    """
    found = natural(partial)
    ar, ma, seasonal_ar, seasonal_ma = (found[:, block] for block in BLOCKS)
    return -_product(-ar, -seasonal_ar, m), _product(ma, seasonal_ma, m)


def innovations(w: Array, phi: Array, theta: Array) -> Array:
    """Innovations e (candidates, n) of w (candidates, n), noughts before the first day."""
    rows, n = w.shape
    lags = phi.shape[1]
    after_ar = w.copy()
    for lag in np.flatnonzero(phi.any(axis=0)) + 1:
        if lag < n:
            after_ar[:, lag:] -= phi[:, lag - 1 : lag] * w[:, :-lag]
    if not theta.any():
        return after_ar
    # Days run along the first axis, so that each step reads memory in one piece.
    moving = np.ascontiguousarray(theta[:, ::-1].T)
    days = np.ascontiguousarray(after_ar.T)
    e = np.zeros((n + lags, rows))
    for day in range(n):
        e[day + lags] = days[day] - np.einsum("lr,lr->r", moving, e[day : day + lags])
    return np.ascontiguousarray(e[lags:].T)


def least_squares(w: Array, start: Array, used: Mask, m: int) -> Fitted:
    """Minimise each row's sum of squared innovations by damped Gauss-Newton.

    Args:
        w: stationary series, shape (candidates, n), padded with noughts on the left.
        start: partial autocorrelations to begin with, shape (candidates, PARAMETERS).
        used: which parameters each candidate has, same shape.
        m: the season, 1 for none.
    """
    rows = len(w)
    farthest = np.arctanh(LARGEST)
    free = np.clip(np.arctanh(np.where(used, start, 0.0)), -farthest, farthest)
    e = innovations(w, *polynomials(np.tanh(free), m))
    squares = _squares(e)
    damping = np.full(rows, 1e-2)
    # A derivative for each parameter that a candidate has, and for no other.
    row, column = np.nonzero(used)
    bump, many = STEP * np.eye(PARAMETERS)[column], w[row]
    slopes = np.zeros((rows, PARAMETERS, w.shape[1]))
    identity = np.eye(PARAMETERS)
    for _ in range(ROUNDS if row.size else 0):
        shifted = innovations(many, *polynomials(np.tanh(free[row] + bump), m))
        slopes[row, column] = (shifted - e[row]) / STEP
        curvature = slopes @ slopes.transpose(0, 2, 1)
        size = np.trace(curvature, axis1=1, axis2=2) / PARAMETERS + 1e-12
        curvature += (damping * size)[:, None, None] * identity
        slope = slopes @ e[..., None]
        step = -np.linalg.solve(curvature, slope)[..., 0]
        trial = np.clip(free + np.clip(step, -1.0, 1.0) * used, -farthest, farthest)
        trial_e = innovations(w, *polynomials(np.tanh(trial), m))
        trial_squares = _squares(trial_e)
        better = trial_squares < squares
        free = np.where(better[:, None], trial, free)
        e = np.where(better[:, None], trial_e, e)
        squares = np.where(better, trial_squares, squares)
        damping = np.where(better, 0.3 * damping, 5.0 * damping)
    return Fitted(np.tanh(free), e, squares)


def difference(z: Array, d: int, seasonal_d: int, m: int) -> Array:
    """Take d plain and seasonal_d seasonal differences of z (n,); d + seasonal_d m days fewer."""
    for _ in range(d):
        z = z[1:] - z[:-1]
    for _ in range(seasonal_d):
        z = z[m:] - z[:-m]
    return z


def forecasts(models: Walk, z: Array, e: Array, origins: Sequence[int], days: int) -> Array:
    """Forecasts of z from several origins without estimating anything anew.

    Args:
        models: the candidates' polynomials.
        z: shape (candidates, n), on the scale before differencing.
        e: innovations, shape (candidates, n).
        origins: numbers of days known.
        days: how far to forecast.

    Returns:
        Shape (candidates, len(origins), days).
    """
    rows, lags = models.phi.shape
    moving = models.theta.shape[1]
    backward_phi, backward_theta = models.phi[:, ::-1], models.theta[:, ::-1]
    before_z, before_e = np.zeros((rows, lags)), np.zeros((rows, moving))
    ahead = np.zeros((rows, days))
    found = np.empty((rows, len(origins), days))
    for place, origin in enumerate(origins):
        path = np.hstack([np.hstack([before_z, z[:, :origin]])[:, -lags:], ahead])
        shocks = np.hstack([np.hstack([before_e, e[:, :origin]])[:, -moving:], ahead])
        for day in range(days):
            value = np.einsum("rl,rl->r", backward_phi, path[:, day : day + lags])
            if day < moving:
                value += np.einsum("rl,rl->r", backward_theta, shocks[:, day : day + moving])
            path[:, lags + day] = value
        found[:, place] = path[:, lags:]
    return found


def _squares(e: Array) -> Array:
    return np.asarray(np.einsum("rn,rn->r", e, e))


def _product(plain: Array, seasonal: Array, m: int) -> Array:
    """(1 + plain B + ...)(1 + seasonal B^m + ...) - 1, by lag from 1 on."""
    found = np.zeros((len(plain), 1 + plain.shape[1] + seasonal.shape[1] * m))
    found[:, 0] = 1.0
    found[:, 1 : 1 + plain.shape[1]] = plain
    once = found[:, : 1 + plain.shape[1]].copy()
    for k in range(seasonal.shape[1]):
        at = (k + 1) * m
        found[:, at : at + once.shape[1]] += seasonal[:, k : k + 1] * once
    return found[:, 1:]
