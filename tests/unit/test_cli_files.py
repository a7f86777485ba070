"""Opening the file of recipients a command is given, and finding out its encoding."""

from __future__ import annotations

import io
import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from mensatek_async.cli.options import FileOptions
from mensatek_async.cli.output import Exit, Stop
from mensatek_async.cli.recipients import open_recipients, open_rows
from mensatek_async.sources.text_files import detect, opened_as, reason_of, shown


def _stopped(path: str, sheet: str | None = None) -> str:
    with pytest.raises(Stop) as stop, ExitStack() as stack:
        open_rows(open_recipients(path, FileOptions(sheet=sheet), stack), "Hola", stack)
    assert stop.value.code is Exit.WRONG_USE
    return stop.value.message


def test_a_file_that_is_none_ends_the_command(tmp_path: Path) -> None:
    """With what is wrong on one line and what to do on the next."""
    (tmp_path / "e.csv").touch()
    (tmp_path / "secret.csv").write_text("phone\n600000001\n")
    (tmp_path / "u.csv").write_bytes("nombre;tel\nAna;1\n".encode("utf-16-le"))

    assert "There is no file" in _stopped(str(tmp_path / "nobody.csv"))
    assert "is a directory" in _stopped(str(tmp_path))
    assert _stopped(str(tmp_path / "e.csv")).endswith("is empty.")
    assert "cannot be read" in _stopped("a\0b")
    assert "--sheet is for Excel" in _stopped(str(tmp_path / "secret.csv"), sheet="1")
    assert "mark.\nSave it as CSV UTF-8" in _stopped(str(tmp_path / "u.csv"))
    if os.geteuid():  # root may read everything
        (tmp_path / "secret.csv").chmod(0)
        assert "Permission denied" in _stopped(str(tmp_path / "secret.csv"))


class _Failing(io.RawIOBase):
    """A pipe that fails."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise OSError(5, "Input/output error")


def test_standard_input_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the system is no traceback."""
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": _Failing()})())

    assert "Input/output error" in _stopped("-")


def test_a_pipe_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes by a pipe, such as `<(command)` of a shell, is checked first and sent then: it is kept meanwhile."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = b"phone\n600000001\n"
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    try:
        for path in (str(pipe), "-"):
            with ExitStack() as stack:
                rows = open_rows(open_recipients(path, FileOptions(), stack), "Hola", stack)
                assert [row.phone for row in rows] == [row.phone for row in rows] == ["600000001"]
    finally:
        writer.join()


LONG = ("ascii only;600000001\n" * 70_000).encode()  # more than one block of reading


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"plain", "utf-8"),
        ("ñandú".encode(), "utf-8"),
        ("ñandú".encode("utf-8-sig"), "utf-8-sig"),
        ("ñandú".encode("utf-16"), "utf-16"),
        ("\ufeffñandú".encode("utf-16-be"), "utf-16"),
        ("\ufeffñandú".encode("utf-32-be"), "utf-32"),
        ("ñandú".encode("utf-32"), "utf-32"),
        ("ñandú".encode("cp1252"), "cp1252"),
        (LONG + "ñandú".encode("cp1252"), "cp1252"),
        (LONG + "ñandú".encode(), "utf-8"),
        (LONG[: (1 << 20) - 1] + "ñ".encode() + LONG, "utf-8"),
        ("José;Íñigo;Begoña;".encode() * 9 + b"\xf1", "utf-8"),
        (b"half a letter \xc3", "cp1252"),
    ],
)
def test_the_whole_file_tells_its_encoding(content: bytes, name: str) -> None:
    """A mark, else strict UTF-8 to the last byte, else Windows-1252; a damaged UTF-8 stays UTF-8."""
    assert detect(io.BytesIO(content)).name == name


def test_text_is_read_again_from_the_start() -> None:
    """Reading as text leaves the file open, for the next reading."""
    handle = io.BytesIO("\ufeffa\r\nb\rc\n".encode())
    encoding = detect(handle)

    for _ in range(2):
        with opened_as(handle, encoding) as text:
            assert list(text) == ["a\n", "b\n", "c\n"]


def test_a_reading_thrown_away_late_is_quiet() -> None:
    """Python may finish an abandoned reading after its file was closed."""
    handle = io.BytesIO(b"a")
    reading = opened_as(handle, detect(handle))
    reading.__enter__()
    handle.close()

    assert not reading.__exit__(None, None, None)


def test_names_are_shown_safely() -> None:
    """A heading may not move the cursor of a terminal or fill its screen."""
    assert shown("a\x1b[2Jb\nc") == "a?[2Jb?c"
    assert shown("x" * 200) == "x" * 77 + "..."


def test_reasons_are_short() -> None:
    """The system's words when it has some, else the error's."""
    assert reason_of(OSError(28, "No space left on device")) == "No space left on device"
    assert reason_of(ValueError("embedded null byte")) == "embedded null byte"
