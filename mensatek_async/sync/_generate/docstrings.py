"""Docstrings: the words are true of both clients, and the code among them loses its `async` and `await`."""

from __future__ import annotations

import re

from .rules import NAME, NAMES, CannotGenerate, Rules


def looks_async(name: str) -> bool:
    marks = r"async|await|aclose|__a(enter|exit|iter|next)__"
    return re.search(marks, name.replace(NAME, ""), re.IGNORECASE) is not None


def plain_docstring(text: str, rules: Rules) -> str:
    """A docstring as it stands in the synchronous twin, broken into the same lines.

    Raises:
        CannotGenerate: asynchronous code stands in it outside of backquotes.
    """
    plain = re.sub(r"`[^`]+`", lambda code: _plain_code(code[0], rules), text)
    if left := re.search(r"\bawait\b|\basync (for|with|def)\b|AsyncMensatek|aclose", plain):
        raise CannotGenerate(f"{left[0]!r} is left over in a docstring: {plain!r}")
    return plain


def _plain_code(code: str, rules: Rules) -> str:
    code = re.sub(r"\b(async|await)\s+", "", code)
    for name, instead in NAMES.items():
        code, found = re.subn(rf"\b{name}\b", instead, code)
        rules.used |= {name} if found else set()
    return code
