"""`mensatek webhooks listen`, as a process, with callbacks from the sandbox."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async import testing
from mensatek_async.cli.app import run
from mensatek_async.sandbox import Callbacks, Sandbox
from tests.command_line import COMMAND, started
from tests.sandbox_calls import NO_TLS


@contextmanager
def listening(*arguments: str, **settings: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command with a free port; gives the process and its URL."""
    terminal = {"PYTHONUNBUFFERED": "1", "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    command = ("webhooks", "listen", "--port", "0", *arguments)
    with started(*command, env={**os.environ, **terminal}, **settings) as process:
        assert process.stderr is not None
        (url,) = re.findall(r"http://\S+/", process.stderr.readline())
        try:
            yield process, url
        finally:
            process.kill()


def end(process: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return out, err


def post_three(url: str, **door: str) -> None:
    with Sandbox() as sandbox:
        callbacks = sandbox.call_back(Callbacks(url, retries=0, duplicates=1.0, **door))
        callbacks.receive("34600000001", "Sí,\x1b[2J mañana")
        assert callbacks.wait(20)
        assert not callbacks.lost
    payload = testing.delivery_report(status=50, reference="cita 7")
    with httpx.Client(verify=NO_TLS, auth=(door["username"], door["password"]) if door else None) as http:
        query = {"token": door["token"]} if door else {}
        answer = http.post(
            url, params=query, content=payload.body, headers={"Content-Type": payload.content_type}
        )
        assert answer.status_code == 200
        assert http.post(url, params=query, content=b"secreto").status_code == 400


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_lines_for_people(number: int) -> None:
    """One line an event, repetitions too; what was not taken is told on standard error."""
    with listening() as (process, url):
        post_three(url)
        out, err = end(process, number)

    lines = out.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("message  34600000001  Sí, [2J mañana")
    assert re.search(r"report  34600000000  50 .+  10573758  cita 7$", lines[2])
    assert "not taken: 400" in err
    assert "secreto" not in err
    assert "3 events came." in err


def test_lines_for_programs(tmp_path: Path) -> None:
    """One JSON object a line, behind the credentials that were asked for."""
    for name, secret in (("password", "contraseña\n"), ("token", "s3cr3t")):
        (tmp_path / name).write_text(secret, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    door = ["--username", "u", "--password-file", f"{tmp_path}/password", "--token-file", f"{tmp_path}/token"]
    with listening("--json", *door) as (process, url):
        stranger = httpx.post(url, content=b"{}", verify=NO_TLS)
        post_three(url, username="u", password="contraseña", token="s3cr3t")
        out, err = end(process)

    told = [json.loads(line) for line in out.splitlines()]
    kinds = [(one["event"], one["service"]) for one in told]
    assert kinds == [*[("IncomingMessage", "SMSRECIBIDO")] * 2, ("DeliveryReport", "SMSMASIVO")]
    assert (told[2]["status"], told[2]["phase"], told[2]["reference"]) == (50, "failed", "cita 7")
    assert told[0]["received_at"].endswith(("+01:00", "+02:00"))
    assert stranger.status_code == 401
    assert "not taken: 401" in err


def test_a_table_for_people_who_watch() -> None:
    """On a terminal the events stand in a table."""
    ours, theirs = pty.openpty()
    with listening(stdout=theirs) as (process, url):
        os.close(theirs)
        post_three(url)
        process.send_signal(signal.SIGINT)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # the other side has gone
            pass
        os.close(ours)
        assert process.wait(30) == 0

    text = shown.decode()
    assert "Came at" in text
    assert "cita 7" in text
    assert "\x1b[2J" not in text


def test_a_sandbox_that_posts_to_a_listener() -> None:
    """Two terminals show the whole way of a text, without an account."""
    with listening("--json") as (process, url):
        with started("sandbox", "--port", "0", "--callbacks", url) as sandbox:
            assert sandbox.stdout is not None
            lines = [sandbox.stdout.readline() for _ in range(5)]
            names = dict(line.split()[1].split("=", 1) for line in lines[2:])
            send = [*COMMAND, "send", "600000000", "--text", "Hola", "--yes"]
            subprocess.run(send, env={**os.environ, **names}, check=True, capture_output=True)
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            sandbox.send_signal(signal.SIGINT)
        end(process)

    assert (told["event"], told["phone"], told["status"]) == ("DeliveryReport", "34600000000", 2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("webhooks listen --host 0.0.0.0", "would take callbacks from anybody"),
        ("webhooks listen --username u", "--username goes with --password-file"),
        ("webhooks listen --password-file nothing", "password file nothing cannot be read"),
        ("webhooks listen --port 99999", "no such port"),
        ("webhooks listen --port -1", "no such port"),
        ("webhooks listen --host 192.0.2.1 --allow-unauthenticated", "Nothing can listen at 192.0.2.1"),
        ("webhooks listen --port TAKEN", "Nothing can listen at 127.0.0.1"),
        ("sandbox --port 99999", "no such port"),
        ("sandbox --port 0 --callbacks nowhere", "http://"),
    ],
)
def test_wrong_use(arguments: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a line that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(arguments.replace("TAKEN", str(taken.getsockname()[1])).split()) == 2
    assert told in capsys.readouterr().err
