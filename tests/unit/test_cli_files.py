"""Opening a recipients file and finding out its encoding."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from mensatek_async.cli.files import open_input
from mensatek_async.cli.stop import Exit, Stop
from mensatek_async.sources.text_files import detect, opened_as, reason_of, shown


def _stopped(path: str) -> str:
    with pytest.raises(Stop) as stop, open_input(path):
        pass
    assert stop.value.code is Exit.WRONG_USE
    return stop.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A wrong name is the most common mistake."""
    assert "There is no file" in _stopped(str(tmp_path / "nobody.csv"))


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    """A directory is said to be one."""
    assert "is a directory" in _stopped(str(tmp_path))


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    """Nothing in it, nothing sent, and a word about it."""
    (tmp_path / "e.csv").touch()

    assert _stopped(str(tmp_path / "e.csv")).endswith("is empty.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """The system's own reason is passed on."""
    (tmp_path / "secret.csv").write_text("phone\n600000001\n")
    (tmp_path / "secret.csv").chmod(0)

    assert "Permission denied" in _stopped(str(tmp_path / "secret.csv"))


def test_a_name_no_system_takes_is_told() -> None:
    """A NUL in a name raises ValueError, not OSError."""
    assert "cannot be read" in _stopped("a\0b")


def test_an_unreadable_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the system says when it refuses is passed on."""

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    assert "cannot be read: Permission denied" in _stopped(str(tmp_path / "x.csv"))


class _Failing(io.RawIOBase):
    """A disk that fails."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise OSError(5, "Input/output error")

    def fileno(self) -> int:
        return 0


def test_a_disk_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk is no traceback."""
    monkeypatch.setattr("mensatek_async.cli.files.stat.S_ISREG", lambda mode: True)
    monkeypatch.setattr(Path, "open", lambda self, mode: _Failing())

    assert "Input/output error" in _stopped("any.csv")


def test_standard_input_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": _Failing()})())

    assert "Input/output error" in _stopped("-")


def test_standard_input_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes by a pipe is kept in a temporary file, since it is checked first and sent then."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"phone\n600000001\n")))

    with open_input("-") as handle:
        first = handle.read()
        handle.seek(0)
        assert handle.read() == first == b"phone\n600000001\n"


def test_a_named_pipe_is_read_twice(tmp_path: Path) -> None:
    """`<(command)` of a shell is a pipe with a name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"phone\n1\n",))
    writer.start()
    try:
        with open_input(str(pipe)) as handle:
            handle.read()
            handle.seek(0)
            assert handle.read() == b"phone\n1\n"
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
