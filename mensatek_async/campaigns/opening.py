"""Whose campaigns they are, and their blocks: `async with` for an AsyncMensatek, `with` for a Mensatek."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import anyio
from anyio.abc import TaskGroup

from .._core.params import positive_seconds
from ..errors import ConfigurationError
from ..store.threads import in_thread
from ..tracebacks import private
from .session import Client as AsyncClient
from .session import Desk, open_database

Twin_co = TypeVar("Twin_co", covariant=True)


class SyncClient(Protocol[Twin_co]):
    """What of a synchronous client campaigns need: it makes their synchronous twin."""

    def _campaigns(self, store: str | os.PathLike[str], *, lease: float, poll: float) -> Twin_co: ...


if TYPE_CHECKING:  # so that `Campaigns` alone, without brackets, is the asynchronous one
    from typing_extensions import TypeVar as TypeVarWithDefault

    Client = TypeVarWithDefault(
        "Client", bound=AsyncClient | SyncClient[Any], covariant=True, default=AsyncClient
    )
else:
    Client = TypeVar("Client", covariant=True)
Twin = TypeVar("Twin", bound=AbstractContextManager[Any])
Own = TypeVar("Own", bound="Opening[AsyncClient]")


class Opening(Generic[Client]):
    """A store in the hands of a client, which decides how its block is entered."""

    def __init__(self, client: Client, store: str | os.PathLike[str], lease: float, poll: float) -> None:
        positive_seconds("lease", lease)
        positive_seconds("poll", poll)
        self._db = open_database(store)
        self._client = client
        self._given = (store, lease, poll)
        self._twin: AbstractContextManager[Any] | None = None
        self._group: TaskGroup | None = None
        self._made: Desk | None = None
        if hasattr(client, "_context"):
            self._made = Desk(cast(AsyncClient, client), self._db, lease, poll)
        elif not hasattr(client, "_campaigns"):
            raise ConfigurationError(
                f"client is an AsyncMensatek or a Mensatek, not {type(client).__name__}."
            )

    @property
    def _desk(self) -> Desk:
        if self._made is None:
            raise ConfigurationError(
                "These campaigns belong to a Mensatek, which is synchronous.",
                advice="Use `with Campaigns(client, ...) as campaigns:`, or an AsyncMensatek.",
            )
        return self._made

    async def __aenter__(self: Own) -> Own:
        desk = self._desk
        if self._group is not None:
            raise ConfigurationError(
                "These campaigns are open already.", advice="Use one `async with` at a time."
            )
        self._group = await anyio.create_task_group().__aenter__()
        desk.open(self._group)
        return self

    @private
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        try:
            await self._desk.close(wait=error is None)
        finally:
            try:
                if group is not None:
                    group.cancel_scope.cancel()
                    await group.__aexit__(None, None, None)
            finally:
                with anyio.CancelScope(shield=True):
                    await in_thread(self._db.close)

    def __enter__(self: Opening[SyncClient[Twin]]) -> Twin:
        if self._made is not None:
            raise ConfigurationError(
                "These campaigns belong to an AsyncMensatek.",
                advice="Use `async with Campaigns(client, ...) as campaigns:`, or a Mensatek.",
            )
        if self._twin is not None:
            raise ConfigurationError("These campaigns are open already.", advice="Use one `with` at a time.")
        store, lease, poll = self._given
        twin = self._client._campaigns(store, lease=lease, poll=poll)
        entered: Twin = twin.__enter__()
        self._twin = twin
        return entered

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        twin, self._twin = self._twin, None
        if twin is not None:
            twin.__exit__(kind, error, trace)
