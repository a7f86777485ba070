"""What pyproject.toml promises, held against the code."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import mensatek_async
from tests.built import extras

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mensatek_async"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# What is imported under another name than it is installed under.
IMPORTED_AS = {
    "phonenumberslite": "phonenumbers",
    "attrs": "attr",
    "python-stdnum": "stdnum",
    "fpdf2": "fpdf",
    "prometheus-client": "prometheus_client",
    "opentelemetry-api": "opentelemetry",
}
# Declared for the time zones, not imported by the package.
NOT_IMPORTED = {"tzdata"}
# Where a module of an extra may be imported: nobody without the extra comes there.
ROOM_OF = {
    "cli": "cli",
    "excel": "sources",
    "postgres": "store",
    "sandbox": "sandbox",
    "phones": "phones.py",
    "es": "tax_ids.py",
    "webhooks": "webhooks",
    "mcp": "mcp",
    "otel": "otel.py",
    "keyring": "cli",
}
# What a library's own interface is written in, and so comes with it.
COMES_WITH = {"mcp": {"pydantic"}}
# Not in `all`: heavy, and for a program of their own.
APART = {"mcp", "keyring"}


def _name(requirement: str) -> str:
    found = re.match(r"[\w-]+", requirement)
    assert found
    return IMPORTED_AS.get(found[0], found[0])


def _foreign(file: Path) -> Iterator[str]:
    """Third-party top-level modules a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in {name.partition(".")[0] for name in names} - {"mensatek_async"}:
            if name not in sys.stdlib_module_names:
                yield {"attrs": "attr"}.get(name, name)


def test_every_import_is_declared() -> None:
    """A plain install runs all that is not behind an extra, an extra is needed only in its own room, and nobody
    installs what the package does not import."""
    plain, used = {_name(one) for one in PROJECT["dependencies"]}, set[str]()
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0]
        allowed = {_name(one) for extra, home in ROOM_OF.items() if room == home for one in EXTRAS[extra]}
        allowed |= {one for name in allowed for one in COMES_WITH.get(name, ())}
        if file == PACKAGE / "testing" / "plugin.py":
            allowed |= {"pytest", "_pytest"}  # nobody but pytest loads it
        used |= (imported := set(_foreign(file)))
        assert not imported - plain - allowed, file

    assert not plain - used - NOT_IMPORTED


def test_every_requirement_has_a_floor() -> None:
    """The lowest version is stated, so that `tests_lowest` can try it; `mensatek-async[all]` leaves nothing out but
    what is meant to be apart."""
    for requirement in (*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)):
        assert re.match(r"[\w-]+(\[.*\])?(>=|; |$)", requirement)
        assert ">=" in requirement or ";" in requirement or requirement.startswith("mensatek-async[")
    (everything,) = EXTRAS["all"]
    named = set(everything.removeprefix("mensatek-async[").removesuffix("]").split(","))

    assert named == EXTRAS.keys() - {"all"} - APART
    assert extras.TRIALS.keys() == EXTRAS.keys() - {"all"}, "the session `build` tries each of them"


def test_the_version_is_the_built_one_and_in_the_changelog() -> None:
    """`mensatek_async.__version__` is what the build reads, released or under way."""
    path = ROOT / PYPROJECT["tool"]["hatch"]["version"]["path"]
    found = re.search(r'__version__ = "([^"]+)"', path.read_text(encoding="utf-8"))

    assert found
    assert mensatek_async.__version__ == found[1]
    assert f"## [{found[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "home", ["", "https://github.com/owner/mensatek-async/blob/main/"], ids=["none", "set"]
)
def test_no_link_of_the_built_readme_is_dead(home: str, tmp_path: Path) -> None:
    """Built metadata, where one setting says where the project's files are read; there is none yet."""
    for name in ("README.md", "LICENSE", "hatch_build.py", "mensatek_async/_version.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(text.replace('home = ""', f'home = "{home}"'), encoding="utf-8")
    command = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    readme = done.stdout.decode()

    links = dict(re.findall(r"(!?\[.+?\])\((.+?)\)", readme))
    assert all(link.startswith("https://") for link in links.values())
    assert (f"{home}docs/start.md" in links.values()) is bool(home)
    assert ("/raw/main/docs/images/" in readme, "(`docs/start.md`)" in readme) == (bool(home), not home)


def test_the_command_and_the_plugin_are_there() -> None:
    """The entry points name something that can be called, and a module that has its fixtures; type checkers read a
    package's types only where py.typed is."""
    module, _, attribute = PROJECT["scripts"]["mensatek"].partition(":")
    assert callable(getattr(importlib.import_module(module), attribute))

    plugin = importlib.import_module(PROJECT["entry-points"]["pytest11"]["mensatek_async"])
    assert {"mensatek_sandbox", "sent_messages", "deliver", "reply"} <= vars(plugin).keys()
    assert (PACKAGE / "py.typed").is_file()


def test_the_lowest_python_is_the_first_classifier() -> None:
    """requires-python, the classifiers and the tools' targets agree."""
    versions = [
        name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+", name)
    ]
    lowest = PROJECT["requires-python"].removeprefix(">=")

    assert versions[0] == lowest
    assert PYPROJECT["tool"]["mypy"]["python_version"] == lowest
    assert PYPROJECT["tool"]["pyright"]["pythonVersion"] == lowest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"
