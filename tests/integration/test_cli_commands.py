"""The other commands against the sandbox, and the command as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from mensatek_async.cli.app import run
from mensatek_async.sandbox import Fault, Sandbox

pytestmark = pytest.mark.mensatek_sandbox(credits=Decimal("1234.5"))

COMMAND = [sys.executable, "-c", "import sys; from mensatek_async.cli import main; sys.exit(main())"]


def test_credits(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for programs."""
    assert run(["credits"]) == 0
    assert capsys.readouterr().out == "1,234.5\n"
    assert run(["credits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"credits": 1234.5}


def test_refused_credentials(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, and the token is not shown."""
    sandbox.token = "another"

    assert run(["credits"]) == 3
    shown = capsys.readouterr()
    assert "refused -1" in shown.err
    assert "demo-token" not in shown.err


def test_send(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """One text to two phones."""
    assert run(["send", "600000001", "+34 600 00 00 02", "--text", "Hola", "--sender", "ME", "--yes"]) == 0

    shown = capsys.readouterr().out
    assert "2 of 2 recipients accepted." in shown
    assert "2 used, 1,232.5 left" in shown
    assert sandbox.count("34600000001") == sandbox.count("34600000002") == 1


def test_send_to_the_same_phone_twice(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The provider refuses the second, and the exit code says that one was not sent."""
    assert run(["send", "600000001", "600000001", "--text", "Hola", "--yes", "--json"]) == 1

    answer = json.loads(capsys.readouterr().out)
    assert (answer["accepted"], answer["refused"], answer["exit_code"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--text", "x"], 2, "to whom"),
        (["12", "--text", "x"], 2, "too short"),
        (["600000001", "--text", " "], 2, "empty"),
        (["600000001", "--text", "x", "--at", "2001-01-01T10:00"], 2, "passed"),
    ],
)
def test_send_checks_first(
    sandbox: Sandbox, arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing leaves when something is wrong."""
    assert run(["send", *arguments, "--yes"]) == code
    assert told in capsys.readouterr().err
    assert not sandbox.requests


def test_send_with_a_lost_answer(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """It may have been sent, and that is said."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS")

    assert run(["send", "600000001", "--text", "x", "--yes"]) == 1
    assert "may or may not have been done" in capsys.readouterr().err


# --- as a process ------------------------------------------------------------------------------------------


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_ended(number: int) -> None:
    """It tells what to set, takes texts, loses the answers it is told to, and ends with 0."""
    with start("sandbox", "--port", "0", "--credits", "50", "--drop-every", "2") as process:
        assert process.stdout is not None
        assert "with 50 credits" in process.stdout.readline()
        process.stdout.readline()
        names = dict(process.stdout.readline().split()[1].split("=", 1) for _ in range(3))
        assert set(names) == {"MENSATEK_BASE_URL", "MENSATEK_API_USER", "MENSATEK_API_TOKEN"}
        with start("credits", **names) as client:
            assert client.communicate(timeout=30)[0] == "50\n"
        process.send_signal(number)
        assert "has ended" in process.communicate(timeout=30)[1]
    assert process.returncode == 0


def test_the_sandbox_in_this_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ended from elsewhere, it ends well; wrong settings are one line."""
    monkeypatch.setattr(Sandbox, "wait", lambda self: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run(["sandbox", "--port", "0", "--drop-every", "3"]) == 0
        assert "MENSATEK_BASE_URL=http://127.0.0.1:" in capsys.readouterr().out
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert run(["sandbox", "--reply-style", "klingon"]) == 2
        assert "Invalid reply style" in capsys.readouterr().err
        with Sandbox() as other:
            assert run(["sandbox", "--port", other.base_url.split(":")[2].split("/")[0]]) == 2
        assert "cannot listen" in capsys.readouterr().err

        def interrupted(self: Sandbox) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Sandbox, "wait", interrupted)
        assert run(["sandbox", "--port", "0"]) == 0
        assert "has ended" in capsys.readouterr().err
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_nobody_reading_stops_no_send(mensatek_sandbox: Sandbox, tmp_path: Path, closed: str) -> None:
    """`| head` stops reading, or the terminal is gone; the texts are sent, the code is right, nobody complains."""
    (tmp_path / "x.csv").write_text("tel\n600000001\n600000002\n")
    with start("bulk", str(tmp_path / "x.csv"), "--text", "x", "--yes") as process:
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
