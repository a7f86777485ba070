"""docs/start.md and docs/tutorials, followed to their end as a reader would: files saved, commands given, tests run."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mensatek_async.sandbox import Sandbox
from tests.markdown import ROOT, Block, blocks

START = ROOT / "docs/start.md"
PAGES = [START, *sorted(page for page in (ROOT / "docs/tutorials").glob("*.md") if page.stem != "index")]
FRAMEWORKS = {"fastapi", "flask", "django"}
PROGRAMS = {
    "python": "",
    "pytest": "-m pytest -p no:cacheprovider",
    "mensatek": '-c "import sys; from mensatek_async.cli import main; sys.exit(main())"',
}


def _missing(block: Block) -> set[str]:
    """The frameworks that a file needs and that are not there; nox -s tests_plugin has them."""
    nodes = [
        node for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {getattr(node, "module", None) or node.names[0].name for node in nodes}
    return {name for name in {name.partition(".")[0] for name in names} & FRAMEWORKS if not _found(name)}


def _found(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _environment(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    """A reader's terminal: the programs of this environment, and the three variables that the sandbox prints."""
    (programs := folder / "bin").mkdir()
    for name, start in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {start} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": str(ROOT),
        "MENSATEK_API_USER": sandbox.user,
        "MENSATEK_API_TOKEN": sandbox.token,
        "MENSATEK_BASE_URL": sandbox.base_url,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_works_to_its_end(page: Path, tmp_path: Path) -> None:
    """Each file is saved under the name in its first line; each command ends as it should and prints what is shown."""
    steps = [one for one in blocks(page) if not one.said.startswith("not run")]
    if missing := set[str]().union(*(_missing(one) for one in steps if one.language == "python")):
        pytest.skip(f"{missing} not installed")
    (folder := tmp_path / "project").mkdir()
    said = ""
    with Sandbox(delivery_seconds=0) as sandbox:
        environment = _environment(tmp_path, sandbox)
        for step in steps:
            if step.language == "python":
                name = re.match(r"# (\S+\.py)\n", step.text)
                assert name, step
                (folder / name[1]).write_text(step.text, encoding="utf-8")
            elif step.language == "sh":
                expected = int(step.said.split()[2].rstrip(":")) if step.said.startswith("ends with") else 0
                shell = ["bash", "-uc" if expected else "-euc", f"{step.text}\nexit $?"]
                done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True)
                assert done.returncode == expected, f"line {step.line}: {done.stdout}{done.stderr}"
                said = done.stdout
            elif step.language == "text":
                assert not [line for line in step.text.splitlines() if line not in said], said
