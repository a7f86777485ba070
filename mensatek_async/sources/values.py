"""Cells that are no text: how people would write them."""

from __future__ import annotations

import datetime
from decimal import Decimal


def as_text(value: object) -> str:
    """A cell as people see it; a phone kept as a number comes without its decimal point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%d/%m/%Y" if value.time() == datetime.time() else "%d/%m/%Y %H:%M")
    if isinstance(value, datetime.date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.strftime("%H:%M") if isinstance(value, datetime.time) else str(value)
