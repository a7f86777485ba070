"""The command as a whole: options, help, missing extras, errors as one line."""

from __future__ import annotations

import builtins
import importlib
import io
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import mensatek_async.cli as cli
from mensatek_async._version import __version__
from mensatek_async.cli import app as application
from mensatek_async.cli.app import run
from mensatek_async.sandbox import Sandbox
from tests.command_line import Command, Terminal


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)


def test_what_help_tells_of_a_command_is_its_own_help() -> None:
    """The root names the commands without importing them, so it keeps a copy of what each says of itself."""
    for home, told in application._COMMANDS.items():
        module, _, name = home.partition(":")
        command = getattr(importlib.import_module(f"mensatek_async.cli.{module}"), name)
        if isinstance(command, FunctionType):
            assert (command.__doc__ or "").partition("\n")[0] == told


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """A bare name is a question; help has the commands and the exit codes. Wrong use is one line, and where to read
    on."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__
    for arguments in ([], ["--help"]):
        assert run(arguments) == 0
        shown = capsys.readouterr().out
        assert "Usage: mensatek" in shown
        assert all(command in shown for command in ("bulk", "credits", "sandbox", "send", "130"))
    assert run(["bulk", "--help"]) == 0
    assert "Spanish time" in " ".join(capsys.readouterr().out.replace("│", " ").split())
    for wrong in ("nonsense", "bulk", "bulk x.csv", "bulk x.csv --text x --concurrency many"):
        assert run(wrong.split()) == 2
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith("mensatek: ")
        assert second == "See: mensatek --help"


@pytest.mark.parametrize(
    ("arguments", "rare"),
    [
        (
            ["segments", "Hola"],
            "anyio httpx cattrs rich zipfile mensatek_async.client mensatek_async.cli.campaign",
        ),
        (["--help"], "httpx starlette uvicorn openpyxl cattrs"),
    ],
)
def test_a_short_command_imports_little(arguments: list[str], rare: str) -> None:
    """Help comes at once; counting a text needs neither the network's libraries nor the other commands."""
    code = f"import sys\nfrom mensatek_async.cli.app import run\nrun({arguments})\n"
    shown = python(f"{code}print(set({rare.split()}) & sys.modules.keys())")
    assert shown.stdout.splitlines()[-1] == "set()", shown.stderr


def test_segments_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Parts, units, and what becomes of the letters."""
    assert run(["segments", "Camión a 5 €"]) == 0
    assert capsys.readouterr().out == "1 text, GSM: 13 units used, 147 free.\nSent as their plain letter: ó\n"
    assert run(["segments", "--encoding-text", "gsm", "ç"]) == 0
    assert "Lost in GSM: ç" in capsys.readouterr().out
    assert run(["segments", "-5 grados 😀", "--json"]) == 0
    assert (
        '"segments": 1, "encoding": "unicode", "characters": 12, "remaining": 58' in capsys.readouterr().out
    )


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if these packages were not installed."""
    real = builtins.__import__

    def importing(name: str, *arguments: Any) -> Any:
        if name.split(".")[0] in names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments)

    for name in list(sys.modules):
        if name.startswith("mensatek_async.cli."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", importing)


@pytest.mark.parametrize("missing", ["cyclopts", "attrs"])
def test_without_the_extra_it_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pip install mensatek-async` alone installs the command without what it needs; a broken installation must not be
    taken for a missing extra."""
    monkeypatch.delattr(cli, "app")
    without(monkeypatch, missing)
    monkeypatch.setattr(sys, "argv", ["mensatek", "credits"])
    if missing == "attrs":
        with pytest.raises(ImportError):
            cli.main()
        return
    assert cli.main() == 2
    assert "mensatek-async[cli]" in capsys.readouterr().err


def test_without_the_sandbox_its_extra_is_named(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    """The message is the command that helps."""
    monkeypatch.setitem(sys.modules, "mensatek_async.sandbox", None)
    for words in (["credits", "--sandbox"], ["sandbox"]):
        code, _, err = command(*words)
        assert code == 2
        assert "mensatek-async[sandbox]" in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "must hold the token"),
        (b"two words", "must hold the token"),
        (b"\xff\xfe", "no text"),
        (b"s3cret\n", ""),
    ],
)
def test_a_token_file_holds_a_token(
    sandbox: Sandbox,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: bytes | None,
    said: str,
) -> None:
    """And nothing else but a line end; what stands in it is never shown."""
    monkeypatch.delenv("MENSATEK_API_TOKEN")
    sandbox.token = "s3cret"
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    code, _, err = command("credits", "--token-file", tmp_path / "token")
    assert code == (2 if said else 0)
    assert said in err


@pytest.mark.parametrize(("typed", "sent"), [("y", 1), ("Sí", 1), ("n", 0), ("", 0), ("\udcff", 0)])
def test_only_yes_is_yes(sandbox: Sandbox, command: Command, typed: str, sent: int) -> None:
    """Anything else, a stray byte, and the end of input sends nothing."""
    code, _, err = command("send", "600000001", "--text", "Hola", typed=f"{typed}\n" if typed else "")
    assert code == 1 - sent
    assert err.startswith("Send? [y/N] ")
    assert len(sandbox.counts) == sent


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_rows_checked_are_said_now_and_then(
    stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A million rows take a while."""
    monkeypatch.setattr("mensatek_async.cli.campaign.view.EVERY", 0)
    monkeypatch.setattr("sys.stderr", seen := stream())
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "x.csv").write_text("tel\n" + "".join(f"6000{number:05}\n" for number in range(2000)))
    assert run(["bulk", str(tmp_path / "x.csv"), "--text", "x", "--dry-run"]) == 0
    assert "2,000 rows checked" in seen.getvalue()


def test_an_old_terminal_shows_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An accent on a terminal without accents does not end the command."""
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "ascii"))
    assert run(["segments", "Muñoz ç"]) == 0
    assert b"alphabet: ? (U+00E7)" in raw.getvalue()
