"""Docstrings without `async` and `await`: code in them is parsed, prose comes from a table, the rest stays."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from .rules import KEPT_PROSE, NAME, NAMES, PHRASES, CannotGenerate, Rules


class _Plain(ast.NodeTransformer):
    """Asynchronous code without its `async` and `await`."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)  # type: ignore[no-any-return]

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        return ast.With(items=node.items, body=node.body)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        return ast.For(target=node.target, iter=node.iter, body=node.body, orelse=node.orelse)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(id=self._renamed(node.id), ctx=node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Attribute(value=node.value, attr=self._renamed(node.attr), ctx=node.ctx)

    def _renamed(self, name: str) -> str:
        if name in NAMES:
            self.rules.used.add(name)
        return NAMES.get(name, name)


def looks_async(text: str) -> bool:
    marks = r"async|await|aclose|__a(enter|exit|iter|next)__"
    return re.search(marks, text.replace(NAME, ""), re.IGNORECASE) is not None


def plain_code(code: str, rules: Rules) -> str:
    """A piece of code from a docstring, parsed, in its synchronous form."""
    opens = code.endswith(":")
    body = textwrap.indent(code + (" pass" if opens else ""), "    ")
    try:
        (function,) = ast.parse(f"async def _():\n{body}").body
    except SyntaxError as error:
        raise CannotGenerate(f"code in a docstring that cannot be parsed: {code!r}") from error
    plain = ast.fix_missing_locations(_Plain(rules).visit(function))
    text = double_quoted("\n".join(ast.unparse(line) for line in plain.body))
    return re.sub(r":\s+pass$", ":", text) if opens else text


def double_quoted(code: str) -> str:
    """Code with its strings in double quotes, as ruff would have it."""
    return re.sub(r"'([^'\"\\]*)'", r'"\1"', code)


def plain_docstring(text: str, rules: Rules, indent: str = "    ") -> str:
    """A docstring as it is true of the synchronous twin, with the same line breaks where nothing changed."""
    return "\n".join(_plain_entry(lines, rules, indent) for lines in _entries(text))


def _entries(text: str) -> Iterator[list[str]]:
    """The paragraphs and arguments of a docstring, each with its continuation lines."""
    entry: list[str] = []
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        starts = not line.strip() or not entry or not entry[0].strip() or entry[0].rstrip().endswith(":")
        first = len(entry[0]) - len(entry[0].lstrip()) if entry else 0
        argument = bool(entry) and re.match(r"\s*\w+: ", entry[0]) is not None and len(entry) + first > 1
        if entry and (starts or (argument and indent <= first and first > 0)):
            yield entry
            entry = []
        entry.append(line)
    yield entry


def _plain_entry(lines: list[str], rules: Rules, first: str) -> str:
    whole = " ".join(line.strip() for line in lines)
    plain = whole
    for phrase, instead in PHRASES.items():
        if phrase in plain:
            rules.used.add(phrase)
            plain = plain.replace(phrase, instead)
    plain = re.sub(
        r"`([^`]+)`",
        lambda found: f"`{plain_code(found[1], rules)}`" if looks_async(found[1]) else found[0],
        plain,
    )
    if looks_async(plain.replace(KEPT_PROSE, "")):
        raise CannotGenerate(f"asynchronous words in a docstring: {plain!r}")
    if plain == whole:
        return "\n".join(lines)
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    further = lines[1][: len(lines[1]) - len(lines[1].lstrip())] if len(lines) > 1 else indent or first
    # The first line of a docstring stands behind its quotes and has no indent in the text.
    wrapped = textwrap.wrap(
        plain,
        116,
        initial_indent=indent or f"{first}~~~",
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapped) if indent else "\n".join(wrapped).removeprefix(f"{first}~~~")
