"""The `mensatek` command as tests call it: in this process, or as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mensatek_async.cli.app import run

COMMAND = [sys.executable, "-c", "import sys; from mensatek_async.cli import main; sys.exit(main())"]


def started(*arguments: str, **settings: Any) -> subprocess.Popen[str]:
    """The command as a process of its own, whose streams are pipes unless the settings of `Popen` say otherwise."""
    pipe = subprocess.PIPE
    streams = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    given = {**streams, "env": environment, **settings}
    return subprocess.Popen([*COMMAND, *arguments], text=True, **given)


class Terminal(io.StringIO):
    """Somebody watches, or has typed."""

    def isatty(self) -> bool:
        return True


class Said(NamedTuple):
    """An exit code, and what was printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Command:
    """The command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path, typed: str | None = None, piped: bytes | None = None) -> Said:
        """Run it; on a terminal when something was typed there."""
        if typed is not None:
            self._monkeypatch.setattr("sys.stdin", Terminal(typed))
        if piped is not None:
            self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped)))
        self._capsys.readouterr()
        code = run([*map(str, arguments)])
        return Said(code, *self._capsys.readouterr())
