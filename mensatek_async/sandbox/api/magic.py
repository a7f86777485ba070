"""Phones whose ending decides what becomes of the call that names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .faults import Fault, error_of_kind

_SENDS = frozenset({"EnviarSMS", "EnviarSMSCERTIFICADO"})
_PHONE = re.compile(r"\+?[0-9]{5,9}998([0-9]{3})")

ENDINGS = {
    "000": "lost",
    "001": "refused",
    "002": "credits",
    "429": "429",
    "500": "500",
    "503": "503",
    "900": "drop",
    "901": "cut",
    "902": "html",
}
"""What the last three digits after 998 do to a send, by the names of `ERROR_KINDS`."""


def fault_asked_for(operation: str, body: bytes, params: Callable[[], Mapping[str, Any]]) -> Fault | None:
    """The fault that a recipient of a send asks for by its ending: 998 and three digits.

    Args:
        operation: only sends know recipients.
        body: the request's, in any form.
        params: gives its parameters, decoded; asked only when the body may name such a phone.
    """
    if operation not in _SENDS or b"998" not in body:
        return None
    rows = {name.lower(): value for name, value in params().items()}.get("destinatarios")
    for row in rows if isinstance(rows, list) else ():
        values = row.values() if isinstance(row, dict) else ()
        for value in values:
            found = _PHONE.fullmatch(str(value))
            kind = ENDINGS.get(found.group(1)) if found else None
            if kind is not None:
                return error_of_kind(kind, operation)
    return None
