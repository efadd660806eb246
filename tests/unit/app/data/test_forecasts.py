import datetime as dt
from functools import partial

import pytest

from forecast.config import Package
from forecast.errors import BundleError, UnknownPackageError
from forecast.presentation import wording
from tests.bundles import LAST_DAY, make_bundle, outdated
from tests.pages import PageData

FLASK = Package("flask", "flask")


def test_a_forecast_is_made_once_for_the_same_days():
    forecasts = PageData(make_bundle()).forecasts
    first = forecasts.package_forecast(FLASK, wait=10)
    assert first.observed_through == LAST_DAY + dt.timedelta(days=1)
    assert forecasts.package_forecast(FLASK) is first
    assert first.package.label == "Flask"


def test_a_new_bundle_makes_a_new_forecast():
    forecasts = PageData(
        make_bundle(), make_bundle(last_day=LAST_DAY + dt.timedelta(days=1))
    ).forecasts
    first = forecasts.package_forecast(FLASK, wait=10)
    forecasts.store.refresh()
    second = forecasts.package_forecast(FLASK)
    assert second is not first
    assert second.trained_through == LAST_DAY + dt.timedelta(days=1)


@pytest.mark.parametrize("source", ["sample", "folder"])
def test_only_counts_of_pypi_stats_are_continued_from_there(source):
    page = PageData(make_bundle(source=source))
    forecast = page.forecasts.package_forecast(FLASK, wait=1)
    assert forecast.observed_through == LAST_DAY
    assert not page.forecasts.pending(FLASK)
    assert page.forecasts.package_forecast(FLASK) is forecast
    assert page.asked == []


def test_before_any_bundle_a_configured_package_says_why_there_is_none():
    forecasts = PageData(answer=UnknownPackageError("404")).forecasts
    with pytest.raises(BundleError, match=r"There are no models yet.* Training one now failed"):
        forecasts.package_forecast(FLASK)


def test_without_a_bundle_a_page_goes_on():
    page = PageData()
    assert page.forecasts.package_forecast(FLASK).on_demand


def test_a_typing_error_is_not_taken_for_a_package_without_a_model():
    forecasts = PageData(make_bundle(), answer=UnknownPackageError("404")).forecasts
    with pytest.raises(UnknownPackageError, match="Did you mean Flask"):
        forecasts.package_forecast(Package("flaks", "flaks"))


def test_the_first_package_is_one_with_a_model():
    assert PageData().forecasts.first()[0].label == "Flask"
    assert PageData(make_bundle(("pytorch",))).forecasts.first()[0].label == "pytorch"


def test_what_is_cached():
    forecasts = PageData(make_bundle(), make_bundle()).forecasts
    assert not forecasts.is_cached(FLASK, 1)
    forecasts.package_forecast(FLASK, wait=10)
    assert forecasts.is_cached(FLASK, 30)
    assert not forecasts.is_cached(FLASK, 31)
    forecasts.store.refresh()
    assert not forecasts.is_cached(FLASK, 30)


def test_preparing_makes_forecasts_ready():
    page = PageData(make_bundle())
    bundle = page.forecasts.store.snapshot.bundle
    assert bundle
    page.forecasts.prepare(bundle)
    assert page.forecasts._cache == {}
    page.forecasts._preparing = True
    page.forecasts.prepare(bundle)
    assert list(page.forecasts._cache) == ["flask", "requests"]
    assert "change" in vars(page.forecasts._cache["flask"].forecast)


def test_preparing_survives_anything(monkeypatch, caplog):
    page = PageData(make_bundle())
    page.forecasts._preparing = True
    monkeypatch.setattr("app.data.forecasts.from_bundle", lambda *_: 1 / 0)
    bundle = page.forecasts.store.snapshot.bundle
    assert bundle
    page.forecasts.prepare(bundle)
    assert "preparing a bundle failed" in caplog.text


def test_no_more_than_so_many_are_kept(monkeypatch):
    monkeypatch.setattr("app.data.forecasts.CACHE_SIZE", 1)
    forecasts = PageData(make_bundle()).forecasts
    forecasts.package_forecast(FLASK)
    forecasts.package_forecast(Package("requests", "requests"))
    assert list(forecasts._cache) == ["requests"]


def test_models_of_an_earlier_version_are_made_anew_on_demand():
    bundle = outdated(make_bundle())
    page = PageData(bundle)
    made = page.forecasts.package_forecast(FLASK)
    assert made.on_demand
    assert page.forecasts.first() == (page.forecasts.store.catalogue.packages[0],)
    assert not page.forecasts.pending(FLASK)
    page.forecasts._preparing = True
    page.forecasts.prepare(bundle)
    assert page.forecasts._cache == {}


def test_a_forecast_of_days_that_have_passed_says_since_when():
    page = PageData(make_bundle())
    last = LAST_DAY + dt.timedelta(days=1)
    for ahead, stopped in ((1, None), (30, None), (31, last), (60, last)):
        now = dt.datetime.combine(last + dt.timedelta(days=ahead), dt.time(12), dt.UTC)
        page.forecasts._live_counts._clock = partial(dt.datetime.fromisoformat, now.isoformat())
        forecast = page.forecasts.package_forecast(FLASK, wait=10)
        assert forecast.observed_through == last
        assert forecast.no_counts_since == stopped
    told = wording.headline(forecast, ())
    assert told.startswith("Flask: no counts since 22 November 2026, and about ")
    assert "downloads in the 30 days from 23 November 2026" in told


def test_a_cached_forecast_whose_days_pass_says_since_when():
    page = PageData(make_bundle(source="folder"))  # which asks for no newer counts
    for ahead, stopped in ((30, None), (31, LAST_DAY)):
        now = dt.datetime.combine(LAST_DAY + dt.timedelta(days=ahead), dt.time(12), dt.UTC)
        page.forecasts._live_counts._clock = partial(dt.datetime.fromisoformat, now.isoformat())
        forecast = page.forecasts.package_forecast(FLASK)
        assert forecast.no_counts_since == stopped
        assert page.forecasts.package_forecast(FLASK) is forecast
