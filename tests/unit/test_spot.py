import datetime as dt
import threading
from dataclasses import dataclass

import pytest

from app.spot import Spot
from forecast.arima.backtest import Scores
from forecast.config import Package
from forecast.errors import DownloadsError, SeriesError, UnknownPackageError
from forecast.model import Model
from tests.bundles import LAST_DAY, NAIVE, counts

DJANGO = Package("django", "Django")


@dataclass(frozen=True)
class Trained:
    model: Model
    scores: Scores
    order: tuple = NAIVE.order
    seasonal_order: tuple = NAIVE.seasonal_order
    m: int = 7
    candidates: int = 12


def train(series, horizon, m_values):
    assert (horizon, m_values) == (30, (3, 6, 7))
    model = Model(series.start, tuple(map(float, series.values)), (NAIVE,))
    return Trained(model, Scores(4, 0.8, 1.0, 0.8, 0.81, 0.96))


class Setting:
    """A Spot whose source, clock and training are at hand."""

    def __init__(self, answer=None, train=train):
        self.answer = counts() if answer is None else answer
        self.asked = []
        self.now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
        self.spot = Spot(
            self.fetch, train, lambda: self.now, horizon=30, m_values=(3, 6, 7), outages=()
        )

    def fetch(self, name):
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_any_package_is_fetched_and_trained():
    told = []
    outlook = Setting().spot.outlook(DJANGO, lambda part, text: told.append((part, text)))
    assert outlook.package == DJANGO
    assert outlook.on_the_spot
    assert outlook.trained_through == outlook.observed_through == LAST_DAY
    assert outlook.table.start == LAST_DAY + dt.timedelta(days=1)
    assert outlook.backtest.ratio == 0.8
    assert outlook.choice.candidates == 12
    assert [text.split(" ")[0] for _, text in told] == ["Fetching", "Searching", "Drawing"]
    assert [part for part, _ in told] == sorted(part for part, _ in told)


def test_once_a_day_for_all_visitors():
    setting = Setting()
    first = setting.spot.outlook(DJANGO)
    assert setting.spot.outlook(DJANGO) is first
    setting.now += dt.timedelta(days=1)
    assert setting.spot.outlook(DJANGO) is not first
    assert setting.asked == ["django", "django"]


def test_visitors_at_the_same_moment_share_one_training():
    setting = Setting()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(setting.spot.outlook(DJANGO)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(outlook) for outlook in found}) == 1
    assert setting.asked == ["django"]


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (UnknownPackageError("404"), UnknownPackageError, "knows no package called Django"),
        (DownloadsError("PyPI Stats is down."), DownloadsError, "PyPI Stats is down."),
        (counts(days=5), SeriesError, "Django has 5 observed days"),
    ],
)
def test_failures_are_kept_for_the_day(answer, kind, text):
    setting = Setting(answer)
    for _ in range(3):
        with pytest.raises(kind, match=text):
            setting.spot.outlook(DJANGO)
    assert setting.asked == ["django"]


def test_what_cannot_be_trained_says_why():
    def refuse(series, horizon, m_values):
        raise SeriesError("nothing to learn from")

    with pytest.raises(SeriesError, match="Django: nothing to learn from"):
        Setting(train=refuse).spot.outlook(DJANGO)


def test_a_surprise_is_not_kept():
    setting = Setting(RuntimeError("surprise"))
    with pytest.raises(RuntimeError):
        setting.spot.outlook(DJANGO)
    setting.answer = counts()
    assert setting.spot.outlook(DJANGO).on_the_spot


def test_a_page_that_does_not_train_asks_nobody():
    setting = Setting(train=None)
    assert not setting.spot.offered
    with pytest.raises(UnknownPackageError, match=r"Django has no model here.*config\.toml"):
        setting.spot.outlook(DJANGO)
    assert setting.asked == []


def test_no_more_than_so_many_are_kept(monkeypatch):
    monkeypatch.setattr("app.spot.MOST_KEPT", 2)
    setting = Setting()
    for name in ("a", "b", "a", "c", "a", "b"):
        setting.spot.outlook(Package(name, name))
    assert setting.asked == ["a", "b", "c", "b"]
