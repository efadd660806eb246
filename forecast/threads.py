"""One BLAS thread a process; both programs ask for it before NumPy loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# A matrix product of ours has a few dozen rows. Spread over threads it waits for them:
# 20 times slower as soon as the machine does anything else.
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1"
)


def use_one_thread(environment: MutableMapping[str, str]) -> None:
    """Give BLAS one thread in this process and its children."""
    environment.update(ONE_THREAD)
