"""Writes the synchronous classes from the source of the asynchronous ones: `python -m mensatek_async.sync._generate`.

Each method becomes its signature, its docstring and one line that hands it on; all thinking is in the hand-written
files beside the generated ones. Ruff sorts and formats what is written (the dependency group `lint` has it). With
--check nothing is written: differences are shown, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .rules import GENERATED, PACKAGE, SOURCES, CannotGenerate, Rules
from .writer import Writer, check_nothing_left


def generate() -> dict[Path, str]:
    """Every generated file's text, by its path.

    Raises:
        CannotGenerate: the source holds something without a synchronous form, or a rule is of no use any more.
    """
    rules = Rules()
    files = {}
    for source in SOURCES:
        tree = ast.parse((PACKAGE / source.path).read_text(encoding="utf-8"))
        path = GENERATED / source.target
        files[path] = formatted(path, Writer(source, tree, rules).write())
        check_nothing_left(path, files[path])
    if unused := rules.unused():
        raise CannotGenerate(f"rules that nothing needs: {unused}")
    return files


def formatted(path: Path, text: str) -> str:
    """A file's text as ruff has it by the project's rules, imports sorted and none unused."""
    for command in (
        ("check", "--select", "F401", "--fix-only"),
        ("check", "--select", "I", "--fix-only"),
        ("format",),
    ):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", str(path), "-"]
        text = subprocess.run(ruff, input=text, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    return text


def differences() -> Iterator[str]:
    """What is not as it would be generated: lines of unified diffs, and files that belong to nobody."""
    files = generate()
    for path, text in files.items():
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        yield from difflib.unified_diff(
            written.splitlines(True),
            text.splitlines(True),
            f"{path.name} (found)",
            f"{path.name} (generated)",
        )
    for path in sorted(GENERATED.glob("*.py")):
        if path not in files and path.name != "__init__.py":
            yield f"{path.name} is generated from nothing\n"


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if something differs"
    )
    if parser.parse_args().check:
        different = list(differences())
        sys.stderr.writelines(different)
        return 1 if different else 0
    for path, text in generate().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
