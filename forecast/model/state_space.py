"""One ARIMA in state space form: from what it saw to what it expects.

The differences are multiplied into the AR polynomial, and the ARMA that comes of it is
put into Harvey's form, whose state has max(p', q' + 1) elements (Harvey 1989, chapter
3.3). Nothing is known of the state before the first day, so its variance there is a
large number: the differences have no stationary distribution to begin with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.model.member import Member
    from forecast.quantities import Array


LEAST_VARIANCE = 1e-6  # of innovations in the filter; a thousandth on the log scale, squared


def ahead(member: Member, z: Array, days: int) -> tuple[Array, Array]:
    """Mean and psi weights, (days,) each, of the member's ARIMA filtered over z (n,).

    The state after the last observation is carried forward by the transition matrix;
    the same walk from a unit innovation gives the psi weights.
    """
    ar, ma = _polynomials(member)
    size = max(ar.size - 1, ma.size)
    transition = np.eye(size, k=1)
    transition[: ar.size - 1, 0] = -ar[1:]
    shock = np.zeros(size)
    shock[: ma.size] = ma
    state = _filtered(z, transition, shock, member.params[-1])
    walk = np.empty((days, 2))
    both = np.stack([state, shock], axis=1)
    for day in range(days):
        walk[day] = both[0]
        both = transition @ both
    return walk[:, 0], walk[:, 1]


def difference_coefficients(d: int, seasonal_d: int, m: int) -> Array:
    """Coefficients of (1 - B)^d (1 - B^m)^D by lag, from lag 0 on."""
    found = np.ones(1)
    for _ in range(d):
        found = np.convolve(found, _polynomial([-1.0], 1))
    for _ in range(seasonal_d):
        found = np.convolve(found, _polynomial([-1.0], m))
    return found


def _polynomials(member: Member) -> tuple[Array, Array]:
    """The AR with the differences, and the MA, multiplied out; by lag from 0 on."""
    (p, d, q), (big_p, big_d, _, m) = member.order, member.seasonal_order
    season = max(m, 1)
    blocks = np.split(np.array(member.params[:-1]), np.cumsum([p, q, big_p]))
    ar, ma, seasonal_ar, seasonal_ma = blocks
    stationary = np.convolve(_polynomial(-ar, 1), _polynomial(-seasonal_ar, season))
    return (
        np.convolve(stationary, difference_coefficients(d, big_d, season)),
        np.convolve(_polynomial(ma, 1), _polynomial(seasonal_ma, season)),
    )


def _polynomial(coefficients: Sequence[float] | Array, period: int) -> Array:
    """1 + c[0] B^period + c[1] B^(2 period) + ..., by lag from 0 on."""
    found = np.zeros(1 + len(coefficients) * period)
    found[0] = 1.0
    found[period::period] = coefficients
    return found


def _filtered(z: Array, transition: Array, shock: Array, variance: float) -> Array:
    """The state (size,) that is expected after the last day of z (n,)."""
    # Imported late: a page that only shows what was published needs no statsmodels.
    from statsmodels.tsa.statespace.kalman_filter import (  # noqa: PLC0415
        MEMORY_CONSERVE,
        KalmanFilter,
    )

    # Of SARIMAX this is the filter without the estimation, and building the latter takes
    # longer than filtering.
    kalman = KalmanFilter(k_endog=1, k_states=shock.size, k_posdef=1)
    kalman.bind(np.array(z[:, None]))
    kalman["design", 0, 0] = 1.0
    kalman["transition"] = transition
    kalman["selection"] = shock[:, None]
    # The mean does not depend on the variance, and a variance of nought would let the
    # filter learn nothing from the days it sees.
    kalman["state_cov", 0, 0] = max(variance, LEAST_VARIANCE)
    kalman.initialize_approximate_diffuse()
    last = kalman.filter(conserve_memory=MEMORY_CONSERVE).predicted_state[:, -1]
    return np.asarray(last, dtype=np.float64)
