"""The other commands against the sandbox, and the command as a process."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from mensatek_async.sandbox import Fault, Sandbox
from tests.command_line import Command, started

pytestmark = pytest.mark.mensatek_sandbox(credits=Decimal("1234.5"))

SEND = ("send", "--yes", "--text", "Hola")


def test_credits(sandbox: Sandbox, command: Command) -> None:
    """For people and for programs."""
    assert command("credits").out == "1,234.5\n"
    assert command("credits", "--json").json == {"credits": 1234.5}


def test_refused_credentials(sandbox: Sandbox, command: Command) -> None:
    """Exit code 3, and the token is not shown."""
    sandbox.token = "another"
    code, _, err = command("credits")
    assert code == 3
    assert "refused -1" in err
    assert "demo-token" not in err


def test_send(sandbox: Sandbox, command: Command) -> None:
    """One text to two phones; of a phone that is named twice the provider refuses the second, and the code says so."""
    code, out, _ = command(*SEND, "600000001", "+34 600 00 00 02", "--sender", "ME", "--at", "ahora")
    assert code == 0
    assert "2 of 2 recipients accepted." in out
    assert "2 used, 1,232.5 left" in out
    assert sandbox.count("34600000001") == sandbox.count("34600000002") == 1
    assert {one.scheduled_at for one in sandbox.texts} == {None}

    answer = command(*SEND, "600000003", "600000003", "--json").json
    assert (answer["accepted"], answer["refused"], answer["exit_code"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "to whom"),
        (["12"], "too short"),
        (["600000001", "--text", " "], "empty"),
        (["600000001", "--at", "2001-01-01T10:00"], "passed"),
    ],
)
def test_send_checks_first(sandbox: Sandbox, command: Command, arguments: list[str], told: str) -> None:
    """Nothing leaves when something is wrong."""
    code, _, err = command(*(SEND[:2] if "--text" in arguments else SEND), *arguments)
    assert code == 2
    assert told in err
    assert not sandbox.requests


def test_send_with_a_lost_answer(sandbox: Sandbox, command: Command) -> None:
    """It may have been sent, and that is said."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS")
    code, _, err = command(*SEND, "600000001")
    assert code == 1
    assert "may or may not have been done" in err


# --- as a process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_ended(number: int) -> None:
    """It tells what to set, takes texts, loses the answers it is told to, and ends with 0."""
    with started("sandbox", "--port", "0", "--credits", "50", "--drop-every", "2") as process:
        assert process.stdout is not None
        assert "with 50 credits" in process.stdout.readline()
        process.stdout.readline()
        names = dict(process.stdout.readline().split()[1].split("=", 1) for _ in range(3))
        assert set(names) == {"MENSATEK_BASE_URL", "MENSATEK_API_USER", "MENSATEK_API_TOKEN"}
        with started("credits", env={**os.environ, **names}) as client:
            assert client.communicate(timeout=30)[0] == "50\n"
        process.send_signal(number)
        assert "has ended" in process.communicate(timeout=30)[1]
    assert process.returncode == 0


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_nobody_reading_stops_no_send(mensatek_sandbox: Sandbox, tmp_path: Path, closed: str) -> None:
    """`| head` stops reading, or the terminal is gone; the texts are sent, the code is right, nobody complains."""
    (tmp_path / "x.csv").write_text("tel\n600000001\n600000002\n")
    with started("bulk", str(tmp_path / "x.csv"), "--text", "x", "--yes") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        getattr(process, closed).close()
        shown = (process.stderr if closed == "stdout" else process.stdout).read()
        process.wait(timeout=30)

    assert process.returncode == 0
    assert "Traceback" not in shown
    assert "Exception" not in shown
    assert closed == "stdout" or "2 of 2 rows sent" in shown
    assert len(mensatek_sandbox.counts) == 2
