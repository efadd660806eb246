"""A table is read as another parser reads it, and refused if anything in it is wrong."""

from __future__ import annotations

import datetime as dt
import io
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.bundle import tables as module
from forecast.bundle.tables import (
    COLUMNS,
    FORECASTS,
    HISTORY,
    PAST,
    PAST_TOTALS,
    TOTAL_TRACK,
    TOTALS,
    TRACK,
    empty_table,
    header,
    read_table,
)
from forecast.errors import BundleError

NAMES = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,3})?", fullmatch=True)
DAY = dt.date(2026, 1, 1)


def bands(draw):
    values = sorted(draw(st.tuples(*[st.integers(0, 10**7)] * 5)))
    low95, low80, median, high80, high95 = (value / 10 for value in values)
    mean = draw(st.sampled_from([low95, low80, median, high80, high95]))
    return [mean, median, low80, high80, low95, high95]


def total(draw):
    _mean, median, *ends = bands(draw)
    return [median, *ends]


@st.composite
def row(draw, table, name, day):
    made_on = day - dt.timedelta(days=draw(st.integers(1, 9)))
    if table == HISTORY:
        return [name, day, draw(st.integers(0, 10**12))]
    if table == FORECASTS:
        return [name, day, *bands(draw)]
    if table == TOTALS:
        return [name, (day - DAY).days, *total(draw)]
    if table == PAST:
        return [name, day, made_on, draw(st.integers(1, 30)), *bands(draw)]
    if table in {PAST_TOTALS, TOTAL_TRACK}:
        scores = [draw(st.integers(0, 10**9)) for _ in range(2 * (table == TOTAL_TRACK))]
        return [name, day, draw(st.integers(1, 90)), made_on, *total(draw), *scores]
    scores = [draw(st.integers(0, 10**6)) for _ in range(4)]
    inside = [draw(st.integers(0, 1)) for _ in range(2)]
    return [name, day, made_on, draw(st.integers(1, 30)), *scores, *inside]


@st.composite
def tables(draw):
    """A table's name and lines, the rows of a package together and its days ascending."""
    table = draw(st.sampled_from(sorted(COLUMNS)))
    lines = []
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        ahead = 0
        for _ in range(draw(st.integers(1, 6))):
            ahead += draw(st.integers(1, 3))
            made = draw(row(table, name, DAY + dt.timedelta(days=ahead)))
            lines.append(",".join(map(str, made)).encode() + b"\n")
    return table, lines


def whole(table, data):
    """Another parser's word."""
    days = [column for column in COLUMNS[table] if column in {"date", "start", "made_on"}]
    return pd.read_csv(io.BytesIO(data), parse_dates=days, dtype={"package": "str"})


@pytest.fixture(params=[1, 50, 1 << 22])
def piece(request, monkeypatch):
    """Bytes parsed at once, which must make no difference."""
    monkeypatch.setattr(module, "PIECE", request.param)


def check_rows(read, table, text):
    """Every package has the rows that another parser finds, in the order of the file."""
    parsed = whole(table, text)
    assert list(read.places) == list(parsed["package"].unique())
    for name in read.places:
        expected = parsed[parsed["package"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(read.of(name), expected, check_dtype=False)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=tables())
@pytest.mark.usefixtures("piece")
def test_a_package_has_the_rows_that_another_parser_finds(made):
    table, lines = made
    text = header(table) + b"".join(lines)
    check_rows(read_table(text, table), table, text)


@settings(max_examples=40)
@given(tables(), st.data())
def test_packages_may_be_mixed_and_only_a_record_may_have_its_days_in_any_order(made, data):
    table, lines = made
    shuffled = data.draw(st.permutations(lines))
    names = {line.split(b",")[0] for line in shuffled}
    by_name = [[each for each in lines if each.startswith(name + b",")] for name in names]
    in_order = all([each for each in shuffled if each in own] == own for own in by_name)
    text = header(table) + b"".join(shuffled)
    try:
        read = read_table(text, table)
    except BundleError:
        assert table in {HISTORY, FORECASTS, TOTALS}
        assert not in_order
    else:
        assert table in {PAST, TRACK, PAST_TOTALS, TOTAL_TRACK} or in_order
        check_rows(read, table, text)


WRONG = {
    HISTORY: ["", "-1", "0.5", "nan", "inf", "1e13", "x", "1,1", '"1"', "1\r"],
    FORECASTS: ["", "-1", "nan", "inf", "99999999999", "x", "1,1", '"1"'],
    TOTALS: ["", "-1", "nan", "inf", "999999999999", "x", "1,1", '"1"'],
    PAST: ["", "-1", "nan", "inf", "99999999999", "x", "1,1", '"1"'],
    TRACK: ["", "-1", "nan", "inf", "x", "1,1", '"1"', "2"],
    PAST_TOTALS: ["", "-1", "nan", "inf", "999999999999", "x", "1,1", '"1"'],
    TOTAL_TRACK: ["", "-1", "nan", "inf", "1e15", "x", "1,1", '"1"'],
}


@settings(max_examples=40)
@given(tables().filter(lambda made: made[1]), st.data())
def test_a_row_with_a_wrong_value_is_refused(made, data):
    table, lines = made
    at = data.draw(st.integers(0, len(lines) - 1))
    fields = lines[at].decode().strip().split(",")
    place = {HISTORY: 2, FORECASTS: 3, TOTALS: 2, PAST: 5, TRACK: 8}.get(table, 5)
    place = 9 if table == TOTAL_TRACK else place
    days = ["", "2026-02-30", "2026", "x", "nan", "2026-01-01T00:00:00"]
    wrong = data.draw(
        st.sampled_from(
            [(place, value) for value in WRONG[table]]
            + [
                (1, day)
                for day in (days if table != TOTALS else ["", "0", "91", "1.5", "nan", "x"])
            ]
        )
    )
    fields[wrong[0]] = wrong[1]
    lines[at] = ",".join(fields).encode() + b"\n"
    with pytest.raises(BundleError) as caught:
        read_table(header(table) + b"".join(lines), table)
    assert str(caught.value).startswith(table)
    assert "\n" not in str(caught.value)


@settings(max_examples=40)
@given(tables(), st.data())
def test_a_table_that_breaks_off_in_a_line_is_refused(made, data):
    table, lines = made
    text = header(table) + b"".join(lines)
    length = data.draw(st.integers(0, len(text) - 1))
    if text[:length].endswith(b"\n"):
        return
    with pytest.raises(BundleError):
        read_table(text[:length], table)


@pytest.mark.parametrize("extra", [b"\n", b"a,2026-01-01\n1,2,3,4\n", b"\xff,2026-01-01,1\n"])
def test_lines_of_another_shape_are_refused(extra):
    with pytest.raises(BundleError, match=r"history\.csv is malformed"):
        read_table(header(HISTORY) + extra, HISTORY)


@pytest.mark.parametrize("day", ["now", "today", "2026-1-02", "2026-01-02T00"])
def test_a_day_is_written_in_one_way(day):
    with pytest.raises(BundleError, match=r"history\.csv is malformed"):
        read_table(header(HISTORY) + f"a,{day},1\n".encode(), HISTORY)


@pytest.mark.parametrize("day", ["2026-01-01", "2025-12-31"])
@pytest.mark.parametrize("table", [HISTORY, FORECASTS])
@pytest.mark.usefixtures("piece")
def test_a_day_that_comes_twice_or_too_late_is_refused(table, day):
    values = {HISTORY: "1", FORECASTS: "3,3,2,4,1,5"}[table]
    lines = f"a,2026-01-01,{values}\nb,2026-01-01,{values}\na,{day},{values}\n"
    with pytest.raises(BundleError, match="a day twice, or its days are not in order"):
        read_table(header(table) + lines.encode(), table)


@pytest.mark.parametrize("days", [7, 14, 6])
@pytest.mark.usefixtures("piece")
def test_totals_ascend_by_their_days(days):
    lines = f"a,7,3,2,4,1,5\nb,7,3,2,4,1,5\na,{days},3,2,4,1,5\n"
    data = header(TOTALS) + lines.encode()
    if days == 14:
        assert read_table(data, TOTALS).of("a")["days"].tolist() == [7, 14]
    else:
        with pytest.raises(BundleError, match=r"totals\.csv"):
            read_table(data, TOTALS)


def test_a_table_of_the_format_before_has_its_mean_as_median():
    for table, line in (
        (FORECASTS, "a,2026-01-02,3,2,4,1,5\n"),
        (PAST, "a,2026-01-02,2026-01-01,1,3,2,4,1,5\n"),
    ):
        data = header(table).replace(b",median", b"") + line.encode()
        rows = read_table(data, table, with_median=False).of("a")
        assert rows.columns.tolist() == COLUMNS[table]
        assert rows["median"].tolist() == rows["mean"].tolist() == [3.0]
        with pytest.raises(BundleError, match="expected the columns"):
            read_table(data, table)
        with pytest.raises(BundleError, match="expected the columns"):
            read_table(header(table), table, with_median=False)


def scored(name, day):
    return f"{name},2026-01-0{day},2026-01-01,1,5,5.0,0.0,1,1,1\n".encode()


@pytest.mark.usefixtures("piece")
def test_a_record_written_run_by_run_is_read_package_by_package():
    lines = [scored(name, day) for day in (2, 3) for name in ("b", "a")]
    read = read_table(header(TRACK) + b"".join(lines), TRACK)
    assert list(read.places) == ["b", "a"]
    assert read.of("a")["date"].dt.day.tolist() == [2, 3]


@pytest.mark.parametrize("names", [("007", "7"), ("inf",), ("true",), ("0", "a")])
@pytest.mark.usefixtures("piece")
def test_a_name_that_looks_like_a_number_is_a_name(names):
    rows = [f"{name},2026-01-02,5\n".encode() for name in names]
    read = read_table(header(HISTORY) + b"".join(rows), HISTORY)
    assert list(read.places) == list(names)
    for name in names:
        assert read.of(name)["package"].tolist() == [name]


@pytest.mark.parametrize("table", COLUMNS)
def test_a_package_without_rows_has_the_columns_of_one_with_rows(table):
    line = {
        HISTORY: b"a,2026-01-02,5\n",
        FORECASTS: b"a,2026-01-02,3,3,2,4,1,5\n",
        TOTALS: b"a,7,3,2,4,1,5\n",
        PAST: b"a,2026-01-02,2026-01-01,1,3,3,2,4,1,5\n",
        TRACK: scored("a", 2),
        PAST_TOTALS: b"a,2026-01-02,7,2026-01-01,3,2,4,1,5\n",
        TOTAL_TRACK: b"a,2026-01-02,7,2026-01-01,3,2,4,1,5,3,2\n",
    }[table]
    read = read_table(header(table) + line, table)
    for other in (read, empty_table(table), read_table(header(table), table)):
        without = other.of("b")
        assert without.dtypes.equals(read.of("a").dtypes)
        assert without.empty


def test_nobody_who_gets_a_part_of_a_table_changes_it():
    read = read_table(header(HISTORY) + b"a,2026-01-02,5\n", HISTORY)
    with pytest.raises(ValueError, match="read-only"):
        read.columns("a")["downloads"][0] = 6


def test_counts_are_whole_numbers():
    read = read_table(header(HISTORY) + b"a,2026-01-02,1000000000000\n", HISTORY)
    assert read.of("a")["downloads"].dtype == "int64"
    assert read.of("a")["downloads"].tolist() == [10**12]


BANDS_ASCENDING = ["lower_95", "lower_80", "median", "upper_80", "upper_95"]
BANDS = {
    "mean": "3",
    "median": "3",
    "lower_80": "2",
    "upper_80": "4",
    "lower_95": "1",
    "upper_95": "5",
}


def banded(table, **changed):
    """A table with one row, its bands changed."""
    values = [(BANDS | changed)[name] for name in COLUMNS[table][-6:]]
    between = {FORECASTS: [], PAST: ["2026-01-01", "1"]}[table]
    return header(table) + ",".join(["a", "2026-01-02", *between, *values]).encode() + b"\n"


@pytest.mark.parametrize("table", [FORECASTS, PAST])
@pytest.mark.parametrize(("low", "high"), [*pairwise(BANDS_ASCENDING)])
def test_a_band_may_be_closed_and_must_not_be_crossed(table, low, high):
    read = read_table(banded(table, **{low: BANDS[high]}), table)
    assert read.of("a")[low].tolist() == [float(BANDS[high])]
    with pytest.raises(BundleError, match="outside its band"):
        read_table(banded(table, **{low: BANDS[high] + ".1"}), table)


@pytest.mark.parametrize("table", [FORECASTS, PAST])
def test_every_column_is_read_by_its_name(table):
    [row] = read_table(banded(table), table).of("a").to_dict("records")
    assert {name: row[name] for name in BANDS} == {name: float(v) for name, v in BANDS.items()}


@pytest.mark.parametrize("horizon", ["0", "-1", "1.5", "91", "inf", "1e18"])
@pytest.mark.parametrize(
    ("table", "values"), [(PAST, "5.0,5.0,4.0,6.0,3.0,7.0"), (TRACK, "5,4.5,0.5,1,1,1")]
)
def test_a_horizon_is_a_number_of_days(table, values, horizon):
    line = "flask,2026-01-02,2026-01-01,{},{}\n"
    read_table(header(table) + line.format("2.0", values).encode(), table)
    with pytest.raises(BundleError, match="days are not a whole number from 1 to 90"):
        read_table(header(table) + line.format(horizon, values).encode(), table)
