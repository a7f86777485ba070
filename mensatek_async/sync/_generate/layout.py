"""Lines as ruff would break them."""

from __future__ import annotations

from .rules import NAME, WIDTH, CannotGenerate


def wrapped(statement: str, indent: str) -> list[str]:
    """One statement, its arguments one a line where it is too long."""
    if len(indent + statement) <= WIDTH:
        return [indent + statement]
    opened = _bracket(statement)
    head, inner, tail = statement[: opened + 1], _split(statement[opened + 1 :]), ")"
    if len(inner) == 1:
        return [indent + head, *wrapped(inner[0], indent + "    "), indent + tail]
    lines = [line for one in inner for line in _comma(wrapped(one, indent + "    "))]
    within = indent + "    " + ", ".join(inner)
    if len(within) <= WIDTH:
        lines = [within]
    return [indent + head, *lines, indent + tail]


def _bracket(statement: str) -> int:
    """Where the bracket opens that the statement's last character closes."""
    depth = 0
    for place in range(len(statement) - 1, -1, -1):
        depth += (statement[place] in ")]}") - (statement[place] in "([{")
        if depth == 0:
            return place
    raise CannotGenerate(f"unbalanced: {statement}")


def _comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1] + ","]


def _split(inside: str) -> list[str]:
    """Split `a, b(c, d))`, the rest of a call with its closing bracket, at its own commas."""
    parts: list[str] = []
    depth = start = 0
    for place, letter in enumerate(inside):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth < 0:
                return [part for part in (*parts, inside[start:place].strip()) if part]
        elif letter == "," and depth == 0:
            parts.append(inside[start:place].strip())
            start = place + 1
    raise CannotGenerate(f"unbalanced: {inside}")


def import_line(module: str, names: set[str]) -> str:
    """The import of some names from one module."""
    if not module:
        return "\n".join(f"import {name}" for name in sorted(names))
    for package, written in ((f"{NAME}.sync.generated.", "."), (f"{NAME}.sync.", ".."), (f"{NAME}.", "...")):
        if module.startswith(package):
            module = written + module.removeprefix(package)
    if renamed := sorted(name for name in names if " as " in name):
        rest = names.difference(renamed)
        return "\n".join(
            [import_line(module, rest)] * bool(rest) + [f"from {module} import {one}" for one in renamed]
        )
    # As isort has it: constants, classes, functions.
    ordered = sorted(names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in ordered), ")"])
