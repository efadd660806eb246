"""How good the forecasts were, asked of the app as a process."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
import requests

from forecast.presentation.feed import ATOM
from tests import schema
from tests.appserver import call
from tests.browser.warm import WarmAppServer
from tests.bundles import files_of, replace_folder
from tests.unit.forecast.record.records import bundle_with, day_row, total_row

CONFIG = """
packages = ["Flask"]
username = "owner"
repo_name = "repo"
forecast_days = 30
m_values = [7]
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    bundle = bundle_with([day_row()], [total_row(downloads=2_000)])
    replace_folder(folder / "models", files_of(bundle))
    settings = {
        "MODELS_DIR": str(folder / "models"),
        "FORECAST_CONFIG": str(folder / "config.toml"),
    }
    with WarmAppServer(settings) as running:
        yield running


def test_the_record(app):
    kind, [answer] = call(app, "record")
    assert kind == "complete"
    schema.check("record", answer)
    assert answer["days"] == {"compared": 1, "inside_80": None, "inside_95": None}
    assert answer["forecasts"] == answer["packages"] == 1
    assert answer["surprises"] == answer["last_week"]["weeks"]
    assert answer["last_week"]["weeks"][0]["package"] == "flask"
    assert answer["sentences"][0].startswith("Compared with the counts: 1 forecast of 1 package")
    fetched = requests.get(f"{app.url}record", timeout=10)
    assert (fetched.headers["Content-Type"], fetched.json()) == ("application/json", answer)
    picture = requests.get(f"{app.url}{answer['surprises'][0]['picture']}", timeout=10)
    assert picture.headers["Content-Type"].startswith("image/svg+xml")


def test_a_forecast_warns_of_an_unusual_week(app):
    _, [answer] = call(app, "forecast", package="flask", days=1)
    schema.check("forecast", answer)
    assert answer["warnings"][-1].startswith("Flask: 2,000 downloads in the week to 21 November")
    assert answer["accuracy"]["record"]["forecasts"] == 1


def test_the_record_as_a_page(app):
    answer = requests.get(f"{app.url}?view=record", timeout=10)
    assert answer.status_code == 200
    assert "no-cache" in answer.headers["Cache-Control"]
    assert '<a href="record">The same as JSON</a>' in answer.text
    assert "<script" not in answer.text
    assert "Compared with the counts: 1 forecast of 1 package" in answer.text
    assert '<a href="?package=flask">flask</a>: 2,000 downloads in the week to' in answer.text
    assert requests.head(f"{app.url}?view=record", timeout=10).text == ""
    assert "How good were the forecasts?" not in requests.get(app.url, timeout=30).text


def test_the_record_keeps_the_view_and_the_theme_of_its_address(app):
    kept = "&amp;scale=log&amp;range=30&amp;__theme=dark"
    text = requests.get(
        f"{app.url}?view=record&package=Flask&compare=x&scale=log&range=30&__theme=dark", timeout=10
    ).text
    back = f"./?package=Flask&amp;compare=x{kept}"
    assert f'<a href="{back}">Forecasts</a>' in text
    assert f'<a href="?package=flask{kept}">flask</a>: 2,000 downloads' in text
    assert '<meta name="color-scheme" content="dark">' in text
    assert "prefers-color-scheme" not in text  # in the pictures of surprises
    assert f'<link rel="canonical" href="{app.url}?view=record">' in text

    unknown = requests.get(f"{app.url}?view=record&scale=log&__theme=%22%3E", timeout=10).text
    assert '<a href="./?scale=log">Forecasts</a>' in unknown
    assert '<a href="?package=flask&amp;scale=log">flask</a>' in unknown
    assert "prefers-color-scheme" in unknown


def test_the_page_leads_to_the_record_and_to_the_feed(app):
    first = requests.get(app.url, timeout=30).text
    assert '<a href="?view=record&amp;package=Flask">' in first
    assert f'type="application/atom+xml" title="Unusual weeks" href="{app.url}feed.xml"' in first


def test_the_chooser_is_told_of_an_unusual_week(app):
    found = requests.get(f"{app.url}find?text=flask", timeout=10).json()
    assert found["unusual"] == ["Flask"]


def test_the_feed(app):
    answer = requests.get(f"{app.url}feed.xml?x=1", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/atom+xml"
    root = ET.fromstring(answer.content)
    [entry] = root.findall(f"{{{ATOM}}}entry")
    hrefs = [link.get("href") for link in root.iter(f"{{{ATOM}}}link")]
    assert hrefs == [f"{app.url}feed.xml", app.url, f"{app.url}?package=flask"]
    assert entry.findtext(f"{{{ATOM}}}title", "").startswith("flask: above what was expected")


def test_a_feed_links_no_address_that_is_none(app):
    answer = requests.get(f"{app.url}feed.xml", headers={"Host": "a/b?c"}, timeout=10)
    assert "a/b" not in answer.text


@pytest.mark.parametrize("name", ["flask", "Flask", "FLASK"])
def test_a_badge(app, name):
    answer = requests.get(f"{app.url}badge/{name}.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    badge = answer.json()
    assert (badge["schemaVersion"], badge["label"]) == (1, "next 30 days")
    assert badge["message"].endswith("K downloads")


@pytest.mark.parametrize("name", ["requests", "a b", "-", "%00", "..%2fmanifest"])
def test_no_badge_without_a_model(app, name):
    assert requests.get(f"{app.url}badge/{name}.json", timeout=10).status_code == 404
