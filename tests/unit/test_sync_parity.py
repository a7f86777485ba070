"""The imported synchronous classes beside the asynchronous ones: the same names, parameters and words."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest

from mensatek_async.sync._generate.rules import METHODS, NAME, SOURCES, Source

PAIRS = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.twin)
RENAMED = {"aclose": "close"}
# Parameters whose type differs, because they are read and called where the caller is.
OTHER_TYPES = {"recipients", "on_progress"}


def _classes(source: Source) -> tuple[type[Any], type[Any]]:
    original = importlib.import_module(f"{NAME}.{source.path.removesuffix('.py').replace('/', '.')}")
    twin = importlib.import_module(f"{NAME}.sync.generated.{source.target.removesuffix('.py')}")
    return getattr(original, source.name), getattr(twin, source.twin)


def _public(cls: type[Any]) -> dict[str, Any]:
    return {
        name: inspect.getattr_static(cls, name)
        for name in dir(cls)
        if not name.startswith("_") or name in METHODS or name in METHODS.values()
    }


@PAIRS
def test_the_same_names(source: Source) -> None:
    """Nothing is missing and nothing is there that the asynchronous class does not have."""
    original, twin = _classes(source)
    expected = {METHODS.get(name, name) for name in _public(original)}
    if source.name == "AsyncMensatek":  # set by its constructor there
        expected |= {"issuer"}

    assert set(_public(twin)) == expected


@PAIRS
def test_the_same_kinds(source: Source) -> None:
    """A property is a property, a method a method, and nothing has to be awaited."""
    original, twin = _classes(source)
    for name, member in _public(original).items():
        other = _public(twin)[METHODS.get(name, name)]
        assert isinstance(member, property) is isinstance(other, property), name
        assert not inspect.iscoroutinefunction(other), name
        assert not inspect.isasyncgenfunction(other), name


@PAIRS
def test_the_same_parameters(source: Source) -> None:
    """Names, order, kinds and defaults; and the types, but for what is read or called in the caller's thread."""
    original, twin = _classes(source)
    members = [(name, METHODS.get(name, name)) for name in _public(original)]
    if source.name in ("AsyncMensatek", "Campaigns"):
        members.append(("__init__", "__init__"))
    for name, other in members:
        if not callable(getattr(original, name)) or isinstance(
            inspect.getattr_static(original, name), property
        ):
            continue
        expected = inspect.signature(getattr(original, name)).parameters
        found = inspect.signature(getattr(twin, other)).parameters
        assert list(found) == list(expected), name
        for one, two in zip(expected.values(), found.values(), strict=True):
            assert (one.kind, one.default) == (two.kind, two.default), f"{name}: {one}"
            if one.name not in OTHER_TYPES and not name.startswith("__"):
                assert str(one.annotation).replace("'", '"') == str(two.annotation).replace("'", '"')


@PAIRS
def test_the_same_words(source: Source) -> None:
    """The docstring is the asynchronous one's, without `async` and `await`."""
    original, twin = _classes(source)
    pairs: list[tuple[Any, Any]] = [(original, twin)]
    pairs += [
        (member, _public(twin)[METHODS.get(name, name)])
        for name, member in _public(original).items()
        if not name.startswith("_")
    ]
    for one, two in pairs:
        # Python 3.13 removes the indentation of docstrings.
        words, others = (
            re.sub(r"\b(async|await)\s+|Async|Sync|\ba(?=close\b)", "", f.__doc__) for f in (one, two)
        )
        assert words.split() == others.split()


def test_the_constructor_has_every_part() -> None:
    """`client.sms` and the other resources are there on both."""
    client = importlib.import_module(NAME)
    original = client.AsyncMensatek("user", "token")
    twin = client.Mensatek("user", "token")
    parts = {name for name in vars(original) if not name.startswith("_")}

    assert parts == {name for name in parts if hasattr(twin, name)}
    assert parts >= {"sms", "files"}
