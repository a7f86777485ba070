"""The file of recipients a command is given, with the options that say how to read it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import BinaryIO

from ..errors import MensatekError
from ..sources.excel_table import ExcelTable
from ..sources.opening import open_table
from ..sources.reading import Reading
from ..sources.reading import assign_columns as assign
from ..sources.rows import Table
from .selection import EVERY_ROW, Selection
from .stop import Stop, stop_at


def open_source(
    handle: BinaryIO, name: str, *, delimiter: str | None = None, sheet: str | None = None
) -> Table:
    """Tell by its content (and the name's ending) what kind of file it is.

    Args:
        handle: the file, open for reading bytes.
        name: how the user calls it.
        delimiter: what separates the cells of a CSV; None finds out.
        sheet: the name or number of a spreadsheet's sheet; None takes the first.

    Raises:
        Stop: it is no file of recipients, or holds none.
    """
    warnings.filterwarnings("ignore", module="openpyxl")  # about styles and the like, which nobody sends
    try:
        table = open_table(handle, name, delimiter=delimiter, sheet=sheet)
    except MensatekError as error:
        raise stop_at(error) from None
    if sheet is not None and not isinstance(table, ExcelTable):
        raise Stop("--sheet is for Excel files.")
    return table


def assign_columns(
    source: Table, fields: Sequence[str], phone: str | None = None, *, rows: Selection = EVERY_ROW
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
    chosen = None if rows is EVERY_ROW else rows
    try:
        return assign(source, fields, phone, rows=chosen, say=_option)
    except MensatekError as error:
        raise stop_at(error) from None


def _option(name: str, value: str) -> str:
    return f"--{name} {value}"
