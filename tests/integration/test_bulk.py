"""Bulk sends through the sandbox: every row accounted for, nobody texted twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any

import anyio
import pytest

from mensatek_async import (
    APIError,
    AsyncMensatek,
    AuthenticationError,
    BadParameters,
    BulkProgress,
    BulkResult,
    ConnectionFailed,
    InsufficientCredits,
    Interrupted,
    InvalidRequest,
    Limits,
    MensatekError,
    OutcomeUnknown,
    Recipient,
    Retry,
    Template,
    TextAltered,
    Timeout,
    UnexpectedReply,
)
from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import phones

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)


def client_with(**settings: Any) -> AsyncMensatek:
    """A client of the sandbox with settings of its own."""
    return AsyncMensatek(**{"sender": "ACME", "retry": Retry(wait_initial=0.01, wait_max=0.02), **settings})


def accounted(result: BulkResult) -> int:
    """Rows that stand somewhere in a result."""
    return result.accepted + result.rejected + len(result.invalid) + len(result.failed) + len(result.unknown)


async def test_all_rows_are_sent_once_in_one_message(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """1,234 phones from a generator are each texted once, under one message id, 500 a request."""
    result = await client.sms.send_bulk(iter(phones(1234)), "Hola")

    assert (result.accepted, result.rejected, accounted(result), result.rows) == (1234, 0, 1234, 1234)
    assert result.all_sent
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1234
    assert {text.message_id for text in sandbox.texts} == {result.message_id}
    sizes = [len(call.params["Destinatarios"]) for call in sandbox.calls("EnviarSMS")]
    assert sizes[0] == 1
    assert sorted(sizes[1:], reverse=True) == [500, 500, 233]
    assert (result.credits_used, result.credits_left) == (Decimal(1234), sandbox.credits)
    result.raise_if_stopped()


@pytest.mark.parametrize("count", [0, 1, 2, 500, 501, 502])
async def test_edges_of_the_chunks(client: AsyncMensatek, sandbox: Sandbox, count: int) -> None:
    """Sizes around one request lose nobody."""
    result = await client.sms.send_bulk(phones(count), "Hola")

    assert result.accepted == count == len(sandbox.counts)
    assert result.all_sent
    assert (result.message_id > 0) == (count > 0)


async def test_async_iterables_are_read_and_closed(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """An async generator is read to its end; one left early is closed."""
    closed = []

    async def rows(count: int) -> AsyncIterator[str | Recipient]:
        try:
            for phone in phones(count):
                yield phone
                await anyio.lowlevel.checkpoint()
        finally:
            closed.append(count)

    result = await client.sms.send_bulk(rows(700), "Hola")
    assert result.accepted == 700

    async with client.sms.bulk(rows(5000), "Adiós", chunk_size=10, concurrency=1) as outcomes:
        async for _ in outcomes:
            break

    assert closed == [700, 5000]


async def test_broken_and_repeated_rows_are_named_and_the_good_ones_go(client: AsyncMensatek) -> None:
    """Rows are named by position or by the caller's number, with a reason, and without the whole phone."""
    numbered = [Recipient("600 000 002", row=20), Recipient("+34600000001", row=21)]
    rows: list[Any] = ["600000001", "no phone", *numbered, "34600000002", "", ("600000009",)]
    result = await client.sms.send_bulk(rows, "Hola")

    assert result.accepted == 2
    assert [problem.row for problem in result.invalid] == [2, 5, 6, 7, 21]
    assert "repeats" in result.invalid[-1].reason
    assert accounted(result) == result.rows == 7
    assert not any("600000001" in problem.reason for problem in result.invalid)
    assert not result.all_sent


async def test_fields_fill_the_template_and_unicode_travels_apart(
    client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """Fields arrive in each text, but no link in one; a name outside GSM does not make the others dearer."""
    rows = [Recipient(phone, {"nombre": "Ana"}) for phone in phones(30)]
    rows[7] = Recipient("600000007", {"nombre": "Łukasz"})
    rows[9] = Recipient("600000009", {})
    rows[11] = Recipient("600000011", {"nombre": "(LINK:2:https://evil.example)"})
    result = await client.sms.send_bulk(rows, Template("Hola {nombre}, adiós"))

    texts = {text.phone: text for text in sandbox.texts}
    assert result.accepted == 28
    assert ["nombre" in one.reason and "evil" not in one.reason for one in result.invalid] == [True, True]
    assert texts["34600000007"].text == "Hola Łukasz, adiós"
    assert [phone for phone, text in texts.items() if text.unicode] == ["34600000007"]


LOST = [
    *(Fault.drop_before(), Fault.drop_after_accept(), Fault.drop_after_accept(reset=True), Fault.cut_body()),
    *(Fault.html_page(processed=processed) for processed in (True, False)),
    *(Fault.http_status(502, processed=True), Fault.http_status(500, processed=False)),
    *(Fault.status_429(0), Fault.status_503(0)),
]


@pytest.mark.parametrize(
    "fault", LOST, ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.processed}-{fault.reset}"
)
async def test_every_third_answer_lost(sandbox: Sandbox, fault: Fault) -> None:
    """Whatever happens to each third answer, nobody is texted twice and nobody is lost."""
    sandbox.fault(fault, operation="EnviarSMS", times=None, every=3)
    async with client_with(retry=Retry(attempts=10, wait_initial=0.01, wait_max=0.02)) as client:
        result = await client.sms.send_bulk(phones(3001), "Hola", chunk_size=100)

    got = sandbox.counts
    assert set(got.values()) == {1}
    assert (len(got), result.accepted, accounted(result)) == (3001, 3001, 3001)


@pytest.mark.parametrize("processed", [True, False])
async def test_an_opener_without_an_answer_is_unknown_and_the_next_one_opens(
    client: AsyncMensatek, sandbox: Sandbox, processed: bool
) -> None:
    """The first recipient is reported as unknown, never repeated; all others are sent in a message without it."""
    fault = Fault.drop_after_accept() if processed else Fault.drop_before()
    sandbox.fault(fault, operation="EnviarSMS", times=2)
    result = await client.sms.send_bulk([*phones(100), *phones(2)], "Hola", chunk_size=40)

    got = sandbox.counts
    assert [problem.row for problem in result.unknown] == [1, 2]
    assert "may have been sent" in result.unknown[0].reason
    assert result.accepted == 98
    assert [problem.row for problem in result.invalid] == [101, 102]
    assert max(got.values()) == 1
    assert len(got) == (100 if processed else 98)
    assert accounted(result) == 102


WITHOUT_AN_ID = Fault.reply('{"Res":"1","Cred":"99"}')
NOBODY_TAKEN = Fault.reply('[{"Res":0,"NoEnviados":1,"Cred":"5"}]')


@pytest.mark.parametrize(
    ("there", "fault", "ended", "calls", "counts"),
    [
        ("nobody", None, ConnectionFailed, 0, (0, 0, 0, 1000)),
        ("a stranger", None, AuthenticationError, 1, (0, 0, 0, 1000)),
        ("we", Fault.refuse(-3), BadParameters, 3, (0, 0, 0, 1000)),  # before the guard has to
        ("we", Fault.drop_after_accept(), OutcomeUnknown, 8, (0, 0, 8, 992)),
        ("we", NOBODY_TAKEN, APIError, 10, (0, 10, 0, 990)),  # calls that send nothing would count as spam
        ("we", WITHOUT_AN_ID, UnexpectedReply, 1, (1, 0, 0, 999)),  # nothing else could be repeated
    ],
    ids=["no server", "a wrong token", "refused", "no answers", "all rejected", "no id"],
)
async def test_what_ends_a_send_at_its_start(
    sandbox: Sandbox,
    there: str,
    fault: Fault | None,
    ended: type[MensatekError],
    calls: int,
    counts: tuple[int, ...],
) -> None:
    """After few calls, and every row is named: accepted, rejected, unknown or not sent."""
    if fault is not None:
        sandbox.fault(fault, operation="EnviarSMS", times=None)
    async with client_with(token="wrong" if there == "a stranger" else None) as client:
        if there == "nobody":
            sandbox.stop()
        result = await client.sms.send_bulk(phones(1000), "Hola")

    assert len(sandbox.calls("EnviarSMS")) == calls
    assert (result.accepted, result.rejected, len(result.unknown), len(result.failed)) == counts
    with pytest.raises(ended) as caught:
        result.raise_if_stopped()
    assert ("group=False" in str(caught.value)) == (fault is WITHOUT_AN_ID)


async def test_a_chunk_that_never_gets_an_answer_is_unknown(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """After all repeats, which texted nobody twice, nor did a refused chunk fail others: the send went to its end."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=8, after=1)
    sandbox.fault(Fault.refuse(-3), operation="EnviarSMS", times=1, after=9)
    result = await client.sms.send_bulk(phones(151), "Hola", chunk_size=50, concurrency=1)

    assert (len(result.unknown), len(result.failed), result.accepted) == (50, 50, 51)
    assert max(sandbox.counts.values()) == 1
    result.raise_if_stopped()
    assert not result.all_sent


async def test_group_false_sends_separate_messages_and_repeats_none(
    client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """Without a group no request is repeated: a lost answer leaves its rows unknown."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1, after=1)
    result = await client.sms.send_bulk(phones(150), "Hola", group=False, chunk_size=50, concurrency=1)

    assert result.accepted == 100
    assert len(result.unknown) == 50
    assert len(sandbox.calls("EnviarSMS")) == 3
    assert len({text.message_id for text in sandbox.texts}) == 3


async def test_joining_an_earlier_message_needs_no_opener(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """With join every request can be repeated, and who was texted in that message is not texted again."""
    first = await client.sms.send("600000000", "Hola")
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1)
    result = await client.sms.send_bulk(phones(10), "Hola", join=first.message_id)

    assert max(sandbox.counts.values()) == 1
    assert len(sandbox.counts) == 10
    assert not result.unknown
    assert {text.message_id for text in sandbox.texts} == {first.message_id}


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_stops_before_the_request_that_cannot_be_paid(
    client: AsyncMensatek, sandbox: Sandbox, concurrency: int
) -> None:
    """Knowing the price from the first answer, it sends what can be paid and never provokes the refusal."""
    sandbox.credits = Decimal(1050)
    result = await client.sms.send_bulk(phones(5000), "Hola", chunk_size=100, concurrency=concurrency)

    assert isinstance(result.stopped, InsufficientCredits)
    assert (result.stopped.needed, result.stopped.left) == (Decimal(100), Decimal(49))
    assert result.accepted == len(sandbox.counts) == 1001
    assert len(result.failed) == 3999
    assert accounted(result) == result.rows == 5000
    assert all(
        call.reply.get("Res", 1) != -2 for call in sandbox.calls("EnviarSMS") if isinstance(call.reply, dict)
    )
    if concurrency == 1:  # else which of the last chunks finds the account empty is chance
        assert result.failed[0].row == 1002
    assert "costs more" in result.failed[-1].reason


async def test_told_otherwise_it_lets_the_provider_refuse(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """With check_credits=False the provider says when it is over; every row is still accounted for."""
    sandbox.credits = Decimal(250)
    result = await client.sms.send_bulk(phones(1000), "Hola", chunk_size=100, check_credits=False)

    assert isinstance(result.stopped, InsufficientCredits)
    assert result.accepted == len(sandbox.counts) == 201
    assert accounted(result) == 1000


async def test_credentials_revoked_halfway(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """A token revoked during the send stops it; what was sent stays counted."""

    def revoke(progress: BulkProgress) -> None:
        if progress.accepted > 500:
            sandbox.token = "another"

    result = await client.sms.send_bulk(
        phones(3000), "Hola", chunk_size=100, concurrency=2, on_progress=revoke
    )

    assert isinstance(result.stopped, AuthenticationError)
    assert result.accepted == len(sandbox.counts)
    assert accounted(result) == 3000


async def test_rows_the_provider_rejects_are_counted(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """Phones that pass here and fail there are in the rejected count, and do not open the message."""
    bad = ["44" + "7" * 11, "4477777777", "1" * 12]
    result = await client.sms.send_bulk([*bad, *phones(10)], "Hola")

    assert accounted(result) == 13
    assert result.accepted == len(sandbox.counts)


class Anew:
    """An iterator that starts anew whenever a loop begins, as many tutorials write them."""

    def __iter__(self) -> Anew:
        self.given = iter(phones(900))
        return self

    def __next__(self) -> str:
        return next(self.given)


class AnewAsync(Anew):
    """The same, asynchronous."""

    def __aiter__(self) -> AnewAsync:
        self.given = iter(phones(900))
        return self

    async def __anext__(self) -> str:
        if (phone := next(self.given, None)) is None:
            raise StopAsyncIteration
        return phone


@pytest.mark.parametrize("rows", [Anew(), AnewAsync()])
async def test_iterators_that_start_anew_are_read_once(
    client: AsyncMensatek, sandbox: Sandbox, rows: Anew
) -> None:
    """However an iterator is written, it is asked for its rows once."""
    result = await client.sms.send_bulk(rows, "Hola", chunk_size=100)

    assert (result.accepted, result.rows) == (900, 900)


async def test_what_a_forced_alphabet_loses_in_a_field_is_told(
    client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """Not only the author's own words can hold what GSM has not."""
    with pytest.warns(TextAltered, match="Ł"):
        await client.sms.send_bulk([Recipient("600000000", {"n": "Łu"})], Template("{n}"), encoding="gsm")


async def test_progress_is_told_after_each_request(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """The callback, sync or async, sees the counts grow to the end."""
    seen: list[BulkProgress] = []

    async def watch(progress: BulkProgress) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(progress)

    await client.sms.send_bulk([*phones(250)], "Hola", chunk_size=100, on_progress=watch, concurrency=1)

    assert [progress.accepted for progress in seen] == [1, 101, 201, 250]
    assert seen[-1].total == 250
    assert seen[-1].settled == 250
    assert seen[-1].rate > 0


async def test_what_the_rows_raise_reaches_the_caller_with_the_result(
    client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """An error in the user's own iterable ends the send and carries what became of the rows before it."""

    def rows() -> Iterator[str]:
        yield from phones(150)
        raise LookupError("the database went away")

    with pytest.raises(LookupError, match="database") as caught:
        await client.sms.send_bulk(rows(), "Hola", chunk_size=100)

    result = caught.value.bulk_result  # type: ignore[attr-defined]
    assert (result.accepted, len(result.failed), result.rows) == (101, 49, 150)
    assert len(sandbox.counts) == 101
    assert "101 accepted" in caught.value.__notes__[0]


async def test_what_the_callback_raises_reaches_the_caller(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """An error in the progress callback ends the send; what it saw is counted."""

    def fail(progress: BulkProgress) -> None:
        if progress.accepted > 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        await client.sms.send_bulk(phones(500), "Hola", chunk_size=50, concurrency=1, on_progress=fail)

    result = caught.value.bulk_result  # type: ignore[attr-defined]
    assert result.accepted == len(sandbox.counts) == 51
    assert accounted(result) == result.rows


async def test_outcomes_tell_every_row(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """The stream names the rows of every request and the rows refused on the way."""
    rows = [*phones(250), "x", *phones(5)]
    told: list[int] = []
    async with client.sms.bulk(rows, "Hola", chunk_size=100) as outcomes:
        async for outcome in outcomes:
            told += outcome.rows
            told += [problem.row for problem in outcome.invalid]
            assert [recipient.phone for recipient in outcome.recipients] == [
                str(34_600_000_000 + row - 1) for row in outcome.rows
            ]

    assert sorted(told) == list(range(1, 257))
    assert outcomes.result.accepted == 250
    assert outcomes.remaining() == []


async def test_an_error_in_the_body_comes_out_bare(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """No exception group leaves the block, and the sending has stopped."""
    with pytest.raises(KeyError):  # noqa: PT012
        async with client.sms.bulk(phones(5000), "Hola", chunk_size=10) as outcomes:
            async for _ in outcomes:
                raise KeyError("mine")
    count = len(sandbox.texts)
    await anyio.sleep(0.05)

    assert len(sandbox.texts) == count == outcomes.result.accepted < 5000


async def cancel_when(scope: anyio.CancelScope, reached: Callable[[], object]) -> None:
    """Cancel it once that is so, however long this machine takes."""
    while not reached():  # noqa: ASYNC110  # another thread has it
        await anyio.sleep(0.005)
    scope.cancel()


async def test_cancelled_halfway_it_waits_for_the_answers_on_their_way(
    client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """After a cancellation no request leaves, those on their way are counted, and every row read has its place."""
    sandbox.latency = 0.1
    async with anyio.create_task_group() as group:
        group.start_soon(cancel_when, group.cancel_scope, lambda: len(sandbox.texts) > 100)
        async with client.sms.bulk(phones(100_000), "Hola", chunk_size=100) as outcomes:
            async for _ in outcomes:
                pass
    result = outcomes.result
    count = len(sandbox.texts)

    assert group.cancel_scope.cancelled_caught
    assert result.accepted == count > 100
    assert not result.unknown
    assert accounted(result) == result.rows < 100_000
    assert isinstance(result.stopped, Interrupted)
    told = [row for outcome in outcomes.remaining() for row in outcome.rows]
    assert len(set(told)) == len(told)


async def test_a_cancellation_does_not_wait_for_ever(sandbox: Sandbox) -> None:
    """Requests that get no answer in the time of grace are reported as unknown."""
    sandbox.fault(Fault.latency(30), operation="EnviarSMS", times=None, after=60)
    started = anyio.current_time()
    async with client_with(timeout=Timeout(grace=0.2)) as client, anyio.create_task_group() as group:
        group.start_soon(cancel_when, group.cancel_scope, lambda: sandbox.max_in_flight == 8)
        async with client.sms.bulk(phones(8001), "Hola", chunk_size=100) as outcomes:
            async for _ in outcomes:
                pass

    assert anyio.current_time() - started < 25
    assert outcomes.result.accepted == 5901
    assert len(outcomes.result.unknown) == 800
    assert len(outcomes.result.failed) == outcomes.result.rows - 6701
    assert not any("None" in problem.reason for problem in outcomes.result.failed)
    sandbox.clear_faults()


async def test_send_bulk_cancelled_carries_its_result(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """The cancellation itself tells what was sent, for whoever catches it on the way."""
    sandbox.latency = 0.1
    notes: list[BulkResult] = []
    async with anyio.create_task_group() as group:
        group.start_soon(cancel_when, group.cancel_scope, lambda: len(sandbox.texts) > 100)
        try:
            await client.sms.send_bulk(phones(100_000), "Hola", chunk_size=100)
        except anyio.get_cancelled_exc_class() as error:
            notes.append(error.bulk_result)  # type: ignore[attr-defined]
            raise

    assert notes[0].accepted == len(sandbox.texts)


async def test_wrong_options_are_refused_before_anything_leaves(
    client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """Both forms refuse wrong options at once, and recipients that would be read letter by letter."""
    long = "much too long a sender"
    wrong: list[dict[str, Any]] = [{"chunk_size": 0}, {"concurrency": -1}, {"sender": long}, {"join": "x"}]
    given: list[Any] = ["600000000", Recipient("600000000"), b"600", {"600000000": 1}, 5, None]
    for rows, options in [*((phones(5), one) for one in wrong), *((one, {}) for one in given)]:
        with pytest.raises(InvalidRequest):
            await client.sms.send_bulk(rows, "Hola", **options)
        with pytest.raises(InvalidRequest):
            client.sms.bulk(rows, "Hola", **options)

    assert not sandbox.requests


async def test_two_bulk_sends_at_once_share_the_limits(sandbox: Sandbox) -> None:
    """Two sends over one client keep to its concurrency together, on as many connections, and do not mix their rows."""
    sandbox.latency = 0.01
    results: list[BulkResult] = []
    async with client_with(limits=Limits(concurrency=3)) as client:

        async def one(first: int) -> None:
            results.append(await client.sms.send_bulk(phones(500, first), "Hola", chunk_size=50))

        async with anyio.create_task_group() as group:
            group.start_soon(one, 34_600_000_000)
            group.start_soon(one, 34_611_000_000)

    assert [result.accepted for result in results] == [500, 500]
    assert max(sandbox.max_in_flight, sandbox.connections) <= 3
    assert len({result.message_id for result in results}) == 2


async def test_a_single_send_goes_before_bulk_sends(sandbox: Sandbox) -> None:
    """Of one client with a single request in flight, it is the next, whatever waits."""
    async with client_with(limits=Limits(concurrency=1)) as client, anyio.create_task_group() as group:

        def progress(so_far: BulkProgress) -> None:
            if so_far.accepted == 1:
                began.append(len(sandbox.calls("EnviarSMS")))
                group.start_soon(client.sms.send, "34699000000", "Código 1234")

        async def bulk(first: int) -> None:
            results.append(
                await client.sms.send_bulk(phones(20, first), "Hola", chunk_size=1, on_progress=progress)
            )

        began: list[int] = []
        results: list[BulkResult] = []
        for number in range(6):
            group.start_soon(bulk, 34_600_000_000 + 1000 * number)

    order = [call.params["Mensaje"] for call in sandbox.calls("EnviarSMS")]
    assert order[: began[0] + 2].count("Código 1234") == 1
    assert [result.accepted for result in results] == [20] * 6
