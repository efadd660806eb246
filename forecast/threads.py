"""One BLAS thread per process; both programs set this before NumPy loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# The matrices have a few dozen rows. With several threads a product waits for all of them:
# 20 times slower as soon as the machine is busy.
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1"
)


def use_one_thread(environment: MutableMapping[str, str]) -> None:
    """Limit BLAS to one thread in this process and its children."""
    environment.update(ONE_THREAD)
