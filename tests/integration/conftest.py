"""Fixtures for tests of attestations: the signing Sigstore, and the file of trusted keys."""

from __future__ import annotations

import pytest

from tests.standins.sigstore import Sigstore


@pytest.fixture(scope="module")
def sigstore():
    return Sigstore()


@pytest.fixture
def root(sigstore, tmp_path):
    return sigstore.write_trusted_root(tmp_path / "trusted_root.json")
