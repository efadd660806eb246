"""What tests of attestations share: who attests, and the file that says whom to trust."""

from __future__ import annotations

import pytest

from tests.standins.sigstore import Sigstore


@pytest.fixture(scope="module")
def sigstore():
    return Sigstore()


@pytest.fixture
def root(sigstore, tmp_path):
    return sigstore.write_trusted_root(tmp_path / "trusted_root.json")
