"""Which column is the phone, and which columns the fields of a text are."""

from __future__ import annotations

import difflib
import re

from ..errors import InvalidRequest
from ..text.segments import nfc
from .headings import WEAK_WORDS, looks_like_phone, means_phone, plain
from .rows import BrokenRow, Table
from .text_files import shown

_MANY_DIGITS = 7  # that may be somebody's number


def phone_column(table: Table, phone: str | int | None) -> int:
    """Return the position of the phone's column, given by its heading or number from 1, or found by its heading."""
    if phone is None:
        return _guessed(table)
    wanted = str(phone)
    columns = _positions(table, wanted)
    columns = columns or [at for at, name in enumerate(table.columns) if plain(name) == plain(wanted) != ""]
    if len(columns) == 1:
        return columns[0]
    name = shown(wanted)
    if columns:
        numbers = " or ".join(f"phone={position + 1}" for position in columns)
        raise InvalidRequest(f"Several columns are called {name}; say which by its number: {numbers}.")
    missing = f"There is no column {name} for the phone.{_like(table, wanted)}"
    raise InvalidRequest(missing, advice=list_columns(table))


def field_column(table: Table, name: str, column: str | int | None = None) -> int:
    """Return the position of a field's column, given by its heading or number from 1, else called as the field."""
    wanted = str(name if column is None else column)
    columns = _positions(table, wanted)
    if len(columns) == 1:
        return columns[0]
    needed = f"The text needs {{{shown(name)}}}"
    if column is not None:
        needed = f"The text needs {{{shown(name)}}} from the column {shown(wanted)}"
    if columns:
        raise InvalidRequest(f"{needed} and several columns have that name. Rename one of them.")
    missing = f"{needed} and there is no such column.{_like(table, wanted)}"
    raise InvalidRequest(missing, advice=list_columns(table))


def list_columns(table: Table) -> str:
    """The columns as people should see them in a message."""
    if table.headless:
        return f"The file has no headings; its columns are called 1 to {len(table.columns)}."
    names = ", ".join(heading(name) for name in table.columns[:50] if name)
    more = ", ..." if len(table.columns) > 50 else ""
    return f"The columns are: {names}{more}."


def _guessed(table: Table) -> int:
    columns = [position for position, name in enumerate(table.columns) if means_phone(name)]
    if not columns:
        columns = [position for position, name in enumerate(table.columns) if plain(name) in WEAK_WORDS]
    if not columns and len(table.columns) == 1 and (table.headless or _holds_phones(table)):
        return 0
    if len(columns) == 1:
        return columns[0]
    if columns:
        names = ", ".join(f"{heading(table.columns[at])} (column {at + 1})" for at in columns)
        raise InvalidRequest(
            f"Several columns may hold the phone: {names}.",
            advice="Say which with phone=NAME or phone=NUMBER.",
        )
    raise InvalidRequest(
        "No column looks like the phone. Say which it is with phone=NAME.",
        advice=f"{list_columns(table)} If they are below a title: header_row=3.",
    )


def _holds_phones(table: Table) -> bool:
    """Whether the first row below an unusual heading of a one-column file is a phone."""
    first = next((item for item in table.rows() if not isinstance(item, BrokenRow)), None)
    return first is not None and looks_like_phone(first[1][0] or "")


def _positions(table: Table, name: str) -> list[int]:
    """Columns of that name, else those whose name differs only in upper and lower case, else that of the number."""
    name = nfc(name)
    columns = [nfc(column) for column in table.columns]
    exact = [position for position, column in enumerate(columns) if column == name]
    folded = [position for position, column in enumerate(columns) if column.casefold() == name.casefold()]
    is_number = name.isdecimal() and 1 <= int(name) <= len(columns)
    return exact or folded or ([int(name) - 1] if is_number else [])


def _like(table: Table, name: str) -> str:
    """ "Did you mean ...?", when one column differs in case, accents or a letter or two."""
    by_plain = {plain(column): column for column in reversed(table.columns) if column}
    close = difflib.get_close_matches(plain(name), by_plain, n=1, cutoff=0.75)
    return f" Did you mean {heading(by_plain[close[0]])}?" if close else ""


def heading(name: str) -> str:
    """A heading for a message; what holds a whole number is a row of data where headings should be."""
    digits = sum(letter.isdigit() for letter in name)
    return shown(re.sub(r"\d", "*", name) if digits >= _MANY_DIGITS else name, 40)
