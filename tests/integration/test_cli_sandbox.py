"""`mensatek sandbox`: its flags, its password, and what it says when something is wrong."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Sandbox
from tests.command_line import Command
from tests.sandbox_calls import ANA, NO_TLS, calling


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The sandboxes that commands of this test ran, as they were while they ran."""
    found: list[dict[str, Any]] = []
    before = signal.getsignal(signal.SIGTERM)

    def look(self: Sandbox) -> None:
        answers = {
            password: httpx.get(
                f"{self.page_url}_sandbox/state", auth=("x", password), verify=NO_TLS
            ).status_code
            for password in ("wrong", "desde-fichero", "desde-entorno")
        }
        with calling(self) as call:
            call.send(ANA)
        state = httpx.get(f"{self.page_url}_sandbox/state", auth=("x", ""), verify=NO_TLS).json()
        found.append({"sandbox": self, "answers": answers, "state": state})
        raise KeyboardInterrupt

    monkeypatch.setattr(Sandbox, "wait", look)
    monkeypatch.setattr("mensatek_async.sandbox.page.access._WRONG_PASSWORD_SECONDS", 0.01)
    yield found
    signal.signal(signal.SIGTERM, before)


def test_every_flag_reaches_the_sandbox(seen: list[dict[str, Any]], tmp_path: Path, command: Command) -> None:
    """Clock, prices, faults, contracts, endings and the file; Ctrl-C ends it well."""
    flags = {
        "--state": str(tmp_path / "s.db"),
        "--time-scale": "60",
        "--delivery-seconds": "1.5",
        "--credits": "12.5",
        "--certified-price": "3",
        "--latency": "0.01",
        "--error-rate": "0.25",
        "--error-kind": "html",
        "--callback-url": "http://127.0.0.1:9/",
        "--allowed-host": "sandbox.test",
        "--drop-every": "3",
    }
    arguments = [part for flag in flags.items() for part in flag]
    said = command("sandbox", "--port", "0", "--contracts-wait", "--no-magic", *arguments)
    assert (said.code, said.err) == (0, "The sandbox has ended.\n")
    sandbox, state = seen[0]["sandbox"], seen[0]["state"]
    assert (sandbox.time_scale, sandbox.latency) == (60, 0.01)
    assert (sandbox.error_rate, sandbox.error_kind) == (0.25, "html")
    assert (state["credits"]["certified_price"], state["delivery_seconds"], state["magic"]) == ("3", 1.5, [])
    assert sandbox.contracts_by_themselves is False
    assert Sandbox(state=tmp_path / "s.db").credits == sandbox.credits


def test_a_password_is_made_up_for_others(seen: list[dict[str, Any]], command: Command) -> None:
    """It is printed, it opens the page, and it is another one each time."""
    made_up = []
    for _ in range(2):
        said = command("sandbox", "--port", "0", "--host", "0.0.0.0")
        found = re.search(r"password, with any user name: (\S{16,})", said.out)
        assert found
        made_up.append(found[1])
    assert set(seen[0]["answers"].values()) == {401}
    assert made_up[0] != made_up[1]


def test_a_password_comes_from_a_file_or_the_environment(
    seen: list[dict[str, Any]], command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file wins; neither is printed; on this machine alone they count too."""
    (tmp_path / "secret").write_text("desde-fichero\n", encoding="utf-8")
    monkeypatch.setenv("MENSATEK_SANDBOX_PASSWORD", "desde-entorno")
    first = command("sandbox", "--port", "0", "--host", "0.0.0.0")
    second = command("sandbox", "--port", "0", "--password-file", tmp_path / "secret")
    environment, file = (one["answers"] for one in seen)
    assert environment == {"wrong": 401, "desde-fichero": 401, "desde-entorno": 200}
    assert file == {"wrong": 401, "desde-fichero": 200, "desde-entorno": 401}
    assert "desde" not in first.out + first.err + second.out + second.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--error-kind", "fire"], "Invalid kind of error"),
        (["--reply-style", "klingon"], "Invalid reply style"),
        (["--error-rate", "2"], "error rate"),
        (["--time-scale", "0"], "time scale"),
        (["--state", "."], "cannot be kept"),
        (["--callback-url", "nowhere"], "http://"),
        (["--password-file", "nothing-here"], "password file"),
        (["--host", "no such host!"], "cannot listen"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    seen: list[dict[str, Any]], command: Command, arguments: list[str], told: str
) -> None:
    """Wrong use, and why."""
    code, _, error = command("sandbox", "--port", "0", *arguments)
    assert (code, told in error, len(error.strip().splitlines()), seen) == (2, True, 1, []), error


def test_a_file_in_use_is_said(seen: list[dict[str, Any]], command: Command, tmp_path: Path) -> None:
    """And a file of something else."""
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100, encoding="utf-8")
    with Sandbox(state=tmp_path / "s.db"):
        for name, told in (("s.db", "in use"), ("letter.txt", "not the state")):
            said = command("sandbox", "--port", "0", "--state", tmp_path / name)
            assert (said.code, told in said.err) == (2, True)


def test_a_trial_run_of_a_real_list_has_no_magic(tmp_path: Path, command: Command) -> None:
    """With --sandbox, customers whose numbers happen to end so are customers as all others."""
    people = tmp_path / "people.csv"
    people.write_text("phone\n600998503\n600999050\n600998000\n600000001\n", encoding="utf-8")
    said = command("bulk", people, "--text", "Hola", "--sender", "M", "--sandbox", "--json")
    assert (said.code, said.json["accepted"]) == (0, 4)
