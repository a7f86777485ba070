"""`Outbox`: single texts by key, each sent once whatever happens."""

from __future__ import annotations

import builtins
import os
import time
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import anyio

from .._core.context import Client
from .._core.operations import positive_seconds
from ..durable.content import SendOptions
from ..durable.forgetting import forget_items
from ..models.events import DeliveryReport, Event
from ..models.outbox import OutboxItem, OutboxState
from ..models.recipient import Recipient
from ..phones import normalise
from ..store.threads import in_thread
from ..text.template import Template
from ..tracebacks import private
from . import upkeep
from .entries import ParamStyle, statement
from .session import OutboxSession
from .stream import OutboxStream


@private
class Outbox:
    """Single texts by key: the text of an order, a booking or a login, each sent once whatever happens.

    Use it as `async with Outbox(client, store="outbox.db") as outbox:`. `put` writes a text down under a key of yours,
    and a worker sends it: `run` in this process or another, or `drain` in slices. A repeated `put` of the same key
    sends nothing again, and a process that dies loses nothing. An answer that gets lost leaves the item `unknown`: it
    is never sent twice, unless it says so.

    Args:
        client: the client whose account sends.
        store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`). It may
            be the store of campaigns too, whose shared rate it then keeps to.
        lease: seconds after which a worker that shows no life is taken for dead. A request is given half of it.
        poll: seconds between two looks at what other processes have put. Default: 0.05 in a SQLite file, and 1 in
            PostgreSQL, which tells of it besides.
        rate: items a second, over everybody who uses the store; None sets no limit.

    Raises:
        InvalidRequest: the store's name or a number cannot be.
        ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
    """

    def __init__(
        self,
        client: Client,
        store: str | os.PathLike[str] = "outbox.db",
        *,
        lease: float = 60.0,
        poll: float | None = None,
        rate: float | None = None,
    ) -> None:
        self._session = OutboxSession(client, store, lease, poll, rate)

    async def put(
        self,
        key: str,
        to: str | Recipient,
        text: str | Template,
        *,
        product: Literal["sms", "certified"] = "sms",
        not_after: datetime | timedelta | None = None,
        repeat_unknown: bool = False,
        **options: Unpack[SendOptions],
    ) -> OutboxItem:
        """Write a text down to be sent once, or find the one of this key.

        Everything is checked as in a send before anything is written. An idle worker sends it at once.

        Args:
            key: your name for this text, such as "order-42-shipped": one line of up to 200 characters.
            to: the phone, or a `Recipient` with the fields of a template.
            text: the text, or a `Template`.
            product: "sms", or "certified" for certified and contract texts.
            not_after: a timedelta from now on, or an aware datetime, after which it is not sent any more and ends as
                "expired". That of the first `put` of a key counts.
            repeat_unknown: whether to send it again where the answer got lost, so that it may come twice: for a login
                code. It is repeated four times at most.
            options: those of a send: sender, scheduled_at, reference, report, voice_fallback, encoding, fix_utf8; of
                certified texts issuer, contract_type, validity, identify, acceptance_days and report_email too.

        Returns:
            The item, as it stands.

        Raises:
            InvalidRequest: or one of its kinds: the key, the phone, the text or an option is wrong.
            OutboxConflict: the item of this key has another recipient, text or options.
            StoreError: the store cannot be used.
        """
        more = {"product": product, "not_after": not_after, "repeat_unknown": repeat_unknown, **options}
        return await self._session.put(self._session.entry(key, to, text, **more))

    def statement(
        self,
        key: str,
        to: str | Recipient,
        text: str | Template,
        *,
        paramstyle: ParamStyle = "pyformat",
        product: Literal["sms", "certified"] = "sms",
        not_after: datetime | timedelta | None = None,
        repeat_unknown: bool = False,
        **options: Unpack[SendOptions],
    ) -> tuple[str, Any]:
        """Return a `put` as one INSERT for a connection of yours: it is sent if your transaction commits, or never.

        The connection is to the store's own database, in which `create_tables` has made the tables. In PostgreSQL the
        commit wakes the workers; in a SQLite file they look for it. Where the key is there already, the statement
        changes nothing (its row count is 0), whatever the content; `put` the same afterwards to have that checked.

        Args:
            key: its key.
            to: the phone, or a `Recipient`.
            text: the text, or a `Template`.
            paramstyle: how the driver wants values: "pyformat", `%(name)s` with a dict, for psycopg and Django's
                cursors; "named", `:name` with a dict, for `text()` of SQLAlchemy and for sqlite3; "qmark", `?`, or
                "numeric", `:1`, with a tuple.
            product: "sms", or "certified".
            not_after: when it expires; a timedelta counts from the statement's execution, by the database's clock.
            repeat_unknown: whether to send it again where the answer got lost.
            options: those of a send, as in `put`.

        Returns:
            The SQL, and its values: a dict or a tuple.

        Raises:
            InvalidRequest: or one of its kinds: something is wrong, as in `put`.
        """
        more = {"product": product, "not_after": not_after, "repeat_unknown": repeat_unknown, **options}
        return statement(self._session.db, self._session.entry(key, to, text, **more), paramstyle)

    async def create_tables(self) -> None:
        """Create the tables of the outbox, or bring older ones up to date; `put` and the workers do so too.

        Raises:
            StoreError: the store cannot be used.
        """
        await self._session.change(lambda tx: None)

    async def get(self, key: str) -> OutboxItem | None:
        """Return the item of a key, None when there is none; nothing is changed.

        Args:
            key: its key.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._session.get(key)

    async def wait(self, key: str, timeout: float | timedelta = 10.0) -> OutboxItem:
        """Wait until an item has ended, whoever sends it; return it as it stands then, or after the timeout.

        Args:
            key: its key.
            timeout: seconds, or a timedelta; 0 to have a look.

        Returns:
            The item.

        Raises:
            OutboxNotFound: there is none of this key.
            StoreError: the store cannot be read.
        """
        return await self._session.wait(key, positive_seconds("timeout", timeout) if timeout else 0.0)

    def run(self, *, concurrency: int | None = None) -> AbstractAsyncContextManager[OutboxStream]:
        """Send while the block lasts: `async with outbox.run() as items:`, a worker until the block is left.

        `async for item in items:` gives each item that it brings to an end; nobody has to read them. Any number of
        workers, in as many processes and machines as you like, share the work. Leaving the block lets what is on its
        way land, for `Timeout.grace` seconds.

        Operations of the API: EnviarSMS or EnviarSMSCERTIFICADO, one for each item.

        Args:
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.

        Returns:
            A context manager that gives a stream of `OutboxItem`.

        Raises:
            StoreError: the store cannot be used from the start; one that fails later is waited for, as the log says.
        """
        stream, slots = OutboxStream(), self._session.slots(concurrency)
        return stream._running(lambda: self._session.work(slots, stream._add))

    async def drain(
        self, budget: float | timedelta | None = 60.0, *, concurrency: int | None = None
    ) -> dict[str, int]:
        """Send one slice: until nothing is left that can be sent, or the time is up. For Celery and cron.

        Operations of the API: EnviarSMS or EnviarSMSCERTIFICADO, one for each item.

        Args:
            budget: seconds, or a timedelta, after which to stop; what is on its way lands. None sets no limit.
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.

        Returns:
            By state, how many items this slice has brought to an end; as "queued" and "sending", how many are left.

        Raises:
            StoreError: the store cannot be written; nothing more was sent.
        """
        until = None if budget is None else time.monotonic() + positive_seconds("budget", budget)
        return await self._session.drain(self._session.slots(concurrency), until)

    async def cancel(self, key: str) -> OutboxItem:
        """Cancel an item that is still queued; any other stays as it is.

        Args:
            key: its key.

        Returns:
            The item, as it stands then: "cancelled", if that came in time.

        Raises:
            OutboxNotFound: there is none of this key.
            StoreError: the store cannot be written.
        """
        return await self._session.item(key, upkeep.cancel)

    async def retry(self, key: str) -> OutboxItem:
        """Put an item into the queue again that failed, was cancelled, or is unknown: that one may come twice.

        Args:
            key: its key.

        Returns:
            The item, as it stands then.

        Raises:
            OutboxNotFound: there is none of this key.
            StoreError: the store cannot be written.
        """
        item = await self._session.item(key, upkeep.retry)
        self._session.wake()
        return item

    async def list(self, *, state: OutboxState | None = None, limit: int = 1000) -> builtins.list[OutboxItem]:
        """Return the newest items, in one state or in any.

        Args:
            state: "queued", "sending", "sent", "unknown", "failed", "expired" or "cancelled"; None for any.
            limit: how many at most.

        Returns:
            The items, the newest first; empty where there is no store yet.

        Raises:
            InvalidRequest: there is no such state.
            StoreError: the store cannot be read.
        """
        return await self._session.listed(state, limit)

    async def counts(self) -> dict[str, int]:
        """Return how many items are in each state; a `StoreError` where the store cannot be read."""
        return await self._session.counts()

    async def overdue(self, seconds: float | timedelta) -> int:
        """Return how many items could have been sent for so long, and are not: for a health check of the workers.

        They wait for a worker, or for an account that is held.

        Args:
            seconds: seconds, or a timedelta.

        Raises:
            StoreError: the store cannot be read.
        """
        since = positive_seconds("seconds", seconds)
        return await self._session.look_up(0, lambda tx, account: upkeep.overdue(tx, account, since))

    async def record(self, event: Event) -> bool:
        """Take in what a webhook brought: a delivery report settles an unknown item and fills its `status`.

        Args:
            event: what `mensatek_async.webhooks` gave; anything but a `DeliveryReport` is passed over. The same one
                twice, out of order or days late does no harm.

        Returns:
            Whether it was about an item of this store.

        Raises:
            StoreError: the store cannot be written: let the webhook fail, so that the provider may try again.
        """
        return isinstance(event, DeliveryReport) and await self._session.record(event)

    async def purge(self, older_than: float | timedelta) -> int:
        """Take phones and texts out of the items that ended so long ago: also out of free pages of the file.

        Their keys and states stay.

        Args:
            older_than: seconds, or a timedelta, since their end.

        Returns:
            How many were purged.

        Raises:
            StoreError: the store cannot be written.
        """
        return await self._session.purge(positive_seconds("older_than", older_than))

    async def forget(self, phone: str) -> int:
        """Take a phone, and the texts to it, out of the store; what waits to be sent to it is cancelled.

        Args:
            phone: the phone, written in any way.

        Returns:
            From how many items it was taken.

        Raises:
            InvalidPhone: it is no phone.
            StoreError: the store cannot be written.
        """
        digits = normalise(phone, self._session.context.region)
        if not await self._session.is_there():
            return 0
        return await self._session.erase(lambda tx: forget_items(tx, digits))

    async def aclose(self) -> None:
        """Close the store. A second time does nothing."""
        with anyio.CancelScope(shield=True):
            await in_thread(self._session.db.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Outbox store={self._session.db.shown}>"
