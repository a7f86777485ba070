"""`mensatek outbox` against the sandbox: a worker, slices, single texts, signals, what goes wrong."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mensatek_async import Mensatek, SyncOutbox
from mensatek_async.sandbox import Fault, Sandbox
from tests.command_line import Command, started
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000, block_after=1_000_000)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `outbox.db` will lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def box(sandbox: Sandbox, folder: Path) -> Iterator[SyncOutbox]:
    """The program that puts: a key `k0` and so on for each phone."""
    with Mensatek(sender="ACME") as client, SyncOutbox(client, store="outbox.db") as opened:
        yield opened


@pytest.fixture
def put(box: SyncOutbox) -> Callable[[int], None]:
    """Puts so many texts."""

    def many(count: int) -> None:
        for number in range(count):
            box.put(f"k{number}", str(34_600_000_000 + number), "Su código es 4711")

    return many


# --- sending -----------------------------------------------------------------------------------------------


def test_drain_sends_what_is_there(sandbox: Sandbox, put: Callable[[int], None], command: Command) -> None:
    """Once: a second slice finds nothing. An empty place has nothing, and stays empty."""
    put(5)
    said = command("outbox", "drain", "--json")
    assert (said.code, said.json["sent"], said.json["queued"]) == (0, 5, 0)
    assert command("outbox", "drain").out == (
        "0 queued, 0 sending, 0 sent, 0 unknown, 0 failed, 0 expired, 0 cancelled.\n"
    )
    assert command("outbox", "drain", "--store", "other.db").code == 0
    assert not Path("other.db").exists()
    assert set(sandbox.counts.values()) == {1}


@pytest.mark.parametrize(
    ("fault", "state"), [(Fault.drop_after_accept(), "unknown"), (Fault.refuse(-3), "failed")]
)
def test_what_was_not_sent_makes_an_exit_code(
    sandbox: Sandbox, put: Callable[[int], None], command: Command, fault: Fault, state: str
) -> None:
    """The others are sent all the same."""
    put(3)
    sandbox.fault(fault, operation="EnviarSMS", times=1)
    said = command("outbox", "drain", "--json")
    assert (said.code, said.json["sent"], said.json[state]) == (1, 2, 1)


def test_a_refused_account_waits(
    sandbox: Sandbox, put: Callable[[int], None], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, with an exit code of its own, and one call is made; the right token goes on at once."""
    put(5)
    monkeypatch.setenv("MENSATEK_API_TOKEN", "another")
    for _ in range(3):
        said = command("outbox", "drain", "--budget", "0,5")
        assert said.code == 3
        assert "nothing is sent for" in said.err
        assert "token was refused" in said.err
    assert len(sandbox.requests) == 1
    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    assert command("outbox", "drain").code == 0
    assert len(sandbox.counts) == 5


def test_a_health_check_asks_what_waits_too_long(put: Callable[[int], None], command: Command) -> None:
    """Whether somebody sends, and not only whether the store answers."""
    assert command("outbox", "status", "--overdue", "0.1").code == 0
    put(2)
    assert command("outbox", "status", "--overdue", "60").code == 0
    time.sleep(0.2)
    said = command("outbox", "status", "--overdue", "0,1")
    assert (said.code, "2 could have been sent for 0.1 s" in said.out) == (1, True)
    command("outbox", "drain")
    assert command("outbox", "status", "--overdue", "0.1").code == 0


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_sends_what_comes_until_a_signal(
    sandbox: Sandbox, folder: Path, put: Callable[[int], None], number: signal.Signals
) -> None:
    """What is on its way lands first, and is shown; nothing else leaves."""
    with started("outbox", "run", "--concurrency", "2", "--json", env=environment(sandbox)) as process:
        assert process.stderr is not None
        assert "Ctrl-C ends it" in process.stderr.readline()
        put(5)
        wait_until(lambda: len(sandbox.texts) == 5)
        sandbox.fault(Fault.latency(0.7), operation="EnviarSMS", times=None)
        put(20)
        wait_until(lambda: len(sandbox.requests) > 5)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, "Stopping" in err) == (0, True), err
    items = [json.loads(line) for line in out.splitlines()]
    assert {item["state"] for item in items} == {"sent"}
    assert 5 < len(items) == len(sandbox.texts) < 20
    assert items[0]["phone"] == "346***00"
    assert "4711" not in out + err


@posix
def test_a_worker_says_what_had_no_answer(sandbox: Sandbox, folder: Path, put: Callable[[int], None]) -> None:
    """Longer than `Timeout.grace` is not waited."""
    sandbox.fault(Fault.latency(9), operation="EnviarSMS", times=None)
    put(1)
    with started("outbox", "run", env=environment(sandbox)) as process:
        wait_until(lambda: sandbox.texts)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    sandbox.clear_faults()

    assert (process.returncode, out.split()[:2]) == (1, ["unknown", "k0"]), err
    assert "Of 1 text on the way no answer came: unknown" in err


@posix
def test_an_interrupted_slice_says_what_is_left(
    sandbox: Sandbox, folder: Path, put: Callable[[int], None]
) -> None:
    """With the exit code of an interruption."""
    sandbox.fault(Fault.latency(0.5), operation="EnviarSMS", times=None)
    put(20)
    with started("outbox", "drain", "--concurrency", "1", env=environment(sandbox)) as process:
        wait_until(lambda: len(sandbox.texts) > 1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"{20 - len(sandbox.texts)} queued, 0 sending, {len(sandbox.texts)} sent, 0 unknown" in out


# --- single texts ------------------------------------------------------------------------------------------


def test_looking_needs_no_token_and_shows_no_phone(
    sandbox: Sandbox,
    box: SyncOutbox,
    put: Callable[[int], None],
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts, one text, or the newest in a state."""
    put(3)
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1)
    command("outbox", "drain")
    for name in ("MENSATEK_API_TOKEN", "MENSATEK_BASE_URL"):
        monkeypatch.delenv(name)

    assert command("outbox", "status").out.startswith("0 queued, 0 sending, 2 sent, 1 unknown, 0 failed")
    assert command("outbox", "status", "--json").json["sent"] == 2
    assert command("outbox", "status", "nothing").code == 2
    (lost,) = command("outbox", "list", "--state", "unknown", "--json").json["items"]
    assert (lost["state"], lost["phone"][:6]) == ("unknown", "346***")
    said = command("outbox", "status", lost["key"])
    assert (said.code, said.out.split()[:2]) == (1, ["unknown", lost["key"]])
    said = command("outbox", "list", "--limit", "2")
    assert [line.split()[1] for line in said.out.splitlines()] == ["k2", "k1"]
    assert "34600" not in said.out + said.err
    assert command("outbox", "list", "--state", "lost").code == 2
    monkeypatch.delenv("MENSATEK_API_USER")
    assert command("outbox", "status").code == 2
    assert command("outbox", "status", "--user", sandbox.user).code == 0


def test_cancelling_retrying_purging(sandbox: Sandbox, put: Callable[[int], None], command: Command) -> None:
    """What has left is not cancelled; what may have been sent is tried again only by name; what is purged is gone."""
    put(3)
    assert command("outbox", "cancel", "k0", "nothing").code == 2
    assert command("outbox", "cancel", "k0").out.startswith("cancelled  k0")
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1)
    assert command("outbox", "drain", "--concurrency", "1").code == 1
    assert command("outbox", "cancel", "k2", "--json").json["items"][0]["state"] == "sent"

    said = command("outbox", "retry", "k0", "k1")
    assert (said.code, "may have been sent: with --unknown" in said.err) == (2, True)
    assert command("outbox", "status", "k0").out.startswith("cancelled")  # none of them was tried
    assert command("outbox", "retry", "k2").code == 1  # it is sent
    assert command("outbox", "retry", "k0", "k1", "--unknown").code == 0
    assert command("outbox", "drain").code == 0
    assert sorted(sandbox.counts.values()) == [1, 1, 2]

    assert command("outbox", "purge").code == 2
    assert command("outbox", "purge", "--older-than", "30", "--json").json == {"purged": 0}
    assert command("outbox", "purge", "--older-than", "0,00000001").out == "Purged 3 texts.\n"
    assert command("outbox", "status", "k0").out.startswith("sent  k0  message")


def test_a_store_that_is_none(folder: Path, sandbox: Sandbox, command: Command) -> None:
    """A folder, or another file, which is not written over."""
    Path("letter.db").write_text("this is a letter, and no database" * 100)
    for store, code in ((folder, 2), ("letter.db", 1)):
        assert command("outbox", "run", "--store", store).code == code
        assert command("outbox", "status", "--store", store).code == code
    assert Path("letter.db").read_text().startswith("this is a letter")


def test_a_store_in_postgresql(sandbox: Sandbox, database: str, command: Command) -> None:
    """The same commands; its address, which may hold a password, is never printed."""
    address = database.replace("postgres@", "postgres:geheim@")
    with Mensatek(sender="ACME") as client, SyncOutbox(client, store=database) as box:
        box.put("k0", "600000000", "Hola")
    assert command("outbox", "drain", "--store", address).code == 0
    said = command("outbox", "status", "nothing", "--store", address)
    assert (said.code, "geheim" in said.out + said.err) == (2, False)
