"""`client.certified`: certified and contract texts, and their certificates."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import IO

from .._core import download, exchange
from .._core.context import Context
from .._core.messages.certified import compose_certified
from .._core.messages.message import Encoding, send
from ..bulk.engine import Engine
from ..bulk.outcomes import BulkStream, ProgressCallback
from ..models.bulk import BulkResult
from ..models.certified import ContractType, Download
from ..models.issuer import Issuer
from ..models.recipient import Recipient
from ..models.results import Cancellation, MessageReport, RecipientReport, Rescheduling, SendResult
from ..opt_outs.opt_outs import OptOuts
from ..text.template import Template
from ..tracebacks import private
from .sms import Recipients


@private
class CertifiedResource:
    """Sends certified and contract texts and fetches their certificates. Reached as `client.certified`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def send(
        self,
        to: str | Recipient | Iterable[str | Recipient],
        text: str | Template,
        *,
        sender: str | None = None,
        scheduled_at: datetime | None = None,
        reference: str | None = None,
        report: bool | None = None,
        join: int | str | None = None,
        encoding: Encoding = "auto",
        fix_utf8: bool = False,
        issuer: Issuer | None = None,
        contract_type: ContractType | int | None = None,
        validity: timedelta | None = None,
        identify: str | None = None,
        acceptance_days: int | None = None,
        report_email: str | None = None,
    ) -> SendResult:
        """Send one certified or contract text to one recipient or to as many as one request holds.

        Operation of the API: EnviarSMSCERTIFICADO.

        Args:
            to: a phone, a `Recipient`, or several of them (50 at most; `send_bulk` takes any number).
            text: the text, or a `Template` whose fields each recipient fills. `mensatek_async.text.elements` puts
                a document into it: `elements.pdf(content)` the PDF itself, `elements.file(name)` one of the library.
            sender: up to 11 characters, or a number of up to 15 digits; "" is the account's own. Default: the client's.
            scheduled_at: an aware datetime to the minute. Default: now.
            reference: comes back in every delivery report.
            report: whether to have delivery reports. Default: yes with a `report_email`, else the client's `report`.
            join: the `message_id` of an earlier certified send that this one joins.
            encoding: "auto", "gsm" or "unicode".
            fix_utf8: has the provider repair a text decoded wrongly.
            issuer: who stands in the certificate as the sender. Default: the client's; one is needed.
            contract_type: a `ContractType`, or any number the provider has given you. Default: no contract.
            validity: how long delivery is tried, whole minutes up to 20 days, 23:59 hours. Default: the provider's.
            identify: how the recipient is identified before the attachments open, such as
                `Identify.certificate("12345678E")`. For certified texts, not for contracts.
            acceptance_days: 1 to 15 days in which the recipient has to accept it to see it; 0 is off. As identify.
            report_email: an address that gets the reports.

        Returns:
            What was accepted and what it cost.

        Raises:
            InvalidRequest: or one of its kinds: no issuer, a contract without its PDF; nothing left.
            ContractWithoutPdf: the provider found no PDF for the contract.
            FileNotFound: the file named in the text is not in the library.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        options = (sender, scheduled_at, reference, report, join, encoding, fix_utf8)
        legal = (issuer, contract_type, validity, identify, acceptance_days, report_email)
        message = compose_certified(self._context, text, options, legal)
        return await send(self._context, message, to, self._context.limits.certified_per_request)

    async def send_bulk(
        self,
        recipients: Recipients,
        text: str | Template,
        *,
        sender: str | None = None,
        scheduled_at: datetime | None = None,
        reference: str | None = None,
        report: bool | None = None,
        join: int | str | None = None,
        encoding: Encoding = "auto",
        fix_utf8: bool = False,
        issuer: Issuer | None = None,
        contract_type: ContractType | int | None = None,
        validity: timedelta | None = None,
        identify: str | None = None,
        acceptance_days: int | None = None,
        report_email: str | None = None,
        group: bool = True,
        check_credits: bool = True,
        chunk_size: int | None = None,
        concurrency: int | None = None,
        on_progress: ProgressCallback | None = None,
        opt_outs: OptOuts | None = None,
    ) -> BulkResult:
        """Send one certified or contract text to any number of recipients, in chunks, several at once.

        Operation of the API: EnviarSMSCERTIFICADO, many times; the work is that of `client.sms.send_bulk`. All of it
        is one message, so that one ZIP holds every certificate. A PDF in the text travels in every request: for many
        recipients upload it once and use `elements.file(name)`.

        Args:
            recipients: any iterable of phones or `Recipient` objects, or a `CsvSource` or the like; read while sent.
            text: the text, or a `Template` whose fields each recipient fills.
            sender: up to 11 characters, or a number of up to 15 digits; "" is the account's own. Default: the client's.
            scheduled_at: when to send it, an aware datetime, to the minute. Default: now.
            reference: comes back in every delivery report.
            report: whether to have delivery reports. Default: the client's `report`, else the account's setting.
            join: the `message_id` of an earlier send that all of this joins.
            encoding: "auto", "gsm" or "unicode"; with "auto", recipients that need Unicode get requests of their own.
            fix_utf8: has the provider repair a text that was decoded wrongly before it came here.
            issuer: who stands in the certificate as the sender. Default: the client's; one is needed.
            contract_type: a `ContractType`, or any number the provider has given you. Default: no contract.
            validity: how long delivery is tried, whole minutes up to 20 days, 23:59 hours. Default: the provider's.
            identify: how the recipient is identified before the attachments open; see `Identify`.
            acceptance_days: 1 to 15 days in which the recipient has to accept it to see it; 0 is off.
            report_email: an address that gets the reports.
            group: False sends each request as a message of its own; then none can be repeated safely.
            check_credits: stop before the request that the account cannot pay. False: when the provider refuses.
            chunk_size: recipients in a request; default and most: the client's `Limits.certified_per_request`.
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.
            on_progress: called with a `BulkProgress` after each request; may be a coroutine function.
            opt_outs: an `OptOuts`: who is in it when their request is about to leave is left out, and counted as
                `opted_out`. Default: nobody is looked up.

        Returns:
            What became of every row.

        Raises:
            InvalidRequest: an option or the text is wrong; nothing left.
            Exception: whatever `recipients` or `on_progress` raised, with the result so far as `bulk_result`.
        """
        options = (sender, scheduled_at, reference, report, join, encoding, fix_utf8)
        legal = (issuer, contract_type, validity, identify, acceptance_days, report_email)
        message = compose_certified(self._context, text, options, legal)
        most = self._context.limits.certified_per_request
        how = (most, group, check_credits, chunk_size, concurrency, on_progress, opt_outs)
        return await Engine(self._context, message, recipients, *how).run_to_end()

    def bulk(
        self,
        recipients: Recipients,
        text: str | Template,
        *,
        sender: str | None = None,
        scheduled_at: datetime | None = None,
        reference: str | None = None,
        report: bool | None = None,
        join: int | str | None = None,
        encoding: Encoding = "auto",
        fix_utf8: bool = False,
        issuer: Issuer | None = None,
        contract_type: ContractType | int | None = None,
        validity: timedelta | None = None,
        identify: str | None = None,
        acceptance_days: int | None = None,
        report_email: str | None = None,
        group: bool = True,
        check_credits: bool = True,
        chunk_size: int | None = None,
        concurrency: int | None = None,
        on_progress: ProgressCallback | None = None,
        opt_outs: OptOuts | None = None,
    ) -> AbstractAsyncContextManager[BulkStream]:
        """Send to any number of recipients as `send_bulk` does, outcome by outcome.

        Operation of the API: EnviarSMSCERTIFICADO, many times.

        Args:
            recipients: any iterable of phones or `Recipient` objects, or a `CsvSource` or the like; read while sent.
            text: the text, or a `Template` whose fields each recipient fills.
            sender: up to 11 characters, or a number of up to 15 digits; "" is the account's own. Default: the client's.
            scheduled_at: when to send it, an aware datetime, to the minute. Default: now.
            reference: comes back in every delivery report.
            report: whether to have delivery reports. Default: the client's `report`, else the account's setting.
            join: the `message_id` of an earlier send that all of this joins.
            encoding: "auto", "gsm" or "unicode"; with "auto", recipients that need Unicode get requests of their own.
            fix_utf8: has the provider repair a text that was decoded wrongly before it came here.
            issuer: who stands in the certificate as the sender. Default: the client's; one is needed.
            contract_type: a `ContractType`, or any number the provider has given you. Default: no contract.
            validity: how long delivery is tried, whole minutes up to 20 days, 23:59 hours. Default: the provider's.
            identify: how the recipient is identified before the attachments open; see `Identify`.
            acceptance_days: 1 to 15 days in which the recipient has to accept it to see it; 0 is off.
            report_email: an address that gets the reports.
            group: False sends each request as a message of its own; then none can be repeated safely.
            check_credits: stop before the request that the account cannot pay. False: when the provider refuses.
            chunk_size: recipients in a request; default and most: the client's `Limits.certified_per_request`.
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.
            on_progress: called with a `BulkProgress` after each request; may be a coroutine function.
            opt_outs: an `OptOuts`: who is in it when their request is about to leave is left out, and counted as
                `opted_out`. Default: nobody is looked up.

        Returns:
            A context manager that gives a `BulkStream`.

        Raises:
            InvalidRequest: an option or the text is wrong; nothing left.
            Exception: whatever `recipients` or `on_progress` raised.
        """
        options = (sender, scheduled_at, reference, report, join, encoding, fix_utf8)
        legal = (issuer, contract_type, validity, identify, acceptance_days, report_email)
        message = compose_certified(self._context, text, options, legal)
        most = self._context.limits.certified_per_request
        how = (most, group, check_credits, chunk_size, concurrency, on_progress, opt_outs)
        return Engine(self._context, message, recipients, *how).stream()

    async def cancel(self, message_id: int | str) -> Cancellation:
        """Cancel a certified message that is scheduled and has not left; repeated safely.

        Operation of the API: CancelarSMSCERTIFICADO. Its path is inferred; the client's `paths=` replaces it.

        Args:
            message_id: the `message_id` its send returned.

        Returns:
            How many recipients were cancelled and the credits that came back.

        Raises:
            APIError: `AlreadySent`, `AlreadyCancelled` or `NotYours`.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.cancel(self._context, "CancelarSMSCERTIFICADO", message_id)

    async def reschedule(self, message_id: int | str, scheduled_at: datetime) -> Rescheduling:
        """Give a scheduled certified message a new date; repeated safely.

        Operation of the API: ReprogramarSMSCERTIFICADO. Its path is inferred; the client's `paths=` replaces it.

        Args:
            message_id: the `message_id` its send returned.
            scheduled_at: the new date, an aware datetime to come, to the minute.

        Returns:
            How many messages got the new date.

        Raises:
            APIError: `AlreadySent`, `AlreadyCancelled`, `DateRejected` or `NotYours`.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.reschedule(self._context, "ReprogramarSMSCERTIFICADO", message_id, scheduled_at)

    async def report(self, message_id: int | str, *, max_age: float = 60) -> MessageReport:
        """Return where every recipient of a certified or contract message stands.

        Operation of the API: GetReportSMSCERTIFICADO. Let the provider call your webhook instead where you can.

        Args:
            message_id: the `message_id` its send returned.
            max_age: seconds that a remembered answer may be old; the same report never goes out twice within five.

        Returns:
            One delivery report per recipient; `status.is_certified` tells whose certificate is ready.

        Raises:
            NotYours: no such message in this account.
            UnexpectedReply: an answer nobody can read.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.report(self._context, "GetReportSMSCERTIFICADO", message_id, max_age)

    async def wait_certified(
        self, message_id: int | str, phone: str, timeout: float | timedelta
    ) -> RecipientReport:
        """Wait until the certificate of one recipient is ready, or will never be.

        Operation of the API: GetReportSMSCERTIFICADO, asked no faster than the guard allows, and ever slower. A
        webhook tells at once and costs no calls, so use this only where none can be had.

        Args:
            message_id: the `message_id` its send returned.
            phone: the recipient, in any usual writing.
            timeout: seconds to wait at most.

        Returns:
            The recipient's last report. `status.is_certified` says that the certificate can be downloaded; else the
            text was not delivered, or the contract was rejected or has expired.

        Raises:
            TimeoutError: neither came within `timeout`.
            MensatekError: any other of the family; lost connections are waited out once a report has come.
        """
        return await download.wait_certified(self._context, message_id, phone, timeout)

    async def download(
        self,
        destination: str | os.PathLike[str] | IO[bytes],
        *,
        message_id: int | str | None = None,
        phone: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Download:
        """Fetch a certificate (PDF), or all of a message or of a period (ZIP, see `open_certificates`).

        Operation of the API: GetSMSCERTIFICADO. What arrives is written beside the destination and moved there when
        it is whole: else nothing is left. A cut download is repeated from its start. The provider means the period
        for rare use and blocks who asks often, so the guard lets it pass once a minute.

        Args:
            destination: a path, whose file is replaced; a binary file, a pipe or a device is written to at the end. A
                path in ".pdf" or ".zip" gets the ending of what came: see `Download.path`.
            message_id: the message; with `phone` one PDF, without it the ZIP of all its recipients.
            phone: one recipient of the message, in any usual writing.
            start: with `end` and without `message_id`: the ZIP of all that was certified from this moment, aware.
            end: to this moment, aware, to the minute.

        Returns:
            Where it is, what it is, and its size.

        Raises:
            InvalidRequest: what to download is not clear; nothing left.
            InvalidFile: the destination cannot be written; nothing left.
            NotYours: no such message, or no certificate yet.
            TooManyRequests: certificates of a period were asked for less than a minute ago; nothing left.
            OSError: the file could not be written to its end, such as on a full disk.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        params = download.selection(self._context.region, message_id, phone, start, end)
        return await download.fetch(self._context, destination, params)
