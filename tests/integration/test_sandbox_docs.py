"""The Python of docs/sandbox.md runs as it stands, and what it says of flags and methods is there."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from mensatek_async.cli.options import SandboxOptions
from mensatek_async.sandbox import ERROR_KINDS, Sandbox
from tests.markdown import ROOT, Block, blocks

PAGE = ROOT / "docs" / "sandbox.md"
TEXT = PAGE.read_text(encoding="utf-8")
SNIPPETS = [block for block in blocks(PAGE) if block.language == "python"]


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"line {block.line}")
async def test_a_snippet_of_the_page_runs(block: Block) -> None:
    """On asyncio and on trio, its assertions too."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    assert code.co_flags & inspect.CO_COROUTINE
    assert "assert" in block.text

    await eval(code, {"__name__": "page"})


def test_every_flag_of_the_page_exists() -> None:
    """What a reader types is taken by the command."""
    known = {f"--{name.replace('_', '-')}" for name in SandboxOptions.__annotations__} | {"--callback-url"}
    named = set(re.findall(r"--[a-z-]+[a-z]", TEXT))
    assert named <= known
    assert {"--state", "--time-scale", "--error-rate", "--host"} <= named


def test_every_method_of_the_page_exists() -> None:
    """And every kind of error is explained."""
    rows = [
        line.split("|")[2] for line in TEXT.splitlines() if line.startswith("| ") and line.count("|") == 4
    ]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)(?:\(|`)", row)}
    assert {"reply", "switch_off", "error_rate"} <= named
    assert all(hasattr(Sandbox, name) for name in named), named
    assert all(f"`{kind}`" in TEXT for kind in ERROR_KINDS)
