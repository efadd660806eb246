"""A bundle is written package by package, and read as if it had been written at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import numpy as np
import pytest

from forecast.bundle.manifest import MANIFEST, PackageEntry
from forecast.bundle.reader import read_folder, read_zip
from forecast.bundle.tables import PAST, PAST_TOTALS, TOTAL_TRACK, TRACK, empty_table
from forecast.bundle.writer import Writer
from forecast.errors import BundleError
from forecast.model import pickling
from tests.bundles import counts, draft, entry, files_of, model_of, zip_of


@pytest.fixture
def writer(tmp_path):
    return Writer(tmp_path, 30)


def add(writer, name="flask", pictures=None):
    history = counts()
    model = model_of(history.index[0].date(), history)
    made, totals = model.predict_with_totals(30)
    writer.history(name, history)
    about, data = entry(name, history, model), pickling.dumps(model)
    writer.add(name, about, data, made, totals=totals, pictures=pictures or {})


def rows(**values):
    return {name: np.array([value]) for name, value in values.items()}


def empty(columns):
    return {name: values[:0] for name, values in columns.items()}


def past():
    day = np.datetime64("2026-11-25")
    bands = {
        "mean": 5.0,
        "median": 5.0,
        "lower_80": 4.0,
        "upper_80": 6.0,
        "lower_95": 3.0,
        "upper_95": 7.0,
    }
    return rows(date=day, made_on=day, horizon=1, **bands)


def track():
    day = np.datetime64("2026-11-20")
    scores = {"downloads": 5, "forecast": 4.5, "error": 0.5, "naive_error": 1}
    inside = {"inside_80": 1, "inside_95": 1}
    return rows(date=day, made_on=day, horizon=1, **scores, **inside)


def test_the_manifest_names_every_file_with_its_digest(writer, tmp_path):
    add(writer, pictures={"flask.svg": "<svg/>"})
    writer.skip("gone", PackageEntry(label="gone", status="failed", reason="why"))
    manifest = writer.close(draft())
    assert list(manifest.packages) == ["flask", "gone"]
    assert list(manifest.files) == ["history.csv", "forecasts.csv", "totals.csv", "flask.svg"]
    named = manifest.files | {"flask.pkl": manifest.packages["flask"].sha256}
    for name, digest in named.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert read_folder(tmp_path).manifest == manifest


def test_the_manifest_without_packages_is_the_json_of_pydantic(writer, tmp_path):
    outages = (dt.date(2026, 7, 1), dt.date(2026, 7, 2))
    writer.close(draft(commit="caf\u00e9 \u2028", outages=outages))
    manifest = read_folder(tmp_path).manifest
    assert manifest.outages == outages
    assert (tmp_path / "manifest.json").read_bytes() == manifest.dump()


def test_the_manifest_has_a_line_a_package(writer, tmp_path):
    add(writer)
    writer.skip("gone", PackageEntry(label="gone", status="failed", reason="why"))
    manifest = writer.close(draft())
    lines = (tmp_path / "manifest.json").read_bytes().splitlines()
    assert [line.partition(b":")[0] for line in lines[-5:]] == [
        b' "packages"',
        b'"flask"',
        b'"gone"',
        b"}",
        b"}",
    ]
    assert read_folder(tmp_path).manifest == manifest


def test_there_is_no_bundle_before_the_writer_is_closed(writer, tmp_path):
    add(writer)
    with pytest.raises(BundleError, match="is no bundle"):
        read_folder(tmp_path)


def test_a_history_without_an_entry_is_kept(writer, tmp_path):
    add(writer)
    writer.history("gone", counts(days=20))
    writer.close(draft())
    assert b"\ngone,2026-11-21," in (tmp_path / "history.csv").read_bytes()
    assert read_folder(tmp_path).names == ["flask"]


def test_the_record_has_two_files_or_none(writer, tmp_path):
    add(writer)
    assert not (tmp_path / "track_record.csv").exists()
    writer.record("flask", empty(past()), empty(track()))
    manifest = writer.close(draft())
    assert {"past_forecasts.csv", "track_record.csv"} <= manifest.files.keys()
    assert (tmp_path / "track_record.csv").read_bytes().count(b"\n") == 1
    assert read_folder(tmp_path).manifest == manifest


def test_the_record_of_totals_has_two_files_more_or_none(writer, tmp_path):
    add(writer)
    of_totals = [empty_table(name).columns("flask") for name in (PAST_TOTALS, TOTAL_TRACK)]
    writer.record("flask", past(), track(), *of_totals)
    manifest = writer.close(draft())
    assert {PAST_TOTALS, TOTAL_TRACK} <= manifest.files.keys()
    files = files_of(read_folder(tmp_path))
    for missing in ({TOTAL_TRACK}, {PAST_TOTALS}, {PAST, TRACK}, {TRACK}):
        document = json.loads(files[MANIFEST])
        document["files"] = {k: v for k, v in document["files"].items() if k not in missing}
        kept = {name: data for name, data in files.items() if name not in missing}
        with pytest.raises(BundleError, match=r"perhaps past_forecasts\.csv with track_record"):
            read_zip(zip_of(kept | {MANIFEST: json.dumps(document).encode()}))


def test_the_record_is_written_package_by_package(writer, tmp_path):
    add(writer)
    writer.record("flask", past(), track())
    writer.record("django", past(), empty(track()))
    writer.close(draft())
    lines = (tmp_path / "past_forecasts.csv").read_bytes().splitlines()
    assert [line.split(b",")[0] for line in lines] == [b"package", b"flask", b"django"]
    assert len((tmp_path / "track_record.csv").read_bytes().splitlines()) == 2
    read_folder(tmp_path)


def test_rows_of_a_package_that_would_not_be_consecutive_are_refused(writer):
    add(writer)
    with pytest.raises(BundleError, match=r"history\.csv: the rows of 'flask' must be consecutive"):
        writer.history("flask", counts())
    writer.record("flask", past(), track())
    with pytest.raises(
        BundleError, match=r"past_forecasts\.csv: the rows of 'flask' must be consecutive"
    ):
        writer.record("flask", past(), track())


@pytest.mark.parametrize("name", ["../x", "/x", "Flask", "a b", "", "a,b", "x" * 101])
def test_a_name_that_is_not_allowed_reaches_no_path_and_no_row(writer, tmp_path, name):
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for write in (
        lambda: writer.history(name, counts()),
        lambda: add(writer, name),
        lambda: writer.record(name, empty(past()), track()),
        lambda: writer.skip(name, PackageEntry(label=name, status="failed")),
    ):
        with pytest.raises(BundleError, match="no normalised name|no spelling of that name"):
            write()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_of_a_package_that_is_refused_nothing_is_written(writer, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    history = counts()
    model = model_of(history.index[0].date(), history)
    made, totals = model.predict_with_totals(30)
    good = {"totals": totals, "pictures": {}}
    about = entry("flask", history, model)
    for data, forecast, others in (
        (b"", made, good),
        (pickling.dumps(model), made.first(29), good),
        (pickling.dumps(model), made, good | {"totals": {7: totals[7]}}),
        (pickling.dumps(model), made, good | {"pictures": {"x.svg": "<svg/>"}}),
        (pickling.dumps(model), made, good | {"pictures": {"flask.svg": "<script/>"}}),
    ):
        with pytest.raises(BundleError):
            writer.add("flask", about, data, forecast, **others)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
