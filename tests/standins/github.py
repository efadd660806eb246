"""A stand-in for GitHub's Artifacts API and the blob store that it redirects to."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cramjam import snappy

from tests.standins.server import ANY, Answer, Call, Fault, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "github_pat_stand_in"
AUTO = "auto"
REPOSITORY_ID = 1001
OWNER_ID = 11
FORK_ID = 2002
FIRST_COMMIT = "f" * 40
NUMBER = f"/repositories/{REPOSITORY_ID}"
HTML = "text/html; charset=utf-8"


@dataclass
class StoredArtifact:
    """An artifact, its zip, its run and the jobs of that run.

    ``listed``, ``run`` and ``jobs`` are the JSON objects; a test may change them later.
    """

    listed: dict[str, Any]
    run: dict[str, Any]
    zipped: bytes
    run_id: int
    jobs: list[dict[str, Any]]

    @property
    def id(self) -> int:
        """The artifact's id."""
        return int(self.listed["id"])


class BlobServer(Loopback):
    """The second origin: it refuses a request with an Authorization header."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        super().__init__()

    def route(self, call: Call) -> str:
        """The kind of blob."""
        return "bundle" if call.path.endswith(".sn") else "blob"

    def answer(self, call: Call) -> Answer:
        """The zip, for a request with a signature and no token."""
        if "authorization" in call.headers:
            return Answer(400, b"<Error>InvalidAuthenticationInfo</Error>", "application/xml")
        if call.path not in self.blobs or call.query.get("sig") != "signed":
            return Answer(403, b"<Error>AuthenticationFailed</Error>", "application/xml")
        kind = "application/x-snappy" if call.path.endswith(".sn") else "application/zip"
        return Answer(200, self.blobs[call.path], kind)


class GitHubServer(Loopback):
    """GitHub's API for one repository, on loopback.

    Args:
        owner: The repository's owner.
        repo: The repository.
        token: The only valid token.
        page_size: The largest number of artifacts on a page.
    """

    def __init__(
        self, owner: str = "owner", repo: str = "repo", *, token: str = TOKEN, page_size: int = 100
    ) -> None:
        self.owner, self.repo, self.token, self.page_size = owner, repo, token, page_size
        self.earlier_names: set[str] = set()
        self.artifacts: list[StoredArtifact] = []
        self.attestations: dict[str, list[dict[str, Any]]] = {}
        self.blob = BlobServer()
        self.free_calls = 0
        # The commits: the parents of each, and the tip of each branch. A tag has a name only.
        self.parents: dict[str, tuple[str, ...]] = {FIRST_COMMIT: ()}
        self.tips: dict[str, str] = {"main": FIRST_COMMIT}
        self._ids = itertools.count(1)
        self._shuffle = random.Random(7)
        self._order: list[int] = []
        super().__init__()

    @property
    def url(self) -> str:
        """The value of GITHUB_API_URL."""
        return self.origin

    def close(self) -> None:
        """Stop both servers."""
        super().close()
        self.blob.close()

    def add_artifact(
        self,
        zipped: bytes = b"zip",
        *,
        name: str = "models",
        created_at: datetime | None = None,
        expired: bool = False,
        branch: str = "main",
        fork: bool = False,
        event: str = "schedule",
        status: str = "completed",
        conclusion: str | None = "success",
        path: str = ".github/workflows/upload_artifact.yml",
        tag: bool = False,
        digest: str | None = AUTO,
        size: int | None = None,
        listed: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        jobs: list[dict[str, Any]] | None = None,
        attest: Callable[[StoredArtifact], dict[str, Any] | bytes] | None = None,
    ) -> StoredArtifact:
        """Add an artifact and the run that made it; the defaults are valid.

        Its commit is a new one on ``branch``; beside it, if ``tag`` makes that the name of a tag,
        or if a fork made it. ``listed`` and ``run`` overwrite fields of the two JSON objects at
        the end. ``jobs`` are those of the run, by default the one that made it, with its
        conclusion. ``attest`` makes its attestation before the artifact is listed; none if empty.
        """
        number = next(self._ids)
        made = created_at or datetime(2026, 1, 4, 3, 17, tzinfo=UTC) + timedelta(days=7 * number)
        sha = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
        self.commit(sha, branch, beside=tag or fork)
        head = {"id": 9000 + number, "head_branch": branch, "head_sha": sha}
        head_repository = FORK_ID if fork else REPOSITORY_ID
        if digest == AUTO:
            digest = f"sha256:{hashlib.sha256(zipped).hexdigest()}"
        base = f"{self.url}/repos/{self.owner}/{self.repo}/actions"
        stored = StoredArtifact(
            {
                "id": 100 + number,
                "node_id": f"node{number}",
                "name": name,
                "size_in_bytes": len(zipped) if size is None else size,
                "url": f"{base}/artifacts/{100 + number}",
                "archive_download_url": f"{base}/artifacts/{100 + number}/zip",
                "expired": expired,
                "digest": digest,
                "created_at": _stamp(made),
                "updated_at": _stamp(made),
                "expires_at": _stamp(made + timedelta(days=30)),
                "workflow_run": {
                    **head,
                    "repository_id": REPOSITORY_ID,
                    "head_repository_id": head_repository,
                },
                **(listed or {}),
            },
            {
                **head,
                "name": "Upload Model Artifact",
                "event": event,
                "status": status,
                "conclusion": conclusion,
                "path": path,
                "run_attempt": 1,
                "repository": {
                    "id": REPOSITORY_ID,
                    "full_name": f"{self.owner}/{self.repo}",
                    "owner": {"id": OWNER_ID, "login": self.owner},
                },
                "head_repository": {"id": head_repository},
                **(run or {}),
            },
            zipped,
            9000 + number,
            [job_of(made, conclusion)] if jobs is None else jobs,
        )
        if attest and digest and (bundle := attest(stored)):
            self.attest(stored, bundle)
        self.artifacts.append(stored)
        # Not documented, so the client must not rely on it.
        self._order.insert(self._shuffle.randrange(len(self._order) + 1), len(self._order))
        return stored

    def commit(self, sha: str, branch: str = "main", *, beside: bool = False) -> None:
        """Add a commit to a branch, or beside it: with its tip as parent, and on no branch."""
        tip = self.tips.get(branch, FIRST_COMMIT)
        self.parents[sha] = (tip,)
        if not beside:
            self.tips[branch] = sha

    def history(self, sha: str) -> set[str]:
        """A commit and all before it."""
        found: set[str] = set()
        left = [sha]
        while left:
            each = left.pop()
            found.add(each)
            left += [parent for parent in self.parents[each] if parent not in found]
        return found

    def attest(self, stored: StoredArtifact, bundle: dict[str, Any] | bytes) -> None:
        """Add an attestation of an artifact.

        ``bundle`` is the bundle, or the bytes that the blob store has instead.
        """
        data = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
        place = f"/{len(self.blob.blobs)}.json.sn"
        self.blob.blobs[place] = (
            data if isinstance(bundle, bytes) else bytes(snappy.compress_raw(data))
        )
        self.attestations.setdefault(str(stored.listed["digest"]), []).append(
            {
                "repository_id": REPOSITORY_ID,
                "bundle": None,  # since July 2026, for every version of the API
                "bundle_url": f"{self.blob.origin}{place}?sig=signed&se=in-a-minute",
                "initiator": "user",
            }
        )

    def fail(self, route: str, fault: int | str | Fault, times: int = 1, **headers: str) -> None:
        """Make the next calls of a route, or of any ("*"), fail.

        Routes are "list", "run", "jobs", "repository", "ref", "compare", "attestations" and
        "zip", and "blob" and
        "bundle" in the blob store.

        ``fault`` is a status, "html", "nonsense", an ``Answer.how``, or a fault. Keyword
        arguments are headers, with ``_`` for ``-``.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        server = self.blob if route in {"blob", "bundle"} else self
        server.add_fault(ANY if route == ANY else route, _fault(fault, named), times)

    def limit(self, kind: str, *, route: str = ANY, times: int = 1) -> None:
        """Answer the next calls with one form of GitHub's rate limit.

        ``kind`` is "retry-after", "reset", "bare 429" or "bare 403".
        """
        status = 429 if kind == "bare 429" else 403
        body = json.dumps({"message": "API rate limit exceeded", "documentation_url": "..."})

        def headers(answer: Answer) -> Answer:
            del answer
            # GitHub uses its own clock, which its Date header shows.
            now = datetime.now(UTC)
            extra = {
                "retry-after": {"Retry-After": "120"},
                "reset": {
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": str(int(now.timestamp()) + 900),
                },
            }.get(kind, {})
            return Answer(status, body.encode(), headers=extra)

        self.add_fault(route, headers, times)

    def rename(self, repo: str) -> None:
        """Give the repository another name; the one before is redirected, as GitHub does."""
        self.earlier_names.add(f"/repos/{self.owner}/{self.repo}")
        self.repo = repo

    def route(self, call: Call) -> str:
        """The kind of call."""
        kinds = {
            r".*/actions/artifacts": "list",
            r".*/zip": "zip",
            r".*/actions/runs/\d+/jobs": "jobs",
            r".*/actions/runs/.*": "run",
            r".*/attestations/.*": "attestations",
            r".*/compare/.*": "compare",
            r".*/git/ref/.*": "ref",
            NUMBER: "repository",
        }
        found = (kind for pattern, kind in kinds.items() if re.fullmatch(pattern, call.path))
        return next(found, call.path)

    def answer(self, call: Call) -> Answer:
        """GitHub's answer without a fault."""
        if "user-agent" not in call.headers:
            return _message(403, "Request forbidden by administrative rules.")
        given = call.headers.get("authorization")
        if given is not None and given not in {f"Bearer {self.token}", f"token {self.token}"}:
            return _message(401, "Bad credentials")
        return self._of_repository(call, given)

    def _of_repository(self, call: Call, given: str | None) -> Answer:
        repository = f"/repos/{self.owner}/{self.repo}"
        for name in self.earlier_names:
            if call.path.startswith(f"{name}/"):
                there = f"{self.url}{NUMBER}{call.path.removeprefix(name)}?{urlencode(call.query)}"
                moved = _message(301, "Moved Permanently")
                return replace(moved, headers={"Location": there})
        call = replace(call, path=call.path.replace(NUMBER, repository, 1))
        full_name = f"{self.owner}/{self.repo}"
        routes: dict[str, Callable[..., Answer]] = {
            "": lambda: _json({"id": REPOSITORY_ID, "full_name": full_name}),
            "/actions/artifacts": lambda: self._conditional(call, self._list(call)),
            "/attestations/(.+)": self._attested,
            r"/actions/runs/(\d+)": self._run,
            r"/actions/runs/(\d+)/jobs": self._jobs,
            r"/actions/artifacts/(\d+)/zip": lambda number: self._zip(int(number), given),
            "/git/ref/heads/(.+)": self._reference,
            r"/compare/(.+)\.\.\.(.+)": lambda base, head: self._compare(base, head, call),
        }
        for pattern, answer in routes.items():
            if match := re.fullmatch(f"{repository}{pattern}", call.path):
                return answer(*match.groups())
        return _message(404, "Not Found")

    def _attested(self, digest: str) -> Answer:
        listed = self.attestations.get(digest)
        return _found(listed and {"attestations": listed})

    def _run(self, number: str) -> Answer:
        runs = {stored.run_id: stored.run for stored in self.artifacts}
        return _found(runs.get(int(number)))

    def _jobs(self, number: str) -> Answer:
        jobs = {stored.run_id: stored.jobs for stored in self.artifacts}.get(int(number))
        return _found(None if jobs is None else {"total_count": len(jobs), "jobs": jobs})

    def _reference(self, branch: str) -> Answer:
        sha = self.tips.get(branch)
        target = {"type": "commit", "sha": sha, "url": f"{self.url}/commit"}
        return _found(sha and {"ref": f"refs/heads/{branch}", "object": target})

    def _compare(self, base: str, head: str, call: Call) -> Answer:
        """What GitHub says of ``head``, seen from ``base``; both are commits."""
        if not {base, head} <= self.parents.keys():
            return _message(404, "Not Found")
        of_base, of_head = self.history(base), self.history(head)
        if not (common := of_base & of_head):
            return _message(404, f"No common ancestor between {base} and {head}.")
        ahead, behind = len(of_head - common), len(of_base - common)
        kinds = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
        newest = max(common, key=lambda sha: len(self.history(sha)))
        return _json(
            {
                "status": kinds.get((ahead > 0, behind > 0), "diverged"),
                "ahead_by": ahead,
                "behind_by": behind,
                "total_commits": ahead,
                "base_commit": {"sha": base},
                "merge_base_commit": {"sha": newest},
                "commits": [],
                **({} if call.query.get("page", "1") != "1" else {"files": []}),
            }
        )

    def _list(self, call: Call) -> Answer:
        shuffled = [self.artifacts[place].listed for place in self._order]
        named = [each for each in shuffled if call.query.get("name") in {None, each["name"]}]
        size = min(int(call.query.get("per_page", "30")), self.page_size)
        page = int(call.query.get("page", "1"))
        shown = named[(page - 1) * size : page * size]
        answer = _json({"total_count": len(named), "artifacts": shown})
        if page * size < len(named):
            query = f"name={call.query.get('name', '')}&per_page={size}"
            there = f"{self.url}{call.path}?{query}"
            last = -(-len(named) // size)
            answer.headers["Link"] = (
                f'<{there}&page={page + 1}>; rel="next", <{there}&page={last}>; rel="last"'
            )
        return answer

    def _conditional(self, call: Call, answer: Answer) -> Answer:
        etag = f'W/"{hashlib.sha256(answer.body).hexdigest()}"'
        headers = {**answer.headers, "ETag": etag}
        if call.headers.get("if-none-match") != etag:
            return replace(answer, headers=headers)
        if "authorization" in call.headers:
            self.free_calls += 1
        return Answer(304, b"", headers=headers)

    def _zip(self, number: int, given: str | None) -> Answer:
        if given is None:
            return _message(401, "Requires authentication")
        stored = next((each for each in self.artifacts if each.id == number), None)
        if stored is None:
            return _message(404, "Not Found")
        if stored.listed["expired"]:
            return _message(410, "Artifact has expired")
        self.blob.blobs[f"/{number}.zip"] = stored.zipped
        there = f"{self.blob.origin}/{number}.zip?sig=signed&se=in-a-minute"
        return Answer(302, b"", HTML, {"Location": there})


def job_of(
    uploaded: datetime, conclusion: str | None, *, name: str = "Train and upload", attempt: int = 1
) -> dict[str, Any]:
    """A job that uploaded at this moment, as GitHub lists it."""
    ended = None if conclusion is None else _stamp(uploaded + timedelta(seconds=20))
    return {
        "name": name,
        "run_attempt": attempt,
        "status": "in_progress" if conclusion is None else "completed",
        "conclusion": conclusion,
        "started_at": _stamp(uploaded - timedelta(minutes=9)),
        "completed_at": ended,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode(), "application/json; charset=utf-8")


def _found(value: Any) -> Answer:
    return _message(404, "Not Found") if value is None else _json(value)


def _message(status: int, message: str) -> Answer:
    return replace(_json({"message": message, "status": str(status)}), status=status)


def _fault(fault: int | str | Fault, headers: dict[str, str]) -> Fault:
    if isinstance(fault, int):
        return replace(_message(fault, f"status {fault}"), headers=headers)
    if fault == "html":
        return Answer(200, b"<!doctype html><title>Unicorn!</title>", HTML, headers)
    if fault == "nonsense":
        return Answer(200, b'{"artifacts": {"models": 1}, "total_count": "many"}')
    if isinstance(fault, str):
        how = fault
        return lambda answer: replace(answer, how=how)
    return fault
