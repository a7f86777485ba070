"""Synchronous classes over asynchronous ones that need no client, but a store alone."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, Generic, TypeVar

from ..contracts.contracts import Contracts
from ..loop_thread import portal
from ..models.recipient import Recipient
from ..opt_outs.opt_outs import OptOuts
from ._call import Call
from ._rows import read_here
from ._twins import Twin

_MOST = 1_000_000  # recipients of one send
T = TypeVar("T")
A = TypeVar("A", bound="Contracts | OptOuts")


class ClientlessTwin(Generic[A]):
    """The base of `SyncOptOuts` and `SyncContracts`."""

    def __init__(self, original: A) -> None:
        self._original = original

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return Call(portal(), work, grace=0).result()

    def _read(self, to: str | Recipient | Iterable[str | Recipient]) -> Any:
        return read_here(to, _MOST)

    def _close(self) -> None:
        self._run(self._original.aclose())

    def __repr__(self) -> str:
        name = type(self._original).__name__
        return repr(self._original).replace(name, type(self).__name__, 1)


def original_of(twin: Any) -> Any:
    """Return the asynchronous object behind a synchronous one; anything else is refused further down."""
    return twin._original if isinstance(twin, ClientlessTwin | Twin) else twin
