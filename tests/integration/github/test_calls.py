"""What each step of the proof costs in calls, as SECURITY.md tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from forecast.github.artifacts import GitHubArtifacts
from forecast.github.provenance import ProvenanceVerifier
from tests.standins.github import TOKEN
from tests.standins.sigstore import Build

BASE = {"list": 1, "run": 1, "ref": 1}
BESIDE = "a" * 40  # a later commit of the branch


@pytest.fixture
def client(github_server, session):
    return GitHubArtifacts(session, owner="owner", repo="repo", token=TOKEN, url=github_server.url)


@pytest.fixture
def verifying(github_server, session, root):
    verifier = ProvenanceVerifier(
        repository="owner/repo", workflow="upload_artifact.yml", branch="main", trusted_root=root
    )
    options = {"owner": "owner", "repo": "repo", "token": TOKEN, "url": github_server.url}
    return GitHubArtifacts(session, verifier=verifier, **options)


def calls(server):
    """How many calls of each kind there were since the last time."""
    made = [*map(server.route, server.calls), *map(server.blob.route, server.blob.calls)]
    server.calls.clear()
    server.blob.calls.clear()
    return Counter(made)


def test_an_artifact_of_the_tip(github_server, client):
    github_server.add_artifact()
    artifact = client.newest()
    assert calls(github_server) == BASE
    client.download(artifact)
    assert calls(github_server) == {"zip": 1, "blob": 1}


def test_an_artifact_of_an_earlier_commit(github_server, client):
    github_server.add_artifact()
    github_server.commit(BESIDE)
    client.newest()
    assert calls(github_server) == BASE | {"compare": 1}


def test_nothing_new_and_a_list_that_has_changed(github_server, client):
    github_server.add_artifact()
    client.newest()
    calls(github_server)
    assert client.newest() is None
    assert calls(github_server) == {"list": 1}
    assert github_server.free_calls == 1
    github_server.add_artifact(fork=True)
    artifact = client.newest()
    client.download(artifact)
    assert calls(github_server) == {"list": 1, "zip": 1, "blob": 1}


def test_a_run_that_did_not_succeed(github_server, client):
    stored = github_server.add_artifact(conclusion="failure")
    stored.jobs[0]["conclusion"] = "success"
    client.newest()
    assert calls(github_server) == BASE | {"jobs": 1}


def test_a_token_without_contents(github_server, client):
    github_server.add_artifact()
    github_server.commit(BESIDE)
    github_server.fail("ref", 403)
    github_server.fail("compare", 403)
    client.newest()
    assert calls(github_server) == {"list": 1, "run": 1, "ref": 2, "compare": 2}


def test_a_repository_with_another_name(github_server, client):
    github_server.add_artifact()
    github_server.rename("other")
    client.download(client.newest())
    twice = {"list": 2, "run": 2, "ref": 2, "zip": 2}
    assert calls(github_server) == twice | {"repository": 1, "blob": 1}
    assert client.newest() is None
    assert calls(github_server) == {"list": 2}


def test_an_attested_artifact(github_server, verifying, sigstore):
    stored = github_server.add_artifact()
    build = Build(stored.run["head_sha"], stored.run_id)
    digest = stored.listed["digest"]
    github_server.attest(stored, sigstore.attest(digest, replace(build, repository="evil/repo")))
    github_server.attest(stored, sigstore.attest(digest, build))
    verifying.newest()
    assert calls(github_server) == {"list": 1, "run": 1, "attestations": 1, "bundle": 2}
    github_server.add_artifact(fork=True)
    verifying.newest()
    assert calls(github_server) == {"list": 1, "attestations": 1, "bundle": 2}
