"""The track record: the forecasts of earlier runs, compared with the counts that followed.

Nobody can tune this measure of accuracy: a forecast is recorded when it is made and scored
when its days have passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecast.bundle.tables import FORECASTS, PAST, TRACK, empty_table
from forecast.quantities import WEEK, Array
from trainer.reports.rows import DAY, Counted, chosen, distinct, joined

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    import pandas as pd
    from numpy.typing import NDArray

    from forecast.bundle.manifest import PackageEntry
    from forecast.bundle.reader import Bundle
    from forecast.bundle.tables import Columns

KEY = ["date", "made_on"]
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
) -> tuple[Columns, Columns]:
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
    tables = previous.tables
    forecasts = joined(PAST, tables[PAST].columns(name), _latest_forecast(previous, name))
    forecasts = distinct(forecasts, KEY)
    days = forecasts["date"].astype(DAY)
    waiting = days >= np.datetime64(today) - LONGEST_WAIT
    forecasts = chosen(forecasts, waiting & ~np.isin(days, np.array(sorted(outages), DAY)))
    known, scored = _score(forecasts, Counted.of(counts))
    # The forecast of a model that is carried over was recorded, and perhaps scored, before.
    record = distinct(joined(TRACK, tables[TRACK].columns(name), scored), KEY)
    return chosen(forecasts, ~known), {each: values[-most:] for each, values in record.items()}


def _latest_forecast(bundle: Bundle, name: str) -> Columns:
    """The forecast of a bundle as rows of ``past_forecasts.csv``."""
    entry = bundle.modelled.get(name)
    if entry is None:
        return empty_table(PAST).columns(name)
    found = bundle.tables[FORECASTS].columns(name)
    rows = len(found["date"])
    made = {"made_on": np.full(rows, made_on(bundle, entry)), "horizon": np.arange(1.0, rows + 1)}
    return found | made


def made_on(bundle: Bundle, entry: PackageEntry) -> np.datetime64:
    """The day on which the forecast of a package was made."""
    return np.datetime64((entry.trained_at or bundle.manifest.created_at).date())


def _score(forecasts: Columns, counted: Counted) -> tuple[NDArray[np.bool_], Columns]:
    """Which of the days are known, and the scores of these as rows of ``track_record.csv``."""
    actual, naive = counted.at(forecasts["date"]), _naive(forecasts, counted)
    known = ~np.isnan(actual) & ~np.isnan(naive)
    rows, actual = chosen(forecasts, known), actual[known]
    scores = {
        "downloads": actual,
        "forecast": rows["median"],
        "error": np.abs(rows["median"] - actual).round(1),
        "naive_error": np.abs(naive[known] - actual),
        "inside_80": _inside(rows, actual, 80),
        "inside_95": _inside(rows, actual, 95),
    }
    return known, {**rows, **scores}


def _inside(rows: Columns, actual: Array, level: int) -> Array:
    """1 where the count lies within the band of this level, else 0."""
    inside = (rows[f"lower_{level}"] <= actual) & (actual <= rows[f"upper_{level}"])
    return inside.astype(np.float64)


def _naive(rows: Columns, counted: Counted) -> Array:
    """The seasonal naive forecast of each row: the last count of its weekday when it was made."""
    weeks = -(-rows["horizon"].astype(np.int64) // WEEK)
    days = rows["date"].astype(DAY)
    result = np.full(days.shape, np.nan)
    for back in range(WEEKS_BACK):
        found = counted.at(days - (weeks + back) * WEEK)
        result = np.where(np.isnan(result), found, result)
    return result
