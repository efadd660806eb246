"""The newest bundle on GitHub that can be trusted.

Anybody's pull request can put an artifact of any name into a repository's list, from a
branch of any name. So an artifact counts only if the repository's own branch made it,
in a successful run of the training workflow that nobody outside could have started.

Listing works without a token; downloading never does, on public repositories neither.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import tenacity
from pydantic import AwareDatetime, Field

from forecast.errors import ArtifactError, CorruptArtifactError
from forecast.github.api import ACTIONS, API, REDIRECTS, Answer, GitHub, PassingError, location
from forecast.github.artifact import Artifact
from forecast.github.attestations import RIGHTS, Attestations
from forecast.github.provenance import ProvenanceVerifier
from forecast.http import Limits, new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import requests

    from forecast.config import Config

log = logging.getLogger(__name__)

TRUSTED_EVENTS = ("push", "schedule", "workflow_dispatch")

_DIGEST = r"sha256:[0-9a-f]{64}"
_PAGE_SIZE = 100
_MAX_PAGES = 10
# Each costs a call, of which an address without a token has sixty an hour.
_MAX_RUNS = 10
_NOT_MODIFIED = 304


class _Origin(Answer):
    id: int
    repository_id: int
    head_repository_id: int | None = None
    head_branch: str | None = None
    head_sha: str | None = None


class _Listed(Answer):
    id: int
    name: str
    size_in_bytes: Annotated[int, Field(ge=0)]
    expired: bool
    created_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    digest: str | None = None
    workflow_run: _Origin | None = None


class _Page(Answer):
    total_count: int
    artifacts: Annotated[list[_Listed], Field(max_length=_PAGE_SIZE)]


class _Repository(Answer):
    id: int


class _Run(Answer):
    id: int
    status: str | None = None
    conclusion: str | None = None
    event: str
    path: str
    head_branch: str | None = None
    head_sha: str
    repository: _Repository
    head_repository: _Repository | None = None


@dataclass(frozen=True)
class _Kept:
    """A page of the list as last seen."""

    etag: str
    page: _Page
    following: str | None


class GitHubArtifacts:
    """A client of GitHub's Artifacts API, for one thread at a time.

    Unless told otherwise it never waits for a rate limit: that is raised with
    ``retry_after``, and until then nothing more is asked.

    Args:
        session: Sends the calls; see ``forecast.http.new_session``.
        owner: The user or organisation whose repository it is.
        repo: The repository.
        name: The artifact's name.
        branch: The default branch; what other branches made is not trusted.
        workflow: The training workflow's file name in .github/workflows.
        token: A token that may read Actions; None lists, but cannot download.
        url: Where the API is.
        clock: The present moment; only differences between its answers matter.
        max_bytes: The largest zip to accept.
        limits: What one call may cost.
        attempts: How often to ask when GitHub does not answer or fails. One for who asks
            again anyhow; more for who would lose something.
        patience: Seconds to wait in all where GitHub says when it may be asked again, and
            there are attempts left; a longer wait is raised at once.
        sleep: Waits between the attempts.
        verifier: Verifies the attestation without which no artifact is trusted; None asks
            for none.
    """

    def __init__(
        self,
        session: requests.Session,
        *,
        owner: str,
        repo: str,
        name: str = "models",
        branch: str = "main",
        workflow: str = "upload_artifact.yml",
        token: str | None = None,
        url: str = API,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_bytes: int = 64 << 20,
        limits: Limits | None = None,
        attempts: int = 1,
        patience: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        verifier: ProvenanceVerifier | None = None,
    ) -> None:
        self._github = GitHub(
            session,
            owner=owner,
            repo=repo,
            token=token,
            url=url,
            # A clock that stands must not keep GitHub closed for good.
            clock=lambda: clock() + timedelta(seconds=self._slept),
            limits=limits or Limits(),
            rights=RIGHTS if verifier else ACTIONS,
        )
        self._attestations = Attestations(self._github, verifier) if verifier else None
        self._actions = f"{self._github.base}/actions"
        self._name = name
        self._branch = branch
        self._workflow = workflow
        self._max_bytes = max_bytes
        self._patience = patience
        self._slept = 0.0
        self._sleep = sleep
        self._backoff = tenacity.wait_exponential(multiplier=2, max=60) + tenacity.wait_random(0, 2)
        self._attempts = tenacity.Retrying(
            sleep=self._wait,
            retry=tenacity.retry_if_exception(self._is_worth_waiting),
            wait=lambda state: _asked_for(state) or self._backoff(state),
            stop=tenacity.stop_after_attempt(attempts),
            reraise=True,
        )
        self._pages: dict[str, _Kept] = {}
        self._settled = False
        self._returned: int | None = None

    @classmethod
    def configured(
        cls,
        config: Config,
        *,
        token: str | None,
        url: str,
        clock: Callable[[], datetime],
        attempts: int = 1,
        patience: float = 0.0,
    ) -> GitHubArtifacts:
        """A client for the artifact that a config names, with a session of its own."""
        verifier = ProvenanceVerifier(
            repository=f"{config.username}/{config.repo_name}",
            workflow=config.workflow_file,
            branch=config.default_branch,
        )
        return cls(
            new_session(config.repository_url),
            owner=config.username,
            repo=config.repo_name,
            name=config.artifact_name,
            branch=config.default_branch,
            workflow=config.workflow_file,
            token=token,
            url=url,
            clock=clock,
            attempts=attempts,
            patience=patience,
            verifier=verifier if config.verify_attestation else None,
        )

    def newest(self) -> Artifact | None:
        """The newest artifact that can be trusted.

        None means that nothing has changed since the last call that returned one. After
        a failed :meth:`download` it is returned again.

        Raises:
            ArtifactError: There is none, its attestation is missing or not true, or GitHub
                did not tell.
        """
        return self._attempts(self._newest)

    def _newest(self) -> Artifact | None:
        listed, changed = self._list()
        if self._settled and not changed:
            return None
        self._settled = False
        artifact, final = self._choose(listed)
        if changed or artifact.id != self._returned:
            artifact = self._attested(artifact)
            self._settled, self._returned = final, artifact.id
            return artifact
        self._settled = final
        return None

    def older(self, artifact: Artifact) -> Artifact:
        """The newest that can be trusted of those made before an artifact.

        Raises:
            ArtifactError: There is none, or GitHub did not tell.
        """
        return self._attempts(self._older, artifact)

    def _older(self, artifact: Artifact) -> Artifact:
        place = artifact.created_at, artifact.id
        listed = [each for kept in self._pages.values() for each in kept.page.artifacts]
        return self._attested(self._choose(each for each in listed if _by_age(each) < place)[0])

    def download(self, artifact: Artifact) -> bytes:
        """The artifact's zip, its SHA-256 checked.

        Raises:
            ArtifactError: It cannot be had.
            CorruptArtifactError: It is not what was listed. It is downloaded anew at the next
                call, as the way here may have been at fault.
        """
        try:
            return self._attempts(self._download, artifact)
        except ArtifactError:
            self._settled, self._returned = False, None
            raise

    def _is_worth_waiting(self, error: BaseException) -> bool:
        if isinstance(error, PassingError):
            return True
        seconds = error.retry_after if isinstance(error, ArtifactError) else 0.0
        return 0.0 < seconds <= self._patience - self._slept

    def _wait(self, seconds: float) -> None:
        log.warning("GitHub is asked again in %.0f s", seconds)
        self._sleep(seconds)
        self._slept += seconds

    # Listing

    def _list(self) -> tuple[list[_Listed], bool]:
        """Every artifact listed, and whether any page differs from the last time."""
        url: str | None = (
            f"{self._actions}/artifacts?name={quote(self._name, safe='')}&per_page={_PAGE_SIZE}"
        )
        pages: dict[str, _Kept] = {}
        changed = False
        while url is not None and url not in pages and len(pages) < _MAX_PAGES:
            before = self._pages.get(url)
            after = self._page(url, before)
            changed = changed or after is not before
            pages[url] = after
            url = after.following
        changed = changed or pages.keys() != self._pages.keys()
        self._pages = pages
        return [artifact for kept in pages.values() for artifact in kept.page.artifacts], changed

    def _page(self, url: str, before: _Kept | None) -> _Kept:
        asked = {"If-None-Match": before.etag} if before and before.etag else {}
        reply = self._github.get(url, "the list of artifacts", headers=asked)
        if reply.status == _NOT_MODIFIED and before is not None:
            return before
        page = self._github.read(_Page, reply, "the list of artifacts")
        return _Kept(reply.headers.get("ETag", ""), page, self._github.following(url, reply))

    # Choosing

    def _choose(self, listed: Iterable[_Listed]) -> tuple[Artifact, bool]:
        """The newest that can be trusted, and whether that verdict will stand."""
        named = [each for each in listed if each.name == self._name]
        usable = [each for each in named if not each.expired]
        if not usable:
            raise self._nothing(named)
        reasons: Counter[str] = Counter()
        runs: dict[int, _Run] = {}
        for each in sorted(usable, key=_by_age, reverse=True):
            reason = self._why_not(each, runs)
            if reason is None:
                # A run that has not ended may yet succeed.
                return _artifact(each), all(run.status == "completed" for run in runs.values())
            reasons[reason] += 1
        reason, count = reasons.most_common(1)[0]
        raise self._github.error(
            f"None of the {len(usable)} artifacts called {self._name} in "
            f"{self._github.repository} can be trusted ({count} of them: {reason}): run the "
            f"workflow {self._workflow} on {self._branch}."
        )

    def _nothing(self, named: list[_Listed]) -> ArtifactError:
        remedy = f"run the workflow {self._workflow} there, on {self._branch}"
        if not named:
            return self._github.error(
                f"{self._github.repository} has no artifact called {self._name} yet: {remedy}."
            )
        newest = max(named, key=_by_age).created_at
        when = newest.date().isoformat() if newest else "an unknown day"
        return self._github.error(
            f"Every artifact called {self._name} in {self._github.repository} has expired, the "
            f"newest being of {when}: {remedy}, and see that its schedule is still on."
        )

    def _why_not(self, listed: _Listed, runs: dict[int, _Run]) -> str | None:
        """What speaks against an artifact; ``runs`` are those looked up so far."""
        of = listed.workflow_run
        if of is None or of.head_sha is None:
            return "the run that made it is unknown"
        reason = self._why_not_listed(listed, of)
        if reason is not None:
            return reason
        if of.id not in runs:
            if len(runs) == _MAX_RUNS:
                return f"older than {_MAX_RUNS} that cannot be trusted"
            runs[of.id] = self._run(of.id)
        return self._why_not_run(of, runs[of.id])

    def _why_not_listed(self, listed: _Listed, of: _Origin) -> str | None:
        """What in the list itself speaks against an artifact."""
        most = self._max_bytes
        return _first_broken(
            (of.head_repository_id == of.repository_id, "made by a fork"),
            (of.head_branch == self._branch, f"made on another branch than {self._branch}"),
            (listed.created_at is not None, "it has no date"),
            (re.fullmatch(_DIGEST, listed.digest or ""), "it has no SHA-256 digest"),
            (listed.size_in_bytes <= most, f"larger than {most:,} bytes"),
        )

    def _run(self, run_id: int) -> _Run:
        reply = self._github.get(f"{self._actions}/runs/{run_id}", "a workflow run")
        return self._github.read(_Run, reply, "a workflow run")

    def _why_not_run(self, of: _Origin, run: _Run) -> str | None:
        """What in the run speaks against an artifact of it."""
        listed = (of.id, of.head_sha, of.repository_id)
        workflow = f".github/workflows/{self._workflow}"
        return _first_broken(
            (
                (run.id, run.head_sha, run.repository.id) == listed,
                "its run is not the one listed",
            ),
            (run.head_repository == run.repository, "made by a fork"),
            (run.head_branch == self._branch, f"made on another branch than {self._branch}"),
            (run.status == "completed", "its run has not ended"),
            (run.conclusion == "success", "its run did not succeed"),
            (
                run.event in TRUSTED_EVENTS,
                f"its run was started by another event than {', '.join(TRUSTED_EVENTS)}",
            ),
            (
                self._workflow_path(run.path) == workflow,
                f"made by another workflow than {self._workflow}",
            ),
        )

    def _workflow_path(self, path: str) -> str:
        """The path without ``@ref`` and without this repository's own prefix."""
        path = path.split("@", 1)[0]
        prefix = f"{self._github.repository}/"
        return path[len(prefix) :] if path.lower().startswith(prefix.lower()) else path

    def _attested(self, artifact: Artifact) -> Artifact:
        """The same, its attestation verified if that is asked for."""
        if self._attestations is None:
            return artifact
        return replace(artifact, provenance=self._attestations.provenance(artifact))

    # Downloading

    def _download(self, artifact: Artifact) -> bytes:
        if not self._github.has_token:
            raise self._github.error(
                f"Downloading needs a token, always: {self._github.token_advice()}."
            )
        url = f"{self._actions}/artifacts/{artifact.id}/zip"
        reply = self._github.get(url, "the artifact's zip", expected=REDIRECTS)
        if reply.status not in REDIRECTS:
            raise self._github.error(
                "GitHub should have sent on to the artifact's zip (302), but answered "
                f"{reply.status}; it will be asked again."
            )
        zipped = self._github.blob(location(url, reply), "the artifact's zip", self._max_bytes)
        digest = f"sha256:{hashlib.sha256(zipped).hexdigest()}"
        if digest != artifact.digest:
            error = self._github.error(
                f"The zip of artifact {artifact.id} should have the digest {artifact.digest}, but "
                f"has {digest}, and is not opened; run the workflow {self._workflow} again if it "
                "stays so."
            )
            raise CorruptArtifactError(str(error))
        return zipped


def _artifact(listed: _Listed) -> Artifact:
    run = listed.workflow_run
    if run is None or run.head_sha is None or listed.digest is None or listed.created_at is None:
        raise AssertionError  # GitHubArtifacts._why_not has seen to it
    return Artifact(
        id=listed.id,
        created_at=listed.created_at,
        expires_at=listed.expires_at,
        digest=listed.digest,
        size=listed.size_in_bytes,
        run_id=run.id,
        head_sha=run.head_sha,
    )


def _asked_for(state: tenacity.RetryCallState) -> float:
    """Seconds that GitHub asked for; 0.0 where it asked for nothing."""
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, ArtifactError) else 0.0


def _by_age(listed: _Listed) -> tuple[datetime, int]:
    """Sorts by date; the id decides between artifacts of the same second."""
    return listed.created_at or datetime.min.replace(tzinfo=UTC), listed.id


def _first_broken(*rules: tuple[object, str]) -> str | None:
    """The reason of the first rule that does not hold."""
    return next((reason for holds, reason in rules if not holds), None)
