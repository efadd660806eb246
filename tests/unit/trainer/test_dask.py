"""What training on a cluster needs from Dask without being promised it."""

from __future__ import annotations

import inspect
import logging
import sys

import pytest
from distributed import KilledWorker, Security, client

from forecast.errors import ConfigError
from tests.trainings import task
from trainer.engines import dask
from trainer.phases import _on_cluster


def test_a_closed_client_raises_distributed_client_ClosedClientError():  # noqa: N802 - its name
    assert vars(dask)["ClosedClientError"] is client.ClosedClientError
    assert "raise ClosedClientError" in inspect.getsource(client.Client)


def test_a_killed_worker_counts_distributed_KilledWorker_allowed_failures():  # noqa: N802
    error = KilledWorker("task", None, 3)  # type: ignore[arg-type]  # it is only shown
    assert dask._killed(task("a"), error).how == "killed its worker (4 in a row)"


def test_dask_logs_to_the_loggers_that_are_silenced():
    assert client.logger.name in dask.LOGGERS
    assert logging.getLogger(client.logger.name).parent.name in dask.LOGGERS


def test_certificates_are_in_distributed_Security_get_connection_args():  # noqa: N802
    assert Security().get_connection_args("client")["ssl_context"] is None


def test_without_dask_the_message_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "trainer.engines.dask")
    monkeypatch.delattr("trainer.engines.dask")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError) as raised:
        _on_cluster([], "tcp://127.0.0.1:8786")
    assert str(raised.value) == "--cluster needs Dask; pip install -r requirements/cluster.txt"
