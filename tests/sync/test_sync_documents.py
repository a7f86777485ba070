"""What docs/sync.md shows, run against the sandbox; its Django view and Celery task are in test_sync_frameworks."""

from __future__ import annotations

from typing import Any

import pytest

from mensatek_async.sandbox import Sandbox
from tests.markdown import ROOT, blocks

DOCUMENT = ROOT / "docs" / "sync.md"
SNIPPETS = [block for block in blocks(DOCUMENT) if block.language == "python"]


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A reader who copies it sends what it says."""
    with Sandbox() as sandbox:
        monkeypatch.setenv("MENSATEK_API_USER", sandbox.user)
        monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
        monkeypatch.setenv("MENSATEK_BASE_URL", sandbox.base_url)
        names: dict[str, Any] = {"__name__": "example"}
        block = SNIPPETS[0]
        exec(compile("\n" * (block.line - 1) + block.text, str(DOCUMENT), "exec"), names)

        assert len(sandbox.counts) == 1201
        assert names["outcomes"].result.all_sent
    assert "1200" in capsys.readouterr().out


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"line {block.line}")
def test_every_snippet_compiles(block: Any) -> None:
    """Those that need a framework are at least Python."""
    compile(block.text, str(DOCUMENT), "exec")
