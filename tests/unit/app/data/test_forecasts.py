import datetime as dt

import pytest

from app.data.forecasts import Forecasts
from app.data.live_counts import LiveCounts
from app.data.on_demand import OnDemand
from app.data.store import Store
from forecast.config import Config, Package
from forecast.errors import BundleError, UnknownPackageError
from tests.bundles import LAST_DAY, counts, make_bundle
from tests.unit.app.data.test_on_demand import train
from tests.unit.app.data.test_store import Fake

CONFIG = Config(
    packages=["Flask", "pytorch"],  # type: ignore[arg-type] # pydantic reads them
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
        on_demand = OnDemand(self.fetch, train, clock, horizon=30, m_values=(3, 6, 7))
        self.forecasts = Forecasts(
            Store(CONFIG, Fake(*bundles)), LiveCounts(self.fetch, clock), on_demand
        )
        if bundles:
            self.forecasts.store.refresh()

    def fetch(self, name):
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_outlook_is_made_once_for_the_same_days():
    forecasts = Setting(make_bundle()).forecasts
    first = forecasts.package_forecast(FLASK, wait=10)
    assert first.observed_through == LAST_DAY + dt.timedelta(days=1)
    assert forecasts.package_forecast(FLASK) is first
    assert first.package.label == "Flask"


def test_a_new_bundle_makes_a_new_outlook():
    forecasts = Setting(
        make_bundle(), make_bundle(last_day=LAST_DAY + dt.timedelta(days=1))
    ).forecasts
    first = forecasts.package_forecast(FLASK, wait=10)
    forecasts.store.refresh()
    second = forecasts.package_forecast(FLASK)
    assert second is not first
    assert second.trained_through == LAST_DAY + dt.timedelta(days=1)


@pytest.mark.parametrize("source", ["sample", "folder"])
def test_what_did_not_come_from_pypi_stats_is_not_continued_from_there(source):
    setting = Setting(make_bundle(source=source))
    forecast = setting.forecasts.package_forecast(FLASK, wait=1)
    assert forecast.observed_through == LAST_DAY
    assert not setting.forecasts.pending(FLASK)
    assert setting.forecasts.package_forecast(FLASK) is forecast
    assert setting.asked == []


def test_before_any_bundle_a_configured_package_says_why_there_is_none():
    forecasts = Setting(answer=UnknownPackageError("404")).forecasts
    with pytest.raises(BundleError, match=r"There are no models yet.* Nor could one be made"):
        forecasts.package_forecast(FLASK)


def test_without_a_bundle_a_page_goes_on():
    setting = Setting()
    assert setting.forecasts.package_forecast(FLASK).on_the_spot


def test_a_typing_error_is_not_taken_for_a_package_without_a_model():
    forecasts = Setting(make_bundle(), answer=UnknownPackageError("404")).forecasts
    with pytest.raises(UnknownPackageError, match="Did you mean Flask"):
        forecasts.package_forecast(Package("flaks", "flaks"))


def test_the_first_package_is_one_with_a_model():
    assert Setting().forecasts.first()[0].label == "Flask"
    assert Setting(make_bundle(("pytorch",))).forecasts.first()[0].label == "pytorch"


def test_what_is_at_hand():
    forecasts = Setting(make_bundle(), make_bundle()).forecasts
    assert not forecasts.at_hand(FLASK, 1)
    forecasts.package_forecast(FLASK, wait=10)
    assert forecasts.at_hand(FLASK, 30)
    assert not forecasts.at_hand(FLASK, 31)
    forecasts.store.refresh()
    assert not forecasts.at_hand(FLASK, 30)


def test_preparing_makes_outlooks_ready():
    setting = Setting(make_bundle())
    bundle = setting.forecasts.store.snapshot.bundle
    assert bundle
    setting.forecasts.prepare(bundle)
    assert setting.forecasts._kept == {}
    setting.forecasts._preparing = True
    setting.forecasts.prepare(bundle)
    assert list(setting.forecasts._kept) == ["flask", "requests"]
    assert "total" in vars(setting.forecasts._kept["flask"][2])


def test_preparing_survives_anything(monkeypatch, caplog):
    setting = Setting(make_bundle())
    setting.forecasts._preparing = True
    monkeypatch.setattr("app.data.forecasts.from_bundle", lambda *_: 1 / 0)
    bundle = setting.forecasts.store.snapshot.bundle
    assert bundle
    setting.forecasts.prepare(bundle)
    assert "preparing a bundle failed" in caplog.text


def test_no_more_than_so_many_are_kept(monkeypatch):
    monkeypatch.setattr("app.data.forecasts.MOST_KEPT", 1)
    forecasts = Setting(make_bundle()).forecasts
    forecasts.package_forecast(FLASK)
    forecasts.package_forecast(Package("requests", "requests"))
    assert list(forecasts._kept) == ["requests"]
