"""The PyPI Stats client against a server that behaves like PyPI Stats, faults included."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import date, timedelta

import pandas as pd
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import DownloadsError, UnknownPackageError
from forecast.http import HeaderTimeoutAdapter, new_session
from forecast.sources.pypistats import INTERACTIVE_RETRY, PyPIStats
from forecast.sources.pypistats_answer import read_answer
from forecast.sources.retry import RetryPolicy, UnavailableError
from tests.standins.pypistats import FAULTS, PyPIStatsServer, edited
from tests.standins.server import Answer

START = date(2026, 5, 1)
DAYS = {START + timedelta(days=n): 1000 + n for n in range(100)}
BROKEN_JSON = {"html", "truncated", "empty"}


class Clock:
    """A clock that only advances during a sleep."""

    def __init__(self):
        self.now = 0.0
        self.slept = []
        self._lock = threading.Lock()

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(pypistats_server):
    pypistats_server.series["flask"] = DAYS
    return pypistats_server


@pytest.fixture
def client(server, session, clock):
    return _client(server, session, clock)


def _client(server, session, clock, **settings):
    given = {"url": server.url, "sleep": clock.sleep, "clock": clock, **settings}
    return PyPIStats(session, **given)


# Answers without a fault


def test_counts_come_as_a_series(client):
    counts = client.daily("flask")

    assert counts.dtype == "int64"
    assert counts.name == "downloads"
    assert isinstance(counts.index, pd.DatetimeIndex)
    assert counts.index.freq is None
    assert counts.index.tz is None
    assert counts.index.is_monotonic_increasing
    assert [(day.date(), count) for day, count in counts.items()] == list(DAYS.items())


def test_gaps_stay_gaps(server, client):
    gaps = {START + timedelta(days=n) for n in (3, 4, 50)}
    server.series["flask"] = {day: count for day, count in DAYS.items() if day not in gaps}

    counts = client.daily("flask")

    assert len(counts) == 97
    assert not gaps & {day.date() for day in counts.index}


def test_rows_may_come_in_any_order(server, client):
    server.fail("flask", edited(lambda whole: whole["data"].reverse()))
    assert client.daily("flask").index.is_monotonic_increasing


@pytest.mark.parametrize(
    ("mirrors", "asked", "first"), [(True, "true", 1000), (False, "false", 900)]
)
def test_mirrors_are_asked_for_in_lower_case(server, session, mirrors, asked, first):
    counts = PyPIStats(session, url=server.url, mirrors=mirrors).daily("flask")

    assert server.calls[0].query == {"mirrors": asked}
    assert counts.iloc[0] == first


def test_the_caller_is_named(server, clock):
    with new_session("https://github.com/someone/a-fork") as session:
        _client(server, session, clock).daily("flask")

    # An answer without compression cannot be a bomb.
    assert server.calls[0].headers["accept-encoding"] == "identity"
    agent = server.calls[0].headers["user-agent"]
    assert agent.startswith("py-package-download-forecast/")
    assert "https://github.com/someone/a-fork" in agent


def test_a_trailing_slash_in_the_url_does_no_harm(server, session, clock):
    assert len(_client(server, session, clock, url=server.url + "/").daily("flask")) == 100


# Refusals and failures


def test_an_unknown_package_is_told_at_once(server, client, clock):
    with pytest.raises(UnknownPackageError, match=r"“no-such-thing”.*spelling"):
        client.daily("no-such-thing")
    assert len(server.calls) == 1
    assert clock.slept == []


def test_a_429_is_waited_out_for_a_minute_and_longer_each_time(server, client, clock):
    server.fail("flask", 429, times=3)

    assert len(client.daily("flask")) == 100
    assert len(server.calls) == 4
    first, second, third = (wait for wait in clock.slept if wait > 10)
    assert 60 <= first <= 75
    assert 120 <= second <= 135
    assert 240 <= third <= 255


def test_waits_are_jittered(server, session):
    waits = set()
    for _ in range(5):
        clock = Clock()
        server.fail("flask", 429)
        _client(server, session, clock).daily("flask")
        waits.add(max(clock.slept))
    assert len(waits) > 1


def test_retry_after_is_honoured_and_capped(server, client, clock):
    server.fail("flask", 429, Retry_After="100")
    server.fail("flask", 503, Retry_After="99999999")

    client.daily("flask")

    first, second = (wait for wait in clock.slept if wait > 10)
    assert 100 <= first <= 115
    assert 240 <= second <= 255


@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_of_nonsense_is_ignored(server, client, clock, nonsense):
    server.fail("flask", 429, Retry_After=nonsense)
    client.daily("flask")
    assert 60 <= max(clock.slept) <= 75


@pytest.mark.parametrize("fault", [500, 502, 503, 504, "cut", "drop", *sorted(BROKEN_JSON)])
def test_a_passing_fault_is_tried_again(server, client, fault):
    server.fail("flask", fault, times=2)
    assert len(client.daily("flask")) == 100
    assert len(server.calls) == 3


def test_retries_end_and_say_what_came(server, client, clock):
    server.fail("flask", 503, times=99)

    with pytest.raises(DownloadsError, match=r"503: “503 TEMPORARILY DISABLED”.*6 times") as caught:
        client.daily("flask")

    assert type(caught.value) is UnavailableError
    assert len(server.calls) == 6
    assert clock.now > 60


def test_the_total_is_never_exceeded(server, session, clock):
    server.fail("flask", 429, times=99)
    policy = RetryPolicy(attempts=99, max_total=400)

    with pytest.raises(DownloadsError, match="too many calls"):
        _client(server, session, clock, retry=policy).daily("flask")
    assert clock.now <= 400


def test_a_hasty_client_asks_twice_and_not_after_a_429(server, session, clock):
    hasty = _client(server, session, clock, retry=INTERACTIVE_RETRY, interval=0)
    server.fail("flask", 502, times=99)
    with pytest.raises(DownloadsError, match="502"):
        hasty.daily("flask")
    assert len(server.calls) == 2
    assert clock.now <= 1

    server.clear_faults()
    server.fail("flask", 429, times=99)
    with pytest.raises(DownloadsError, match="429"):
        hasty.daily("flask")
    assert len(server.calls) == 3
    assert clock.now <= 1


def test_a_short_policy_is_not_stretched_by_retry_after(server, session, clock):
    server.fail("flask", 503, times=2, Retry_After="3600")
    with pytest.raises(DownloadsError):
        _client(server, session, clock, retry=INTERACTIVE_RETRY).daily("flask")
    assert clock.now == 0


def test_other_refusals_are_not_tried_again(server, client):
    server.fail("flask", 403)
    with pytest.raises(DownloadsError, match="403"):
        client.daily("flask")
    assert len(server.calls) == 1


def test_nobody_listening(session, clock):
    with PyPIStatsServer() as closed:
        pass
    client = _client(closed, session, clock, retry=RetryPolicy(attempts=2))
    with pytest.raises(DownloadsError, match="no connection"):
        client.daily("flask")
    assert not client.reachable(1)


# Invalid answers


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - BROKEN_JSON))
def test_a_wrong_answer_is_refused_at_once(server, client, fault):
    server.fail("flask", fault)
    with pytest.raises(DownloadsError, match="flask") as caught:
        client.daily("flask")
    assert not isinstance(caught.value, UnknownPackageError)
    assert len(server.calls) == 1
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("wrong package", "“another”"),
        ("both categories", "“without_mirrors”"),
        ("no rows", "got none"),
        ("negative", "data.99.downloads.*“-1”"),
        ("float", "data.99.downloads.*10.5"),
        ("bool", "data.99.downloads.*“True”"),
        ("duplicate dates", "each day once.*2026-05-01"),
        ("impossible date", "“2026-02-30”"),
        ("far date", "2099-01-01"),
        ("no data", "“data”.*got nothing"),
    ],
)
def test_the_message_says_what_was_expected_and_what_came(server, client, fault, words):
    server.fail("flask", fault)
    with pytest.raises(DownloadsError, match=words):
        client.daily("flask")


def test_a_day_yet_to_come_is_refused_by_who_knows_the_day(server, session, clock):
    last = max(DAYS)
    tomorrow = _client(server, session, clock, today=lambda: last - timedelta(days=1))
    assert len(tomorrow.daily("flask")) == 98  # neither today nor tomorrow is over
    today = _client(server, session, clock, today=lambda: last)
    assert today.daily("flask").index[-1].date() == last - timedelta(days=1)
    later = _client(server, session, clock, today=lambda: last - timedelta(days=2))
    with pytest.raises(DownloadsError, match="none after"):
        later.daily("flask")


def test_what_came_is_shown_on_one_short_line(server, client):
    body = b"\x1b[31m::error::\n<script>\x00" + b"x" * 5000
    server.fail("flask", Answer(400, body))
    with pytest.raises(DownloadsError) as caught:
        client.daily("flask")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_an_endless_answer_is_given_up(server, client):
    server.fail("flask", "endless")
    with pytest.raises(DownloadsError, match="larger than"):
        client.daily("flask")
    assert len(server.calls) == 1


def test_an_answer_that_declares_too_much_is_not_read(server, client):
    server.fail("flask", Answer(200, b" " * (3 << 20), how="drip"))
    with pytest.raises(DownloadsError, match="larger than"):
        client.daily("flask")


# Slow servers


@pytest.mark.parametrize("how", ["hang", "drip", "drip headers"])
def test_no_server_holds_the_client_for_long(server, clock, how):
    server.fail("flask", how, times=2)
    with requests.Session() as session:
        session.mount("http://", HeaderTimeoutAdapter(0.5))
        client = _client(
            server,
            session,
            clock,
            timeout=(0.5, 0.5),
            total_timeout=0.5,
            retry=RetryPolicy(attempts=2),
        )
        started = time.monotonic()
        with pytest.raises(DownloadsError, match="within the time allowed"):
            client.daily("flask")
        assert time.monotonic() - started < 5


def test_the_sessions_we_make_are_punctual(session):
    for url in ("http://example.org", "https://example.org"):
        assert isinstance(session.get_adapter(url), HeaderTimeoutAdapter)
        adapter = new_session(seconds=7.0).get_adapter(url)
        assert isinstance(adapter, HeaderTimeoutAdapter)
        assert adapter._seconds == 7.0


# Redirects


def _redirect(location, status=302):
    return Answer(status, b"moved", "text/html", {"Location": location} if location else {})


def test_a_redirect_to_another_server_is_not_followed(server, client):
    with PyPIStatsServer({"flask": DAYS}) as other:
        server.fail("flask", _redirect(f"{other.url}/packages/flask/overall?mirrors=true"))
        with pytest.raises(DownloadsError, match=r"not followed.*PYPISTATS_URL"):
            client.daily("flask")
        assert other.calls == []


@pytest.mark.parametrize(
    "location", [None, "", "http://[", "file:///etc/passwd", "//u:p@127.0.0.1"]
)
def test_a_redirect_to_nowhere_is_refused(server, client, location):
    server.fail("flask", _redirect(location))
    with pytest.raises(DownloadsError, match="not followed"):
        client.daily("flask")


def test_a_redirect_on_the_same_server_is_followed_and_not_for_ever(server, client):
    server.series["flask-2"] = DAYS
    server.fail("flask", _redirect("/api/packages/flask/overall?mirrors=true", 308), times=2)
    assert len(client.daily("flask")) == 100

    server.fail("flask", _redirect("/api/packages/flask/overall?mirrors=true"), times=9)
    with pytest.raises(DownloadsError, match="in a loop"):
        client.daily("flask")
    assert len(server.calls) == 6


def test_a_redirect_with_an_endless_body_is_not_read_to_the_end(server, client):
    endless = Answer(302, b"", "text/html", {"Location": "/"}, how="endless")
    server.fail("flask", endless)
    with pytest.raises(DownloadsError, match="larger than"):
        client.daily("flask")


# Spacing


@pytest.mark.usefixtures("server")
def test_calls_are_spaced(client, clock):
    for _ in range(4):
        client.daily("flask")
    assert clock.slept == pytest.approx([2.1, 2.1, 2.1])


def test_calls_of_many_threads_are_spaced(server, session):
    # A fixed clock shows the turns as they were given.
    turns = []
    client = PyPIStats(session, url=server.url, sleep=turns.append, clock=lambda: 0.0)
    threads = [threading.Thread(target=client.daily, args=("flask",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == pytest.approx([2.1 * n for n in range(1, 8)])


def test_spaced_calls_stay_within_the_limits(session, clock):
    with PyPIStatsServer({"flask": DAYS}, limited=True, clock=clock) as server:
        client = _client(server, session, clock, retry=RetryPolicy(attempts=1))
        for _ in range(65):
            client.daily("flask")
        hurried = _client(server, session, clock, retry=RetryPolicy(attempts=1), interval=0)
        clock.sleep(60)
        for _ in range(5):
            hurried.daily("flask")
        with pytest.raises(DownloadsError, match="429"):
            hurried.daily("flask")


def test_a_refusal_holds_every_thread(server, session):
    turns = []
    client = PyPIStats(session, url=server.url, sleep=turns.append, clock=lambda: 0.0)
    server.fail("flask", 429)
    client.daily("flask")
    assert turns[0] >= 60  # the retry
    assert turns[1] >= turns[0]  # and every call after the refusal


def test_nobody_queues_for_long_but_the_patient(server, session):
    turns, now = [], [0.0]
    stopped = {"url": server.url, "sleep": turns.append, "clock": lambda: now[0]}
    hasty = PyPIStats(session, retry=INTERACTIVE_RETRY, **stopped)
    for _ in range(10):
        hasty.daily("flask")
    for _ in range(3):
        with pytest.raises(DownloadsError, match="as often as it allows"):
            hasty.daily("flask")
    assert max(turns) < 20
    assert len(server.calls) == 10
    now[0] = 2.1  # a refused caller takes no turn
    hasty.daily("flask")

    patient = PyPIStats(session, **stopped)
    for _ in range(20):
        patient.daily("flask")


# Reaching


@pytest.mark.parametrize("fault", [None, 404, 500, 429, "endless"])
def test_any_answer_counts_as_reachable(server, client, fault):
    if fault is not None:
        server.fail(None, fault)
    assert client.reachable(2)
    assert len(server.calls) == 1


def test_a_server_that_hangs_is_not_reachable(server, client):
    server.fail(None, "hang")
    started = time.monotonic()
    assert not client.reachable(0.3)
    assert time.monotonic() - started < 5
    assert len(server.calls) == 1


def test_a_name_resolution_that_hangs_is_not_waited_for(session, clock, monkeypatch):
    released = threading.Event()

    def hang(*_args, **_kwargs):
        released.wait(10)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", hang)
    client = PyPIStats(session, url="http://pypistats.invalid/api", sleep=clock.sleep)
    started = time.monotonic()
    assert not client.reachable(0.2)
    assert time.monotonic() - started < 5
    released.set()
    for thread in threading.enumerate():
        if thread.name == "pypistats-probe":
            thread.join(5)


# Arbitrary answers

ROW = st.fixed_dictionaries(
    {
        "category": st.sampled_from(["with_mirrors", "without_mirrors", "", 1]),
        "date": st.one_of(
            st.dates(date(2026, 1, 1), date(2026, 1, 20)).map(str), st.text(max_size=12), st.none()
        ),
        "downloads": st.one_of(
            st.integers(0, 10**6), st.integers(), st.floats(), st.booleans(), st.text(max_size=3)
        ),
    }
)
GOOD_ROW = st.fixed_dictionaries(
    {
        "category": st.just("with_mirrors"),
        "date": st.dates(date(2026, 1, 1), date(2026, 7, 1)).map(str),
        "downloads": st.integers(0, 10**11),
    }
)
ANSWER = st.fixed_dictionaries(
    {
        "data": st.one_of(st.lists(GOOD_ROW, max_size=9), st.lists(ROW, max_size=5)),
        "package": st.sampled_from(["flask", "flask", "Flask", "other"]),
        "type": st.sampled_from(["overall_downloads", "overall_downloads", "recent_downloads"]),
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    ANSWER.map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=300, deadline=None)
@given(body=BODIES)
def test_any_body_gives_a_valid_series_or_a_downloads_error(body):
    try:
        counts = read_answer(body, "flask", mirrors=True)
    except DownloadsError as error:
        _check_message(str(error))
        return
    _check_series(counts, json.loads(body))


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(GOOD_ROW, min_size=1, max_size=30, unique_by=lambda row: row["date"]))
def test_every_good_answer_is_taken_whole(rows):
    body = json.dumps({"data": rows, "package": "flask", "type": "overall_downloads"}).encode()
    _check_series(read_answer(body, "flask", mirrors=True), {"data": rows})


def _check_message(message):
    assert message.isprintable()
    assert len(message) < 600


def _check_series(counts, answer):
    assert counts.dtype == "int64"
    assert len(counts) > 0
    assert (counts >= 0).all()
    assert counts.index.is_unique
    assert counts.index.is_monotonic_increasing
    assert (counts.index == counts.index.normalize()).all()
    assert {str(day.date()): count for day, count in counts.items()} == {
        row["date"]: row["downloads"] for row in answer["data"]
    }


def test_nothing_is_logged_that_should_not_be(server, client, caplog):
    caplog.set_level(logging.WARNING)
    server.fail("flask", 500)
    client.daily("flask")
    assert caplog.records == []
