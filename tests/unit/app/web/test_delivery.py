"""What Delivery makes of responses, read as they arrive."""

import asyncio
import gzip
import zlib
from pathlib import Path

import brotli
import pytest

from app.web import delivery
from app.web.delivery import FOREVER, Delivery
from tests.unit.app.loops import run

TEXT = b"many of the same words, " * 100


class App:
    """Answers with the parts of a body, of a content type."""

    def __init__(self, kind="text/html; charset=utf-8", parts=(TEXT,), status=200):
        self.kind, self.parts, self.status, self.asked = kind, parts, status, 0

    async def __call__(self, scope, receive, send):
        self.asked += 1
        headers = [(b"content-type", self.kind.encode())]
        if len(self.parts) == 1:
            headers.append((b"content-length", str(len(self.parts[0])).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for at, part in enumerate(self.parts, 1):
            more = at < len(self.parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})


def ask(served, path="/", accepted="gzip, deflate, br"):
    """Headers, and the parts of the body."""
    return run(_asked(served, path, accepted))


async def _asked(served, path, accepted="gzip, deflate, br"):
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"accept-encoding", accepted.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    await served(scope, None, send)
    start, *bodies = sent
    return {k.decode().lower(): v.decode() for k, v in start["headers"]}, [
        b["body"] for b in bodies
    ]


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_html_and_json_are_compressed(kind):
    headers, [body] = ask(Delivery(App(kind)))
    assert headers["content-encoding"] == "gzip"
    assert "content-length" not in headers
    assert headers["vary"] == "Accept-Encoding"
    assert len(body) < len(TEXT) / 5
    assert gzip.decompress(body) == TEXT


def test_each_part_of_a_stream_can_be_read_as_it_comes():
    events = [b"data: %d\n\n" % at + TEXT for at in range(3)]
    headers, parts = ask(Delivery(App("text/event-stream", events)))
    assert headers["content-encoding"] == "gzip"
    reader = zlib.decompressobj(31)
    assert [reader.decompress(part) for part in parts] == events


@pytest.mark.parametrize(
    ("app", "accepted"),
    [
        (App(), "identity"),
        (App("image/png"), "gzip"),
        (App(parts=(b"short",)), "gzip"),
    ],
)
def test_other_responses_stay(app, accepted):
    headers, body = ask(Delivery(app), accepted=accepted)
    assert "content-encoding" not in headers
    assert body == list(app.parts)


ASSET = "/assets/index-DphvyggB.js"


def test_an_asset_is_packed_once_and_kept_for_a_year():
    app = App("text/javascript")
    served = Delivery(app)
    for _ in range(2):
        headers, [body] = ask(served, ASSET)
        assert headers["cache-control"] == FOREVER
        assert headers["content-encoding"] == "br"
        assert headers["content-length"] == str(len(body))
        assert brotli.decompress(body) == TEXT


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(delivery, "CACHE_BYTES", 100)
    served = Delivery(App("text/javascript"))
    for at in range(20):
        ask(served, f"/assets/index-{at:08}.js")
    assert 0 < sum(map(len, served._cache._packed.values())) <= 100


def test_a_large_asset_is_packed_better_for_the_next_visitor(monkeypatch):
    text = Path(delivery.__file__).read_bytes()
    monkeypatch.setattr(delivery, "LARGE", len(text) - 1)
    monkeypatch.setattr(delivery, "PAUSE", 0.1)
    served = Delivery(App("text/javascript", [text]))

    async def ask_twice():
        first = await _asked(served, ASSET)
        await asyncio.sleep(0.05)
        assert await _asked(served, ASSET) == first  # who still needs the cores
        await asyncio.gather(*served._cache._repacking.values())
        return first, await _asked(served, ASSET)

    (_, [first]), (headers, [second]) = run(ask_twice())
    assert len(second) < len(first)
    assert headers["content-length"] == str(len(second))
    assert brotli.decompress(first) == brotli.decompress(second) == text
    assert served._cache._repacking == {}


def test_without_brotli_an_asset_is_kept_all_the_same():
    headers, body = ask(Delivery(App("text/javascript")), ASSET, "identity")
    assert headers["cache-control"] == FOREVER
    assert body == [TEXT]


def test_what_fails_or_has_no_hash_is_not_kept():
    for app, path in ((App(status=404), ASSET), (App(), "/static/img/logo.svg")):
        assert "cache-control" not in ask(Delivery(app), path)[0]
