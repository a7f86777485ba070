"""The Python of docs/certified.md, run as a reader would run it, against the sandbox."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from mensatek_async.sandbox import Sandbox
from tests.markdown import ROOT, Block, blocks

PAGE = ROOT / "docs" / "certified.md"
SNIPPETS = [block for block in blocks(PAGE) if block.language == "python"]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that delivers at once, told to the snippets as a user's account would be; and a contract."""
    monkeypatch.chdir(tmp_path)
    Path("contrato.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    with Sandbox(delivery_seconds=0) as sandbox:
        monkeypatch.setenv("MENSATEK_API_USER", sandbox.user)
        monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
        monkeypatch.setenv("MENSATEK_BASE_URL", sandbox.base_url)
        yield sandbox


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"line {block.line}")
async def test_a_snippet_runs(block: Block, account: Sandbox) -> None:
    """What the page shows works, on asyncio and on trio, and the certificates it fetches can be read."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    assert code.co_flags & inspect.CO_COROUTINE

    await eval(code, {"__name__": "page"})

    fetched = [name for name in ("certificate.pdf", "signed.pdf") if f'download("{name}"' in block.text]
    assert all("EMPRESA S.L." in PdfReader(name).pages[0].extract_text() for name in fetched)


def test_the_three_flows_are_there() -> None:
    """Notify, notify with acceptance, contract with PDF: each has its snippet."""
    text = PAGE.read_text(encoding="utf-8")

    assert all(
        f"## {heading}\n" in text
        for heading in ("Notify", "Notify with acceptance", "A contract with its PDF")
    )
    assert len(SNIPPETS) == 5
