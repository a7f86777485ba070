"""The outbox of the synchronous client: the same words without `await`, its worker's block, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import (
    AsyncMensatek,
    ConfigurationError,
    Mensatek,
    Outbox,
    OutboxConflict,
    OutboxNotFound,
    SyncOutbox,
)
from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import phones, wait_until
from tests.sync.child import child

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000)


def test_an_outbox_from_put_to_purge(sandbox: Sandbox, tmp_path: Path) -> None:
    """Put, worked, drained, looked at, cancelled, retried, purged."""
    file = tmp_path / "o.db"
    with Mensatek() as client, client.outbox(file) as outbox:
        assert isinstance(outbox, SyncOutbox)
        assert outbox.put("a", "600000001", "Hola", reference="42").state == "queued"
        with pytest.raises(OutboxConflict):
            outbox.put("a", "600000001", "Adios")
        with pytest.raises(OutboxNotFound):
            outbox.cancel("none")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(*outbox.statement("b", "600000002", "Hola", paramstyle="qmark"))
        assert outbox.drain(budget=10)["sent"] == 2
        with outbox.run(concurrency=2) as items:
            for number, phone in enumerate(phones(10)):
                outbox.put(f"k{number}", phone, "Hola")
            assert outbox.wait("k3", timeout=10).state == "sent"
            seen = {next(items).key for _ in range(10)}
        assert seen == {f"k{number}" for number in range(10)}
        assert outbox.get("none") is None
        assert len(outbox.list(state="sent")) == 12
        assert outbox.counts()["sent"] == 12
        assert outbox.put("c", "600000099", "Hola").state == "queued"
        assert outbox.cancel("c").state == "cancelled"
        assert outbox.retry("c").state == "queued"
        assert outbox.forget("600000099") == 1
        assert repr(outbox) == f"<SyncOutbox store={str(file)!r}>"
    assert sum(sandbox.counts.values()) == 12


def test_threads_put_while_a_worker_sends(sandbox: Sandbox, tmp_path: Path) -> None:
    """A request repeated by eight threads is one text."""
    with Mensatek() as client, SyncOutbox(client, tmp_path / "o.db") as outbox, outbox.run():

        def put() -> None:
            for number, phone in enumerate(phones(10)):
                outbox.put(f"k{number}", phone, "Hola")

        threads = [threading.Thread(target=put) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: outbox.counts()["sent"] == 10)
    assert set(sandbox.counts.values()) == {1}


PROGRAM = """
    from mensatek_async import SyncOutbox
    with Mensatek() as client, SyncOutbox(client, {store!r}) as outbox:
        for number, phone in enumerate(phones(100)):
            outbox.put(f"k{{number}}", phone, "Hola")
        with outbox.run(concurrency=2) as items:
            for item in items:
                tell(key=item.key)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_ctrl_c_lands_what_is_on_its_way(sandbox: Sandbox, tmp_path: Path) -> None:
    """Nothing is unknown afterwards, and the rest waits."""
    sandbox.fault(Fault.latency(0.2), operation="EnviarSMS", times=None)
    with child(PROGRAM.format(store=str(tmp_path / "o.db")), sandbox) as program:
        program.line()
        os.kill(program.process.pid, signal.SIGINT)
        code, errors = program.end()
    assert code != 0
    assert "KeyboardInterrupt" in errors
    with Mensatek() as client, SyncOutbox(client, tmp_path / "o.db") as outbox:
        counts = outbox.counts()
    assert counts["unknown"] == counts["sending"] == 0
    assert counts["sent"] == len(sandbox.counts) < 100


@pytest.mark.parametrize(("kind", "client"), [(Outbox, Mensatek), (SyncOutbox, AsyncMensatek)])
def test_the_other_client_is_told_which_outbox_is_its_own(kind: Any, client: Any) -> None:
    """Each says so when given the other's."""
    with pytest.raises(ConfigurationError, match="client is a"):
        kind(client(), "o.db")
