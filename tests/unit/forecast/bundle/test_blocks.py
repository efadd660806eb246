"""What the index finds in a table is what parsing the whole table gives."""

from __future__ import annotations

import datetime as dt
import io
from itertools import groupby

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.bundle import blocks as module
from forecast.bundle.blocks import Blocks, rows_of
from forecast.bundle.tables import COLUMNS, FORECASTS, HISTORY, PAST, TRACK, head, history_rows
from forecast.errors import BundleError

NAMES = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,3})?", fullmatch=True)
DAY = dt.date(2026, 1, 1)


def bands(draw):
    values = sorted(draw(st.tuples(*[st.integers(0, 10**7)] * 5)))
    low95, low80, mean, high80, high95 = (value / 10 for value in values)
    return [mean, low80, high80, low95, high95]


@st.composite
def row(draw, table, name, day):
    made_on = day - dt.timedelta(days=draw(st.integers(1, 9)))
    if table == HISTORY:
        return [name, day, draw(st.integers(0, 10**12))]
    if table == FORECASTS:
        return [name, day, *bands(draw)]
    if table == PAST:
        return [name, day, made_on, draw(st.integers(1, 30)), *bands(draw)]
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


def index_of(table, data, cuts=()):
    """The index of a table that comes in pieces."""
    blocks = Blocks(table)
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        blocks.feed(data[begin:end])
    return blocks.close()


def whole(table, data):
    """Another parser's word."""
    days = [column for column in COLUMNS[table] if column in {"date", "made_on"}]
    return pd.read_csv(io.BytesIO(data), parse_dates=days, dtype={"package": "str"})


@settings(max_examples=40)
@given(tables(), st.data())
def test_the_blocks_are_what_a_parser_of_the_whole_finds(made, data):
    table, lines = made
    text = head(table) + b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    index = index_of(table, text, cuts)
    parsed = whole(table, text)
    assert list(index) == list(parsed["package"].unique())
    for name, blocks in index.items():
        (block,) = blocks
        found = rows_of(name, [text[block.start : block.start + block.length]], table)
        expected = parsed[parsed["package"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
        assert block.rows == len(expected)
        first, last = (dt.date.fromordinal(719163 + day) for day in (block.first, block.last))
        assert (first, last) == (expected["date"].iloc[0].date(), expected["date"].iloc[-1].date())


@settings(max_examples=40)
@given(tables(), st.data())
def test_rows_in_another_order_are_refused_but_in_a_record(made, data):
    table, lines = made
    shuffled = data.draw(st.permutations(lines))
    names = [line.split(b",")[0] for line in shuffled]
    together = len(list(groupby(names))) == len(set(names))
    by_name = [[each for each in lines if each.startswith(name + b",")] for name in set(names)]
    in_order = all([each for each in shuffled if each in own] == own for own in by_name)
    try:
        index = index_of(table, head(table) + b"".join(shuffled))
    except BundleError:
        assert table in {HISTORY, FORECASTS}
        assert not (together and in_order)
    else:
        assert table in {PAST, TRACK} or (together and in_order)
        assert sum(block.rows for each in index.values() for block in each) == len(lines)


WRONG = {
    HISTORY: ["", "-1", "0.5", "nan", "inf", "1e13", "x", "1,1", '"1"', "1\r"],
    FORECASTS: ["", "-1", "nan", "inf", "99999999999", "x", "1,1", '"1"'],
    PAST: ["", "-1", "nan", "inf", "99999999999", "x", "1,1", '"1"'],
    TRACK: ["", "-1", "nan", "inf", "x", "1,1", '"1"', "2"],
}


@settings(max_examples=40)
@given(tables().filter(lambda made: made[1]), st.data())
def test_a_row_with_a_wrong_value_is_refused(made, data):
    table, lines = made
    at = data.draw(st.integers(0, len(lines) - 1))
    fields = lines[at].decode().strip().split(",")
    place = {HISTORY: 2, FORECASTS: 3, PAST: 5, TRACK: 8}[table]
    wrong = data.draw(
        st.sampled_from(
            [(place, value) for value in WRONG[table]]
            + [(1, day) for day in ("", "2026-02-30", "2026", "x", "nan", "2026-01-01T00:00:00")]
        )
    )
    fields[wrong[0]] = wrong[1]
    lines[at] = ",".join(fields).encode() + b"\n"
    with pytest.raises(BundleError) as caught:
        index_of(table, head(table) + b"".join(lines))
    assert str(caught.value).startswith(table)
    assert "\n" not in str(caught.value)


@settings(max_examples=40)
@given(tables(), st.data())
def test_a_table_that_breaks_off_in_a_line_is_refused(made, data):
    table, lines = made
    text = head(table) + b"".join(lines)
    length = data.draw(st.integers(0, len(text) - 1))
    if text[:length].endswith(b"\n"):
        return
    with pytest.raises(BundleError):
        index_of(table, text[:length])


@pytest.mark.parametrize("extra", [b"\n", b"a,2026-01-01\n1,2,3,4\n", b"\xff,2026-01-01,1\n"])
def test_lines_of_another_shape_are_refused(extra):
    with pytest.raises(BundleError, match=r"history\.csv is not a table of ours"):
        index_of(HISTORY, head(HISTORY) + extra)


def test_a_line_without_an_end_is_not_waited_for():
    blocks = Blocks(HISTORY)
    blocks.feed(head(HISTORY))
    with pytest.raises(BundleError, match="a line has no end"):
        blocks.feed(b"a" * 2000)


def test_a_day_that_comes_again_in_the_next_piece_is_refused():
    line = b"a,2026-01-01,1\n"
    text = head(HISTORY) + line + line
    with pytest.raises(BundleError, match="a day twice, or its days are not in order"):
        index_of(HISTORY, text, [len(text) - len(line)])


def scored(name, day):
    return f"{name},2026-01-0{day},2026-01-01,1,5,5.0,0.0,1,1,1\n".encode()


def test_a_record_written_run_by_run_is_read_from_all_its_places():
    lines = [scored(name, day) for day in (2, 3) for name in ("a", "b")]
    text = head(TRACK) + b"".join(lines)
    index = index_of(TRACK, text)
    rows = rows_of("a", [text[b.start : b.start + b.length] for b in index["a"]], TRACK)
    assert rows["date"].dt.day.tolist() == [2, 3]


def test_too_many_places_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_BLOCKS", 3)
    lines = (
        b"a,2026-01-02,2026-01-01,1,5,5.0,0.0,1,1,1\nb,2026-01-02,2026-01-01,1,5,5.0,0.0,1,1,1\n"
    )
    with pytest.raises(BundleError, match="the rows of a package do not lie together"):
        index_of(TRACK, head(TRACK) + lines * 3)


@pytest.mark.parametrize("names", [("007", "7"), ("inf",), ("true",), ("0", "a")])
def test_a_name_that_looks_like_a_number_is_a_name(names):
    rows = [f"{name},2026-01-02,5\n".encode() for name in names]
    assert list(index_of(HISTORY, head(HISTORY) + b"".join(rows))) == list(names)
    for name, row in zip(names, rows, strict=True):
        assert rows_of(name, [row], HISTORY)["package"].tolist() == [name]


def test_rows_that_have_become_anothers_are_refused():
    rows = history_rows("a", pd.Series([1, 2], pd.date_range("2026-01-01", periods=2)))
    with pytest.raises(BundleError, match="history.csv has changed since it was opened: 'b'"):
        rows_of("b", [rows], HISTORY)
