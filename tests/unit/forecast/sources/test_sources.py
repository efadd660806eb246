"""Sample series and folders of CSV files."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.sources.folder import csv_folder
from forecast.sources.sample import Sample

TODAY = dt.date(2026, 11, 22)


def test_a_sample_is_the_same_every_day_but_for_its_last_date():
    one = Sample(TODAY).daily("flask")
    other = Sample(TODAY + dt.timedelta(days=3)).daily("flask")
    assert one.tolist() == other.tolist()
    assert one.index[-1] == pd.Timestamp("2026-11-21")
    assert other.index[-1] == pd.Timestamp("2026-11-24")


def test_a_sample_looks_like_downloads():
    counts = Sample(TODAY).daily("flask")
    assert len(counts) == 181
    assert counts.dtype == "int64"
    assert counts.min() > 0
    assert counts.autocorr(7) > 0.3
    assert not counts.equals(Sample(TODAY).daily("requests"))


def write(tmp_path, text):
    (tmp_path / "flask.csv").write_text(text, encoding="utf-8")
    return csv_folder(tmp_path)


def test_a_folder_is_read_in_the_order_of_its_days(tmp_path):
    source = write(tmp_path, "date,downloads\n2026-11-03,5\n2026-11-01,7\n")
    counts = source.daily("flask")
    assert counts.tolist() == [7, 5]
    assert counts.index.strftime("%Y-%m-%d").tolist() == ["2026-11-01", "2026-11-03"]
    assert source.kind == "folder"


def test_a_package_without_a_file(tmp_path):
    with pytest.raises(UnknownPackageError, match=r"flask.csv is not there"):
        csv_folder(tmp_path).daily("flask")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="expected pypistats, clickhouse, sample, auto"):
        csv_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "expected the columns date,downloads"),
        ("date,downloads\n", "has no rows"),
        ("day,count\n2026-11-01,7\n", "expected the columns date,downloads"),
        ("date,downloads\n2026-11-01,many\n", "expected the columns date,downloads"),
        ("date,downloads\n01/11/2026,7\n", "expected the columns date,downloads"),
        ("date,downloads\n2026-11-01,-7\n", "expected whole numbers from 0"),
        ("date,downloads\n2026-11-01,7.5\n", "expected whole numbers from 0"),
        ("date,downloads\n2026-11-01,\n", "expected whole numbers from 0"),
        ("date,downloads\n2026-11-01,inf\n", "expected whole numbers from 0"),
        ("date,downloads\n2026-11-01,1e15\n", "expected whole numbers from 0"),
        ("date,downloads\n2026-11-01,7\n2026-11-01,8\n", "expected every day once"),
        ("date,downloads\n,7\n", "expected every day once|expected the columns"),
    ],
)
def test_a_file_that_is_wrong(tmp_path, text, match):
    with pytest.raises(DownloadsError, match=match):
        write(tmp_path, text).daily("flask")
