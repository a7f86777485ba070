"""Files of recipients for tests: spreadsheets, also changed part by part, and what a source makes of a file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import BrokenRow
from mensatek_async.sources.batches import RecipientSource

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET = "xl/worksheets/sheet1.xml"
_TEXTS = "xl/sharedStrings.xml"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def read(source: RecipientSource, needed: Sequence[str] | None = None) -> list[Any]:
    """Phone and fields of each row, or why it is broken."""
    return [
        (row.row, row.reason) if isinstance(row, BrokenRow) else (row.row, row.phone, *row.fields.values())
        for row in source.rows(needed)
    ]


def book(path: Path, fill: Callable[[Any], None]) -> Path:
    """A workbook that is filled by a function."""
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.Workbook()
    fill(workbook)
    workbook.save(path)
    return path


def sheet(path: Path, *rows: list[Any], change: Callable[[Any], None] = lambda sheet: None) -> Path:
    """A workbook of one sheet."""

    def fill(workbook: Any) -> None:
        for row in rows:
            workbook.active.append(row)
        change(workbook.active)

    return book(path, fill)


def with_part(path: Path, name: str, content: Iterable[bytes] | Callable[[bytes], bytes]) -> Path:
    """The workbook with one part written anew, or changed."""
    with zipfile.ZipFile(path) as old:
        parts = {part: old.read(part) for part in old.namelist()}
    if callable(content):
        content = [content(parts[name])]
    parts.pop(name, None)
    types = parts["[Content_Types].xml"]
    if name == _TEXTS and b"sharedStrings" not in types:
        override = f'<Override PartName="/{name}" ContentType="{_KIND}"/></Types>'.encode()
        parts["[Content_Types].xml"] = types.replace(b"</Types>", override)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part, data in parts.items():
            new.writestr(part, data)
        with new.open(name, "w") as out:
            for piece in content:
                out.write(piece)
    return path


def sheet_of(rows: Iterable[str]) -> Iterable[bytes]:
    """The XML of a sheet with these rows."""
    yield f"<worksheet {MAIN}><sheetData>".encode()
    yield from (row.encode() for row in rows)
    yield b"</sheetData></worksheet>"
