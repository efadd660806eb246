"""Whatever bytes come instead of a row, an outcome is made of them and nothing else is raised."""

from __future__ import annotations

import datetime as dt
import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forecast.errors import DownloadsError
from forecast.http import new_session
from forecast.quantities import LARGEST_COUNT
from forecast.sources.clickhouse import ClickHouse

TODAY = dt.date(2026, 11, 22)
NUMBERS = st.lists(st.integers(-1, 10**20) | st.integers(20400, 20800), max_size=4)


@pytest.fixture(scope="module")
def source():
    with new_session() as session:
        yield ClickHouse(session, today=lambda: TODAY)


def shown(numbers):
    return str(numbers).replace(" ", "").encode()


@given(days=NUMBERS, counts=NUMBERS)
@example(days=[20778], counts=[0])
@example(days=[20778], counts=[LARGEST_COUNT + 1])
@example(days=[20413, 20778], counts=[1, LARGEST_COUNT])
def test_days_and_counts_are_a_sound_series_or_an_error(source, days, counts):
    line = b"flask\t%s\t%s\t1\t1\t1\n" % (shown(days), shown(counts))
    outcome = source._read("flask", line, TODAY)
    sound = (
        days
        and len(days) == len(counts)
        and days == sorted(set(days))
        and 20414 <= days[0] <= days[-1] <= 20778
        and all(0 <= count <= LARGEST_COUNT for count in counts)
    )
    assert isinstance(outcome, pd.Series if sound else DownloadsError)
    if sound:
        assert outcome.tolist() == counts
        assert [day.date().toordinal() - 719163 for day in outcome.index] == days


@given(rest=st.binary() | st.text("[]0123456789,\t\n-.e").map(str.encode))
def test_any_rest_of_a_row_is_a_series_or_an_error(source, rest):
    assert isinstance(source._read("flask", b"flask" + rest, TODAY), pd.Series | DownloadsError)


@given(body=st.binary())
@example(body=b"\n")
@example(body=b"flask")
def test_any_answer_is_checked_or_refused(source, body):
    lines = body.split(b"\n")
    try:
        source._check(io.BytesIO(body), ["flask", "numpy"])
    except DownloadsError:
        return
    assert body.endswith(b"\n")
    assert {line.partition(b"\t")[0] for line in lines[:-1]} <= {b"flask", b"numpy"}
