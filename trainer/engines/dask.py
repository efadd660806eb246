"""Training on many machines: a Dask scheduler hands the tasks to its workers.

Every machine has a checkout of the same commit and the same requirements, and in it

    python -m dask scheduler --no-dashboard
    python -m dask worker tcp://SCHEDULER:8786 --nworkers -1 --nthreads 1 --no-dashboard

``python -m`` puts the checkout on the path, -1 is a process per core, and the nanny of each
(Dask's default) gives it one BLAS thread and replaces it when it dies. Code is not sent: a
machine needs the requirements anyway, and its versions and source are compared with those
here, so that the bundle does not depend on where it was trained.

Anyone who can connect to the scheduler or a worker can run code there. Keep them in a private
network; both also serve status pages, on all interfaces unless they are started with
``--dashboard-address 127.0.0.1:0``. Or use ``tls://`` with your own certificate authority;
Dask reads its files on every side from these variables: DASK_DISTRIBUTED__COMM__TLS__CA_FILE,
..._TLS__SCHEDULER__CERT and __KEY, ..._TLS__WORKER__CERT and __KEY, and on this machine
..._TLS__CLIENT__CERT and __KEY.

Importing this module needs ``requirements/cluster.txt``.
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import platform
from concurrent.futures import CancelledError
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from distributed import Client, KilledWorker, Security
from distributed.client import ClosedClientError  # not public: test_dask.py holds its name
from threadpoolctl import threadpool_info

from forecast.errors import ClusterError, ConfigError
from trainer.engines.dispatch import TASKS_PER_PROCESSOR, Killed, dispatch
from trainer.engines.fingerprint import source_digest
from trainer.engines.task import train_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from trainer.engines.task import Outcome, Task

    Train = Callable[[Task], Outcome]
    Facts = tuple[tuple[str, str], ...]

CONNECT_SECONDS = 10.0
REPLY_SECONDS = 120.0  # for a question to a scheduler or worker, which may have to load NumPy
PATIENCE_SECONDS = 60.0  # without any worker
POLL_SECONDS = 2.0  # between two counts of the workers
LIBRARIES = [
    *("distributed", "holidays", "numpy", "pandas", "pmdarima", "scikit-learn", "scipy"),
    "statsmodels",
]
LOGGERS = ["distributed", "distributed.client"]
CERTIFICATES = "DASK_DISTRIBUTED__COMM__TLS__CA_FILE, __CLIENT__CERT and __CLIENT__KEY"
REMEDY = "start every worker in a checkout of this commit, with these requirements"


def execute(
    tasks: Iterable[Task],
    address: str,
    *,
    train: Train = train_package,
    patience: float = PATIENCE_SECONDS,
) -> Iterator[Outcome]:
    """Train the tasks on the scheduler's workers, yielding outcomes as they come.

    Workers may come and go. Dask gives the task of a lost worker to another one. A task
    that lost several workers (distributed.scheduler.allowed-failures) is retried once by
    itself, and then its outcome is the reason.

    Args:
        tasks: taken as there are workers for them.
        address: of the scheduler, ``tcp://host:port`` or ``tls://host:port``.
        train: what to run; the workers must be able to import it.
        patience: seconds to wait while there is no worker.

    Raises:
        ConfigError: if the address or its certificates cannot be used.
        ClusterError: if the scheduler cannot be reached or is lost, if there is no worker,
            or if one has other versions, source or threads than needed.
    """
    with _connected(address) as client:
        yield from dispatch(tasks, _Cluster(client, train, patience))


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    for name in LOGGERS:
        # They would log tracebacks of errors that are one sentence here.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _check_address(address)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False, name="trainer")
    except OSError as error:
        raise ClusterError(
            f"--cluster {address}: expected a Dask scheduler there, and asking for "
            f"{CONNECT_SECONDS:g} seconds gave: {error}; start one, or correct the address"
        ) from None
    with client:
        yield client


def _check_address(address: str) -> None:
    """Validate first: connecting to a bad address is slow to fail."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
    except ValueError:  # the port is not a number
        usable = False
    if not usable:
        raise ConfigError(f"--cluster {address}: expected tcp://host:port or tls://host:port")
    if "@" in parts.netloc:
        raise ConfigError(f"--cluster {address}: expected no user and no password, got one")
    try:
        if parts.scheme == "tls" and not Security().get_connection_args("client")["ssl_context"]:
            raise ConfigError(f"--cluster {address}: expected certificates in {CERTIFICATES}")
    except OSError as error:
        raise ConfigError(f"--cluster {address}: {CERTIFICATES} cannot be used: {error}") from None


class _Cluster:
    """The workers of a scheduler, whose number may change."""

    def __init__(self, client: Client, train: Train, patience: float) -> None:
        self._client = client
        self._train = train
        self._patience = patience
        self._expected = facts()
        self._executor = client.get_executor(pure=False)
        self._tasks: dict[Future[Outcome], Task] = {}
        self._done: SimpleQueue[Future[Outcome]] = SimpleQueue()
        self._workers = 0
        self._last_seen = self._next_poll = monotonic()
        self._wait_for_a_worker()
        self._compare()

    def has_room(self) -> bool:
        self._count_workers()
        return len(self._tasks) < self._workers * TASKS_PER_PROCESSOR

    def submit(self, task: Task) -> None:
        with self._scheduler():
            future = self._executor.submit(train_alike, self._train, task, self._expected)
        self._tasks[future] = task
        future.add_done_callback(self._done.put)

    def collect(self, *, wait: bool) -> Iterator[tuple[Task, Outcome | Killed]]:
        try:
            future = self._done.get(block=wait, timeout=POLL_SECONDS)
        except Empty:
            self._count_workers()
            return
        task = self._tasks.pop(future)
        with self._scheduler():
            error = future.exception()
        yield task, future.result() if error is None else _killed(task, error)

    def _wait_for_a_worker(self) -> None:
        self._count_workers()
        while not self._workers:
            sleep(0.1)
            self._next_poll = monotonic()
            self._count_workers()

    def _count_workers(self) -> None:
        """Count the workers every few seconds."""
        if (now := monotonic()) < self._next_poll:
            return
        with self._scheduler():
            threads = self._client.nthreads(callback_timeout=REPLY_SECONDS)
        for worker, count in threads.items():
            if count != 1:
                # One thread at a time can train, and threads share their warning filters.
                raise ClusterError(f"the worker {worker} has {count} threads; give it --nthreads 1")
        self._workers, self._next_poll = len(threads), now + POLL_SECONDS
        if threads:
            self._last_seen = now
        elif now - self._last_seen > self._patience:
            raise ClusterError(
                f"the scheduler has had no worker for {self._patience:g} seconds; {REMEDY}"
            )

    def _compare(self) -> None:
        with self._scheduler():
            found = self._client.run(
                differences, self._expected, on_error="return", callback_timeout=REPLY_SECONDS
            )
        for worker, difference in found.items():
            if isinstance(difference, Exception):
                what = f"{type(difference).__name__}: {difference}"
                raise ClusterError(f"the worker {worker} cannot run it ({what}); {REMEDY}")
            if difference:
                raise ClusterError(f"the worker {worker} {difference}; {REMEDY}")

    @contextmanager
    def _scheduler(self) -> Iterator[None]:
        try:
            yield
        except (OSError, CancelledError, ClosedClientError) as error:
            raise ClusterError(
                f"the Dask scheduler was lost ({type(error).__name__}); start it again, and "
                "run this again"
            ) from None


def _killed(task: Task, error: BaseException) -> Killed:
    if isinstance(error, ClusterError):
        raise error
    if not isinstance(error, KilledWorker):
        raise ClusterError(
            f"a worker could not run {task.name} ({type(error).__name__}: {error}); {REMEDY}"
        )
    return Killed(f"killed its worker ({error.allowed_failures + 1} in a row)")


def facts() -> Facts:
    """What a model depends on besides its task: Python, the libraries, this project's source."""
    versions = [(name, importlib.metadata.version(name)) for name in LIBRARIES]
    return (
        ("Python", platform.python_version()),
        *versions,
        ("the source with SHA-256", source_digest()[:12]),
    )


@functools.cache
def differences(expected: Facts) -> str:
    """Run on a worker: how it differs from what is expected; empty if it does not."""
    import pmdarima  # noqa: F401, PLC0415 - loads every BLAS that is used

    found = dict(facts())
    threads = max(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")
    wrong = [
        f"{name} {found[name]}, not {value}" for name, value in expected if found[name] != value
    ]
    wrong += [f"{threads} BLAS threads, not 1 (OPENBLAS_NUM_THREADS=1)"] if threads != 1 else []
    return f"has {'; '.join(wrong)}" if wrong else ""


def train_alike(train: Train, task: Task, expected: Facts) -> Outcome:
    """Run on a worker, which may have joined after the others were compared.

    Raises:
        ClusterError: if it differs from what is expected.
    """
    if difference := differences(expected):
        raise ClusterError(f"a worker {difference}; {REMEDY}")
    return train(task)
