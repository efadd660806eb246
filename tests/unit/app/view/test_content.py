import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.data.computing import Computing
from app.data.records import Records
from app.data.store import Snapshot
from app.view import content
from app.view.state import View, choose, chosen, parse_view
from forecast.config import Config
from forecast.errors import ForecastError
from forecast.github.artifact import Provenance
from tests.bundles import CREATED_AT, make_bundle
from tests.unit.app.view.samples import package_forecast
from tests.unit.forecast.record.records import bundle_with, total_row

NOW = CREATED_AT
PROVENANCE = Provenance("owner/repo", ".github/workflows/w.yml", "c0ffee" * 7, 42)


class Forecasts:
    """Forecasts of flask and requests; another name fails."""

    def __init__(self, bundle=None, problem="", **changes):
        config = Config.model_validate(
            {
                "packages": ["flask"],
                "username": "owner",
                "repo_name": "repo",
                "forecast_days": 30,
                "m_values": [7],
            }
        )
        snapshot = Snapshot(bundle, problem, looked=True, provenance=PROVENANCE)
        self.store = SimpleNamespace(snapshot=snapshot, config=config, configured={"flask"})
        self.records = Records(self.store)  # type: ignore[arg-type] # what it reads is there
        self.computing = Computing()
        self.asked = []
        self.changes = changes

    def package_forecast(self, package, **options):
        self.asked.append((package.name, options))
        if package.name not in {"flask", "requests"}:
            raise ForecastError(f"{package.name} is unknown")
        return package_forecast(package.name, **self.changes)


def show(forecasts, *names, view=None, **options):
    wanted = replace(view or View(), packages=choose(names[0], names[1:]))
    return content.show(forecasts, wanted, NOW, **options)


def test_an_unusual_week_is_told():
    forecasts = Forecasts(bundle_with(totals=[total_row(downloads=2_000)]))
    shown = show(forecasts, "flask", "requests")
    text = "2,000 downloads in the week to 21 November 2026, far above what was expected"
    assert shown.warnings.count(text) == 1
    assert "far above" not in show(forecasts, "requests").warnings
    assert "far above" not in show(Forecasts(make_bundle()), "flask").warnings


def test_every_part_of_a_view_is_filled():
    forecasts = Forecasts(make_bundle())
    shown = show(forecasts, "flask", "requests", wait=3.0, client="me")
    assert "Forecast for flask and requests" in shown.headline
    assert json.loads(shown.figure)["layout"]["meta"]["file"].startswith("flask-requests-2026-")
    assert shown.banner == shown.warnings == ""
    for part in (shown.facts, shown.exports, shown.details, shown.numbers):
        assert part
    assert shown.query == "?package=flask&compare=requests"
    assert [name for name, _ in forecasts.asked] == ["flask", "requests"]
    for _, options in forecasts.asked:
        assert (options["wait"], options["client"]) == (3.0, "me")


def test_the_first_response_gets_the_answer_alone():
    whole = show(Forecasts(make_bundle()), "flask")
    below = {"figure": None, "exports": "", "details": "", "numbers": ""}
    assert show(Forecasts(make_bundle()), "flask", whole=False) == replace(whole, **below)


def test_pictures_are_offered_where_there_are_any():
    without = show(Forecasts(make_bundle()), "flask").exports
    pictured = make_bundle(pictures={"flask.svg": "<svg/>", "flask.badge.svg": "<svg/>"})
    assert "picture/flask.svg" not in without
    assert "picture/flask.svg" in show(Forecasts(pictured), "flask").exports
    assert "picture/" not in show(Forecasts(pictured), "requests").exports


def test_where_there_is_a_site_its_badges_are_offered():
    pictured = make_bundle(pictures={"flask.svg": "<svg/>", "flask.badge.svg": "<svg/>"})
    forecasts = Forecasts(pictured)
    assert "shields.io" not in show(forecasts, "flask").exports
    site = {"site": "https://owner.github.io/repo/"}
    forecasts.store.config = forecasts.store.config.model_copy(update=site)
    exports = show(forecasts, "flask").exports
    assert "](https://owner.github.io/repo/package/flask/badge.svg)](" in exports
    assert "endpoint?url=https%3A%2F%2Fowner.github.io%2Frepo%2Fpackage%2Fflask%2Fbadge.json" in (
        exports
    )
    assert 'src="picture/flask.badge.svg"' in exports  # shown from here: no other server is asked
    assert "data-page" not in exports


def test_months_are_offered_where_they_are_known():
    forecasts = Forecasts(make_bundle())  # seventy days
    assert not show(forecasts, "flask").monthly
    chosen = show(forecasts, "flask", view=View(mode="monthly"))
    assert chosen.monthly  # so it must be seen


def test_packages_that_cannot_be_seen_get_a_hint_at_another_scale():
    class Unequal(Forecasts):
        def package_forecast(self, package, **options):
            made = super().package_forecast(package, **options)
            vars(made)["total"] = replace(made.total, mean=1e9) if package.name == "flask" else None
            return made

    forecasts = Unequal(make_bundle())
    hint = "Beside flask, requests lies close to zero: choose the scale Log or Indexed"
    assert hint in show(forecasts, "flask", "requests").warnings
    assert hint in show(forecasts, "requests", "flask").warnings
    log = show(forecasts, "flask", "requests", view=View(scale="log"))
    assert "close to zero" not in log.warnings


def test_one_notice_stands_above_the_chart_and_the_owner_s_advice_is_folded_up():
    shown = show(Forecasts(make_bundle(source="sample"), "GitHub is down."), "flask", "nonesuch")
    assert "Sample data" in shown.banner
    assert "GitHub is down" not in shown.banner + shown.warnings
    assert shown.warnings == ""  # one notice above the chart
    owner = shown.facts.partition("For the owner")[2].partition("</details>")[0]
    assert "GitHub is down" in owner
    assert "nonesuch is unknown" in shown.facts.partition("For the owner")[0]
    assert "Forecast for flask<" in shown.headline


def test_without_the_first_package_nothing_else_is_asked_for():
    forecasts = Forecasts(make_bundle())
    shown = show(forecasts, "nonesuch", "flask")
    assert [name for name, _ in forecasts.asked] == ["nonesuch"]
    assert shown.figure is None
    assert "No forecast for nonesuch" in shown.headline
    assert "nonesuch is unknown" in shown.headline
    assert shown.query == "?package=nonesuch&compare=flask"


@pytest.mark.parametrize(
    ("problem", "repeated"), [("nonesuch is unknown", True), ("GitHub is down.", False)]
)
def test_a_reason_is_told_once(problem, repeated):
    shown = show(Forecasts(None, problem), "nonesuch")
    assert (shown.banner == "") is repeated


def test_no_package():
    assert "No package chosen" in show(Forecasts(make_bundle()), "").headline


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("hello world", "hello-world would be one"),
        ("<b>", "&lt;b&gt;"),
        ("x" * 5_000, "5,000 characters: a name on PyPI has at most 100"),
        ("---", "cannot be the name of a package"),
    ],
)
def test_what_cannot_be_a_name_is_quoted(typed, says):
    view = chosen(typed, [])
    shown = content.show(Forecasts(make_bundle()), view, NOW)  # type: ignore[arg-type] # a double
    assert "Not the name of a package" in shown.headline
    assert says in shown.headline
    assert len(shown.headline) < 500


def test_a_second_package_that_cannot_be_one_is_told():
    view = chosen("flask", ["hello world"])
    shown = content.show(Forecasts(make_bundle()), view, NOW)  # type: ignore[arg-type] # the same
    assert "hello-world would be one" in shown.warnings


def test_what_an_address_asks_for_in_vain_is_told():
    view = parse_view({"package": "flask", "compare": "requests,c,d,e,f", "range": "45"})
    shown = content.show(Forecasts(), view, NOW)  # type: ignore[arg-type] # the same
    told = shown.warnings + shown.facts
    assert told.count("One chart has at most 5: f is left out") == 1
    assert told.count("range=“45”; it can be 30, 60, 90, 180 or all") == 1


@pytest.mark.parametrize(("on_demand", "told"), [(False, True), (True, False)])
def test_only_published_models_come_from_somewhere(on_demand, told):
    shown = show(Forecasts(make_bundle(), on_demand=on_demand), "flask")
    assert ("Attested by GitHub Actions" in shown.details) is told


def test_an_unexpected_error_leaves_a_page(monkeypatch, caplog):
    monkeypatch.setattr("app.view.chart.draw", lambda *_: 1 / 0)
    shown = show(Forecasts(make_bundle()), "flask")
    assert "Nothing to show" in shown.headline
    assert "ZeroDivisionError" in shown.headline
    assert shown.query == "?package=flask"
    assert "drawing ?package=flask failed" in caplog.text


def test_loading():
    assert "The models are being loaded" in content.loading().headline
