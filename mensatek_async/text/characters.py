"""Characters: the GSM 03.38 alphabet (3GPP TS 23.038) and what a text has outside it, NFC, what a request can carry."""

from __future__ import annotations

import re
import unicodedata

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 127 characters that take one septet each; the escape itself is not one of them."""

EXTENSION = "\f^{}\\[~]|€"
"""The characters that take two septets: an escape, then the character's own."""

PLAIN = {"á": "a", "í": "i", "ó": "o", "ú": "u", "Á": "A", "Í": "I", "Ó": "O", "Ú": "U"}
"""What the provider sends instead of an acute-accented vowel; é and É are in the alphabet."""


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
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_writable(text: str) -> bool:
    """Whether a request can carry the text: it holds no half of a surrogate pair, and no NUL."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode("utf-8"))
    except UnicodeEncodeError:
        return False
