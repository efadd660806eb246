"""Looks up the workflow runs that made artifacts, each once for one choice.

A run counts by what it had done when it uploaded: run again, ended badly in a later job or
still under way, it keeps the artifact of a job that succeeded. Where attestations are verified,
they prove it instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime

from forecast.errors import ArtifactError
from forecast.github.api import Schema, TransientArtifactError
from forecast.github.trust import RunReference, WorkflowRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from forecast.github.api import GitHub
    from forecast.github.trust import ListedArtifact, TrustRules

# Each costs a call, of which an address without a token has sixty an hour.
_MOST_FOREIGN = 10  # runs of another workflow or event
_MOST = 40  # runs in all
_MAX_PAGES = 5  # of jobs; a run has 256 jobs a matrix


class _Job(Schema):
    conclusion: str | None = None
    started_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether it ran at that moment."""
        started, ended = self.started_at, self.completed_at
        return started is not None and started <= moment and (ended is None or moment <= ended)


class _Jobs(Schema):
    jobs: list[_Job]


class Runs:
    """The runs of the artifacts among which one is chosen.

    Args:
        github: The repository.
        rules: What a run must meet.

    Attributes:
        unknown: Why a run could not be looked up; empty if each could.
    """

    def __init__(self, github: GitHub, rules: TrustRules) -> None:
        self.unknown = ""
        self._ended = True
        self._github = github
        self._rules = rules
        self._foreign = 0
        self._runs: dict[int, WorkflowRun | str] = {}

    @property
    def final(self) -> bool:
        """Whether another look at the same list would choose the same: no run may yet succeed."""
        return self._ended and not self.unknown

    def run(self, reference: RunReference) -> WorkflowRun | str:
        """A run, or why it is not known, which costs its own artifact alone.

        Raises:
            ArtifactError: GitHub did not answer, or its rate limit is reached.
        """
        if reference.id not in self._runs:
            if self._foreign == _MOST_FOREIGN or len(self._runs) == _MOST:
                return f"older than {len(self._runs)} that cannot be trusted"
            run = self._looked_up(reference.id)
            self._runs[reference.id] = run
            self._foreign += isinstance(run, str) or bool(self._rules.broken_by_run(reference, run))
        return self._runs[reference.id]

    def unsuccessful(self, run: WorkflowRun, listed: ListedArtifact) -> str | None:
        """Why neither a run nor the job that uploaded the artifact is known to have succeeded.

        Raises:
            ArtifactError: GitHub did not answer, or its rate limit is reached.
        """
        reason = self._rules.unsuccessful(run)
        if reason is None or self._uploaded_well(listed, run):
            return None
        self._ended = self._ended and run.status == "completed"
        return reason

    def _looked_up(self, number: int) -> WorkflowRun | str:
        what = "a workflow run"
        try:
            reply = self._github.get(f"{self._github.base}/actions/runs/{number}", what)
            return self._github.read(WorkflowRun, reply, what)
        except ArtifactError as error:
            self.unknown = _told(error)
            return self.unknown

    def _uploaded_well(self, listed: ListedArtifact, run: WorkflowRun) -> bool:
        """Whether the jobs, of any attempt, that ran when it was uploaded succeeded."""
        made = listed.created_at
        conclusions = {job.conclusion for job in self._jobs(run.id) if made and job.covers(made)}
        return conclusions == {"success"}

    def _jobs(self, number: int) -> Iterator[_Job]:
        url: str | None = f"{self._github.base}/actions/runs/{number}/jobs?filter=all&per_page=100"
        what = "the jobs of a workflow run"
        for _ in range(_MAX_PAGES):
            if url is None:
                return
            try:
                reply = self._github.get(url, what)
                yield from self._github.read(_Jobs, reply, what).jobs
            except ArtifactError as error:
                _told(error)
                return
            url = self._github.following(url, reply)


def _told(error: ArtifactError) -> str:
    """The reason of a plain refusal; any other is raised, since a retry may help."""
    if isinstance(error, TransientArtifactError) or error.retry_after:
        raise error
    return f"its run could not be looked up: {error}"
