"""The plain HTML of an answer: everything in it, and nothing that was not escaped."""

from dataclasses import replace
from html.parser import HTMLParser

from forecast.document.document import Document, Templates

HOSTILE = "\"><script>alert(1)</script><i x='"
FULL = Document(
    title="flask: about 69 million downloads",
    description="flask: about 69 million downloads in the next 30 days.",
    url="https://example.org/?package=flask&range=30",
    card="https://example.org/picture/flask.png",
    package="flask",
    headline="<h2>Forecast for flask</h2>",
    facts="<p>Tested.</p>",
    picture='<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    offered=["flask", "requests"],
)


class Elements(HTMLParser):
    """The elements of a text, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def metas(document):
    found = Elements(Templates().head(document)).of("meta")
    return {each.get("property") or each["name"]: each["content"] for each in found}


def test_the_head_has_what_previews_read():
    found = metas(FULL)
    assert found["description"] == found["og:description"] == FULL.description
    assert found["og:title"] == FULL.title
    assert found["og:image"] == FULL.card
    assert found["og:url"] == FULL.url
    assert found["twitter:card"] == "summary_large_image"  # the rest X takes from og
    assert len(set(found.values())) == len(found) - 2  # the description thrice, the rest once
    [link] = Elements(Templates().head(FULL)).of("link")
    assert link == {"rel": "canonical", "href": FULL.url}


def test_without_a_card_there_is_no_picture():
    found = metas(Document(title="a", description="b", url="c"))
    assert found["twitter:card"] == "summary"
    assert not any("image" in name for name in found)


def test_the_body_has_the_answer_a_form_and_a_way_on():
    body = Templates().body(FULL)
    assert FULL.headline in body
    assert FULL.facts in body
    elements = Elements(body)
    [box] = elements.of("input")
    assert (box["name"], box["value"]) == ("package", "flask")
    assert "?package=requests" in [link["href"] for link in elements.of("a")]


def test_a_theme_is_that_of_the_whole_page():
    assert metas(FULL)["color-scheme"] == "light dark"
    assert metas(replace(FULL, theme="dark"))["color-scheme"] == "dark"


def test_a_picture_is_an_image_that_runs_nothing():
    elements = Elements(Templates().body(FULL))
    [image] = elements.of("img")
    assert image["src"].startswith("data:image/svg+xml,")
    assert elements.of("script") == []


def test_texts_are_escaped():
    hostile = Document(
        title=HOSTILE,
        description=HOSTILE,
        url=HOSTILE,
        card=HOSTILE,
        package=HOSTILE,
        picture=HOSTILE,
        offered=[HOSTILE],
    )
    for text in (Templates().head(hostile), Templates().body(hostile)):
        elements = Elements(text)
        assert elements.of("script") == elements.of("i") == []
    assert metas(hostile)["og:title"] == HOSTILE
