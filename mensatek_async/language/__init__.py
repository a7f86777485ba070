"""What people read, in English or Spanish. One catalogue, `es.po` beside this file, read only for Spanish.

Its entries have the English text as `msgid`. Those of an error have its `code` as `msgctxt`, and those of reasons
that stand in errors, reports and journals have "reason": their places are named, and filled with what the English
holds there. All others are texts that a program asks for with `Language.text`.
"""

from __future__ import annotations

import os
import re
from functools import cache

from ..errors import InvalidRequest
from .english import Language

__all__ = ["ENGLISH", "Language", "choose", "language"]

ENGLISH = Language()


def choose() -> str:
    """Return the language that the environment asks for, as gettext finds it: "es" or "en"."""
    environ = os.environ
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    asked = "" if locale in ("C", "POSIX") else environ.get("LANGUAGE", "")
    known = (
        one[:2].lower()
        for one in f"{asked}:{locale}".split(":")
        if re.match(r"(es|en)\b|(es|en)_", one, re.I)
    )
    return next(known, "en")


@cache
def language(code: str) -> Language:
    """Return a language.

    Args:
        code: "en" or "es".

    Raises:
        InvalidRequest: there is no such language here.
    """
    if code not in ("en", "es"):
        raise InvalidRequest(f'language is "en" or "es", not {code!r}.')
    if code == "en":
        return ENGLISH
    from .spanish import Spanish

    return Spanish()
