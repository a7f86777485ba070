"""Reads the documents for the tests that hold them against the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])


@frozen
class Block:
    """A fenced block: its language, its first line's number in the document, its text, and who runs it if that is said
    in a comment before it, or at the top of the document for all of them."""

    language: str
    line: int
    text: str
    said: str


def blocks(document: Path) -> Iterator[Block]:
    """The fenced blocks of a document."""
    inside: tuple[str, int] | None = None
    kept: list[str] = []
    text = document.read_text(encoding="utf-8")
    of_all = _comment(text.partition("\n")[0])
    said = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```") and inside is None:
            inside, kept = (line.removeprefix("```"), number + 1), []
        elif line == "```" and inside:
            yield Block(*inside, "\n".join(kept), said or of_all)
            inside, said = None, ""
        elif inside:
            kept.append(line)
        elif line:
            said = _comment(line)


def _comment(line: str) -> str:
    found = re.fullmatch(r"<!-- (.+) -->", line)
    return found[1] if found else ""


def sections(document: Path) -> dict[str, str]:
    """Text by second-level heading."""
    parts = re.split(r"^## (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
