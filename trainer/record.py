"""The track record: what earlier runs forecast, against what then happened.

It is the one accuracy figure that nobody can tune: a forecast is written down when it is
made and scored when its days have come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.tables import PAST_COLUMNS, TRACK_COLUMNS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from forecast.bundle import Bundle

KEY = ["package", "date", "made_on"]
WEEK = 7
WEEKS_BACK = 4  # where last week's count is missing, the naive forecast takes an older one
LONGEST_WAIT = 60  # days; a count that has not come by then will not come
MOST_ROWS = 200_000  # about 12 MB; five packages fill it in 25 years, 5,000 in nine days


def keep_record(
    previous: Bundle,
    counts: Mapping[str, pd.Series[int]],
    outages: Collection[dt.date],
    today: dt.date,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score what can be scored now.

    Args:
        previous: the bundle before, with its forecasts and its own record.
        counts: all that has been observed, by package and day.
        outages: days whose counts are not to be believed; they are never scored.
        today: the day of this run.

    Returns:
        What is still to come, and the record with what has come since added.
    """
    said = pd.concat([previous.past, _just_said(previous)], ignore_index=True)
    said = said.drop_duplicates(KEY)
    waiting = said["date"] >= pd.Timestamp(today) - pd.Timedelta(days=LONGEST_WAIT)
    said = said[waiting & ~said["date"].isin(pd.to_datetime(sorted(outages)))]
    scored = _score(said, counts)
    still = said.loc[~said.index.isin(scored.index), PAST_COLUMNS]
    # A model that is carried over says again what was scored before.
    record = pd.concat([previous.track, scored[TRACK_COLUMNS]], ignore_index=True)
    return still, record.drop_duplicates(KEY).tail(MOST_ROWS)


def _just_said(bundle: Bundle) -> pd.DataFrame:
    """The forecasts of a bundle as rows of ``past_forecasts.csv``."""
    tables = []
    for name, entry in bundle.manifest.modelled.items():
        table = bundle.forecast(name).reset_index()
        made_at = entry.trained_at or bundle.manifest.created_at
        tables.append(
            table.assign(
                package=name,
                made_on=pd.Timestamp(made_at.date()),
                horizon=np.arange(1, len(table) + 1),
            )
        )
    return pd.concat(tables)[PAST_COLUMNS] if tables else bundle.past


def _score(said: pd.DataFrame, counts: Mapping[str, pd.Series[int]]) -> pd.DataFrame:
    """The rows whose day has come, with how it turned out; the index is that of ``said``."""
    scored = []
    for name, rows in said.groupby("package", sort=False):
        observed = counts.get(str(name))
        if observed is None:
            continue
        actual = observed.reindex(rows["date"]).to_numpy(dtype=np.float64, na_value=np.nan)
        naive = _naive(rows, observed)
        known = ~np.isnan(actual) & ~np.isnan(naive)
        came = rows[known]
        real = actual[known]
        scored.append(
            came.assign(
                downloads=real.astype("int64"),
                forecast=came["mean"],
                error=(came["mean"] - real).abs().round(1),
                naive_error=np.abs(naive[known] - real).astype("int64"),
                inside_80=((came["lower_80"] <= real) & (real <= came["upper_80"])).astype(int),
                inside_95=((came["lower_95"] <= real) & (real <= came["upper_95"])).astype(int),
            )
        )
    return pd.concat(scored) if scored else said.iloc[:0].reindex(columns=TRACK_COLUMNS)


def _naive(rows: pd.DataFrame, observed: pd.Series[int]) -> np.ndarray[tuple[int], np.dtype]:
    """The seasonal naive forecast of each row: the last count of its weekday at the origin."""
    weeks = -(-rows["horizon"].to_numpy(dtype=np.int64) // WEEK)
    result = np.full(len(rows), np.nan)
    for back in range(WEEKS_BACK):
        days = rows["date"] - pd.to_timedelta((weeks + back) * WEEK, unit="D")
        found = observed.reindex(days).to_numpy(dtype=np.float64, na_value=np.nan)
        result = np.where(np.isnan(result), found, result)
    return result
