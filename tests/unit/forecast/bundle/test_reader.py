"""A bundle is written whole and read with every check."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from dataclasses import replace
from io import BytesIO

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.bundle import reader as bundles
from forecast.bundle.gate import check_package
from forecast.bundle.manifest import LARGEST_MANIFEST, MOST_VALUES, parse_manifest
from forecast.bundle.reader import digest, extract, read_folder, read_models, read_zip
from forecast.errors import BundleError
from tests.bundles import (
    BANDS,
    LAST_DAY,
    counts,
    files_of,
    make_bundle,
    outdated,
    replace_folder,
    zip_of,
)


@pytest.fixture(scope="module")
def bundle():
    return make_bundle(failed={"gone": "PyPI Stats has no such package"})


@pytest.fixture
def files(bundle):
    return files_of(bundle)


GROUP = {"label": "@g", "status": "failed", "reason": "not trained"}
MEMBER = {"order": [0, 1, 1], "seasonal_order": [0, 0, 0, 0], "weight": 0}


def manifest_with(files, change):
    """The files with a manifest after ``change``, digests of the tables made right again."""
    document = json.loads(files["manifest.json"])
    for table in document["files"]:
        document["files"][table] = digest(files[table])
    change(document)
    return files | {"manifest.json": json.dumps(document).encode()}


def refused(files, match):
    with pytest.raises(BundleError, match=match) as caught:
        read_zip(zip_of(files))
    assert "\n" not in str(caught.value)


def test_a_zip_gives_back_what_was_written(bundle):
    read = read_zip(zip_of(bundle))
    assert read.manifest == bundle.manifest
    assert read.names == ["flask", "requests"]
    pd.testing.assert_series_equal(
        read.history("flask"), counts(), check_names=False, check_freq=False, check_index_type=False
    )
    assert read.model("flask").last_day == LAST_DAY


def test_a_folder_gives_back_what_was_written(bundle, files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert read_folder(tmp_path).manifest == bundle.manifest


def test_the_forecast_starts_on_the_day_after_the_last_observed_one(bundle):
    forecast = bundle.forecast("flask")
    assert forecast.index[0] == pd.Timestamp("2026-11-22")
    assert len(forecast) == 30
    assert list(forecast.columns) == list(BANDS)


def test_the_table_of_forecasts_is_what_the_model_says(bundle):
    predicted = bundle.model("flask").predict(30)
    assert bundle.forecast("flask")["upper_95"].to_list() == pytest.approx(
        predicted.upper_95.tolist(), abs=0.051
    )


def test_the_table_of_totals_is_what_the_model_says(bundle):
    totals = bundle.totals("flask")
    _, predicted = bundle.model("flask").predict_with_totals(30)
    assert list(totals) == list(predicted) == [7, 14, 28, 30]
    assert totals[28].upper_95 == pytest.approx(predicted[28].upper_95, abs=0.051)


def test_a_bundle_of_the_format_before_is_read_but_for_its_models():
    bundle = make_bundle()
    old = outdated(bundle)
    assert old.manifest.outdated
    pd.testing.assert_series_equal(old.history("flask"), bundle.history("flask"))
    forecast = old.forecast("flask")
    assert forecast["median"].tolist() == forecast["mean"].tolist()
    assert old.totals("flask") == {}
    assert old.entry("flask").members[0].order == (0, 1, 1)
    with pytest.raises(BundleError, match="the model of 'flask' was made by an earlier version"):
        old.model("flask")


def test_the_same_run_gives_the_same_bytes(bundle):
    again = make_bundle(failed={"gone": "PyPI Stats has no such package"})
    assert files_of(again) == files_of(bundle)


def test_a_package_without_a_model_is_named(bundle):
    with pytest.raises(BundleError, match="no model of 'gone' in this bundle; it has flask, req"):
        bundle.model("gone")


def test_no_folder(tmp_path):
    with pytest.raises(BundleError, match="is no bundle: .*manifest.json: No such file"):
        read_folder(tmp_path / "nowhere")


def test_who_uses_a_damaged_folder_is_told_what_to_do(files, tmp_path):
    replace_folder(tmp_path, files | {"flask.pkl": b"x"})
    remedy = f"make another bundle with `python -m trainer --output {tmp_path}`"
    with pytest.raises(BundleError, match=rf"flask\.pkl is not the file .*; {remedy}"):
        read_models(tmp_path)


@pytest.mark.parametrize("name", ["history.csv", "forecasts.csv", "totals.csv", "flask.pkl"])
def test_a_changed_file_is_refused(files, name):
    refused(files | {name: files[name] + b" "}, f"{name} is not the file the manifest names")


@pytest.mark.parametrize("name", ["history.csv", "forecasts.csv", "totals.csv", "flask.pkl"])
def test_a_missing_file_is_refused(files, name):
    refused({key: data for key, data in files.items() if key != name}, f"the zip lacks '{name}'")


def test_a_zip_without_manifest_is_refused(files):
    del files["manifest.json"]
    refused(files, "holds no manifest.json")


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/passwd", "a/flask.pkl", "other.pkl", "C:\\x", "flask.pkl/"]
)
def test_a_member_that_is_no_file_of_the_bundle_is_refused(files, name):
    refused(files | {name: b"x"}, "which is no file of the bundle")


def test_two_members_of_one_name_are_refused(files):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("flask.pkl", b"x")
    with pytest.raises(BundleError, match="two members of one name"):
        read_zip(buffer.getvalue())


def test_an_encrypted_member_is_refused(files):
    data = bytearray(zip_of(files))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1  # the flag in the directory, which is what zipfile goes by
    with pytest.raises(BundleError, match="is encrypted"):
        read_zip(bytes(data))


@pytest.mark.parametrize("data", [b"", b"PK", b"<html>not found</html>", b"\x00" * 100])
def test_what_is_no_zip_is_refused(data):
    with pytest.raises(BundleError, match="the zip cannot be read"):
        read_zip(data)


def test_a_truncated_zip_is_refused(files):
    data = zip_of(files)
    for length in (10, len(data) // 2, len(data) - 5):
        with pytest.raises(BundleError):
            read_zip(data[:length])


def test_a_model_that_is_too_large_is_refused_before_it_is_unpacked(files):
    refused(files | {"flask.pkl": b"\0" * 70_000}, "'flask.pkl' has 70,000 bytes; at most 65,536")


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(files, monkeypatch, folder):
    name = max((name for name in files if name.endswith(".csv")), key=lambda n: len(files[n]))
    size = len(files[name])
    monkeypatch.setattr(bundles, "LARGEST_FILE", size)
    read_zip(zip_of(files))
    read_folder(folder)
    monkeypatch.setattr(bundles, "LARGEST_FILE", size - 1)
    refused(files, f"'{name}' has {size:,} bytes; at most {size - 1:,} are allowed")
    with pytest.raises(BundleError, match=f"'{name}' has .* are allowed"):
        read_folder(folder)


def test_a_bomb_is_refused_by_its_directory(files, monkeypatch):
    monkeypatch.setattr(bundles, "LARGEST_BUNDLE", 100_000)
    refused(files | {"history.csv": b"\0" * 200_000}, "at most 100,000 may be")


def test_a_bomb_that_lies_about_its_size_is_read_no_further(files):
    data = bytearray(zip_of({**files, "history.csv": b"\0" * 5_000_000}))
    small = struct.pack("<L", 1000)
    at = data.rindex(b"history.csv") - 46  # its entry in the directory
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = small
    with pytest.raises(BundleError):
        read_zip(bytes(data))


def test_too_many_members_are_refused(files, monkeypatch):
    monkeypatch.setattr(bundles, "MOST_FILES", 3)
    refused(files, "at most 3 are allowed")


def test_entries_are_counted_before_they_are_parsed(monkeypatch):
    entry = struct.pack("<4s42x", b"PK\x01\x02")
    end = struct.pack("<4s4xHHIIH", b"PK\x05\x06", 65_535, 65_535, 46 * 200_000, 0, 0)
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *_: pytest.fail("an entry was parsed"))
    with pytest.raises(BundleError, match=r"has 200,000 members; at most 20,000 are allowed"):
        read_zip(entry * 200_000 + end)


def test_values_of_a_manifest_are_counted_before_they_are_parsed(files):
    head = files["manifest.json"].replace(b'"m_values": [', b'"m_values": [' + b"7," * 2_500_000)
    refused(
        files | {"manifest.json": head}, "expected at most 33,554,432 bytes and 2,000,000 values"
    )
    big = files["manifest.json"] + b" " * (32 << 20)
    refused(files | {"manifest.json": big}, "at most 33,554,432 are allowed")


def test_the_manifest_of_5000_packages_is_far_from_the_limits(bundle):
    entry = bundle.entry("flask").model_dump_json().encode()
    assert 5_000 * len(entry) < LARGEST_MANIFEST / 3
    assert 5_000 * entry.count(b",") < MOST_VALUES / 3


def test_a_future_format_says_so(files):
    changed = manifest_with(files, lambda document: document.update(format=3))
    refused(changed, "of a format that this version does not read: update it")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d.update(created_at="2026-11-22T03:23:00"), "created_at: "),
        (lambda d: d.update(source="elsewhere"), "source: "),
        (lambda d: d.update(forecast_days=0), "forecast_days: "),
        (lambda d: d.update(surprise=1), "surprise: "),
        (
            lambda d: d["files"].update({"x.csv": "0" * 64}),
            "files: expected forecasts.csv, history.csv, totals.csv",
        ),
        (lambda d: d["files"].pop("totals.csv"), "files: expected forecasts.csv, history.csv, tot"),
        (
            lambda d: d["files"].pop("history.csv"),
            "files: expected forecasts.csv, history.csv, totals.csv",
        ),
        (lambda d: d["packages"]["flask"].update(file="../x.pkl"), "packages.flask: expected"),
        (lambda d: d["packages"]["flask"].update(sha256=None), "packages.flask: expected"),
        (lambda d: d["packages"]["flask"].update(sha256="f"), "packages.flask.sha256: "),
        (lambda d: d["packages"]["flask"].update(trained_through=None), "packages.flask: expected"),
        (lambda d: d["packages"].update({"../x": d["packages"]["gone"]}), r"packages\.\.\./x"),
        (lambda d: d["packages"]["flask"]["backtest"].update(mase=-1), "backtest.mase: "),
        (lambda d: d["packages"]["flask"].update(seconds="nan"), "seconds: "),
        (
            lambda d: d["packages"]["flask"].update(trained_through="2026-11-20"),
            "expected 30 days of 'flask' from 2026-11-21",
        ),
        (lambda d: d.update(forecast_days=31), "expected 31 days of 'flask'"),
        (lambda d: d.update(m_values=[7] * 65), "m_values: "),
        (lambda d: d.update(m_values=[10**30]), r"m_values\.0: "),
        (lambda d: d.update(outages=["2026-11-02"] * 20_001), "outages: "),
        (lambda d: d.update(versions={str(n): "" for n in range(101)}), "versions: "),
        (lambda d: d["packages"]["flask"].update(repaired=["2026-11-02"] * 20_001), "repaired: "),
        (lambda d: d["packages"]["flask"].update(members=65 * [MEMBER]), "members: "),
        (lambda d: d["packages"]["flask"].update(order=[9999, 0, 0]), r"order\.0: "),
        (lambda d: d["packages"]["flask"].update(label="<a href='//evil'>x</a>"), "the label of f"),
        (
            lambda d: d["packages"].update({"@g": GROUP | {"parts": [{"name": "x"}] * 1_001}}),
            "parts: ",
        ),
        (lambda d: d["packages"]["gone"].update(label="flask"), "the label of gone is no spelling"),
    ],
)
def test_a_manifest_that_does_not_hold_together_is_refused(files, change, match):
    refused(manifest_with(files, change), match)


@pytest.mark.parametrize(
    ("name", "old", "new", "match"),
    [
        ("history.csv", b"2026-11-21,", b"2026-11-21,-", "not a whole number from 0"),
        ("history.csv", b"2026-11-21,", b"2026-11-21,0.5", "not a whole number from 0"),
        ("history.csv", b"2026-11-21,", b"2026-11-21,9999999999999", "not a whole number from 0"),
        ("history.csv", b"2026-11-21,", b"2026-11-21,nan", "is malformed"),
        ("history.csv", b"2026-11-21,", b"2026-11-31,", "is malformed"),
        ("history.csv", b"2026-11-21,", b"2026-11-20,", "a day twice, or its days are not in"),
        ("history.csv", b"2026-11-21,", b"2020-01-01,", "a day twice, or its days are not in"),
        ("history.csv", b"package,date", b"date,package", "is malformed|expected the col"),
        ("history.csv", b"flask,", b"Flask,", "'Flask' is no normalised name of a package"),
        ("history.csv", b"flask,", b"\xff,", "is malformed"),
        ("history.csv", b"flask,", b"other,", "history.csv has no rows of flask"),
        ("forecasts.csv", b"flask,2026-11-22,", b"flask,2026-11-22,-", "not finite, is negative"),
        ("forecasts.csv", b"flask,2026-11-22,", b"flask,2026-11-22,9999", "outside its band"),
        (
            "forecasts.csv",
            b"flask,2026-11-22,",
            b"flask,2026-11-22,inf,",
            "is malformed|fin",
        ),
        (
            "forecasts.csv",
            b"flask,2026-11-22,",
            b"flask,2026-11-21,",
            "expected 30 days of 'flask'",
        ),
        ("forecasts.csv", b"flask,", b"other,", "expected 30 days of 'flask'"),
        (
            "totals.csv",
            b"flask,",
            b"other,",
            "expected the totals of 7, 14, 28, 30 days of 'flask'",
        ),
        ("totals.csv", b"flask,7,", b"flask,6,", "expected the totals of 7, 14, 28, 30 days"),
        ("totals.csv", b"flask,7,", b"flask,7,9999", "outside its band"),
        ("totals.csv", b"flask,7,", b"flask,0,", "days are not a whole number"),
    ],
)
def test_a_table_that_is_not_ours_is_refused(files, name, old, new, match):
    assert old in files[name]
    changed = files | {name: files[name].replace(old, new)}
    refused(manifest_with(changed, lambda _: None), match)


def test_a_picture_that_is_not_ours_is_refused():
    files = files_of(make_bundle(pictures={"flask.svg": "<svg/>"}))
    script = {"flask.svg": b"<svg><script/></svg>"}
    refused(manifest_with(files | script, lambda _: None), "flask.svg has the element 'script'")


def test_of_a_file_no_more_is_read_than_it_says():
    asked = []

    class Longer(BytesIO):
        """A file that has more bytes than its directory says."""

        def read(self, size=-1):
            asked.append(size)
            return b"x" * (size or 0)

    with pytest.raises(BundleError, match="'history.csv' has another size than it says"):
        bundles._whole(Longer(), "history.csv", 5)
    assert asked == [6]


def test_a_manifest_has_a_largest_size_wherever_it_is_read():
    with pytest.raises(BundleError, match="expected at most 33,554,432 bytes"):
        parse_manifest(b" " * (LARGEST_MANIFEST + 1))


@pytest.mark.parametrize("value", [float("nan"), -1.0, 1e300])
def test_a_model_is_run_before_it_is_used(bundle, monkeypatch, value):
    forecast, totals = bundle.model("flask").predict_with_totals(30)

    def hostile(*_):
        return replace(forecast, mean=forecast.mean * value), totals

    monkeypatch.setattr("forecast.model.model.Model.predict_with_totals", hostile)
    with pytest.raises(BundleError, match="the model of 'flask' forecasts what is out of range"):
        bundle.model("flask")
    through = bundle.entry("flask").trained_through
    with pytest.raises(BundleError, match="forecasts what is out of range"):
        check_package(
            "flask",
            bundle.pickle("flask"),
            forecast,
            trained_through=through,
            totals=totals,
            pictures={},
            days=30,
        )


def test_a_model_of_another_day_is_refused_when_it_is_asked_for(files):
    older = make_bundle(last_day=LAST_DAY - pd.Timedelta(days=1))
    pickle = files_of(older)["flask.pkl"]
    changed = manifest_with(
        files | {"flask.pkl": pickle},
        lambda document: document["packages"]["flask"].update(sha256=digest(pickle)),
    )
    with pytest.raises(BundleError, match="ends on 2026-11-20, the manifest says 2026-11-21"):
        read_zip(zip_of(changed)).model("flask")


@given(st.data())
def test_no_single_changed_byte_of_a_zip_gets_past(bundle, data):
    whole = zip_of(bundle)
    position = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[position] ^= data.draw(st.integers(1, 255))
    try:
        read = read_zip(bytes(changed))
    except BundleError:
        return
    assert files_of(read) == files_of(bundle)


@given(st.binary(max_size=300))
def test_any_bytes_are_no_manifest_or_one_that_holds(data):
    with pytest.raises(BundleError):
        parse_manifest(data)


@pytest.fixture
def folder(files, tmp_path):
    replace_folder(tmp_path / "models", files)
    return tmp_path / "models"


def test_a_folder_may_go_where_the_bundle_is_in_memory(folder, bundle):
    read = read_folder(folder, in_memory=True)
    shutil.rmtree(folder)
    assert read.model("flask") == bundle.model("flask")
    assert read.history("flask").equals(bundle.history("flask"))


def test_what_has_gone_from_a_folder_is_told(folder, bundle):
    read = read_folder(folder)
    shutil.rmtree(folder)
    with pytest.raises(BundleError, match=r"flask\.pkl is missing from .*models: No such file"):
        read.model("flask")
    assert read.forecast("flask").equals(bundle.forecast("flask"))


def test_what_has_changed_in_a_folder_is_refused_or_was_read_before(folder, bundle):
    read = read_folder(folder)
    (folder / "flask.pkl").write_bytes((folder / "requests.pkl").read_bytes())
    with pytest.raises(BundleError, match=r"flask\.pkl is not the file the manifest names"):
        read.model("flask")
    table = folder / "history.csv"
    table.write_bytes(table.read_bytes().replace(b"flask,", b"other,"))
    assert read.history("flask").equals(bundle.history("flask"))


def test_a_zip_is_extracted_to_the_files_it_was_made_of(files, tmp_path):
    extract(zip_of(files), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("../evil.py", b"x", "which is no file of the bundle"),
        ("flask.pkl", b"x", "flask.pkl is not the file the manifest names"),
        ("history.csv", b"x", "history.csv is not the file the manifest names"),
    ],
)
def test_what_is_no_bundle_is_not_extracted(files, tmp_path, name, data, match):
    (tmp_path / "to").mkdir()
    with pytest.raises(BundleError, match=match):
        extract(zip_of(files | {name: data}), tmp_path / "to")
    assert not (tmp_path / "to" / "manifest.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_only_pictures_are_given_as_pictures():
    read = make_bundle(pictures={"flask.svg": "<svg/>"})
    assert read.picture("flask.svg") == b"<svg/>"
    for name in ("flask.badge.svg", "history.csv", "manifest.json", "flask.pkl", "../flask.svg"):
        assert read.picture(name) is None


def test_a_member_packed_in_another_way_is_refused(files):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("manifest.json", files["manifest.json"])
    with pytest.raises(BundleError, match="neither stored nor deflated"):
        read_zip(buffer.getvalue())


def test_a_history_is_kept_of_a_package_that_has_no_model(files):
    more = files["history.csv"] + b"gone,2026-11-20,7\n"
    changed = manifest_with(files | {"history.csv": more}, lambda _: None)
    read = read_zip(zip_of(changed))
    assert read.observed == ["flask", "requests", "gone"]
    assert read.history("gone").tolist() == [7]
    with pytest.raises(BundleError, match="no history of 'never'"):
        read.history("never")
