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
    """A fenced block: its language, its first line's number in the document, its text."""

    language: str
    line: int
    text: str


def blocks(document: Path) -> Iterator[Block]:
    """The fenced blocks of a document."""
    inside: tuple[str, int] | None = None
    kept: list[str] = []
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            kept.append(line)
        elif inside is None:
            inside, kept = (line.removeprefix("```"), number + 1), []
        else:
            yield Block(*inside, "\n".join(kept))
            inside = None


def sections(document: Path) -> dict[str, str]:
    """Text by second-level heading."""
    parts = re.split(r"^## (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
