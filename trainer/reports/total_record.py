"""The track record of totals: those of earlier runs, compared with the counts that followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.bundle.tables import PAST_TOTALS_COLUMNS, TOTAL_TRACK_COLUMNS
from forecast.errors import SeriesError
from forecast.quantities import WEEK
from forecast.series import recent, regular
from trainer.reports.track_record import LONGEST_WAIT, made_on

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from forecast.bundle.reader import Bundle

KEY = ["package", "start", "days", "made_on"]
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
) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    parts = [part for part in (previous.past_totals(name), _latest(previous, name)) if len(part)]
    if not parts:
        return previous.past_totals(name), previous.total_track(name)
    totals = pd.concat(parts, ignore_index=True).drop_duplicates(KEY)
    last = totals["start"] + pd.to_timedelta(totals["days"] - 1, unit="D")
    waiting = last >= pd.Timestamp(today) - pd.Timedelta(days=LONGEST_WAIT)
    for day in map(pd.Timestamp, outages):
        waiting &= (totals["start"] > day) | (last < day)
    totals = totals[waiting]
    scored = _score(totals, _known(counts, outages, through))
    unscored = totals.loc[~totals.index.isin(scored.index), PAST_TOTALS_COLUMNS]
    kept = [part for part in (previous.total_track(name), scored) if len(part)]
    record = pd.concat(kept, ignore_index=True).drop_duplicates(KEY) if kept else scored
    return unscored, record.tail(-(-most // DAYS_PER_TOTAL))


def _latest(bundle: Bundle, name: str) -> pd.DataFrame:
    """The totals of a bundle as rows of ``past_totals.csv``."""
    totals = bundle.totals(name)
    entry = bundle.modelled.get(name)
    if entry is None or entry.trained_through is None or not totals:
        return bundle.past_totals(name).iloc[:0]
    rows = pd.DataFrame([total.columns() for total in totals.values()])
    made: pd.DataFrame = rows.assign(
        package=name,
        start=pd.Timestamp(entry.trained_through) + pd.Timedelta(days=1),
        days=list(totals),
        made_on=made_on(bundle, entry),
    )
    return made.loc[:, PAST_TOTALS_COLUMNS]


def _known(
    counts: pd.Series[int] | None, outages: Collection[dt.date], through: dt.date | None
) -> pd.Series[float]:
    """Counts by day, with the zeros that sources leave out, and without a day that is repaired."""
    if counts is None:
        return pd.Series(dtype="float64", index=pd.DatetimeIndex([]))
    try:
        series = regular(recent(counts, through), outages, through)
    except SeriesError:  # a day that is not known is not guessed
        return counts.astype("float64")
    days = pd.date_range(pd.Timestamp(series.start), periods=len(series.values), freq="D")
    return pd.Series(series.values, index=days).drop(pd.to_datetime(list(series.repaired)))


def _score(totals: pd.DataFrame, known: pd.Series[float]) -> pd.DataFrame:
    """The totals whose days are all known, with their scores; the index is that of ``totals``."""
    sums, before = [], []
    for start, days in zip(totals["start"], totals["days"], strict=True):
        day = pd.Timedelta(days=1)
        counted = known.loc[start : start + (days - 1) * day]
        earlier = known.loc[start - COMPARED * day : start - day]
        sums.append(float(counted.sum()) if len(counted) == days else np.nan)
        before.append(round(float(earlier.mean()) * days, 1) if len(earlier) else np.nan)
    scored: pd.DataFrame = totals.assign(downloads=sums, before=before)
    return scored.dropna(subset=["downloads", "before"]).loc[:, TOTAL_TRACK_COLUMNS]
