"""Finds a valid attestation among those that GitHub keeps for an artifact.

GitHub lists them with the address of each bundle in its blob store, compressed by
Snappy; until July 2026 the list itself contained them. Anyone with write access to the
repository can add attestations with any content, so invalid ones are skipped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from forecast.github.api import NOT_FOUND, GitHub, Schema
from forecast.github.provenance import AttestationError

if TYPE_CHECKING:
    from forecast.errors import ArtifactError
    from forecast.github.artifact import Artifact, Provenance
    from forecast.github.provenance import ProvenanceVerifier

ATTESTED_RIGHTS = "Actions: read and Attestations: read"  # what a token must allow

_MOST = 30  # attestations of one artifact
_MAX_BYTES = 1 << 20  # of a bundle, compressed or not; a usual one has 12 kB
_WHAT = "the artifact's attestations"


class _Entry(Schema):
    bundle: dict[str, Any] | None = None
    bundle_url: str | None = None


class _List(Schema):
    attestations: Annotated[list[_Entry], Field(max_length=_MOST)]


class Attestations:
    """Finds a valid attestation of an artifact.

    Args:
        github: The repository whose attestations count.
        verifier: Verifies one.
    """

    def __init__(self, github: GitHub, verifier: ProvenanceVerifier) -> None:
        self._github = github
        self._verifier = verifier

    def provenance(self, artifact: Artifact) -> Provenance:
        """Who built an artifact, by its first valid attestation.

        Raises:
            ArtifactError: There is none, or GitHub could not be asked.
        """
        listed = self._list(artifact)
        reasons = []
        for each in listed:
            try:
                return self._verifier.verify(self._bundle(each), artifact)
            except AttestationError as error:
                reasons.append(str(error))
        if not reasons:
            raise self._refusal(artifact, "GitHub has none")
        count = f"the first of {len(reasons)}" if len(reasons) > 1 else "the only one"
        raise self._refusal(artifact, f"{count} is not valid: {reasons[0]}")

    def _refusal(self, artifact: Artifact, reason: str) -> ArtifactError:
        return self._github.error(
            f"Artifact {artifact.id} of {self._github.repository} should have an attestation, "
            f"but {reason}; run the workflow again, or set verify_attestation = false in "
            "config.toml."
        )

    def _list(self, artifact: Artifact) -> list[_Entry]:
        url = (
            f"{self._github.base}/attestations/{artifact.digest}"
            f"?per_page={_MOST}&predicate_type=provenance"
        )
        reply = self._github.get_public(url, _WHAT, {NOT_FOUND})
        if reply.status == NOT_FOUND:
            return []
        return self._github.read(_List, reply, _WHAT).attestations

    def _bundle(self, listed: _Entry) -> bytes:
        """One bundle, in JSON."""
        if listed.bundle is not None:
            return json.dumps(listed.bundle).encode()
        if listed.bundle_url is None:
            raise AttestationError("GitHub lists it without its bundle")
        return decompressed(self._github.blob(listed.bundle_url, "an attestation", _MAX_BYTES))


def decompressed(blob: bytes) -> bytes:
    """A blob's content: plain JSON, or JSON compressed by Snappy.

    Raises:
        AttestationError: It is neither, or too large.
    """
    if blob.startswith(b"{"):
        return blob
    from cramjam import DecompressionError, snappy  # noqa: PLC0415 - few verify attestations

    try:
        if snappy.decompress_raw_len(blob) > _MAX_BYTES:
            raise AttestationError(f"it is larger than {_MAX_BYTES:,} bytes")
        return bytes(snappy.decompress_raw(blob))
    except DecompressionError:
        raise AttestationError("it is neither JSON nor compressed by Snappy") from None
