"""The track record: the forecasts of earlier runs, compared with the counts that followed.

Nobody can tune this measure of accuracy: a forecast is recorded when it is made and scored
when its days have passed.
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

    from forecast.bundle.manifest import PackageEntry
    from forecast.bundle.reader import Bundle

KEY = ["package", "date", "made_on"]
WEEKS_BACK = 4  # if last week's count is missing, the naive forecast takes an older one
LONGEST_WAIT = 60  # days; a count that is missing for longer will not come
MOST_ROWS = 400_000  # in all; 7 MB of the zip
FEWEST_ROWS = 60  # per package; two forecasts, or the newest days of two months


def most_rows(packages: int) -> int:
    """How many scored rows are kept per package, given the number of packages."""
    return max(FEWEST_ROWS, MOST_ROWS // max(packages, 1))


def update_track_record(
    previous: Bundle,
    name: str,
    counts: pd.Series[int] | None,
    outages: Collection[dt.date],
    today: dt.date,
    *,
    most: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the past forecasts of one package whose counts are known now.

    Args:
        previous: the previous bundle, with its forecasts and its own track record.
        name: the package; the bundle need not know it.
        counts: its observed counts by day; None if there are none.
        outages: days whose counts are wrong; they are never scored.
        today: the day of this run.
        most: how many scored rows to keep, see ``most_rows``; the oldest are dropped.

    Returns:
        The forecasts that are still to be scored, as rows of ``past_forecasts.csv``, and the
        track record with the new scores added, as rows of ``track_record.csv``.
    """
    latest = _latest_forecast(previous, name)
    forecasts = pd.concat([previous.past(name), latest], ignore_index=True).drop_duplicates(KEY)
    waiting = forecasts["date"] >= pd.Timestamp(today) - pd.Timedelta(days=LONGEST_WAIT)
    forecasts = forecasts[waiting & ~forecasts["date"].isin(pd.to_datetime(sorted(outages)))]
    scored = _score(forecasts, counts)
    unscored = forecasts.loc[~forecasts.index.isin(scored.index), PAST_COLUMNS]
    # The forecast of a model that is carried over was recorded, and perhaps scored, before.
    record = pd.concat([previous.track(name), scored[TRACK_COLUMNS]], ignore_index=True)
    return unscored, record.drop_duplicates(KEY).tail(most)


def _latest_forecast(bundle: Bundle, name: str) -> pd.DataFrame:
    """The forecast of a bundle as rows of ``past_forecasts.csv``."""
    entry = bundle.modelled.get(name)
    if entry is None:
        return bundle.past(name).iloc[:0]
    table = bundle.forecast(name).reset_index()
    rows: pd.DataFrame = table.assign(
        package=name,
        made_on=made_on(bundle, entry),
        horizon=np.arange(1, len(table) + 1),
    )
    return rows.loc[:, PAST_COLUMNS]


def made_on(bundle: Bundle, entry: PackageEntry) -> pd.Timestamp:
    """The day on which the forecast of a package was made."""
    return pd.Timestamp((entry.trained_at or bundle.manifest.created_at).date())


def _score(forecasts: pd.DataFrame, counts: pd.Series[int] | None) -> pd.DataFrame:
    """The rows whose count is known, with their scores; the index is that of ``forecasts``."""
    if counts is None or forecasts.empty:
        return forecasts.iloc[:0].reindex(columns=TRACK_COLUMNS)
    actual = counts.reindex(forecasts["date"]).to_numpy(dtype=np.float64, na_value=np.nan)
    naive = _naive(forecasts, counts)
    known = ~np.isnan(actual) & ~np.isnan(naive)
    rows, actual = forecasts[known], actual[known]
    result: pd.DataFrame = rows.assign(
        downloads=actual.astype("int64"),
        forecast=rows["median"],
        error=(rows["median"] - actual).abs().round(1),
        naive_error=np.abs(naive[known] - actual).astype("int64"),
        inside_80=_inside(rows, actual, 80),
        inside_95=_inside(rows, actual, 95),
    )
    return result


def _inside(rows: pd.DataFrame, actual: Array, level: int) -> pd.Series[int]:
    """1 where the count lies within the band of this level, else 0."""
    return rows[f"lower_{level}"].le(actual).mul(rows[f"upper_{level}"].ge(actual)).astype(int)


def _naive(rows: pd.DataFrame, observed: pd.Series[int]) -> np.ndarray[tuple[int], np.dtype]:
    """The seasonal naive forecast of each row: the last count of its weekday when it was made."""
    weeks = -(-rows["horizon"].to_numpy(dtype=np.int64) // WEEK)
    result = np.full(len(rows), np.nan)
    for back in range(WEEKS_BACK):
        days = rows["date"] - pd.to_timedelta((weeks + back) * WEEK, unit="D")
        found = observed.reindex(days).to_numpy(dtype=np.float64, na_value=np.nan)
        result = np.where(np.isnan(result), found, result)
    return result
