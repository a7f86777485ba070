"""Follows messages by the callbacks about them, so that nobody needs to ask again and again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Protocol, TypeAlias

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
from attrs import define, field

from ..codes import DeliveryStatus, Phase
from ..errors import ConfigurationError
from ..models.events import DeliveryReport, Event
from ..models.results import MessageReport
from ..phones import normalise

_Text: TypeAlias = tuple[int, str]


class Reports(Protocol):
    """Anything that reports on a message, such as `client.sms`."""

    async def report(self, message_id: int | str, *, max_age: float = ...) -> MessageReport:
        """Return where every recipient of a message stands."""
        ...


class Client(Protocol):
    """What `Deliveries` needs of an `AsyncMensatek`."""

    @property
    def sms(self) -> Reports:
        """Plain texts."""
        ...


@define(eq=False)
class _Waiter:
    """Somebody who waits for a text's end, on an event loop of their own."""

    certified: bool
    token: Any
    woken: anyio.Event = field(factory=anyio.Event)
    status: DeliveryStatus | None = None

    def tell(self, status: DeliveryStatus) -> None:
        """Hand over a status; must run on the waiter's loop."""
        self.status = status
        self.woken.set()


class Deliveries:
    """A webhook handler that other tasks can ask whether a text has arrived::

        deliveries = Deliveries(client)
        app = asgi.WebhookApp(deliveries, token="...")
        ...
        sent = await client.sms.send("600000000", "Hola")
        status = await deliveries.wait(sent.message_id, "600000000", timeout=60)

    To do more with the events, call it from your own handler: `await deliveries(event)`.

    Args:
        client: whom to ask for a report when no callback came in time.
        remember: how many texts' newest statuses are kept for those who ask later; the oldest go first.
        region: the region of phones written without a country code.

    Raises:
        ConfigurationError: there is no room for one text.
    """

    def __init__(self, client: Client, *, remember: int = 100_000, region: str = "ES") -> None:
        if remember < 1:
            raise ConfigurationError("Deliveries needs room for one text.")
        self._client = client
        self._most = remember
        self._region = region
        self._newest: OrderedDict[_Text, DeliveryStatus] = OrderedDict()
        self._waiters: dict[_Text, list[_Waiter]] = {}

    async def __call__(self, event: Event) -> None:
        """Take an event; those that are no delivery reports change nothing."""
        if not isinstance(event, DeliveryReport):
            return
        text = (event.message_id, event.phone)
        if event.status.phase is Phase.INFO:
            return
        before = self._newest.get(text)
        if before is None or event.status.replaces(before):
            self._newest[text] = event.status
            self._newest.move_to_end(text)
            while len(self._newest) > self._most:
                self._newest.popitem(last=False)
        here = anyio.lowlevel.current_token()
        for waiter in list(self._waiters.get(text, ())):
            if not _is_end(event.status, waiter.certified):
                continue
            if waiter.token == here:
                waiter.tell(event.status)
            else:
                await anyio.to_thread.run_sync(_tell_elsewhere, waiter, event.status)

    def newest(self, message_id: int | str, phone: str) -> DeliveryStatus | None:
        """Return the newest status that a callback brought, without waiting; None when none came."""
        return self._newest.get(self._text(message_id, phone))

    async def wait(
        self, message_id: int | str, phone: str, timeout: float = 60.0, *, certified: bool = False
    ) -> DeliveryStatus:
        """Wait until nothing more is to come for a text, or for its certificate.

        When the time is up it asks the provider for one report, which the client's guard may answer from memory
        or refuse: the status it gives need not be final.

        Args:
            message_id: the `message_id` its send returned.
            phone: the recipient, in any usual writing.
            timeout: seconds to wait for a callback.
            certified: whether it was sent as a certified text or a contract, which goes on after "delivered to the
                phone"; a callback says so itself, but a wait may begin before the first, and asks for its own report.

        Returns:
            Its status; `is_final` and `is_certified` tell whether it is the end.

        Raises:
            TimeoutError: no callback came, and the report does not know the phone.
            InvalidPhone: the phone is none.
            ValueError: the message id is none.
            MensatekError: the report could not be had; what `client.sms.report` raises.
        """
        text = self._text(message_id, phone)
        newest = self._newest.get(text)
        if newest is not None and _is_end(newest, certified):
            return newest
        waiter = _Waiter(certified, anyio.lowlevel.current_token())
        self._waiters.setdefault(text, []).append(waiter)
        try:
            with anyio.move_on_after(timeout):
                await waiter.woken.wait()
        finally:
            self._forget(text, waiter)
        return waiter.status or await self._ask(text, certified)

    def _forget(self, text: _Text, waiter: _Waiter) -> None:
        waiting = self._waiters[text]
        waiting.remove(waiter)
        if not waiting:
            del self._waiters[text]

    async def _ask(self, text: _Text, certified: bool) -> DeliveryStatus:
        message_id, phone = text
        reports: Reports = (
            getattr(self._client, "certified", self._client.sms) if certified else self._client.sms
        )
        report = await reports.report(message_id)
        newest = self._newest.get(text)
        for row in report.recipients:
            if row.phone == phone and (newest is None or row.status.phase is not Phase.INFO):
                return DeliveryStatus(row.status.code, certifies=certified or row.status.certifies)
        if newest is None:
            raise TimeoutError("no callback came in time, and the report does not know the phone")
        return newest

    def _text(self, message_id: int | str, phone: str) -> _Text:
        return int(message_id), normalise(phone, self._region)


def _is_end(status: DeliveryStatus, certified: bool) -> bool:
    return DeliveryStatus(status.code, certifies=certified or status.certifies).is_final


def _tell_elsewhere(waiter: _Waiter, status: DeliveryStatus) -> None:
    try:
        anyio.from_thread.run_sync(waiter.tell, status, token=waiter.token)
    except RuntimeError:
        pass  # the waiter's loop has ended, and its wait with it
