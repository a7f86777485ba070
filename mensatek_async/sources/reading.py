"""From a table's rows to recipients."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from ..errors import InvalidRequest
from ..models.recipient import Recipient
from .columns import field_column, phone_column
from .rows import BrokenRow, Table
from .text_files import shown

_UNREADABLE = re.compile("[\0\ufffd\ud800-\udfff]")
_SHEET_ERRORS = frozenset(
    re.findall(
        r"\S+",
        "#N/A #REF! #VALUE! #NAME? #DIV/0! #NULL! #NUM! #SPILL! #CALC! #FIELD! "
        "#N/D #¡REF! #¡VALOR! #¿NOMBRE? #¡DIV/0! #¡NULO! #¡NUM! #¡DESBORDAMIENTO! #¡CALC!",
    )
)
_VARIABLE = re.compile(r"\s*variable_0*(?:[1-9]|10)\s*", re.IGNORECASE)  # sent along whatever the text says

Fields = Sequence[str] | Mapping[str, str | int] | None
"""The fields of each recipient: names of columns, or field by field its column; None for all other columns."""


Columns = tuple[tuple[str, int], ...]
"""Fields, each with the position of its column."""


@frozen
class ChosenRows:
    """Some rows of a file.

    Attributes:
        spans: the first row and the last of each part.
    """

    spans: tuple[tuple[int, float], ...]

    def __contains__(self, row: int) -> bool:
        return any(first <= row <= last for first, last in self.spans)

    def __str__(self) -> str:
        parts = (str(first) if first == last else f"{first}-{last}" for first, last in self.spans)
        return ",".join(parts).replace("inf", "")


@frozen
class Reading:
    """A table with its columns assigned; iterating gives each row as a recipient, or as broken.

    Attributes:
        source: where the rows come from.
        phone: the position of the phone's column.
        fields: the fields every recipient must have, each with the position of its column.
        extra: fields a recipient has when there is something to be read.
        rows: which rows are chosen; None is all.
    """

    source: Table
    phone: int
    fields: Columns = ()
    extra: Columns = ()
    rows: ChosenRows | None = None

    def __iter__(self) -> Iterator[Recipient | BrokenRow]:
        for item in self.source.rows():
            number = item.row if isinstance(item, BrokenRow) else item[0]
            if self.rows is None or number in self.rows:
                yield item if isinstance(item, BrokenRow) else self.recipient(*item)

    def recipient(self, row: int, cells: Sequence[str | None]) -> Recipient | BrokenRow:
        """What a row of cells becomes."""
        given = cells[self.phone]
        phone = given.strip() if given else ""
        if not phone:
            reason = self.source.no_phone if given is None and any(cells) else "the phone is empty"
            return BrokenRow(row, reason)
        values: dict[str, object] = {}
        for name, position in self.fields:
            cell = cells[position]
            if cell is None:
                return BrokenRow(row, f"it has no {shown(name, 40)}", phone)
            if problem := _problem(value := cell.strip()):
                return BrokenRow(row, f"its {shown(name, 40)} {problem}", phone)
            values[name] = value
        for name, position in self.extra:
            if (cell := cells[position]) is None:
                continue
            if not (problem := _problem(value := cell.strip())):
                values[name] = value
            elif self.source.exact and value not in _SHEET_ERRORS:
                return BrokenRow(row, f"its {shown(name, 40)} {problem}", phone)
        if problem := _problem(phone.strip()):
            return BrokenRow(row, f"its phone {problem}", phone)
        return Recipient(phone, values, row=row)

    @property
    def names(self) -> list[str]:
        """The names of the fields a recipient can have."""
        return [name for name, _ in (*self.fields, *self.extra)]

    @property
    def phone_column(self) -> str:
        """The heading of the phone's column."""
        return self.source.columns[self.phone]


def _problem(value: str) -> str:
    """Why a cell cannot be part of a text, or ""."""
    if value[:1] == "#" and value in _SHEET_ERRORS:
        return f"is a spreadsheet error ({value})"
    return "holds characters that cannot be read" if _UNREADABLE.search(value) else ""


def assign_columns(
    source: Table,
    needed: Sequence[str] | None,
    phone: str | int | None = None,
    *,
    fields: Fields = None,
    rows: ChosenRows | None = None,
) -> Reading:
    """Find the phone's column and those of the fields.

    Args:
        source: the open table.
        needed: the names of the text's fields; None when the text is not known.
        phone: the phone's column as the user named it, or its number; None finds it by its heading.
        fields: the fields that the user named; None is every other column.
        rows: which rows are chosen; None is all.
    """
    position = phone_column(source, phone)
    if fields is None:
        given = _others(source, position)
        if needed is None:
            return Reading(source, position, (), given, rows)
        wanted = tuple((name, field_column(source, name)) for name in needed)
    else:
        columns = fields if isinstance(fields, Mapping) else dict.fromkeys(fields)
        given = tuple((name, field_column(source, name, column)) for name, column in columns.items())
        if needed is None:
            return Reading(source, position, given, (), rows)
        wanted = tuple((name, _among(given, name)) for name in needed)
    taken = {name for name, _ in wanted}
    sent_along = tuple(one for one in given if one[0] not in taken and _VARIABLE.fullmatch(one[0]))
    return Reading(source, position, wanted, sent_along, rows)


def _others(source: Table, phone: int) -> Columns:
    """Every column but the phone's, and but those that share a name."""
    times = Counter(source.columns)
    return tuple(
        (name, at) for at, name in enumerate(source.columns) if name and at != phone and times[name] == 1
    )


def _among(given: Columns, name: str) -> int:
    """The column of a field that the user has given, by its name in any case."""
    folded = {each.casefold(): at for each, at in given}
    at = dict(given).get(name, folded.get(name.casefold()))
    if at is None:
        raise InvalidRequest(
            f"The text needs {{{shown(name)}}} and it is not among the fields.",
            advice=f"The fields are: {', '.join(shown(each, 40) for each, _ in given)}.",
        )
    return at


def checked_phone(phone: str | int | None) -> str | int | None:
    """Check how the user names the phone's column."""
    if phone is None or (isinstance(phone, str | int) and not isinstance(phone, bool) and phone):
        return phone
    raise InvalidRequest("phone is the heading of a column or its number from 1.")


def checked_fields(fields: Fields) -> Fields:
    """Check how the user names the fields, and keep a copy."""
    if fields is None:
        return None
    if isinstance(fields, Mapping):
        right = all(isinstance(column, str | int) for column in fields.values())
    else:
        right = isinstance(fields, Sequence) and not isinstance(fields, str | bytes)
    if not right or not all(isinstance(name, str) for name in fields):
        raise InvalidRequest("fields is a list of columns, or a mapping of field to column.")
    return dict(fields) if isinstance(fields, Mapping) else tuple(fields)
