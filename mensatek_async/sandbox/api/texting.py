"""What a phone receives: the text of a message, and how many texts are charged for it."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

# GSM 03.38, typed from the standard; deliberately not shared with the client, whose table it checks.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"

_FOREIGN = re.compile(f"[^{re.escape(_BASIC + _EXTENDED)}]")
_DOUBLE = re.compile(f"[{re.escape(_EXTENDED)}]")
_PLACEHOLDER = re.compile(r"\((variable_(?:10|[1-9])|movil)\)", re.IGNORECASE)
_ELEMENT = re.compile(
    r"\((FILE|BASE64|IMG|LINK|SMSLAND|QRCODE|DATAMATRIX|PDF417|TICKET):(?:([0-2]):)?([^()]*)\)", re.IGNORECASE
)
_PROTOCOLS = {"0": "", "1": "http://", "2": "https://"}

GSM_SINGLE, GSM_PART = 160, 153
UNICODE_SINGLE, UNICODE_PART = 70, 67


def to_gsm(text: str) -> str:
    """The text as it leaves without `Unicode=1`: letters outside GSM 03.38 become the nearest one, or `?`."""
    return _FOREIGN.sub(_nearest, text)


def _nearest(match: re.Match[str]) -> str:
    letter = match.group()
    plain = unicodedata.normalize("NFKD", letter)[0]
    return plain if not _FOREIGN.match(plain) else "?"


def width(text: str, unicode: bool) -> int:
    """How much of its segments a text takes: UTF-16 units, or GSM letters with those of the extension twice."""
    if unicode:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text) + len(_DOUBLE.findall(text))


def segments(text: str, unicode: bool) -> int:
    """How many texts a phone company charges for `text` (an empty one still costs one)."""
    single, room = (UNICODE_SINGLE, UNICODE_PART) if unicode else (GSM_SINGLE, GSM_PART)
    taken = width(text, unicode)
    if taken <= single:
        return 1
    if taken == len(text):
        return -(-taken // room)
    # A character that takes two units stays in one part.
    parts, used = 1, 0
    for letter in text:
        each = width(letter, unicode)
        if used + each > room:
            parts, used = parts + 1, 0
        used += each
    return parts


def is_personal(text: str) -> bool:
    """Whether the text differs from one recipient to the next."""
    return _PLACEHOLDER.search(text) is not None


def render(text: str, phone: str, variables: Mapping[str, object]) -> str:
    """The text for one recipient; a variable nobody gave is empty."""
    values = {name.capitalize(): value for name, value in variables.items()} | {"Movil": phone}
    return _PLACEHOLDER.sub(lambda match: str(values.get(match.group(1).capitalize(), "")), text)


def elements(text: str) -> list[tuple[str, str]]:
    """The (TYPE, content) of every message element in the text."""
    return [(match.group(1).upper(), match.group(3)) for match in _ELEMENT.finditer(text)]


def _link(match: re.Match[str]) -> str:
    return f"{_PROTOCOLS.get(match.group(2) or '2', '')}sandbox.example/x1Y2z3"


@lru_cache(maxsize=256)
def shown(text: str, unicode: bool) -> str:
    """What a phone shows of a text: elements as links, and without `Unicode=1` the letters of GSM 03.38 only."""
    text = _ELEMENT.sub(_link, text)
    return text if unicode else to_gsm(text)


def replaced(text: str, unicode: bool) -> list[tuple[str, str, int]]:
    """The letters outside elements that do not arrive as they were written: what became of each, and how often."""
    if unicode:
        return []
    letters = Counter(_FOREIGN.findall(_ELEMENT.sub("", text)))
    return [(letter, to_gsm(letter), times) for letter, times in letters.items()]


def pieces(text: str, unicode: bool) -> list[str | tuple[str, str, str]]:
    """A text in pieces as a phone shows it: plain ones, and elements as (link, TYPE, content)."""
    out: list[str | tuple[str, str, str]] = []
    last = 0
    for match in _ELEMENT.finditer(text):
        out += [text[last : match.start()], (_link(match), match.group(1).upper(), match.group(3))]
        last = match.end()
    out.append(text[last:])
    return [piece if unicode or isinstance(piece, tuple) else to_gsm(piece) for piece in out if piece]


def without_documents(text: str) -> str:
    """The text with every PDF inside it named by its SHA-256 instead.

    A PDF of megabytes would otherwise be kept, and gone through, once for every recipient.
    """
    return _ELEMENT.sub(_without_document, text)


def _without_document(match: re.Match[str]) -> str:
    kind, protocol, content = match.groups()
    if kind.upper() != "BASE64":
        return match.group()
    data = read_base64(content)
    digest = hashlib.sha256(content.encode() if data is None else data).hexdigest()
    return f"(BASE64:{protocol or '2'}:{digest})"


def read_base64(content: str) -> bytes | None:
    """What a base64 text holds, line breaks in it or not; None when it is none."""
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        return None


def repair(text: str) -> str:
    """What `Fixutf8=1` does: UTF-8 that was read as Latin-1 becomes readable again."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
