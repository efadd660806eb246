"""A worker of Dask that starts at once."""

from __future__ import annotations

import pytest

from tests.warm.python import WORKER, warm_python


@pytest.fixture(scope="package")
def warm_worker():
    """A ``python`` that has imported what a worker of Dask trains with."""
    with warm_python(*WORKER, PYTHONWARNINGS="error") as command:
        yield command
