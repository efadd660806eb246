"""Verifies an artifact's attestation, which says who built it, without network access.

An attestation is an in-toto statement in a Sigstore bundle. Sigstore's certificate
authority binds the key that signed it to a workflow run, for ten minutes; its log has
the signature and when it was made. Nothing is used before the library has checked
certificate, log and signature against Sigstore's root of trust.

sigstore is imported when an attestation is verified, since most runs verify none.
"""

from __future__ import annotations

import base64
import logging
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecast.errors import ArtifactError
from forecast.github.artifact import SERVER, Provenance
from forecast.text import clean, excerpt

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot
    from sigstore.verify.policy import VerificationPolicy

    from forecast.github.artifact import Artifact

# Its log lines about invalid bundles would repeat the error that the caller reports.
logging.getLogger("sigstore").setLevel(logging.CRITICAL)

ISSUER = "https://token.actions.githubusercontent.com"
PREDICATE = "https://slsa.dev/provenance/v1"
STATEMENT = "application/vnd.in-toto+json"

_TRUST_REPOSITORY = "https://tuf-repo-cdn.sigstore.dev"
_RUN_OID = "1.3.6.1.4.1.57264.1.21"  # Fulcio's "run invocation URI"
_LONGEST = 240  # characters of a reason


class AttestationError(ArtifactError):
    """An attestation is invalid, or of another artifact or run; the message is only the reason."""


class _Subject(BaseModel):
    model_config = ConfigDict(strict=True)

    digest: dict[str, str]


class _Statement(BaseModel):
    model_config = ConfigDict(strict=True)

    type: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    predicate_type: Annotated[str, Field(alias="predicateType")]
    subject: list[_Subject]


class ProvenanceVerifier:
    """Verifies that a workflow built an artifact.

    Args:
        repository: Whose workflow it must be, as owner/name.
        workflow: Its file name in .github/workflows.
        branch: The branch that it must have run on.
        repository_id: GitHub's number of the repository; None: any.
        owner_id: The same of its owner.
        trusted_root: A file with the keys to trust; None: Sigstore's own.
    """

    def __init__(
        self,
        *,
        repository: str,
        workflow: str,
        branch: str,
        repository_id: int | None = None,
        owner_id: int | None = None,
        trusted_root: Path | None = None,
    ) -> None:
        self._repository = repository
        self._workflow = f".github/workflows/{workflow}"
        self._ref = f"refs/heads/{branch}"
        self._repository_id, self._owner_id = repository_id, owner_id
        self._trusted_root = trusted_root

    def verify(self, attestation: bytes, artifact: Artifact) -> Provenance:
        """Verify an attestation, a Sigstore bundle in JSON.

        Raises:
            AttestationError: It does not prove that this workflow built the artifact from
                its commit, in its run.
        """
        kind, payload = self._signed(attestation, artifact)
        if kind != STATEMENT:
            raise AttestationError(f"it should hold {STATEMENT}, but holds {excerpt(kind)}")
        try:
            statement = _Statement.model_validate_json(payload)
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_url=False)[0]["loc"])) or "the whole"
            raise AttestationError(f"{excerpt(place)} in its statement is wrong") from None
        if statement.predicate_type != PREDICATE:
            came = excerpt(statement.predicate_type)
            raise AttestationError(f"it should state {PREDICATE}, but states {came}")
        digests = {f"sha256:{each.digest.get('sha256')}" for each in statement.subject}
        if artifact.digest not in digests:
            raise AttestationError(f"it is for other files than {artifact.digest}")
        return Provenance(self._repository, self._workflow, artifact.head_sha, artifact.run_id)

    def _signed(self, attestation: bytes, artifact: Artifact) -> tuple[str, bytes]:
        """Type and content of the signed statement, after verification."""
        from sigstore.models import Bundle  # noqa: PLC0415 - see above
        from sigstore.verify import Verifier  # noqa: PLC0415 - see above

        verifier = Verifier(trusted_root=self._root())
        policy = self._policy(artifact)
        try:
            return verifier.verify_dsse(Bundle.from_json(attestation), policy)
        except Exception as error:  # noqa: BLE001 - any failure makes it invalid
            reason = _reason(error)
        if _is_githubs_own(attestation):
            reason = (
                "it is signed by GitHub's own Sigstore, as those of private repositories are, "
                "which cannot be verified here"
            )
        raise AttestationError(reason)

    def _root(self) -> TrustedRoot:
        from sigstore.models import TrustedRoot  # noqa: PLC0415 - see above

        path = self._trusted_root or sigstore_root()
        try:
            return TrustedRoot.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library does not document which
            raise ArtifactError(
                f"Sigstore's keys cannot be read ({type(error).__name__}), without which no "
                "attestation can be verified: install requirements.txt again."
            ) from None

    def _policy(self, artifact: Artifact) -> VerificationPolicy:
        """The identity that the signing certificate must have."""
        from sigstore.verify import policy  # noqa: PLC0415 - see above

        repository = f"{SERVER}/{self._repository}"
        pinned: list[VerificationPolicy] = []
        if self._repository_id:
            pinned.append(policy.OIDCSourceRepositoryIdentifier(str(self._repository_id)))
        if self._owner_id:
            pinned.append(policy.OIDCSourceRepositoryOwnerIdentifier(str(self._owner_id)))
        return policy.AllOf(
            [
                policy.OIDCIssuerV2(ISSUER),
                policy.Identity(identity=f"{repository}/{self._workflow}@{self._ref}"),
                policy.OIDCSourceRepositoryURI(repository),
                policy.OIDCSourceRepositoryRef(self._ref),
                policy.OIDCSourceRepositoryDigest(artifact.head_sha),
                _Run(f"{repository}/actions/runs/{artifact.run_id}"),
                *pinned,
            ]
        )


class _Run:
    """A sigstore policy: the certificate is of this run, whichever attempt."""

    def __init__(self, url: str) -> None:
        self._url = url

    def verify(self, cert: Certificate) -> None:
        from cryptography import x509  # noqa: PLC0415 - see above
        from cryptography.hazmat import asn1  # noqa: PLC0415 - see above

        oid = x509.ObjectIdentifier(_RUN_OID)
        extension = cert.extensions.get_extension_for_oid(oid).value
        value = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
        came = asn1.decode_der(str, value)
        if not re.fullmatch(re.escape(self._url) + r"/attempts/[0-9]+", came):
            raise AttestationError(f"expected the run {self._url}, got {excerpt(came)}")


def sigstore_root() -> Path:
    """The keys of Sigstore's public instance that the library ships in its ``_store``.

    ``Verifier.production(offline=True)`` would copy them to the home folder, and trust
    whatever it found there.
    """
    place = resources.files("sigstore._store") / quote(_TRUST_REPOSITORY, safe="")
    return Path(str(place / "trusted_root.json"))


def _reason(error: Exception) -> str:
    """The library's reason, on one line."""
    from sigstore.errors import Error  # noqa: PLC0415 - see above

    if not isinstance(error, (Error, AttestationError)):
        return f"it is not a Sigstore bundle, or a broken one ({type(error).__name__})"
    return clean(str(error), _LONGEST)


def _is_githubs_own(attestation: bytes) -> bool:
    """Whether a refused attestation names GitHub's own certificate authority."""
    found = re.search(rb'"rawBytes"\s*:\s*"([A-Za-z0-9+/=]+)"', attestation)
    try:
        return found is not None and b"GitHub, Inc." in base64.b64decode(found[1])
    except ValueError:
        return False
