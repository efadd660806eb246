import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from forecast.bundle.manifest import PartEntry
from forecast.config import Package
from forecast.document import markup
from forecast.github.artifact import Provenance
from forecast.presentation import wording
from forecast.presentation.notices import Notice
from forecast.presentation.package_forecast import from_bundle
from tests.bundles import LAST_DAY, make_bundle

PROVENANCE = Provenance("owner/repo", ".github/workflows/w.yml", "c0ffee" * 7, 42)
EVIL = '<img src=x onerror="alert(1)">'
VOID = {"img", "br"}
FILES = {"csv": "export/flask.csv?package=Flask&scale=log"}
LINK = f"{markup.HERE}?package=zope.interface"
PICTURES = [markup.Picture("Chart", "a.svg", f"{markup.HERE}a.svg")]


class Checker(HTMLParser):
    """Whether every element is closed, and which there are."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def attributes(text):
    checker = Checker()
    checker.feed(text)
    return checker.attributes


def tags(text):
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    return checker.seen


def package_forecast(name="flask", label=None):
    made = from_bundle(make_bundle(), Package(name, label or name), None, ())
    # A label comes from a bundle, which checks its names and not what they were typed as.
    return replace(made, package=Package(name, label or name))


def everything(shown):
    manifest = make_bundle().manifest
    return [
        markup.headline(shown, ()),
        markup.facts(shown, manifest, "?view=record"),
        markup.details(shown, (), mirrors=True),
        markup.origin(PROVENANCE, asked=True),
        markup.numbers(shown),
        markup.exports("flask", FILES),
        markup.embedding(shown[0].package, LINK, PICTURES, "https://shields.example/?a&b"),
        markup.notices([Notice("warning", shown[0].package.label)]),
        markup.empty(shown[0].package.label, shown[0].package.label),
    ]


@pytest.mark.parametrize("several", [False, True])
def test_every_part_is_well_formed(several):
    shown = [package_forecast(), package_forecast("requests")] if several else [package_forecast()]
    for part in everything(shown):
        assert tags(part)


def test_nothing_foreign_becomes_an_element():
    evil = replace(package_forecast(label=EVIL), problem=EVIL)
    for part in everything([evil]) + everything([evil, package_forecast()]):
        assert "onerror" not in attributes(part)


def test_commands_are_shown_as_code():
    text = markup.notices([Notice("error", "Run `python -m trainer` & <wait>.")])
    assert "<code>python -m trainer</code> &amp; &lt;wait&gt;." in text
    assert "Problem:" in text
    assert "code" not in tags(markup.notices([Notice("error", "one ` alone")]))


def test_what_was_verified_leads_to_the_run():
    told = markup.origin(PROVENANCE, asked=True)
    assert '<a href="https://github.com/owner/repo/actions/runs/42">See the run.</a>' in told
    assert "href" not in markup.origin(None, asked=False)


def test_of_packages_compared_each_total_is_told_once():
    shown = [package_forecast(), package_forecast("requests")]
    text = markup.headline(shown, []) + markup.facts(shown, None, "record")
    assert "Downloads in the next 30 days:" in text
    for forecast in shown:
        mean, band = wording.expected_total(forecast)
        assert f"{forecast.package.label}: about {mean} (probably {band})" in unescape(text)
        assert text.count(band) == 1


def test_a_row_of_packages_compared_is_short():
    made = package_forecast()
    stopped = replace(made, series=replace(made.series, stopped=LAST_DAY))
    text = markup.facts([made, stopped], None, "record").replace("\N{NO-BREAK SPACE}", " ")
    heads = re.findall(r'<th scope="col">(.*?)</th>', text)
    assert heads[1] == "A day, against the last 28 days"
    assert heads[2] == "Error, against repeating the last week"
    cells = re.findall("<td>(.*?)</td>", text)
    assert len(cells) == 6
    assert cells[3] == "no counts since 21 November 2026"
    assert cells[2] == cells[5] == "21 Nov 2026"
    assert max(len(cell) for cell in cells if cell != cells[3]) <= len("12.3 times as many")


def test_parts_lead_to_their_forecasts():
    parts = tuple(PartEntry(name=name) for name in ("a", "b", "c"))
    group = replace(package_forecast(), parts=(*parts, PartEntry(name="d", missing="no d")))
    addresses = {"a": '?package="a"&b', "b": "", "d": "d/"}

    def place(name):
        return addresses.get(name, "")

    told = 'The sum of 3 packages: <a href="?package=&quot;a&quot;&amp;b">a</a>, b and c.</p>'
    for text in (
        markup.headline([group], (), place),
        markup.details([group], (), mirrors=True, place=place),
    ):
        assert told in text
        assert tags(text)
    assert "The sum of 3 packages: a, b and c.</p>" in markup.headline([group], ())


def test_no_notices_no_list():
    assert markup.notices([]) == ""


def test_tables_can_be_reached_and_are_named():
    text = markup.numbers([package_forecast()])
    assert 'tabindex="0" role="region" aria-label="Daily downloads of flask"' in text
    assert text.count('scope="row"') == 30


def test_exports_open_the_same_view():
    text = markup.exports("flask", FILES)
    assert 'href="export/flask.csv?package=Flask&amp;scale=log" download="flask.csv">CSV<' in text


def test_pictures_for_other_pages_come_with_the_text_to_copy():
    badge = markup.Picture("Badge", "b.svg", "https://site.example/b.svg")
    shields = "https://img.shields.io/endpoint?url=x"
    package = Package("zope-interface", "zope.interface")
    text = markup.embedding(package, LINK, [*PICTURES, badge], shields)
    code = re.findall(r"<div><code>(.*?)</code>", text)
    page = "https://a.example/"
    markdown, html, *others = [unescape(each.replace(markup.PAGE_ADDRESS, page)) for each in code]
    link, alt = f"{page}?package=zope.interface", "Forecast of the downloads of zope.interface"
    assert markdown == f"[![{alt}]({page}a.svg)]({link})"
    assert html == f'<a href="{link}"><img src="{page}a.svg" alt="{alt}"></a>'
    assert ["https://site.example/b.svg" in each for each in others] == [True, True, False]
    assert others[-1] == f"[![{alt}]({shields})]({link})"
    assert 'aria-label="Copy the HTML of the badge"' in text
    assert text.count("<button") == len(code)
    assert "<button" not in markup.embedding(package, LINK, PICTURES, copied=False)
