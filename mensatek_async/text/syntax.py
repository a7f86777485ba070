"""What the provider takes for an element or a placeholder in a text, however it is disguised."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

ELEMENTS = ("FILE", "BASE64", "IMG", "LINK", "SMSLAND", "QRCODE", "DATAMATRIX", "PDF417", "TICKET")
PHONE = "Movil"
MAX_VARIABLES = 10
VARIABLES = tuple(f"Variable_{number}" for number in range(1, MAX_VARIABLES + 1))

element = re.compile(rf"\(\s*(?:{'|'.join(ELEMENTS)})\s*:", re.IGNORECASE)
_placeholder = re.compile(rf"\(\s*(?:Variable_\d+|{PHONE})\s*\)", re.IGNORECASE)
_half_placeholder = re.compile(r"variable_\d*\s*")
# Every character that compatibility forms write as a lone opening parenthesis.
opening = re.compile("[(⁽₍︵﹙（]")
_controls = dict.fromkeys(c for c in range(0x20) if not chr(c).isspace()) | {0x7F: None}


_head = re.compile(r"\(\s*(\w+)\s*:\s*(?:[0-2]\s*:)?", re.ASCII)
_parenthesis = re.compile(r"[()]")
_document = re.compile(
    r"(\(\s*BASE64\s*:\s*(?:[0-2]\s*:)?\s*[A-Za-z0-9+/=]{16})[A-Za-z0-9+/=\s]+(?=\))", re.IGNORECASE
)
# What a phone shows for an element. How long the provider's own short links are is not documented.
_SHORT_LINK = "https://short.example/a1B2c3D4"


class Element(NamedTuple):
    """A message element of a text: its kind in capitals, its content, start and end."""

    kind: str
    content: str
    start: int
    end: int


class Found(NamedTuple):
    """How many elements and placeholders a text holds."""

    elements: int
    placeholders: int


def has_elements(text: str) -> bool:
    """Whether `text` holds a message element, such as "(LINK:2:https://example.com)"."""
    return "(" in text and element.search(text) is not None


def elements_in(text: str) -> Iterator[Element]:
    """The message elements of a text, in order; one whose parenthesis is never closed is none."""
    end = 0
    for match in element.finditer(text) if "(" in text else ():
        head = _head.match(text, match.start())
        if head is None or match.start() < end:
            continue
        depth = 1
        for parenthesis in _parenthesis.finditer(text, head.end()):
            depth += 1 if parenthesis[0] == "(" else -1
            if not depth:
                end = parenthesis.end()
                yield Element(head[1].upper(), text[head.end() : parenthesis.start()], match.start(), end)
                break


def without_documents(text: str) -> str:
    """The text with only the beginning of each document it carries: all that counting and checking need.

    A contract of ten megabytes would otherwise be gone through again for every recipient.
    """
    return _document.sub(r"\1", text) if "(" in text else text


def shortened(text: str) -> str:
    """The text with a short link for every element, about as long as a phone shows it."""
    pieces, end = [], 0
    for one in elements_in(text):
        pieces += [text[end : one.start], _SHORT_LINK]
        end = one.end
    return "".join([*pieces, text[end:]])


def has_opening(value: str) -> bool:
    """Whether `value` holds an opening parenthesis of any width: without one it begins no element."""
    return "(" in value or (not value.isascii() and opening.search(value) is not None)


def has_parenthesis(value: str) -> bool:
    """Whether `value` holds a parenthesis of any kind, and so could end the element around it."""
    plain = value if value.isascii() else unicodedata.normalize("NFKC", value)
    return "(" in plain or ")" in plain


def find(text: str) -> Found:
    """Count the elements and placeholders in `text`, also those hidden by width, case, spaces or accents."""
    folded = fold(text)
    if "(" not in folded:
        return Found(0, 0)
    # Accents count for placeholders: "(móvil)" is a word people write, and the provider's has none.
    placeholders = _placeholder.findall(_accents_kept_out(text)) if _placeholder.search(folded) else ()
    return Found(len(element.findall(folded)), len(placeholders))


def fold(text: str) -> str:
    """The ASCII that is left of `text` when it is tidied up, as a transcription to GSM might do.

    Full-width forms become plain, accents are taken off, and what is invisible or of another script goes.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return text if text.isprintable() else text.translate(_controls)


def _accents_kept_out(text: str) -> str:
    """As `fold`, but an accented letter, or one of another script, becomes a question mark."""
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", text)
        visible = (c for c in composed if c.isascii() or unicodedata.category(c) not in ("Cf", "Mn"))
        text = "".join(visible).encode("ascii", "replace").decode("ascii")
    return text if text.isprintable() else text.translate(_controls)


def may_become_element(start: str) -> bool:
    """Whether a parenthesis, opened, then `start`, then a field, is an element for some value of the field.

    Args:
        start: folded text between the parenthesis and the field.
    """
    start = start.lstrip().casefold()
    for name in (*ELEMENTS, PHONE):
        if name.casefold().startswith(start) or name.casefold() == start.rstrip():
            return True
    return "variable_".startswith(start) or _half_placeholder.fullmatch(start) is not None
