"""What forecast.github.provenance takes from inside sigstore and cryptography."""

from __future__ import annotations

from cryptography.hazmat import asn1
from sigstore.models import TrustedRoot

from forecast.github.provenance import sigstore_root


def test_sigstore_still_ships_its_keys_in__store():
    assert isinstance(TrustedRoot.from_file(str(sigstore_root())), TrustedRoot)


def test_cryptography_still_decodes_der_in_hazmat_asn1():
    assert asn1.decode_der(str, b"\x0c\x03abc") == "abc"
