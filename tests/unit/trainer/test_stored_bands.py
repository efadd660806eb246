"""Each of the columns keeps its values on its way through a run."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from forecast.bands import Total
from forecast.bundle.manifest import PackageEntry
from forecast.bundle.tables import PAST_COLUMNS, forecast_rows, record_rows
from forecast.config import Package
from forecast.document.pictures import badge, chart
from forecast.history import Merged
from tests.bundles import (
    BANDS,
    CREATED_AT,
    LAST_DAY,
    TOTAL,
    bands,
    counts,
    make_bundle,
    outdated,
    with_files,
)
from tests.trainings import run_plan
from trainer.engines.task import Outcome, Product
from trainer.plan import Part, Plan
from trainer.previous import carry_over
from trainer.reports.track_record import update_track_record
from trainer.store import Store

PLAN = Plan.model_construct(forecast_days=30, created_at=CREATED_AT)
SVG = "{http://www.w3.org/2000/svg}"
ROW = b"flask,2026-11-22,310.0,300.0,200.0,400.0,100.0,500.0\n"
PAST_ROW = b"flask,2026-11-22,2026-11-22,1.0,310.0,300.0,200.0,400.0,100.0,500.0\n"


@pytest.fixture(scope="module")
def bundle():
    """A bundle with the same bands every day."""
    days = b"".join(forecast_rows(name, bands(30)) for name in ("flask", "requests"))
    header = b"package,date,mean,median,lower_80,upper_80,lower_95,upper_95\n"
    return with_files(make_bundle(), forecasts__csv=header + days)


def test_a_row_of_forecasts(bundle):
    assert forecast_rows("flask", bands(1)) == ROW
    assert bundle.forecast("flask").iloc[0].to_dict() == BANDS


def test_a_row_of_past_forecasts(bundle):
    past, _ = update_track_record(bundle, "flask", None, (), LAST_DAY, most=9)
    assert record_rows("flask", past, "past_forecasts.csv").startswith(PAST_ROW)
    assert {"package", *past} == {*PAST_COLUMNS}
    assert {name: past[name][0] for name in BANDS} == BANDS


@pytest.mark.parametrize(
    ("count", "inside_80", "inside_95"),
    [
        (99, 0, 0),
        (100, 0, 1),
        (199, 0, 1),
        (200, 1, 1),
        (400, 1, 1),
        (401, 0, 1),
        (500, 0, 1),
        (501, 0, 0),
    ],
)
def test_a_count_is_inside_the_bands_of_its_day(bundle, count, inside_80, inside_95):
    day = pd.Timestamp(LAST_DAY) + pd.Timedelta(days=1)
    known = pd.concat([counts(), pd.Series([count], [day])])
    _, track = update_track_record(bundle, "flask", known, (), day.date(), most=9)
    row = {name: value for name, [value] in track.items()}
    assert row["forecast"] == BANDS["median"]
    assert row["error"] == abs(BANDS["median"] - count)
    assert (row["inside_80"], row["inside_95"]) == (inside_80, inside_95)


def test_an_outcome_comes_back_from_its_file(tmp_path):
    entry = PackageEntry(label="flask", status="trained")
    outcome = Outcome("flask", Product(entry, b"model", bands(3), {3: Total(**TOTAL)}, {}), "", 0.5)
    with closing(Store.begin(tmp_path / "run", run_plan("flask"))) as store:
        store.add_counts("flask", Merged(counts(), 0))
        store.add_outcome(outcome, Part())
        [[blob]] = store._part(Part().file).execute("SELECT forecast FROM outcomes")
        product = store.outcome("flask").product
    read = product.forecast
    assert product.totals == {3: Total(**TOTAL)}
    assert np.frombuffer(blob).reshape(6, 3)[:, 0].tolist() == list(BANDS.values())
    assert read.start == bands(3).start
    assert {name: values[0] for name, values in read.columns().items()} == BANDS


def test_a_carried_forecast_is_that_of_the_bundle_before(bundle):
    _, product = carry_over(bundle, Package("flask", "flask"), "why", PLAN)
    assert {name: each[0] for name, each in product.forecast.columns().items()} == BANDS


def test_a_carried_forecast_of_days_that_are_over_says_so(bundle):
    for age in (30, 31):
        now = dt.datetime.combine(LAST_DAY + dt.timedelta(days=age), dt.time(), dt.UTC)
        plan = PLAN.model_copy(update={"created_at": now})
        entry, product = carry_over(bundle, Package("flask", "flask"), "why", plan)
        assert entry.no_counts_since == (LAST_DAY if age > 30 else None)
        pictures = "".join(product.pictures.values())
        assert (f"no counts since {LAST_DAY}" in pictures) is (age > 30)


def test_a_model_of_an_earlier_version_is_not_carried_over():
    entry, product = carry_over(outdated(make_bundle()), Package("flask", "flask"), "why", PLAN)
    assert product is None
    assert entry.status == "failed"
    assert entry.reason == "why; the model of 'flask' was made by an earlier version"


def test_totals_are_carried_over_too(bundle):
    _, product = carry_over(bundle, Package("flask", "flask"), "why", PLAN)
    assert product.totals == bundle.totals("flask")
    _, shorter = carry_over(
        bundle, Package("flask", "flask"), "why", PLAN.model_copy(update={"forecast_days": 14})
    )
    assert list(shorter.totals) == [7, 14]


def test_a_picture_shows_each_band_where_it_lies(bundle):
    model = bundle.model("flask")
    root = ET.fromstring(chart("Flask", model, model.total(30), 30))
    lines = {
        each.get("class").split()[-1]: [
            float(point.split(",")[1]) for point in each.get("points").split()
        ]
        for tag in ("polyline", "polygon")
        for each in root.iter(SVG + tag)
    }
    last = {name: values[0] / 7 for name, values in model.sums([7], [30]).columns().items()}
    scale = (lines["ahead"][0] - lines["ahead"][-1]) / (last["mean"] - np.mean(model.history[-7:]))

    def height(name):
        return pytest.approx(lines["ahead"][-1] - scale * (last[name] - last["mean"]), abs=0.5)

    for level, line in (("80", "b80"), ("95", "b95")):
        assert lines[line][30] == height(f"upper_{level}")
        assert lines[line][31] == height(f"lower_{level}")


def test_pictures_tell_the_80_percent_band_of_the_total(bundle):
    model = bundle.model("flask")
    total = model.total(30)
    total = type(total)(**TOTAL)
    for svg in (badge("Flask", total, 30), chart("Flask", model, total, 30)):
        title = ET.fromstring(svg).findtext(f"{SVG}title")
        assert title
        assert "310 downloads" in title
        assert "(80\N{NO-BREAK SPACE}%: 200 to 400)" in title
