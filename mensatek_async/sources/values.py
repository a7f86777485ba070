"""Cells that are no text: how people would write them."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal


def as_text(value: object) -> str:
    """A cell as people write it: a number without a decimal point it does not need, a list or object as JSON."""
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
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.strftime("%H:%M") if isinstance(value, datetime.time) else str(value)
