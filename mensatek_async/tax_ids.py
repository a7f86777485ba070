"""Spanish tax ids: NIF, CIF and NIE, by their check character where python-stdnum is installed, else by form."""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any

from .errors import InvalidField

_separators = re.compile(r"[\s.\-/\u2010-\u2015]+")
_FORMS = re.compile(
    r"[0-9]{8}[A-Z]"  # NIF of a person
    r"|[XYZ][0-9]{7}[A-Z]"  # NIE
    r"|[KLM][0-9]{7}[A-Z]"  # NIF of minors, of Spaniards abroad, of foreigners without a NIE
    r"|[ABCDEFGHJNPQRSUVW][0-9]{7}[0-9A-J]"  # CIF
)


def check_tax_id(tax_id: str) -> str:
    """Return a Spanish tax id, written in any usual way, in capital letters and digits without a country in front.

    Its check character is looked at when the extra `es` is installed, else its form. An error does not show it.
    """
    plain = compact(tax_id).removeprefix("ES")
    if not _FORMS.fullmatch(plain):
        raise InvalidField(
            "The tax id is no NIF, CIF or NIE: eight digits and a letter, or a letter, seven digits and one more.",
            advice="For an id of another country give check=False.",
        )
    library = _library()
    if library is not None and not library.is_valid(plain):
        raise InvalidField(
            "The tax id has a wrong check character.",
            advice="Compare it with the document; for an id of another country give check=False.",
        )
    return plain


def compact(tax_id: str) -> str:
    """A tax id in capital letters, without spaces, dots and dashes."""
    return _separators.sub("", tax_id).upper()


@cache
def _library() -> Any:
    try:
        return importlib.import_module("stdnum.es.nif")
    except ModuleNotFoundError:
        return None
