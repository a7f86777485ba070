"""Cells: how people write what is no text, and how a text is written into a CSV of ours."""

from __future__ import annotations

import datetime
import json
import math
import re
from decimal import Decimal

_FIRST = r"[\s\"'\u200b-\u200f\u2060\ufeff]*"  # what a spreadsheet may pass over before a formula
_FORMULA = re.compile(rf"(^|[;|])(?={_FIRST}[=@\uff1d\uff20+\-\uff0b\uff0d])(?!\+[\d\s()./-]+(?:$|[;|]))")
_CONTROL = re.compile(r"[\0-\x1f\x7f\x85\u2028\u2029]+")


def spreadsheet_cell(value: object) -> str:
    """A cell of a CSV of ours, which no spreadsheet takes for a formula, nor a part of it at a `;`.

    `=`, `+`, `-` and `@` get an apostrophe before them, except in a phone such as +34 600 000 001; tabs and line
    breaks become a space.
    """
    return _FORMULA.sub(r"\1'", _CONTROL.sub(" ", as_text(value)))


def as_text(value: object) -> str:
    """A cell as people write it: a number without a decimal point it does not need, a list or object as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number without end, which nobody means to read in a text")
        return (
            str(int(value)) if value.is_integer() else str(float(f"{value:.15g}"))
        )  # 0.3, as a sheet shows it
    if isinstance(value, datetime.datetime):
        return value.strftime("%d/%m/%Y" if value.time() == datetime.time() else "%d/%m/%Y %H:%M")
    if isinstance(value, datetime.date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, datetime.timedelta):
        seconds = round(abs(value.total_seconds()))
        sign = "-" if value < datetime.timedelta() else ""
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.strftime("%H:%M") if isinstance(value, datetime.time) else str(value)
