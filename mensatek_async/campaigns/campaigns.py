"""`Campaigns`: the durable campaigns of one store."""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import AsyncIterable, Iterable
from datetime import timedelta
from typing import Unpack

from .._core.context import Client
from .._core.operations import positive_seconds
from .._wire.structure import dumps
from ..errors import CampaignNotFound, InvalidRequest
from ..models.campaign import Preview, Progress
from ..models.events import DeliveryReport, Event
from ..models.recipient import Recipient
from ..phones import normalise
from ..sources.batches import RecipientSource
from ..sources.rows import BrokenRow
from ..store.threads import in_thread
from ..store.transaction import Tx
from ..text.template import Template
from ..tracebacks import private
from .campaign import Campaign
from .feed import Feed
from .journal import deliveries
from .journal import lifecycle as journal
from .journal.records import CampaignRow, all_of, by_name
from .journal.states import RUNNING
from .options import CampaignOptions, compose_plan, refuse_late
from .preview import RowsCallback, preview
from .retention import forget, purge_older
from .session import CampaignSession, SessionBlock

Recipients = (
    RecipientSource | Iterable[str | Recipient | BrokenRow] | AsyncIterable[str | Recipient | BrokenRow]
)


@private
class Campaigns(SessionBlock):
    """The durable campaigns of one store: every request is written down before it leaves and after it was answered.

    Use it as `async with Campaigns(client, store="campaigns.db") as campaigns:`. A process that dies loses nobody and
    texts nobody twice: the same program started again goes on where it stopped. Several processes may share a SQLite
    file, several machines a PostgreSQL database.

    Args:
        client: the client whose account sends.
        store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`).
        lease: seconds after which a worker that shows no life is taken for dead. A request is given half of it.
        poll: seconds between two looks at what other processes have changed.

    Raises:
        InvalidRequest: the store's name or a number cannot be.
        ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
    """

    def __init__(
        self,
        client: Client,
        store: str | os.PathLike[str] = "campaigns.db",
        *,
        lease: float = 300.0,
        poll: float = 0.5,
    ) -> None:
        self._session = CampaignSession(client, store, lease, poll)
        self._db = self._session.db

    async def start(
        self,
        name: str,
        text: str | Template,
        recipients: Recipients,
        **options: Unpack[CampaignOptions],
    ) -> Campaign:
        """Make a campaign and read its recipients into the journal, or go on with the one of this name.

        Nothing is sent yet: `Campaign.run`, `complete`, `drive` and `work` do that. When reading takes longer than a
        second it goes on in the background (of a synchronous client only for a source such as `CsvSource`: an
        iterable of your own is read in the calling thread); leaving the `async with` block waits for it. What goes
        wrong meanwhile is raised there at the latest. While another process reads this campaign, the recipients are
        compared with its.

        Args:
            name: its name in this store. The same name with the same content goes on where it stopped.
            text: the text, or a `Template` whose fields each recipient fills.
            recipients: a source such as `CsvSource`, or any iterable of phones or `Recipient` objects (in asynchronous
                code an asynchronous one too); never held whole. To go on, give the same again. Bad rows and repeated
                phones are journalled with their row and reason, and the others are sent.
            options: how it is sent, and when; see `CampaignOptions`. Of any send: sender, scheduled_at, reference,
                report, voice_fallback, encoding, fix_utf8; of certified texts issuer, contract_type, validity,
                identify, acceptance_days and report_email too. Of a campaign: product, rate, start_at, send_between,
                local_time, max_credits, chunk_size, anchor, unknown_after, unknown_policy and respect_opt_outs.

        Returns:
            The campaign.

        Raises:
            InvalidRequest: or one of its kinds: the text or an option is wrong; nothing was written down.
            CampaignConflict: one of this name has another text, other options, other recipients or another account.
            SourceChanged: the recipients are no longer those that it has begun to read.
            StoreError: the store cannot be used.
        """
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 200:
            raise InvalidRequest("A campaign's name is a text of one line, of up to 200 characters.")
        session = self._session
        content, settings = compose_plan(session.context, text, options)
        message = content.message(session.context)
        feed = Feed(recipients, message.text.fields)
        await feed.look(message)

        def create(tx: Tx) -> CampaignRow:
            if by_name(tx, name) is None:
                refuse_late(options)
            return journal.create(tx, name, session.account, dumps(content), settings, content.digest())

        row = await session.change(create)
        await session.read(row, content, message, feed)
        return Campaign(session, name)

    async def preview(
        self,
        text: str | Template,
        recipients: Recipients,
        *,
        on_progress: RowsCallback | None = None,
        **options: Unpack[CampaignOptions],
    ) -> Preview:
        """Return what `start` with the same would send: everything is checked and counted, also who has opted out here.

        Nothing is written to the store, which need not be there, and nothing is sent. Memory stays as small as in
        `start`, for any number of recipients; they are read to their end, so give `start` the same again.

        Args:
            text: the text, or a `Template`.
            recipients: as for `start`.
            on_progress: called with a list for every few thousand rows: the number of each, its phone, and why nothing
                would be sent to it, "" where it would.
            options: those of `start`.

        Returns:
            The counts, the first texts and the longest.

        Raises:
            InvalidRequest: or one of its kinds: the text or an option is wrong.
            StoreError: the store cannot be read.
            Exception: whatever `recipients` or `on_progress` raised.
        """
        content, settings = compose_plan(self._session.context, text, options)
        refuse_late(options)
        message = content.message(self._session.context)
        return await preview(self._db, message, recipients, settings.respect_opt_outs, on_progress)

    async def get(self, name: str) -> Campaign:
        """Return a campaign of this store, to look at it or to go on without its recipients.

        Args:
            name: its name.

        Returns:
            The campaign.

        Raises:
            CampaignNotFound: there is none of this name.
            StoreError: the store cannot be read.
        """
        if not await in_thread(self._db.exists):
            raise CampaignNotFound(
                f"There is no campaign {name!r}: the store {self._db.shown} has no campaigns."
            )
        await self._session.look(lambda tx: journal.find(tx, name))
        return Campaign(self._session, name)

    async def list(self) -> builtins.list[Progress]:
        """Return how every campaign of this store stands, oldest first; nothing is changed.

        Returns:
            Their progress; empty where there is no store yet.
        """
        if not await in_thread(self._db.exists):
            return []
        return await self._session.look(lambda tx: [journal.progress(tx, row) for row in all_of(tx)])

    async def work(
        self, budget: float | timedelta | None = None, *, concurrency: int | None = None
    ) -> builtins.list[Progress]:
        """Send whatever runs in this store, until nothing is left: for further machines, and for cron.

        Args:
            budget: seconds, or a timedelta, after which to stop; what is on its way lands. None sets no limit.
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.

        Returns:
            How the campaigns stand that were running; `reading` is still true for one whose rows nobody reads on.

        Raises:
            StoreError: the journal cannot be written; nothing more was sent.
        """
        session = self._session
        runner = session.runner(None, session.slots(concurrency), _until(budget))
        if not await in_thread(self._db.exists):
            return []
        before = await session.look(lambda tx: all_of(tx, (RUNNING,), session.account))
        await runner.run()
        chosen = runner.seen | {row.id for row in before}
        return await session.look(
            lambda tx: [journal.progress(tx, row) for row in all_of(tx) if row.id in chosen]
        )

    async def drive(
        self, name: str, budget: float | timedelta = 60, *, concurrency: int | None = None
    ) -> Progress:
        """Send one slice of a campaign: for a Celery task or any job runner, which asks again until it is `done`.

        Args:
            name: its name.
            budget: seconds, or a timedelta, after which to stop; what is on its way lands.
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.

        Returns:
            How it stands.

        Raises:
            CampaignNotFound: there is none of this name.
            CampaignConflict: it is another account's.
            SourceMissing: its recipients were read in part, what was read is sent, and nobody reads the rest.
            StoreError: the journal cannot be written; nothing more was sent.
        """
        until = _until(budget)
        slots = self._session.slots(concurrency)
        campaign = await self.get(name)
        await self._session.send(name, slots, until)
        return await campaign.progress()

    async def record(self, event: Event) -> bool:
        """Take in what a webhook brought: a delivery report settles an unknown opener and fills the counts.

        Args:
            event: what `mensatek_async.webhooks` gave; anything but a `DeliveryReport` is passed over. The same one
                twice, out of order or days late does no harm.

        Returns:
            Whether it was about a campaign of this store.

        Raises:
            StoreError: the store cannot be written: let the webhook fail, so that the provider may try again.
        """
        if not isinstance(event, DeliveryReport) or not await in_thread(self._db.exists):
            return False
        return await self._session.change(lambda tx: deliveries.record(tx, event))

    async def purge(self, older_than: float | timedelta) -> int:
        """Take phones and texts out of the campaigns that ended so long ago: also out of free pages of the file.

        Their names, states and counts stay, and each row's number and outcome. What still runs, or is paused, is left
        as it is.

        Args:
            older_than: seconds, or a timedelta, since their end.

        Returns:
            How many were purged.

        Raises:
            StoreError: the store cannot be written.
        """
        age = positive_seconds("older_than", older_than)
        return await purge_older(self._session, age) if await in_thread(self._db.exists) else 0

    async def forget(self, phone: str) -> int:
        """Take a phone, and what was to be sent to it, out of the whole store: every campaign's, and the outbox'.

        Recipients, delivery reports, reasons that quote it, and the texts of an outbox in the same store; also out of
        free pages of the file. What waits for it is not sent, also in a campaign that runs: such a row is `invalid`,
        `unknown` where it may have been texted before; what is on its way lands. Counts stay. An opt-out is kept, since
        without it the next campaign would text that phone again. Rows that a campaign has yet to read are not in the
        store: take the phone out of your list as well.

        Args:
            phone: the phone, written in any way.

        Returns:
            From how many rows and items it was taken.

        Raises:
            InvalidPhone: it is no phone.
            StoreError: the store cannot be written.
        """
        digits = normalise(phone, self._session.context.region)
        return await forget(self._session, digits) if await in_thread(self._db.exists) else 0

    async def aclose(self) -> None:
        """Stop reading recipients and close the store. A second time does nothing."""
        await self._session.close()

    def __repr__(self) -> str:
        return f"<Campaigns store={self._db.shown}>"


def _until(budget: float | timedelta | None) -> float | None:
    return None if budget is None else time.monotonic() + positive_seconds("budget", budget)
