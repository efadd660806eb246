"""The artifacts client against a server that behaves like GitHub, faults included."""

from __future__ import annotations

import hashlib
import json
import logging
import time
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ArtifactError, NoArtifactError
from forecast.github.artifact import Artifact
from forecast.github.artifacts import GitHubArtifacts
from forecast.http import HeaderTimeoutAdapter, Limits, new_session
from tests.standins.github import FORK_ID, OWNER_ID, REPOSITORY_ID, TOKEN, GitHubServer, job_of
from tests.standins.server import Answer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(github_server):
    return github_server


@pytest.fixture
def client(server, session, clock):
    return _client(server, session, clock=clock)


def _client(server, session, **settings):
    given = {"owner": server.owner, "repo": server.repo, "token": TOKEN, "url": server.url}
    return GitHubArtifacts(session, **{**given, **settings})


# The newest


def test_the_newest_is_found_whatever_the_order(server, client):
    stored = [server.add_artifact(b"zip %d" % n) for n in range(7)]

    newest = client.newest()

    assert newest.id == stored[-1].id
    assert newest.digest == stored[-1].listed["digest"]
    assert newest.run_id == stored[-1].run["id"]
    assert newest.head_sha == stored[-1].run["head_sha"]
    assert newest.size == len(b"zip 6")
    assert newest.created_at == datetime(2026, 2, 22, 3, 17, tzinfo=UTC)


def test_those_before_are_found_one_by_one(server, client):
    first, second, third = (server.add_artifact(b"zip %d" % n) for n in range(3))
    server.add_artifact(b"evil", fork=True, created_at=datetime(2026, 1, 20, tzinfo=UTC))
    newest = client.newest()
    assert newest.id == third.id
    before = client.older(newest)
    assert before.id == second.id
    assert client.download(before) == b"zip 1"
    assert client.older(before).id == first.id
    with pytest.raises(ArtifactError, match="no artifact"):
        client.older(client.older(before))
    assert client.newest() is None


def test_calls_are_as_github_wants_them(server, client):
    server.add_artifact()
    client.newest()
    for call in server.calls:
        assert call.headers["user-agent"].startswith("py-package-download-forecast/")
        assert call.headers["x-github-api-version"] == "2022-11-28"
        assert call.headers["accept"] == "application/vnd.github+json"
        assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert server.calls[0].query == {"name": "models", "per_page": "100"}


def test_listing_needs_no_token(server, session):
    stored = server.add_artifact()
    assert _client(server, session, token=None).newest().id == stored.id
    assert all("authorization" not in call.headers for call in server.calls)


def test_every_page_is_read(session):
    with GitHubServer(page_size=3) as server:
        stored = [server.add_artifact() for _ in range(10)]
        assert _client(server, session).newest().id == stored[-1].id
        assert server.paths().count("/repos/owner/repo/actions/artifacts") == 4


def test_pages_are_bounded(session):
    with GitHubServer(page_size=1) as server:
        for _ in range(15):
            server.add_artifact()
        assert _client(server, session).newest() is not None
        assert server.paths().count("/repos/owner/repo/actions/artifacts") == 10


@pytest.mark.parametrize(
    "link",
    [
        '<http://127.0.0.1:1/repos/owner/repo/actions/artifacts?page=2>; rel="next"',
        '<https://evil.example/steal>; rel="next"',
        '<http://[>; rel="next"',
        '<file:///etc/passwd>; rel="next"',
    ],
)
def test_a_next_page_on_another_server_is_refused(server, client, link):
    server.add_artifact()

    def linked(answer):
        answer.headers["Link"] = link
        return answer

    server.fail("list", linked)
    with pytest.raises(ArtifactError, match="not followed"):
        client.newest()


def test_a_next_page_that_is_the_same_page_ends(server, client):
    stored = server.add_artifact()

    def linked(answer):
        answer.headers["Link"] = f'<{server.url}/x>; rel="next"'
        return answer

    server.fail("list", linked)
    server.fail("/x", lambda _: _with_link(server, stored), times=20)
    assert client.newest().id == stored.id
    assert server.paths().count("/x") == 1


def _with_link(server, stored):
    body = json.dumps({"total_count": 1, "artifacts": [stored.listed]}).encode()
    return Answer(200, body, headers={"Link": f'<{server.url}/x>; rel="next"'})


# Trust

_REFERENCE = {
    "id": 1,
    "repository_id": REPOSITORY_ID,
    "head_repository_id": REPOSITORY_ID,
    "head_branch": "main",
}
UNTRUSTED: dict[str, tuple[dict[str, Any], str]] = {
    "fork": ({"fork": True}, "made by a fork"),
    "branch": ({"branch": "feature"}, "another branch than main"),
    "pull request": ({"event": "pull_request"}, "another event"),
    "pull request target": ({"event": "pull_request_target"}, "another event"),
    "workflow run": ({"event": "workflow_run"}, "another event"),
    "running": ({"status": "in_progress", "conclusion": None}, "has not ended"),
    "failed": ({"conclusion": "failure"}, "did not succeed"),
    "cancelled": ({"conclusion": "cancelled"}, "did not succeed"),
    "other workflow": ({"path": ".github/workflows/tests.yml"}, "another workflow"),
    "other folder": ({"path": "upload_artifact.yml"}, "another workflow"),
    "workflow of another repository": (
        {"path": "evil/repo/.github/workflows/upload_artifact.yml@main"},
        "another workflow",
    ),
    "no digest": ({"digest": None}, "no SHA-256 digest"),
    "odd digest": ({"digest": "md5:00"}, "no SHA-256 digest"),
    "too large": ({"size": 10**12}, "larger than"),
    "no run": ({"listed": {"workflow_run": None}}, "run that made it is unknown"),
    "no date": ({"listed": {"created_at": None}}, "no date"),
    "listed of another branch": (
        {"run": {"head_branch": "main"}, "branch": "feature"},
        "another branch than main",
    ),
    "another run": ({"run": {"id": 4}}, "not the one listed"),
    "another commit": ({"run": {"head_sha": "0" * 40}}, "not the one listed"),
    "another repository": ({"run": {"repository": {"id": 5}}}, "not the one listed"),
    "run of a fork": ({"run": {"head_repository": {"id": FORK_ID}}}, "made by a fork"),
    "run of no repository": ({"run": {"head_repository": None}}, "made by a fork"),
    "run of a branch": ({"run": {"head_branch": "feature"}}, "another branch than main"),
    "tag": ({"tag": True}, "its commit is not on main"),
    "tag by hand": ({"tag": True, "event": "workflow_dispatch"}, "its commit is not on main"),
    "path of a tag": (
        {"path": ".github/workflows/upload_artifact.yml@refs/tags/main"},
        "made on “refs/tags/main” and not on the branch main",
    ),
    "path of a branch": (
        {"path": "owner/repo/.github/workflows/upload_artifact.yml@refs/heads/evil"},
        "made on “refs/heads/evil” and not on the branch main",
    ),
    "path of two refs": (
        {"path": ".github/workflows/upload_artifact.yml@main@evil"},
        "made on “main@evil” and not",
    ),
    "no commit": ({"listed": {"workflow_run": {**_REFERENCE, "head_sha": ""}}}, "is unknown"),
    "odd commit": (
        {"listed": {"workflow_run": {**_REFERENCE, "head_sha": "../../x"}}},
        "the run that made it is unknown",
    ),
    "no owner": ({"run": {"repository": {"id": REPOSITORY_ID}}}, "owner .* is unknown"),
}


@pytest.mark.parametrize("kind", UNTRUSTED)
def test_the_newest_trusted_one_is_taken(server, client, kind):
    trusted = server.add_artifact(b"good")
    server.add_artifact(b"bad", **UNTRUSTED[kind][0])
    newest = client.newest()
    assert newest.id == trusted.id
    assert client.download(newest) == b"good"


@pytest.mark.parametrize("kind", UNTRUSTED)
def test_if_none_can_be_trusted_the_reason_is_told(server, client, kind):
    how, reason = UNTRUSTED[kind]
    server.add_artifact(**how)
    with pytest.raises(ArtifactError, match=reason) as caught:
        client.newest()
    assert "run the workflow upload_artifact.yml on main" in str(caught.value)


def test_the_most_frequent_reason_is_told(server, client):
    server.add_artifact(conclusion="failure")
    for _ in range(3):
        server.add_artifact(fork=True)
    with pytest.raises(ArtifactError, match=r"None of the 4 .*3 of them: made by a fork"):
        client.newest()


@pytest.mark.parametrize("how", [{"fork": True}, {"branch": "feature"}])
def test_a_flood_from_outside_costs_no_calls(server, client, how):
    trusted = server.add_artifact()
    for _ in range(60):
        server.add_artifact(**how)
    assert client.newest().id == trusted.id
    assert len(server.calls) == 3  # the list, the run, and the tip, which is its commit


def test_runs_looked_up_are_bounded(server, client):
    for _ in range(30):
        server.add_artifact(event="pull_request")
    with pytest.raises(ArtifactError, match="None of the 30"):
        client.newest()
    assert len(server.calls) == 11


def test_failed_runs_are_bounded_too(server, client):
    for _ in range(45):
        server.add_artifact(conclusion="failure", jobs=[])
    with pytest.raises(ArtifactError, match="None of the 45"):
        client.newest()
    assert len(server.calls) == 1 + 40 * 2  # the list, runs and their jobs


def test_failed_runs_do_not_use_up_the_look_ups(server, client):
    trusted = server.add_artifact()
    for _ in range(11):
        server.add_artifact(conclusion="failure")
    assert client.newest().id == trusted.id


LATER = datetime(2026, 3, 2, tzinfo=UTC)
STAYS: dict[str, dict[str, Any]] = {
    "under way again": {"status": "in_progress", "conclusion": None},
    "run again and failed": {"conclusion": "failure"},
    "run again and cancelled": {"conclusion": "cancelled"},
}


@pytest.mark.parametrize("kind", STAYS)
@pytest.mark.parametrize("attempt", [1, 2])
def test_what_a_successful_job_uploaded_stays_trusted(server, client, kind, attempt):
    server.add_artifact(b"of last week")
    made = datetime(2026, 3, 1, tzinfo=UTC)
    later = job_of(LATER, STAYS[kind]["conclusion"], name="Side job", attempt=attempt)
    jobs = [job_of(made, "success"), later]
    stored = server.add_artifact(b"good", created_at=made, jobs=jobs, **STAYS[kind])
    newest = client.newest()
    assert newest.id == stored.id
    assert client.download(newest) == b"good"


@pytest.mark.parametrize("jobs", [[], [job_of(LATER, "success")]])
def test_jobs_that_ran_at_another_time_prove_nothing(server, client, jobs):
    trusted = server.add_artifact()
    made = datetime(2026, 3, 1, tzinfo=UTC)
    server.add_artifact(created_at=made, jobs=jobs, conclusion="failure")
    assert client.newest().id == trusted.id


def test_the_job_is_found_on_any_page(server, client):
    stored = server.add_artifact(conclusion="failure")
    stored.jobs[0]["conclusion"] = "success"
    empty = json.dumps({"total_count": 101, "jobs": []}).encode()
    link = f'<{server.url}/repos/owner/repo/actions/runs/{stored.run_id}/jobs?page=2>; rel="next"'
    server.fail("jobs", Answer(200, empty, headers={"Link": link}))
    assert client.newest().id == stored.id


# One by one

ODD: dict[str, dict[str, Any]] = {
    "an empty run": {"workflow_run": {}},
    "a run without ids": {"workflow_run": {"id": 1, "head_branch": "main"}},
    "no size": {"size_in_bytes": None},
    "a date that is none": {"created_at": "yesterday"},
    "no id": {"id": None},
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_entry_costs_no_other(server, client, kind):
    trusted = server.add_artifact()
    server.add_artifact(listed=ODD[kind])
    assert client.newest().id == trusted.id


def test_an_odd_entry_alone_is_not_taken_for_none(server, client):
    server.add_artifact(listed={"workflow_run": {}})
    with pytest.raises(ArtifactError, match="description of it is malformed") as caught:
        client.newest()
    assert not isinstance(caught.value, NoArtifactError)


@pytest.mark.parametrize("fault", [403, 404, 410, 422, "nonsense"])
@pytest.mark.parametrize("route", ["run", "jobs"])
def test_a_run_that_cannot_be_looked_up_costs_its_own_artifact_alone(server, client, route, fault):
    trusted = server.add_artifact()
    newest = server.add_artifact(conclusion="failure" if route == "jobs" else "success")
    newest.jobs[0]["conclusion"] = "success"
    server.fail(route, fault)
    assert client.newest().id == trusted.id


def test_what_others_made_is_plainly_none_of_ours(server, client):
    server.add_artifact(fork=True)
    server.add_artifact(branch="feature")
    with pytest.raises(NoArtifactError, match="None of the 2"):
        client.newest()


# A repository with another name


def test_a_renamed_repository_is_found_and_its_name_told(server, client):
    stored = server.add_artifact(b"zip")
    server.rename("new.name")
    newest = client.newest()
    assert newest.id == stored.id
    assert client.download(newest) == b"zip"
    assert client.moved == (
        'owner/repo is now called owner/new.name: set username = "owner" and repo_name = '
        '"new.name" in config.toml'
    )
    assert server.paths().count("/repositories/1001") == 1
    assert all("authorization" not in call.headers for call in server.blob.calls)


@pytest.mark.parametrize("fault", [404, "drop", "html"])
def test_a_new_name_that_cannot_be_asked_for_is_no_trouble(server, client, fault):
    stored = server.add_artifact()
    server.rename("other")
    server.fail("repository", fault)
    assert client.newest().id == stored.id
    assert client.moved.startswith("owner/repo has another name now: set username and repo_name")


@pytest.mark.parametrize(
    "there", ["http://127.0.0.1:1/repositories/1", "{url}/elsewhere", "{url}.evil/repos/a/b", ""]
)
def test_the_token_follows_no_other_redirect(server, client, there):
    server.add_artifact()
    server.fail("list", 301, Location=there.format(url=server.url))
    with pytest.raises(ArtifactError, match="is not followed: set username and repo_name"):
        client.newest()
    assert len(server.calls) == 1


def test_a_redirect_in_circles_ends(server, client):
    server.add_artifact()
    server.fail("list", 301, times=9, Location=f"{server.url}/repos/owner/repo/actions/artifacts")
    with pytest.raises(ArtifactError, match="301"):
        client.newest()
    assert len(server.calls) == 4


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "push"])
@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/upload_artifact.yml",
        ".github/workflows/upload_artifact.yml@refs/heads/main",
        "owner/repo/.github/workflows/upload_artifact.yml@main",
    ],
)
def test_trusted_events_and_spellings_of_the_path(server, client, event, path):
    stored = server.add_artifact(event=event, path=path)
    assert client.newest().id == stored.id


def test_another_name_is_not_taken(server, client):
    # Even if the server does not filter.
    server.add_artifact(name="report")
    body = json.dumps({"total_count": 1, "artifacts": [server.artifacts[0].listed]}).encode()
    server.fail("list", Answer(200, body))
    with pytest.raises(ArtifactError, match="no artifact called models yet: run the workflow"):
        client.newest()


def test_name_branch_and_workflow_can_be_set(server, session):
    stored = server.add_artifact(name="m2", branch="trunk", path=".github/workflows/train.yml")
    client = _client(server, session, name="m2", branch="trunk", workflow="train.yml")
    assert client.newest().id == stored.id


def test_expired_ones_are_passed_over(server, client):
    server.add_artifact(expired=True, created_at=NOW)
    kept = server.add_artifact(created_at=NOW - timedelta(days=7))
    assert client.newest().id == kept.id


def test_all_expired(server, client):
    server.add_artifact(expired=True, created_at=NOW - timedelta(days=70))
    server.add_artifact(expired=True, created_at=NOW - timedelta(days=40))
    with pytest.raises(ArtifactError, match="has expired, the newest being of 2026-10-13: run"):
        client.newest()


def test_none_at_all(client):
    with pytest.raises(ArtifactError, match="owner/repo has no artifact called models yet: run"):
        client.newest()


# The commit on the branch


def _by_path(server):
    return [path.removeprefix("/repos/owner/repo/") for path in server.paths()]


def test_a_commit_is_compared_once(server, client):
    first = server.add_artifact(b"1")
    server.commit("a" * 40)
    newest = client.newest()
    assert _by_path(server) == [
        "actions/artifacts",
        f"actions/runs/{first.run_id}",
        "git/ref/heads/main",
        f"compare/{'a' * 40}...{newest.head_sha}",
    ]
    assert server.calls[-1].query == {"per_page": "1", "page": "2"}  # without the files
    calls = len(server.calls)
    server.add_artifact(b"2", fork=True)
    assert client.newest().id == first.id
    assert len(server.calls) == calls + 1, "only the list"


def test_a_refused_commit_is_compared_once(server, client):
    good = server.add_artifact(b"1")
    server.add_artifact(b"2", tag=True)
    assert client.newest().id == good.id
    server.add_artifact(b"3", fork=True)
    assert client.newest().id == good.id
    assert sum("compare" in path for path in server.paths()) == 1


def test_a_comparison_needs_no_token(server, session):
    stored = server.add_artifact()
    server.commit("a" * 40)
    assert _client(server, session, token=None).newest().id == stored.id


@pytest.mark.parametrize("route", ["ref", "compare"])
def test_a_token_without_contents_will_do_where_all_may_read(server, client, route):
    stored = server.add_artifact()
    server.commit("a" * 40)
    server.fail(route, 403)
    assert client.newest().id == stored.id
    asked = [call.headers.get("authorization") for call in server.calls if route in call.path]
    assert asked == [f"Bearer {TOKEN}", None]


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, r"lacks a right"), (404, r"found none \(404\): check default_branch")],
)
def test_a_branch_that_cannot_be_read_is_told(server, client, status, words):
    server.add_artifact()
    server.fail("ref", status, times=2)
    with pytest.raises(
        ArtifactError, match=rf"branch main.*{words}.*Actions: read and Contents: read"
    ):
        client.newest()


def test_a_tag_alone_is_no_branch(server, client):
    server.add_artifact()
    del server.tips["main"]
    with pytest.raises(ArtifactError, match=r"found none \(404\): check default_branch"):
        client.newest()


def test_another_reference_is_refused(server, client):
    server.add_artifact()
    tag = {"ref": "refs/tags/main", "object": {"sha": "a" * 40}}
    server.fail("ref", Answer(200, json.dumps(tag).encode()))
    with pytest.raises(ArtifactError, match="gave another reference"):
        client.newest()


def test_an_older_one_is_taken_where_a_commit_cannot_be_compared(server, client):
    good = server.add_artifact(b"good")
    other = server.add_artifact(b"other", tag=True)
    server.parents[other.run["head_sha"]] = ()  # its history has nothing in common
    assert client.newest().id == good.id


COMPARED = {"status": "behind", "ahead_by": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        *({"status": status} for status in ("ahead", "diverged", "Behind", "")),
        {"ahead_by": 1},
        {"merge_base_commit": {"sha": "b" * 40}},
    ],
)
def test_everything_in_a_comparison_must_agree(server, client, wrong):
    stored = server.add_artifact()
    server.commit("a" * 40)
    right = COMPARED | {"merge_base_commit": {"sha": stored.run["head_sha"]}}
    server.fail("compare", Answer(200, json.dumps(right | wrong).encode()))
    with pytest.raises(ArtifactError, match="its commit is not on main"):
        client.newest()


@pytest.mark.parametrize("fault", [500, 503, "html", "drop"])
def test_a_comparison_that_fails_is_no_answer(server, client, fault):
    stored = server.add_artifact()
    server.commit("a" * 40)
    server.fail("compare", fault)
    with pytest.raises(ArtifactError, match="a comparison of two commits"):
        client.newest()
    assert client.newest().id == stored.id


@pytest.mark.parametrize(
    "run",
    [
        {"status": "in_progress", "conclusion": None},
        {"conclusion": "failure"},
        {"conclusion": "cancelled"},
    ],
)
def test_what_was_trusted_stays_so_when_its_run_is_run_again(server, client, run):
    stored = server.add_artifact()
    assert client.newest().id == stored.id
    stored.run.update(run)
    stored.jobs.clear()  # nothing that is there now proves it
    server.add_artifact(fork=True)
    assert client.newest().id == stored.id


def test_what_was_trusted_stays_so_when_the_branch_is_rewritten(server, client):
    stored = server.add_artifact()
    client.newest()
    server.parents["e" * 40] = ()
    server.tips["main"] = "e" * 40
    server.add_artifact(fork=True)
    assert client.newest().id == stored.id


# The same repository


def _recreated(server, **ids):
    """An artifact of another repository, or of another owner, of the same name."""
    repository = {"id": ids.get("repository", REPOSITORY_ID)}
    owner = {"id": ids.get("owner", OWNER_ID)}
    stored = server.add_artifact(b"other", run={"repository": repository | {"owner": owner}})
    stored.run["head_repository"] = repository
    reference = {"repository_id": repository["id"], "head_repository_id": repository["id"]}
    stored.listed["workflow_run"].update(reference)
    return stored


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ({"repository": 7}, r"repository with the id 1001, got 7.*repository_id in config.toml"),
        ({"owner": 7}, r"owner with the id 11, got 7.*owner_id in config.toml"),
    ],
)
def test_a_name_that_changed_hands_is_refused(server, client, session, ids, reason):
    first = server.add_artifact(b"first")
    assert client.newest().id == first.id
    _recreated(server, **ids)
    assert client.newest().id == first.id
    server.artifacts[0].listed["expired"] = True
    with pytest.raises(ArtifactError, match=reason):
        client.newest()
    pinned = _client(server, session, repository_id=REPOSITORY_ID, owner_id=OWNER_ID)
    with pytest.raises(ArtifactError, match=reason):
        pinned.newest()


def test_what_the_config_pins_is_trusted(server, session):
    stored = _recreated(server, repository=7, owner=8)
    assert _client(server, session, repository_id=7, owner_id=8).newest().id == stored.id


# Conditional calls


def test_nothing_new_is_none_and_free(server, client):
    server.add_artifact()
    assert client.newest() is not None
    before = len(server.calls)

    assert client.newest() is None
    assert client.newest() is None

    assert len(server.calls) == before + 2
    assert server.free_calls == 2


def test_nothing_new_on_any_page(session):
    with GitHubServer(page_size=2) as server:
        for _ in range(5):
            server.add_artifact()
        client = _client(server, session)
        client.newest()
        assert client.newest() is None
        assert server.free_calls == 3
        newer = server.add_artifact()
        assert client.newest().id == newer.id


def test_a_newer_one_is_seen(server, client):
    server.add_artifact()
    client.newest()
    newer = server.add_artifact()
    assert client.newest().id == newer.id
    assert client.newest() is None


def test_a_run_that_ends_later_is_not_missed(server, client):
    # The list does not change when the run ends, so an ETag must not hide it.
    older = server.add_artifact()
    newer = server.add_artifact(status="in_progress", conclusion=None)
    assert client.newest().id == older.id
    assert client.newest() is None
    newer.run.update(status="completed", conclusion="success")
    assert client.newest().id == newer.id
    assert client.newest() is None


def test_after_an_error_nothing_is_taken_as_seen(server, client):
    for _ in range(2):
        stored = server.add_artifact()
        server.fail("run", 502)
        with pytest.raises(ArtifactError, match="502"):
            client.newest()
        assert client.newest().id == stored.id


def test_after_none_trusted_it_is_looked_at_again(server, client):
    stored = server.add_artifact(status="in_progress", conclusion=None)
    for _ in range(2):
        with pytest.raises(ArtifactError, match="has not ended"):
            client.newest()
    stored.run.update(status="completed", conclusion="success")
    assert client.newest().id == stored.id


def test_after_a_failed_download_it_is_offered_again(server, client):
    stored = server.add_artifact(b"zip")
    newest = client.newest()
    server.fail("blob", "cut")
    with pytest.raises(ArtifactError):
        client.download(newest)
    again = client.newest()
    assert again.id == stored.id
    assert client.download(again) == b"zip"
    assert client.newest() is None


# Downloading


def test_the_zip_comes_without_the_token_leaving_github(server, client):
    server.add_artifact(b"PK zip")
    assert client.download(client.newest()) == b"PK zip"
    (call,) = server.blob.calls
    assert "authorization" not in call.headers
    assert TOKEN not in str(call)


def test_the_blob_gets_no_authorization_from_anywhere(server, clock, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.add_artifact(b"zip")
    with new_session() as session:
        session.headers["Authorization"] = "Bearer of-the-session"
        session.auth = ("some", "body")
        client = _client(server, session, clock=clock)
        assert client.download(client.newest()) == b"zip"
    assert {call.headers["authorization"] for call in server.calls} == {f"Bearer {TOKEN}"}


def test_the_blob_gets_no_authorization_even_on_the_same_host(server, client):
    stored = server.add_artifact(b"zip")
    newest = client.newest()
    server.fail("zip", Answer(302, b"", "text/html", {"Location": "/blob.zip"}))
    server.fail("/blob.zip", Answer(200, b"zip", "application/zip"))
    assert client.download(newest) == stored.zipped
    assert server.calls[-1].path == "/blob.zip"
    assert "authorization" not in server.calls[-1].headers


def test_downloading_needs_a_token(server, session):
    server.add_artifact()
    client = _client(server, session, token="  ")
    newest = client.newest()
    calls = len(server.calls)
    with pytest.raises(ArtifactError, match=r"owner/repo alone with Actions: read.*GITHUB_TOKEN"):
        client.download(newest)
    assert len(server.calls) == calls


@pytest.mark.parametrize("zipped", [b"", b"tampered with", b"zip "])
def test_a_wrong_digest_is_refused(server, client, zipped):
    stored = server.add_artifact(b"zip")
    stored.zipped = zipped
    right = hashlib.sha256(b"zip").hexdigest()
    with pytest.raises(ArtifactError, match=f"digest sha256:{right}.*not opened"):
        client.download(client.newest())


def test_expired_between_listing_and_download(server, client):
    stored = server.add_artifact()
    newest = client.newest()
    stored.listed["expired"] = True
    with pytest.raises(ArtifactError, match=r"expired \(410\): run"):
        client.download(newest)


def test_more_than_the_cap_is_not_read(server, session):
    server.add_artifact(b"z" * 5000, size=10)
    client = _client(server, session, max_bytes=1000)
    with pytest.raises(ArtifactError, match="larger than 1,000 bytes"):
        client.download(client.newest())
    server.fail("blob", "endless")
    with pytest.raises(ArtifactError, match="larger than 1,000 bytes"):
        client.download(client.newest())


@pytest.mark.parametrize(
    "location",
    [
        "ftp://127.0.0.1/x.zip",
        "file:///etc/passwd",
        "http://user:pass@127.0.0.1/x.zip",
        "http://[",
        "http://127.0.0.1:99999/",
        "",
    ],
)
def test_a_blob_at_an_odd_address_is_refused(server, client, location):
    server.add_artifact()
    newest = client.newest()
    server.fail("zip", Answer(302, b"", "text/html", {"Location": location}))
    with pytest.raises(ArtifactError, match="not followed") as caught:
        client.download(newest)
    assert "pass" not in str(caught.value)


def test_an_https_api_never_sends_on_to_http(session):
    client = GitHubArtifacts(session, owner="o", repo="r", token=TOKEN)
    with pytest.raises(ArtifactError, match=r"https address.*http://127.0.0.1"):
        client._github.blob("http://127.0.0.1/x.zip?sig=secret", "the zip", 1)


def test_blobs_in_circles(server, client):
    server.add_artifact()
    newest = client.newest()
    loop = Answer(302, b"", "text/html", {"Location": f"{server.blob.origin}/loop"})
    server.fail("blob", loop, times=9)
    with pytest.raises(ArtifactError, match="in a loop"):
        client.download(newest)
    assert len(server.blob.calls) == 3


def test_a_blob_may_be_sent_on(server, client):
    stored = server.add_artifact(b"zip")
    newest = client.newest()
    there = f"{server.blob.origin}/{stored.id}.zip?sig=signed"
    server.fail("blob", Answer(307, b"", "text/html", {"Location": there}))
    assert client.download(newest) == b"zip"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (403, "answered 403.*valid for a minute"),
        (500, "answered 500"),
        ("cut", "connection broke"),
        ("drop", "it was lost"),
        ("hang", "within the time allowed"),
        ("drip", "within the time allowed"),
        ("drip headers", "within the time allowed"),
    ],
)
def test_a_blob_store_at_fault(server, fault, words):
    server.add_artifact(b"z" * 100)
    server.fail("blob", fault)
    with requests.Session() as session:
        session.mount("http://", HeaderTimeoutAdapter(0.5))
        client = _client(server, session, limits=Limits(connect=2, read=0.5, total=0.5))
        newest = client.newest()
        started = time.monotonic()
        with pytest.raises(ArtifactError, match=words) as caught:
            client.download(newest)
    assert time.monotonic() - started < 5
    assert "sig" not in str(caught.value)


def test_a_zip_that_does_not_redirect(server, client):
    server.add_artifact()
    newest = client.newest()
    server.fail("zip", Answer(200, b"zip"))
    with pytest.raises(ArtifactError, match=r"redirected .*\(302\), but answered 200"):
        client.download(newest)


# Refusals


@pytest.mark.parametrize(
    ("token", "status", "words"),
    [
        (TOKEN, 401, "refused the token .*expired or is mistyped.*new fine-grained token"),
        (None, 401, r"needs a token \(401\): make a fine-grained token"),
        (TOKEN, 403, "lacks a right.*Actions: read and Contents: read"),
        (None, 403, "missing or lacks a right"),
        (TOKEN, 404, "check username and repo_name in config.toml"),
        (None, 404, "check username and repo_name in config.toml"),
        (TOKEN, 301, "is not followed.*config.toml"),
        (TOKEN, 422, "answered 422.*check username, repo_name and artifact_name"),
        (TOKEN, 418, "answered 418"),
        (TOKEN, 500, "failed with status 500"),
        (TOKEN, 503, "githubstatus"),
    ],
)
def test_refusals_say_how_to_mend_it(server, session, token, status, words):
    server.add_artifact()
    server.fail("list", status)
    with pytest.raises(ArtifactError, match=words) as caught:
        _client(server, session, token=token).newest()
    assert caught.value.retry_after == 0


def test_a_wrong_token(server, session):
    server.add_artifact()
    with pytest.raises(ArtifactError, match="expired or is mistyped"):
        _client(server, session, token="github_pat_of_last_year").newest()


def test_a_wrong_repository(server, session):
    with pytest.raises(ArtifactError, match="nobody/nothing and found nothing"):
        _client(server, session, owner="nobody", repo="nothing").newest()


@pytest.mark.parametrize(
    "fault", ["html", "nonsense", "hang", "drip", "drip headers", "cut", "drop", "endless"]
)
@pytest.mark.parametrize("route", ["list", "run", "ref"])
def test_github_at_fault(server, route, fault):
    stored = server.add_artifact()
    server.fail(route, fault)
    with requests.Session() as session:
        session.mount("http://", HeaderTimeoutAdapter(0.5))
        session.headers["User-Agent"] = "a test"
        client = _client(server, session, limits=Limits(connect=2, read=0.5, total=0.5))
        started = time.monotonic()
        with pytest.raises(ArtifactError, match="GitHub") as caught:
            client.newest()
        assert time.monotonic() - started < 5
        assert str(caught.value).isprintable()
        assert client.newest().id == stored.id


def test_github_down(session):
    with GitHubServer() as closed:
        pass
    with pytest.raises(ArtifactError, match="did not answer: no connection"):
        _client(closed, session).newest()


@pytest.mark.parametrize("fault", [500, 502, "drop"])
@pytest.mark.parametrize("route", ["list", "run", "zip", "blob"])
def test_who_would_lose_something_asks_again(server, session, route, fault):
    server.add_artifact(b"zip")
    server.fail(route, fault, times=2)
    slept = []
    client = _client(server, session, attempts=3, sleep=slept.append)
    assert client.download(client.newest()) == b"zip"
    assert len(slept) == 2
    assert all(2 <= wait <= 10 for wait in slept)


@pytest.mark.parametrize("fault", [401, 403, 404, 429])
def test_a_refusal_is_not_asked_again(server, session, fault):
    server.fail("list", fault, times=9)
    slept = []
    with pytest.raises(ArtifactError):
        _client(server, session, attempts=3, sleep=slept.append).newest()
    assert slept == []
    assert len(server.calls) == 1


def test_attempts_end(server, session):
    server.fail("list", 503, times=9)
    with pytest.raises(ArtifactError, match="503"):
        _client(server, session, attempts=3, sleep=lambda _: None).newest()
    assert len(server.calls) == 3


# The rate limit


@pytest.mark.parametrize("route", ["list", "run", "zip"])
def test_a_client_that_may_wait_waits_as_long_as_github_says(server, session, clock, caplog, route):
    server.add_artifact(b"zip")
    server.limit("retry-after", route=route, times=2)
    slept = []  # and the clock is fixed
    client = _client(server, session, clock=clock, attempts=4, max_wait=600.0, sleep=slept.append)
    assert client.download(client.newest()) == b"zip"
    assert slept == [120, 120]
    assert [record.getMessage() for record in caplog.records] == [
        "GitHub is asked again in 120 s"
    ] * 2


def test_a_wait_over_the_limit_is_raised(server, session, clock):
    server.add_artifact(b"zip")
    server.limit("retry-after", route="list", times=3)
    server.limit("retry-after", route="zip", times=3)
    slept = []
    client = _client(server, session, clock=clock, attempts=9, max_wait=599.0, sleep=slept.append)
    artifact = client.newest()
    with pytest.raises(ArtifactError, match="rate limit") as caught:
        client.download(artifact)
    assert caught.value.retry_after == 120
    assert slept == [120] * 4


def test_a_long_wait_is_not_begun(server, session, clock):
    server.limit("reset", times=9)
    slept = []
    with pytest.raises(ArtifactError, match="again in 900 s"):
        _client(
            server, session, clock=clock, attempts=4, max_wait=600.0, sleep=slept.append
        ).newest()
    assert slept == []


@pytest.mark.parametrize(
    ("kind", "seconds"), [("retry-after", 120), ("reset", 900), ("bare 429", 60), ("bare 403", 60)]
)
def test_a_rate_limit_is_told_and_kept(server, client, clock, kind, seconds):
    stored = server.add_artifact()
    server.limit(kind)
    with pytest.raises(ArtifactError, match="rate limit") as caught:
        client.newest()
    wait = caught.value.retry_after
    # A second may pass between the two headers of a reset.
    assert seconds - 2 <= wait <= seconds + 2
    calls = len(server.calls)

    clock.advance(wait - 1)
    with pytest.raises(ArtifactError, match="not asked again") as caught:
        client.newest()
    assert caught.value.retry_after == pytest.approx(1)
    assert len(server.calls) == calls

    clock.advance(1)
    assert client.newest().id == stored.id


def test_waits_without_a_header_grow(server, client, clock):
    server.limit("bare 429", times=9)
    waits = []
    for _ in range(9):
        with pytest.raises(ArtifactError) as caught:
            client.newest()
        waits.append(caught.value.retry_after)
        clock.advance(waits[-1])
    assert waits[:4] == [60, 120, 240, 480]
    assert max(waits) == 3600


def test_waits_begin_anew_after_a_success(server, client, clock):
    server.add_artifact()
    for _ in range(2):
        server.limit("bare 429")
        with pytest.raises(ArtifactError) as caught:
            client.newest()
        assert caught.value.retry_after == 60
        clock.advance(60)
        client.newest()


def test_a_download_meets_the_limit_too(server, client, clock):
    server.add_artifact(b"zip")
    newest = client.newest()
    server.limit("retry-after", route="zip")
    with pytest.raises(ArtifactError) as caught:
        client.download(newest)
    assert caught.value.retry_after == 120
    with pytest.raises(ArtifactError, match="not asked again"):
        client.newest()
    clock.advance(120)
    assert client.download(client.newest()) == b"zip"


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": "soon"},
        {"Retry_After": "-1"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "later"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "9" * 12},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "0"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "5", "Date": "yesterday"},
        {"Retry_After": "9" * 12},
        {"Retry_After": "0"},
    ],
)
def test_odd_headers_never_close_it_for_more_than_an_hour(server, client, headers):
    server.fail("list", 403, **headers)
    with pytest.raises(ArtifactError) as caught:
        client.newest()
    assert 1 <= caught.value.retry_after <= 3600


@pytest.mark.parametrize(
    "now",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 1, 1),  # noqa: DTZ001 - a clock without a zone
        datetime.min,  # noqa: DTZ901
    ],
)
def test_a_wrong_clock_does_no_harm(server, session, now):
    stored = server.add_artifact(b"zip")
    client = _client(server, session, clock=lambda: now)
    server.limit("reset")
    with pytest.raises(ArtifactError) as caught:
        client.newest()
    assert 890 <= caught.value.retry_after <= 900
    fresh = _client(server, session, clock=lambda: now)
    newest = fresh.newest()
    assert newest.id == stored.id
    assert fresh.download(newest) == b"zip"


def test_a_clock_that_is_set_back_does_not_close_it_for_ever(server, client, clock):
    server.add_artifact()
    server.limit("retry-after")
    with pytest.raises(ArtifactError):
        client.newest()
    clock.now = datetime(2020, 1, 1, tzinfo=UTC)
    assert client.newest() is not None


# Secrets


@pytest.mark.parametrize(
    "token", ["secret\ntoken", "secret token", "secrét", "secret\r\nX-Evil: 1", "secret\x00"]
)
def test_an_impossible_token_is_not_sent_and_not_shown(server, session, token):
    server.add_artifact()
    with pytest.raises(ArtifactError, match="characters that no token has") as caught:
        _client(server, session, token=token).newest()
    assert "secr" not in "".join(traceback.format_exception(caught.value))
    assert server.calls == []


def test_a_token_with_a_line_end_is_taken_without_it(server, session):
    server.add_artifact()
    assert _client(server, session, token=f"{TOKEN}\n").newest() is not None


def test_no_error_repr_or_log_holds_the_token(server, session, caplog):
    caplog.set_level(logging.DEBUG)
    token = "github_pat_planted"
    client = _client(server, session, token=token)
    echo = Answer(418, f"you sent {token}, didn't you".encode())
    artifact = Artifact(1, NOW, f"sha256:{'0' * 64}", 3, 1, "0" * 40)
    said = [repr(client), str(vars(client)), repr(artifact)]
    for fault in (401, 403, 404, 410, 429, 500, "drop", "cut", "html", "nonsense", echo):
        for call in (client.newest, lambda: client.download(artifact)):
            server.fail("*", fault)
            client._github._closed = None
            with pytest.raises(ArtifactError) as caught:
                call()
            said += traceback.format_exception(caught.value)
            error: BaseException | None = caught.value
            while error is not None:
                said += [repr(error), str(vars(error))]
                assert not hasattr(error, "request")  # it would contain the headers
                error = error.__cause__ or error.__context__
    assert any("you sent ***" in text for text in said)
    assert token not in "".join(said)
    assert token not in caplog.text


# Arbitrary answers

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just([])
)
STAMPS = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat() + "+23:59"),
    VALUES,
)


def _spoilt(fields):
    """An artifact's object with some fields replaced by anything."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(fields, VALUES))


LISTED = st.builds(
    lambda number, stamp, spoilt, run: {
        "id": number,
        "name": "models",
        "size_in_bytes": 3,
        "expired": False,
        "digest": f"sha256:{'0' * 64}",
        "created_at": stamp,
        "workflow_run": {
            "id": number,
            "repository_id": 1,
            "head_repository_id": 1,
            "head_branch": "main",
            "head_sha": "0" * 40,
            **run,
        },
        **spoilt,
    },
    st.integers(1, 9),
    STAMPS,
    st.one_of(st.just({}), _spoilt(["id", "name", "expired", "digest", "size_in_bytes"])),
    st.one_of(st.just({}), _spoilt(["id", "repository_id", "head_branch", "head_sha"])),
)
LISTS = st.one_of(
    st.binary(max_size=50),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(LISTED, max_size=4).map(
        lambda listed: json.dumps({"total_count": 1, "artifacts": listed}).encode()
    ),
)
RUN = {
    "id": 1,
    "status": "completed",
    "conclusion": "success",
    "event": "push",
    "path": ".github/workflows/upload_artifact.yml",
    "head_branch": "main",
    "head_sha": "0" * 40,
    "repository": {"id": 1, "owner": {"id": 2}},
    "head_repository": {"id": 1},
}


@pytest.fixture(scope="module")
def shared_server():
    with GitHubServer() as server:
        server.commit("0" * 40)
        yield server


@settings(max_examples=150, deadline=None)
@given(body=LISTS, spoilt=st.one_of(st.just({}), _spoilt(RUN)))
def test_any_list_gives_a_sound_artifact_or_an_artifact_error(shared_server, body, spoilt):
    shared_server.clear_faults()
    shared_server.fail("list", Answer(200, body))
    shared_server.fail("run", Answer(200, json.dumps({**RUN, **spoilt}).encode()), times=9)
    with new_session() as session:
        client = _client(shared_server, session)
        try:
            artifact = client.newest()
        except ArtifactError as error:
            _check_message(str(error))
            return
    assert type(artifact.id) is int
    assert artifact.created_at.tzinfo is not None
    assert artifact.digest == f"sha256:{'0' * 64}"
    assert artifact.head_sha == "0" * 40


def _check_message(message):
    assert message.isprintable()
    assert len(message) < 700
