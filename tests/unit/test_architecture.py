"""The house's rules, read from the source: one way down, one home for every foreign thing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[2]
PACKAGE = "mensatek_async"
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))

# From the top of the house to its bottom; rooms on one floor do not see each other. A room is a file or a
# folder directly in the package; "" is the package itself, which only gives out the public names.
FLOORS: list[set[str]] = [
    {"cli", "__main__"},
    {""},
    {"sync", "mcp"},
    {"doctor"},
    {"client"},
    {"resources"},
    {"contracts"},
    {"campaigns", "outbox"},
    {"archive"},
    {"bulk", "durable"},
    {"opt_outs"},
    {"_core", "certificates"},
    {"_wire", "sources", "store"},
    {"models", "senders", "otel", "assumptions"},
    {"codes", "text", "phones", "pace", "settings", "tax_ids", "tracebacks", "loop_thread", "observe"},
    {"language"},
    {"errors", "warning", "_version"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Beside the house: what each may see of it, from this floor down, and who may see them.
BESIDE: dict[str, int] = {"sandbox": len(FLOORS), "webhooks": FLOOR["_wire"], "testing": FLOOR[""]}
SEEN_BY = {
    "sandbox": {"cli", "testing"},
    "webhooks": {"campaigns", "cli", "doctor", "testing", ""},
    "testing": {""},
}

# Where a foreign module may be imported; everything else may be imported anywhere.
HOMES: dict[str, set[str]] = {
    # The tools for tests drive applications with httpx's ASGI and WSGI transports: no call of ours leaves there.
    "httpx": {"_core/transport.py", "_core/pool.py", "testing/callers.py"},
    "httpcore": {"_core/pool.py"},
    # The sandbox shares no converter with us.
    "cattrs": {"_wire/", "codes/", "sandbox/account/state.py"},
    "multipart": {"webhooks/body.py", "sandbox/api/bodies.py"},
    "phonenumbers": {"phones.py"},
    "stdnum": {"tax_ids.py"},
    "fpdf": {"sandbox/"},
    "openpyxl": {"sources/excel_table.py"},
    "cyclopts": {"cli/"},
    "prometheus_client": {"cli/"},
    "opentelemetry": {"otel.py"},
    "rich": {"cli/"},
    "starlette": {"sandbox/"},
    "mcp": {"mcp/"},
    "pydantic": {"mcp/"},
    "pytest": {"testing/plugin.py"},
    "_pytest": {"testing/plugin.py"},
    "uvicorn": {"sandbox/"},
    "threading": {
        "_core/limits/account.py",
        "_core/pool.py",
        "store/database.py",
        "loop_thread.py",
        "sync/_call.py",
        "cli/mcp.py",  # standard input, which no signal interrupts
        "sources/batches.py",
        "sandbox/",
        "webhooks/dedupe.py",
    },
    "_thread": set(),
    "concurrent.futures": {"loop_thread.py"},
    "multiprocessing": set(),
    "asyncio": {"loop_thread.py", "sandbox/", "sync/"},
    "trio": set(),
    "sqlite3": {"store/", "sandbox/"},
    "psycopg": {"store/"},
}
LONGEST = 350
MOST_FILES = 15


@frozen
class Import:
    """One import statement's target."""

    module: str
    line: int


def _path(file: Path) -> str:
    return file.relative_to(ROOT / PACKAGE).as_posix()


def _dotted(file: Path) -> str:
    parts = [PACKAGE, *Path(_path(file)).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


MODULES = {_dotted(file) for file in FILES}


def _imports(file: Path) -> Iterator[Import]:
    """Every import of a file, those in functions and under TYPE_CHECKING too, by absolute name."""
    here = _dotted(file).split(".")
    package = here if file.name == "__init__.py" else here[:-1]
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
            base = base if node.level else node.module or ""
            # `from .. import errors` names a module, `from ..errors import X` something in one.
            yield from (
                Import(deeper if (deeper := f"{base}.{alias.name}") in MODULES else base, node.lineno)
                for alias in node.names
            )


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _is(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")


def _may_see(room: str, other: str) -> bool:
    if room == other:
        return True
    if other in BESIDE:
        return room in SEEN_BY[other]
    if room in BESIDE:
        return FLOOR[other] >= BESIDE[room]
    return FLOOR[other] > FLOOR[room]


def test_every_room_has_a_floor() -> None:
    """A new file or folder of the package takes its place in the house before it is used."""
    rooms = {_room(_dotted(file)) for file in FILES}

    assert not rooms - FLOOR.keys() - BESIDE.keys()


def test_imports_go_one_way_down() -> None:
    """No file imports from its own floor or from above, not even for types; and replacing a library is a change in one
    place, its home."""
    # The package itself points at every room's public names; it is what users import, so nothing is above it.
    wrong = [
        f"{_path(file)}, line {found.line}: {found.module}"
        for file in FILES
        for found in _imports(file)
        if (_is(found.module, PACKAGE) and not _may_see(_room(_dotted(file)), _room(found.module)))
        or any(
            _is(found.module, name) and not any(_path(file).startswith(home) for home in homes)
            for name, homes in HOMES.items()
        )
    ]

    assert not wrong


def test_no_circle_of_files() -> None:
    """Inside a room, too, a file can be read without those that are built on it."""
    below = {
        _dotted(file): {found.module for found in _imports(file)} & MODULES - {PACKAGE}
        for file in FILES
        if _dotted(file) != PACKAGE
    }
    try:
        TopologicalSorter(below).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_files_stay_readable() -> None:
    """A file says in one line what it is for and ends before the reader is lost; nobody edits a generated one. What
    outgrows a folder gets sub-rooms."""
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        assert not text.strip() or ast.get_docstring(_tree(file)), file
        assert len(text.splitlines()) <= LONGEST or text.startswith('"""Generated by'), file
        assert len(list(file.parent.glob("*.py"))) <= MOST_FILES, file.parent


def _uses(file: Path) -> Iterator[str]:
    """Calls by plain name, and attributes of a plain name, as written."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_environment_is_read_in_one_file() -> None:
    """Only settings.py reads the environment, but for the language and profiles; and the command line alone prints: a
    library that prints gets in the way of the program that uses it. The sandbox is a program of its own."""
    read = {"settings.py", "language/__init__.py", "cli/setup/profiles.py"}
    for file in FILES:
        path, uses = _path(file), set(_uses(file))
        if not path.startswith("sandbox/") and path not in read:
            assert not uses & {"os.environ", "os.environb", "os.getenv", "os.putenv"}, path
        if not path.startswith(("cli/", "sync/_generate/")):
            # Where a WSGI application under test writes its errors.
            allowed = {"sys.stderr"} if path == "testing/callers.py" else set()
            assert not uses & {"print()", "sys.stdout", "sys.stderr"} - allowed, path


def test_models_import_what_their_annotations_name() -> None:
    """Cattrs reads the annotations when a reply comes, so none may be there for the type checker alone."""
    for file in FILES:
        if _path(file).startswith("models/"):
            names = {node.id for node in ast.walk(_tree(file)) if isinstance(node, ast.Name)}
            assert "TYPE_CHECKING" not in names, file


def test_streams_are_not_async_generators() -> None:
    """An async generator cannot be left cleanly; a public stream is a context manager that gives one out."""
    for node in (
        node for file in FILES if not _path(file).startswith("cli/") for node in ast.walk(_tree(file))
    ):
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            managed = any("contextmanager" in ast.unparse(mark) for mark in node.decorator_list)
            assert managed or not any(isinstance(inner, ast.Yield) for inner in _own(node)), node.name


def _own(function: ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
