"""Training on a real Dask scheduler and real workers, all on loopback."""

from __future__ import annotations

import importlib.metadata
import io
import logging
import shutil
import socket
import sys
from contextlib import closing
from typing import Any

import pytest
from dask import config

from forecast.errors import ClusterError, ConfigError
from tests.dask import PATIENCE, ROOT, Dask
from tests.trainings import obey, strictly, task
from trainer.engines import dask as cluster
from trainer.engines.dask import execute, facts, train_alike
from trainer.engines.dispatch import TASKS_PER_PROCESSOR


@pytest.fixture(scope="module")
def shared(tmp_path_factory, warm_worker):
    with Dask(tmp_path_factory.mktemp("dask"), warm_worker) as started:
        yield started


@pytest.fixture
def dask(shared):
    """A scheduler without workers; those of the test end with it."""
    yield shared
    shared.stop(*shared._processes[1:])
    shared.wait_for_workers(0)


def untouched():
    pytest.fail("a task was taken")
    yield


def refusal(address, **options):
    """The error that came before any task."""
    with pytest.raises((ClusterError, ConfigError)) as raised:
        list(execute(untouched(), address, **options))
    return raised.value


def test_a_worker_is_killed_and_nothing_is_lost(dask):
    victim, _ = dask.worker(), dask.worker()
    dask.wait_for_workers(2)
    tasks = [task(f"a{n}") for n in range(12)]
    taken, outcomes = [], {}
    handed = (taken.append(each) or each for each in tasks)
    for outcome in execute(handed, dask.address, train=strictly):
        outcomes[outcome.name] = outcome
        assert len(taken) - len(outcomes) <= 2 * TASKS_PER_PROCESSOR
        if len(outcomes) == 3:
            dask.stop(victim)
        if len(outcomes) == 8:
            kept = dask.ask(lambda dask_scheduler: len(dask_scheduler.tasks))
            assert kept <= 2 * TASKS_PER_PROCESSOR
    assert len(outcomes) == len(tasks)
    for each in map(strictly, tasks):
        assert outcomes[each.name].product.model == each.product.model
        assert outcomes[each.name].product.entry == each.product.entry


def test_a_task_that_kills_its_workers_costs_only_itself(dask):
    dask.worker("--nanny")
    before = dask.ask(lambda dask_scheduler: dask_scheduler.allowed_failures)
    dask.ask(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    try:
        tasks = map(task, ["a", "kill", "b", "c"])
        outcomes = execute(tasks, dask.address, train=obey, patience=PATIENCE)
        reasons = {outcome.name: outcome.reason for outcome in outcomes}
    finally:
        dask.ask(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 3))
    assert before == 3
    assert reasons.pop("kill").startswith(
        "training it killed its worker (1 in a row), and again while no other task was running; "
    )
    assert reasons.keys() == {"a", "b", "c"}
    assert all(reason.isdecimal() for reason in reasons.values())


def test_leaving_early_takes_the_tasks_back(dask):
    dask.worker()
    tasks = map(task, ["a", "sleep 1", "sleep 2"])
    outcomes: Any = execute(tasks, dask.address, train=obey, patience=PATIENCE)
    with closing(outcomes):
        assert next(outcomes).name == "a"
        assert dask.ask(lambda dask_scheduler: len(dask_scheduler.tasks)) > 0
    dask.wait_for(lambda dask_scheduler: not dask_scheduler.tasks)


def test_a_worker_that_differs_is_refused_before_a_task_is_taken(dask, tmp_path):
    information = tmp_path / "libraries" / "numpy-9.9.9.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Name: numpy\nVersion: 9.9.9\n", encoding="utf-8")
    for room in ("forecast", "trainer"):
        shutil.copytree(ROOT / room, tmp_path / room)
    with (tmp_path / "forecast" / "errors.py").open("a", encoding="utf-8") as file:
        file.write("# another commit\n")
    environment = {"PYTHONPATH": str(information.parent), "OPENBLAS_NUM_THREADS": "2"}
    dask.worker(cwd=tmp_path, python=sys.executable, **environment)
    error = str(refusal(dask.address, patience=PATIENCE))
    assert error.startswith("the worker tcp://127.0.0.1:")
    assert f"has numpy 9.9.9, not {importlib.metadata.version('numpy')}; the source" in error
    assert f"not {dict(facts())['the source with SHA-256']}; 2 BLAS threads, not 1" in error
    assert error.endswith(
        "start every worker in a checkout of this commit, with these requirements"
    )


def test_a_worker_without_the_project_is_refused(dask, tmp_path):
    # The environment of the tests has the project installed; this worker's does not.
    forget = "import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in str(f)]"
    (tmp_path / "sitecustomize.py").write_text(forget, encoding="utf-8")
    dask.worker(cwd=tmp_path, python=sys.executable, PYTHONPATH=str(tmp_path))
    error = str(refusal(dask.address, patience=PATIENCE))
    assert "cannot run it (" in error
    assert "No module named 'trainer'" in error
    assert error.endswith(
        "start every worker in a checkout of this commit, with these requirements"
    )


def test_a_worker_with_several_threads_is_refused(dask):
    dask.worker("--nthreads", "2")
    assert "has 2 threads; give it --nthreads 1" in str(refusal(dask.address, patience=PATIENCE))


def test_a_worker_that_comes_later_is_compared_too():
    others = tuple((name, "1.2.3" if name == "scipy" else value) for name, value in facts())
    with pytest.raises(
        ClusterError, match=r"a worker has scipy [\d.]+, not 1\.2\.3; .*start every"
    ):
        train_alike(obey, task("a"), others)


def test_a_scheduler_without_workers(dask):
    assert str(refusal(dask.address, patience=0.5)).startswith(
        "the scheduler has had no worker for 0.5 seconds; start every worker in a checkout"
    )


@pytest.fixture
def logged():
    """What Dask itself logs in this process."""
    log, logged = logging.getLogger("distributed.client"), io.StringIO()
    handler = logging.StreamHandler(logged)
    log.addHandler(handler)
    yield logged
    log.removeHandler(handler)


def test_a_scheduler_that_goes_away(tmp_path, logged, warm_worker):
    with Dask(tmp_path, warm_worker) as dask:
        dask.worker()
        outcomes = execute(
            map(task, ["a", "b", "sleep 1", "sleep 2"]), dask.address, train=obey, patience=PATIENCE
        )
        assert [next(outcomes).name, next(outcomes).name] == ["a", "b"]
        dask.stop(dask.scheduler)
        with pytest.raises(ClusterError, match="the Dask scheduler was lost .*; start it again"):
            next(outcomes)
    assert not logged.getvalue()


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        error = refusal(address)
    assert isinstance(error, ClusterError)
    assert str(error).startswith(f"--cluster {address}: expected a Dask scheduler there, and")


@pytest.mark.parametrize(
    "address",
    ["elsewhere", "http://127.0.0.1:8786", "tcp://127.0.0.1", "tcp://127.0.0.1:port"],
)
def test_an_address_that_is_none(address):
    error = refusal(address)
    assert isinstance(error, ConfigError)
    assert str(error) == f"--cluster {address}: expected tcp://host:port or tls://host:port"


def test_an_address_has_no_user():
    error = refusal("tcp://user:sesame@127.0.0.1:8786")
    assert isinstance(error, ConfigError)
    told = "--cluster tcp://127.0.0.1:8786: expected no user and no password, got one"
    assert str(error) == told


def test_certificates_that_are_not_there(tmp_path):
    address = "tls://127.0.0.1:8786"
    assert str(refusal(address)).startswith(f"--cluster {address}: expected certificates in DASK_")
    lost = {
        f"distributed.comm.tls.{key}": str(tmp_path / "lost.pem")
        for key in ("ca-file", "client.cert", "client.key")
    }
    with config.set(lost):
        error = refusal(address)
    assert isinstance(error, ConfigError)
    assert "cannot be used: [Errno 2] No such file" in str(error)
