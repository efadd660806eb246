"""The feed holds to RFC 4287, and its ids never change."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

import pytest

from forecast.config import Config
from forecast.presentation.feed import ATOM, MOST_ENTRIES, feed
from forecast.record.weeks import all_weeks
from tests.bundles import CREATED_AT
from tests.unit.forecast.record.records import LAST_WEEK, bundle_with, total_row

WEEK = dt.timedelta(days=7)
PAGE = "https://owner-space.hf.space/"
CONFIG = Config.model_validate(
    {
        "packages": ["Flask"],
        "username": "Owner",
        "repo_name": "repo",
        "forecast_days": 30,
        "m_values": [7],
    }
)


def place(name):
    return f"?package={name}"


def made_of(*rows, updated=CREATED_AT, page="", itself=""):
    weeks = all_weeks(bundle_with(totals=rows), ())
    labels = {"flask": "Flask"}
    return feed(
        weeks,
        labels,
        config=CONFIG,
        updated=updated,
        folder=place,
        page=page,
        itself=itself,
    )


def checked(data):
    """The entries of a feed, after every rule of RFC 4287 that concerns it."""
    root = ET.fromstring(data)
    assert data.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    assert root.tag == f"{{{ATOM}}}feed"
    assert not [link for link in links(root) if not link.get("href")]
    assert len([each for each in links(root) if each.get("rel") == "self"]) <= 1
    assert root.find(f"{{{ATOM}}}author/{{{ATOM}}}name").text
    entries = root.findall(f"{{{ATOM}}}entry")
    for each in [root, *entries]:
        for name in ("id", "title", "updated"):
            [element] = each.findall(f"{{{ATOM}}}{name}")
            assert element.text.strip()
        dt.datetime.fromisoformat(of(each, "updated"))
        assert re.search(r"(Z|[+-]\d\d:\d\d)$", of(each, "updated"))
        assert re.fullmatch(r"tag:[\w.-]+,\d{4}:[\w./-]+", of(each, "id"))
        for link in links(each):
            assert urlsplit(link.get("href")).scheme == "https"
    for entry in entries:
        assert entry.find(f"{{{ATOM}}}content").get("type") == "text"
        assert [link.get("rel") for link in links(entry)] == ["alternate"]
    ids = [of(entry, "id") for entry in entries]
    assert len(set(ids)) == len(ids)
    known = {"id", "title", "subtitle", "updated", "author", "link", "entry"}
    assert {child.tag.partition("}")[2] for child in root} <= known
    return entries


def links(element):
    return element.findall(f"{{{ATOM}}}link")


def of(element, name):
    return element.find(f"{{{ATOM}}}{name}").text


@pytest.mark.parametrize("options", [{}, {"page": PAGE, "itself": f"{PAGE}feed.xml"}])
def test_a_feed_without_entries_is_valid(options):
    assert checked(made_of(**options)) == []


def test_an_entry():
    [entry] = checked(made_of(total_row(downloads=2_000), page=PAGE))
    assert of(entry, "id") == "tag:owner.github.io,2026:repo/unusual-weeks/flask/2026-11-15"
    assert of(entry, "title") == "Flask: above what was expected, 21 November 2026"
    assert of(entry, "updated") == "2026-11-22T00:00:00Z"
    assert of(entry, "content").startswith("Flask: 2,000 downloads in the week to 21")
    assert links(entry)[0].get("href") == f"{PAGE}?package=flask"


def test_without_a_page_the_repository_is_linked():
    [entry] = checked(made_of(total_row(downloads=2_000)))
    assert links(entry)[0].get("href") == "https://github.com/Owner/repo"


def test_an_entry_stays_as_it_was_in_the_next_feed():
    row = total_row(start=LAST_WEEK - WEEK, downloads=2_000)
    [before] = checked(made_of(row))
    later, same = checked(made_of(row, total_row(downloads=1), updated=CREATED_AT + WEEK))
    assert of(later, "id") != of(before, "id")
    assert ET.tostring(same) == ET.tostring(before)


def test_the_newest_entries_come_first_and_are_bounded():
    rows = [total_row(start=LAST_WEEK - at * WEEK, downloads=1) for at in range(MOST_ENTRIES + 9)]
    entries = checked(made_of(*rows))
    assert len(entries) == MOST_ENTRIES
    assert of(entries[0], "id").endswith("2026-11-15")
    days = [of(entry, "updated") for entry in entries]
    assert days == sorted(days, reverse=True)


def test_a_label_is_text():
    data = feed(
        all_weeks(bundle_with(totals=[total_row(downloads=1)]), ()),
        {"flask": "<b>&amp;]]>"},
        config=CONFIG,
        updated=CREATED_AT,
        folder=place,
    )
    [entry] = checked(data)
    assert of(entry, "title").startswith("<b>&amp;]]>: below")
