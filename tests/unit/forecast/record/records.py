"""Bundles with a track record that was made up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from forecast.bundle.tables import (
    DATES,
    PAST_COLUMNS,
    PAST_TOTALS_COLUMNS,
    TOTAL_TRACK_COLUMNS,
    TRACK_COLUMNS,
)
from forecast.document.pictures import draw
from forecast.model.pickling import dumps
from tests.bundles import CREATED_AT, counts, draft, entry, model_of, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecast.bundle.reader import Bundle

LAST_WEEK = dt.date(2026, 11, 15)  # Sunday; the bundle is of the Sunday after it

# A week of which three times as much came as in those before, and as was expected.
FAR_ABOVE = {
    "mean": 6_900.0,
    "lower_80": 6_000.0,
    "upper_80": 7_800.0,
    "lower_95": 5_500.0,
    "upper_95": 8_300.0,
    "downloads": 20_000,
}


def day_row(package="flask", *, ahead=1, made_on=LAST_WEEK, **values):
    """A row of ``track_record.csv``: a day forecast well."""
    row = {
        "package": package,
        "date": made_on + dt.timedelta(days=ahead - 1),
        "made_on": made_on,
        "horizon": ahead,
        "downloads": 110,
        "forecast": 100.0,
        "error": 10.0,
        "naive_error": 20,
        "inside_80": 1,
        "inside_95": 1,
    }
    return row | values


def total_row(package="flask", *, start=LAST_WEEK, days=7, **values):
    """A row of ``total_record.csv``: 700 expected, 600 to 800 (80 %), 500 to 900 (95 %)."""
    row = {
        "package": package,
        "start": start,
        "days": days,
        "made_on": start,
        "mean": 700.0,
        "lower_80": 600.0,
        "upper_80": 800.0,
        "lower_95": 500.0,
        "upper_95": 900.0,
        "downloads": 710.0,
        "before": 650.0,
    }
    return row | values


def bundle_with(days: Iterable[dict] = (), totals: Iterable[dict] = (), **changed) -> Bundle:
    """A bundle of Flask whose record has these rows."""
    of_days, of_totals = _frame(days, TRACK_COLUMNS), _frame(totals, TOTAL_TRACK_COLUMNS)
    names = dict.fromkeys([*of_days["package"], *of_totals["package"], "flask"])
    manifest = draft(**({"created_at": CREATED_AT} | changed))

    def write(writer):
        model = model_of(counts().index[0].date(), counts())
        made, totals = model.predict_with_totals(manifest.forecast_days)
        drawn = draw("flask", "flask", model, made, totals)
        writer.history("flask", counts())
        about = entry("flask", counts(), model)
        writer.add("flask", about, dumps(model), made, totals=totals, pictures=drawn)
        for name in names:
            frames = (
                _frame((), PAST_COLUMNS),
                of_days[of_days["package"] == name],
                _frame((), PAST_TOTALS_COLUMNS),
                of_totals[of_totals["package"] == name],
            )
            writer.record(
                name, *({each: rows[each].to_numpy() for each in rows.columns} for rows in frames)
            )

    return written(write, manifest)


def _frame(rows: Iterable[dict], columns) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=columns)
    for name in DATES & {*columns}:
        frame[name] = pd.to_datetime(frame[name])
    # As a table gives them, so that the same bytes are written again.
    numbers = [name for name in columns if name not in {"package", "days", *DATES}]
    return frame.astype(dict.fromkeys(numbers, "float64"))
