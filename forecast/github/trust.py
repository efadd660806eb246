"""Which artifacts are trusted: rules over what GitHub says of an artifact and of its run.

Anyone's pull request can put an artifact of any name into a repository's list, from a
branch of any name; a tag of the branch's name looks like the branch; and a repository's name can
be given up and taken by another. So an artifact is trusted only if this very repository made it,
in a run of the training workflow on a commit of its own branch (:mod:`forecast.github.branch`)
that nobody outside could have started, and the run or the job that made it succeeded
(:mod:`forecast.github.runs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from forecast.github.api import Schema
from forecast.github.artifact import Artifact
from forecast.text import excerpt

TRUSTED_EVENTS = ("push", "schedule", "workflow_dispatch")

_DIGEST = r"sha256:[0-9a-f]{64}"
_COMMIT = r"[0-9a-f]{40}"


class RunReference(Schema):
    """What the list of artifacts says of the run that made one."""

    id: int
    repository_id: int
    head_repository_id: int | None = None
    head_branch: str | None = None
    head_sha: str | None = None


class ListedArtifact(Schema):
    """An artifact in GitHub's list."""

    id: int
    name: str
    size_in_bytes: Annotated[int, Field(ge=0)]
    expired: bool
    created_at: AwareDatetime | None = None
    digest: str | None = None
    workflow_run: RunReference | None = None

    @property
    def age(self) -> tuple[datetime, int]:
        """Sorts by date; the id decides between artifacts of the same second."""
        return self.created_at or datetime.min.replace(tzinfo=UTC), self.id


class Owner(Schema):
    """A user or an organisation, by the number that it keeps under any name."""

    id: int


class Repository(Schema):
    """A repository, by the number that it keeps under any name."""

    id: int
    owner: Owner | None = None


class WorkflowRun(Schema):
    """A workflow run, as GitHub returns it."""

    id: int
    status: str | None = None
    conclusion: str | None = None
    event: str
    path: str
    head_branch: str | None = None
    head_sha: str
    repository: Repository
    head_repository: Repository | None = None


@dataclass(frozen=True)
class TrustRules:
    """The rules that an artifact and its run must meet.

    Attributes:
        repository: as owner/name.
        branch: the default branch.
        workflow: the training workflow's file name in .github/workflows.
        max_bytes: the largest zip to accept.
        repository_id: the repository's number; None: any.
        owner_id: its owner's number; None: any.
    """

    repository: str
    branch: str
    workflow: str
    max_bytes: int
    repository_id: int | None = None
    owner_id: int | None = None

    def bound_to(self, repository: Repository) -> TrustRules:
        """The same rules for this repository and owner alone, where they were open."""
        owner = repository.owner.id if repository.owner else None
        return replace(
            self,
            repository_id=self.repository_id or repository.id,
            owner_id=self.owner_id or owner,
        )

    def broken_by_artifact(self, listed: ListedArtifact) -> str | None:
        """The first rule that the entry in the list breaks, None if there is none."""
        run = listed.workflow_run
        if run is None or not re.fullmatch(_COMMIT, run.head_sha or ""):
            return "the run that made it is unknown"
        return _first_broken(
            (
                run.repository_id == (self.repository_id or run.repository_id),
                _other("repository", self.repository_id, run.repository_id),
            ),
            (run.head_repository_id == run.repository_id, "made by a fork"),
            (run.head_branch == self.branch, f"made on another branch than {self.branch}"),
            (listed.created_at is not None, "it has no date"),
            (re.fullmatch(_DIGEST, listed.digest or ""), "it has no SHA-256 digest"),
            (listed.size_in_bytes <= self.max_bytes, f"larger than {self.max_bytes:,} bytes"),
        )

    def made_elsewhere(self, listed: ListedArtifact) -> bool:
        """Whether a fork or another branch made it, as the list says."""
        run = listed.workflow_run
        return run is not None and (
            run.head_repository_id != run.repository_id or run.head_branch != self.branch
        )

    def broken_by_run(self, reference: RunReference, run: WorkflowRun) -> str | None:
        """The first rule that the run breaks, None if there is none."""
        listed = (reference.id, reference.head_sha, reference.repository_id)
        owner = run.repository.owner.id if run.repository.owner else None
        path, _, ref = run.path.partition("@")
        return _first_broken(
            (
                (run.id, run.head_sha, run.repository.id) == listed,
                "its run is not the one listed",
            ),
            (
                run.head_repository and run.head_repository.id == run.repository.id,
                "made by a fork",
            ),
            (owner is not None, "the owner of its repository is unknown"),
            (owner == (self.owner_id or owner), _other("owner", self.owner_id, owner)),
            (run.head_branch == self.branch, f"made on another branch than {self.branch}"),
            (
                ref in {"", self.branch, f"refs/heads/{self.branch}"},
                f"made on {excerpt(ref)} and not on the branch {self.branch}",
            ),
            (
                run.event in TRUSTED_EVENTS,
                f"its run was started by another event than {', '.join(TRUSTED_EVENTS)}",
            ),
            (
                self._without_repository(path) == f".github/workflows/{self.workflow}",
                f"made by another workflow than {self.workflow}",
            ),
        )

    def unsuccessful(self, run: WorkflowRun) -> str | None:
        """Why a run is not known to have succeeded, None if it is."""
        return _first_broken(
            (run.status == "completed", "its run has not ended"),
            (run.conclusion == "success", "its run did not succeed"),
        )

    def _without_repository(self, path: str) -> str:
        """The workflow's path without this repository's own prefix."""
        prefix = f"{self.repository}/"
        return path[len(prefix) :] if path.lower().startswith(prefix.lower()) else path


def trusted_artifact(listed: ListedArtifact) -> Artifact:
    """The artifact, after every rule has been met."""
    run = listed.workflow_run
    if run is None or run.head_sha is None or listed.digest is None or listed.created_at is None:
        raise AssertionError  # TrustRules.broken_by_artifact excludes it
    return Artifact(
        id=listed.id,
        created_at=listed.created_at,
        digest=listed.digest,
        size=listed.size_in_bytes,
        run_id=run.id,
        head_sha=run.head_sha,
    )


def _other(what: str, expected: int | None, came: int | None) -> str:
    return (
        f"expected the {what} with the id {expected}, got {came}: the name belongs to another one "
        f"now, or {what}_id in config.toml is wrong"
    )


def _first_broken(*rules: tuple[object, str]) -> str | None:
    """The reason of the first rule that does not hold."""
    return next((reason for holds, reason in rules if not holds), None)
