"""Package forecasts that the tests of this folder start from."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from app.view.layout import Surroundings
from forecast.bundle.manifest import Backtest
from forecast.config import Package
from forecast.presentation.package_forecast import from_bundle
from forecast.series import regular
from tests.bundles import LAST_DAY, counts, make_bundle, model_of

SCORES = Backtest(
    origins=4, mase=0.9, naive_mase=1.2, ratio=0.75, coverage_80=0.78, coverage_95=0.941
)
AROUND = Surroundings(LAST_DAY + dt.timedelta(days=1), "PyPI Stats")
NAMES = ("flask", "requests", "a", "b", "c")


def package_forecast(name="flask", *, scores=SCORES, **changes):
    """A package of the bundle of the tests, with some of its attributes replaced."""
    made = from_bundle(make_bundle(NAMES), Package(name, name), None, ())
    return replace(made, backtest=scores, **changes)


def with_history(values, name="flask"):
    """A package with these counts, and a model of them."""
    made = package_forecast(name)
    index = counts(days=len(values)).index
    series = pd.Series(np.asarray(values, dtype="int64"), index=index, name="downloads")
    model = model_of(index[0].date(), series)
    daily, totals = model.predict_with_totals(30)
    return replace(
        made,
        series=regular(series, ()),
        daily=daily,
        totals=totals,
        load=lambda: model,
    )


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")
