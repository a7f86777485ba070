"""The Python of the README and of the pages in docs/, run as a reader would run it, against the sandbox."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from pypdf import PdfReader

from mensatek_async.cli.options import SandboxOptions
from mensatek_async.sandbox import ERROR_KINDS, Sandbox
from tests.markdown import DOCUMENTS, ROOT, Block, blocks

SNIPPETS = [
    (page.relative_to(ROOT).as_posix(), block)
    for page in DOCUMENTS
    for block in blocks(page)
    if block.language == "python"
    and not block.said  # a comment says who runs the others, with what they need
    and not page.is_relative_to(ROOT / "docs/es")  # the same code as in English: tests/unit/test_documents.py
]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox that delivers at once, told to the snippets as a user's account would be; and their files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clientes.csv").write_text("nombre;movil\nAna;600000001\nEva;600000002\n", encoding="utf-8")
    (tmp_path / "contrato.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    shutil.copy(ROOT / "docs" / "examples" / "clinic-appointments.csv", tmp_path)
    with closing(sqlite3.connect("clinic.db")) as database, database:
        database.execute("CREATE TABLE patients (movil, nombre, visit)")
        database.execute("INSERT INTO patients VALUES (600000001, 'Ana', DATE('now', '+1 day'))")
    with Sandbox(delivery_seconds=0) as sandbox:
        monkeypatch.setenv("MENSATEK_API_USER", sandbox.user)
        monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
        monkeypatch.setenv("MENSATEK_BASE_URL", sandbox.base_url)
        yield sandbox


async def run(page: str, block: Block) -> dict[str, Any]:
    """Run a block that may await at its top level; a traceback points at the page's line."""
    source = "\n" * (block.line - 1) + block.text
    code = compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    names: dict[str, Any] = {"__name__": "page"}
    if code.co_flags & inspect.CO_COROUTINE:
        await eval(code, names)
    else:  # of the synchronous client, perhaps, which has no business in an event loop
        await anyio.to_thread.run_sync(eval, code, names)
    return names


def of(page: str) -> list[Block]:
    return [block for name, block in SNIPPETS if name == page]


@pytest.mark.parametrize(
    ("page", "block"), SNIPPETS, ids=[f"{page} line {block.line}" for page, block in SNIPPETS]
)
async def test_a_snippet_runs(page: str, block: Block, account: Sandbox, anyio_backend_name: str) -> None:
    """What a page shows works, on asyncio and on trio, for a reader who copies it alone; nobody is texted twice."""
    assert page != "docs/sandbox.md" or "assert" in block.text

    if "httpx_aiohttp" in block.text and anyio_backend_name == "trio":
        pytest.skip("aiohttp is for asyncio alone")

    await run(page, block)

    assert page != "docs/campaigns.md" or set(account.counts.values()) <= {1}
    assert page != "docs/sources.md" or account.counts
    fetched = [name for name in ("certificate.pdf", "signed.pdf") if f'download("{name}"' in block.text]
    assert all("EMPRESA S.L." in PdfReader(name).pages[0].extract_text() for name in fetched)


async def test_the_bulk_snippet_names_the_broken_row(
    account: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example with a broken phone sends the others and says which row it was."""
    (block,) = [block for block in of("docs/bulk.md") if "send_bulk(recipients" in block.text]

    assert (await run("docs/bulk.md", block))["result"].accepted == 2
    assert "row 3" in capsys.readouterr().out


async def test_the_synchronous_example_sends_all(
    account: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the first snippet of its page."""
    names = await run("docs/sync.md", *of("docs/sync.md"))

    assert (len(account.counts), names["outcomes"].result.all_sent) == (1201, True)
    assert "1200" in capsys.readouterr().out


async def test_two_forms_are_one_campaign(account: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The second example goes on with the first one's campaign, so it has nothing left to send."""
    first, second, *_ = of("docs/campaigns.md")
    assert (await run("docs/campaigns.md", first))["summary"].sent == 2
    await run("docs/campaigns.md", second)

    assert "2 of 2 sent; 0 pending" in capsys.readouterr().out.splitlines()[-1]
    assert len(account.texts) == 2


def test_what_the_outboxs_page_shows_of_a_program_is_in_it() -> None:
    """The programs are run as a whole by test_outbox_frameworks.py."""
    shown = [block.text for block in blocks(ROOT / "docs/outbox.md") if block.text.startswith("# orders_")]
    assert len(shown) == 6
    for name, _, part in (text.partition("\n") for text in shown):
        program = (ROOT / "docs/examples" / name.removeprefix("# ")).read_text(encoding="utf-8")
        assert _unindented(part) in _unindented(program)


def _unindented(code: str) -> str:
    return re.sub(r"^ +", "", code, flags=re.MULTILINE)


def test_the_three_certified_flows_are_there() -> None:
    """Notify, notify with acceptance, contract with PDF: each has its snippet."""
    text = (ROOT / "docs/certified.md").read_text(encoding="utf-8")
    headings = ("Notify", "Notify with acceptance", "A contract with its PDF")
    assert all(f"## {heading}\n" in text for heading in headings)


def test_flags_and_methods_of_the_sandboxs_page_exist() -> None:
    """What a reader types is taken by the command, every method is there, and every kind of error is explained."""
    text = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")
    flags = set(re.findall(r"--[a-z-]+[a-z]", text))
    known = {f"--{name.replace('_', '-')}" for name in SandboxOptions.__annotations__} | {"--callback-url"}
    assert {"--state", "--time-scale", "--error-rate", "--host"} <= flags <= known

    rows = [
        line.split("|")[2] for line in text.splitlines() if line.startswith("| ") and line.count("|") == 4
    ]
    methods = {name for row in rows for name in re.findall(r"`([a-z_]+)(?:\(|`)", row)}
    assert {"reply", "switch_off", "error_rate"} <= methods
    assert all(hasattr(Sandbox, name) for name in methods), methods
    assert all(f"`{kind}`" in text for kind in ERROR_KINDS)
