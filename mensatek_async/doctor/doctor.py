"""Asks the provider, a little at a time, and never more than was agreed to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from secrets import token_hex
from typing import Any, TypeVar

import anyio
from attrs import evolve

from .._core.context import Context, context_of
from .._core.operations import positive_seconds
from .._core.reading import DecodedReply
from .._wire.encode import Params
from .._wire.marks import Mark, marked
from .._wire.scalars import madrid
from ..assumptions import RequestFormat
from ..client import AsyncMensatek
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    InvalidRequest,
    MensatekError,
    Refused,
)
from ..phones import normalise
from ..resources.sms import SmsResource
from ..tracebacks import private
from .account_checks import bodies
from .checks import diagnosis_of
from .diagnosis import Diagnosis
from .evidence import Evidence, Seen, SentText
from .listener import Heard, arrives, listening, port_of

T = TypeVar("T")

MOST_EMPTY = MOST_TEXTS = 3
_APART = 1.2  # empty calls keep so many times the interval that the provider wants between two of the same
_STOPS = (AuthenticationError, Refused, ConnectionFailed)
_RAISED = (*_STOPS, ConfigurationError)
_LAST_MOMENT = 5.0  # seconds to cancel what must not leave, when the diagnosis is interrupted


class Doctor:
    """One diagnosis of one client's account; `note` is called with what is being done, and the rest is `diagnose`'s."""

    def __init__(
        self,
        client: AsyncMensatek,
        phone: str | None = None,
        *,
        listen: int | None = None,
        callback: str | None = None,
        host: str = "127.0.0.1",
        wait: float = 60.0,
        note: Callable[[str], object] = lambda what: None,
    ) -> None:
        context = context_of(client, "`sync_diagnose`")
        self._phone = None if phone is None else normalise(phone, context.region)
        if phone is None and (listen is not None or callback is not None):
            raise InvalidRequest("Callbacks come for texts: give a phone of your own too.")
        self._port, self._url, self._host = port_of(callback, listen), callback, host
        self._wait, self._note = positive_seconds("wait", wait), note
        paths = {row.name: row.path for row in context.operations.values() if row.path != row.name}
        assumed = evolve(client._assumed, paths=paths)
        self.evidence: Evidence = Evidence(assumed=assumed, request_format=assumed.request_format)
        self._apart = _APART * context.read_interval
        self._mark = Mark(token_hex(4), -1, token_hex(4))
        self._use(context, assumed.request_format)

    async def run(self) -> Diagnosis:
        """Find out what can be found out; a blocked or refused account ends it at once."""
        async with listening(self._host, self._port) as heard:
            try:
                await self._look_at_the_account()
                if self._phone is not None and self.evidence.first_answer:
                    await self._send_texts(self._phone, heard)
            except _STOPS as error:
                self.evidence.ended = error
        return diagnosis_of(self.evidence)

    def _use(self, context: Context, request_format: RequestFormat) -> None:
        """From now on make calls with bodies of a form, and repeat none."""
        self._context = evolve(context, caller=context.caller.trying_once(request_format))
        self._sms = SmsResource(self._context)
        self.evidence.request_format = request_format

    # --- calls that send nothing ----------------------------------------------------------------------------

    async def _look_at_the_account(self) -> None:
        seen = self.evidence
        asked = seen.request_format
        await self._ask_credits(asked)
        if asked == "json" and not seen.balance["json"].is_json:
            await self._ask_credits("form")
            verdict = bodies(seen)
            self._use(self._context, "form" if verdict and verdict.settings else "json")
        if seen.first_answer is None:
            return
        for row in self._context.operations.values():
            if row.path_source == "inferred" and seen.empty_calls < MOST_EMPTY:
                await self._empty(row.name, seen.probed, row.name)

    async def _ask_credits(self, form: RequestFormat) -> None:
        self._use(self._context, form)
        await self._empty("GetCreditos", self.evidence.balance, form)

    async def _empty(self, operation: str, answers: dict[str, Seen], key: str) -> None:
        """Make a call that sends nothing, well after the last one, and keep its answer."""
        if self.evidence.empty_calls:
            await anyio.sleep(self._apart)
        self.evidence.empty_calls += 1
        self._note(f"{operation}, {self.evidence.request_format}")
        row = self._context.operations[operation]
        try:
            reply = await self._context.caller.reply(row, Params())
            answers[key] = Seen(reply=reply, skew=_skew(reply))
        except MensatekError as error:
            answers[key] = Seen(error=error)
            if isinstance(error, _RAISED):
                raise

    # --- texts ----------------------------------------------------------------------------------------------

    async def _send_texts(self, phone: str, heard: Heard | None) -> None:
        seen = self.evidence
        if self._url is not None and heard is not None:
            self._note("a callback to the URL of your panel")
            seen.url_works = await arrives(self._url, heard)
            if not seen.url_works:
                return
        number = await self._send(phone, "first")
        if not number:  # then a scheduled one could not be cancelled
            return
        await self._send(phone, "repeat", join=number)
        await self._schedule(phone)
        if heard is not None:
            await self._hear(heard)
        await anyio.sleep(self._apart)
        seen.report = await self._tried(self._sms.report(number, max_age=0))
        seen.report_at = datetime.now(UTC)

    async def _send(self, phone: str, purpose: str, **options: Any) -> int:
        """Send a text; return its message, 0 where the provider took none."""
        number = len(self.evidence.texts) + 1
        assert number <= MOST_TEXTS
        reference = marked(f"doctor-{number}", self._mark)
        text = SentText(purpose=purpose, reference=reference, scheduled_at=options.get("scheduled_at"))
        self.evidence.texts.append(text)
        self._note(f"what becomes of text {number}")
        words = f"mensatek-doctor {number}/{MOST_TEXTS}: ñ Ñ ¿ ¡ € á é í ó ú"
        try:
            text.result = await self._sms.send(phone, words, reference=reference, **options)
        except MensatekError as error:
            text.error = error
            if isinstance(error, _RAISED):
                raise
        return text.result.message_id if text.result and text.accepted else 0

    async def _schedule(self, phone: str) -> None:
        """Send a text for tomorrow, move it, and cancel it, come what may."""
        seen, ahead = self.evidence, timedelta(seconds=max(self.evidence.skew or 0.0, 0.0))
        # By this machine's clock or the provider's, whichever is ahead.
        when = (datetime.now(madrid()) + ahead + timedelta(days=1)).replace(second=0, microsecond=0)
        number = await self._send(phone, "scheduled", scheduled_at=when, report=True)
        if not number:
            return
        try:
            self._note("text 3 is moved and cancelled")
            seen.moved = await self._tried(self._sms.reschedule(number, when + timedelta(days=1)))
            seen.cancelled = await self._tried(self._sms.cancel(number))
        except anyio.get_cancelled_exc_class():
            if seen.cancelled is None:
                with suppress(MensatekError), anyio.move_on_after(_LAST_MOMENT, shield=True):
                    seen.cancelled = await self._sms.cancel(number)
            raise

    async def _hear(self, heard: Heard) -> None:
        """Wait for callbacks of texts 1 and 3."""
        seen, begun = self.evidence, anyio.current_time()
        numbers = {seen.number_of(one.purpose) for one in seen.texts} - {0}
        self._note(f"callbacks, for {self._wait:.0f} s at most")

        def enough() -> bool:
            seen.heard = [(report, at) for report, at in heard.reports if report.message_id in numbers]
            seen.unreadable = heard.unreadable
            return bool(seen.reports_of("first") and seen.reports_of("scheduled"))

        try:
            await heard.until(enough, self._wait)
        finally:
            seen.waited = anyio.current_time() - begun

    async def _tried(self, call: Awaitable[T]) -> T | MensatekError:
        try:
            return await call
        except _RAISED:
            raise
        except MensatekError as error:
            return error


def _skew(reply: DecodedReply) -> float | None:
    try:
        return parsedate_to_datetime(reply.raw.date).timestamp() - time.time()
    except (TypeError, ValueError):
        return None


@private
async def diagnose(
    client: AsyncMensatek,
    phone: str | None = None,
    *,
    listen: int | None = None,
    callback: str | None = None,
    host: str = "127.0.0.1",
    wait: float = 60.0,
) -> Diagnosis:
    """Find out what this package assumes of the provider and your account may need otherwise.

    Without a phone it sends nothing and makes at most three calls, seconds apart. With one it costs money: at most
    three texts go to it, one of which is scheduled for tomorrow, moved and cancelled. It repeats nothing, and a blocked
    or refused account ends it at once. What is looked at stands in `docs/live.md`.

    Operations of the API: GetCreditos, an empty CancelarSMSCERTIFICADO and ReprogramarSMSCERTIFICADO; with a phone
    EnviarSMS, GetReportSMS, ReprogramarSMS and CancelarSMS.

    Args:
        client: the client, whose own settings are what is looked at.
        phone: a phone of your own. No question is asked.
        listen: the port on which to hear callbacks of these texts, where the URL in your panel leads.
        callback: that URL: whether it leads here is tried before any text, and without `listen` it names the port.
        host: the address to listen on.
        wait: seconds that callbacks are waited for.

    Returns:
        The diagnosis. An exception that ends it, a cancellation too, has what was found out so far as its `diagnosis`.

    Raises:
        InvalidRequest: the phone, the URL, the port or the time cannot be, or there is no phone that callbacks could
            come for.
        ConfigurationError: the client is closed or none of these, or nothing can listen there.
    """
    doctor = Doctor(client, phone, listen=listen, callback=callback, host=host, wait=wait)
    try:
        return await doctor.run()
    except BaseException as error:
        remember(error, doctor)
        raise


def remember(error: BaseException, doctor: Doctor) -> None:
    """Let what ends a diagnosis say what was sent."""
    with suppress(AttributeError):
        setattr(error, "diagnosis", diagnosis_of(doctor.evidence))  # noqa: B010
    for line in doctor.evidence.lines():
        error.add_note(line)
