import datetime as dt
import threading

from app.data.live_counts import LiveCounts
from forecast.errors import DownloadsError
from tests.bundles import counts

SECONDS = 10.0


class Clock:
    def __init__(self, now=dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)):
        self.now = now

    def __call__(self):
        return self.now


class Fetch:
    """Answers from a list, and counts the calls."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, name):
        self.asked.append(name)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_asked_once_a_package_a_day():
    series = counts()
    fetch = Fetch(series)
    newer = LiveCounts(fetch, Clock())
    for _ in range(5):
        assert newer.counts("flask", SECONDS).series is series
    assert newer.counts("requests", SECONDS).series is series
    assert fetch.asked == ["flask", "requests"]


def test_a_failure_is_remembered_for_the_day():
    fetch = Fetch(DownloadsError("PyPI Stats is down."))
    newer = LiveCounts(fetch, Clock())
    for _ in range(3):
        known = newer.counts("flask", SECONDS)
        assert (known.series, known.problem) == (None, "PyPI Stats is down.")
    assert fetch.asked == ["flask"]


def test_the_next_day_it_is_asked_again_and_old_counts_outlive_a_failure():
    clock, series = Clock(), counts()
    fetch = Fetch(series, DownloadsError("down"))
    newer = LiveCounts(fetch, clock)
    newer.counts("flask", SECONDS)
    clock.now += dt.timedelta(days=1)
    known = newer.counts("flask", SECONDS)
    assert known.series is series
    assert known.problem == "down"
    assert len(fetch.asked) == 2


def test_yesterdays_counts_are_not_asked_for_before_they_are_loaded():
    clock, fetch = Clock(), Fetch(counts())
    newer = LiveCounts(fetch, clock)
    newer.counts("flask", SECONDS)
    clock.now = dt.datetime(2026, 11, 23, 1, 29, tzinfo=dt.UTC)
    newer.counts("flask", SECONDS)
    assert len(fetch.asked) == 1
    clock.now = dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
    newer.counts("flask", SECONDS)
    assert len(fetch.asked) == 2


def test_the_thread_survives_what_nobody_expected():
    series = counts()
    newer = LiveCounts(Fetch(RuntimeError("surprise"), series), Clock())
    assert "RuntimeError" in newer.counts("flask", SECONDS).problem
    assert newer.counts("requests", SECONDS).series is series


def test_nobody_waits_who_does_not_want_to():
    go_on = threading.Event()
    series = counts()

    def slow(_name):
        go_on.wait(SECONDS)
        return series

    newer = LiveCounts(slow, Clock())
    assert newer.counts("flask").series is None
    assert newer.pending("flask")
    go_on.set()
    assert newer.counts("flask", SECONDS).series is series
    assert not newer.pending("flask")


def test_a_full_queue_is_nobody_s_day(monkeypatch):
    monkeypatch.setattr("app.data.live_counts.QUEUE_SIZE", 1)
    go_on, begun = threading.Event(), threading.Event()
    series = counts()

    def slow(_name):
        begun.set()
        go_on.wait(SECONDS)
        return series

    newer = LiveCounts(slow, Clock())
    newer.counts("a")
    begun.wait(SECONDS)
    newer.counts("b")
    assert newer.counts("c").series is None
    assert not newer.pending("c")
    go_on.set()
    newer.counts("b", SECONDS)
    assert newer.counts("c", SECONDS).series is series


def test_it_forgets_the_packages_nobody_asks_for(monkeypatch):
    monkeypatch.setattr("app.data.live_counts.CACHE_SIZE", 2)
    fetch = Fetch(counts())
    newer = LiveCounts(fetch, Clock())
    for name in ("a", "b", "a", "c", "b"):
        newer.counts(name, SECONDS)
    assert fetch.asked == ["a", "b", "c", "b"]


def test_who_asked_before_the_load_asks_again_after_it():
    clock, fetch = Clock(), Fetch(counts())
    clock.now = dt.datetime(2026, 11, 23, 0, 10, tzinfo=dt.UTC)
    newer = LiveCounts(fetch, clock)
    for hour, minute, asked in ((0, 10, 1), (1, 29, 1), (1, 30, 2), (23, 59, 2)):
        clock.now = dt.datetime(2026, 11, 23, hour, minute, tzinfo=dt.UTC)
        newer.counts("flask", SECONDS)
        assert len(fetch.asked) == asked


def test_it_knows_the_last_day_of_any_package():
    newer = LiveCounts(Fetch(counts(), counts().iloc[:-3]), Clock())
    assert newer.through is None
    newer.counts("flask", SECONDS)
    newer.counts("requests", SECONDS)
    assert newer.through == counts().index[-1].date()
