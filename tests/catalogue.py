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

from cyclopts import App
from cyclopts.help import format_doc

from mensatek_async import errors
from mensatek_async.cli.app import app
from mensatek_async.cli.language.help import said
from mensatek_async.language.spanish import CATALOGUE, REASON, Key, entries
from tests.source_texts import (
    PACKAGE,
    bare,
    docstrings,
    files_under,
    inside,
    is_log,
    name_of,
    plain,
    strings,
    variants,
)

MARKS = ("_", "later", "text")
# What the command prints is looked up as it is written.
PRINTS = ("Stop", "say", "note", "error", "confirm", "_confirm")
# What the system says of files and networks, as the command passes it on.
SYSTEM = (
    *("ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR", "ENOSPC", "EROFS", "EADDRINUSE", "EADDRNOTAVAIL"),
    *("EEXIST", "ENAMETOOLONG", "EIO", "EMFILE", "EDQUOT", "EFBIG", "ELOOP", "EBUSY", "EINVAL", "ETXTBSY"),
    *("ENXIO", "ENOTEMPTY", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT"),
)
# What lies below us says of networks and SQLite.
BELOW = (
    *("All connection attempts failed", "Connect call failed {address}", "Name or service not known"),
    *("Temporary failure in name resolution", "database is locked", "database or disk is full"),
    *("attempt to write a readonly database", "unable to open database file", "file is not a database"),
    *(
        "database disk image is malformed",
        "no such table: {table}",
        "no such column: {column}",
        "disk I/O error",
    ),
)
SHORT = ("missing", "no reason given")  # said by the library, and too short to be found as prose
# What cyclopts says; `test_language.py` makes it say them.
OF_CYCLOPTS = (
    *(
        "Display this message and exit.",
        "Display application version.",
        "Commands",
        "Parameters",
        "Arguments",
        "int",
        "float",
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
    r"|AND|CASE|ORDER|PRIMARY|IMMEDIATE|PRECISION|excluded|max\(|count\(|sum\(|VACUUM|JOIN|BETWEEN|TABLE|DROP|LISTEN|Basic)\b"
    r"|^<|\(\?:|\|[a-z]|charset=|\\\.|%s| IN \(|\\|\w = |_at, |, reason, |, zone|\w\(\{|^mensatek_"
)
_PROSE = re.compile(r"[A-Za-z]{2,}[,;:]? [a-zA-Z]{2,}|[A-Za-z]{2,} a [a-z]|\ba [a-z]{2,}")
_PART = re.compile(
    r"\}, [a-z]{2,}|\} \([a-z]+\)|(?<![^ ])[A-Za-z]{2,}(?= \{)|(?<=\} )[A-Za-z]{2,}(?![^ ,.;:])"
)
_WORD = re.compile(r"(?<![-\w./:=%])(?!export )[A-Za-z]{2,}(?![-\w./:=])")
_ELSEWHERE = (
    *(
        "sandbox/",
        "testing/",
        "sync/_generate/",
        "sync/generated/",
        "language/",
        "mcp/",
        "webhooks/receiver.py",
    ),
    *("text/opt_out.py", "sources/headings.py", "tracebacks.py", "codes/_statuses.py", "observe/metrics.py"),
    "__init__.py",
)
_OF_DOCS = (
    "assumes",
    "known",
    "rests",
    "how",
    "cost",
)  # of a check of the doctor: docs/live.md alone shows them
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
    found, known = [], (*_of_the_help(), *_of_the_library(), *_of_others())
    english = "\n".join(key[1] for key, _ in known)
    for path, tree in files_under("cli/"):
        marked = inside(
            tree,
            lambda node: (
                isinstance(node, ast.Call)
                and (name_of(node.func) in (*MARKS, "plural") or bool(_printed(node)))
            ),
        )
        helps = inside(tree, lambda node: isinstance(node, ast.keyword) and node.arg == "help")
        phrases = inside(
            tree, lambda node: isinstance(node, ast.Assign) and name_of(node.targets[0]) == "_PHRASES"
        )
        raised = {id(one) for _, within in _errors(tree, path) for one in ast.walk(within)}
        for node in strings(tree, docstrings(tree) | marked | helps | phrases | raised):
            prose = _WORD if isinstance(node, ast.JoinedStr) else _PROSE
            words = [text for text in variants(node) if not text.startswith("~/")]
            if any(prose.search(bare(text)) for text in words) and not _is_known(node, english):
                found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    return found


def _is_known(node: ast.expr, english: str) -> bool:
    """Whether it is help, or what the library says: compared with, and not printed."""
    return isinstance(node, ast.Constant) and all(text in english for text in said(str(node.value)))


def _marked() -> Iterator[tuple[Key, str]]:
    for path, tree in files_under(""):
        if path.startswith("sandbox/"):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            place, name, args = f"{path}:{node.lineno}", name_of(node.func), node.args
            if name == "plural" and path.startswith("cli/"):
                one, *many = [text for arg in args[1:] for text in plain(arg)]
                args_texts = [one, *(many or [f"{one}s"])]
            elif path.startswith("cli/") and (printed := _printed(node)):
                args_texts = printed
            elif name in MARKS:
                args_texts = [text for arg in args[: None if name == "later" else 1] for text in plain(arg)]
            else:
                continue
            for text in args_texts:
                yield ("", text), place


def _printed(node: ast.Call) -> list[str]:
    """The text that a call prints, where it is written there."""
    if name_of(node.func) not in PRINTS:
        return []
    return [text for arg in node.args[:1] for text in plain(arg)]


def _of_the_help() -> Iterator[tuple[Key, str]]:
    for name, one in commands(app, "mensatek"):
        description = str(getattr(format_doc(one, "plaintext"), "primary_renderable", ""))
        yield from ((("", text), name) for text in filter(None, said(description)))
    for name, one in (*commands(app, "mensatek"), ("every command", app.meta)):
        for argument in one.assemble_argument_collection(parse_docstring=True) if one.default_command else ():
            if argument.show:
                yield from ((("", text), name) for text in filter(None, said(argument.parameter.help or "")))
                if argument.index is not None:
                    yield ("", argument.name.lstrip("-").upper()), name


def commands(one: App, name: str) -> Iterator[tuple[str, App]]:
    """A command and all below it, each with what is typed for it."""
    yield name, one
    for sub in one:
        if sub not in ("--help", "-h", "--version"):
            yield from commands(one[sub], f"{name} {sub}")


def _of_the_library() -> Iterator[tuple[Key, str]]:
    for path, tree in files_under(""):
        if path.startswith("sandbox/"):
            yield from (((REASON, text), path) for text in _wrong_settings(tree))
        if path.startswith(_ELSEWHERE):
            continue
        ignored = docstrings(tree) | inside(
            tree, lambda node: isinstance(node, ast.Call) and (is_log(node) or name_of(node.func) == "_")
        )
        if path.startswith("doctor/"):
            ignored |= inside(tree, lambda node: getattr(node, "arg", "") in _OF_DOCS)
        for code, within in _errors(tree, path):
            for node in strings(within, ignored):
                ignored |= {id(one) for one in ast.walk(node)}
                for text in variants(node):
                    if re.search("[A-Za-z]{2}", bare(text)):
                        yield (code, text), f"{path}:{node.lineno}"
        for node in () if path.startswith("cli/") else strings(tree, ignored):
            for text in variants(node):
                prose = _PROSE.search(bare(text)) or (isinstance(node, ast.JoinedStr) and _PART.search(text))
                if prose and not _NO_PROSE.search(text):
                    yield (REASON, text), f"{path}:{node.lineno}"


def _wrong_settings(tree: ast.AST) -> Iterator[str]:
    """What the sandbox says of its settings, which the command passes on."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Raise)
            and isinstance(call := node.exc, ast.Call)
            and name_of(call.func) == "ValueError"
        ):
            yield from (text for arg in call.args for text in variants(arg) if _PROSE.search(bare(text)))


def _errors(tree: ast.AST, path: str) -> Iterator[tuple[str, ast.AST]]:
    """What stands in an error of ours: its message and its advice."""
    for node in ast.walk(tree):
        if path == "errors.py" and isinstance(node, ast.ClassDef) and node.name in _KINDS:
            yield errors.codes_of(_KINDS[node.name])[0], node
        elif isinstance(node, ast.Call) and (kind := _KINDS.get(name_of(node.func))):
            code = errors.codes_of(kind)[0]
            yield from (
                (code, one)
                for one in (*node.args[:1], *(k.value for k in node.keywords if k.arg == "advice"))
            )


def _of_others() -> Iterator[tuple[Key, str]]:
    yield from ((("", text), "cyclopts") for text in OF_CYCLOPTS)
    yield from (((REASON, text), "cyclopts") for text in ERRORS_OF_CYCLOPTS)
    yield from (((REASON, os.strerror(getattr(errno, name))), name) for name in SYSTEM)
    yield from (((REASON, text), "below") for text in (*BELOW, *SHORT))
    table = json.loads((PACKAGE / "codes/results.json").read_text(encoding="utf-8"))
    yield from (((REASON, row["meaning"]), "codes/results.json") for row in table if row["code"] <= 0)


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
