"""Which calls are repeated and when, on a clock that jumps: the table of repeats, backoff, and being told to wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from mensatek_async import (
    AccountPaused,
    AlreadySent,
    AsyncMensatek,
    AuthenticationError,
    BadParameters,
    ConnectionFailed,
    DateRejected,
    FileNotFound,
    FormatNotAllowed,
    InsufficientCredits,
    Limits,
    MensatekError,
    NotYours,
    OutcomeUnknown,
    Retry,
    TooManyRequests,
    UnexpectedReply,
)
from mensatek_async._core.call_state import InFlightShield
from mensatek_async._core.failures import Cut
from mensatek_async._core.limits import retry as waits
from mensatek_async._core.limits.retry import parse_retry_after, wait_before
from tests.scripted import Script, client_of, page, reply

PHONE = "34600123456"
SENT = {"idMensaje": 77, "Cred": 9, "Mensajes": 1, "NoEnviados": 0, "CreditosUsados": 1}
Call = Callable[[AsyncMensatek], Awaitable[Any]]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps to the next deadline, so that no test waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


CALLS: dict[str, Call] = {
    "read": lambda client: client.request("GetCreditos"),
    "change": lambda client: client.sms.cancel(5),
    "joined": lambda client: client.sms.send(PHONE, "Hola", join=77),
    "plain": lambda client: client.sms.send(PHONE, "Hola"),
    "unlisted": lambda client: client.request("EnviarMMS", {"Idmensaje": 77}),
    "zero": lambda client: client.request("EnviarSMS", {"Idmensaje": "0"}),
    "odd": lambda client: client.request("EnviarSMS", {"Idmensaje": "x"}),
    "own join": lambda client: client.request("enviarsms", {"IDMENSAJE": "77"}),
}
SAFE = {"read", "change", "joined", "own join"}
AMBIGUOUS = {
    "cut": httpx.ReadError("reset"),
    "timed out": httpx.ReadTimeout("slow"),
    "dropped": httpx.RemoteProtocolError("Server disconnected"),
    "5xx": page(502),
    "503 without a time": page(503),
    "page": page(200),
    "empty": httpx.Response(200, content=b""),
}
CERTAIN = {
    "refused": httpx.ConnectError("refused"),
    "429": page(429),
    "429 with a time": page(429, {"Retry-After": "7"}),
    "503 with a time": page(503, {"Retry-After": "7"}),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("trouble", {**AMBIGUOUS, **CERTAIN})
async def test_the_table_of_repeats(call: str, trouble: str) -> None:
    """What certainly was not taken up is repeated by all; what may have been, only where that is safe."""
    answer = {**AMBIGUOUS, **CERTAIN}[trouble]
    script = Script(answer, answer, reply(**SENT))
    async with client_of(script) as client:
        if call in SAFE or trouble in CERTAIN:
            await CALLS[call](client)
            assert len(script.requests) == 3
        else:
            with pytest.raises(OutcomeUnknown) as caught:
                await CALLS[call](client)
            assert len(script.requests) == 1
            assert caught.value.sent is None


# --- what a repeat finds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [httpx.ReadError(""), page(502), httpx.ConnectError(""), None])
async def test_what_a_repeat_finds_done_is_success(lost: Any) -> None:
    """Cancelled before, no such file: the try whose answer was lost did it; without such a try it is an error."""
    answers = [] if lost is None else [lost]
    done = lost is not None and not isinstance(lost, httpx.ConnectError)
    async with client_of(Script(*answers, reply(Res=-5), *answers, reply(Res=-2))) as client:
        if done:
            cancelled = await client.sms.cancel(5)
            assert (cancelled.cancelled, cancelled.message_id) == (1, 5)
            await client.files.delete("a.pdf")
            return
        with pytest.raises(MensatekError, match="cancelled before"):
            await client.sms.cancel(5)
        with pytest.raises(FileNotFound):
            await client.files.delete("a.pdf")


@pytest.mark.parametrize(
    ("operation", "code", "error", "settled"),
    [
        ("CancelarSMS", -4, AlreadySent, True),
        ("CancelarSMS", -2, NotYours, True),
        ("CancelarSMS", -3, BadParameters, True),
        ("CancelarSMSCERTIFICADO", -4, AlreadySent, True),
        ("ReprogramarSMS", -6, DateRejected, True),
        ("ReprogramarSMS", -2, NotYours, True),
        ("CargarFichero", -11, FormatNotAllowed, True),
        ("BorrarFichero", -3, BadParameters, True),
        ("GetReportSMS", -2, NotYours, True),
        ("GetReportSMS", -3, BadParameters, True),
        ("CancelarSMS", -1, AuthenticationError, False),
        ("ReprogramarSMS", -4, AlreadySent, False),
        ("ReprogramarSMS", -7, DateRejected, False),
        ("EnviarSMS", -2, InsufficientCredits, False),
        ("EnviarSMS", -3, BadParameters, False),
    ],
)
async def test_a_refused_repeat(operation: str, code: int, error: type[MensatekError], settled: bool) -> None:
    """A code that could not come had the earlier try worked says that it did not; with others it may have: unknown."""
    async with client_of(Script(httpx.ReadError(""), reply(Res=code))) as client:
        with pytest.raises(MensatekError) as caught:
            await client.request(operation, {"Idmensaje": 5})

    if settled:
        assert type(caught.value) is error
    else:
        assert isinstance(caught.value, OutcomeUnknown)
        assert "its repeat was refused" in str(caught.value)
        assert type(caught.value.__cause__) is error


async def test_a_repeat_that_is_turned_away_leaves_a_lost_change_unknown() -> None:
    """By a block, or by "slow down": that the last try was not taken up says nothing of the first; a read waits."""
    async with client_of(Script(httpx.ReadError(""), page(429), page(429), page(429))) as client:
        with pytest.raises(OutcomeUnknown):
            await client.sms.send(PHONE, "Hola", join=77)
    async with client_of(Script(httpx.ReadError(""), page(403))) as client:
        with pytest.raises(OutcomeUnknown, match="could not be repeated") as caught:
            await client.sms.cancel(5)
        assert isinstance(caught.value.__cause__, AccountPaused)
    script = Script(httpx.ReadError(""), page(403))
    async with client_of(script, base_url="https://other.example/v7") as client:
        with pytest.raises(AccountPaused):
            await client.credits()
    assert not script.answers


@pytest.mark.parametrize(
    ("answer", "asked", "repeat", "accepted", "used"),
    [
        ({"Res": 3}, 3, False, 3, None),
        ({"Res": 2, "CreditosUsados": 2}, 3, False, 2, 2),
        ({"Res": 2, "NoEnviados": 1}, 3, False, 2, None),
        ({"Res": 0}, 3, False, 0, None),
        ({"Res": 0, "NoEnviados": 1, "Duplicados": 1, "CreditosUsados": 0}, 1, False, 0, 0),
        ({"Res": 18}, 10, False, 10, None),
        ({"Res": 18, "NoEnviados": 1}, 10, False, 9, None),
        ({"Res": 2, "NoEnviados": 0, "CreditosUsados": 2}, 2, True, 2, 2),
        ({"Res": 0}, 3, True, 3, None),
        ({"Res": 2, "NoEnviados": 1}, 3, True, 3, None),
        ({"Res": 0, "NoEnviados": 2, "Duplicados": 2, "CreditosUsados": 0}, 2, True, 2, None),
        ({"Res": 0, "NoEnviados": 2, "Duplicados": 0, "CreditosUsados": 0}, 2, True, 0, 0),
        ({"Res": 0, "NoEnviados": 2, "Duplicados": 1}, 2, True, 1, None),
        ({"Res": 1, "NoEnviados": 2, "Duplicados": 9}, 3, True, 3, None),
        ({"Res": 1, "NoEnviados": 2, "Duplicados": 0}, 3, True, 1, None),
        ({"Res": 3, "NoEnviados": 0, "Duplicados": 0}, 3, True, 3, None),
    ],
)
async def test_every_recipient_is_accepted_or_rejected(
    answer: dict[str, int], asked: int, repeat: bool, accepted: int, used: int | None
) -> None:
    """Whom the reply does not count is rejected. On a repeat, who is refused as repeated has the text already, at a
    price that the reply does not tell."""
    script = Script(*([httpx.ReadError("")] if repeat else []), reply(**answer))
    phones = [f"3460000000{number}" for number in range(asked)]
    async with client_of(script) as client:
        sent = await client.sms.send(phones, "Hola", join=77)

    assert (sent.accepted, sent.rejected, sent.recipients) == (accepted, asked - accepted, asked)
    assert (sent.message_id, sent.credits_used) == (77 if accepted else 0, used)


# --- when --------------------------------------------------------------------------------------------------


def gaps(script: Script) -> list[float]:
    """Seconds between one try and the next."""
    return [later - earlier for earlier, later in zip(script.times, script.times[1:], strict=False)]


async def test_waits_double_with_jitter_up_to_the_longest() -> None:
    """0.5 s, 1 s, 2 s and so on, each at least half of that, none above `wait_max`."""
    script = Script(httpx.ConnectError(""), repeat_last=True)
    async with client_of(script, retry=Retry(attempts=8, wait_initial=0.5, wait_max=8)) as client:
        with pytest.raises(ConnectionFailed):
            await client.sms.send(PHONE, "Hola")

    for gap, longest in zip(gaps(script), [0.5, 1, 2, 4, 8, 8, 8], strict=True):
        assert longest / 2 <= gap <= longest


@given(attempt=st.integers(2, 500), initial=st.floats(0, 10), longest=st.floats(0, 100))
def test_a_wait_is_never_above_the_longest(attempt: int, initial: float, longest: float) -> None:
    """Nor negative, however many tries there were."""
    wait = wait_before(attempt, Cut("x"), Retry(wait_initial=initial, wait_max=longest))

    assert 0 <= wait <= longest


@pytest.mark.parametrize(("initial", "latest"), [(5.0, 8.0), (0.25, 7.25)])
def test_a_wait_that_was_told_is_hardly_longer(initial: float, latest: float, monkeypatch: Any) -> None:
    """Never shorter, and a second longer at most, less where the first wait is less."""
    settings, failure = Retry(wait_initial=initial), Cut("x")
    failure.wait = 7.0
    for edge, told in ((min, 7.0), (max, latest)):
        monkeypatch.setattr(waits.random, "uniform", edge)
        assert wait_before(2, failure, settings) == told


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("12", 12), (" 0.5 ", 0.5), ("0", 0), ("-5", 0), ("1e9", 86_400), ("inf", 86_400)]
    + [(header, None) for header in (None, "", "soon", "nan", "32 Oct", "Mon, 99 Foo 2020 99:99:99 GMT")],
)
def test_a_time_to_wait_in_seconds(header: str | None, seconds: float | None) -> None:
    """A day at most, nothing negative; what nobody can read says nothing."""
    assert parse_retry_after(header) == seconds


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000", ""])
def test_a_time_to_wait_until_a_date(zone: str) -> None:
    """In the provider's zone, which is UTC where it names none; a date that has passed is now."""
    for ahead, least in ((100, 90), (-100, 0), (200_000, 86_400)):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead)).replace("+0000", zone)
        assert least <= (parse_retry_after(date) or 0) <= max(least, min(ahead, 86_400))
    east = datetime.now(timezone(timedelta(hours=2))) + timedelta(seconds=100)
    assert 90 <= (parse_retry_after(format_datetime(east)) or 0) <= 100


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_kept_to(status: int) -> None:
    """By the next try, hardly later, and by a call that another task makes meanwhile."""
    script = Script(page(status, {"Retry-After": "12"}), reply(**SENT), reply(Res=1))
    async with client_of(script) as client, anyio.create_task_group() as group:
        group.start_soon(client.sms.send, PHONE, "Hola")
        await anyio.sleep(5)
        await client.sms.cancel(5)

    assert 12 <= script.times[1] - script.times[0] <= 13 <= script.times[2] - script.times[0] + 1


async def test_a_time_beyond_the_budget_ends_the_call_at_once() -> None:
    """No sleep: the user is told how long, and so is every further call, without a request."""
    script = Script(page(429, {"Retry-After": "3600"}))
    async with client_of(script, retry=Retry(timeout=90)) as client:
        before = anyio.current_time()
        for _ in range(3):
            with pytest.raises(TooManyRequests) as caught:
                await client.sms.send(PHONE, "Hola")
            assert caught.value.retry_after == pytest.approx(3600)
            assert caught.value.sent is False
        assert anyio.current_time() == before

    assert len(script.requests) == 1


async def test_a_call_does_not_wait_for_ever_for_others_times() -> None:
    """When the provider keeps asking for more, a waiting call gives up within its own budget."""
    script = Script(page(429, {"Retry-After": "25"}), repeat_last=True)
    ended: list[float] = []

    async def keeps_asking(client: AsyncMensatek) -> None:
        for _ in range(20):
            with pytest.raises(TooManyRequests):
                await client.sms.cancel(1)
            await anyio.lowlevel.checkpoint()

    async with client_of(script, retry=Retry(timeout=60)) as client, anyio.create_task_group() as group:
        group.start_soon(keeps_asking, client)
        await anyio.sleep(1)
        began = anyio.current_time()
        with pytest.raises(TooManyRequests):
            await client.sms.send(PHONE, "Hola")
        ended.append(anyio.current_time() - began)
        group.cancel_scope.cancel()

    assert ended[0] <= 60


async def test_the_budget_counts_from_the_first_try() -> None:
    """Slow tries use it up; no further one begins that would come after it."""

    async def slow(_: httpx.Request) -> httpx.Response:
        await anyio.sleep(40)
        raise httpx.ReadTimeout("slow")

    script = Script(slow, repeat_last=True)
    async with client_of(script, retry=Retry(attempts=10, timeout=90)) as client:
        with pytest.raises(UnexpectedReply):
            await client.request("GetCreditos")

    assert len(script.requests) == 3


@pytest.mark.parametrize("retry", [Retry(attempts=1), Retry(timeout=0)])
async def test_repeats_can_be_switched_off(retry: Retry) -> None:
    """One try in all, or no time for more; told to wait without a time, the error suggests one."""
    async with client_of(Script(httpx.ConnectError(""), page(429)), retry=retry) as client:
        with pytest.raises(ConnectionFailed):
            await client.sms.cancel(5)
        with pytest.raises(TooManyRequests) as caught:
            await client.credits()

    assert caught.value.retry_after == retry.wait_max


async def test_told_to_slow_down_the_client_does() -> None:
    """After a 429 requests are spread out, and after many that went well they are not any more."""
    script = Script(page(429), reply(Res=1), repeat_last=True)
    async with client_of(script, limits=Limits(concurrency=8)) as client:
        for number in range(1, 200):
            await client.sms.cancel(number)

    times = script.times[1:]
    assert times[1] - times[0] >= 0.04
    assert times[-1] - times[-2] == 0


@pytest.mark.parametrize(
    "answer", [page(429), page(429, {"Retry-After": "1"}), page(503, {"Retry-After": "1"})]
)
async def test_a_distrusted_429_leaves_a_send_unknown(answer: httpx.Response) -> None:
    """It is not repeated where that could text somebody twice; what is safe to repeat is, and a read is a read."""
    script = Script(answer, answer, reply(**SENT), answer, reply(), answer, reply(Cred=5))
    async with client_of(script, retry=Retry(trust_429=False)) as client:
        with pytest.raises(OutcomeUnknown):
            await client.sms.send(PHONE, "Hola")
        assert (await client.sms.send(PHONE, "Hola", join=77)).accepted == 1
        await client.sms.cancel(7)
        assert await client.credits(0) == 5
    once = Retry(trust_429=False, attempts=1)
    async with client_of(Script(answer), retry=once, base_url="https://other.example") as client:
        with pytest.raises(TooManyRequests):
            await client.credits()


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_bulk_send_whose_opener_is_told_to_wait(trusted: bool) -> None:
    """Trusted, its first recipient is sent again; distrusted, that one is unknown and the next one opens."""
    script = Script(page(429), reply(**SENT), reply(**{**SENT, "Res": 2}), reply(**SENT))
    async with client_of(script, retry=Retry(trust_429=trusted)) as client:
        result = await client.sms.send_bulk([f"60000000{at}" for at in range(4)], "Hola")
    asked = [script.params(number)["Destinatarios"] for number in range(len(script.requests))]
    assert str(asked).count("34600000000") == (2 if trusted else 1)
    assert len(result.unknown) == (0 if trusted else 1)


# --- reads -------------------------------------------------------------------------------------------------


async def test_credits_are_asked_for_once_a_minute_at_most() -> None:
    """What a reply told is known for `max_age`; the question itself never goes out twice in 5 s."""
    script = Script(*(reply(Cred=number) for number in range(1, 6)))
    async with client_of(script) as client:
        assert [await client.credits() for _ in range(3)] == [1, 1, 1]
        await anyio.sleep(61)
        assert await client.credits() == 2
        assert await client.credits(max_age=0) == 2
        await anyio.sleep(5.1)
        assert await client.credits(max_age=0) == 3
    assert len(script.requests) == 3


async def test_the_newest_credits_win_over_a_remembered_answer() -> None:
    """A send within the 5 s told a newer number; that credits are missing pauses nothing, since they may be bought."""
    script = Script(reply(Cred=10), reply(Res=-2), reply(**SENT))
    async with client_of(script) as client:
        await client.credits()
        with pytest.raises(InsufficientCredits):
            await client.sms.send(PHONE, "Hola")
        await client.sms.send(PHONE, "Hola")
        assert await client.credits(max_age=0) == 9


async def test_a_read_that_was_told_to_wait_does_not_go_out_again_at_once() -> None:
    """Its refusal is remembered for the 5 s that the same read is kept from going out twice."""
    script = Script(page(429), page(429), reply(Cred=5))
    async with client_of(script, retry=Retry(attempts=2, wait_initial=0)) as client:
        for _ in range(3):
            with pytest.raises(TooManyRequests):
                await client.credits()
        assert len(script.requests) == 2
        await anyio.sleep(5.1)
        assert await client.credits() == 5


async def test_a_read_that_never_left_may_go_out_at_once() -> None:
    """No connection costs the provider nothing."""
    script = Script(httpx.ConnectError(""), reply(Cred=5))
    async with client_of(script, retry=Retry(attempts=1)) as client:
        with pytest.raises(ConnectionFailed):
            await client.credits()
        before = anyio.current_time()
        assert await client.credits() == 5
        assert anyio.current_time() == before


async def test_a_change_makes_the_report_ask_again() -> None:
    """A cancellation and a send that joins: the message's report is asked anew, once 5 s are over; no other one is."""
    script = Script(
        *(reply(Informe=[], Cred=number) for number in (1, 2)),
        *(reply(Res=1), reply(Informe=[], Cred=4), reply(**SENT), reply(**SENT), reply(Informe=[], Cred=7)),
    )
    async with client_of(script) as client:
        await client.sms.report(5)
        await client.sms.report(6)
        await client.sms.cancel(5)
        assert (await client.sms.report(6)).credits_left == 2
        assert (await client.sms.report(5)).credits_left == 4
        assert script.times[3] - script.times[0] == pytest.approx(5)
        await client.sms.send(PHONE, "Hola")
        assert (await client.sms.report(5)).credits_left == 4
        await client.sms.send(PHONE, "Hola", join=5)
        assert (await client.sms.report(5)).credits_left == 7


async def test_an_upload_makes_the_list_ask_again() -> None:
    """After the rest of the 5 s since the last list."""
    script = Script(reply(Ficheros=[]), reply(Nombre="a.pdf"), reply(Ficheros=[{"Nombre": "a.pdf"}]))
    async with client_of(script) as client:
        assert await client.files.list() == []
        await client.files.upload(b"%PDF", name="a.pdf")
        assert [file.name for file in await client.files.list()] == ["a.pdf"]

    assert script.times[2] - script.times[0] == pytest.approx(5)


async def test_a_request_that_begins_after_the_last_moment_is_cut_at_once() -> None:
    """Of those on their way during a cancellation: none outlives the grace."""
    shield = InFlightShield()
    shield.release_in(1)
    await anyio.sleep(2)
    with pytest.raises(Cut), shield.covering():
        await anyio.sleep(60)

    assert shield.lost == 1
