"""The fitted model: a stated mean of a few seasonal ARIMAs, and its bands.

A `Model` is what a training run publishes for one package. Its state is plain
Python: the regular daily counts it was trained on and, for each `Member` of the
mean, the orders and the parameters that the trainer estimated. The state space
form is rebuilt from these whenever a forecast is asked for, which takes
milliseconds, so a pickle is a few kilobytes and survives a library upgrade.

Notation follows Box and Jenkins: a member is an ARIMA(p,d,q)(P,D,Q)m of z, where z
is ln(1 + y) of the daily count y (scale "log") or y in units of its own mean (scale
"level"), freed of the holidays first (`forecast.model.holidays`).

Members are averaged quantile by quantile (Vincent's rule), as geometric means of
1 + y: the point forecast from the members' medians, each end of a band from the
members' ends of that band. So the skewness that counts show on the log scale and
the restraint of the level scale both enter, where a mean of variances would need
one scale for all. Of four members the lowest and the highest of a day are left out,
so that one which goes astray moves nothing; on the tuning series that also lowers
the error by half a percent and the interval score by one.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.bands import Forecast, Total
from forecast.model import holidays as christmas
from forecast.model import state_space
from forecast.model.checks import PICKLED_AS, are, require, restore
from forecast.model.member import Member, member_series, to_counts
from forecast.quantities import LARGEST_COUNT, LONGEST_HORIZON, Array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


ENOUGH_TO_TRIM = 4  # members; of three, leaving two out would leave no mean

Z_80 = NormalDist().inv_cdf(0.90)
Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Model:
    """A package's forecast: history, members, and how wide its bands are.

    Attributes:
        start: day of the first observation.
        history: downloads a day, regular, without holes.
        members: the ARIMAs whose mean is the forecast.
        note: one plain sentence where a simple model stands in for the search;
            empty otherwise.
        weekend_gap: how far weekends lie below weekdays in ln(1 + y), which is what
            the effect of Christmas is measured in; 0 for no effect.
        widths: factors on the half-widths of the 80 % and of the 95 % band that the
            members' own variances give.
        total_widths: the same for the bands of a sum.
    """

    start: dt.date
    history: tuple[float, ...]
    members: tuple[Member, ...]
    note: str = ""
    weekend_gap: float = 0.0
    widths: tuple[float, float] = (1.0, 1.0)
    total_widths: tuple[float, float] = (1.0, 1.0)

    __module__ = PICKLED_AS

    def __post_init__(self) -> None:
        _check_model(self)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        restore(self, state)
        _check_model(self)

    @property
    def last_day(self) -> dt.date:
        """Day of the last observation."""
        return self.start + dt.timedelta(days=len(self.history) - 1)

    def predict(self, days: int) -> Forecast:
        """Forecast the `days` days after `last_day`.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        return self._forecast(self._paths(days))

    def predict_with_total(self, days: int) -> tuple[Forecast, Total]:
        """``predict`` and ``total`` at the price of one.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        paths = self._paths(days)
        daily = self._forecast(paths)
        return daily, self._total(paths, daily)

    def total(self, days: int) -> Total:
        """Forecast the sum of the next `days` days.

        The middle is the sum of the daily forecasts. Errors of neighbouring days go
        together, so the band is neither the sum of the daily ends nor that of independent
        days: its variance takes the daily deviations from the daily bands and their
        correlation from the members' psi weights; its ends are those of a log-normal.

        Raises:
            ValueError: `days` is not between 1 and `LONGEST_HORIZON`.
        """
        return self.predict_with_total(days)[1]

    def _total(self, paths: tuple[_Path, ...], daily: Forecast) -> Total:
        middle = float(daily.mean.sum())
        relative = (np.log1p(daily.upper_80) - np.log1p(daily.lower_80)) / (2.0 * Z_80)
        deviations = relative * (1.0 + daily.mean)
        correlation = sum(
            member.weight * path.correlation()
            for member, path in zip(self.members, paths, strict=True)
        )
        spread = math.sqrt(float(deviations @ correlation @ deviations)) / max(middle, 1.0)
        step_80 = Z_80 * spread * self.total_widths[0]
        step_95 = max(Z_95 * spread * self.total_widths[1], step_80)
        return Total(
            mean=middle,
            lower_80=middle * math.exp(-step_80),
            upper_80=_raised(middle, step_80),
            lower_95=middle * math.exp(-step_95),
            upper_95=_raised(middle, step_95),
        )

    def extend(self, newer: Sequence[float]) -> Model:
        """Append newer regular days; the parameters stay as they were estimated.

        Raises:
            BundleError: a value is negative, infinite or not a number.
        """
        return replace(self, history=self.history + tuple(float(value) for value in newer))

    def _paths(self, days: int) -> tuple[_Path, ...]:
        """The members' forecasts, each on its own scale, holidays left out."""
        if not 1 <= days <= LONGEST_HORIZON:
            raise ValueError(f"days is {days}; it must lie between 1 and {LONGEST_HORIZON}")
        counts = without_holidays(np.asarray(self.history), self.start, self.weekend_gap)
        return tuple(_path(member, counts, days) for member in self.members)

    def _forecast(self, paths: tuple[_Path, ...]) -> Forecast:
        start = self.last_day + dt.timedelta(days=1)
        days = paths[0].mean.size
        holidays = christmas.effects(start, days, self.weekend_gap)

        weights = np.array([member.weight for member in self.members])

        def averaged(deviations: float) -> Array:
            """The members' mean at so many standard deviations, (days,) downloads a day."""
            counts = [
                to_counts(member, path.at(deviations))
                for member, path in zip(self.members, paths, strict=True)
            ]
            logs = _trimmed_mean(np.log1p(np.array(counts)), weights)
            return np.asarray(np.expm1(logs) * np.exp(holidays))

        step_80, step_95 = Z_80 * self.widths[0], Z_95 * self.widths[1]
        step_95 = max(step_80, step_95)
        return Forecast(
            start=start,
            mean=averaged(0.0),
            lower_80=averaged(-step_80),
            upper_80=averaged(step_80),
            lower_95=averaged(-step_95),
            upper_95=averaged(step_95),
        )


@dataclass(frozen=True)
class _Path:
    """One member's forecast of z.

    Attributes:
        mean: shape (days,).
        psi: weights of past innovations in the error of a forecast, shape (days,);
            the error h days ahead is the sum of psi[j] e[n + h - j] over j < h.
        sigma: standard deviation of the innovations e.
    """

    mean: Array
    psi: Array
    sigma: float

    def at(self, deviations: float) -> Array:
        """The point so many standard deviations from the mean, shape (days,)."""
        return self.mean + deviations * self.sigma * np.sqrt(np.cumsum(self.psi**2))

    def correlation(self) -> Array:
        """Correlation of the errors of all days, shape (days, days)."""
        days = self.psi.size
        weights = np.zeros((days, days))
        for step in range(days):
            weights[step:, step] = self.psi[: days - step]
        covariance = weights @ weights.T
        scale = np.sqrt(np.diag(covariance))
        return np.asarray(covariance / np.outer(scale, scale))


def _trimmed_mean(values: Array, weights: Array) -> Array:
    """Mean of values (members, days) day by day, weights (members,); shape (days,).

    Of `ENOUGH_TO_TRIM` members or more the lowest and the highest are left out.
    """
    order = np.argsort(values, axis=0, kind="stable")
    ranked, shares = np.take_along_axis(values, order, axis=0), weights[order]
    if len(values) >= ENOUGH_TO_TRIM:
        ranked, shares = ranked[1:-1], shares[1:-1]
    return np.asarray((shares * ranked).sum(axis=0) / shares.sum(axis=0))


def without_holidays(counts: Array, start: dt.date, gap: float) -> Array:
    """Counts (n,) as they would have been without Christmas."""
    if gap == 0.0:
        return counts
    return counts * np.exp(-christmas.effects(start, counts.size, gap))


def _path(member: Member, counts: Array, days: int) -> _Path:
    mean, psi = state_space.ahead(member, member_series(member, counts), days)
    if member.profile:
        mean = mean + np.resize(np.asarray(member.profile), counts.size + days)[counts.size :]
    return _Path(mean, psi, math.sqrt(member.params[-1]))


def _raised(middle: float, step: float) -> float:
    """`middle` times e to the `step`, and no more than a sum of counts can be."""
    highest = LARGEST_COUNT * LONGEST_HORIZON
    return min(middle * math.exp(min(step, math.log(highest))), highest)


def _check_model(model: Model) -> None:
    """Refuse what no trainer of ours would have written; a pickle's fields may be anything."""
    require(type(model.start) is dt.date, "start must be a date")
    require(1990 <= model.start.year <= 2200, "start lies in no year to count in")  # noqa: PLR2004
    require(isinstance(model.note, str), "note must be a string")
    require(are(model.history, float, len(model.history)), "history must be finite floats")
    require(len(model.history) > 0, "history is empty")
    require(
        min(model.history) >= 0.0 and max(model.history) <= LARGEST_COUNT,
        f"a day's count must lie between 0 and {LARGEST_COUNT:g}",
    )
    require(
        isinstance(model.members, tuple)
        and len(model.members) > 0
        and all(isinstance(member, Member) for member in model.members),
        "members must be one Member or more",
    )
    total = math.fsum(member.weight for member in model.members)
    require(abs(total - 1.0) <= 1e-6, "the members' weights do not sum to 1")  # noqa: PLR2004
    require(are(model.widths, float, 2), "widths must be two finite floats")
    require(are(model.total_widths, float, 2), "total_widths must be two finite floats")
    require(min(*model.widths, *model.total_widths) > 0.0, "a width must be above 0")
    require(are((model.weekend_gap,), float, 1), "weekend_gap must be a finite float")
    require(0.0 <= model.weekend_gap <= christmas.WIDEST_GAP, "weekend_gap is out of range")
