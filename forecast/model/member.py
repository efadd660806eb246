"""One ARIMA of a model: its orders, its parameters, and the series that it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.model.checks import PICKLED_AS, are, require, restore
from forecast.quantities import LARGEST_COUNT, Array

if TYPE_CHECKING:
    from collections.abc import Mapping


LOG = "log"
LEVEL = "level"

LARGEST_SEASON = 366  # days
# Not tuned: Hampel's three would take more of what is real, and four weeks are a month.
# What counts is that one of a scale's two members sees cleaned days and the other all days:
# spikes may come back or not.
SPIKE = 4.0  # robust standard deviations from which a day counts as a spike
SPIKE_SEASONS = 4  # seasons either way that a day is compared with
MAD_TO_DEVIATION = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class Member:
    """One ARIMA of the mean.

    Attributes:
        order: (p, d, q).
        seasonal_order: (P, D, Q, m); (0, 0, 0, 0) where the ARIMA has no season.
        scale: "log" for z = ln(1 + y), "level" for z = y / unit.
        params: estimates in statsmodels' order (AR, MA, seasonal AR, seasonal MA,
            innovation variance), for z.
        weight: share in the mean; the weights of a model sum to 1.
        profile: effects of the season that are taken off z before the ARIMA and put
            back after it, by position in the season counted from the model's first
            day; empty where the ARIMA itself carries the season.
        cleaned: whether the ARIMA sees z after `winsorise`.
        unit: downloads a day that z = 1 stands for on the level scale.
    """

    order: tuple[int, int, int]
    seasonal_order: tuple[int, int, int, int]
    scale: str
    params: tuple[float, ...]
    weight: float
    profile: tuple[float, ...] = ()
    cleaned: bool = False
    unit: float = 1.0

    __module__ = PICKLED_AS

    def __post_init__(self) -> None:
        _check_member(self)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        restore(self, state)
        _check_member(self)

    @property
    def season(self) -> int:
        """The period that `winsorise` compares a day at: m, or the profile's length, or 1."""
        return max(self.seasonal_order[3], len(self.profile), 1)


def to_scale(counts: Array, scale: str, unit: float) -> Array:
    """Put counts (n,) on a member's scale; same shape."""
    return np.log1p(counts) if scale == LOG else counts / unit


def to_counts(member: Member, z: Array) -> Array:
    """Put z (n,) back into counts (n,), within [0, `LARGEST_COUNT`]."""
    highest = math.log1p(LARGEST_COUNT)
    counts = np.expm1(np.minimum(z, highest)) if member.scale == LOG else z * member.unit
    return np.clip(counts, 0.0, LARGEST_COUNT)


def winsorise(z: Array, season: int) -> Array:
    """Pull the spikes of z (n,) in to where they stop mattering; same shape.

    A day is compared with the median of the same positions of the season within
    `SPIKE_SEASONS` seasons either way, itself included. What differs from that by more
    than `SPIKE` robust standard deviations of these differences is put at that
    distance. Where most differences are 0 nothing can be told, and z is returned.
    """
    offsets = season * np.arange(-SPIKE_SEASONS, SPIKE_SEASONS + 1)
    at = np.arange(z.size)[:, None] + offsets[None, :]
    inside = (at >= 0) & (at < z.size)
    # Sorted with infinities last, the median is the middle of what is finite: several
    # times faster than nanmedian on rows this short.
    ranked = np.sort(np.where(inside, z[np.clip(at, 0, z.size - 1)], np.inf), axis=1)
    size = inside.sum(axis=1)
    rows = np.arange(z.size)
    usual = 0.5 * (ranked[rows, (size - 1) // 2] + ranked[rows, size // 2])
    limit = SPIKE * MAD_TO_DEVIATION * float(np.median(np.abs(z - usual)))
    return usual + np.clip(z - usual, -limit, limit) if limit > 0.0 else z


def member_series(member: Member, counts: Array) -> Array:
    """The series (n,) that the member's ARIMA sees, from counts (n,) without holidays."""
    z = to_scale(counts, member.scale, member.unit)
    if member.cleaned:
        z = winsorise(z, member.season)
    if member.profile:
        z = z - np.resize(np.asarray(member.profile), z.size)
    return z


def _check_member(member: Member) -> None:
    """Refuse what no trainer of ours would have written; a pickle's fields may be anything."""
    require(are(member.order, int, 3), "order must be three whole numbers")
    require(are(member.seasonal_order, int, 4), "seasonal_order must be four whole numbers")
    (p, d, q), (big_p, big_d, big_q, m) = member.order, member.seasonal_order
    require(min(*member.order, *member.seasonal_order) >= 0, "an order is negative")
    require(max(p, d, q, big_p, big_d, big_q) <= 5, "an order is above 5")  # noqa: PLR2004
    require(m <= LARGEST_SEASON, f"a season is above {LARGEST_SEASON} days")
    require(m > 1 or big_p + big_d + big_q == 0, "seasonal orders need a season")
    require(member.scale in {LOG, LEVEL}, f"scale must be {LOG!r} or {LEVEL!r}")
    require(isinstance(member.cleaned, bool), "cleaned must be true or false")
    require(are(member.params, float, p + q + big_p + big_q + 1), "params do not fit the orders")
    require(are(member.profile, float, len(member.profile)), "profile must be finite floats")
    require(len(member.profile) <= LARGEST_SEASON, f"profile is above {LARGEST_SEASON} days")
    require(are((member.weight, member.unit), float, 2), "weight and unit must be finite floats")
    require(member.params[-1] >= 0.0, "the innovation variance is negative")
    require(0.0 < member.weight <= 1.0 + 1e-9, "a weight must lie in (0, 1]")
    require(member.unit > 0.0, "unit must be above 0")
