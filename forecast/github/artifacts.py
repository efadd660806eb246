"""Finds and downloads the newest trusted artifact on GitHub.

:mod:`forecast.github.trust` decides which artifact is trusted; this module makes the calls.
Listing works without a token; downloading needs one, even from a public repository.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import tenacity
from pydantic import Field, ValidationError

from forecast.errors import ArtifactError, CorruptArtifactError, NoArtifactError
from forecast.github.api import (
    API,
    REDIRECTS,
    RIGHTS,
    GitHub,
    Schema,
    TransientArtifactError,
    redirect_target,
)
from forecast.github.attestations import ATTESTED_RIGHTS, Attestations
from forecast.github.branch import DefaultBranch
from forecast.github.provenance import ProvenanceVerifier
from forecast.github.runs import Runs
from forecast.github.trust import ListedArtifact, TrustRules, WorkflowRun, trusted_artifact
from forecast.http import Limits, new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import requests

    from forecast.config import Config
    from forecast.github.artifact import Artifact

log = logging.getLogger(__name__)

_PAGE_SIZE = 100
_MAX_PAGES = 10
_NOT_MODIFIED = 304


class _Page(Schema):
    artifacts: Annotated[list[Any], Field(max_length=_PAGE_SIZE)]

    def entries(self) -> Iterator[ListedArtifact | None]:
        """Each entry, None for a malformed one, which costs no other."""
        for each in self.artifacts:
            try:
                yield ListedArtifact.model_validate_json(json.dumps(each))
            except ValidationError:
                yield None


@dataclass(frozen=True)
class _CachedPage:
    """A page of the list as last received."""

    etag: str
    entries: tuple[ListedArtifact | None, ...]
    next_url: str | None


class GitHubArtifacts:
    """A client of GitHub's Artifacts API, for one thread at a time.

    By default it never waits for a rate limit, which is raised with ``retry_after``; until
    then every call raises without asking GitHub.

    Args:
        session: Sends the calls; see ``forecast.http.new_session``.
        owner: The user or organisation whose repository it is.
        repo: The repository.
        name: The artifact's name.
        branch: The default branch; only artifacts of its commits are trusted.
        workflow: The training workflow's file name in .github/workflows.
        token: A token with permission to read Actions and Contents; without one, listing works
            and downloading does not.
        url: Where the API is.
        clock: The current time; only differences between two calls matter.
        max_bytes: The largest zip to accept.
        limits: Bounds of one call.
        attempts: Calls until a failure is raised. One is enough for a caller that polls.
        max_wait: Seconds to wait in total for rate limits, while attempts are left; a longer
            wait is raised at once.
        sleep: Waits between the attempts.
        repository_id: GitHub's number of the repository; None: that of the first one trusted.
        owner_id: The same of its owner.
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
        max_wait: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
        repository_id: int | None = None,
        owner_id: int | None = None,
        verifier: ProvenanceVerifier | None = None,
    ) -> None:
        self._github = GitHub(
            session,
            owner=owner,
            repo=repo,
            token=token,
            url=url,
            # A fixed clock must not keep the rate limit forever.
            clock=lambda: clock() + timedelta(seconds=self._slept),
            limits=limits or Limits(),
            rights=ATTESTED_RIGHTS if verifier else RIGHTS,
        )
        self._attestations = Attestations(self._github, verifier) if verifier else None
        self._branch = DefaultBranch(self._github, branch)
        self._actions = f"{self._github.base}/actions"
        self._name = name
        self._rules = TrustRules(
            self._github.repository, branch, workflow, max_bytes, repository_id, owner_id
        )
        self._max_wait = max_wait
        self._slept = 0.0
        self._sleep = sleep
        self._backoff = tenacity.wait_exponential(multiplier=2, max=60) + tenacity.wait_random(0, 2)
        self._attempts = tenacity.Retrying(
            sleep=self._wait,
            retry=tenacity.retry_if_exception(self._is_retried),
            wait=lambda state: _retry_after(state) or self._backoff(state),
            stop=tenacity.stop_after_attempt(attempts),
            reraise=True,
        )
        self._pages: dict[str, _CachedPage] = {}
        self._settled = False
        self._returned: int | None = None
        # Digests by id. What was trusted once stays so: its run may be run again, or fail then.
        self._trusted: dict[int, str] = {}

    @classmethod
    def configured(
        cls,
        config: Config,
        *,
        token: str | None,
        url: str,
        clock: Callable[[], datetime],
        attempts: int = 1,
        max_wait: float = 0.0,
    ) -> GitHubArtifacts:
        """A client for the artifact that a config names, with a session of its own."""
        verifier = ProvenanceVerifier(
            repository=f"{config.username}/{config.repo_name}",
            workflow=config.workflow_file,
            branch=config.default_branch,
            repository_id=config.repository_id,
            owner_id=config.owner_id,
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
            max_wait=max_wait,
            repository_id=config.repository_id,
            owner_id=config.owner_id,
            verifier=verifier if config.verify_attestation else None,
        )

    @property
    def moved(self) -> str:
        """What to change if the repository has another name now; empty if it has not."""
        return self._github.moved

    def newest(self) -> Artifact | None:
        """The newest trusted artifact.

        None means that nothing has changed since the last call that returned one. After a
        failed :meth:`download` the same artifact is returned again.

        Raises:
            ArtifactError: There is none, its attestation is missing or invalid, or GitHub
                could not be asked.
        """
        return self._attempts(self._newest)

    def _newest(self) -> Artifact | None:
        listed, changed = self._list()
        if self._settled and not changed:
            return None
        self._settled = False
        artifact, runs = self._choose(listed)
        if runs.unknown:
            if artifact.id == self._returned:
                raise self._github.error(runs.unknown)
            log.warning("an older artifact is taken: %s", runs.unknown)
        if changed or artifact.id != self._returned:
            artifact = self._attested(artifact)
            self._settled, self._returned = runs.final, artifact.id
            return artifact
        self._settled = runs.final
        return None

    def older(self, artifact: Artifact) -> Artifact:
        """The newest trusted artifact older than the given one.

        Raises:
            ArtifactError: There is none, or GitHub could not be asked.
        """
        return self._attempts(self._older, artifact)

    def _older(self, artifact: Artifact) -> Artifact:
        age = artifact.created_at, artifact.id
        older = (each for each in self._listed() if each is not None and each.age < age)
        return self._attested(self._choose(older)[0])

    def download(self, artifact: Artifact) -> bytes:
        """The artifact's zip, its SHA-256 checked.

        Raises:
            ArtifactError: It cannot be downloaded.
            CorruptArtifactError: Its digest is not the listed one. The next call downloads it
                again, since the transfer may have failed.
        """
        try:
            return self._attempts(self._download, artifact)
        except ArtifactError:
            self._settled, self._returned = False, None
            raise

    def _is_retried(self, error: BaseException) -> bool:
        if isinstance(error, TransientArtifactError):
            return True
        seconds = error.retry_after if isinstance(error, ArtifactError) else 0.0
        return 0.0 < seconds <= self._max_wait - self._slept

    def _wait(self, seconds: float) -> None:
        log.warning("GitHub is asked again in %.0f s", seconds)
        self._sleep(seconds)
        self._slept += seconds

    # Listing

    def _list(self) -> tuple[list[ListedArtifact | None], bool]:
        """Every artifact listed, and whether any page differs from the last time."""
        url: str | None = (
            f"{self._actions}/artifacts?name={quote(self._name, safe='')}&per_page={_PAGE_SIZE}"
        )
        pages: dict[str, _CachedPage] = {}
        changed = False
        while url is not None and url not in pages and len(pages) < _MAX_PAGES:
            before = self._pages.get(url)
            after = self._page(url, before)
            changed = changed or after is not before
            pages[url] = after
            url = after.next_url
        changed = changed or pages.keys() != self._pages.keys()
        self._pages = pages
        return self._listed(), changed

    def _listed(self) -> list[ListedArtifact | None]:
        return [each for cached in self._pages.values() for each in cached.entries]

    def _page(self, url: str, before: _CachedPage | None) -> _CachedPage:
        asked = {"If-None-Match": before.etag} if before and before.etag else {}
        reply = self._github.get(url, "the list of artifacts", headers=asked)
        if reply.status == _NOT_MODIFIED and before is not None:
            return before
        entries = self._github.read(_Page, reply, "the list of artifacts").entries()
        following = self._github.following(url, reply)
        return _CachedPage(reply.headers.get("ETag", ""), tuple(entries), following)

    # Choosing

    def _choose(self, listed: Iterable[ListedArtifact | None]) -> tuple[Artifact, Runs]:
        """The newest trusted artifact, and the runs that were looked up for that choice."""
        entries = list(listed)
        named = [each for each in entries if each is not None and each.name == self._name]
        usable = [each for each in named if not each.expired]
        reasons = Counter({"GitHub's description of it is malformed": entries.count(None)})
        if not usable and None not in entries:
            raise self._nothing(named)
        runs = Runs(self._github, self._rules)
        for each in sorted(usable, key=lambda listed: listed.age, reverse=True):
            reason = self._broken_rule(each, runs)
            if reason is None:
                return trusted_artifact(each), runs
            reasons[reason] += 1
        reason, count = reasons.most_common(1)[0]
        error = self._github.error(
            f"None of the {reasons.total()} artifacts called {self._name} in "
            f"{self._github.repository} can be trusted ({count} of them: "
            f"{reason.rstrip('.')}): run the workflow {self._rules.workflow} on "
            f"{self._rules.branch}."
        )
        strangers = None not in entries and all(map(self._rules.made_elsewhere, usable))
        raise NoArtifactError(str(error)) if strangers else error

    def _nothing(self, named: list[ListedArtifact]) -> NoArtifactError:
        remedy = f"run the workflow {self._rules.workflow} there, on {self._rules.branch}"
        if not named:
            return NoArtifactError(
                f"{self._github.repository} has no artifact called {self._name} yet: {remedy}."
            )
        newest = max(named, key=lambda listed: listed.age).created_at
        when = newest.date().isoformat() if newest else "an unknown day"
        return NoArtifactError(
            f"Every artifact called {self._name} in {self._github.repository} has expired, the "
            f"newest being of {when}: {remedy}, and see that its schedule is still on."
        )

    def _broken_rule(self, listed: ListedArtifact, runs: Runs) -> str | None:
        """The first rule that an artifact breaks."""
        broken = self._rules.broken_by_artifact(listed)
        reference = listed.workflow_run
        if broken is not None or reference is None or reference.head_sha is None:
            return broken
        if self._trusted.get(listed.id) == listed.digest:
            return None
        run = runs.run(reference)
        if isinstance(run, str):
            return run
        broken = self._rules.broken_by_run(reference, run) or self._unproved(listed, run, runs)
        if broken is None and self._attestations is None:  # which proves the branch as well
            broken = self._branch.broken_by(reference.head_sha)
        if broken is None:
            self._trusted[listed.id] = listed.digest or ""
            self._rules = self._rules.bound_to(run.repository)
        return broken

    def _unproved(self, listed: ListedArtifact, run: WorkflowRun, runs: Runs) -> str | None:
        """Why neither the run nor its attestation, or else its job, proves the artifact."""
        if self._attestations is None:
            return runs.unsuccessful(run, listed)
        reason = self._rules.unsuccessful(run)
        if reason is not None:
            try:
                self._attestations.provenance(trusted_artifact(listed))
            except ArtifactError as error:
                if isinstance(error, TransientArtifactError) or error.retry_after:
                    raise
                return reason
        return None

    def _attested(self, artifact: Artifact) -> Artifact:
        """The same with its provenance, if attestations are verified."""
        if self._attestations is None:
            return artifact
        return replace(artifact, provenance=self._attestations.provenance(artifact))

    # Downloading

    def _download(self, artifact: Artifact) -> bytes:
        if not self._github.has_token:
            raise self._github.error(f"Downloading needs a token: {self._github.token_advice()}.")
        url = f"{self._actions}/artifacts/{artifact.id}/zip"
        reply = self._github.get(url, "the artifact's zip", expected=REDIRECTS)
        if reply.status not in REDIRECTS:
            raise self._github.error(
                "GitHub should have redirected to the artifact's zip (302), but answered "
                f"{reply.status}; it will be asked again."
            )
        zipped = self._github.blob(
            redirect_target(url, reply), "the artifact's zip", self._rules.max_bytes
        )
        digest = f"sha256:{hashlib.sha256(zipped).hexdigest()}"
        if digest != artifact.digest:
            error = self._github.error(
                f"The zip of artifact {artifact.id} should have the digest {artifact.digest}, but "
                f"has {digest}, and is not opened; run the workflow {self._rules.workflow} again "
                "if it stays so."
            )
            raise CorruptArtifactError(str(error))
        return zipped


def _retry_after(state: tenacity.RetryCallState) -> float:
    """Seconds that GitHub asked to wait; 0.0 if none."""
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, ArtifactError) else 0.0
