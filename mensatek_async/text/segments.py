"""Characters and segments: the GSM 03.38 alphabet, and how texts are cut, as 3GPP TS 23.038 and TS 23.040 have it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Literal

from attrs import field, frozen

from ..errors import InvalidRequest

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 127 characters that take one septet each; the escape itself is not one of them."""

EXTENSION = "\f^{}\\[~]|€"
"""The characters that take two septets: an escape, then the character's own."""

PLAIN = {"á": "a", "í": "i", "ó": "o", "ú": "u", "Á": "A", "Í": "I", "Ó": "O", "Ú": "U"}
"""What the provider sends instead of an acute-accented vowel; é and É are in the alphabet."""

Encoding = Literal["auto", "gsm", "unicode"]
"""How a text travels: "gsm" (GSM 03.38), "unicode" (UTF-16), or "auto", the cheaper one that carries it."""

Wire = Literal["gsm", "unicode"]
"""An encoding that has been chosen."""

# Units in a text sent whole, and in each part of a longer one, where a header takes the rest.
_LIMITS: dict[str, tuple[int, int]] = {"gsm": (160, 153), "unicode": (70, 67)}
ONE_SEGMENT = {encoding: single for encoding, (single, _) in _LIMITS.items()}
"""Units in a text sent whole."""
_WIDE = frozenset(EXTENSION)

MOST_SEGMENTS = 255
"""Parts of one message: the number of each is one byte (3GPP TS 23.040)."""


def _latin_1(characters: str) -> bytes:
    return characters.encode("latin-1", "ignore")


_ACCEPTED_BYTES = _latin_1(BASIC + EXTENSION + "".join(PLAIN))
_EXTENSION_BYTES = _latin_1(EXTENSION)
_outside = re.compile(f"[^{re.escape(BASIC + EXTENSION + ''.join(PLAIN))}]")
_replaced = re.compile(f"[{''.join(PLAIN)}]")


def needs_unicode(text: str) -> bool:
    """Whether `text` holds a character that GSM 03.38 has not and the provider does not replace."""
    # Deleting the accepted bytes is three times as fast as a search; most texts are Latin-1 but for a euro.
    try:
        return bool(
            (text.replace("€", "E") if "€" in text else text)
            .encode("latin-1")
            .translate(None, _ACCEPTED_BYTES)
        )
    except UnicodeEncodeError:
        return _outside.search(text) is not None


def extension_count(text: str) -> int:
    """How many characters of `text` take two septets."""
    euros = text.count("€")
    kept = text.encode("latin-1", "replace").translate(None, _EXTENSION_BYTES)
    return len(text) - len(kept) + euros


def replaced_characters(text: str) -> tuple[str, ...]:
    """The distinct characters of `text` that are sent as their plain letter, in order."""
    return tuple(dict.fromkeys(_replaced.findall(text)))


def lost_characters(text: str) -> tuple[str, ...]:
    """The distinct characters of `text` that GSM 03.38 cannot carry at all, in order."""
    return tuple(dict.fromkeys(_outside.findall(text)))


def nfc(text: str) -> str:
    """The text with each accent and its letter as one character, as the GSM alphabet has them."""
    if not isinstance(text, str) or text.isascii():
        return text  # what is no text is refused by whoever asks for one
    return unicodedata.normalize("NFC", text)


def is_writable(text: str) -> bool:
    """Whether a request can carry the text: it holds no half of a surrogate pair, and no NUL."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode("utf-8"))
    except UnicodeEncodeError:
        return False


@frozen
class Segmentation:
    """What a text costs.

    Attributes:
        encoding: "gsm" or "unicode".
        segments: parts the text is sent and charged in; 0 for an empty text.
        characters: units used: septets (extension characters such as € count two), or UTF-16 units.
        remaining: units still free before one more part is needed.
        replaced: the characters that the provider sends as their plain letter (á as a), in order.
        lost: the characters that a forced "gsm" cannot carry, in order; each is counted as one unit.
        forcing: the characters that make it Unicode, since GSM 03.38 does not have them, in order; of a text sent as
            Unicode only. A forced "unicode" may need none.
    """

    encoding: Wire
    segments: int
    characters: int
    remaining: int
    replaced: tuple[str, ...] = field(default=(), repr=False)
    lost: tuple[str, ...] = field(default=(), repr=False)
    forcing: tuple[str, ...] = field(default=(), repr=False, eq=False)


def segments(text: str, encoding: Encoding = "auto") -> Segmentation:
    """Return in how many parts a text is sent, and what happens to its characters.

    Args:
        text: the text as the recipient gets it; it is normalised to NFC, as it is before it is sent.
        encoding: "auto" takes GSM when every character is in GSM 03.38 or is an accented vowel the provider
            replaces by its plain letter, else Unicode; "gsm" and "unicode" force one.

    Returns:
        The encoding, the parts (one part holds 160 GSM or 70 Unicode units, several hold 153 or 67 each), the
        units used and free, and the characters that change, are lost, or force Unicode.

    Raises:
        InvalidRequest: `text` is not a str, or the encoding is none of the three.
    """
    chosen, text = _resolve(text, encoding)
    single, part = _LIMITS[chosen]
    units = _units(text, chosen)
    if units <= single:
        count, remaining = min(units, 1), single - units
    else:
        starts = list(_cuts(text, chosen))
        count, remaining = len(starts) + 1, part - _units(text[starts[-1] :], chosen)
    if chosen == "unicode":
        return Segmentation(chosen, count, units, remaining, forcing=lost_characters(text))
    return Segmentation(chosen, count, units, remaining, replaced_characters(text), lost_characters(text))


def split(text: str, encoding: Encoding = "auto") -> tuple[str, ...]:
    """Cut a text into the parts it is sent in; no part splits an escape pair or a surrogate pair.

    Args:
        text: the text as the recipient gets it.
        encoding: as for `segments`.

    Returns:
        The parts in order; joined they are the text, normalised to NFC. Empty for an empty text.

    Raises:
        InvalidRequest: `text` is not a str, or the encoding is none of the three.
    """
    chosen, text = _resolve(text, encoding)
    if not text:
        return ()
    if _units(text, chosen) <= _LIMITS[chosen][0]:
        return (text,)
    edges = [0, *_cuts(text, chosen), len(text)]
    return tuple(text[start:end] for start, end in pairwise(edges))


def count_segments(text: str, encoding: Encoding = "auto") -> int:
    """`segments(text, encoding).segments`, at a fraction of its cost; `text` must be a str."""
    if encoding == "auto":
        encoding = "unicode" if needs_unicode(text) else "gsm"
    try:
        single, part = _LIMITS[encoding]
    except (KeyError, TypeError):
        raise _unknown(encoding) from None
    # Every character takes two units at most, so a short text needs no count.
    if len(text) * 2 <= single:
        return 1 if text else 0
    units = _units(text, encoding)
    if units <= single:
        return 1
    # A part may lose one unit to a pair that would be cut: where that cannot matter, dividing is exact.
    fewest, most = -(-units // part), -(-units // (part - 1))
    if fewest == most or units == len(text):
        return fewest
    return 1 + sum(1 for _ in _cuts(text, encoding))


def has_pairs(text: str, encoding: Wire) -> bool:
    """Whether a character of `text` takes two units, so that its length does not tell how it is cut."""
    return _units(text, encoding) != len(text)


def counts_by_length(lengths: Sequence[int], encoding: Wire) -> list[int]:
    """The segments of many texts, none of them empty or with a character of two units."""
    single, part = _LIMITS[encoding]
    return [1 if length <= single else -(-length // part) for length in lengths]


def _resolve(text: str, encoding: str) -> tuple[Wire, str]:
    """The encoding that is taken, and the text normalised."""
    if not isinstance(text, str):
        raise InvalidRequest(f"A text is a str, not {type(text).__name__}.")
    text = nfc(text)
    if encoding == "auto":
        return ("unicode" if needs_unicode(text) else "gsm"), text
    if encoding == "gsm":
        return "gsm", text
    if encoding == "unicode":
        return "unicode", text
    raise _unknown(encoding)


def _unknown(encoding: object) -> InvalidRequest:
    return InvalidRequest(f"There is no encoding {encoding!r}.", advice='Use "auto", "gsm" or "unicode".')


def _units(text: str, encoding: str) -> int:
    if encoding == "gsm":
        return len(text) + extension_count(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cuts(text: str, encoding: str) -> Iterator[int]:
    """Where each part after the first begins, filling every part as far as it goes."""
    part = _LIMITS[encoding][1]
    if encoding == "gsm":
        ends = accumulate(2 if character in _WIDE else 1 for character in text)
    else:
        ends = accumulate(2 if character > "\uffff" else 1 for character in text)
    full, before = part, 0
    for index, end in enumerate(ends):
        if end > full:
            yield index
            full = before + part
        before = end
