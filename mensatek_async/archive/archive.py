"""`CertificateArchive`: certificates kept as evidence, in a folder."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path

from .._core.context import Client, context_of
from .._core.messages.options import message_number
from ..errors import ConfigurationError, InvalidRequest, MensatekError
from ..models.archive import ArchivedCertificate, ArchiveSummary, Verification
from ..models.events import DeliveryReport, Event
from ..phones import normalise
from ..store.threads import in_thread
from ..tracebacks import private
from .collecting import Collector, status_of
from .tree import Seen
from .verify import verify_certificates

_log = logging.getLogger("mensatek_async.archive")


@private
class CertificateArchive:
    """Certificates kept as evidence: fetched once they are ready, each with a JSON record beside it.

    The folder holds everything, what is pending too, so that a kill loses nothing and a copy of it is complete.
    Several processes may use one folder: each certificate is fetched by one of them. One account to a folder.

    Args:
        client: the client whose account it is. It stays open for as long as this is used.
        folder: the archive's folder, made with the first certificate.

    Raises:
        ConfigurationError: it is not an asynchronous client.
    """

    def __init__(self, client: Client, folder: str | os.PathLike[str]) -> None:
        context = context_of(client, "`SyncCertificateArchive`")
        self._collector = Collector(context, folder)
        self._region = context.region

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._collector.tree.folder

    async def record(self, event: Event) -> bool:
        """Take in what a webhook brought: its status is written down, and the certificate fetched if it is ready.

        It may be the handler of a webhook. What cannot be fetched now stays pending, and the log says why; `catch_up`
        fetches it.

        Operation of the API: GetSMSCERTIFICADO, once for each recipient.

        Args:
            event: what `mensatek_async.webhooks` gave; anything but a `DeliveryReport` of a certified text or a
                contract is passed over. The same one twice, out of order or days late does no harm.

        Returns:
            Whether it was about a certified text or a contract.

        Raises:
            OSError: it cannot be written, such as on a full disk: let the webhook fail, so that the provider may try
                again.
            TimeoutError: another process has had the same recipient for minutes.
            InvalidFile: the folder cannot be written.
        """
        if not isinstance(event, DeliveryReport) or not event.status.certifies:
            return False
        status = status_of(event.status, event.reported_at)
        seen = Seen(event.message_id, event.phone, status, event.reference, event.verification_code)
        try:
            await self._collector.record(seen)
        except (ConfigurationError, InvalidRequest):
            raise
        except MensatekError as error:
            _log.warning("A certificate of message %d is pending: %s", event.message_id, error)
        return True

    async def collect(
        self,
        message_id: int | str | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        reference: str = "",
    ) -> ArchiveSummary:
        """Fetch the certificates of a message, one by one, or the ZIP of a period.

        What is in the archive already is not fetched again. Recipients of the message whose certificate is not ready
        stay pending, for `catch_up`. The provider means the period for rare use: it leaves once a minute at most, and
        should have ended: one that had not when its ZIP came is fetched again the next time.

        Operations of the API: GetReportSMSCERTIFICADO once and GetSMSCERTIFICADO for each recipient; or
        GetSMSCERTIFICADO once.

        Args:
            message_id: the `message_id` its send returned.
            start: with `end`, instead of a message: all that was certified from this moment, aware.
            end: to this moment, aware, to the minute.
            reference: the `reference` that the send was given, for the records: a report does not tell it.

        Returns:
            What was fetched, and what was not.

        Raises:
            InvalidRequest: what to collect is not clear; nothing left.
            NotYours: there is no such message in this account, or nothing was certified in the period.
            AuthenticationError: the account was refused; it stops, and what was noted stays pending.
            Refused: the account is paused; it stops, and what was noted stays pending.
            OSError: something cannot be written, such as on a full disk; what was noted stays pending.
            MensatekError: any other of the family, as for the two before.
        """
        if message_id is None:
            return await self._collector.collect_period(start, end)
        if start is not None or end is not None:
            raise InvalidRequest("Certificates are those of a message or those of a period, not of both.")
        return await self._collector.collect([message_number(message_id)], reference)

    async def catch_up(self) -> ArchiveSummary:
        """Fetch what is pending and ready by now: after a kill, and every hour or so.

        Where only the provider knows whether a certificate is ready, it asks for the report of the message, once. It
        reads nothing but what is pending, however large the archive is.

        Operations of the API: GetSMSCERTIFICADO for each recipient, GetReportSMSCERTIFICADO once for each message.

        Returns:
            What was fetched, and what is still pending.

        Raises:
            AuthenticationError: as in `collect`, and so are the others.
            OSError: something cannot be written; the rest stays pending.
            MensatekError: any other of the family: it stops, and the rest stays pending.
        """
        return await self._collector.catch_up()

    async def get(self, message_id: int | str, phone: str) -> ArchivedCertificate | None:
        """Return the record of a certificate; None where it is not in the archive. Nothing is fetched.

        Args:
            message_id: the `message_id` its send returned.
            phone: the recipient, in any usual writing.

        Raises:
            InvalidRequest: one of them cannot be.
        """
        number, digits = message_number(message_id), normalise(phone, self._region)
        tree = self._collector.tree
        return await in_thread(lambda: tree.record_of(tree.base(number, digits)))

    async def verify(self, folder: str | os.PathLike[str] | None = None) -> Verification:
        """Check every certificate by its SHA-256, as `verify_certificates` does, and tell what is missing.

        Args:
            folder: another archive, such as a copy. Default: this one.

        Returns:
            How many are intact, how many are awaited, and what is missing or was changed.

        Raises:
            InvalidRequest: there is no such folder, or it is no archive.
        """
        return await in_thread(verify_certificates, self.folder if folder is None else folder)

    def __repr__(self) -> str:
        return f"<CertificateArchive folder={str(self.folder)!r}>"
