"""What may be a sender."""

from __future__ import annotations

import re
import unicodedata

from .errors import InvalidSender
from .phones import MAX_DIGITS, SEPARATORS
from .warning import SenderWarning, warn

_ADVISED = re.compile(r"[A-Za-z0-9&_]+")
_LONGEST = 11


def check_sender(sender: str) -> str:
    """Return a sender as it goes out, a phone without spaces and the like; its length is the provider's rule, and what
    characters it advises are advice, for which a `SenderWarning` is enough.
    """
    if not isinstance(sender, str):
        raise InvalidSender(f"A sender is a str, not {type(sender).__name__}.")
    text = unicodedata.normalize("NFC", sender).strip()
    number = SEPARATORS.sub("", text)
    digits = number.removeprefix("+")
    is_phone = digits.isascii() and digits.isdigit() and len(digits) >= 3
    length, most = len(text), _LONGEST
    if is_phone:
        text = f"+{digits.removeprefix('00')}" if number.startswith(("+", "00")) else digits
        length, most = len(text.removeprefix("+")), MAX_DIGITS
    if not text:
        raise InvalidSender("The sender is empty.", advice='Give "" for the account\'s own.')
    if length > most:
        raise InvalidSender(
            f"The sender has {length} {'digits' if most == MAX_DIGITS else 'characters'}; {most} are taken at most.",
            advice="Use up to 11 letters, digits, & or _; or a phone of up to 15 digits.",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise InvalidSender("The sender holds a control character, or half of one.")
    if not is_phone and (strange := sorted(set(_ADVISED.sub("", text)))):
        warn(
            f"The sender holds {' '.join(map(repr, strange))}, which the provider does not advise: it may arrive "
            "altered, or not at all. Letters without accents, digits, & and _ are safe.",
            SenderWarning,
        )
    return text
