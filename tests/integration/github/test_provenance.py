"""Attestations that the real library verifies, and one for each possible fault."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cramjam import snappy
from cryptography.hazmat.primitives.asymmetric import ec

from forecast.config import Config
from forecast.errors import ArtifactError
from forecast.github import provenance
from forecast.github.artifact import Artifact, Provenance
from forecast.github.artifacts import GitHubArtifacts
from forecast.github.provenance import AttestationError, ProvenanceVerifier, sigstore_root
from forecast.http import HeaderTimeoutAdapter, Limits
from tests.standins.github import OWNER_ID, REPOSITORY_ID, TOKEN
from tests.standins.server import Answer
from tests.standins.sigstore import SIGNED_AT, Build, Sigstore

ROOT = Path(__file__).parents[3]
WORKFLOW = ".github/workflows/upload_artifact.yml"
COMMIT = "c0ffee" * 6 + "c0ff"
DIGEST = "sha256:" + "ab" * 32
ARTIFACT = Artifact(101, SIGNED_AT, DIGEST, 1, 4711, COMMIT)
BUILD = Build(COMMIT, 4711)
FOUND = Provenance("owner/repo", WORKFLOW, COMMIT, 4711)


@pytest.fixture
def verifier(root):
    return _verifier(root)


def _verifier(root, **of):
    given = {"repository": "owner/repo", "workflow": "upload_artifact.yml", "branch": "main"}
    return ProvenanceVerifier(**(given | of), trusted_root=root)


def encoded(bundle):
    return json.dumps(bundle).encode()


def test_an_attestation_says_who_built_an_artifact(sigstore, verifier):
    found = verifier.verify(encoded(sigstore.attest(DIGEST, BUILD)), ARTIFACT)
    assert found == FOUND
    assert found.run_url == "https://github.com/owner/repo/actions/runs/4711"


@pytest.mark.parametrize("entries", range(1, 9))
def test_it_may_stand_anywhere_in_the_log(root, entries):
    sigstore = Sigstore()
    verifier = _verifier(sigstore.write_trusted_root(root))
    for _ in range(entries):
        bundle = sigstore.attest(DIGEST, BUILD)
    assert verifier.verify(encoded(bundle), ARTIFACT) == FOUND


def test_any_attempt_at_the_run_will_do(sigstore, verifier):
    bundle = sigstore.attest(DIGEST, replace(BUILD, attempt=3))
    assert verifier.verify(encoded(bundle), ARTIFACT) == FOUND


def test_repository_workflow_and_branch_can_be_others(sigstore, root):
    workflow = ".github/workflows/train.yaml"
    build = replace(BUILD, repository="a/b", workflow=workflow, ref="refs/heads/trunk")
    verifier = _verifier(root, repository="a/b", workflow="train.yaml", branch="trunk")
    found = verifier.verify(encoded(sigstore.attest(DIGEST, build)), ARTIFACT)
    assert found == Provenance("a/b", workflow, COMMIT, 4711)


def test_one_subject_of_several_is_enough(sigstore, verifier):
    subjects = [{"name": name, "digest": {"sha256": name * 32}} for name in ("cd", "ab")]
    bundle = sigstore.attest(DIGEST, BUILD, statement=statement(subject=subjects))
    assert verifier.verify(encoded(bundle), ARTIFACT) == FOUND


# Faults in the identity of the signer


def statement(**fields):
    usual = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "models.zip", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    return json.dumps(usual | fields).encode()


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "repository": ({"repository": "evil/repo"}, r"SANs do not match .*'https://github.com/evil/"),
    "owner of a like name": ({"repository": "owner/repo2"}, "SANs do not match"),
    "workflow": ({"workflow": ".github/workflows/tests.yml"}, "SANs do not match"),
    "branch": ({"ref": "refs/heads/dev"}, "SANs do not match"),
    "tag": ({"ref": "refs/tags/main"}, "SANs do not match"),
    "pull request": ({"ref": "refs/pull/7/merge"}, "SANs do not match"),
    "issuer": ({"issuer": "https://accounts.example"}, "OIDCIssuerV2 does not match"),
    "commit": ({"commit": "0" * 40}, "OIDCSourceRepositoryDigest does not match"),
    "run": ({"run_id": 4712}, r"run https://.*/4711, got .*/4712/attempts/1"),
    "run that begins alike": ({"run_id": 47110}, r"/4711, got .*/47110/attempts/1"),
    # A reusable workflow's own identity is the subject; only this field names its caller.
    "calling repository": (
        {"overrides": {12: "https://github.com/evil/repo"}},
        "OIDCSourceRepositoryURI does not match",
    ),
    "calling branch": ({"overrides": {14: "refs/heads/dev"}}, "OIDCSourceRepositoryRef does not"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_another_is_refused(sigstore, verifier, kind):
    fields, reason = OTHERS[kind]
    bundle = sigstore.attest(DIGEST, replace(BUILD, **fields))
    with pytest.raises(AttestationError, match=reason):
        verifier.verify(encoded(bundle), ARTIFACT)


@pytest.mark.parametrize("late", [dt.timedelta(minutes=11), -dt.timedelta(minutes=1)])
def test_a_certificate_must_be_valid_when_it_signs(sigstore, verifier, late):
    bundle = sigstore.attest(DIGEST, BUILD, signed_at=SIGNED_AT + late, issued_at=SIGNED_AT)
    with pytest.raises(AttestationError, match="certificate"):
        verifier.verify(encoded(bundle), ARTIFACT)


def test_another_root_of_trust_is_refused(verifier):
    bundle = Sigstore().attest(DIGEST, BUILD)
    with pytest.raises(AttestationError, match="certificate chain"):
        verifier.verify(encoded(bundle), ARTIFACT)


def test_the_stand_in_is_unknown_to_sigstore_s_own_root(sigstore):
    bundle = sigstore.attest(DIGEST, BUILD)
    with pytest.raises(AttestationError, match="certificate chain"):
        _verifier(None).verify(encoded(bundle), ARTIFACT)


@pytest.mark.parametrize("log", ["ctlogs", "tlogs"])
def test_another_log_is_refused(sigstore, root, log):
    document = sigstore.trusted_root()
    document[log] = Sigstore().trusted_root()[log]
    root.write_text(json.dumps(document))
    with pytest.raises(AttestationError, match="SCT|log entry"):
        _verifier(root).verify(encoded(sigstore.attest(DIGEST, BUILD)), ARTIFACT)


# Faults in the signed content


def test_other_files_are_refused(sigstore, verifier):
    bundle = sigstore.attest("sha256:" + "cd" * 32, BUILD)
    with pytest.raises(AttestationError, match=f"for other files than {DIGEST}"):
        verifier.verify(encoded(bundle), ARTIFACT)


def test_the_same_digest_of_another_kind_is_refused(sigstore, verifier):
    bundle = sigstore.attest("sha512:" + "ab" * 32, BUILD)
    with pytest.raises(AttestationError, match="for other files"):
        verifier.verify(encoded(bundle), ARTIFACT)


def test_another_predicate_is_refused(sigstore, verifier):
    bundle = sigstore.attest(DIGEST, BUILD, predicate_type="https://spdx.dev/Document")
    with pytest.raises(AttestationError, match=r"should state .*slsa.*, but states .*spdx"):
        verifier.verify(encoded(bundle), ARTIFACT)


def test_another_payload_is_refused(sigstore, verifier):
    bundle = sigstore.attest(DIGEST, BUILD, payload_type="text/plain")
    with pytest.raises(AttestationError, match=r"should hold .*in-toto.*, but holds .*text/plain"):
        verifier.verify(encoded(bundle), ARTIFACT)


@pytest.mark.parametrize(
    "broken",
    [
        b"{",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        statement(_type="https://in-toto.io/Statement/v0.1"),
        statement(subject=None),
        statement(subject=[{"digest": {"sha256": 5}}]),
        statement(predicateType=None),
    ],
)
def test_a_statement_that_is_none_is_refused(sigstore, verifier, broken):
    bundle = sigstore.attest(DIGEST, BUILD, statement=broken)
    with pytest.raises(AttestationError, match="in its statement is wrong"):
        verifier.verify(encoded(bundle), ARTIFACT)


def test_a_signature_by_another_key_is_refused(sigstore, verifier):
    bundle = sigstore.attest(DIGEST, BUILD, signer=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(AttestationError, match="invalid signature"):
        verifier.verify(encoded(bundle), ARTIFACT)


def entry(bundle):
    return bundle["verificationMaterial"]["tlogEntries"][0]


def tamper_payload(bundle, other):
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(statement()).decode()


def of_another(bundle, other):
    bundle["verificationMaterial"]["tlogEntries"] = [entry(other)]


def certified_by_another(bundle, other):
    of = other["verificationMaterial"]
    bundle["verificationMaterial"]["certificate"] = of["certificate"]


def not_logged(bundle, other):
    bundle["verificationMaterial"]["tlogEntries"] = []


def no_proof(bundle, other):
    del entry(bundle)["inclusionProof"]


def no_promise(bundle, other):
    del entry(bundle)["inclusionPromise"]


def other_promise(bundle, other):
    entry(bundle)["inclusionPromise"] = entry(other)["inclusionPromise"]


def other_time(bundle, other):
    entry(bundle)["integratedTime"] = str(int(SIGNED_AT.timestamp()) + 1)


def other_place(bundle, other):
    entry(bundle)["inclusionProof"]["logIndex"] = "0"


def other_checkpoint(bundle, other):
    proof = entry(bundle)["inclusionProof"]
    proof["checkpoint"] = entry(other)["inclusionProof"]["checkpoint"]


def unsigned_checkpoint(bundle, other):
    checkpoint = entry(bundle)["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].split("\u2014")[0]


def other_body(bundle, other):
    body = json.loads(base64.b64decode(entry(bundle)["canonicalizedBody"]))
    body["spec"]["payloadHash"]["value"] = "0" * 64
    entry(bundle)["canonicalizedBody"] = base64.b64encode(json.dumps(body).encode()).decode()


def unsigned(bundle, other):
    bundle["dsseEnvelope"]["signatures"] = []


def signed_twice(bundle, other):
    bundle["dsseEnvelope"]["signatures"] *= 2


def no_envelope(bundle, other):
    del bundle["dsseEnvelope"]
    bundle["messageSignature"] = {"signature": "AAAA"}


def other_version(bundle, other):
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json"


TAMPERED = {
    tamper_payload: "invalid signature",
    of_another: "do not match bundle|does not match",
    certified_by_another: "invalid signature",
    not_logged: "exactly one log entry",
    no_proof: "inclusionProof",
    no_promise: "inclusion promise|verified time",
    other_promise: "invalid inclusion promise",
    other_time: "invalid inclusion promise",
    other_place: "inclusion proof",
    other_checkpoint: "root hash",
    unsigned_checkpoint: "Note|Signature|signature",
    other_body: "inclusion proof",
    unsigned: "signature",
    signed_twice: "signature",
    no_envelope: "DSSE",
    other_version: "mediaType",
}


@pytest.mark.parametrize("how", TAMPERED, ids=lambda how: how.__name__)
def test_a_bundle_that_was_changed_is_refused(sigstore, verifier, how):
    bundle = sigstore.attest(DIGEST, BUILD)
    other = sigstore.attest(DIGEST, replace(BUILD, attempt=2))
    changed = copy.deepcopy(bundle)
    how(changed, other)
    assert changed != bundle
    with pytest.raises(AttestationError, match=TAMPERED[how]):
        verifier.verify(encoded(changed), ARTIFACT)


def leaves(value, path=()):
    """Every text of a bundle, by its path."""
    if isinstance(value, str):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in [] if isinstance(value, str) else items:
        yield from leaves(each, (*path, key))


@pytest.mark.parametrize("broken", ["", "A", "-1", "99999999999999999999999", "é", "AAAA" * 30, 7])
def test_no_text_of_a_bundle_can_be_another(sigstore, verifier, broken):
    bundle = sigstore.attest(DIGEST, BUILD)
    bundle["dsseEnvelope"]["signatures"][0].pop("keyid")  # it is a hint and has no signature
    for path in leaves(bundle):
        changed = copy.deepcopy(bundle)
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = broken
        with pytest.raises(AttestationError) as caught:
            verifier.verify(encoded(changed), ARTIFACT)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b"{",
        b"\xff\xfe",
        b'{"a":' * 50_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"mediaType": "' + b"x" * 900_000 + b'"}',
        b"<!doctype html>",
    ],
    ids=range(11),
)
def test_what_is_no_bundle_is_refused(verifier, broken):
    with pytest.raises(AttestationError) as caught:
        verifier.verify(broken, ARTIFACT)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_github_s_own_sigstore_is_named(sigstore, verifier):
    bundle = sigstore.attest(DIGEST, BUILD)
    bundle["verificationMaterial"]["tlogEntries"] = []
    certificate = b"...O=GitHub, Inc., CN=Fulcio Intermediate..."
    raw = {"rawBytes": base64.b64encode(certificate).decode()}
    bundle["verificationMaterial"]["certificate"] = raw
    with pytest.raises(AttestationError, match="GitHub's own Sigstore, as those of private"):
        verifier.verify(encoded(bundle), ARTIFACT)


@pytest.mark.parametrize("content", [None, "{", "{}", '{"mediaType": "x"}'])
def test_keys_that_cannot_be_read_are_told_of(sigstore, root, content):
    root.unlink() if content is None else root.write_text(content)
    with pytest.raises(ArtifactError, match=r"keys cannot be read .* install requirements.txt"):
        _verifier(root).verify(encoded(sigstore.attest(DIGEST, BUILD)), ARTIFACT)


# Offline


def test_sigstore_s_own_keys_are_in_the_library():
    document = json.loads(sigstore_root().read_bytes())
    authorities = {each["uri"] for each in document["certificateAuthorities"]}
    assert authorities == {"https://fulcio.sigstore.dev"}
    assert "https://rekor.sigstore.dev" in {each["baseUrl"] for each in document["tlogs"]}


WATCHED = """
import json, os, sys
seen = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        seen.append(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (
        os.O_WRONLY | os.O_RDWR | os.O_CREAT
    ):
        seen.append(f"open {arguments[0]}")
    if event in ("os.mkdir", "os.rename"):
        seen.append(event)
sys.addaudithook(hook)
import datetime as dt
from forecast.github.artifact import Artifact
from forecast.errors import ArtifactError
from forecast.github.provenance import ProvenanceVerifier
digest, commit, root = sys.argv[1:]
artifact = Artifact(1, dt.datetime.now(dt.UTC), digest, 1, 4711, commit)
names = {"repository": "owner/repo", "workflow": "upload_artifact.yml", "branch": "main"}
attestation = sys.stdin.buffer.read()
ProvenanceVerifier(**names, trusted_root=root).verify(attestation, artifact)
try:
    ProvenanceVerifier(**names).verify(attestation, artifact)
except ArtifactError as error:
    assert "certificate chain" in str(error), error
else:
    raise AssertionError("Sigstore itself vouches for the stand-in")
print(json.dumps(seen))
"""


def test_nobody_is_asked_and_nothing_is_written(sigstore, root, tmp_path):
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED, DIGEST, COMMIT, str(root)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        input=encoded(sigstore.attest(DIGEST, BUILD)),
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert json.loads(done.stdout) == []
    assert not home.exists()


def test_who_verifies_nothing_loads_nothing():
    code = (
        "import sys, app.launch, app.page, trainer.cli, trainer.previous\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(re.findall(r"'(\w+)'", done.stdout))
    assert "forecast" in loaded
    assert not loaded & {"sigstore", "sigstore_models", "tuf", "rekor_types", "cramjam"}


@pytest.mark.parametrize("key", ["repository_id", "owner_id"])
def test_pinned_ids_are_in_the_certificate(sigstore, root, key):
    right = {"repository_id": REPOSITORY_ID, "owner_id": OWNER_ID}
    attestation = encoded(sigstore.attest(DIGEST, BUILD))
    assert _verifier(root, **right).verify(attestation, ARTIFACT) == FOUND
    with pytest.raises(AttestationError, match="Identifier does not match"):
        _verifier(root, **{key: 7}).verify(attestation, ARTIFACT)


# Attestations on GitHub


@pytest.fixture
def stored(github_server):
    return github_server.add_artifact(b"good")


@pytest.fixture
def client(github_server, session, root):
    return _client(github_server, session, root)


def _client(server, session, root, **settings):
    given = {"owner": "owner", "repo": "repo", "token": TOKEN, "url": server.url}
    return GitHubArtifacts(session, **(given | settings), verifier=_verifier(root))


@pytest.fixture
def good(github_server, sigstore, stored):
    """An artifact with a valid attestation."""
    github_server.attest(stored, attested(sigstore, stored))
    return stored


def attested(sigstore, stored, **fields):
    build = Build(stored.run["head_sha"], stored.run_id)
    return sigstore.attest(stored.listed["digest"], replace(build, **fields))


def test_an_attested_artifact_is_trusted(client, good):
    newest = client.newest()
    assert newest.provenance == Provenance(
        "owner/repo", WORKFLOW, good.run["head_sha"], good.run_id
    )
    assert client.download(newest) == b"good"
    assert client.newest() is None


def test_calls_for_attestations_are_as_github_wants_them(github_server, client, good):
    client.newest()
    call = github_server.calls[-1]
    assert call.path == f"/repos/owner/repo/attestations/{good.listed['digest']}"
    assert call.query == {"per_page": "30", "predicate_type": "provenance"}
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    [blob] = github_server.blob.calls
    assert "authorization" not in blob.headers


def test_a_list_that_holds_the_bundles_will_do(github_server, client, sigstore, stored):
    github_server.attest(stored, b"")
    [listed] = github_server.attestations[stored.listed["digest"]]
    listed["bundle"] = attested(sigstore, stored)
    assert client.newest().provenance is not None
    assert github_server.blob.calls == []


def test_a_bundle_may_come_uncompressed(github_server, client, sigstore, stored):
    github_server.attest(stored, encoded(attested(sigstore, stored)))
    assert client.newest().provenance is not None


def test_the_second_may_be_the_good_one(github_server, client, sigstore, stored):
    github_server.attest(stored, attested(sigstore, stored, repository="evil/repo"))
    github_server.attest(stored, b"nonsense")
    github_server.attest(stored, attested(sigstore, stored))
    assert client.newest().provenance is not None


@pytest.mark.usefixtures("good")
def test_a_token_without_the_right_will_do_where_all_may_read(github_server, client):
    github_server.fail("attestations", 403)
    assert client.newest().provenance is not None
    sent = [call.headers.get("authorization") for call in github_server.calls[-2:]]
    assert sent == [f"Bearer {TOKEN}", None]


@pytest.mark.usefixtures("stored")
def test_without_being_asked_nothing_is_verified(github_server, session):
    client = GitHubArtifacts(session, owner="owner", repo="repo", url=github_server.url)
    assert client.newest().provenance is None
    assert not [path for path in github_server.paths() if "attestations" in path]


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.usefixtures("good")
def test_the_config_asks_for_it(github_server, root, monkeypatch, verify):
    monkeypatch.setattr(provenance, "sigstore_root", lambda: root)
    config = Config(
        packages=["flask"],  # type: ignore[arg-type] # pydantic reads them
        username="owner",
        repo_name="repo",
        forecast_days=30,
        m_values=(7,),
        verify_attestation=verify,
    )
    client = GitHubArtifacts.configured(
        config, token=TOKEN, url=github_server.url, clock=lambda: SIGNED_AT
    )
    assert (client.newest().provenance is not None) is verify


def no_list(server, stored, bundle):
    server.attestations.clear()


def empty_list(server, stored, bundle):
    server.fail("attestations", Answer(200, b'{"attestations": []}'), times=2)


def listed_without_bundle(server, stored, bundle):
    server.attestations[stored.listed["digest"]][0]["bundle_url"] = None


def of_something_else(server, stored, bundle):
    server.blob.blobs["/0.json.sn"] = b"\xff" * 40


def bomb(server, stored, bundle):
    server.blob.blobs["/0.json.sn"] = bytes(snappy.compress_raw(bytes(30 << 20)))[: 1 << 19]


def lying_bomb(server, stored, bundle):
    server.blob.blobs["/0.json.sn"] = b"\x80\x80\x80\x80\x0f" + b"\xfe\x01\x00" * 10_000


def nested(server, stored, bundle):
    server.blob.blobs["/0.json.sn"] = b'{"a":' * 100_000


REFUSED = {
    no_list: "GitHub has none; run the workflow again, or set verify_attestation",
    empty_list: "GitHub has none",
    listed_without_bundle: "the only one is not valid: GitHub lists it without its bundle",
    of_something_else: "neither JSON nor compressed by Snappy",
    bomb: "larger than 1,048,576 bytes",
    lying_bomb: "larger than 1,048,576 bytes",
    nested: "the only one is not valid: ",
}


@pytest.mark.parametrize("how", REFUSED, ids=lambda how: how.__name__)
def test_an_artifact_without_an_attestation_is_refused(
    github_server, client, sigstore, stored, how
):
    bundle = attested(sigstore, stored)
    github_server.attest(stored, bundle)
    how(github_server, stored, bundle)

    for _ in range(2):  # it stays so, although the list has not changed
        with pytest.raises(ArtifactError, match=REFUSED[how]) as caught:
            client.newest()
        assert str(caught.value).startswith(
            f"Artifact {stored.id} of owner/repo should have an attestation, but "
        )
        assert len(str(caught.value)) < 700

    github_server.attest(stored, bundle)
    assert client.newest().provenance is not None, "it is not seen when it comes later"


def test_none_of_several(github_server, client, sigstore, stored):
    for repository in ("evil/repo", "evil/other"):
        github_server.attest(stored, attested(sigstore, stored, repository=repository))
    with pytest.raises(ArtifactError, match=r"the first of 2 is not valid: .*evil/repo"):
        client.newest()


def test_attestations_are_bounded(github_server, client, stored):
    for _ in range(31):
        github_server.attest(stored, b"nonsense")
    with pytest.raises(ArtifactError, match=r"attestations.* is wrong"):
        client.newest()
    assert github_server.blob.calls == []


@pytest.mark.usefixtures("good")
def test_a_bundle_without_an_end_is_not_read(github_server, client):
    github_server.fail("bundle", "endless")
    with pytest.raises(ArtifactError, match="An attestation did not come .* larger than 1,048,576"):
        client.newest()


@pytest.mark.parametrize(
    "case",
    [
        ("attestations", 401, r"refused the token \(401\)"),
        ("attestations", 403, r"\(403\).* with Actions: read and Attestations: read"),
        ("attestations", 422, "answered 422"),
        ("attestations", 500, "failed with status 500"),
        ("attestations", "html", "with the artifact's attestations is malformed"),
        ("attestations", "nonsense", "attestations” is wrong"),
        ("attestations", "drop", "did not answer: no connection"),
        ("attestations", "hang", "did not answer: no complete answer"),
        ("bundle", 403, "which answered 403"),
        ("bundle", 500, "which answered 500"),
        ("bundle", "cut", "the connection broke during the answer"),
        ("bundle", "hang", "did not come .* no complete answer"),
    ],
)
@pytest.mark.usefixtures("good")
def test_when_github_fails_it_is_asked_again(github_server, session, root, case):
    route, fault, says = case
    session.mount("http://", HeaderTimeoutAdapter(0.5))
    limits = Limits(connect=2.0, read=0.5, total=0.5) if fault == "hang" else None
    client = _client(github_server, session, root, limits=limits)
    github_server.fail(route, fault, 2 if case[:2] == ("attestations", 403) else 1)
    with pytest.raises(ArtifactError, match=says) as caught:
        client.newest()
    assert "sig=" not in str(caught.value)
    assert client.newest().provenance is not None


def test_an_old_artifact_is_not_taken_in_place_of_one_without_attestation(
    github_server, client, good
):
    assert client.newest().id == good.id
    github_server.add_artifact(b"another")
    for _ in range(2):
        with pytest.raises(ArtifactError, match="GitHub has none"):
            client.newest()


@pytest.mark.usefixtures("good")
def test_a_failure_that_passes_is_retried(github_server, session, root):
    github_server.fail("attestations", 503)
    slept = []
    client = _client(github_server, session, root, attempts=2, sleep=slept.append)
    assert client.newest().provenance is not None
    assert len(slept) == 1


@pytest.mark.usefixtures("stored")
def test_a_refusal_is_not_retried(github_server, session, root):
    slept = []
    client = _client(github_server, session, root, attempts=4, sleep=slept.append)
    with pytest.raises(ArtifactError, match="GitHub has none"):
        client.newest()
    assert slept == []


@pytest.mark.usefixtures("good")
def test_a_token_is_not_needed_to_verify(github_server, session, root):
    client = _client(github_server, session, root, token=None)
    assert client.newest().provenance is not None


def test_the_library_s_surprises_are_refusals(verifier, monkeypatch):
    class Surprise:
        from_json = staticmethod(lambda _: 1 / 0)

    monkeypatch.setitem(
        sys.modules,
        "sigstore.models",
        SimpleNamespace(Bundle=Surprise, TrustedRoot=sys.modules["sigstore.models"].TrustedRoot),
    )
    with pytest.raises(AttestationError, match=r"no.* Sigstore bundle.*ZeroDivisionError"):
        verifier.verify(b"{}", ARTIFACT)


FAILED_RUN = {"conclusion": "failure"}


@pytest.mark.parametrize("how", [{"status": "in_progress", "conclusion": None}, FAILED_RUN])
def test_an_attested_artifact_stays_trusted_whatever_becomes_of_its_run(client, good, how):
    good.run.update(how)
    assert client.newest().id == good.id


def test_an_artifact_of_a_failed_run_without_attestation_is_passed_over(
    github_server, client, good
):
    newer = github_server.add_artifact(b"newer", **FAILED_RUN)
    newer.jobs[0]["conclusion"] = "success"  # and the job that attests failed
    assert client.newest().id == good.id
