import datetime as dt

import pytest

from app.data.forecasts import Almanac
from app.data.live_counts import Newer
from app.data.on_demand import Spot
from app.data.store import Store
from forecast.config import Config, Package
from forecast.errors import BundleError, UnknownPackageError
from tests.bundles import LAST_DAY, counts, make_bundle
from tests.unit.app.data.test_on_demand import train
from tests.unit.app.data.test_store import Fake

CONFIG = Config(
    packages=["Flask", "pytorch"],
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(3, 6, 7),
)
FLASK = Package("flask", "flask")


class Setting:
    def __init__(self, *bundles, train=train, answer=None):
        self.asked = []
        self.answer = counts(LAST_DAY + dt.timedelta(days=1), days=71) if answer is None else answer
        clock = lambda: dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)  # noqa: E731
        spot = Spot(self.fetch, train, clock, horizon=30, m_values=(3, 6, 7))
        self.almanac = Almanac(Store(CONFIG, Fake(*bundles)), Newer(self.fetch, clock), spot)
        if bundles:
            self.almanac.store.refresh()

    def fetch(self, name):
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_outlook_is_made_once_for_the_same_days():
    almanac = Setting(make_bundle()).almanac
    first = almanac.outlook(FLASK, wait=10)
    assert first.observed_through == LAST_DAY + dt.timedelta(days=1)
    assert almanac.outlook(FLASK) is first
    assert first.package.label == "Flask"


def test_a_new_bundle_makes_a_new_outlook():
    almanac = Setting(make_bundle(), make_bundle(last_day=LAST_DAY + dt.timedelta(days=1))).almanac
    first = almanac.outlook(FLASK, wait=10)
    almanac.store.refresh()
    second = almanac.outlook(FLASK)
    assert second is not first
    assert second.trained_through == LAST_DAY + dt.timedelta(days=1)


@pytest.mark.parametrize("source", ["sample", "folder"])
def test_what_did_not_come_from_pypi_stats_is_not_continued_from_there(source):
    setting = Setting(make_bundle(source=source))
    outlook = setting.almanac.outlook(FLASK, wait=1)
    assert outlook.observed_through == LAST_DAY
    assert not setting.almanac.pending(FLASK)
    assert setting.almanac.outlook(FLASK) is outlook
    assert setting.asked == []


def test_before_any_bundle_a_configured_package_says_why_there_is_none():
    almanac = Setting(answer=UnknownPackageError("404")).almanac
    with pytest.raises(BundleError, match=r"There are no models yet.* Nor could one be made"):
        almanac.outlook(FLASK)


def test_without_a_bundle_a_page_goes_on():
    setting = Setting()
    assert setting.almanac.outlook(FLASK).on_the_spot


def test_a_typing_error_is_not_taken_for_a_package_without_a_model():
    almanac = Setting(make_bundle(), answer=UnknownPackageError("404")).almanac
    with pytest.raises(UnknownPackageError, match="Did you mean Flask"):
        almanac.outlook(Package("flaks", "flaks"))


def test_the_first_package_is_one_with_a_model():
    assert Setting().almanac.first()[0].label == "Flask"
    assert Setting(make_bundle(("pytorch",))).almanac.first()[0].label == "pytorch"


def test_what_is_at_hand():
    almanac = Setting(make_bundle(), make_bundle()).almanac
    assert not almanac.at_hand(FLASK, 1)
    almanac.outlook(FLASK, wait=10)
    assert almanac.at_hand(FLASK, 30)
    assert not almanac.at_hand(FLASK, 31)
    almanac.store.refresh()
    assert not almanac.at_hand(FLASK, 30)


def test_preparing_makes_outlooks_ready():
    setting = Setting(make_bundle())
    bundle = setting.almanac.store.snapshot.bundle
    setting.almanac.prepare(bundle)
    assert setting.almanac._kept == {}
    setting.almanac._preparing = True
    setting.almanac.prepare(bundle)
    assert list(setting.almanac._kept) == ["flask", "requests"]
    assert "total" in vars(setting.almanac._kept["flask"][2])


def test_preparing_survives_anything(monkeypatch, caplog):
    setting = Setting(make_bundle())
    setting.almanac._preparing = True
    monkeypatch.setattr("app.data.forecasts.from_bundle", lambda *_: 1 / 0)
    setting.almanac.prepare(setting.almanac.store.snapshot.bundle)
    assert "preparing a bundle failed" in caplog.text


def test_no_more_than_so_many_are_kept(monkeypatch):
    monkeypatch.setattr("app.data.forecasts.MOST_KEPT", 1)
    almanac = Setting(make_bundle()).almanac
    almanac.outlook(FLASK)
    almanac.outlook(Package("requests", "requests"))
    assert list(almanac._kept) == ["requests"]
