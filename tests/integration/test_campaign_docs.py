"""The Python of docs/campaigns.md, run as a reader would; its Celery tasks are in tests/sync."""

from __future__ import annotations

from typing import Any

import pytest

from mensatek_async.sandbox import Sandbox
from tests.integration.test_readme_snippets import account, run
from tests.markdown import ROOT, Block, blocks

__all__ = ["account"]  # a fixture

SNIPPETS = [
    block
    for block in blocks(ROOT / "docs" / "campaigns.md")
    if block.language == "python" and "celery" not in block.text
]


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: f"line {block.line}")
async def test_a_snippet_runs(block: Block, account: Sandbox) -> None:
    """What the page shows works, on asyncio and on trio, for a reader who copies it alone; nobody is texted twice."""
    await run(block)

    assert set(account.counts.values()) <= {1}


async def test_the_two_forms_are_one_campaign(account: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The second example goes on with the first one's campaign, so it has nothing left to send."""
    first: dict[str, Any] = await run(SNIPPETS[0])
    await run(SNIPPETS[1])

    assert first["summary"].sent == 2
    assert "2 of 2 sent; 0 pending" in capsys.readouterr().out.splitlines()[-1]
    assert len(account.texts) == 2
