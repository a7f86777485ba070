"""The command as a whole: options, help, missing extras, errors as one line."""

from __future__ import annotations

import builtins
import importlib
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import mensatek_async.cli as cli
from mensatek_async import ConnectionFailed
from mensatek_async._version import __version__
from mensatek_async.cli import app as application
from mensatek_async.cli.account import AccountOptions, connect
from mensatek_async.cli.app import run
from mensatek_async.cli.output import Output, Stop


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit codes, and no code for running it."""
    assert run(["--help"]) == 0

    shown = capsys.readouterr().out
    for command in ("bulk", "credits", "sandbox", "segments", "send"):
        assert command in shown
    assert "130" in shown
    assert run(["bulk", "--help"]) == 0
    assert "Spanish time" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As every command does."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_no_command_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    """A bare name is a question."""
    assert run([]) == 0
    assert "Usage: mensatek" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["bulk"], ["bulk", "x.csv"], ["bulk", "x.csv", "--text", "x", "--concurrency", "many"]],
)
def test_wrong_use_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And where to read on."""
    assert run(arguments) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("mensatek: ")
    assert lines[1] == "See: mensatek --help"


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (Stop("no file."), 2, "mensatek: no file.\n"),
        (ConnectionFailed("no network."), 1, "mensatek: no network.\n"),
        (KeyboardInterrupt(), 130, "mensatek: interrupted; nothing was sent.\n"),
    ],
)
def test_errors_end_in_a_line_and_a_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    told: str,
) -> None:
    """Whatever is expected to go wrong shows no traceback."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise raised

    monkeypatch.setattr(application, "app", fail)

    assert run(["anything"]) == code
    assert capsys.readouterr().err == told


def test_what_help_tells_of_a_command_is_its_own_help() -> None:
    """The root names the commands without importing them, so it keeps a copy of what each says of itself."""
    for home, told in application._COMMANDS.items():
        module, _, name = home.partition(":")
        command = getattr(importlib.import_module(f"mensatek_async.cli.{module}"), name)
        if isinstance(command, FunctionType):
            assert (command.__doc__ or "").partition("\n")[0] == told


def test_a_short_command_imports_little() -> None:
    """Counting a text needs neither the network's libraries nor the terminal's, nor the other commands."""
    shown = python(
        "import sys\nfrom mensatek_async.cli.app import run\nrun(['segments', 'Hola'])\n"
        "print([name for name in ('anyio', 'httpx', 'cattrs', 'rich', 'zipfile',"
        " 'mensatek_async.client', 'mensatek_async.cli.campaign') if name in sys.modules])"
    )

    assert shown.stdout.splitlines()[-1] == "[]", shown.stderr


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


def test_main_runs_with_the_programs_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The entry point of the package."""
    monkeypatch.setattr(sys, "argv", ["mensatek", "segments", "x"])

    assert cli.main() == 0
    assert capsys.readouterr().out.startswith("1 text")


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


def test_without_the_extra_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pip install mensatek-async` alone installs the command without what it needs."""
    monkeypatch.delattr(cli, "app")
    without(monkeypatch, "cyclopts")

    assert cli.main() == 2
    assert "mensatek-async[cli]" in capsys.readouterr().err


def test_another_missing_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation must not be taken for a missing extra."""
    monkeypatch.delattr(cli, "app")
    without(monkeypatch, "attrs")
    monkeypatch.setattr(sys, "argv", ["mensatek", "credits"])

    with pytest.raises(ImportError):
        cli.main()


def test_without_the_sandbox_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the command that helps."""
    monkeypatch.setitem(sys.modules, "mensatek_async.sandbox", None)

    with (
        pytest.raises(Stop, match=r"mensatek-async\[sandbox\]"),
        connect(AccountOptions(sandbox=True), Output()),
    ):
        pass


def test_help_loads_neither_http_nor_sandbox() -> None:
    """Help comes at once."""
    code = (
        "import sys\nfrom mensatek_async.cli.app import run\nrun(['--help'])\n"
        "print([name for name in ('httpx', 'starlette', 'uvicorn', 'openpyxl', 'cattrs') if name in sys.modules])"
    )
    assert python(code).stdout.rstrip().endswith("[]")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        ("", "must hold the token"),
        ("two words", "must hold the token"),
        (b"\xff\xfe", "no text"),
    ],
)
def test_a_token_file_holds_a_token(tmp_path: Path, content: str | bytes | None, told: str) -> None:
    """And nothing else; what stands in it is never shown."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(Stop, match=told), connect(AccountOptions(user="u", token_file=str(path)), Output()):
        pass


def test_a_token_file_is_used(tmp_path: Path) -> None:
    """Its line end is no part of it, and the token is in no repr."""
    (tmp_path / "token").write_text("s3cret\n")

    with connect(AccountOptions(user="u", token_file=str(tmp_path / "token")), Output()) as connection:
        assert connection.account.token.reveal() == "s3cret"
        assert "s3cret" not in repr(connection)
