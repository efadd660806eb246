"""Sample series and folders of CSV files."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

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
    return csv_folder(tmp_path, TODAY)


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


PLAIN = "date,downloads\n2026-11-01,7\n2026-11-02,8\n"
READ = {
    "mark": "\ufeff" + PLAIN,
    "CRLF": PLAIN.replace("\n", "\r\n"),
    "CR": PLAIN.replace("\n", "\r"),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "more columns": "id,downloads,mirrors,date\n1,7,x,2026-11-01\n2,8,,2026-11-02\n",
    "zones": "date,downloads\n2026-11-01T00:00:00+00:00,7\n2026-11-02 00:00:00Z,8\n",
    "local zones": "date,downloads\n2026-11-01T00:00:00+02:00,7\n2026-11-02T00:00:00-0500,8\n",
    "times": "date,downloads\n2026-11-01 00:00,7\n2026-11-02 00:00:00.000,8\n",
    "BigQuery": "date,downloads\n2026-11-01 00:00:00 UTC,7\n2026-11-02 00:00:00.000000 UTC,8\n",
    "an exact duplicate": PLAIN + "2026-11-02,8\n",
    "empty lines": PLAIN.replace("\n", "\n\n") + " , \n",
    "spaces": "date , downloads\n 2026-11-01 , 7\n2026-11-02, 8",
    "quotes": '"date","downloads"\n"2026-11-01","7"\n"2026-11-02","8"\n',
    "whole floats": "date,downloads\n2026-11-01,7.0\n2026-11-02,8e0\n",
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_what_is_plainly_meant_is_read(tmp_path, kind, encoding):
    mark = "" if encoding == "utf-8" else "\ufeff"
    text = mark + READ[kind].removeprefix("\ufeff" if mark else "")
    (tmp_path / "flask.csv").write_bytes(text.encode(encoding))
    counts = csv_folder(tmp_path, TODAY).daily("flask")
    assert counts.tolist() == [7, 8]
    assert pd.DatetimeIndex(counts.index).strftime("%Y-%m-%d").tolist() == [
        "2026-11-01",
        "2026-11-02",
    ]
    assert counts.dtype == "int64"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"line 1: expected a column date and a column downloads, found “nothing”|nothing"),
        ("date,downloads\n", "line 2: has no rows"),
        ("day;count\n2026-11-01;7\n", "line 1: .* found “day”, “count”: write date;downloads"),
        ("Date,Downloads\n", "line 1: .* found “Date”, “Downloads”: write date,downloads"),
        ("date,date,downloads\n", "line 1: expected a column date and"),
        ("date,downloads\n2026-11-01\n", "line 2: has 1 of 2 columns: write a day and a count"),
        (PLAIN + "2026-11-03,many\n", "line 4, column downloads: expected .* found “many”"),
        (PLAIN + "01/11/2026,7\n", "line 4, column date: .* found “01/11/2026”: .*2026-08-24"),
        (PLAIN + "2026-02-30,7\n", "line 4, column date: .* found “2026-02-30”"),
        (PLAIN + "20261101,7\n", "line 4, column date: .* found “20261101”"),
        (PLAIN + ",7\n", "line 4, column date: expected a day, found nothing"),
        (
            PLAIN + "2026-11-23,7\n",
            "line 4, column date: 2026-11-23 lies in the future.*2026-11-22",
        ),
        (PLAIN + "2026-11-01,-7\n", "line 4, column downloads: expected a whole number from 0"),
        (PLAIN + "2026-11-01,7.5\n", "line 4, column downloads: expected a whole number from 0"),
        (PLAIN + "2026-11-01,inf\n", "line 4, column downloads: expected a whole number from 0"),
        (PLAIN + "2026-11-01,1e15\n", "line 4, column downloads: expected a whole number from 0"),
        (PLAIN + "2026-11-01,1_000\n", "line 4, column downloads: expected a whole number from 0"),
        (PLAIN + "2026-11-03,\n", "line 4, column downloads: .*found nothing: write 0 for a day"),
        (PLAIN + '2026-11-03,"1,234,567"\n', "line 4, column downloads: .*write 1234567, without"),
        (PLAIN + "2026-11-03,1.000\n", "line 4, column downloads: .*write 1000, without"),
        (PLAIN + "2026-11-03,1 000\n", "line 4, column downloads: .*write 1000, without"),
        (
            PLAIN + "2026-11-02,9\n",
            "line 4, column date: 2026-11-02 has 9 .* 8 on line 3: keep one",
        ),
        ('"date,downloads\n2026-11-01,9\n', "line 2: is not CSV: unexpected end of data"),
        (PLAIN + '2026-11-03,"9\n', "line 4, column downloads|line 4: is not CSV"),
    ],
)
def test_a_file_that_is_wrong(tmp_path, text, match):
    with pytest.raises(DownloadsError, match=match) as caught:
        write(tmp_path, text).daily("flask")
    assert str(tmp_path / "flask.csv") in str(caught.value)


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    (tmp_path / "flask.csv").write_bytes(PLAIN.encode() + b"2026-11-03,\xff\n")
    with pytest.raises(DownloadsError, match="line 4: is not text in UTF-8"):
        csv_folder(tmp_path).daily("flask")


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to(os.devnull), os.mkfifo])
def test_only_files_are_read(tmp_path, make):
    write(tmp_path, PLAIN)
    path = tmp_path / "numpy.csv"
    make(path)
    found = dict(csv_folder(tmp_path, TODAY).fetch(["numpy", "flask"]))
    assert str(found["numpy"]).startswith(f"{path}: expected a file, found ")
    assert isinstance(found["flask"], pd.Series)


def test_today_is_set_aside(tmp_path):
    source = write(tmp_path, PLAIN + f"{TODAY},300\n")
    assert source.daily("flask").tolist() == [7, 8]
    with pytest.raises(DownloadsError, match="has no day before today"):
        write(tmp_path, f"date,downloads\n{TODAY},300\n").daily("flask")


def written(counts):
    days = pd.date_range(end=pd.Timestamp(TODAY), periods=len(counts) + 1)[:-1]
    rows = [f"{day:%Y-%m-%d},{count}" for day, count in zip(days, counts, strict=True)]
    return "\n".join(["date,downloads", *rows])


def test_running_totals_are_recognised(tmp_path):
    daily = Sample(TODAY).daily("flask").to_numpy()[:60]
    source = write(tmp_path, written((5_000_000 + daily.cumsum()).tolist()))
    with pytest.raises(DownloadsError, match="never goes down in 60 days, .* running totals"):
        source.daily("flask")


@pytest.mark.parametrize(
    "counts", [[7] * 60, [round(10 * 2 ** (day / 7)) for day in range(70)], list(range(20))]
)
def test_counts_that_only_grow_are_no_running_totals(tmp_path, counts):
    assert write(tmp_path, written(counts)).daily("flask").tolist() == counts


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("great_tables.csv", "great-tables"),
        ("zope.interface.csv", "zope-interface"),
        ("Flask.CSV", "flask"),
    ],
)
def test_a_file_is_found_by_any_spelling_of_its_package(tmp_path, file, name):
    (tmp_path / file).write_text(PLAIN, encoding="utf-8")
    (tmp_path / "-.csv").write_text("", encoding="utf-8")
    assert csv_folder(tmp_path).daily(name).tolist() == [7, 8]


def test_of_several_files_the_plain_spelling_is_taken(tmp_path):
    for file, text in (("A.b.csv", ""), ("a_b.csv", ""), ("a-b.csv", PLAIN)):
        (tmp_path / file).write_text(text, encoding="utf-8")
    assert csv_folder(tmp_path).daily("a-b").tolist() == [7, 8]
    (tmp_path / "a-b.csv").unlink()
    with pytest.raises(DownloadsError, match=r"several files of a-b \(A\.b\.csv, a_b\.csv\)"):
        csv_folder(tmp_path).daily("a-b")


def test_a_folder_is_asked_for_every_package(tmp_path):
    names = ["a", "b", "c", "d", "e"]
    for name in names[:4]:
        (tmp_path / f"{name}.csv").write_text("nonsense", encoding="utf-8")
    (tmp_path / "e.csv").write_text(PLAIN, encoding="utf-8")
    fetched = dict(csv_folder(tmp_path).fetch(names))
    assert fetched["e"].tolist() == [7, 8]
    assert all(f"{name}.csv, line 1: " in str(fetched[name]) for name in names[:4])
