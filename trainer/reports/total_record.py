"""The track record of totals: those of earlier runs, compared with the counts that followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.bundle.tables import PAST_TOTALS, TOTAL_TRACK, TOTALS, empty_table
from forecast.errors import SeriesError
from forecast.quantities import WEEK
from forecast.series import recent, regular
from trainer.reports.rows import DAY, Counted, chosen, distinct, joined
from trainer.reports.track_record import LONGEST_WAIT, made_on

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    import pandas as pd
    from numpy.typing import NDArray

    from forecast.bundle.reader import Bundle
    from forecast.bundle.tables import Columns

KEY = ["start", "days", "made_on"]
COMPARED = 4 * WEEK  # days before, that a total is compared with
DAYS_PER_TOTAL = 6  # a package keeps a row of totals for so many rows of days


def update_total_record(
    previous: Bundle,
    name: str,
    counts: pd.Series[int] | None,
    outages: Collection[dt.date],
    today: dt.date,
    *,
    through: dt.date | None,
    most: int,
) -> tuple[Columns, Columns]:
    """Score the past totals of one package whose days are all known now.

    Args:
        previous: the previous bundle, with its totals and its own track record.
        name: the package; the bundle need not know it.
        counts: its observed counts by day; None if there are none.
        outages: days whose counts are wrong; a total with such a day is never scored.
        today: the day of this run.
        through: the last day that any package has counts of.
        most: how many scored rows of days are kept, see ``track_record.most_rows``.

    Returns:
        The totals that are still to be scored, as rows of ``past_totals.csv``, and the record
        with the new scores added, as rows of ``total_record.csv``.
    """
    tables = previous.tables
    totals = joined(PAST_TOTALS, tables[PAST_TOTALS].columns(name), _latest(previous, name))
    totals = distinct(totals, KEY)
    first = totals["start"].astype(DAY)
    last = first + totals["days"] - 1
    waiting = last >= np.datetime64(today) - LONGEST_WAIT
    for day in map(np.datetime64, outages):
        waiting &= (first > day) | (last < day)
    totals = chosen(totals, waiting)
    known, scored = _score(totals, _known(counts, outages, through))
    record = distinct(joined(TOTAL_TRACK, tables[TOTAL_TRACK].columns(name), scored), KEY)
    kept = -(-most // DAYS_PER_TOTAL)
    return chosen(totals, ~known), {each: values[-kept:] for each, values in record.items()}


def _latest(bundle: Bundle, name: str) -> Columns:
    """The totals of a bundle as rows of ``past_totals.csv``."""
    entry = bundle.modelled.get(name)
    if entry is None or entry.trained_through is None:
        return empty_table(PAST_TOTALS).columns(name)
    found = bundle.tables[TOTALS].columns(name)
    rows = len(found["days"])
    days = {"start": np.datetime64(entry.trained_through) + 1, "made_on": made_on(bundle, entry)}
    return found | {each: np.full(rows, day) for each, day in days.items()}


def _known(
    counts: pd.Series[int] | None, outages: Collection[dt.date], through: dt.date | None
) -> Counted:
    """Counts by day, with the zeros that sources leave out, and without a day that is repaired."""
    if counts is None:
        return Counted.of(None)
    try:
        series = regular(recent(counts, through), outages, through)
    except SeriesError:  # a day that is not known is not guessed
        return Counted.of(counts)
    start, values = np.datetime64(series.start), series.values.copy()
    values[(np.array(series.repaired, DAY) - start).astype(np.int64)] = np.nan
    return Counted(start, values)


def _score(totals: Columns, counted: Counted) -> tuple[NDArray[np.bool_], Columns]:
    """Which of the totals are known, and their scores as rows of ``total_record.csv``."""
    found = zip(totals["start"].astype(DAY), totals["days"].tolist(), strict=True)
    scores = np.array([_score_one(counted, *each) for each in found]).reshape(-1, 2)
    known = np.isfinite(scores).all(axis=1)
    downloads, before = scores[known].T
    return known, {**chosen(totals, known), "downloads": downloads, "before": before}


def _score_one(counted: Counted, start: np.datetime64, days: int) -> tuple[float, float]:
    """The sum over some days and the same from the days before; NaN where it is not known."""
    earlier = counted.at(start - np.arange(1, COMPARED + 1))
    earlier = earlier[np.isfinite(earlier)]
    before = round(float(earlier.mean()) * days, 1) if earlier.size else np.nan
    return float(counted.at(start + np.arange(days)).sum()), before
