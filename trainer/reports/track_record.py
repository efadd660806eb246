"""The track record: what earlier runs forecast, against what then happened.

It is the one accuracy figure that nobody can tune: a forecast is written down when it is
made and scored when its days have come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.bundle.tables import PAST_COLUMNS, TRACK_COLUMNS
from forecast.quantities import WEEK, Array

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from forecast.bundle.reader import Bundle

KEY = ["package", "date", "made_on"]
WEEKS_BACK = 4  # where last week's count is missing, the naive forecast takes an older one
LONGEST_WAIT = 60  # days; a count that has not come by then will not come
MOST_ROWS = 400_000  # in all; 7 MB of the zip
FEWEST_ROWS = 60  # a package; two forecasts' worth, or the last two months' newest days


def most_rows(packages: int) -> int:
    """How many scored rows of a package are kept where there are so many packages."""
    return max(FEWEST_ROWS, MOST_ROWS // max(packages, 1))


def keep_record(
    previous: Bundle,
    name: str,
    counts: pd.Series[int] | None,
    outages: Collection[dt.date],
    today: dt.date,
    *,
    most: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score what can be scored now of one package.

    Args:
        previous: the bundle before, with its forecasts and its own record.
        name: the package; the bundle need not know it.
        counts: all that has been observed of it, by day; None where nothing was.
        outages: days whose counts are not to be believed; they are never scored.
        today: the day of this run.
        most: how many scored rows to keep, see ``most_rows``; the oldest go first.

    Returns:
        What is still to come, as rows of ``past_forecasts.csv``, and the record with what
        has come since added, as rows of ``track_record.csv``.
    """
    said = pd.concat([previous.past(name), _just_said(previous, name)], ignore_index=True)
    said = said.drop_duplicates(KEY)
    waiting = said["date"] >= pd.Timestamp(today) - pd.Timedelta(days=LONGEST_WAIT)
    said = said[waiting & ~said["date"].isin(pd.to_datetime(sorted(outages)))]
    scored = _score(said, counts)
    still = said.loc[~said.index.isin(scored.index), PAST_COLUMNS]
    # A model that is carried over says again what was scored before.
    record = pd.concat([previous.track(name), scored[TRACK_COLUMNS]], ignore_index=True)
    return still, record.drop_duplicates(KEY).tail(most)


def _just_said(bundle: Bundle, name: str) -> pd.DataFrame:
    """The forecast of a bundle as rows of ``past_forecasts.csv``."""
    entry = bundle.modelled.get(name)
    if entry is None:
        return bundle.past(name).iloc[:0]
    made_at = entry.trained_at or bundle.manifest.created_at
    table = bundle.forecast(name).reset_index()
    rows: pd.DataFrame = table.assign(
        package=name,
        made_on=pd.Timestamp(made_at.date()),
        horizon=np.arange(1, len(table) + 1),
    )
    return rows.loc[:, PAST_COLUMNS]


def _score(said: pd.DataFrame, counts: pd.Series[int] | None) -> pd.DataFrame:
    """The rows whose day has come, with how it turned out; the index is that of ``said``."""
    if counts is None or said.empty:
        return said.iloc[:0].reindex(columns=TRACK_COLUMNS)
    actual = counts.reindex(said["date"]).to_numpy(dtype=np.float64, na_value=np.nan)
    naive = _naive(said, counts)
    known = ~np.isnan(actual) & ~np.isnan(naive)
    came, real = said[known], actual[known]
    result: pd.DataFrame = came.assign(
        downloads=real.astype("int64"),
        forecast=came["mean"],
        error=(came["mean"] - real).abs().round(1),
        naive_error=np.abs(naive[known] - real).astype("int64"),
        inside_80=_inside(came, real, 80),
        inside_95=_inside(came, real, 95),
    )
    return result


def _inside(came: pd.DataFrame, real: Array, level: int) -> pd.Series[int]:
    """1 where the count lies within the band of this level, else 0."""
    return came[f"lower_{level}"].le(real).mul(came[f"upper_{level}"].ge(real)).astype(int)


def _naive(rows: pd.DataFrame, observed: pd.Series[int]) -> np.ndarray[tuple[int], np.dtype]:
    """The seasonal naive forecast of each row: the last count of its weekday at the origin."""
    weeks = -(-rows["horizon"].to_numpy(dtype=np.int64) // WEEK)
    result = np.full(len(rows), np.nan)
    for back in range(WEEKS_BACK):
        days = rows["date"] - pd.to_timedelta((weeks + back) * WEEK, unit="D")
        found = observed.reindex(days).to_numpy(dtype=np.float64, na_value=np.nan)
        result = np.where(np.isnan(result), found, result)
    return result
