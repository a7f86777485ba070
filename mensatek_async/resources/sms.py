"""`client.sms`: plain texts."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from .._core import exchange
from .._core.context import Context
from .._core.messages.message import Encoding, compose_for, send
from ..bulk.engine import Engine
from ..bulk.outcomes import BulkStream, ProgressCallback
from ..models.bulk import BulkResult
from ..models.recipient import Recipient, VoiceFallback
from ..models.results import Cancellation, MessageReport, Rescheduling, SendResult
from ..opt_outs.opt_outs import OptOuts
from ..sources.rows import BrokenRow
from ..text.template import Template
from ..tracebacks import private

Recipients = Iterable[str | Recipient | BrokenRow] | AsyncIterable[str | Recipient | BrokenRow]


@private
class SmsResource:
    """Sends plain texts and follows them. Reached as `client.sms`."""

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
        voice_fallback: bool | VoiceFallback | None = None,
        encoding: Encoding = "auto",
        fix_utf8: bool = False,
    ) -> SendResult:
        """Send one text to one recipient or to as many as one request holds.

        Operation of the API: EnviarSMS.

        Args:
            to: a phone, a `Recipient`, or several of them (500 at most; `send_bulk` takes any number).
            text: the text, or a `Template` whose fields each recipient fills. A `str` is sent as it is, normalised to
                NFC; one that holds a field of the recipients in braces is refused.
            sender: up to 11 characters, best of letters, digits, & and _ (others with a `SenderWarning`); or a number
                of up to 15 digits. "" is the account's own. Default: the client's, else the account's own.
            scheduled_at: when to send it, an aware datetime to the minute; one that the clocks skip is refused, and the
                second of autumn's double hour warns (`DateWarning`). Default: now.
            reference: comes back in every delivery report of this message.
            report: whether to have delivery reports, by e-mail or webhook as set in the panel. Default: the client's
                `report`, else it is left out and the account's setting counts.
            join: the `message_id` of an earlier send that this one joins: it takes that one's sender, and the
                provider sends nothing twice to one phone inside it, so the call is repeated safely.
            voice_fallback: reads the text in a call where the SMS cannot be delivered: True, or a `VoiceFallback`.
            encoding: "auto", "gsm" or "unicode"; see `mensatek_async.text.segments`.
            fix_utf8: has the provider repair a text that was decoded wrongly before it came here.

        Returns:
            What was accepted and what it cost.

        Raises:
            InvalidRequest: or one of its kinds; nothing left.
            Refused: the guard held the call back; nothing left.
            ConnectionFailed: the provider could not be reached; nothing was sent.
            OutcomeUnknown: the request left and no readable answer came: it may have been sent.
            APIError: the provider said no, such as `InsufficientCredits`; nothing was sent.
        """
        options = (sender, scheduled_at, reference, report, join, encoding, fix_utf8)
        message = compose_for(self._context, "EnviarSMS", text, *options, voice_fallback=voice_fallback)
        return await send(self._context, message, to, self._context.limits.sms_per_request)

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
        voice_fallback: bool | VoiceFallback | None = None,
        encoding: Encoding = "auto",
        fix_utf8: bool = False,
        group: bool = True,
        check_credits: bool = True,
        chunk_size: int | None = None,
        concurrency: int | None = None,
        on_progress: ProgressCallback | None = None,
        opt_outs: OptOuts | None = None,
    ) -> BulkResult:
        """Send one text to any number of recipients, in chunks, several at once.

        Operation of the API: EnviarSMS, many times. The first request carries one recipient; all others join its
        message, so that they can be repeated safely: nobody is texted twice.

        Args:
            recipients: any iterable of phones or `Recipient` objects (in asynchronous code an asynchronous one too),
                or a `CsvSource` and the like. Read as it is sent and never held whole; an iterable of your own is
                read where the call is made, in the event loop or the calling thread.
            text: the text, or a `Template` whose fields each recipient fills.
            sender: up to 11 characters, or a number of up to 15 digits; "" is the account's own. Default: the client's.
            scheduled_at: when to send it, an aware datetime, to the minute. Default: now.
            reference: comes back in every delivery report.
            report: whether to have delivery reports. Default: the client's `report`, else the account's setting.
            join: the `message_id` of an earlier send that all of this joins.
            voice_fallback: reads the text in a call where the SMS cannot be delivered: True, or a `VoiceFallback`.
            encoding: "auto", "gsm" or "unicode"; with "auto", recipients that need Unicode get requests of their own.
            fix_utf8: has the provider repair a text that was decoded wrongly before it came here.
            group: False sends each request as a message of its own; then none can be repeated safely, and one whose
                answer is lost leaves all its rows unknown.
            check_credits: stop before the request that the account cannot pay, by the price the first answers
                showed. False sends on until the provider refuses.
            chunk_size: recipients in a request; default and most: the client's `Limits.sms_per_request`.
            concurrency: requests in flight; default and most: the client's `Limits.concurrency`.
            on_progress: called with a `BulkProgress` after each request, where the call was made; in asynchronous
                code it may be a coroutine function.
            opt_outs: an `OptOuts`: who is in it when their request is about to leave is left out, and counted as
                `opted_out`. Default: nobody is looked up.

        Returns:
            What became of every row. A refused account, missing credits and the like end the send and stand in
            `BulkResult.stopped`; `raise_if_stopped()` raises them.

        Raises:
            InvalidRequest: an option or the text is wrong; nothing left.
            Exception: whatever `recipients` or `on_progress` raised, with the result so far as `bulk_result`. A
                cancellation and a KeyboardInterrupt carry it too; `bulk` shows it while the work runs.
        """
        options = (sender, scheduled_at, reference, report, join, encoding, fix_utf8)
        message = compose_for(self._context, "EnviarSMS", text, *options, voice_fallback=voice_fallback)
        most = self._context.limits.sms_per_request
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
        voice_fallback: bool | VoiceFallback | None = None,
        encoding: Encoding = "auto",
        fix_utf8: bool = False,
        group: bool = True,
        check_credits: bool = True,
        chunk_size: int | None = None,
        concurrency: int | None = None,
        on_progress: ProgressCallback | None = None,
        opt_outs: OptOuts | None = None,
    ) -> AbstractAsyncContextManager[BulkStream]:
        """Send to any number of recipients as `send_bulk` does, outcome by outcome.

        Operation of the API: EnviarSMS, many times. Use it as `async with client.sms.bulk(...) as outcomes:` and
        `async for outcome in outcomes:`; each is a `ChunkOutcome`. Leaving the block early stops the send: requests
        on their way get `Timeout.grace` seconds, no further one leaves, and `outcomes.result` tells what became of
        every row read.

        Args:
            recipients: any iterable of phones or `Recipient` objects, or a `CsvSource` or the like; read while sent.
            text: the text, or a `Template` whose fields each recipient fills.
            sender: up to 11 characters, or a number of up to 15 digits; "" is the account's own. Default: the client's.
            scheduled_at: when to send it, an aware datetime, to the minute. Default: now.
            reference: comes back in every delivery report.
            report: whether to have delivery reports. Default: the client's `report`, else the account's setting.
            join: the `message_id` of an earlier send that all of this joins.
            voice_fallback: reads the text in a call where the SMS cannot be delivered: True, or a `VoiceFallback`.
            encoding: "auto", "gsm" or "unicode"; with "auto", recipients that need Unicode get requests of their own.
            fix_utf8: has the provider repair a text that was decoded wrongly before it came here.
            group: False sends each request as a message of its own; then none can be repeated safely.
            check_credits: stop before the request that the account cannot pay. False: when the provider refuses.
            chunk_size: recipients in a request; default and most: the client's `Limits.sms_per_request`.
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
        message = compose_for(self._context, "EnviarSMS", text, *options, voice_fallback=voice_fallback)
        most = self._context.limits.sms_per_request
        how = (most, group, check_credits, chunk_size, concurrency, on_progress, opt_outs)
        return Engine(self._context, message, recipients, *how).stream()

    async def cancel(self, message_id: int | str) -> Cancellation:
        """Cancel a message that is scheduled and has not left.

        Operation of the API: CancelarSMS. Repeated safely: when an earlier try's answer was lost and the provider
        then says "cancelled already", that is success.

        Args:
            message_id: the `message_id` its send returned.

        Returns:
            How many recipients were cancelled and the credits that came back.

        Raises:
            AlreadySent: it has left.
            AlreadyCancelled: it was cancelled before.
            NotYours: no such message in this account.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.cancel(self._context, "CancelarSMS", message_id)

    async def reschedule(self, message_id: int | str, scheduled_at: datetime) -> Rescheduling:
        """Give a scheduled message a new date.

        Operation of the API: ReprogramarSMS. Repeated safely.

        Args:
            message_id: the `message_id` its send returned.
            scheduled_at: the new date, an aware datetime to come, to the minute.

        Returns:
            How many messages got the new date.

        Raises:
            InvalidDate: no time zone, or passed; nothing left.
            AlreadySent: it has left.
            AlreadyCancelled: it was cancelled.
            DateRejected: the provider does not take the date.
            NotYours: no such message in this account.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.reschedule(self._context, "ReprogramarSMS", message_id, scheduled_at)

    async def report(self, message_id: int | str, *, max_age: float = 60) -> MessageReport:
        """Return where every recipient of a message stands.

        Operation of the API: GetReportSMS. The provider counts asking again and again as spam; let it call your
        webhook instead where you can.

        Args:
            message_id: the `message_id` its send returned.
            max_age: seconds that a remembered answer may be old; the same report never goes out twice within five.

        Returns:
            One delivery report per recipient.

        Raises:
            NotYours: no such message in this account.
            UnexpectedReply: an answer nobody can read.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.report(self._context, "GetReportSMS", message_id, max_age)
