"""The text of the page in each state, with real clients against the stand-ins; no browser."""

import datetime as dt
import html
import re
from pathlib import Path

import pytest

from app.launch import Settings, assemble
from app.view import content
from app.view.state import View, choose
from forecast.config import Config
from tests.bundles import (
    CREATED_AT,
    LAST_DAY,
    counts,
    files_of,
    make_bundle,
    replace_folder,
    zip_of,
)

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SECONDS = 20.0
CONFIG = Config(
    packages=["Flask", "requests", "pytorch"],  # type: ignore[arg-type] # pydantic reads them
    username="owner",
    repo_name="repo",
    forecast_days=30,
    m_values=(3, 6, 7),
)


class Page:
    """The app without gradio: everything behind its handlers."""

    def __init__(self, github, pypistats, *, token=None, now=NOW, models_dir=None):
        self.now = now
        settings = Settings(Path(), github.url, pypistats.url, models_dir, token)
        self.forecasts = assemble(settings, CONFIG, lambda: self.now)

    def show(self, package="flask", *others, refresh=True):
        if refresh:
            self.forecasts.store.refresh()
        return content.show(self.forecasts, View(choose(package, others)), self.now, wait=SECONDS)


@pytest.fixture
def token(github_server):
    return github_server.token


@pytest.fixture
def page(github_server, pypistats_server, token):
    serve(pypistats_server, "flask", counts(LAST_DAY))
    serve(pypistats_server, "requests", counts(LAST_DAY, size=2000))
    return Page(github_server, pypistats_server, token=token)


@pytest.fixture
def without_counts(page, pypistats_server):
    """PyPI Stats knows none of the packages, so no model can be trained on demand."""
    pypistats_server.series.clear()
    return page


def serve(server, name, series):
    server.series[name] = {day.date(): int(count) for day, count in series.items()}


def text_of(shown):
    """The text of the page, except for numbers and details."""
    markup = f"{shown.banner} {shown.headline} {shown.warnings} {shown.facts}"
    plain = html.unescape(re.sub(r"<[^>]+>", "", markup))
    return plain.replace("\N{NO-BREAK SPACE}", " ")


def test_all_is_well(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()), created_at=CREATED_AT)
    shown = page.show()
    assert shown.figure is not None
    assert "Forecast for Flask" in shown.headline
    assert "downloads in the next 30 days (probably " in text_of(shown)
    assert shown.banner == shown.warnings == ""
    for text in ("Last model updated on", "22 November 2026", "Trained through", "21 November"):
        assert text in shown.facts
    assert "notice" not in shown.facts
    assert "Error of the seasonal naive" in shown.details


def test_a_check_costs_nothing_when_nothing_is_new(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()))
    page.show()
    bundle = page.forecasts.store.snapshot.bundle
    before = len(github_server.calls)
    page.show()
    assert page.forecasts.store.snapshot.bundle is bundle
    assert len(github_server.calls) == before + 1
    assert github_server.free_calls == 1


def test_no_token(github_server, pypistats_server):
    github_server.add_artifact(zip_of(make_bundle()))
    shown = Page(github_server, pypistats_server).show()
    assert shown.figure is None
    assert "GITHUB_TOKEN" in text_of(shown)


def test_a_weak_token(github_server, pypistats_server):
    github_server.add_artifact(zip_of(make_bundle()))
    shown = Page(github_server, pypistats_server, token="ghp_wrong_secret").show()
    assert shown.figure is None
    assert "GITHUB_TOKEN" in text_of(shown)
    assert "ghp_wrong_secret" not in str(shown)


def test_no_artifact(without_counts):
    shown = without_counts.show()
    assert shown.figure is None
    assert re.search(r"models.*workflow", text_of(shown))


def test_no_artifact_yet_and_a_model_trained_on_demand(page):
    shown = page.show()
    assert shown.figure is not None
    assert "Forecast for Flask" in shown.headline
    assert re.search(r"models.*workflow", text_of(shown))


def test_all_artifacts_expired(without_counts, github_server):
    github_server.add_artifact(zip_of(make_bundle()), expired=True)
    shown = without_counts.show()
    assert shown.figure is None
    assert "expired" in text_of(shown)


def test_an_artifact_that_cannot_be_trusted(without_counts, github_server):
    github_server.add_artifact(zip_of(make_bundle()), fork=True)
    assert without_counts.show().figure is None


def test_a_wrong_digest(without_counts, github_server):
    github_server.add_artifact(zip_of(make_bundle()), digest="sha256:" + "0" * 64)
    shown = without_counts.show()
    assert shown.figure is None
    assert re.search("SHA-256|digest", text_of(shown))


def test_a_bundle_that_is_none(without_counts, github_server):
    github_server.add_artifact(zip_of({"manifest.json": b"{}"}))
    shown = without_counts.show()
    assert shown.figure is None
    assert "refused" in text_of(shown)
    assert "Run the workflow again" in text_of(shown)


def test_github_down_from_the_start(without_counts, github_server):
    github_server.fail("list", 503, times=99)
    shown = without_counts.show()
    assert shown.figure is None
    assert "503" in text_of(shown) or "GitHub" in text_of(shown)


def test_github_down_later_keeps_the_last_good_models(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()), created_at=CREATED_AT)
    page.show()
    github_server.close()
    shown = page.show()
    assert shown.figure is not None
    assert "the last good ones are shown" in text_of(shown)


def test_a_new_bundle_shows_without_a_restart(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()), created_at=CREATED_AT)
    page.show()
    newer = CREATED_AT + dt.timedelta(hours=3)
    github_server.add_artifact(zip_of(make_bundle(("django",), created_at=newer)), created_at=newer)
    assert page.show("django").figure is not None
    labels = [package.label for package in page.forecasts.store.catalogue.packages]
    assert labels == ["Flask", "requests", "pytorch", "django"]


def test_a_configured_package_without_a_model_yet(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()))
    shown = page.show("pytorch")
    assert shown.figure is None
    assert "There is no model of pytorch yet: the next weekly run makes it." in shown.headline
    assert "pytorch is in config.toml and has no model yet: start the workflow" in shown.warnings


def test_a_configured_package_that_could_not_be_trained(page, github_server):
    github_server.add_artifact(zip_of(make_bundle(failed={"pytorch": "has 3 observed days"})))
    shown = page.show("pytorch")
    assert "has 3 observed days" not in shown.headline
    assert "has 3 observed days" in shown.warnings  # for the owner


def test_an_unknown_package_gets_near_matches(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()))
    text = text_of(page.show("flaskk"))
    assert "No forecast for flaskk" in text
    assert "Did you mean Flask?" in text


def test_a_name_that_cannot_be(page):
    assert "No package chosen" in text_of(page.show("<script>alert(1)</script>"))


def test_a_second_package_that_fails_leaves_the_first(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()))
    shown = page.show("flask", "nonesuch")
    assert "Forecast for Flask<" in shown.headline
    assert "nonesuch" in text_of(shown)


def test_sample_data_is_called_so_and_never_mixed_with_real_counts(
    github_server, pypistats_server, tmp_path
):
    replace_folder(tmp_path / "models", files_of(make_bundle(source="sample")))
    page = Page(github_server, pypistats_server, models_dir=tmp_path / "models")
    shown = page.show()
    assert "Sample data:" in text_of(shown)
    assert github_server.calls == pypistats_server.calls == []


def test_a_stale_model_and_old_counts(page, github_server):
    github_server.add_artifact(zip_of(make_bundle()))
    page.now = NOW + dt.timedelta(days=11)
    text = text_of(page.show())
    assert "The models are 11 days old" in text
    assert "The newest counts of Flask are 12 days old" in text


def test_newer_days_reach_the_page_with_one_call_a_day(page, github_server, pypistats_server):
    github_server.add_artifact(zip_of(make_bundle()), created_at=CREATED_AT)
    page.now = NOW + dt.timedelta(days=2)
    serve(pypistats_server, "flask", counts(LAST_DAY + dt.timedelta(days=2), days=72))
    for _ in range(4):
        shown = page.show()
    assert len(pypistats_server.calls) == 1
    assert '<time datetime="2026-11-23">' in shown.facts
    assert '"x":["2026-11-24"' in shown.figure


def test_pypi_stats_down_leaves_the_bundle_s_own_history(page, github_server, pypistats_server):
    github_server.add_artifact(zip_of(make_bundle()), created_at=CREATED_AT)
    pypistats_server.fail("flask", 404, times=99)
    for _ in range(3):
        shown = page.show()
    assert shown.figure is not None
    assert "Newer days of Flask are missing" in text_of(shown)
    assert len(pypistats_server.calls) == 1


def test_no_folder(github_server, pypistats_server, tmp_path):
    shown = Page(github_server, pypistats_server, models_dir=tmp_path / "none").show()
    assert shown.figure is None
    assert "python -m trainer --output" in text_of(shown)
    assert github_server.calls == []


def test_what_nobody_expected_leaves_a_page(page, github_server, monkeypatch, caplog):
    github_server.add_artifact(zip_of(make_bundle()))
    monkeypatch.setattr("app.view.chart.draw", lambda *_: 1 / 0)
    shown = page.show()
    assert "ZeroDivisionError" in text_of(shown)
    assert "drawing ?package=flask failed" in caplog.text
