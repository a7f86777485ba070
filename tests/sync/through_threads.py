"""`Mensatek` behind the face of `AsyncMensatek`: each call goes to a worker thread, as legacy code would make it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

import pytest
from anyio import to_thread

from mensatek_async import Mensatek, SyncBulkStream
from mensatek_async.sync._twins import Twin

INTEGRATION = Path(__file__).parents[1] / "integration"


class _Face:
    """A synchronous object whose methods can be awaited."""

    def __init__(self, twin: Any) -> None:
        self._twin = twin

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._twin, name)
        if isinstance(found, Twin):
            return _Face(found)
        if name == "bulk":
            return lambda *given, **named: _Block(found(*given, **named))
        if callable(found):
            return lambda *given, **named: to_thread.run_sync(partial(found, *given, **named))
        return found


class ThroughThreads(_Face):
    """Stands in for `AsyncMensatek` in its tests."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(Mensatek(*given, **settings))

    async def aclose(self) -> None:
        await to_thread.run_sync(self._twin.close)

    async def __aenter__(self) -> Self:
        self._twin.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await to_thread.run_sync(self._twin.__exit__, kind, error, trace)


class _Block:
    """The block of a stream."""

    def __init__(self, managed: Any) -> None:
        self._managed = managed

    async def __aenter__(self) -> _Outcomes:
        return _Outcomes(await to_thread.run_sync(self._managed.__enter__))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        left: bool = await to_thread.run_sync(self._managed.__exit__, kind, error, trace)
        return left


class _Outcomes:
    """A stream's outcomes, awaited."""

    def __init__(self, stream: SyncBulkStream) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        end = object()
        found = await to_thread.run_sync(next, self._stream, end)
        if found is end:
            raise StopAsyncIteration
        return found


def cases(module: str, *, apart: Mapping[str, str]) -> dict[str, Any]:
    """The tests, marks and fixtures of the asynchronous client's suite, with the synchronous client in its place.

    Args:
        module: the suite, a file of tests/integration.
        apart: tests that are about asynchronous code itself, with what stands in for each here.
    """
    copy = _load(INTEGRATION / f"{module}.py")
    copy.AsyncMensatek = ThroughThreads  # type: ignore[attr-defined]
    missing = apart.keys() - vars(copy).keys()
    assert not missing, f"there is no {missing} any more"
    return {
        name: value
        for name, value in vars(copy).items()
        if name not in apart
        and (name.startswith("test_") or name == "pytestmark" or isinstance(value, _FIXTURE))
    }


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"sync_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_FIXTURE = type(pytest.fixture(lambda: None))
