"""Every word that an operator can read, from the source and the help; `python -m tests.catalogue` writes es.po anew.

New texts are added with an empty translation, to be filled in; those that nothing says any more are taken out.
"""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from cyclopts import App
from cyclopts.help import format_doc

from mensatek_async import errors
from mensatek_async.cli.app import app
from mensatek_async.cli.language.help import said
from mensatek_async.language.spanish import CATALOGUE, REASON, Key, entries

PACKAGE = Path(__file__).parents[1] / "mensatek_async"
MARKS = ("_", "later", "text")
# What the system says of files and networks, as the command passes it on.
SYSTEM = (
    *(
        "ENOENT",
        "EACCES",
        "EPERM",
        "EISDIR",
        "ENOTDIR",
        "ENOSPC",
        "EROFS",
        "EADDRINUSE",
        "EADDRNOTAVAIL",
        "ENXIO",
    ),
    *(
        "EEXIST",
        "ENAMETOOLONG",
        "EIO",
        "EMFILE",
        "EDQUOT",
        "EFBIG",
        "ELOOP",
        "EBUSY",
        "EINVAL",
        "ETXTBSY",
        "ENOTEMPTY",
    ),
)
# What cyclopts says; `test_language.py` makes it say them.
OF_CYCLOPTS = (
    *(
        "Display this message and exit.",
        "Display application version.",
        "Commands",
        "Parameters",
        "Arguments",
    ),
)
ERRORS_OF_CYCLOPTS = (
    "Unknown option: {option}.",
    'Unknown option: "{option}".',
    "Did you mean {option}?",
    'Did you mean "{option}"?',
    "{option} is not a recognized option.",
    'Unknown command "{command}".',
    "Available commands: {commands}.",
    "Available commands: {commands}, ...",
    "Unused Tokens: {tokens}.",
    'Command "{command}" parameter {option} requires an argument.',
    'Command "{command}" parameter {option} requires {count} positional arguments.',
    'Command "{command}" parameter {option} flag required.',
    "Parameter {option} requires an argument.",
    "Parameter {option} specified multiple times.",
    "Did you mean {option} instead of {given}?",
    "Only got {count}.",
    'Invalid value "{value}" for {option}. Choose from: {choices}.',
    'Invalid value for {option}: unable to convert "{value}" into {kind}.',
    "Invalid value for {option}: {problem}",
    'Cannot specify token "{token}" positionally for parameter {option} due to previously specified keyword {given}.',
    '{given} must either be passed positionally, or "{token}" must be passed as a keyword to {option}.',
    "Cannot supply keyword & non-keyword arguments to {option}.",
)
_NO_PROSE = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|PRAGMA|FROM|VALUES|REFERENCES|LIMIT|SET|ROWID|RETURNING|NULL"
    r"|IN \(|CASE|excluded|PRECISION|MENSATEK_\w+=)\b|^<|\(\?:|\|[a-z]|charset=|\\\.|%s"
)
_PROSE = re.compile(r"[A-Za-z]{2,}[,;:]? [a-zA-Z]{2,}|[A-Za-z]{2,} a [a-z]|\ba [a-z]{2,}")
_WORD = re.compile(r"(?<![-\w./:=%])(?!export )[A-Za-z]{2,}(?![-\w./:=])")
_ELSEWHERE = (
    *("sandbox/", "testing/", "sync/_generate/", "sync/generated/", "language/", "webhooks/receiver.py"),
    *("text/opt_out.py", "observe/metrics.py", "sources/headings.py", "tracebacks.py", "__init__.py"),
)
_OF_DOCS = (
    "assumes",
    "known",
    "rests",
    "how",
    "cost",
)  # of a check of the doctor, which docs/live.md alone shows
_NO_NAMES = ("self", "str", "shown", "len", "min", "repr")
_LOGS = ("debug", "info", "warning", "error", "exception", "log")
_KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.MensatekError)
}


def texts() -> dict[Key, str]:
    """Every text that an operator can read, by context and English, with the place it was found at."""
    found: dict[Key, str] = {}
    for key, place in (*_marked(), *_of_the_help(), *_of_the_library(), *_of_others()):
        found.setdefault(key, place)
    return found


def unmarked() -> list[str]:
    """The places in the command where words stand that nobody could translate."""
    bare, known = [], (*_of_the_help(), *_of_the_library(), *_of_others())
    english = "\n".join(key[1] for key, _ in known)
    for path, tree in _files("cli/"):
        marked = _inside(
            tree, lambda node: isinstance(node, ast.Call) and _name(node.func) in (*MARKS, "plural")
        )
        helps = _inside(tree, lambda node: isinstance(node, ast.keyword) and node.arg == "help")
        phrases = _inside(
            tree, lambda node: isinstance(node, ast.Assign) and _name(node.targets[0]) == "_PHRASES"
        )
        raised = {id(one) for _, within in _errors(tree, path) for one in ast.walk(within)}
        for node in _strings(tree, _docs(tree) | marked | helps | phrases | raised):
            prose = _WORD if isinstance(node, ast.JoinedStr) else _PROSE
            if any(prose.search(_bare(text)) for text in _variants(node)) and not _is_known(node, english):
                bare.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    return bare


def _is_known(node: ast.expr, english: str) -> bool:
    """Whether it is help, or what the library says: compared with, and not printed."""
    return isinstance(node, ast.Constant) and all(text in english for text in said(str(node.value)))


def _marked() -> Iterator[tuple[Key, str]]:
    for path, tree in _files(""):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            place, name, args = f"{path}:{node.lineno}", _name(node.func), node.args
            if name == "plural" and path.startswith("cli/"):
                one, *many = [text for arg in args[1:] for text in _plain(arg)]
                args_texts = [one, *(many or [f"{one}s"])]
            elif name in MARKS:
                args_texts = [text for arg in args[: None if name == "later" else 1] for text in _plain(arg)]
            else:
                continue
            for text in args_texts:
                yield ("", text), place


def _of_the_help() -> Iterator[tuple[Key, str]]:
    for name, one in _commands(app, "mensatek"):
        for text in filter(None, said(str(getattr(format_doc(one, "plaintext"), "primary_renderable", "")))):
            yield ("", text), name
        for argument in one.assemble_argument_collection(parse_docstring=True) if one.default_command else ():
            if argument.show:
                for text in filter(None, said(argument.parameter.help or "")):
                    yield ("", text), f"{name} {argument.name}"
                if argument.index is not None:
                    yield ("", argument.name.lstrip("-").upper()), f"{name} {argument.name}"


def _commands(one: App, name: str) -> Iterator[tuple[str, App]]:
    yield name, one
    for sub in one:
        if not sub.startswith("-"):
            yield from _commands(one[sub], f"{name} {sub}")


def _of_the_library() -> Iterator[tuple[Key, str]]:
    for path, tree in _files(""):
        if path.startswith(_ELSEWHERE):
            continue
        ignored = _docs(tree) | _inside(
            tree, lambda node: isinstance(node, ast.Call) and (_is_log(node) or _name(node.func) == "_")
        )
        if path == "doctor/checks.py":
            ignored |= _inside(
                tree, lambda node: isinstance(node, ast.Assign) or getattr(node, "arg", "") in _OF_DOCS
            )
        for code, within in _errors(tree, path):
            for node in _strings(within, ignored):
                ignored |= {id(one) for one in ast.walk(node)}
                for text in _variants(node):
                    if re.search("[A-Za-z]{2}", _bare(text)):
                        yield (code, text), f"{path}:{node.lineno}"
        for node in () if path.startswith("cli/") else _strings(tree, ignored):
            for text in _variants(node):
                if _PROSE.search(_bare(text)) and not _NO_PROSE.search(text):
                    yield (REASON, text), f"{path}:{node.lineno}"


def _errors(tree: ast.AST, path: str) -> Iterator[tuple[str, ast.AST]]:
    """What stands in an error of ours: its message and its advice."""
    for node in ast.walk(tree):
        if path == "errors.py" and isinstance(node, ast.ClassDef) and node.name in _KINDS:
            yield errors.codes_of(_KINDS[node.name])[0], node
        elif isinstance(node, ast.Call) and (kind := _KINDS.get(_name(node.func))):
            code = errors.codes_of(kind)[0]
            yield from (
                (code, one)
                for one in (*node.args[:1], *(k.value for k in node.keywords if k.arg == "advice"))
            )


def _of_others() -> Iterator[tuple[Key, str]]:
    yield from ((("", text), "cyclopts") for text in OF_CYCLOPTS)
    yield from (((REASON, text), "cyclopts") for text in ERRORS_OF_CYCLOPTS)
    yield from (((REASON, os.strerror(getattr(errno, name))), name) for name in SYSTEM)
    table = json.loads((PACKAGE / "codes/results.json").read_text(encoding="utf-8"))
    yield from (((REASON, row["meaning"]), "codes/results.json") for row in table if row["code"] <= 0)


def _files(under: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((PACKAGE / under).rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _docs(tree: ast.AST) -> set[int]:
    bodies = (node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list))
    return {
        id(line.value)
        for body in bodies
        for line in body
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    }


def _inside(tree: ast.AST, here: object) -> set[int]:
    return {id(one) for node in ast.walk(tree) if here(node) for one in ast.walk(node)}  # type: ignore[operator]


def _is_log(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in _LOGS
        and "log" in _name(node.func.value).lower()
    )


def _name(node: ast.AST) -> str:
    return getattr(node, "id", None) or getattr(node, "attr", "")


def _strings(node: ast.AST, ignored: set[int]) -> Iterator[ast.expr]:
    """The outermost texts: constants, f-strings and sums of them; and those within the places of f-strings."""
    if id(node) in ignored:
        return
    inner: Iterator[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and _variants(node):
        yield node
        values = [one.value for one in ast.walk(node) if isinstance(one, ast.FormattedValue)]
        inner = iter([value for value in values if not _variants(value)])
    for child in inner:
        yield from _strings(child, ignored)


def _variants(node: ast.AST) -> list[str]:
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
        name = next(
            (word for word in _words(node) if word not in ("self", "str", "shown", "len", "min", "repr")),
            "value",
        )
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


def _plain(node: ast.expr) -> list[str]:
    """A marked text as it is written."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=otherwise):
            return [*_plain(body), *_plain(otherwise)]
    return []


def _bare(text: str) -> str:
    return re.sub(r"\{[^{}]*\}", "", text)


HEAD = """# What operators read, in Spanish. `python -m tests.catalogue` adds what is new and takes out what is gone.
msgid ""
msgstr "Language: es\\nContent-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


def write() -> int:
    """Write the catalogue anew; return how many entries have no Spanish."""
    known = dict(entries(CATALOGUE.read_text(encoding="utf-8"))) if CATALOGUE.exists() else {}
    lines = [HEAD]
    found = texts()
    for (context, english), place in sorted(
        found.items(), key=lambda one: (one[0][0], one[1].partition(":")[0])
    ):
        lines.append(f"\n#: {place.partition(':')[0]}\n")
        lines += [f"msgctxt {_quoted(context)}\n"] if context else []
        lines.append(f"msgid {_quoted(english)}\nmsgstr {_quoted(known.get((context, english), ''))}\n")
    CATALOGUE.write_text("".join(lines), encoding="utf-8")
    return sum(not known.get(key) for key in found)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    print(f"{write()} entries have no Spanish")
