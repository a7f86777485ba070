"""Opens a file of recipients and finds out how its bytes are to be read. Nothing is held whole."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from attrs import frozen

from ..errors import InvalidFile

BLOCK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WRONG_BYTES = re.compile("[\udc80-\udcff]+")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LONGEST_LINE = 1 << 20
_CTRL_Z = "\x1a"


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading bytes; an `InvalidFile` says why that is not possible."""
    name = shown(str(path))
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise InvalidFile(f"There is no file {name}.") from None
    except IsADirectoryError:
        raise InvalidFile(f"{name} is a directory; a file of recipients is needed.") from None
    except (OSError, ValueError) as error:
        raise InvalidFile(f"{name} cannot be read: {reason_of(error)}.") from None


def is_zip(handle: BinaryIO) -> bool:
    """Whether it is a ZIP archive, as .xlsx files are; an old .xls file is refused."""
    start = handle.read(len(_OLE))
    handle.seek(0)
    if start == _OLE:
        raise InvalidFile("This is an old .xls file or one with a password. Save it as .xlsx or as CSV.")
    return start.startswith(b"PK\x03\x04")


def reason_of(error: OSError | ValueError) -> str:
    """Why the system refused, in its own short words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def shown(text: str, most: int = 80) -> str:
    """A name from outside, safe to print: no control characters, not endless."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= most else clean[: most - 3] + "..."


@frozen
class Encoding:
    """How bytes become text: Python's name of the codec, and how people call it."""

    name: str
    label: str


def detect(handle: BinaryIO) -> Encoding:
    """Tell the encoding from the whole file: its mark, else strict UTF-8, else Windows-1252.

    A file that is UTF-8 but for a few damaged bytes stays UTF-8: taken for Windows-1252, every accent of it would
    come out as two wrong letters. The damaged rows are found later by their replacement character.
    """
    handle.seek(0)
    start = handle.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return Encoding(name, name.removesuffix("-sig").upper())
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    handle.seek(0)
    letters = wrong = 0
    while block := handle.read(BLOCK):
        text = decoder.decode(block)
        if not text.isascii():
            letters += len(text) - len(text.encode("ascii", "ignore"))
            wrong += sum(map(len, _WRONG_BYTES.findall(text)))
    cut = len(decoder.decode(b"", final=True))
    if wrong + cut and letters <= 2 * wrong + cut:
        return Encoding("cp1252", "Windows-1252")
    return Encoding("utf-8", "UTF-8")


@contextmanager
def opened_as(handle: BinaryIO, encoding: Encoding) -> Iterator[TextIOWrapper]:
    """Read the file as text from its start; the file itself stays open."""
    handle.seek(0)
    text = TextIOWrapper(handle, encoding.name, errors="replace")
    try:
        yield text
    finally:
        with suppress(ValueError):  # closed already, when an unfinished reading is thrown away late
            text.detach()


def lines_of(text: TextIO) -> Iterator[str]:
    """The lines of a file; of one longer than any row is, the start.

    A Ctrl-Z alone in a line, or behind the last row, is the end of a DOS file.
    """
    while line := text.readline(LONGEST_LINE):
        rest = line if len(line) == LONGEST_LINE else ""
        while rest and not rest.endswith("\n"):
            rest = text.readline(LONGEST_LINE)
        if _CTRL_Z in line:
            if line.strip() == _CTRL_Z:
                return
            line = line.removesuffix(_CTRL_Z)
        yield line


def first_line(handle: BinaryIO, encoding: Encoding) -> str:
    """The first line that is not blank, without spaces before it; "" where the first hundred are."""
    with opened_as(handle, encoding) as text:
        return next((line for line in islice(lines_of(text), 100) if line.strip()), "").lstrip()
