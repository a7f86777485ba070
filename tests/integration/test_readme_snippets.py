"""The README's Python, run as a reader would run it, against the sandbox."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async.sandbox import Sandbox
from tests.markdown import ROOT, Block, blocks

README = ROOT / "README.md"
SNIPPETS = [block for block in blocks(README) if block.language == "python"]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox, told to the snippets as a user's account would be."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clientes.csv").write_text("nombre;movil\nAna;600000001\nEva;600000002\n", encoding="utf-8")
    with Sandbox(delivery_seconds=0) as sandbox:
        monkeypatch.setenv("MENSATEK_API_USER", sandbox.user)
        monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
        monkeypatch.setenv("MENSATEK_BASE_URL", sandbox.base_url)
        yield sandbox


async def run(block: Block) -> dict[str, Any]:
    """Run a block that may await at its top level; a traceback points at the README's line."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, str(README), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    names: dict[str, Any] = {"__name__": "readme"}
    if code.co_flags & inspect.CO_COROUTINE:
        await eval(code, names)
    else:  # of the synchronous client, perhaps, which has no business in an event loop
        await anyio.to_thread.run_sync(eval, code, names)
    return names


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"line {block.line}")
async def test_a_snippet_runs(block: Block, account: Sandbox) -> None:
    """What the README shows works, on asyncio and on trio, for a reader who copies it alone."""
    await run(block)


async def test_the_bulk_snippet_names_the_broken_row(
    account: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example with a broken phone sends the others and says which row it was."""
    (block,) = [block for block in SNIPPETS if "send_bulk(recipients" in block.text]

    names = await run(block)

    assert names["result"].accepted == 2
    assert "row 3" in capsys.readouterr().out
