"""The block of campaigns: its database and the task group it reads in."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from .._core.operations import positive_seconds
from ..errors import ConfigurationError
from ..store.opening import open_database
from ..store.threads import in_thread
from ..tracebacks import private
from .journal.schema import CAMPAIGNS
from .session import CampaignSession, Client


class Opening:
    """A store in the hands of a client."""

    def __init__(self, client: Client, store: str | os.PathLike[str], lease: float, poll: float) -> None:
        positive_seconds("lease", lease)
        positive_seconds("poll", poll)
        if not hasattr(client, "_context"):
            raise ConfigurationError(
                f"client is an AsyncMensatek, not {type(client).__name__}.",
                advice="Campaigns of a Mensatek are `SyncCampaigns`, or `client.campaigns(store)`.",
            )
        self._db = open_database(store, CAMPAIGNS)
        self._session = CampaignSession(client, self._db, lease, poll)
        self._group: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        if self._group is not None:
            raise ConfigurationError(
                "These campaigns are open already.", advice="Use one `async with` at a time."
            )
        self._group = await anyio.create_task_group().__aenter__()
        self._session.open(self._group)
        return self

    @private
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        group, self._group = self._group, None
        try:
            await self._session.close(wait=error is None)
        finally:
            try:
                if group is not None:
                    group.cancel_scope.cancel()
                    await group.__aexit__(None, None, None)
            finally:
                with anyio.CancelScope(shield=True):
                    await in_thread(self._db.close)
