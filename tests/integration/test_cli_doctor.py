"""`mensatek doctor`: what it asks, prints and returns, and what Ctrl-C leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mensatek_async import Guard
from mensatek_async.cli import account as accounts
from mensatek_async.doctor import doctor as module
from mensatek_async.sandbox import Fault, Sandbox
from tests.command_line import COMMAND, Command
from tests.integration.test_doctor import OWN, SENDS, told_of
from tests.sandbox_calls import wait_until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty calls come at once."""
    monkeypatch.setattr(module, "_APART", 0.0)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that deviates, as the command's account."""
    monkeypatch.setattr(accounts, "Guard", lambda **given: Guard(read_interval=0, **given))
    with Sandbox(delivery_seconds=0, keeps_repeats=False, json_bodies=False) as sandbox:
        told_of(sandbox, monkeypatch)
        yield sandbox


def test_the_command_prints_settings_that_make_it_content(
    account: Sandbox, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks with the cost, sends three texts at most, and ends with 1; with what it prints it ends with 0."""
    said = command("doctor", "--phone", OWN, "--price", "0,05", typed="y\n")
    assert (said.code, account.count(f"34{OWN}")) == (1, 2)
    assert "at most 3 texts to" in said.err
    assert "0.15 credits" in said.err
    assert "NO  grouping" in said.out
    assert "AsyncMensatek(request_format='form', assume_grouping=False)" in said.out
    assert not [secret for secret in (OWN, account.token) if secret in said.out + said.err]
    for line in said.out.splitlines():
        if "export " in line:
            monkeypatch.setenv(*line.strip().removeprefix("export ").split("="))
    told = command("doctor", "--phone", OWN, "--yes", "--json")
    assert (told.code, told.json["ok"], told.json["settings"]) == (0, True, {})
    assert [line.split(" (")[0] for line in told.json["texts"]] == [
        "Text 1 was sent",
        "Text 2 was sent",
        "Text 3 was scheduled",
    ]
    assert command("send", OWN, "--text", "Hola", "--yes").code == 0


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "told"),
    [
        (("--phone", OWN), "n\n", 1, "Nothing was sent."),
        (("--phone", OWN), None, 2, "--yes"),
        (("--phone", "12", "--yes"), None, 2, "too short"),
        (("--listen", "8080"), None, 2, "phone"),
        (("--phone", OWN, "--yes", "--listen", "99999"), None, 2, "65535"),
        (("--phone", OWN, "--sandbox", "--callback", "https://example.org/"), None, 2, "this machine"),
        (("--phone", OWN, "--yes", "--callback", "nowhere"), None, 2, "web address"),
    ],
    ids=["no", "nobody to ask", "no phone", "nothing to hear", "no port", "elsewhere", "no URL"],
)
def test_the_command_sends_nothing_unless_it_is_told_to(
    account: Sandbox, command: Command, arguments: tuple[str, ...], typed: str | None, code: int, told: str
) -> None:
    """A question that is not answered, and what cannot be."""
    said = command("doctor", *arguments, typed=typed)
    assert (said.code, told in said.out + said.err) == (code, True), said
    assert not account.calls(SENDS)


def test_ctrl_c_says_what_was_sent(account: Sandbox) -> None:
    """Interrupted while it moves text 3, the command cancels that, says what became of all three, and ends with 130."""
    account.fault(Fault.latency(1.0), operation="ReprogramarSMS", times=None)
    program = "from mensatek_async.doctor import doctor; doctor._APART = 0.0\n" + COMMAND[2]
    running = subprocess.Popen(
        [sys.executable, "-c", program, "doctor", "--phone", OWN, "--yes"],
        env={**os.environ, "MENSATEK_REQUEST_FORMAT": "form"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(account.calls(SENDS)) == 3)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, out + err
    assert "interrupted" in err
    assert [line.split(" (")[0] for line in out.splitlines() if line.startswith("Text ")] == [
        "Text 1 was sent",
        "Text 2 was sent",
        "Text 3 was scheduled",
    ]
    assert account.texts[-1].status == 29
    assert "Traceback" not in err


def test_without_a_phone_it_says_in_spanish_that_nothing_was_sent(account: Sandbox, command: Command) -> None:
    """One line in English among the others would be half a translation."""
    assert "No se ha enviado nada.\n" in command("doctor", "--lang", "es").out
