"""The imported synchronous classes beside the asynchronous ones: the same names, parameters and words."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest

from mensatek_async.sync._generate.rules import METHODS, NAME, SOURCES, Source

# Parameters whose type differs, because they are read and called where the caller is.
OTHER_TYPES = {"opt_outs", "outbox", "recipients", "on_progress"}


def _public(cls: type[Any]) -> dict[str, Any]:
    return {
        name: inspect.getattr_static(cls, name)
        for name in dir(cls)
        if not name.startswith("_") or name in METHODS or name in METHODS.values()
    }


def _parameters(function: Any, typed: bool) -> list[tuple[Any, ...]]:
    return [
        (
            one.name,
            one.kind,
            one.default,
            typed and one.name not in OTHER_TYPES and str(one.annotation).strip("'\""),
        )
        for one in inspect.signature(function).parameters.values()
    ]


def _words(documented: Any) -> list[str]:
    # Python 3.13 removes the indentation of docstrings.
    return re.sub(r"\b(async|await)\s+|Async|Sync|\ba(?=close\b)", "", documented.__doc__).split()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.twin)
def test_both_say_the_same(source: Source) -> None:
    """Nothing is missing and nothing more is there; a property is a property, a method a method that is not awaited,
    with the same parameters in the same order; the words are the same without `async` and `await`."""
    original = getattr(
        importlib.import_module(f"{NAME}.{source.path.removesuffix('.py').replace('/', '.')}"), source.name
    )
    twin = getattr(
        importlib.import_module(f"{NAME}.sync.generated.{source.target.removesuffix('.py')}"), source.twin
    )
    members, others = _public(original), _public(twin)
    # Set by its constructor there.
    also = {"issuer"} if source.name == "AsyncMensatek" else set()
    assert set(others) == {METHODS.get(name, name) for name in members} | also
    assert _words(original) == _words(twin)
    if source.name in ("AsyncMensatek", "Campaigns"):
        assert _parameters(original, typed=False) == _parameters(twin, typed=False)
    for name, member in members.items():
        other = others[METHODS.get(name, name)]
        assert isinstance(member, property) is isinstance(other, property), name
        assert not inspect.iscoroutinefunction(other), name
        assert not inspect.isasyncgenfunction(other), name
        if callable(member):
            typed = not name.startswith("_")
            assert _parameters(member, typed) == _parameters(other, typed), name
        assert name.startswith("_") or _words(member) == _words(other), name
