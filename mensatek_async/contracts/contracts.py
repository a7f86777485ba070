"""`Contracts`: who has opened, read, signed or rejected theirs, and what expires when."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, Unpack, cast, get_args

import anyio
from attrs import evolve

from .._core.messages.certified import check_days, validity_parts
from .._core.messages.options import message_number
from .._core.operations import bounded, positive_seconds
from ..durable.content import SendOptions
from ..durable.forgetting import forget_contracts
from ..errors import InvalidDate, InvalidRequest
from ..models.contracts import Contract, ContractState, WaitingFor
from ..models.events import DeliveryReport, Event
from ..models.recipient import Recipient
from ..models.results import SendResult
from ..outbox.outbox import Outbox
from ..phones import check_region, normalise
from ..store.opening import open_database
from ..store.threads import in_thread
from ..store.transaction import Tx
from ..text.template import Template
from ..tracebacks import private
from . import sent, tables
from .reminders import remind

T = TypeVar("T")
_ALL = 1_000_000


@private
class Contracts:
    """Contracts in flight: who has opened, read, signed or rejected theirs, and what expires when.

    It knows what webhooks told `record`, what `record_sent` was told, and what campaigns of the same store have sent.
    Certified texts sent with `acceptance_days` count as contracts. It is opened at the first use.

    Args:
        store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`). It may be
            the store of campaigns, of an outbox or of both.
        region: the two-letter country of phones written without a prefix.

    Raises:
        InvalidRequest: the store's name or the region cannot be.
        ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
    """

    def __init__(self, store: str | os.PathLike[str], *, region: str = "ES") -> None:
        self._db = open_database(store, tables.CONTRACTS)
        self._db.close_with(self)
        self._region = check_region(region)

    async def record(self, event: Event) -> bool:
        """Take in what a webhook brought.

        Args:
            event: what `mensatek_async.webhooks` gave; anything but a `DeliveryReport` of a certified text or a
                contract is passed over. The same one twice, out of order, days late, or before its contract is known
                does no harm.

        Returns:
            Whether it is about a contract, as far as is known by now.

        Raises:
            StoreError: the store cannot be written: let the webhook fail, so that the provider may try again.
        """
        if not isinstance(event, DeliveryReport) or not event.status.certifies:
            return False
        return await in_thread(self._db.write, lambda tx: tables.record(tx, event))

    async def record_sent(
        self,
        result: SendResult,
        to: str | Recipient | Iterable[str | Recipient],
        *,
        reference: str = "",
        scheduled_at: datetime | None = None,
        validity: timedelta | None = None,
        acceptance_days: int | None = None,
        expires_at: datetime | None = None,
    ) -> int:
        """Write down contracts that were sent, so that those whom no report names are known too.

        Contracts of campaigns of the same store are known without.

        Args:
            result: what `client.certified.send` returned.
            to: whom it was sent to.
            reference: as it was sent, and so are the next three.
            scheduled_at: an aware datetime. Default: now.
            validity: how long delivery is tried.
            acceptance_days: within how many days it has to be accepted.
            expires_at: until when it can be signed, an aware datetime, where you know it.

        Returns:
            How many contracts were not known before; 0 when the provider accepted nothing.

        Raises:
            InvalidRequest: or one of its kinds: a phone or a date is wrong; nothing was written.
            StoreError: the store cannot be written.
        """
        several = [to] if isinstance(to, str | Recipient) else builtins.list(to)
        phones = [
            normalise(one.phone if isinstance(one, Recipient) else one, self._region) for one in several
        ]
        left, ends = _seconds("scheduled_at", scheduled_at), _seconds("expires_at", expires_at)
        days = timedelta(days=check_days(acceptance_days) or 0)
        validity_parts(validity)  # which refuses what cannot be
        if not result.message_id:
            return 0

        def add(tx: Tx) -> int:
            at = tx.wall if left is None else left
            sending = sent.sending(result.message_id, reference, at, validity, days)
            return tables.add_sent(tx, sending if ends is None else evolve(sending, accept_by=ends), phones)

        return await in_thread(self._db.write, add)

    async def pending(
        self,
        waiting_for: WaitingFor = "signed",
        *,
        expires_within: float | timedelta | None = None,
        message_id: int | str | None = None,
        limit: int = 1000,
    ) -> builtins.list[Contract]:
        """Return the contracts in flight, those that expire first at the front.

        Args:
            waiting_for: what has not happened yet: "opened", "read", "accepted", or "signed", which is all of them.
            expires_within: only those that expire within so many seconds, or a timedelta, or should have by now.
            message_id: only those of one message.
            limit: how many at most.

        Returns:
            The contracts; empty where there is no store yet.

        Raises:
            InvalidRequest: a word or a number cannot be.
            StoreError: the store cannot be used.
        """
        seconds = None if expires_within is None else positive_seconds("expires_within", expires_within)
        return await self._listed(_waiting(waiting_for), message_id, limit, expires_within=seconds)

    async def list(
        self,
        state: ContractState | None = None,
        *,
        message_id: int | str | None = None,
        limit: int = 1000,
    ) -> builtins.list[Contract]:
        """Return the contracts in one state, or in any, also those that have ended.

        Args:
            state: "sent", "delivered", "opened", "read", "accepted", "signed", "rejected", "expired" or "failed".
            message_id: only those of one message.
            limit: how many at most.

        Returns:
            The contracts; empty where there is no store yet.

        Raises:
            InvalidRequest: there is no such state, or a number cannot be.
            StoreError: the store cannot be used.
        """
        if state is not None and state not in tables.STATES:
            raise InvalidRequest(f"state is one of {', '.join(tables.STATES)}, or None.")
        return await self._listed(tables.STATES if state is None else (state,), message_id, limit)

    async def get(self, message_id: int | str, phone: str) -> Contract | None:
        """Return the contract of one recipient, None when it is not known.

        Args:
            message_id: the `message_id` its send returned.
            phone: the recipient, in any usual writing.

        Raises:
            InvalidRequest: one of them cannot be.
            StoreError: the store cannot be used.
        """
        number, digits = message_number(message_id), normalise(phone, self._region)
        return await self._look(None, lambda tx: tables.get(tx, number, digits))

    async def counts(self) -> dict[ContractState, int]:
        """Return how many contracts are in each state; a `StoreError` where the store cannot be used."""
        return await self._look(dict.fromkeys(tables.STATES, 0), tables.counts)

    async def remind(
        self,
        outbox: Outbox,
        text: str | Template,
        *,
        waiting_for: WaitingFor = "accepted",
        after: float | timedelta = timedelta(days=2),
        name: str = "reminder",
        **options: Unpack[SendOptions],
    ) -> int:
        """Put a text into an outbox for everybody whose contract is still waiting and has not expired: once each.

        Nobody is reminded by the same `name` twice, whatever happens and whoever calls it; the outbox sends it. The
        fields `{reference}` and `{expires}`, the date such as 08/01/2027 and empty where it is unknown, are for a
        template.

        Args:
            outbox: whose worker sends it.
            text: the text, or a `Template`.
            waiting_for: whom: those who have not "opened", "read", "accepted" or "signed" it.
            after: only contracts sent, or first heard of, at least so many seconds ago, or a timedelta.
            name: a second reminder has another name.
            options: those of `Outbox.put` for a send.

        Returns:
            How many are reminded by this call.

        Raises:
            InvalidRequest: or one of its kinds: the text or an option is wrong.
            StoreError: a store cannot be used.
        """
        age = positive_seconds("after", after) if after else 0.0
        waiting = await self._listed(_waiting(waiting_for), None, _ALL, sent_before=age)
        now = datetime.now(UTC)
        open_ones = [one for one in waiting if one.expires_at is None or one.expires_at > now]
        return await remind(self._db, outbox, open_ones, text, name, options)

    async def create_tables(self) -> None:
        """Create the tables, or bring older ones up to date; whatever writes does so too.

        Raises:
            StoreError: the store cannot be used.
        """
        await in_thread(self._db.write, lambda tx: None)

    async def purge(self, older_than: float | timedelta) -> int:
        """Remove contracts of which nothing was heard for so long since they ended: also from free pages of the file.

        What is in flight stays.

        Args:
            older_than: seconds, or a timedelta.

        Returns:
            How many were removed.

        Raises:
            StoreError: the store cannot be written.
        """
        age = positive_seconds("older_than", older_than)
        return await self._erase(lambda tx: tables.purge(tx, age))

    async def forget(self, phone: str) -> int:
        """Remove the contracts of a phone; reports that come later bring none back.

        Args:
            phone: the phone, written in any way.

        Returns:
            How many were removed.

        Raises:
            InvalidPhone: it is no phone.
            StoreError: the store cannot be written.
        """
        digits = normalise(phone, self._region)
        return await self._erase(lambda tx: forget_contracts(tx, digits))

    async def aclose(self) -> None:
        """Close the store. A second time does nothing; the next use opens it again."""
        with anyio.CancelScope(shield=True):
            await in_thread(self._db.close)

    async def _listed(
        self,
        states: Sequence[ContractState],
        message_id: int | str | None,
        limit: int,
        *,
        expires_within: float | None = None,
        sent_before: float | None = None,
    ) -> builtins.list[Contract]:
        number = None if message_id is None else message_number(message_id)
        most = bounded("limit", limit, _ALL)
        return await self._look(
            [], lambda tx: tables.listed(tx, states, number, expires_within, sent_before, most)
        )

    async def _look(self, nothing: T, work: Callable[[Tx], T]) -> T:
        """Take in what campaigns have sent, then look, where there is a store with contracts."""
        return await in_thread(self._look_now, nothing, work)

    def _look_now(self, nothing: T, work: Callable[[Tx], T]) -> T:
        db = self._db
        if not db.is_there():
            return nothing
        exists = db.exists()
        if db.read(sent.has_new if exists else sent.has_contracts):
            while db.write(sent.take_in):
                pass
            exists = True
        return db.read(work) if exists else nothing

    async def _erase(self, work: Callable[[Tx], int]) -> int:
        """Remove contracts, of which no trace is left in free pages and logs."""
        if not await in_thread(self._db.exists):
            return 0
        removed = await in_thread(self._db.write, work)
        await in_thread(self._db.compact)
        return removed

    def __repr__(self) -> str:
        return f"<Contracts store={self._db.shown}>"


def _waiting(waiting_for: str) -> Sequence[ContractState]:
    """Return the states of contracts for which something has not happened yet."""
    if waiting_for not in get_args(WaitingFor):
        raise InvalidRequest('waiting_for is "opened", "read", "accepted" or "signed".')
    return tables.STATES[: tables.STATES.index(cast("ContractState", waiting_for))]


def _seconds(name: str, moment: datetime | None) -> float | None:
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidDate(f"{name} is an aware datetime.", advice="Give it a time zone, such as UTC.")
    return moment.timestamp()
