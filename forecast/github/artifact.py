"""A trusted artifact, and what its attestation says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SERVER = "https://github.com"


@dataclass(frozen=True)
class Provenance:
    """What a verified attestation says.

    Attributes:
        repository: as owner/name.
        workflow: the workflow's path in it.
        commit: of the workflow and of all that it checked out; 40 hexadecimal digits.
        run_id: the run that built the artifact.
    """

    repository: str
    workflow: str
    commit: str
    run_id: int

    @property
    def run_url(self) -> str:
        """The run's page."""
        return f"{SERVER}/{self.repository}/actions/runs/{self.run_id}"


@dataclass(frozen=True)
class Artifact:
    """A trusted artifact whose bytes have not been checked yet.

    ``provenance`` is what its verified attestation says; None if attestations are not verified.
    """

    id: int
    created_at: datetime
    digest: str
    size: int
    run_id: int
    head_sha: str
    provenance: Provenance | None = None
