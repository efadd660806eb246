"""What forecast.http takes from inside urllib3, and the texts that it makes."""

from __future__ import annotations

import pytest
import urllib3
from requests.adapters import HTTPAdapter

from forecast.http import new_session, url_origin, without_user


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
    ("url", "expected"),
    [
        ("https://u:p@a.example:81/x@y?z@", "https://a.example:81/x@y?z@"),
        ("https://a.example/x", "https://a.example/x"),
        ("u@a.example", "u@a.example"),
        ("", ""),
    ],
)
def test_an_address_without_its_user(url, expected):
    assert without_user(url) == expected
