"""The bulk source against a real ClickHouse engine behind an HTTP server with faults."""

from __future__ import annotations

import datetime as dt
import logging
import tracemalloc
from dataclasses import replace

import pandas as pd
import pytest
from pandas.testing import assert_series_equal

from forecast.errors import ConfigError, DownloadsError, UnknownPackageError
from forecast.http import HeaderTimeoutAdapter
from forecast.sources.clickhouse import DAYS, MOST_NAMES, ClickHouse, Endpoint
from forecast.sources.retry import RetryPolicy
from forecast.sources.sample import Sample
from tests.standins.clickhouse import TSV, edited, exception, fields, midway
from tests.standins.server import Answer

TODAY = dt.date(2026, 11, 22)
NAMES = ["fastapi", "flask", "numpy", "requests"]
SERIES = {name: Sample(TODAY).daily(name) for name in NAMES}
for counts in SERIES.values():
    counts.index = pd.DatetimeIndex(counts.index).as_unit("us")  # as PyPI Stats' days are
ONCE = RetryPolicy(attempts=1, jitter=0.0)
TWICE = RetryPolicy(attempts=2, rate_limit_wait=60.0, failure_wait=5.0, jitter=0.0, max_total=900.0)
MEMORY = "SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 5000000"


@pytest.fixture
def waits():
    return []


@pytest.fixture
def make(session, clickhouse_server, waits):
    def source(**settings):
        known = {
            "url": clickhouse_server.url,
            "today": lambda: TODAY,
            "retry": ONCE,
            "timeout": (5.0, 5.0),
            "total_timeout": 10.0,
            "sleep": waits.append,
        }
        return ClickHouse(session, **(known | settings))

    return source


@pytest.fixture
def server(clickhouse_server):
    clickhouse_server.fill(SERIES)
    return clickhouse_server


def fetched(source, names=NAMES):
    """Name to outcome; each name exactly once."""
    pairs = list(source.fetch(names))
    assert sorted(name for name, _ in pairs) == sorted(set(names))
    return dict(pairs)


def assert_all_there(found, names=NAMES):
    for name in names:
        assert_series_equal(found[name], SERIES[name], check_freq=False, check_names=False)


def assert_all_fail(found, *words):
    for outcome in found.values():
        assert type(outcome) is DownloadsError
        for word in words:
            assert word in str(outcome)


def test_one_query_answers_for_all_packages(server, make):
    found = fetched(make())
    assert_all_there(found)
    assert server.asked == [NAMES]
    assert found["flask"].dtype == "int64"
    assert found["flask"].name == "downloads"
    assert found["flask"].index.name == "date"


def test_a_name_without_rows_is_unknown(server, make):
    found = fetched(make(), ["flask", "no-such-package"])
    assert type(found["no-such-package"]) is UnknownPackageError
    assert "“no-such-package” in the last 365 days" in str(found["no-such-package"])
    assert_all_there(found, ["flask"])


def test_nobody_is_asked_for_nothing(server, make):
    assert fetched(make(), []) == {}
    assert server.calls == []


def test_a_name_twice_is_answered_once(server, make):
    assert_all_there(fetched(make(), ["flask", "flask"]), ["flask"])


@pytest.mark.parametrize("name", ["Flask", "a'b", "x\ty", "", "naïve", "a_b"])
def test_no_other_name_than_a_normalised_one_reaches_the_query(server, make, name):
    found = fetched(make(), [name, "flask"])
    assert "PEP 503" in str(found[name])
    assert server.asked == [["flask"]]


def test_names_and_days_are_bound_and_never_spliced(server, make):
    fetched(make(days=100))
    [call] = server.calls
    form = fields(call)
    assert call.method == "POST"
    assert form["param_names"] == "['fastapi','flask','numpy','requests']"
    assert (form["param_first"], form["param_today"]) == ("2026-08-14", "2026-11-22")
    assert "flask" not in form["query"]
    assert "2026" not in form["query"]
    assert call.query == {"wait_end_of_query": "1"}  # no setting: the user may send none
    assert call.headers["user-agent"].startswith("py-package-download-forecast/")


def test_gaps_stay_and_today_is_left_out(clickhouse_server, make):
    days = pd.to_datetime(["2026-11-01", "2026-11-03", "2026-11-21", "2026-11-22", "2026-11-23"])
    clickhouse_server.fill({"flask": pd.Series([1, 3, 21, 22, 23], index=days)})
    found = fetched(make(), ["flask"])["flask"]
    assert [str(day.date()) for day in found.index] == ["2026-11-01", "2026-11-03", "2026-11-21"]
    assert found.tolist() == [1, 3, 21]


def test_only_so_many_days_are_asked_for(server, make):
    found = fetched(make(days=10))["flask"]
    assert [str(found.index[0].date()), str(found.index[-1].date())] == ["2026-11-12", "2026-11-21"]


def test_rows_that_were_not_yet_merged_are_summed(server, make):
    server.fill(SERIES)
    assert_series_equal(
        fetched(make())["flask"], 2 * SERIES["flask"], check_freq=False, check_names=False
    )


def test_the_primary_key_serves_the_query(server, make):
    fetched(make())
    form = fields(server.calls[0])
    sql = form.pop("query").removesuffix("FORMAT TabSeparated\n")
    parameters = {name.removeprefix("param_"): value for name, value in form.items()}
    plan = server.engine.query(f"EXPLAIN indexes = 1 {sql}", parameters).decode()
    assert "PrimaryKey" in plan
    assert "project" in plan.partition("PrimaryKey")[2]


# --- limits of the public user ---------------------------------------------------------------


def many(count):
    return [f"package-{number:04}" for number in range(count)]


@pytest.fixture
def crowd(clickhouse_server):
    day = pd.to_datetime(["2026-11-20", "2026-11-21"])
    clickhouse_server.fill(
        {
            name: pd.Series([number + 1, number + 2], index=day)
            for number, name in enumerate(many(200))
        }
    )
    return clickhouse_server


@pytest.mark.parametrize(
    ("limits", "queries"),
    [
        ({"limit": "30"}, 15),
        ({"max_result_rows": "30", "result_overflow_mode": "'break'"}, 1),  # blocks stay whole
    ],
)
def test_an_answer_cut_off_without_a_word_is_asked_for_again(crowd, make, limits, queries):
    crowd.limits = limits
    found = fetched(make(), many(200))
    assert all(
        found[name].tolist() == [number + 1, number + 2] for number, name in enumerate(many(200))
    )
    assert len(crowd.asked) == queries


@pytest.fixture
def wide(clickhouse_server):
    """Twenty thousand rows in blocks of a thousand, so that a limit is met in the middle."""
    clickhouse_server.engine.query(
        "INSERT INTO pypi.pypi_downloads_per_day SELECT toDate('2025-11-24') + number % 360, "
        "concat('p', toString(intDiv(number, 360))), 1000 + number FROM numbers(60 * 360)"
    )
    clickhouse_server.limits = {"max_block_size": "1000"}
    return clickhouse_server


CUTS = {
    "rows read": {"max_rows_to_read": "9000", "read_overflow_mode": "'break'"},
    "bytes read": {"max_bytes_to_read": "9000", "read_overflow_mode": "'break'"},
    "groups": {"max_rows_to_group_by": "4000", "group_by_overflow_mode": "'any'"},
    "groups, at once": {"max_rows_to_group_by": "9000", "group_by_overflow_mode": "'break'"},
    "joined": {
        "max_rows_in_join": "10",
        "join_overflow_mode": "'break'",
        "max_threads": "1",
        "max_block_size": "5",
    },
    "a set": {"max_rows_in_set": "10", "set_overflow_mode": "'break'"},
    "sorted": {"max_rows_to_sort": "10", "sort_overflow_mode": "'break'"},
    "distinct": {"max_rows_in_distinct": "10", "distinct_overflow_mode": "'break'"},
    "time": {"max_execution_time": "0.0001", "timeout_overflow_mode": "'break'"},
    "result": {"max_result_rows": "20", "result_overflow_mode": "'break'"},
}


@pytest.mark.parametrize("limits", CUTS.values(), ids=CUTS)
def test_no_limit_of_the_server_passes_a_part_for_the_whole(wide, make, limits):
    """Whatever is cut off inside the query is asked for in smaller parts, or fails."""
    wide.limits |= limits
    found = fetched(make(), [f"p{number}" for number in range(60)])
    for number in range(60):
        counts = found[f"p{number}"]
        if isinstance(counts, pd.Series):
            first = 1000 + 360 * number
            assert counts.tolist() == list(range(first, first + 360))
        else:
            assert type(counts) is DownloadsError, "not: there are no downloads"
            assert "cut them off" in str(counts)


def test_a_part_that_was_cut_off_is_asked_for_alone(crowd, make):
    """One package whose row never comes costs no other, and no query for each of them."""
    crowd.fail(edited(rb"(?m)^package-0007\t.*\n", b""), times=99)
    found = fetched(make(), many(200))
    assert_all_fail({"": found.pop("package-0007")}, "without a single row")
    assert all(isinstance(counts, pd.Series) for counts in found.values())
    assert len(crowd.asked) < 20


@pytest.mark.parametrize(
    ("summary", "says"),
    [
        (None, "without the header X-ClickHouse-Summary"),
        ("{", "without the header X-ClickHouse-Summary"),
        ('{"read_rows": "1"}', "without the header X-ClickHouse-Summary"),
        ('{"read_rows": "10", "total_rows_to_read": "11"}', "read only 10 of 11 rows"),
    ],
)
def test_an_answer_that_does_not_prove_itself_is_refused(server, make, summary, says):
    headers = {} if summary is None else {"X-ClickHouse-Summary": summary}
    server.fail(lambda answer: replace(answer, headers=headers), times=9)
    assert_all_fail(fetched(make()), says)


@pytest.mark.parametrize("column", [0, 1, 2], ids=["own weight", "control total", "names"])
def test_a_control_total_that_differs_is_refused(server, make, column):
    pattern = rb"(?m)^(flask\t.*(?:\t\d+){%d})\t\d+((?:\t\d+){%d})$" % (column, 2 - column)
    server.fail(edited(pattern, rb"\1\t3\2"), times=9)
    found = fetched(make())
    assert_all_fail({"flask": found.pop("flask")}, "other counts than its own control total")
    assert_all_there(found, found)


def test_a_cut_that_leaves_nothing_is_no_endless_loop(crowd, make):
    crowd.fail(lambda answer: replace(answer, body=b""), times=100)
    assert_all_fail(fetched(make(), many(200)), "without a single row")
    assert len(crowd.calls) < 20


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_result_rows": "60"}, 396),
        ({"max_rows_to_read": "150", "max_block_size": "100"}, 158),
    ],
)
def test_a_batch_over_a_limit_is_split(crowd, make, limits, code):
    crowd.limits = limits
    names = many(200)
    found = fetched(make(), names)
    sizes = [len(each) for each in crowd.asked]
    if code == 396:
        assert all(isinstance(found[name], pd.Series) for name in names)
        assert sizes == [200, 100, 50, 50, 50, 50]
    else:  # one granule is always read: no retry helps, and the fetch ends
        assert_all_fail(found, "error 158")
        assert len(sizes) < 20


def test_after_time_is_up_nothing_is_split_any_more(crowd, make):
    crowd.limits = {"max_result_rows": "60"}
    moments = iter(range(0, 100_000, 1000))
    found = fetched(make(clock=lambda: next(moments)), many(200))
    assert_all_fail(found, "error 396")
    assert len(crowd.asked) == 1


def test_thousands_of_names_go_in_a_few_queries_within_the_server_s_field(crowd, make):
    long = [f"{'x' * 90}-{number:04}" for number in range(3000)]
    found = fetched(make(), long)
    assert all(type(outcome) is UnknownPackageError for outcome in found.values())
    assert 3 <= len(crowd.asked) <= 4
    short = [f"p{number}" for number in range(MOST_NAMES)]
    crowd.asked.clear()
    fetched(make(), short)
    assert [len(each) for each in crowd.asked] == [MOST_NAMES]


def test_memory_does_not_grow_with_the_packages(clickhouse_server, make):
    clickhouse_server.engine.query(
        "INSERT INTO pypi.pypi_downloads_per_day SELECT toDate('2025-11-22') + number % 365, "
        "concat('p', toString(intDiv(number, 365))), 1000000 + number FROM numbers(400 * 365)"
    )
    outcomes = make().fetch([f"p{number}" for number in range(400)])
    next(outcomes)
    tracemalloc.start()
    lengths = [len(counts) for _, counts in outcomes]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lengths == [365] * 399
    assert peak < 1 << 19  # the answer has four times as much


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tagged", [False, True], ids=["before 25.11", "since 25.11"])
def test_an_exception_after_a_status_of_200_is_seen(server, make, tagged):
    text = server.engine.error_of("SELECT throwIf(number = 5) FROM numbers(10)")
    server.fail(midway(text, tagged=tagged))
    assert_all_fail(fetched(make()), "error 395", "Value passed to 'throwIf'", "Asked 1 time.")


@pytest.mark.parametrize("tagged", [False, True], ids=["before 25.11", "since 25.11"])
def test_memory_that_ran_out_midway_splits_the_batch(crowd, make, tagged):
    text = crowd.engine.error_of(MEMORY)
    assert text.startswith("Code: 241.")
    crowd.fail(midway(text, tagged=tagged))
    found = fetched(make(), many(200))
    assert all(isinstance(each, pd.Series) for each in found.values())
    assert [len(each) for each in crowd.asked] == [200, 100, 100]


def test_an_exception_instead_of_rows_with_a_status_of_200_is_seen(server, make):
    server.fail(lambda answer: replace(exception(server.engine.error_of("SELECT x")), status=200))
    assert_all_fail(fetched(make()), "error 47", "pypi.pypi_downloads_per_day")


def test_a_passing_fault_is_asked_again(server, make, waits):
    server.fail(503)
    assert_all_there(fetched(make(retry=TWICE)))
    assert waits == [5.0]


@pytest.mark.parametrize("how", ["cut", "drop"])
def test_a_broken_connection_is_asked_again(server, make, how):
    server.fail(how)
    assert_all_there(fetched(make(retry=TWICE)))


QUOTA = (
    "Code: 201. DB::Exception: Quota for user `demo` for 3600s has been exceeded: queries = 61/60. "
    "Interval will end at 2026-11-22 21:00:00. Name of quota template: `demo`. (QUOTA_EXCEEDED)"
)


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        (429, 60.0),
        (Answer(429, headers={"Retry-After": "90"}), 90.0),
        (Answer(503, headers={"Retry-After": "7"}), 7.0),
        (exception(QUOTA), 60.0),
    ],
    ids=["429", "429 with Retry-After", "503 with Retry-After", "quota"],
)
def test_a_refusal_is_waited_for(server, make, waits, fault, waited):
    server.fail(fault)
    assert_all_there(fetched(make(retry=TWICE)))
    assert waits == [waited]


def test_a_quota_that_stays_used_up_says_so(server, make):
    server.fail(exception(QUOTA), times=2)
    assert_all_fail(fetched(make(retry=TWICE)), "error 201", "Quota for user", "Asked 2 times.")


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (301, "CLICKHOUSE_URL"),
        (400, "CLICKHOUSE_URL"),
        (403, "CLICKHOUSE_URL"),
        (404, "CLICKHOUSE_URL"),
    ],
)
def test_what_will_not_pass_is_asked_once(server, make, waits, status, advice):
    server.fail(status)
    assert_all_fail(fetched(make(retry=TWICE)), f"status {status}", advice)
    assert waits == []
    assert len(server.calls) == 1


def test_a_missing_table_is_told_in_clickhouse_s_words(server, make, waits):
    server.engine.query("DROP TABLE pypi.pypi_downloads_per_day")
    assert_all_fail(fetched(make(retry=TWICE)), "error 60", "names a server that has the table")
    assert waits == []


def test_a_redirect_is_not_followed(server, make):
    server.fail(Answer(302, b"", headers={"Location": f"{server.url}/elsewhere"}))
    assert_all_fail(fetched(make()), "status 302")
    assert server.paths() == ["/"]


BAD_ANSWERS = {
    "html": Answer(200, b"<!doctype html><title>Down for maintenance</title>\n", "text/html"),
    "a greeting": Answer(200, b"Ok.\n", "text/html"),
    "json": Answer(200, b'{"data": []}\n', "application/json"),
    "no end of line": edited(rb"\n\Z", b""),
    "a package nobody asked for": edited(rb"^\w+", b"django"),
    "a package twice": lambda answer: replace(answer, body=answer.body * 2),
    "an endless line": Answer(200, b"flask\t[" + b"1," * 9000, TSV),
    "bytes that are no text": Answer(200, b"\xff\xfe\x00\n", TSV),
}


@pytest.mark.parametrize("fault", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_an_answer_that_is_none_of_clickhouse_s_is_refused_whole(server, make, fault):
    server.fail(fault)
    assert_all_fail(fetched(make()), "is not usable", "(CLICKHOUSE_URL)")
    server.fail(fault)
    assert_all_there(fetched(make(retry=TWICE)))


def of_flask(old, new):
    old = old.replace(rb"$", rb"(?=(?:\t\d+){3}$)")  # before the numbers that prove the answer
    return edited(rb"(?m)(?<=^flask\t)(.*?)" + old, rb"\g<1>" + new)


BAD_ROWS = {
    "negative": of_flask(rb"\d+\]$", b"-5]"),
    "a fraction": of_flask(rb"\d+\]$", b"1.5]"),
    "null": of_flask(rb"\d+\]$", b"NULL]"),
    "nan": of_flask(rb"\d+\]$", b"nan]"),
    "text": of_flask(rb"\d+\]$", b"'5']"),
    "huge": of_flask(rb"\d+\]$", b"999999999999999]"),
    "beyond int64": of_flask(rb"\d+\]$", b"9" * 30 + b"]"),
    "a count too few": of_flask(rb",\d+\]$", b"]"),
    "no counts": of_flask(rb"\t\[.*\]$", b"\t[]"),
    "no second column": of_flask(rb"\t\[.*\]$", b""),
    "a fourth column": of_flask(rb"$", b"\t1"),
    "days out of order": edited(rb"(?m)(?<=^flask\t)\[(\d+),(\d+),", rb"[\2,\1,"),
    "a day twice": edited(rb"(?m)(?<=^flask\t)\[(\d+),(\d+),", rb"[\1,\1,"),
    "a day before the first": edited(rb"(?m)(?<=^flask\t)\[\d+,", b"[3,"),
    "today": edited(rb"(?m)^(flask\t[^]]*,)\d+(\]\t)", rb"\g<1>20779\2"),
    "dates as text": edited(rb"(?m)(?<=^flask\t)\[\d+,", b"['2026-05-25',"),
}


@pytest.mark.parametrize("fault", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_fails_its_own_package_alone(server, make, fault):
    server.fail(fault)
    found = fetched(make())
    assert_all_fail({"flask": found.pop("flask")}, "is not usable", "“flask”")
    assert_all_there(found, found)


@pytest.mark.parametrize("how", ["hang", "drip", "drip headers"])
def test_a_server_that_takes_for_ever_is_given_up(server, make, session, how):
    session.mount("http://", HeaderTimeoutAdapter(1.0))
    server.fail(how)
    found = fetched(make(timeout=(1.0, 1.0), total_timeout=1.0))
    assert_all_fail(found, "no complete answer within the time allowed")


def test_an_endless_answer_is_given_up(server, make):
    server.fail("endless")
    assert_all_fail(fetched(make()), "larger than")


def test_a_batch_that_fails_leaves_the_others(crowd, make):
    crowd.fail(404)
    found = fetched(make(most=50), many(200))
    assert sum(isinstance(each, pd.Series) for each in found.values()) == 150
    assert_all_fail({name: found[name] for name in many(50)}, "status 404")


def test_the_total_of_retries_is_for_all_batches_together(crowd, make, waits):
    crowd.fail(503, times=100)
    moments = iter(range(0, 100_000, 400))  # each failing batch costs 400 seconds
    policy = RetryPolicy(attempts=3, failure_wait=5.0, jitter=0.0, max_total=1000.0)
    found = fetched(make(most=50, retry=policy, clock=lambda: next(moments)), many(200))
    assert_all_fail(found, "status 503")
    assert waits == [5.0, 10.0] * 3  # the fourth is asked once
    assert len(crowd.calls) == 3 * 3 + 1


def test_a_caller_may_stop_in_the_middle(server, make):
    outcomes = make().fetch(NAMES)
    next(outcomes)
    outcomes.close()
    assert len(server.calls) == 1


# --- who asks --------------------------------------------------------------------------------


def test_user_and_password_come_from_the_address_and_stay_secret(
    session, clickhouse_engine, clickhouse_server, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    clickhouse_server.users = {"ana": "pä:ss/wörd@1"}
    clickhouse_server.fill(SERIES)
    host = clickhouse_server.url.removeprefix("http://")
    url = f"http://ana:p%C3%A4%3Ass%2Fw%C3%B6rd%401@{host}"
    source = ClickHouse(session, url=url, today=lambda: TODAY, retry=ONCE)
    assert_all_there(fetched(source))
    seen = [repr(source), repr(Endpoint.parse(url))]
    for fault in (404, "drop", BAD_ANSWERS["html"], BAD_ROWS["negative"], exception(QUOTA)):
        clickhouse_server.fail(fault)
        seen += [repr(each) for each in fetched(source).values()]
    seen += [call.path + str(call.query) for call in clickhouse_server.calls]
    seen += [caplog.text, *capfd.readouterr()]
    assert not [text for text in seen if "wörd" in text or "w%C3%B6rd" in text]


def test_a_wrong_password_is_told_without_it(server, session):
    url = server.url.replace("//", "//demo:sesame@")
    source = ClickHouse(session, url=url, today=lambda: TODAY, retry=ONCE)
    found = fetched(source)
    assert_all_fail(found, "error 516", "Authentication failed", "a user who may read it")
    assert "sesame" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "sesame",
        "ftp://ana:sesame@host",
        "http://",
        "https://ana:sesame@host:port",
        "https://[sesame",
        "https://host/?password=sesame",
        "https://host/#sesame",
        "https://ana:sesame@",
    ],
)
def test_a_wrong_address_is_refused_without_repeating_it(session, url):
    with pytest.raises(ConfigError, match="CLICKHOUSE_URL") as caught:
        ClickHouse(session, url=url, today=lambda: TODAY)
    assert "sesame" not in str(caught.value)
    assert "sesame" not in repr(caught.value.__cause__)


def test_the_public_user_is_asked_for_by_default():
    endpoint = Endpoint.parse("https://host:8443/path")
    assert (endpoint.address, endpoint.user, endpoint.password) == (
        "https://host:8443/path",
        "demo",
        "",
    )


def test_mirrors_cannot_be_left_out(session):
    with pytest.raises(ConfigError, match="mirrors = false: --source clickhouse"):
        ClickHouse(session, today=lambda: TODAY, mirrors=False)


def test_a_setting_would_be_refused_so_none_is_sent(server, session):
    reply = session.post(
        f"{server.url}/?max_block_size=5", files={"query": (None, "SELECT 1")}, auth=("demo", "")
    )
    assert reply.headers["X-ClickHouse-Exception-Code"] == "164"
    text = server.engine.error_of("SELECT 1 SETTINGS readonly = 1, max_block_size = 'x'")
    assert text.startswith("Code:")


def test_a_year_is_asked_for_by_default():
    assert DAYS == 365
