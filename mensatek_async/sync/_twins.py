"""What the generated classes are built on: the asynchronous client behind them, and the ways to call it."""

from __future__ import annotations

import atexit
import os
import warnings
import weakref
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import Any, Generic, NoReturn, Self, TypeVar

from .._core.transport import closed_error
from ..client import AsyncMensatek
from ..contracts.contracts import Contracts
from ..loop_thread import Portal, portal
from ..models.recipient import Recipient
from ..opt_outs.opt_outs import OptOuts
from ._call import Call
from ._managed import Line, Managed
from ._rows import read_here

T = TypeVar("T")
A = TypeVar("A")  # an asynchronous class
B = TypeVar("B")  # another one
S = TypeVar("S")  # its synchronous twin
C = TypeVar("C", bound="Contracts | OptOuts")

_MOST = 1_000_000  # recipients of one send, where no client says how many
_AT_EXIT = 1.0  # seconds beyond the grace that connections are given to close when the interpreter ends


class _Held:
    """An asynchronous client, and the portal it was used in."""

    def __init__(self, make: Callable[[], AsyncMensatek], parent: Runner | None) -> None:
        self.make = make
        self.parent = parent
        self.portal: Portal | None = None
        self.closed = False
        # After a fork the parent's connections are in the child's memory too, and must not be closed from here.
        self._of_the_parent: list[AsyncMensatek] = []
        self.renew()

    def renew(self) -> None:
        """Make the client anew."""
        self._made_of = self.parent.client if self.parent else None
        self.client, self.portal, self._process = self.make(), None, os.getpid()

    def follow_the_fork(self) -> None:
        """Start afresh in a process that was forked from the one that used the client."""
        if self._process != os.getpid():
            self._of_the_parent.append(self.client)
            self.renew()
        elif self.parent is not None and self.parent.client is not self._made_of:
            self.renew()

    @property
    def is_open(self) -> bool:
        """Whether there may be connections of this process."""
        return not self.closed and self.portal is not None and self.portal.is_here

    @property
    def name(self) -> str:
        """What the client is called in messages."""
        return repr(self.client).replace("AsyncMensatek", "Mensatek", 1)


_held: weakref.WeakSet[_Held] = weakref.WeakSet()


def _warn(name: str) -> None:
    warnings.warn(f"unclosed {name}: use `with Mensatek(...)`, or close()", ResourceWarning, stacklevel=3)


def _dispose(held: _Held) -> None:
    """A client that nobody holds any more: never waits, since the garbage collector calls from anywhere."""
    if held.is_open and held.portal is not None:
        held.closed = True
        held.portal.leave(held.client.aclose())
        _warn(held.name)


def _at_exit() -> None:
    for held in list(_held):
        if held.is_open and held.portal is not None:
            held.portal.finish(held.client.aclose(), held.client._context.timeout.grace + _AT_EXIT)
            unclosed = held.name
            held.renew()  # what runs later at exit may still send
            _warn(unclosed)


atexit.register(_at_exit)


class Runner:
    """What a client, its resources and its streams share.

    Args:
        make: makes the asynchronous client, again after a fork.
        parent: of the client whose connections it uses; None for one with its own, which have to be closed.
    """

    def __init__(self, make: Callable[[], AsyncMensatek], parent: Runner | None = None) -> None:
        self._held = _Held(make, parent)
        if parent is None:
            _held.add(self._held)
            weakref.finalize(self, _dispose, self._held).atexit = False

    @property
    def client(self) -> AsyncMensatek:
        """The asynchronous client, of this process."""
        self._held.follow_the_fork()
        return self._held.client

    @property
    def grace(self) -> float:
        """Seconds for the answers on their way when something is interrupted."""
        return self._held.client._context.timeout.grace

    def open(self) -> Portal:
        """The portal, for a client that is not closed.

        Raises:
            ConfigurationError: it is, or there can be no portal.
        """
        held = self._held
        if held.closed:
            raise closed_error()
        if held.parent is not None:
            if held.parent._held.closed:
                raise closed_error(of_parent=True)
            held.parent.open()
        here = portal()
        if held.portal is None:
            held.portal = here
        return here

    def line(self) -> Line:
        """A conversation of several calls with the loop."""
        return Line(self.open(), self.grace)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one call to its end."""
        try:
            here = self.open()
        except BaseException:
            work.close()
            raise
        return Call(here, work, grace=self.grace).result()

    def close(self) -> None:
        """Close the connections; nothing is there to close when no call was made in this process."""
        held = self._held
        if held.is_open:
            here = self.open()
            held.closed = True
            with suppress(Exception):
                Call(here, held.client.aclose(), grace=self.grace).result()
        held.closed = True


class Twin(Generic[A]):
    """A synchronous class with the methods of an asynchronous one."""

    def __init__(self, runner: Runner, find: Callable[[AsyncMensatek], A]) -> None:
        self._runner = runner
        self._find = find

    @property
    def _original(self) -> A:
        return self._find(self._runner.client)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _read(self, to: str | Recipient | Iterable[str | Recipient]) -> Any:
        limits = self._runner.client._context.limits
        return read_here(to, max(limits.sms_per_request, limits.certified_per_request))

    def _open(
        self, manager: AbstractAsyncContextManager[B], twin: Callable[[B, Line], S]
    ) -> AbstractContextManager[S]:
        return Managed(self._runner.line, manager, twin)

    def __repr__(self) -> str:
        return _named_after(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: make a client in each process")


class ClientTwin(Twin[AsyncMensatek]):
    """A synchronous client over an asynchronous one."""

    def __init__(self, make: Callable[[], AsyncMensatek]) -> None:
        super().__init__(Runner(make), lambda client: client)

    def _close(self) -> None:
        self._runner.close()

    def _account(self, make: Callable[[], AsyncMensatek]) -> Self:
        """Return the twin of another account's client, with parts of its own."""
        twin = object.__new__(type(self))
        Twin.__init__(twin, Runner(make, self._runner), lambda client: client)
        for name, part in vars(self).items():
            if isinstance(part, Twin):
                setattr(twin, name, type(part)(twin._runner, part._find))
        return twin


class ClientlessTwin(Generic[C]):
    """The base of `SyncOptOuts` and `SyncContracts`."""

    def __init__(self, original: C) -> None:
        self._original = original

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return Call(portal(), work, grace=0).result()

    def _read(self, to: str | Recipient | Iterable[str | Recipient]) -> Any:
        return read_here(to, _MOST)

    def _close(self) -> None:
        self._run(self._original.aclose())

    def __repr__(self) -> str:
        return _named_after(self)


def _named_after(twin: ClientlessTwin[Any] | Twin[Any]) -> str:
    original = twin._original
    return repr(original).replace(type(original).__name__, type(twin).__name__, 1)


def original_of(twin: Any) -> Any:
    """Return the asynchronous object behind a synchronous one; anything else is refused further down."""
    return twin._original if isinstance(twin, ClientlessTwin | Twin) else twin
