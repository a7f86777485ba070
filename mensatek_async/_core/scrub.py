"""Takes what is confidential out of words that came from elsewhere: the provider may quote a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from ..phones import mask
from ..settings import Secret

_TEXTS = frozenset({"mensaje", "contenido"})
_FEWEST = 4  # characters below which a value is found in any sentence
_HEAD = 16
_PHONE = re.compile(r"(?<![\w.,])\+?[0-9]{9,15}(?![\w]|[.,][0-9])")


def scrub(text: str, params: Mapping[str, Any], secrets: Iterable[Secret] = ()) -> str:
    """Words without what a call carried: its text, its recipients' fields, phones, and secrets.

    Args:
        text: the words.
        params: the call's parameters by wire names.
        secrets: further values that may not show, such as the token.
    """
    for secret in (*(one.reveal() for one in secrets), *_values(params)):
        text = _without(text, " ".join(secret.split()))
    return _PHONE.sub(lambda found: mask(found[0]), text)


def _values(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        if isinstance(value, str) and name.casefold() in _TEXTS:
            yield value
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            for row in value:
                if isinstance(row, Mapping):
                    yield from (str(inner) for key, inner in row.items() if key.casefold() != "movil")


def _without(text: str, secret: str) -> str:
    # The beginning decides, since a long quotation may have been cut off.
    head = secret[:_HEAD]
    if len(head) < _FEWEST:
        return text
    start = text.find(head)
    while start >= 0:
        pairs = zip(text[start:], secret, strict=False)
        quoted = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        text = f"{text[:start]}***{text[start + quoted :]}"
        start = text.find(head, start + 3)
    return text
