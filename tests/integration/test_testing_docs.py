"""The test files of docs/testing.md, run by pytest as a reader would run them."""

from __future__ import annotations

import ast
import importlib.util

import pytest

from tests.markdown import ROOT, Block, blocks

pytest_plugins = ["pytester"]

PAGE = ROOT / "docs" / "testing.md"
SNIPPETS = [block for block in blocks(PAGE) if block.language == "python"]
FRAMEWORKS = {"django", "fastapi"}


def needs(block: Block) -> set[str]:
    """The frameworks that a block imports."""
    nodes = list(ast.walk(ast.parse(block.text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names} & FRAMEWORKS


def held_by(block: Block) -> int:
    """How many tests a block holds."""
    return sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for node in ast.parse(block.text).body
    )


def run(pytester: pytest.Pytester, chosen: list[Block]) -> None:
    """Run blocks as the files they are, all warnings being errors."""
    pytester.makepyfile(**{f"test_line_{block.line}": block.text for block in chosen})

    result = pytester.runpytest_subprocess(
        "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error", "-rA"
    )

    skipped = sum("mark.skip" in block.text for block in chosen)
    result.assert_outcomes(passed=sum(map(held_by, chosen)) - skipped, skipped=skipped)


def test_the_pages_tests_pass(pytester: pytest.Pytester) -> None:
    """What a reader copies works: on asyncio, on trio, in plain tests, with a webhook, with faults."""
    chosen = [block for block in SNIPPETS if not needs(block)]

    assert len(chosen) >= 7
    run(pytester, chosen)


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_the_pages_views_are_tested(pytester: pytest.Pytester, framework: str) -> None:
    """The examples of a web framework, where it is installed: the session tests_plugin has both."""
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    (block,) = [block for block in SNIPPETS if framework in needs(block)]

    run(pytester, [block])
