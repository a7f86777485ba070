"""The texts in a source file: constants, f-strings with named places, sums, and both ends of a condition."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "mensatek_async"
_NO_NAMES = ("self", "str", "shown", "len", "min", "repr")
_LOGS = ("debug", "info", "warning", "error", "exception", "log")


def files_under(under: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((PACKAGE / under).rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def docstrings(tree: ast.AST) -> set[int]:
    bodies = (node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list))
    return {
        id(line.value)
        for body in bodies
        for line in body
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    }


def inside(tree: ast.AST, here: Callable[[ast.AST], bool]) -> set[int]:
    return {id(one) for node in ast.walk(tree) if here(node) for one in ast.walk(node)}


def is_log(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in _LOGS
        and "log" in name_of(node.func.value).lower()
    )


def name_of(node: ast.AST) -> str:
    return getattr(node, "id", None) or getattr(node, "attr", "")


def strings(node: ast.AST, ignored: set[int]) -> Iterator[ast.expr]:
    """The outermost texts: constants, f-strings and sums of them; and those within the places of f-strings."""
    if id(node) in ignored:
        return
    inner: Iterator[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and variants(node):
        yield node
        values = [one.value for one in ast.walk(node) if isinstance(one, ast.FormattedValue)]
        inner = iter([value for value in values if not variants(value)])
    for child in inner:
        yield from strings(child, ignored)


def variants(node: ast.AST) -> list[str]:
    """What a text may read, with named places; [] for what is no text."""
    return _read(node, {})


def _read(node: ast.AST, names: dict[str, str]) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.IfExp(body=body, orelse=otherwise):
            first, second = _read(body, names), _read(otherwise, names)
            return [*first, *second] if first and second else []
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [_read(one, names) or [_place(one, names)] for one in (left, right)]
            return _joined(parts) if _read(left, {}) or _read(right, {}) else []
        case ast.JoinedStr(values=values):
            return _joined([_part(one, names) for one in values])
    return []


def _part(node: ast.expr, names: dict[str, str]) -> list[str]:
    if not isinstance(node, ast.FormattedValue):
        return _read(node, names)
    spec = "," if node.format_spec and "," in ast.unparse(node.format_spec) else ""
    return _read(node.value, names) or [_place(node.value, names, spec)]


def _place(node: ast.expr, names: dict[str, str], spec: str = "") -> str:
    written = ast.unparse(node)
    if written not in names:
        name = next((word for word in _words(node) if word not in _NO_NAMES), "value")
        number = sum(one.rstrip("0123456789") == name for one in names.values())
        names[written] = f"{name}{number + 1}" if number else name
    return f"{{{names[written]}{':' if spec else ''}{spec}}}"


def _words(node: ast.expr) -> Iterator[str]:
    """Names for a place: the attribute at the end, or the first name within."""
    if isinstance(node, ast.Attribute):
        yield node.attr.strip("_")
    yield from (one.id.strip("_").lower() for one in ast.walk(node) if isinstance(one, ast.Name))


def _joined(parts: list[list[str]]) -> list[str]:
    return list(dict.fromkeys("".join(one) for one in product(*parts)))


def plain(node: ast.expr) -> list[str]:
    """A marked text as it is written."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=otherwise):
            return [*plain(body), *plain(otherwise)]
    return []


def bare(text: str) -> str:
    return re.sub(r"\{[^{}]*\}", "", text)
