"""Which row of a file holds the headings: the first one, or one below a title."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_PHONE_WORDS = frozenset(
    re.findall(
        r"\w+",
        "phone telefono telefonos telephone tel telf tlf tfno tfn tlfno telef movil moviles mobile celular cell "
        "cellphone mobilephone phonenumber mobilenumber msisdn gsm smartphone whatsapp",
    )
)
WEAK_WORDS = frozenset({"numero", "number", "num", "nro"})
_OTHER_PHONES = frozenset(
    re.findall(r"\w+", "fijo fija casa trabajo fax landline home work oficina centralita")
)
_LETTERHEAD = 2  # rows with a sender's own phones
LOOKED_AT = 20  # rows among which the headings are looked for
_DATE = re.compile(r"\s*(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})(?:[ T].*|\s*)")


def heading_row(rows: Iterable[tuple[int, list[str]]], phone: str | int | None) -> int | None:
    """Return the number of the row that names the phone's column, of those a file begins with; None if none does.

    A row with a phone in it is not, nor any below such rows, which would be lost. A sender's own phones may be above
    it, with a blank row between.
    """
    rows = list(rows)
    if phone is not None and not str(phone).isdecimal() and (number := _search(rows, plain(str(phone)))):
        return number
    return _search(rows, None)


def _search(rows: list[tuple[int, list[str]]], wanted: str | None) -> int | None:
    alone = unsure = None
    phones = with_phones = last = 0
    widths: list[int] = []
    for number, cells in rows:
        filled = [cell for cell in cells if cell.strip()]
        if sum(width >= max(len(filled), 3) for width in widths) > 1:
            break  # what is above is a table, not a title
        if number > last + 1 and with_phones <= _LETTERHEAD:
            phones = with_phones = 0
        last = number
        if any(looks_like_phone(cell) and not _DATE.fullmatch(cell) for cell in filled):
            phones += len(filled)  # a sender's own phone is alone above the headings
            with_phones += 1
        elif phones > 1:
            pass  # below recipients
        elif any(means_phone(cell) if wanted is None else plain(cell) == wanted for cell in filled):
            if len(filled) > 1:
                return number
            alone = alone if phones or max(widths, default=0) > 1 else number
        elif wanted is None and len(filled) > 1 and any(plain(cell) in WEAK_WORDS for cell in filled):
            unsure = unsure or number
        widths.append(len(filled))
    return unsure or alone


def means_phone(heading: str) -> bool:
    """Whether a column of that name holds phones that can be texted."""
    words = set(re.findall(r"[a-z]+", plain(heading, keep=" ")))
    if words & _OTHER_PHONES:
        return False
    return bool(words & _PHONE_WORDS) or plain(heading) in _PHONE_WORDS


def looks_like_phone(text: str) -> bool:
    """Whether a cell is a phone rather than a heading: five digits or more, and no more than a letter or two."""
    text = unicodedata.normalize("NFKC", text)
    digits = sum(letter.isdigit() for letter in text)
    letters = sum(letter.isalpha() for letter in text)
    return digits >= 5 and letters <= 2


def plain(text: str, *, keep: str = "") -> str:
    """Small letters and digits without accents; `keep` replaces everything else."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", keep, letters)
