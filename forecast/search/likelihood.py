"""Exact maximum likelihood of one ARIMA, by pmdarima."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecast.model.member import Member
    from forecast.quantities import Array


# Steps of the optimiser from the least squares it starts with. Run to its end (twenty
# steps and more) the exact likelihood lets seasonal MA roots pile up at the unit circle
# (Sargan and Bhargava 1983), and the tuning series' error at a month's horizon rises by
# one percent; two steps do no harm and cost less than half.
MOST_ITERATIONS = 2


def maximise(member: Member, z: Array) -> tuple[float, ...]:
    """Parameters without the variance that maximise the exact likelihood of z (n,).

    The variance is concentrated out and z is differenced beforehand, which halves the
    state and quarters the time (Harvey 1989, chapter 3). Where the optimiser fails, the
    member's own parameters are returned: they are those of least squares.
    """
    start = member.params[:-1]
    if not start:
        return start
    from pmdarima import ARIMA  # noqa: PLC0415 - its import takes seconds

    arima = ARIMA(
        member.order,
        member.seasonal_order,
        start_params=np.array(start),
        maxiter=MOST_ITERATIONS,
        with_intercept=False,
        suppress_warnings=True,
        simple_differencing=True,
        concentrate_scale=True,
    )
    with warnings.catch_warnings():
        # Stopping at the last iteration, or where the likelihood is flat, is no failure:
        # what counts is that the parameters forecast.
        warnings.simplefilter("ignore")
        try:
            # Neither smoothed states nor a covariance of the parameters is asked for.
            fitted = arima.fit(z, low_memory=True, cov_type="none")
            found = np.asarray(fitted.params(), dtype=np.float64)
        except (ValueError, IndexError):  # LinAlgError is a ValueError
            return start
    return tuple(found.tolist()) if np.all(np.isfinite(found)) else start
