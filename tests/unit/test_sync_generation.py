"""The generator of the synchronous client: its output is current, and it refuses what it cannot translate."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mensatek_async.sync import _generate
from mensatek_async.sync._generate import CannotGenerate, Rules, Writer, differences
from mensatek_async.sync._generate.docstrings import plain_code, plain_docstring
from mensatek_async.sync._generate.rules import KEPT_PROSE, PACKAGE, PHRASES, Source

SAMPLE = '''
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Literal, overload

from ..bulk.outcomes import BulkStream

class SampleResource:
    """A sample."""

    @overload
    async def get(self, raw: Literal[True]) -> bytes: ...
    @overload
    async def get(self, raw: bool = False) -> str | bytes: ...
    async def get(self, raw: bool = False) -> str | bytes:
        """Get it: `await client.sample.get()`."""
        return ""

    @property
    def size(self) -> int:
        """How large."""
        return 1

    def plain(self, name: str, *, how: Literal['a', 'b'] = 'a') -> str:
        """No waiting."""
        return name

    def _hidden(self) -> None: ...
'''


def written(text: str, base: str = "Twin") -> str:
    """What is generated from a source."""
    source = Source("resources/sample.py", "SampleResource", "SyncSampleResource", "_sample.py", base)
    return Writer(source, ast.parse(text), Rules()).write()


def test_the_generated_files_are_current() -> None:
    """Whoever changes the asynchronous client runs `python -m mensatek_async.sync._generate`."""
    assert "".join(differences()) == ""


def test_two_runs_write_the_same() -> None:
    """Nothing depends on the order of a set."""
    assert _generate.generate() == _generate.generate()


def test_a_change_in_the_source_is_a_difference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The comparison sees a changed line, a missing file and one that nobody knows."""
    folder = tmp_path / "sync"
    folder.mkdir()
    files = {folder / path.name: text for path, text in _generate.generate().items()}
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(_generate, "generate", lambda: files)
    monkeypatch.setattr(_generate, "GENERATED", folder)
    assert list(differences()) == []

    (folder / "_sms.py").write_text("changed", encoding="utf-8")
    (folder / "_files.py").unlink()
    (folder / "_forgotten.py").write_text("", encoding="utf-8")
    found = "".join(differences())

    assert "-changed" in found
    assert "+class SyncFilesResource" in found
    assert "_forgotten.py is generated from nothing" in found


def test_each_kind_of_member_has_its_form() -> None:
    """Overloads stay, properties stay, what waits is run, what does not is handed on, what is private is left out."""
    text = written(SAMPLE)

    assert text.count("@overload") == 2
    assert "def get(self, raw: Literal[True]) -> bytes: ..." in text
    assert "return self._run(self._original.get(raw))" in text
    assert "return self._original.size" in text
    assert "return self._original.plain(name, how=how)" in text
    assert 'how: Literal["a", "b"] = "a"' in text
    assert "Get it: `client.sample.get()`." in text
    assert "_hidden" not in text
    compile(text, "sample", "exec")


@pytest.mark.parametrize(
    ("member", "why"),
    [
        ("    async def each(self) -> AsyncIterator[int]:\n        yield 1\n", "async generator"),
        ("    async def loose(self, **more: int) -> None: ...\n", "handed on"),
        ("    async def untyped(self): ...\n", "return type"),
        ("    @staticmethod\n    def free() -> None: ...\n", "decorator"),
        ("    def later(self) -> AsyncIterator[int]: ...\n", "left over"),
        ('    async def told(self) -> None:\n        """Does it asynchronously."""\n', "docstring"),
        ('    async def shown(self) -> None:\n        """Use `await (it`."""\n', "parsed"),
    ],
)
def test_what_has_no_synchronous_form_is_refused(member: str, why: str) -> None:
    """A mistake in the source is an error of the generator, not something that users find."""
    with pytest.raises(CannotGenerate, match=why):
        written(SAMPLE + "\n" + member)


def test_a_class_that_is_not_there_is_refused() -> None:
    """A renamed class does not silently disappear from the synchronous client."""
    with pytest.raises(CannotGenerate, match="SampleResource"):
        written("class Other: ...")


def test_a_rule_that_nothing_needs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phrases and names that left the source leave the tables too."""
    monkeypatch.setitem(PHRASES, "prose that nobody wrote", "anything")

    with pytest.raises(CannotGenerate, match="prose that nobody wrote"):
        _generate.generate()


@pytest.mark.parametrize(
    ("code", "plain"),
    [
        ("await client.credits()", "client.credits()"),
        ("async with AsyncMensatek() as client:", "with Mensatek() as client:"),
        ("async for outcome in outcomes:", "for outcome in outcomes:"),
        ("await client.aclose()", "client.close()"),
        ("async with client.sms.bulk(...) as outcomes:", "with client.sms.bulk(...) as outcomes:"),
    ],
)
def test_code_in_docstrings_is_parsed(code: str, plain: str) -> None:
    """Examples are translated as code, not as text."""
    assert plain_code(code, Rules()) == plain


def test_only_what_changed_is_wrapped_anew() -> None:
    """The other lines stay as they were written."""
    before, after = "First\nline, broken oddly.\n\nArgs:\n", "    b: stays\n        broken.\n"

    found = plain_docstring(f"{before}    a: calls `await f()`,\n        twice.\n{after}", Rules())

    assert found == f"{before}    a: calls `f()`, twice.\n{after}"


def _generated() -> Iterator[tuple[str, str]]:
    for path in sorted((PACKAGE / "sync" / "generated").glob("_*.py")):
        text = path.read_text(encoding="utf-8")
        if "do not edit" in text.partition("\n")[0]:
            yield path.name, text


def test_the_generated_files_hold_no_thinking() -> None:
    """One delegating line a method: no branch, no loop, no handler."""
    names = []
    for name, text in _generated():
        names.append(name)
        for node in ast.walk(ast.parse(text)):
            assert not isinstance(node, ast.If | ast.For | ast.While | ast.Try | ast.Await), f"{name}: {node}"
            if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                code = [
                    line for line in node.body if not (isinstance(line, ast.Expr) and _is_text(line.value))
                ]
                assert len(code) <= 1, f"{name}: {node.name}"
        assert "async " not in text.replace(KEPT_PROSE, "")
    assert {"_client.py", "_sms.py", "_files.py", "_outcomes.py"} <= set(names)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
