"""Synchronous opt-outs over asynchronous ones, which need no client."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from ..loop_thread import portal
from ..opt_outs.opt_outs import OptOuts
from ._call import Call

T = TypeVar("T")


class OptOutsTwin:
    """The base of `SyncOptOuts`."""

    def __init__(self, original: OptOuts) -> None:
        self._original = original

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return Call(portal(), work, grace=0).result()

    def _close(self) -> None:
        self._run(self._original.aclose())

    def __repr__(self) -> str:
        return repr(self._original).replace("OptOuts", type(self).__name__, 1)


def original_of(opt_outs: Any) -> Any:
    """Return the asynchronous opt-outs behind synchronous ones; anything else is refused further down."""
    return opt_outs._original if isinstance(opt_outs, OptOutsTwin) else opt_outs
