"""From a file's rows to recipients: which column is the phone, which columns the text needs."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from attrs import frozen

from ..models.recipient import Recipient
from .csv_source import CsvSource
from .excel_source import ExcelSource
from .files import as_text, detect, lines_of, shown
from .json_source import JsonSource
from .rows import Broken, Source, looks_like_phone
from .selection import EVERY_ROW, Selection
from .stop import Stop

_PHONE_WORDS = frozenset(
    [
        "phone",
        "telefono",
        "telefonos",
        "telephone",
        "tel",
        "telf",
        "tlf",
        "tfno",
        "tfn",
        "tlfno",
        "telef",
        "movil",
        "moviles",
        "mobile",
        "celular",
        "cell",
        "cellphone",
        "mobilephone",
        "phonenumber",
        "mobilenumber",
        "msisdn",
        "gsm",
        "smartphone",
        "whatsapp",
    ]
)
_WEAK_WORDS = frozenset({"numero", "number", "num", "nro"})
_OTHER_PHONES = frozenset(
    ["fijo", "fija", "casa", "trabajo", "fax", "landline", "home", "work", "oficina", "centralita"]
)
_UNREADABLE = re.compile("[\0\ufffd]")
_SHEET_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_source(
    handle: BinaryIO, name: str, *, delimiter: str | None = None, sheet: str | None = None
) -> Source:
    """Tell by its content (and the name's ending) what kind of file it is.

    Args:
        handle: the file, open for reading bytes.
        name: how the user calls it.
        delimiter: what separates the cells of a CSV; None finds out.
        sheet: the name or number of a spreadsheet's sheet; None takes the first.

    Raises:
        Stop: it is no file of recipients, or holds none.
    """
    start = handle.read(8)
    handle.seek(0)
    if start.startswith(_ZIP):
        return ExcelSource(handle, sheet)
    if start == _OLE:
        raise Stop("This is an old .xls file or one with a password. Save it as .xlsx or as CSV.")
    if sheet is not None:
        raise Stop("--sheet is for Excel files.")
    encoding = detect(handle)
    with as_text(handle, encoding) as text:
        first = next((line for line in islice(lines_of(text), 100) if line.strip()), "").lstrip()
    if first.startswith("{") or name.lower().endswith((".jsonl", ".ndjson")):
        return JsonSource(handle, encoding)
    if first.startswith("[") and name.lower().endswith(".json"):
        raise Stop("This is one JSON array. Write one object a line (JSON Lines) instead.")
    return CsvSource(handle, encoding, delimiter)


@frozen
class Reading:
    """A source with its columns assigned; iterating gives each row as a recipient, or as broken.

    Attributes:
        source: where the rows come from.
        phone: the position of the phone's column.
        fields: the template's fields, each with the position of its column.
        rows: which rows are meant.
    """

    source: Source
    phone: int
    fields: tuple[tuple[str, int], ...] = ()
    rows: Selection = EVERY_ROW

    def __iter__(self) -> Iterator[Recipient | Broken]:
        everything = self.rows is EVERY_ROW
        for item in self.source.rows():
            if isinstance(item, Broken):
                if everything or item.row in self.rows:
                    yield item
            elif everything or item[0] in self.rows:
                yield self._recipient(*item)

    def _recipient(self, row: int, cells: Sequence[str | None]) -> Recipient | Broken:
        given = cells[self.phone]
        phone = given.strip() if given else ""
        if not phone:
            missing = (
                "the row ends before the phone" if given is None and any(cells) else "the phone is empty"
            )
            return Broken(row, missing)
        values: dict[str, object] = {}
        for name, position in self.fields:
            cell = cells[position]
            if cell is None:
                return Broken(row, f"it has no {shown(name, 40)}", phone)
            value = cell.strip()
            if value in _SHEET_ERRORS:
                return Broken(row, f"its {shown(name, 40)} is a spreadsheet error ({value})", phone)
            if _UNREADABLE.search(value):
                return Broken(row, f"its {shown(name, 40)} holds characters that cannot be read", phone)
            values[name] = value
        if _UNREADABLE.search(phone):
            return Broken(row, "its phone holds characters that cannot be read", phone)
        return Recipient(phone, values, row=row)

    @property
    def phone_column(self) -> str:
        """The heading of the phone's column."""
        return self.source.columns[self.phone]


def assign_columns(
    source: Source, fields: Sequence[str], phone: str | None = None, *, rows: Selection = EVERY_ROW
) -> Reading:
    """Find the phone's column and those the text's fields name.

    Args:
        source: the open file.
        fields: the names of the template's fields.
        phone: the phone's column as the user named it, or its number; None finds it by its heading.
        rows: which rows are meant.

    Raises:
        Stop: a column is missing, or several could be meant.
    """
    position = _named_phone(source, phone) if phone is not None else _found_phone(source)
    return Reading(source, position, tuple((name, _column(source, name)) for name in fields), rows)


def list_columns(source: Source) -> str:
    """The columns as people should see them in a message."""
    if source.headless:
        return f"The file has no headings; its columns are called 1 to {len(source.columns)}."
    names = ", ".join(shown(name, 40) for name in source.columns[:50] if name)
    more = ", ..." if len(source.columns) > 50 else ""
    return f"The columns are: {names}{more}."


def _named_phone(source: Source, phone: str) -> int:
    found = _positions(source, phone)
    if len(found) == 1:
        return found[0]
    if not found and phone.isdecimal() and 1 <= int(phone) <= len(source.columns):
        return int(phone) - 1
    if found:
        numbers = " or ".join(f"--phone {position + 1}" for position in found)
        raise Stop(f"Several columns are called {shown(phone)}; say which by its number: {numbers}.")
    raise Stop(
        f"There is no column {shown(phone)} for the phone.{_like(source, phone)}\n{list_columns(source)}"
    )


def _found_phone(source: Source) -> int:
    found = [position for position, name in enumerate(source.columns) if _means_phone(name)]
    if not found:
        found = [position for position, name in enumerate(source.columns) if plain(name) in _WEAK_WORDS]
    if not found and len(source.columns) == 1 and (source.headless or _holds_phones(source)):
        return 0
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(
            f"{shown(source.columns[position], 40)} (column {position + 1})" for position in found
        )
        raise Stop(
            f"Several columns may hold the phone: {names}.\nSay which with --phone NAME or --phone NUMBER."
        )
    raise Stop(f"No column looks like the phone. Say which it is with --phone NAME.\n{list_columns(source)}")


def _holds_phones(source: Source) -> bool:
    """Whether the first row below an unusual heading of a one-column file is a phone."""
    first = next((item for item in source.rows() if not isinstance(item, Broken)), None)
    return first is not None and looks_like_phone(first[1][0] or "")


def _means_phone(heading: str) -> bool:
    words = set(re.findall(r"[a-z]+", plain(heading, keep=" ")))
    if words & _OTHER_PHONES:
        return False
    return bool(words & _PHONE_WORDS) or plain(heading) in _PHONE_WORDS


def _column(source: Source, name: str) -> int:
    found = _positions(source, name)
    if len(found) == 1:
        return found[0]
    if not found and name.isdecimal() and 1 <= int(name) <= len(source.columns):
        return int(name) - 1
    if found:
        raise Stop(f"The text needs {{{name}}} and several columns have that name. Rename one of them.")
    raise Stop(
        f"The text needs {{{shown(name)}}} and there is no such column.{_like(source, name)}\n{list_columns(source)}"
    )


def _positions(source: Source, name: str) -> list[int]:
    """Columns of that name; when none is, those whose name differs only in upper and lower case."""
    exact = [position for position, column in enumerate(source.columns) if column == name]
    folded = name.casefold()
    return exact or [
        position for position, column in enumerate(source.columns) if column.casefold() == folded
    ]


def _like(source: Source, name: str) -> str:
    """ "Did you mean ...?", when one column differs in case, accents or a letter or two."""
    by_plain = {plain(column): column for column in reversed(source.columns) if column}
    close = difflib.get_close_matches(plain(name), by_plain, n=1, cutoff=0.75)
    return f" Did you mean {shown(by_plain[close[0]], 40)}?" if close else ""


def plain(text: str, *, keep: str = "") -> str:
    """Small letters and digits without accents; `keep` stands for whatever else there is."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", keep, letters)
