"""A stand-in for Sigstore: certificate authority, both logs, and the trusted keys.

It signs like the real one, so that the real library can verify every signature: RFC 6962
(certificate timestamps, Merkle proofs), Fulcio's certificate profile, Rekor's entries of type
dsse 0.0.1 and its signed checkpoints.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.standins.github import OWNER_ID, REPOSITORY_ID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIGNED_AT = dt.datetime(2026, 11, 22, 3, 40, tzinfo=dt.UTC)
LIFETIME = dt.timedelta(minutes=10)  # of a signing certificate
BEGUN = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
ENDS = dt.datetime(2050, 1, 1, tzinfo=dt.UTC)
PREDICATE = "https://slsa.dev/provenance/v1"
STATEMENT = "application/vnd.in-toto+json"
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
FULCIO = "1.3.6.1.4.1.57264.1"


@dataclass(frozen=True)
class Build:
    """The certificate's claims about the run that requested it."""

    commit: str
    run_id: int
    repository: str = "owner/repo"
    workflow: str = ".github/workflows/upload_artifact.yml"
    ref: str = "refs/heads/main"
    issuer: str = "https://token.actions.githubusercontent.com"
    attempt: int = 1
    overrides: dict[int, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The workflow, as in the certificate's subject."""
        return f"https://github.com/{self.repository}/{self.workflow}@{self.ref}"

    def claims(self) -> dict[int, str]:
        """Fulcio's extensions, by the last number of their identifiers."""
        repository = f"https://github.com/{self.repository}"
        run = f"{repository}/actions/runs/{self.run_id}/attempts/{self.attempt}"
        return {
            8: self.issuer,
            9: self.identity,
            10: self.commit,
            11: "github-hosted",
            12: repository,
            13: self.commit,
            14: self.ref,
            15: str(REPOSITORY_ID),
            17: str(OWNER_ID),
            18: self.identity,
            19: self.commit,
            20: "schedule",
            21: run,
            22: "public",
            **self.overrides,
        }


class Sigstore:
    """An instance with its own keys."""

    def __init__(self) -> None:
        self._root_key = ec.generate_private_key(ec.SECP384R1())
        self._ca_key = ec.generate_private_key(ec.SECP384R1())
        self._ct_key = ec.generate_private_key(ec.SECP256R1())
        self._log_key = ec.generate_private_key(ec.SECP256R1())
        root_name, ca_name = _name("stand-in"), _name("stand-in-intermediate")
        self._root = _authority(root_name, root_name, self._root_key, self._root_key, 1)
        self._ca = _authority(ca_name, root_name, self._ca_key, self._root_key, 0)
        # A log with a single entry would need no proof.
        self._leaves = [b"an entry of somebody else", b"another"]

    def trusted_root(self) -> dict[str, Any]:
        """The content of trusted_root.json."""
        since = {"start": _stamp(BEGUN)}
        chain = [{"rawBytes": _b64(each.public_bytes(Encoding.DER))} for each in self._chain]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log("https://rekor.stand-in", self._log_key, since)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "stand-in", "commonName": "stand-in"},
                    "uri": "https://fulcio.stand-in",
                    "certChain": {"certificates": chain},
                    "validFor": since,
                }
            ],
            "ctlogs": [_log("https://ctfe.stand-in", self._ct_key, since)],
            "timestampAuthorities": [],
        }

    def write_trusted_root(self, path: Path) -> Path:
        """The same as a file."""
        path.write_text(json.dumps(self.trusted_root()), encoding="utf-8")
        return path

    def attest(
        self,
        digest: str,
        build: Build,
        *,
        predicate_type: str = PREDICATE,
        statement: bytes | None = None,
        payload_type: str = STATEMENT,
        signed_at: dt.datetime = SIGNED_AT,
        issued_at: dt.datetime | None = None,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> dict[str, Any]:
        """A bundle, as actions/attest makes it; the arguments after digest and build make faults.

        Args:
            digest: of what is attested, as ``sha256:...``.
            build: who attests.
            predicate_type: of the statement.
            statement: the whole statement, instead of the usual one.
            payload_type: of the envelope.
            signed_at: when the log accepted it.
            issued_at: when the certificate was issued; by default the same moment.
            signer: signs instead of the certified key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(key.public_key(), build, issued_at or signed_at)
        payload = statement or _statement(digest, build, predicate_type)
        pae = b"DSSEv1 %d %s %d %s" % (
            len(payload_type),
            payload_type.encode(),
            len(payload),
            payload,
        )
        signature = _sign(signer or key, pae)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _b64(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [self._entry(payload, signature, certificate, signed_at)],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": {
                "payload": _b64(payload),
                "payloadType": payload_type,
                "signatures": [{"sig": _b64(signature), "keyid": ""}],
            },
        }

    @property
    def _chain(self) -> list[x509.Certificate]:
        return [self._ca, self._root]

    # Certificates

    def _certificate(
        self, key: ec.EllipticCurvePublicKey, build: Build, issued_at: dt.datetime
    ) -> x509.Certificate:
        """A signing certificate, with the certificate log's timestamp in it."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._ca.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(issued_at)
            .not_valid_after(issued_at + LIFETIME)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(build.identity)]),
                critical=True,
            )
            .add_extension(_foreign(1, build.issuer.encode()), critical=False)
        )
        for number, value in build.claims().items():
            builder = builder.add_extension(
                _foreign(number, asn1.encode_der(value)), critical=False
            )
        before = builder.sign(self._ca_key, hashes.SHA384())
        promises = self._certificate_timestamp(before.tbs_certificate_bytes, issued_at)
        return builder.add_extension(
            x509.UnrecognizedExtension(SCT_LIST, asn1.encode_der(promises)), critical=False
        ).sign(self._ca_key, hashes.SHA384())

    def _certificate_timestamp(self, tbs: bytes, moment: dt.datetime) -> bytes:
        """A list of one timestamp of the certificate log, RFC 6962, section 3.3."""
        issuer = _key_id(self._ca_key)
        body = struct.pack("!BBQH", 0, 0, int(moment.timestamp() * 1000), 1)
        body += issuer + len(tbs).to_bytes(3, "big") + tbs + struct.pack("!H", 0)
        signature = _sign(self._ct_key, body)
        sct = struct.pack("!B32sQH", 0, _key_id(self._ct_key), int(moment.timestamp() * 1000), 0)
        sct += struct.pack("!BBH", 4, 3, len(signature)) + signature  # SHA-256, ECDSA
        return struct.pack("!HH", len(sct) + 2, len(sct)) + sct

    # The log of signatures

    def _entry(
        self, payload: bytes, signature: bytes, certificate: x509.Certificate, moment: dt.datetime
    ) -> dict[str, Any]:
        """An entry of the log, with its proof of inclusion."""
        pem = certificate.public_bytes(Encoding.PEM)
        body = _canonical(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": _hex(payload + signature)},
                    "payloadHash": {"algorithm": "sha256", "value": _hex(payload)},
                    "signatures": [{"signature": _b64(signature), "verifier": _b64(pem)}],
                },
            }
        )
        index = len(self._leaves)
        self._leaves.append(body)
        hashed = [hashlib.sha256(b"\0" + leaf).digest() for leaf in self._leaves]
        root, log_id = _tree(hashed), _key_id(self._log_key)
        integrated = int(moment.timestamp())
        promise = _canonical(
            {
                "body": _b64(body),
                "integratedTime": integrated,
                "logID": log_id.hex(),
                "logIndex": index,
            }
        )
        return {
            "logIndex": str(index),
            "logId": {"keyId": _b64(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(integrated),
            "inclusionPromise": {"signedEntryTimestamp": _b64(_sign(self._log_key, promise))},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": _b64(root),
                "treeSize": str(len(hashed)),
                "hashes": [_b64(each) for each in _path(index, hashed)],
                "checkpoint": {"envelope": self._checkpoint(root, len(hashed))},
            },
            "canonicalizedBody": _b64(body),
        }

    def _checkpoint(self, root: bytes, size: int) -> str:
        note = f"rekor.stand-in - 1\n{size}\n{_b64(root)}\n"
        signature = _key_id(self._log_key)[:4] + _sign(self._log_key, note.encode())
        return f"{note}\n\N{EM DASH} rekor.stand-in {_b64(signature)}\n"


def _statement(digest: str, build: Build, predicate_type: str) -> bytes:
    """The statement of GitHub's action about an artifact."""
    algorithm, _, value = digest.partition(":")
    repository = f"https://github.com/{build.repository}"
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "models.zip", "digest": {algorithm: value}}],
            "predicateType": predicate_type,
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                    "externalParameters": {
                        "workflow": {
                            "ref": build.ref,
                            "repository": repository,
                            "path": build.workflow,
                        }
                    },
                },
                "runDetails": {"metadata": {"invocationId": build.claims()[21]}},
            },
        }
    ).encode()


def _tree(hashed: Sequence[bytes]) -> bytes:
    """The root of a Merkle tree, RFC 6962, section 2.1."""
    if len(hashed) == 1:
        return hashed[0]
    half = _half(len(hashed))
    return hashlib.sha256(b"\1" + _tree(hashed[:half]) + _tree(hashed[half:])).digest()


def _path(index: int, hashed: Sequence[bytes]) -> list[bytes]:
    """The audit path of a leaf, RFC 6962, section 2.1.1."""
    if len(hashed) == 1:
        return []
    half = _half(len(hashed))
    if index < half:
        return [*_path(index, hashed[:half]), _tree(hashed[half:])]
    return [*_path(index - half, hashed[half:]), _tree(hashed[:half])]


def _half(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def _authority(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    depth: int,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGUN)
        .not_valid_after(ENDS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_usage(digital_signature=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA384())
    )


def _usage(*, digital_signature: bool) -> x509.KeyUsage:
    """Signing of anything, or only of certificates."""
    others = dict.fromkeys(
        [
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=not digital_signature,
        crl_sign=not digital_signature,
        **others,
    )


def _name(common: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "stand-in")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _foreign(number: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{FULCIO}.{number}"), value)


def _log(url: str, key: ec.EllipticCurvePrivateKey, since: dict[str, str]) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _b64(_public(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": since,
        },
        "logId": {"keyId": _b64(_key_id(key))},
    }


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _canonical(value: dict[str, Any]) -> bytes:
    """RFC 8785, only for plain values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _stamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
