"""English, and what a language is."""

from __future__ import annotations

from typing import Any, Literal

from ..errors import MensatekError


class Language:
    """English: every text as it is written."""

    code: Literal["en", "es"] = "en"

    def text(self, text: str, /, *values: Any) -> str:
        """Return a text of the catalogue, its places filled.

        Args:
            text: the English, with places as `str.format` has them.
            values: what stands in them; without any, braces are no places.
        """
        return text.format(*values) if values else text

    def reason(self, text: str) -> str:
        """Return what an error, a report or a journal says in English, in this language."""
        return text

    def error(self, error: MensatekError) -> tuple[str, str]:
        """Return an error's message and its advice."""
        return str(error.args[0]) if error.args else type(error).__name__, error.advice

    def number(self, text: str) -> str:
        """Return a number that has the separators of English, with those of this language."""
        return text
