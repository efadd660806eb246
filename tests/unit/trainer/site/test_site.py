"""The site: its files, its links, and what its pages say."""

import datetime as dt
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from jsonschema import ValidationError

from forecast.bundle.gate import picture_names
from forecast.bundle.manifest import PartEntry
from forecast.config import MOST_PARTS, Config, Package
from forecast.document import addresses, markup
from forecast.document.card import Painter
from forecast.document.document import TEMPLATES, Templates
from forecast.document.pictures import draw
from forecast.presentation import wording
from forecast.presentation.export import to_csv
from forecast.presentation.package_forecast import from_bundle
from tests import schema
from tests.bundles import LAST_DAY, counts, make_bundle, model_of
from tests.unit.forecast.record.records import bundle_with, total_row
from trainer.site import site as writer
from trainer.site.package import Maker
from trainer.site.share import share_of
from trainer.site.site import write_site

LARGEST_PAGE = 60_000  # bytes, with its picture
ABSOLUTE = "https://owner.github.io/repo/"
ELSEWHERE = ("https://pypistats.org/packages/", "https://github.com/Owner/repo")


def config(**changed):
    fields = {
        "packages": ["flask"],
        "username": "Owner",
        "repo_name": "repo",
        "forecast_days": 30,
        "m_values": [7],
    }
    return Config.model_validate(fields | changed)


def with_pictures(names, **changed):
    found = counts()
    model = model_of(found.index[0].date(), found)
    forecast, totals = model.predict_with_totals(30)
    drawn = {}
    for name in names:
        drawn |= draw(name, name, model, forecast, totals)
    assert drawn.keys() == {each for name in names for each in picture_names(name)}
    return make_bundle(names, pictures=drawn, **changed)


class Page(HTMLParser):
    """The links, sources and texts of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.text = [], [], ""
        self.head = {}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a":
            self.links.append(given["href"])
        if tag == "link" and given["rel"] != "canonical":
            self.loaded.append(given["href"])
        if tag in {"img", "script"}:
            self.loaded.append(given["src"])
        if tag == "meta" and "content" in given:
            self.head[given.get("property") or given["name"]] = given["content"]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of two packages and a group, whose folder is no name on PyPI."""
    folder = tmp_path_factory.mktemp("site")
    gone = PartEntry(name="gone", missing="no gone: check its spelling")
    parts = (PartEntry(name="flask"), PartEntry(name="click"), gone)
    groups = {"@pallets": {"label": "@pallets", "title": "The <i>projects</i>", "parts": parts}}
    bundle = with_pictures(["flask", "record", "@pallets"], groups=groups)
    write_site(bundle, config(), folder)
    return folder


def pages(folder):
    return sorted(folder.rglob("*.html"))


def test_a_share_of_a_bundle_has_what_its_packages_need_and_no_more():
    bundle = with_pictures(["flask", "requests"])
    share = share_of(bundle, ["requests"])
    assert share.names == ["requests"]
    assert share.manifest.files.keys() == set(picture_names("requests"))
    assert [share.picture(each) for each in picture_names("requests")] == [
        bundle.picture(each) for each in picture_names("requests")
    ]
    assert share.history("requests").equals(bundle.history("requests"))
    assert not share.has_history("flask")


def test_each_package_has_its_files(site):
    names = {"index.html", "chart.svg", "badge.svg", "badge.json", "forecast.json", "forecast.csv"}
    for folder in ("package/flask", "package/record", "group/pallets"):
        assert {path.name for path in (site / folder).iterdir()} == names | {"card.png"}
    assert {path.name for path in site.iterdir()} == {
        *("index.html", "404.html", "package", "group", "record", "feed.xml", "sitemap.xml"),
        *("style.css", "find.js", "packages.json"),
    }


def test_every_link_is_relative_and_leads_somewhere(site):
    for path in pages(site):
        page = Page(path)
        assert page.links
        if path.name == "404.html":
            assert page.loaded == []  # it is served at any depth
            assert all(link.startswith(ABSOLUTE) for link in page.links)
            continue
        for link in [*page.links, *page.loaded]:
            if link.startswith(ELSEWHERE):
                continue
            assert urlsplit(link)[:2] == ("", ""), (path, link)
            assert not link.startswith("/"), (path, link)
            target = path.parent / unquote(link)
            assert (target / "index.html" if target.is_dir() else target).is_file(), (path, link)


def test_a_page_with_its_picture_is_small(site):
    for path in pages(site):
        loaded = {path, *(path.parent / each for each in Page(path).loaded)}
        assert sum(each.stat().st_size for each in loaded) < LARGEST_PAGE


def test_a_page_says_what_the_app_says(site):
    text = Page(site / "package" / "flask" / "index.html").text
    for said in ("Forecast for flask", "Week by week", "Can you trust it?", "80 % band"):
        assert said in text
    assert f"[![Forecast of the downloads of flask]({ABSOLUTE}package/flask/badge.svg)]" in text
    assert "img.shields.io/endpoint?url=https%3A%2F%2Fowner.github.io%2Frepo%2Fpackage" in text
    group = Page(site / "group" / "pallets" / "index.html").text
    assert "Forecast for The <i>projects</i>" in group
    assert "gone is not counted here: there were no counts of it in PyPI Stats." in group
    assert "check its spelling" not in group
    made = json.loads((site / "group" / "pallets" / "forecast.json").read_text(encoding="utf-8"))
    schema.check("file", made)
    assert [part["name"] for part in made["parts"]] == ["flask", "click", "gone"]


def test_the_parts_of_a_group_lead_to_their_pages(site):
    page = (site / "group" / "pallets" / "index.html").read_text(encoding="utf-8")
    links = '<a href="../../package/flask/">flask</a> and click'
    assert page.count(f'<p class="parts">The sum of 2 packages: {links}.</p>') == 2
    assert "../package/" not in (site / "package" / "flask" / "index.html").read_text("utf-8")


def test_the_page_of_the_largest_group_is_small():
    names = [f"package-{at:03}" for at in range(MOST_PARTS)]
    parts = tuple(PartEntry(name=name) for name in names)
    groups = {"@all": {"label": "@all", "title": "All of them", "parts": parts}}
    bundle = with_pictures(["@all"], groups=groups)
    maker = Maker(bundle, config(), None, {}, {*names}, Templates(), Painter())
    _, made = maker.files("@all")
    page = made["index.html"].decode()
    assert page.count("../../package/") == markup.MOST_LINKED + wording.MOST_PARTS
    assert names[-1] in page
    style = sum((TEMPLATES / each).stat().st_size for each in ("first.css", "plain.css"))
    assert len(page) + len(made["chart.svg"]) + style < LARGEST_PAGE


def test_previews_have_an_absolute_picture(site):
    head = Page(site / "package" / "flask" / "index.html").head
    assert head["og:image"] == f"{ABSOLUTE}package/flask/card.png"
    assert head["og:url"] == f"{ABSOLUTE}package/flask/"
    assert (site / "package" / "flask" / "card.png").read_bytes().startswith(b"\x89PNG")


def test_data_is_that_of_the_endpoints(site):
    folder = site / "package" / "flask"
    made = json.loads((folder / "forecast.json").read_text(encoding="utf-8"))
    assert (made["package"], made["known_through"]) == ("flask", "2026-11-21")
    assert made["warnings"] == []
    schema.check("file", made)
    assert len(made["forecast"]) == 30
    forecast = from_bundle(make_bundle(["flask"]), Package("flask", "flask"), None, ())
    assert (folder / "forecast.csv").read_text(encoding="utf-8") == to_csv([forecast])
    badge = json.loads((folder / "badge.json").read_text(encoding="utf-8"))
    assert badge["schemaVersion"] == 1
    schema.check("badge", badge)


@pytest.mark.parametrize("change", [{"more": 1}, {"total": {}}, {"known_through": "yesterday"}])
def test_the_schema_refuses_what_it_does_not_describe(site, change):
    made = json.loads((site / "package" / "flask" / "forecast.json").read_text(encoding="utf-8"))
    with pytest.raises(ValidationError):
        schema.check("file", made | change)


def test_the_list_finds_by_name_and_shows_titles(site):
    told = json.loads((site / "packages.json").read_text(encoding="utf-8"))
    schema.check("packages", told)
    assert told[0] == ["flask", "flask", "package/flask/"]
    assert told[2] == ["The <i>projects</i>", "@pallets", "group/pallets/"]
    index = Page(site / "index.html").text
    assert "The <i>projects</i>" in index
    assert "Find one of 2 packages and 1 group\n" in index


def test_sitemap_and_feed_have_absolute_addresses(site):
    places = [each.text for each in ET.parse(site / "sitemap.xml").iter() if "loc" in each.tag]
    assert f"{ABSOLUTE}group/pallets/" in places
    feed = ET.parse(site / "feed.xml").getroot()
    links = [each.get("href") for each in feed if each.tag.endswith("link")]
    assert links == [f"{ABSOLUTE}feed.xml", ABSOLUTE]


def test_an_unusual_week_is_told_everywhere(tmp_path):
    row = total_row(downloads=2000.0)
    bundle = bundle_with(totals=[row])
    write_site(bundle, config(), tmp_path)
    said = "flask: 2,000 downloads in the week to 21 November 2026, far above what was expected"
    assert said in Page(tmp_path / "package" / "flask" / "index.html").text
    assert "unusual week" in Page(tmp_path / "index.html").text
    told = json.loads((tmp_path / "packages.json").read_text(encoding="utf-8"))
    assert told == [["flask", "flask", "package/flask/", 1]]
    schema.check("packages", told)
    for mark in (0, True, "1"):
        with pytest.raises(ValidationError):
            schema.check("packages", [[*told[0][:3], mark]])
    assert said in Page(tmp_path / "record" / "index.html").text
    answer = json.loads((tmp_path / "record" / "record.json").read_text(encoding="utf-8"))
    assert answer["last_week"]["outside"] == 1
    for week in (*answer["surprises"], *answer["last_week"]["weeks"]):
        assert (tmp_path / "record" / week["picture"]).is_file()
    schema.check("record", answer)
    [entry] = [each for each in ET.parse(tmp_path / "feed.xml").getroot() if "entry" in each.tag]
    [link] = [each.get("href") for each in entry if each.tag.endswith("link")]
    assert link == f"{ABSOLUTE}package/flask/"
    made = json.loads((tmp_path / "package" / "flask" / "forecast.json").read_text("utf-8"))
    assert made["warnings"] == [f"{said} (500 to 900)."]


def test_a_package_whose_counts_stopped_says_so_everywhere(tmp_path):
    last = LAST_DAY - dt.timedelta(days=60)
    write_site(with_pictures(["flask"], last_day=last), config(), tmp_path)
    told = "no counts since 22 September 2026"
    listed = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f'<td colspan="2">{told}</td>' in listed  # one narrow cell would be too wide for a phone
    page = Page(tmp_path / "package" / "flask" / "index.html")
    for head in ("og:title", "og:description", "og:image:alt", "description"):
        assert page.head[head].replace("\N{NO-BREAK SPACE}", " ").startswith(f"flask: {told}")
    assert f"flask: {told}" in page.text
    assert "next 30 days" not in page.text
    folder = tmp_path / "package" / "flask"
    assert json.loads((folder / "badge.json").read_bytes())["message"] == f"no counts since {last}"
    assert json.loads((folder / "forecast.json").read_bytes())["no_counts_since"] == str(last)


def test_sample_data_says_so_and_has_no_pictures(tmp_path):
    write_site(make_bundle(source="sample"), config(), tmp_path)
    page = Page(tmp_path / "package" / "flask" / "index.html")
    assert "These counts are made up" in page.text
    assert "Show it on your own page" not in page.text
    assert "made up" in Page(tmp_path / "index.html").text
    assert not [path for end in ("svg", "png") for path in tmp_path.rglob(f"*.{end}")]
    assert not list(tmp_path.rglob("badge.json"))
    assert "og:image" not in (tmp_path / "package" / "flask" / "index.html").read_text("utf-8")


def test_many_packages_are_divided_among_pages_and_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MOST_LISTED", 2)
    monkeypatch.setattr(writer, "AT_ONCE", 2)
    names = ["c", "a", "b", "d", "e"]
    for folder, jobs in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        write_site(make_bundle(names), config(), tmp_path / folder, jobs)
    index = Page(tmp_path / "two" / "index.html")
    assert [link for link in index.links if link.startswith("all/")] == [
        "all/1/",
        "all/2/",
        "all/3/",
    ]
    assert "a to b" in index.text
    assert "../../package/d/" in Page(tmp_path / "two" / "all" / "2" / "index.html").links
    one, two = (
        {path.relative_to(tmp_path / each): path.read_bytes() for path in files(tmp_path / each)}
        for each in ("one", "two")
    )
    assert one == two


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_address_of_the_site_may_be_configured(tmp_path):
    assert config().site_url == ABSOLUTE
    assert config(username="me", repo_name="ME.github.io").site_url == "https://me.github.io/"
    write_site(make_bundle(), config(site="https://forecasts.example/a/"), tmp_path)
    head = Page(tmp_path / "package" / "flask" / "index.html").head
    assert head["og:url"] == "https://forecasts.example/a/package/flask/"
    for wrong in ("http://x.example/", "https://x.example", "https://x.example/?a", 'https://"/'):
        with pytest.raises(ValueError, match="site"):
            config(site=wrong)


@pytest.mark.parametrize("name", ["flask", "@pallets"])
def test_the_way_up_undoes_the_folder(name):
    folder = addresses.folder(name)
    assert urljoin(f"{ABSOLUTE}{folder}", addresses.up(folder)) == ABSOLUTE
    assert addresses.up("") == "./"


def test_the_time_is_the_run_s(site):
    assert f"{dt.date(2026, 11, 22)}" in (site / "sitemap.xml").read_text(encoding="utf-8")
