import datetime as dt
import threading

import pytest

from app.data.on_demand import (
    CACHE_SIZE,
    MAX_CONCURRENT,
    PER_CLIENT,
    UNKNOWN_PER_CLIENT,
    OnDemand,
)
from app.data.rate_limits import RateLimit
from forecast.config import Package
from forecast.errors import BusyError, DownloadsError, SeriesError, UnknownPackageError
from tests.bundles import LAST_DAY, counts
from tests.pages import train

DJANGO = Package("django", "Django")


class Setting:
    """An OnDemand with a source, a clock and a search that the test sets."""

    def __init__(self, answer=None, train=train):
        self.answer = counts() if answer is None else answer
        self.asked = []
        self.now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
        self.on_demand = OnDemand(
            self.fetch, train, lambda: self.now, horizon=30, m_values=(3, 6, 7), outages=()
        )

    def fetch(self, name):
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_any_package_is_fetched_and_trained():
    told = []
    forecast = Setting().on_demand.package_forecast(
        DJANGO, lambda part, text: told.append((part, text))
    )
    assert forecast.package == DJANGO
    assert forecast.on_demand
    assert forecast.trained_through == forecast.observed_through == LAST_DAY
    assert forecast.daily.start == LAST_DAY + dt.timedelta(days=1)
    assert forecast.backtest.ratio == 0.8
    assert forecast.choice.candidates == 12
    assert [text.split(" ")[0] for _, text in told] == ["Fetching", "Searching", "Drawing"]
    assert [part for part, _ in told] == sorted(part for part, _ in told)


@pytest.mark.parametrize(("age", "stopped"), [(30, None), (31, LAST_DAY)])
def test_counts_whose_forecast_is_over_have_stopped(age, stopped):
    setting = Setting()
    setting.now = dt.datetime.combine(LAST_DAY + dt.timedelta(days=age), dt.time(12), dt.UTC)
    assert setting.on_demand.package_forecast(DJANGO).no_counts_since == stopped


def test_once_a_day_for_all_clients():
    setting = Setting()
    first = setting.on_demand.package_forecast(DJANGO)
    assert setting.on_demand.package_forecast(DJANGO) is first
    setting.now += dt.timedelta(days=1)
    assert setting.on_demand.package_forecast(DJANGO) is not first
    assert setting.asked == ["django", "django"]


def test_clients_at_the_same_moment_share_one_training():
    setting = Setting()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(setting.on_demand.package_forecast(DJANGO)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(forecast) for forecast in found}) == 1
    assert setting.asked == ["django"]


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (UnknownPackageError("404"), UnknownPackageError, "has no package named django"),
        (DownloadsError("PyPI Stats is down."), DownloadsError, "PyPI Stats is down."),
        (counts(days=5), SeriesError, "django has 5 observed days"),
    ],
)
def test_failures_are_kept_for_the_day(answer, kind, text):
    setting = Setting(answer)
    for _ in range(3):
        with pytest.raises(kind, match=text):
            setting.on_demand.package_forecast(DJANGO)
    assert setting.asked == ["django"]


def test_what_cannot_be_trained_says_why():
    def refuse(series, horizon, m_values):
        raise SeriesError("nothing to learn from")

    with pytest.raises(SeriesError, match="django: nothing to learn from"):
        Setting(train=refuse).on_demand.package_forecast(DJANGO)


def test_a_surprise_is_not_kept():
    setting = Setting(RuntimeError("surprise"))
    with pytest.raises(RuntimeError):
        setting.on_demand.package_forecast(DJANGO)
    setting.answer = counts()
    assert setting.on_demand.package_forecast(DJANGO).on_demand


def test_no_more_than_so_many_are_kept(monkeypatch):
    monkeypatch.setattr("app.data.on_demand.CACHE_SIZE", 2)
    setting = Setting()
    for name in ("a", "b", "a", "c", "a", "b"):
        setting.on_demand.package_forecast(Package(name, name))
    assert setting.asked == ["a", "b", "c", "b"]


def named(name):
    return Package(name, name)


def bounded(setting, per_client=2, total=3):
    """The same OnDemand with a rate limit whose clock stands still."""
    setting.on_demand._rate_limit = RateLimit(per_client, total, 3600.0, lambda: 0.0)
    return setting.on_demand


def test_a_client_may_ask_for_so_many_new_packages():
    setting = Setting()
    on_demand = bounded(setting)
    on_demand.package_forecast(named("a"), client="one")
    on_demand.package_forecast(named("b"), client="one")
    with pytest.raises(BusyError, match="^c has no .*, but you have .*; try again in an hour") as e:
        on_demand.package_forecast(named("c"), client="one")
    assert e.value.retry_after == 3600
    assert setting.asked == ["a", "b"]
    on_demand.package_forecast(named("c"), client="other")
    with pytest.raises(BusyError, match="all visitors together"):
        on_demand.package_forecast(named("d"), client="third")


def test_what_was_made_today_costs_nothing():
    on_demand = bounded(Setting())
    first = on_demand.package_forecast(DJANGO, client="one")
    for _ in range(5):
        assert on_demand.package_forecast(DJANGO, client="one") is first


def test_refusals_put_nothing_out_of_the_cache():
    on_demand = bounded(Setting(), per_client=1)
    first = on_demand.package_forecast(DJANGO, client="one")
    for number in range(2 * CACHE_SIZE):
        with pytest.raises(BusyError):
            on_demand.package_forecast(named(f"p{number}"), client="one")
    assert on_demand.package_forecast(DJANGO, client="one") is first


def test_no_more_than_some_are_made_at_once():
    go, found = threading.Event(), []
    busy = threading.Barrier(MAX_CONCURRENT + 1)

    class Slow(Setting):
        def fetch(self, name):
            busy.wait(10)
            go.wait(10)
            return super().fetch(name)

    on_demand = Slow().on_demand
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(on_demand.package_forecast(named(f"p{n}")))
        )
        for n in range(MAX_CONCURRENT)
    ]
    for thread in threads:
        thread.start()
    busy.wait(10)
    with pytest.raises(BusyError, match="8 other packages .*; try again in a minute"):
        on_demand.package_forecast(DJANGO)
    go.set()
    for thread in threads:
        thread.join()
    assert len(found) == MAX_CONCURRENT
    busy.reset()
    on_demand._fetch = lambda _name: counts()
    assert (
        on_demand.package_forecast(DJANGO).package == DJANGO
    )  # the refusal was not kept for the day


def test_each_visitor_sees_the_own_spelling():
    setting = Setting()
    setting.on_demand.package_forecast(DJANGO)
    other = Package("django", "dJANGO")
    assert setting.on_demand.package_forecast(other).package == other
    assert setting.asked == ["django"]


def test_names_that_are_none_are_free_for_a_while():
    """They cost one request each, so there is a limit of their own."""
    setting = Setting(UnknownPackageError("404"))

    def ask(at):
        setting.on_demand.package_forecast(Package(f"none-{at}", f"none-{at}"), client="one")

    for at in range(UNKNOWN_PER_CLIENT + PER_CLIENT):
        with pytest.raises(UnknownPackageError):
            ask(at)
    with pytest.raises(BusyError):
        ask("last")
    assert len(setting.asked) == UNKNOWN_PER_CLIENT + PER_CLIENT


def test_what_was_asked_is_known_until_the_next_load():
    setting = Setting()
    assert not setting.on_demand.is_made(DJANGO)
    setting.on_demand.package_forecast(DJANGO)
    assert setting.on_demand.is_made(DJANGO)
    setting.now += dt.timedelta(days=1)
    assert not setting.on_demand.is_made(DJANGO)
