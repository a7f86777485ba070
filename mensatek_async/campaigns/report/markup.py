"""HTML, in which whatever is no HTML already is escaped."""

from __future__ import annotations

import re
from html import escape

# What nobody sees, and what turns a line around.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WITHOUT_END = ("path", "rect", "line")


class Html(str):
    """HTML, as opposed to words."""

    __slots__ = ()


def html(*parts: object) -> Html:
    """Return parts one behind the other, words escaped; None is none."""
    return Html("".join(_escaped(part) for part in parts if part is not None))


def tag(name: str, *parts: object, **attributes: object) -> Html:
    """Return an element.

    Args:
        name: its name.
        parts: what is in it: HTML, or words, which are escaped.
        attributes: its attributes; "_" stands for "-", and is left out at the end. None is none.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "" if name in _WITHOUT_END else f"{html(*parts)}</{name}>"
    return Html(f"<{name}{written}{'/' if not end else ''}>{end}")


def prose(text: str) -> Html:
    """Return a sentence, what stands in it between backticks as code."""
    return html(*(tag("code", part) if at % 2 else part for at, part in enumerate(text.split("`"))))


def _escaped(part: object) -> str:
    return part if isinstance(part, Html) else escape(_UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(part)))
