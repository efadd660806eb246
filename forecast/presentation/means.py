"""Means of seven days, counted and forecast: what the pictures of a package draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecast.quantities import WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.model.distribution import Distribution
    from forecast.model.model import Model
    from forecast.quantities import Array

HISTORY_DAYS = 90


class Means(NamedTuple):
    """Means of seven days.

    Attributes:
        past: those that end on the last ninety days counted, fewer of a short history.
        ahead: those that end on the days ahead by column: their mean, and the ends of bands.
    """

    past: Array
    ahead: Mapping[str, Array]


def means_of(model: Model, days: int, made: Distribution | None = None) -> Means:
    """The means around the last day counted.

    Args:
        model: the history, and what is forecast.
        days: how many days ahead.
        made: their distribution, if there is one already.
    """
    counts = np.array(model.history[-HISTORY_DAYS - WEEK + 1 :], dtype=np.float64)
    sums = np.cumsum(np.concatenate([[0.0], counts]))
    last = range(1, days + 1)
    found = model.sums([min(each, WEEK) for each in last], last, made)
    known = [sum(model.history[-(WEEK - each) :]) if each < WEEK else 0.0 for each in last]
    ahead = {name: (np.array(known) + values) / WEEK for name, values in found.columns().items()}
    return Means(np.asarray((sums[WEEK:] - sums[:-WEEK]) / WEEK), ahead)
