"""What forecast.http takes from inside urllib3, and the texts that it makes."""

from __future__ import annotations

import pytest
import urllib3
from requests.adapters import HTTPAdapter

from forecast.http import excerpt, new_session, url_origin


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_urllib3_still_makes_its_connections_by_pool_classes_by_scheme(scheme):
    assert {"http", "https"} == urllib3.PoolManager().pool_classes_by_scheme.keys()
    with new_session(seconds=7.0) as session:
        adapter = session.get_adapter(f"{scheme}://a.example")
        assert isinstance(adapter, HTTPAdapter)
        manager = adapter.poolmanager
        pool = manager.connection_from_url(f"{scheme}://a.example")
        connection = pool.ConnectionCls("a.example")
    assert connection.seconds == 7.0
    assert type(connection).getresponse is not urllib3.connection.HTTPConnection.getresponse


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://A.example/x?y", ("https", "a.example", 443)),
        ("http://a.example:81", ("http", "a.example", 81)),
        ("https://u:p@a.example", None),
        ("ftp://a.example", None),
        ("https://", None),
        ("http://[", None),
        ("/path", None),
    ],
)
def test_the_origin_of_a_url(url, expected):
    assert url_origin(url) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "nothing"),
        (" \n", "nothing"),
        (b"a\xff\tb", "“a\ufffd b”"),
        ("a\x1b[0m", "“a?[0m”"),
        ("x" * 80, "“" + "x" * 80 + "”"),
        ("x" * 81, "“" + "x" * 79 + "…”"),
    ],
)
def test_an_excerpt_fits_on_a_line(text, expected):
    assert excerpt(text) == expected
