"""The stand-ins behave as the real servers are known to; tests elsewhere lean on it."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from tests.standins.github import TOKEN
from tests.standins.pypistats import PyPIStatsServer

DAYS = {date(2026, 1, 1) + timedelta(days=n): 100 + n for n in range(200)}


@pytest.fixture
def pypistats(pypistats_server):
    pypistats_server.series["scikit-learn"] = DAYS
    return pypistats_server


def _get(server, path, **settings):
    return requests.get(server.origin + path, timeout=5, **settings)


# PyPI Stats


@pytest.mark.parametrize(
    ("query", "categories"),
    [
        ("?mirrors=true", ["with_mirrors"]),
        ("?mirrors=false", ["without_mirrors"]),
        ("?mirrors=True", ["with_mirrors", "without_mirrors"]),
        ("", ["with_mirrors", "without_mirrors"]),
    ],
)
def test_mirrors(pypistats, query, categories):
    answer = _get(pypistats, "/api/packages/scikit-learn/overall" + query).json()
    assert sorted({row["category"] for row in answer["data"]}) == categories
    assert answer["package"] == "scikit-learn"
    assert answer["type"] == "overall_downloads"


def test_retention(pypistats):
    rows = _get(pypistats, "/api/packages/scikit-learn/overall?mirrors=true").json()["data"]
    assert len(rows) == 181
    assert rows[-1] == {"category": "with_mirrors", "date": "2026-07-19", "downloads": 299}


@pytest.mark.parametrize(
    ("name", "status"),
    [("scikit-learn", 200), ("scikit_learn", 200), ("scikit.learn", 200), ("Scikit-Learn", 404)],
)
def test_names(pypistats, name, status):
    assert _get(pypistats, f"/api/packages/{name}/overall").status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/api/packages/scikit-learn/overall/",
        "/api/packages/scikit-learn",
        "/api/packages/nobody/overall",
        "/nowhere",
    ],
)
def test_not_found_is_no_json(pypistats, path):
    answer = _get(pypistats, path)
    assert (answer.status_code, answer.text) == (404, "404")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_recent_is_without_mirrors(pypistats):
    data = _get(pypistats, "/api/packages/scikit-learn/recent").json()["data"]
    assert data["last_day"] == 299 * 9 // 10
    assert set(data) == {"last_day", "last_week", "last_month"}


def test_the_rate_limit_has_no_headers():
    now = [0.0]
    with PyPIStatsServer({"a": DAYS}, limited=True, clock=lambda: now[0]) as server:

        def status():
            return _get(server, "/api/packages/a/overall").status_code

        assert [status() for _ in range(6)] == [200] * 5 + [429]
        for second in range(1, 6):
            now[0] = second * 2.0
            assert [status() for _ in range(5)] == [200] * 5
        now[0] = 30
        refused = _get(server, "/api/packages/a/overall")
        assert refused.status_code == 429
        assert "html" in refused.headers["Content-Type"]
        assert not {name.lower() for name in refused.headers} & {"retry-after", "x-ratelimit-reset"}
        now[0] = 61
        assert status() == 200


def test_faults_wait_for_their_package_and_their_turn(pypistats):
    pypistats.series["other"] = DAYS
    pypistats.fail("other", 503)
    pypistats.fail(None, 500)

    def status(name):
        return _get(pypistats, f"/api/packages/{name}/overall").status_code

    assert [status("scikit-learn"), status("other"), status("other")] == [500, 503, 200]


def test_closing_ends_a_hang(pypistats):
    pypistats.fail(None, "hang")
    with pytest.raises(requests.ReadTimeout):
        requests.get(pypistats.url, timeout=0.1)
    started = time.monotonic()
    pypistats.close()
    assert time.monotonic() - started < 2


# GitHub


def test_a_download_by_hand(github_server):
    stored = github_server.add_artifact(b"PK")
    base = f"/repos/{github_server.owner}/{github_server.repo}/actions/artifacts"
    path = f"{base}/{stored.id}/zip"
    signed = {"Authorization": f"Bearer {TOKEN}"}
    assert _get(github_server, path, allow_redirects=False).status_code == 401

    sent_on = _get(github_server, path, headers=signed, allow_redirects=False)

    assert sent_on.status_code == 302
    there = sent_on.headers["Location"]
    assert not there.startswith(github_server.origin)
    assert requests.get(there, timeout=5).content == b"PK"
    assert requests.get(there, headers=signed, timeout=5).status_code == 400
    assert requests.get(there.split("?")[0], timeout=5).status_code == 403


def test_the_list(github_server):
    for n in range(5):
        github_server.add_artifact(b"%d" % n, created_at=datetime(2026, 1, 1 + n, tzinfo=UTC))
    github_server.add_artifact(name="other", expired=True)
    path = f"/repos/{github_server.owner}/{github_server.repo}/actions/artifacts"

    first = _get(github_server, f"{path}?name=models&per_page=2")
    second = requests.get(first.links["next"]["url"], timeout=5)
    third = requests.get(second.links["next"]["url"], timeout=5)

    listed = [each for page in (first, second, third) for each in page.json()["artifacts"]]
    stamps = [each["created_at"] for each in listed]
    assert len(set(stamps)) == 5
    assert stamps not in (sorted(stamps), sorted(stamps, reverse=True))
    assert "next" not in third.links
    assert listed[0]["digest"].startswith("sha256:")
    assert _get(github_server, path).json()["total_count"] == 6
    same = _get(
        github_server, path, headers={"If-None-Match": _get(github_server, path).headers["ETag"]}
    )
    assert (same.status_code, same.content) == (304, b"")


def test_digests(github_server):
    right, wrong, none = (
        github_server.add_artifact(b"x", **digest)
        for digest in ({}, {"digest": "sha256:" + "0" * 64}, {"digest": None})
    )
    assert right.listed["digest"] == "sha256:" + hashlib.sha256(b"x").hexdigest()
    assert wrong.listed["digest"].endswith("000")
    assert none.listed["digest"] is None


# The fixtures


def test_only_loopback_can_be_reached():
    with socket.socket() as sock, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        sock.connect(("192.0.2.1", 80))
    with socket.socket() as sock, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        sock.connect_ex(("192.0.2.1", 80))
    with pytest.raises(AssertionError, match=r"pypistats\.org"):
        socket.getaddrinfo("pypistats.org", 443)


def test_no_setting_of_the_shell_is_left():
    left = [name for name in os.environ if name.startswith(("GITHUB_", "GRADIO_", "PYPISTATS"))]
    assert left == []


def test_pypi_stats_limits_each_route_by_itself():
    now = [0.0]
    with PyPIStatsServer({"flask": DAYS}, limited=True, clock=lambda: now[0]) as server:

        def statuses(path, times):
            found = []
            for _ in range(times):
                now[0] += 0.3
                found.append(_get(server, path).status_code)
            return found

        recent, overall = "/api/packages/flask/recent", "/api/packages/flask/overall"
        assert statuses(recent, 32) == [200] * 30 + [429] * 2
        assert statuses(overall, 2) == [200] * 2
        assert statuses("/api/packages/unknown/overall", 28) == [404] * 28
        assert statuses(overall, 1) == [429]  # an unknown package counts too
        refused = _get(server, recent)
        assert "Retry-After" not in refused.headers
        assert refused.headers["Content-Type"].startswith("text/html")
        now[0] += 60
        assert statuses(recent, 1) == [200]


def test_pypi_stats_has_no_empty_answers():
    with PyPIStatsServer({"empty": {}}) as server:
        for path in ("empty/overall", "empty/recent", "unknown/overall", "empty/overall/"):
            answer = _get(server, f"/api/packages/{path}")
            assert (answer.status_code, answer.text) == (404, "404")


def test_the_rows_of_pypi_stats_are_sorted_by_category_and_day(pypistats):
    rows = _get(pypistats, "/api/packages/scikit-learn/overall").json()["data"]
    assert rows == sorted(rows, key=lambda row: (row["category"], row["date"]))
