"""`Campaign`: one durable campaign of a store."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Literal

from .._core.operations import positive_seconds
from .._wire.structure import loads
from ..archive.collecting import Collector
from ..errors import InvalidRequest
from ..language import language
from ..models.archive import ArchiveSummary
from ..models.bulk import RowProblem
from ..models.campaign import Progress, ReportLanguage, Resolution, UnknownRecipient
from ..store.threads import in_thread
from ..tracebacks import private
from .export import export
from .journal import deliveries
from .journal import lifecycle as journal
from .journal.records import CampaignRow, options_of
from .journal.settling import resolve
from .options import Content, check_move, positive
from .progress_stream import ProgressStream
from .recall import postpone, recall
from .report.page import report
from .report.words import Words
from .retention import purge
from .session import CampaignSession


@private
class Campaign:
    """One campaign of a store, made by `Campaigns.start` or `Campaigns.get`."""

    def __init__(self, session: CampaignSession, name: str) -> None:
        self._session = session
        self._name = name

    @property
    def name(self) -> str:
        """Its name, which is unique in its store."""
        return self._name

    async def progress(self) -> Progress:
        """Return how it stands, whoever runs it; nothing is changed.

        Returns:
            The counts.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._session.look(lambda tx: journal.progress_of(tx, self._name))

    def run(
        self, *, concurrency: int | None = None, interval: float = 0.5
    ) -> AbstractAsyncContextManager[ProgressStream]:
        """Send while the block lasts, and watch: `async with campaign.run() as progress:`.

        `async for p in progress:` gives how it stands. It ends when everything is sent, or when the campaign is paused
        or cancelled, by whomever. Leaving the block earlier stops after what is on its way has landed; running it
        again goes on.

        Operations of the API: EnviarSMS or EnviarSMSCERTIFICADO, many times.

        Args:
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.
            interval: seconds between two looks at the progress.

        Returns:
            A context manager that gives a stream of `Progress`.

        Raises:
            SourceMissing: its recipients were read in part, and nobody is left who reads the rest.
            SourceChanged: the recipients are no longer those that it has begun to read.
            CampaignConflict: somebody else has read other recipients under its name.
            StoreError: the journal cannot be written; nothing more was sent.
        """
        stream = ProgressStream(self.progress, positive_seconds("interval", interval))
        slots = self._session.slots(concurrency)

        return stream._running(lambda: self._session.send(self._name, slots))

    async def complete(self, *, concurrency: int | None = None) -> Progress:
        """Send everything that is left, and tell how it ended.

        Args:
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.

        Returns:
            The last progress; its `state` and `reason` tell when it is paused instead of done.

        Raises:
            SourceMissing: as in `run`, and so are the others.
            StoreError: the journal cannot be written; nothing more was sent.
        """
        async with self.run(concurrency=concurrency) as progress:
            async for _ in progress:
                pass
        return progress.latest or await self.progress()

    async def pause(self) -> Progress:
        """Stop it, wherever it runs; what is on its way lands.

        Returns:
            How it stands.
        """
        return await self._session.change(lambda tx: journal.pause(tx, self._name))

    async def resume(self) -> Progress:
        """Let a paused one go on, with `run`, `complete`, `drive` or `work`.

        After "group_lost" it begins a new message: who was tried without an answer stays unknown.

        Returns:
            How it stands.
        """
        return await self._session.change(lambda tx: journal.resume(tx, self._name))

    async def cancel(self) -> Progress:
        """Send nothing more, ever; what is on its way lands, and what the provider holds for a later date is cancelled.

        Operation of the API: CancelarSMS or CancelarSMSCERTIFICADO, once for each message of a scheduled campaign.

        Returns:
            How it stands; its `note` says how many recipients the provider cancelled, who are in `cancelled`.

        Raises:
            MensatekError: as in `client.sms.cancel`: nothing more is sent, but the provider may still hold some. Call
                it again.
        """
        stands = await self._session.change(lambda tx: journal.cancel(tx, self._name))
        taken = stands.sent or stands.pending
        if not taken or stands.scheduled_at is None or stands.scheduled_at <= datetime.now(UTC):
            return stands
        row = await self._row()
        journal.check_account(row, self._session.account)
        content = await self._content(row)
        await recall(self._session.context, self._session.db, row, content.operation("Cancelar"))
        return await self.progress()

    async def reschedule(
        self, *, start_at: datetime | None = None, scheduled_at: datetime | None = None
    ) -> Progress:
        """Move the date from which it sends, or that at which the provider delivers, also halfway.

        Whoever runs it keeps to the new `start_at` within `poll` (half a second); of what has been sent already nothing
        changes, and the rest waits until then. A moment that has just come lets it begin now. A new `scheduled_at` goes
        for what the provider holds, and for all that is sent to it from now on; recipients that are unknown keep the
        old one. `cancel` ends either.

        Operation of the API: ReprogramarSMS or ReprogramarSMSCERTIFICADO, once or twice for each message that the
        provider holds, with `scheduled_at` alone.

        Args:
            start_at: from when on it sends, an aware datetime, whether it was started with one or not.
            scheduled_at: when the provider delivers, an aware datetime, to the minute; for a campaign that was started
                with one.

        Returns:
            How it stands.

        Raises:
            InvalidRequest: or `InvalidDate`: a date has passed, or they do not go together.
            CampaignError: it has ended, or has no `scheduled_at`; or a request with the old one is not answered yet:
                call it again.
            MensatekError: as in `client.sms.reschedule`: call it again.
        """
        row = await self._row()
        held = await self._session.look(lambda tx: journal.scheduled_at(tx, row))
        begins = check_move(row, start_at, scheduled_at, held)
        if start_at is not None:
            await self._session.change(lambda tx: journal.reschedule(tx, self._name, start_at=begins))
        if scheduled_at is not None:
            journal.check_account(row, self._session.account)
            operation = (await self._content(row)).operation("Reprogramar")
            await postpone(self._session.context, self._session.db, row, operation, scheduled_at)
        self._session.wake()
        return await self.progress()

    async def unknown(self) -> list[UnknownRecipient]:
        """Return who may have been texted: their request left and no answer came.

        Returns:
            The recipients, by row.
        """
        row = await self._row()
        reference = (await self._content(row)).reference
        return await self._session.look(lambda tx: journal.unknown(tx, row, reference))

    async def resolve(self, policy: Resolution) -> int:
        """Decide about those unknown recipients.

        Args:
            policy: "keep" leaves them unknown, "assume_sent" counts them as sent, "resend" texts them again with the
                next run: some may then get the text twice.

        Returns:
            How many recipients were decided about; 0 for "keep".

        Raises:
            InvalidRequest: another word.
            CampaignError: "resend", and its phones were purged.
        """
        if policy not in ("keep", "assume_sent", "resend"):
            raise InvalidRequest('policy is "keep", "assume_sent" or "resend".')
        return await self._session.change(lambda tx: resolve(tx, journal.find(tx, self._name), policy))

    async def problems(
        self, outcome: Literal["invalid", "failed", "unknown"], *, most: int = 1000
    ) -> list[RowProblem]:
        """List the first rows that were not sent, or may have been, with the reason of each.

        Args:
            outcome: "invalid" (refused here), "failed" (certainly not sent) or "unknown" (perhaps sent).
            most: how many rows at most.

        Returns:
            The rows, by their numbers.

        Raises:
            StoreError: the store cannot be read.
        """
        row = await self._row()
        return await self._session.look(lambda tx: journal.problems(tx, row, outcome, most))

    async def export(
        self, path: str | os.PathLike[str], *, lang: ReportLanguage = "en", force: bool = False
    ) -> int:
        """Write what became of every row: its number, phone, outcome, reason, message, delivery status.

        Args:
            path: a file; JSON Lines when it ends in .jsonl, else CSV in UTF-8. It is there whole, or not at all, and
                for its owner's eyes alone. A pipe or a device is written into.
            lang: "en" or "es" for the reasons and the statuses' labels; columns and outcomes are as they are.
            force: whether to overwrite a file that is no earlier export; a database never is.

        Returns:
            How many rows it has.

        Raises:
            InvalidRequest: the file cannot be written, or is there and is no export; another language.
        """
        row, words = await self._row(), language(lang)
        return await in_thread(partial(export, words=words, force=force), self._session.db, row, path)

    async def report(
        self,
        path: str | os.PathLike[str],
        *,
        lang: ReportLanguage = "en",
        price: Decimal | float | None = None,
        with_phones: bool = False,
        force: bool = False,
    ) -> None:
        """Write a page in HTML to look at and to print: what was sent, what became of it and what to do about the rest.

        It is one file that fetches nothing. What arrived is known by the delivery reports that have come: see
        `Campaigns.record` and `reconcile`.

        Args:
            path: a file, such as "navidad.html". It is there whole, or not at all, and for its owner's eyes alone.
            lang: "en" for English, "es" for Spanish.
            price: euros that a credit costs you, to show euros beside the credits.
            with_phones: whether to write phones out; else each shows its first three and last two digits.
            force: whether to overwrite a file that is no earlier report; a database never is.

        Raises:
            InvalidRequest: the file cannot be written, or is there and is no report; another language or price.
        """
        words, euros = Words(language(lang)), positive("price", "euros", price)
        row = await self._row()
        content = await self._content(row)
        write = partial(report, words=words, price=euros, with_phones=with_phones, force=force)
        await in_thread(write, self._session.db, row, content, path)

    async def reconcile(self) -> Progress:
        """Ask the provider once where every recipient stands, and take that in as if each had been reported.

        Operation of the API: GetReportSMS or GetReportSMSCERTIFICADO, once for each message of the campaign, within
        the guard. Where a webhook brings the reports to `Campaigns.record`, it is not needed.

        Returns:
            How it stands now.

        Raises:
            MensatekError: as in `client.sms.report`.
        """
        row = await self._row()
        content = await self._content(row)
        await deliveries.reconcile(
            self._session.context, self._session.db, row, content.operation("GetReport")
        )
        return await self.progress()

    async def archive(self, folder: str | os.PathLike[str]) -> ArchiveSummary:
        """Fetch the certificates of a certified campaign into an archive, as `CertificateArchive.collect` does.

        Operations of the API: GetReportSMSCERTIFICADO once for each message of the campaign, and GetSMSCERTIFICADO
        for each recipient.

        Args:
            folder: the archive's folder.

        Returns:
            What was fetched, and what was not; `CertificateArchive.catch_up` fetches what is still pending.

        Raises:
            InvalidRequest: its texts are not certified.
            OSError: something cannot be written, such as on a full disk; what was noted stays pending.
            MensatekError: as in `CertificateArchive.collect`.
        """
        row = await self._row()
        content = await self._content(row)
        if content.product != "certified":
            raise InvalidRequest(f"The campaign {self._name!r} is not certified: it has no certificates.")
        messages = await self._session.look(lambda tx: deliveries.messages_of(tx, row))
        collector = Collector(self._session.context, folder)
        return await collector.collect(messages, content.reference)

    async def purge(self) -> None:
        """Take its phones and texts out of the store, once it has ended: also out of free pages of the file.

        Its name, state and counts stay, and each row's number and outcome; delivery reports that come later are passed
        over. Started again by the same name it is a `CampaignConflict`. A second time does nothing.

        Raises:
            CampaignNotFound: there is none of this name.
            CampaignError: it has not ended; nothing was taken out.
            StoreError: the store cannot be written.
        """
        await self._session.erase(lambda tx: purge(tx, journal.find(tx, self._name)))

    async def _row(self) -> CampaignRow:
        return await self._session.look(lambda tx: journal.find(tx, self._name))

    async def _content(self, row: CampaignRow) -> Content:
        return loads(await self._session.look(lambda tx: options_of(tx, row.id)), Content)

    def __repr__(self) -> str:
        return f"<Campaign {self._name!r}>"
