"""Waiting for a text's end by its callbacks, with one report when none came."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from mensatek_async import (
    ConfigurationError,
    Deliveries,
    DeliveryStatus,
    InvalidPhone,
    MessageReport,
    RecipientReport,
    TooManyRequests,
    testing,
)
from mensatek_async.webhooks import parse
from mensatek_async.webhooks.deliveries import _Waiter
from tests.callbacks import as_json

PHONE = "34600000000"


class Reports:
    """Gives a report with the statuses it was made with, or raises an error, and counts how often."""

    def __init__(self, *statuses: int, phone: str = PHONE, error: Exception | None = None) -> None:
        self.asked: list[int | str] = []
        self._rows = tuple(RecipientReport(phone=phone, status=DeliveryStatus(code)) for code in statuses)
        self._error = error

    async def report(self, message_id: int | str, *, max_age: float = 60) -> MessageReport:
        self.asked.append(message_id)
        if self._error is not None:
            raise self._error
        return MessageReport(message_id=int(message_id), recipients=self._rows)


class Client:
    """As much of a client as `Deliveries` needs."""

    def __init__(self, sms: Any = None, certified: Any = None) -> None:
        self.sms = sms or Reports()
        self.certified = certified or Reports()


async def tell(deliveries: Deliveries, *statuses: int, message_id: int = 7, **changes: Any) -> None:
    for status in statuses:
        payload = testing.delivery_report(status=status, message_id=message_id, **{"phone": PHONE, **changes})
        await deliveries(parse(*payload))


@pytest.mark.parametrize(
    ("statuses", "service", "certified"),
    [
        *(((2, end), "SMSMASIVO", False) for end in (11, 13, 50, 101)),
        *((steps, "SMSMASIVO", True) for steps in ((2, 13, 14), (2, 51), (15, 190))),
        ((13, 5000, 14), "SMSCERTIFICADO", False),
    ],
)
async def test_a_wait_ends_with_the_final_status(
    statuses: tuple[int, ...], service: str, certified: bool
) -> None:
    """Delivered or failed, not "awaiting delivery"; 13 is the end of a plain text, and a step of a certified one, which
    the wait or the callback says that it is."""
    client = Client()
    deliveries = Deliveries(client)

    async def post() -> None:
        for status in statuses:
            await anyio.sleep(0.01)
            await tell(deliveries, status, service=service)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post)
        assert (await deliveries.wait(7, PHONE, timeout=5, certified=certified)).code == statuses[-1]
    assert not client.sms.asked + client.certified.asked


async def test_a_callback_may_come_before_the_wait() -> None:
    """The provider may be quicker than the sender's next line. Only this message counts, to this phone."""
    deliveries = Deliveries(Client(Reports(2)))
    await tell(deliveries, 13, message_id=8)
    await tell(deliveries, 13, phone="34600000001")
    await deliveries(parse(*testing.incoming_message(message_id=7, sender=PHONE)))

    assert (await deliveries.wait(7, PHONE, timeout=0.01)).code == 2
    assert (await deliveries.wait("8", "+34 600 000 000", timeout=0)).code == 13


async def test_in_the_end_one_report_is_asked_for() -> None:
    """One, with whatever it says, final or not; a certified text's where certified texts are reported. Where it knows
    nothing, or only where the signer is, the newest callback counts."""
    client = Client(Reports(2), Reports(14))
    deliveries = Deliveries(client)
    assert (await deliveries.wait(7, PHONE, timeout=0.01)).code == 2
    assert (await deliveries.wait(9, PHONE, timeout=0.01, certified=True)).code == 14
    assert (client.sms.asked, client.certified.asked) == ([7], [9])

    deliveries = Deliveries(Client(certified=Reports(5000)))
    await tell(deliveries, 2)
    await tell(deliveries, 162, message_id=8, service="SMSCERTIFICADO")
    assert (await deliveries.wait(7, PHONE, timeout=0.01)).code == 2
    assert (await deliveries.wait(8, PHONE, timeout=0, certified=True)).code == 162
    assert deliveries.newest(9, PHONE) is None
    unfinished = await Deliveries(Client(certified=Reports(13))).wait(7, PHONE, timeout=0, certified=True)
    assert not unfinished.is_final


@pytest.mark.parametrize(
    ("service", "codes", "newest"),
    [
        *(("SMSMASIVO", codes, 13) for codes in ((13, 1000), (1000, 13))),
        ("SMSCERTIFICADO", (13, 1000), 13),
        *(("SMSCERTIFICADO", codes, 14) for codes in ((14, 13), (13, 14))),
        *(("SMSCERTIFICADO", codes, codes[0]) for codes in ((180, 5000), (160, 5000), (162, 161, 13))),
        ("SMSCERTIFICADO", (5000, 160), 160),
        ("SMSCERTIFICADO", (5000,), None),
    ],
)
async def test_news_that_are_old_or_no_status_replace_none(
    service: str, codes: tuple[int, ...], newest: int | None
) -> None:
    """In whatever order the callbacks come."""
    deliveries = Deliveries(Client())
    await tell(deliveries, *codes, service=service)
    await deliveries(parse(*testing.document_event(message_id=7)))
    await deliveries(parse(*as_json({"Servicio": "EMAILCERTIFICADO", "Resultado": 50, "idMensaje": 7})))

    found = deliveries.newest(7, PHONE)
    assert (found and found.code) == newest


@pytest.mark.parametrize(
    ("reports", "error"),
    [
        (Reports(13, phone="34600000001"), TimeoutError),
        (Reports(error=TooManyRequests("too often")), TooManyRequests),
    ],
    ids=["nothing known", "the guard"],
)
async def test_a_report_that_does_not_help(reports: Reports, error: type[Exception]) -> None:
    """Neither a callback nor the report has heard of the text; one that would count as spam is not forced."""
    with pytest.raises(error):
        await Deliveries(Client(reports)).wait(7, PHONE, timeout=0.01)


async def test_many_wait_for_one_text() -> None:
    """Each is told; nothing is left behind, nor by one who gave up."""
    deliveries = Deliveries(Client())
    codes: list[int] = []

    async def wait() -> None:
        codes.append((await deliveries.wait(7, PHONE, timeout=5)).code)

    with anyio.move_on_after(0.02):
        await wait()
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(wait)
        await anyio.sleep(0.02)
        await tell(deliveries, 13)

    assert codes == [13, 13, 13]
    assert not deliveries._waiters


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
async def test_a_callback_from_another_loop_wakes_the_waiter(backend: str) -> None:
    """A webhook under WSGI runs its handlers on a loop of its own."""
    deliveries = Deliveries(Client())

    def elsewhere() -> None:
        anyio.run(tell, deliveries, 13, backend=backend)

    async with anyio.create_task_group() as tasks:

        async def post() -> None:
            await anyio.sleep(0.02)
            thread = threading.Thread(target=elsewhere)
            thread.start()
            await anyio.to_thread.run_sync(thread.join)

        tasks.start_soon(post)
        assert (await deliveries.wait(7, PHONE, timeout=5)).code == 13


async def test_a_waiter_whose_loop_has_ended_harms_nobody() -> None:
    """A program that stopped in the middle of a wait leaves nothing that fails later."""
    deliveries = Deliveries(Client())
    loops: list[Any] = []

    async def note() -> None:
        loops.append(anyio.lowlevel.current_token())

    await anyio.to_thread.run_sync(lambda: anyio.run(note))
    deliveries._waiters[7, PHONE] = [_Waiter(False, loops[0])]

    await tell(deliveries, 13)

    assert (await deliveries.wait(7, PHONE)).code == 13


async def test_what_is_remembered_is_bounded() -> None:
    """The oldest texts are forgotten; a misprint shows at once, not after the timeout."""
    deliveries = Deliveries(Client(), remember=2)
    for number in (1, 2, 3):
        await tell(deliveries, 13, message_id=number)

    assert [deliveries.newest(number, PHONE) is None for number in (1, 2, 3)] == [True, False, False]
    with pytest.raises(InvalidPhone):
        await deliveries.wait(7, "nobody")
    with pytest.raises(ValueError, match="invalid literal"):
        await deliveries.wait("seven", PHONE)
    with pytest.raises(ConfigurationError):
        Deliveries(Client(), remember=0)
