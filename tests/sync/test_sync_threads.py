"""Threads, context variables, tracebacks, running loops: where legacy code lives."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import sqlite3
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import trio

from mensatek_async import (
    AuthenticationError,
    BulkProgress,
    ConfigurationError,
    ConnectionFailed,
    InvalidPhone,
    InvalidRequest,
    Issuer,
    Limits,
    Mensatek,
    MensatekAsyncUsageWarning,
)
from mensatek_async.sandbox import Sandbox
from tests.sandbox_calls import phones

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Mensatek]:
    """A client of the sandbox."""
    with Mensatek() as opened:
        yield opened


def test_fifty_threads_share_one_client(sandbox: Sandbox) -> None:
    """None waits for another: they send what each was told to, over as many connections as the client's limit."""
    sandbox.latency = 0.02
    with Mensatek(limits=Limits(concurrency=8)) as client, ThreadPoolExecutor(50) as pool:
        sent = list(pool.map(lambda phone: client.sms.send(phone, "Hola").accepted, phones(300)))

    assert sent == [1] * 300
    assert set(sandbox.counts.values()) == {1}
    assert sandbox.max_in_flight == sandbox.connections == 8


def test_all_clients_share_one_thread(sandbox: Sandbox) -> None:
    """However many clients there are, and whoever starts them at one moment, there is one more thread; none before the
    first call, so that a server may fork after a client was made at import time."""
    before = threading.active_count()
    with Mensatek() as client:
        assert client.last_credits is None
        assert threading.active_count() == before
    barrier = threading.Barrier(20)

    def use(phone: str) -> int:
        with Mensatek() as client:
            barrier.wait()
            return client.sms.send(phone, "Hola").accepted

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(use, phones(20))) == [1] * 20

    assert [thread.name for thread in threading.enumerate()].count("mensatek-async") == 1


def test_rows_of_a_database_are_read_in_the_callers_thread(client: Mensatek, tmp_path: Path) -> None:
    """A cursor that insists on its thread feeds a bulk send, and the callback may write to its database."""
    database = sqlite3.connect(tmp_path / "people.db")  # refuses other threads by default
    database.execute("create table people (phone text)")
    database.execute("create table progress (accepted integer)")
    database.executemany("insert into people values (?)", [(phone,) for phone in phones(1234)])

    def rows() -> Iterator[str]:
        for (phone,) in database.execute("select phone from people"):
            yield phone

    def note(progress: BulkProgress) -> None:
        database.execute("insert into progress values (?)", (progress.accepted,))

    result = client.sms.send_bulk(rows(), "Hola", chunk_size=100, on_progress=note)
    with client.sms.bulk(rows(), "Adiós", chunk_size=100, on_progress=note) as outcomes:
        accepted = sum(outcome.accepted for outcome in outcomes)
    single = client.sms.send((phone for phone in rows() if phone.endswith("01")), "Sólo uno")

    assert result.accepted == accepted == 1234
    assert single.accepted == 13
    assert database.execute("select count(*), max(accepted) from progress").fetchone()[1] == 1234
    database.close()


def test_an_endless_iterable_for_one_request_is_refused(sandbox: Sandbox) -> None:
    """No more is read than shows that they are too many; all that one request holds are sent."""
    with Mensatek(limits=Limits(sms_per_request=5, certified_per_request=7)) as client:
        with pytest.raises(InvalidRequest, match="send_bulk"):
            client.sms.send((str(number) for number in itertools.count(34_600_000_000)), "Hola")

        assert client.sms.send(iter(phones(5)), "Hola").accepted == 5
        issuer = Issuer("EMPRESA S.L.", "900000000", "B00000000")
        assert client.issuer is None
        assert client.certified.send(iter(phones(7)), "Hola", issuer=issuer).accepted == 7
        with client.certified.bulk(iter(phones(9)), "Hola", issuer=issuer) as outcomes:
            assert outcomes.remaining() == []
            assert sum(outcome.accepted for outcome in outcomes) == 9


def test_slow_rows_hold_up_nobody_else(client: Mensatek) -> None:
    """While one thread's rows come slowly, the others' calls go on."""
    reading, done = threading.Event(), threading.Event()

    def slow() -> Iterator[str]:
        yield "600000001"
        reading.set()
        assert done.wait(20)
        yield "600000002"

    with ThreadPoolExecutor(1) as pool:
        send = pool.submit(client.sms.send_bulk, slow(), "Hola")
        assert reading.wait(20)
        started = time.monotonic()
        client.sms.send("600000003", "Hola")
        taken = time.monotonic() - started
        done.set()
        assert send.result().accepted == 2

    assert taken < 5


def test_a_callback_may_use_the_client(client: Mensatek) -> None:
    """The caller's thread is free while it runs the caller's code, so that this may call again."""
    left = []
    result = client.sms.send_bulk(
        phones(300), "Hola", chunk_size=100, on_progress=lambda _: left.append(client.credits())
    )

    assert result.accepted == 300
    assert len(left) == 4


def test_threads_may_share_a_stream(client: Mensatek) -> None:
    """Each outcome goes to one of them."""
    stream = client.sms.bulk(phones(3000), "Hola", chunk_size=50)
    with stream as outcomes, ThreadPoolExecutor(5) as pool:
        shares = pool.map(lambda _: sum(outcome.accepted for outcome in outcomes), range(5))
        assert sum(shares) == 3000


def test_context_variables_are_seen_inside() -> None:
    """A trace id set by the caller is there where the client works; what the client sets stays inside."""
    trace = contextvars.ContextVar("trace", default="none")
    seen: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        seen.append(trace.get())
        trace.set("changed")
        return httpx.Response(200, json={"Res": 1, "Cred": "5"})

    with Mensatek("user", "token", transport=httpx.MockTransport(answer)) as client:
        trace.set("request 7")
        client.credits()

    assert seen == ["request 7"]
    assert trace.get() == "request 7"


def test_errors_keep_their_identity_their_cause_and_a_short_traceback(
    client: Mensatek, sandbox: Sandbox
) -> None:
    """The very exception that was raised inside arrives, with one frame behind the caller's and what caused it."""
    boom = ZeroDivisionError("mine")

    def rows() -> Iterator[str]:
        yield "600000001"
        raise boom

    with pytest.raises(ZeroDivisionError) as caught:
        client.sms.send_bulk(rows(), "Hola")
    with pytest.raises(InvalidPhone) as invalid:
        client.sms.send("no phone", "Hola")
    sandbox.stop()
    with pytest.raises(ConnectionFailed) as unreached:
        client.files.delete("a.pdf")

    assert caught.value is boom
    frames = [Path(frame.filename).name for frame in traceback.extract_tb(invalid.value.__traceback__)]
    assert frames[1:] == ["tracebacks.py"]
    assert unreached.value.__cause__ is not None


def test_an_error_in_the_body_of_a_stream_is_untouched(client: Mensatek) -> None:
    """It comes out as it was raised, without frames of the loop, and the send has stopped."""
    error = KeyError("mine")
    with (  # noqa: PT012
        pytest.raises(KeyError) as caught,
        client.sms.bulk(phones(5000), "Hola", chunk_size=10) as outcomes,
    ):
        for _ in outcomes:
            raise error

    assert caught.value is error
    assert error.__context__ is None
    assert len(traceback.extract_tb(error.__traceback__)) == 1
    assert outcomes.result.accepted < 5000


def test_in_a_running_loop_it_works_and_warns_once(client: Mensatek) -> None:
    """Asynchronous code that calls it is told so at each line of its own once, and served all the same."""

    async def main() -> None:
        for _ in range(3):
            client.sms.send("600000000", "Hola")

    async def stream() -> None:
        with client.sms.bulk(phones(3), "Hola") as outcomes:
            assert sum(outcome.accepted for outcome in outcomes) == 3

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        asyncio.run(main())
        trio.run(main)
        assert [one.category for one in caught] == [MensatekAsyncUsageWarning]
        assert "AsyncMensatek" in str(caught[0].message)
        asyncio.run(stream())

    assert {one.filename for one in caught} == {__file__}


def test_in_a_notebook_and_in_a_thread_it_is_silent(
    client: Mensatek, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook always has a running loop, and nobody waits for it; a thread is how asynchronous code should call."""

    async def threaded() -> int:
        return (await asyncio.to_thread(client.sms.send, "600000000", "Hola")).accepted

    async def main() -> int:
        return client.sms.send("600000000", "Hola").accepted

    assert asyncio.run(threaded()) == 1
    shell = types.ModuleType("IPython")
    shell.get_ipython = lambda: object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)
    assert asyncio.run(main()) == 1


def test_the_loops_own_thread_is_refused_with_advice(sandbox: Sandbox) -> None:
    """Code that runs inside the client's loop and calls a synchronous client would wait for itself for ever."""
    refused: list[Exception] = []

    with Mensatek() as other:

        def answer(request: httpx.Request) -> httpx.Response:
            try:
                other.credits()
            except ConfigurationError as error:
                refused.append(error)
            return httpx.Response(200, json={"Res": 1, "Cred": "5"})

        with Mensatek("user", "token", transport=httpx.MockTransport(answer)) as client:
            client.credits()

    assert "AsyncMensatek" in str(refused[0])


def test_a_system_exit_inside_the_loop_ends_only_its_own_call(sandbox: Sandbox) -> None:
    """Whatever a transport raises, the loop goes on for all other clients."""

    def quit_(request: httpx.Request) -> httpx.Response:
        raise SystemExit(5)

    with Mensatek("user", "token", transport=httpx.MockTransport(quit_)) as client:
        with pytest.raises(SystemExit):
            client.credits()
        with pytest.raises(BaseException), client.sms.bulk(phones(3), "Hola") as outcomes:  # noqa: B017
            list(outcomes)
    with Mensatek() as client:
        assert client.sms.send("600000000", "Hola").accepted == 1


def test_a_closed_client_refuses_calls(sandbox: Sandbox) -> None:
    """Closing twice is no error, calling afterwards is, used or not."""
    used, unused = Mensatek(), Mensatek()
    used.credits()
    for client in (used, unused):
        client.close()
        client.close()
        with pytest.raises(ConfigurationError, match="closed"):
            client.credits()
        with pytest.raises(ConfigurationError, match="closed"):
            client.sms.send("600000000", "Hola")
        with pytest.raises(ConfigurationError, match="closed"), client.sms.bulk([], "Hola"):
            pass


@pytest.mark.mensatek_sandbox(latency=0.5)
def test_closing_lets_another_threads_call_land(sandbox: Sandbox) -> None:
    """For as long as the grace says."""
    client = Mensatek()
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(client.sms.send, "600000000", "Hola")
        while not sandbox.max_in_flight:
            time.sleep(0.01)
        client.close()
        assert sent.result().accepted == 1


def test_accounts_of_one_client(sandbox: Sandbox, recwarn: pytest.WarningsRecorder) -> None:
    """They need not be closed, close nothing else, and end with the client, whether it was used itself or not."""
    client = Mensatek()
    tenant = client.for_account(sandbox.user, sandbox.token, sender="TENANT")
    assert tenant.sms.send("600000000", "Hola").accepted == 1
    with client.for_account(sandbox.user, "wrong") as refused, pytest.raises(AuthenticationError):
        refused.credits()
    with pytest.raises(ConfigurationError, match="This client is closed"):
        refused.credits()
    assert tenant.sms.send_bulk(phones(3), "Hola").accepted == 3
    assert {text.sender for text in sandbox.texts} == {"TENANT"}
    assert repr(tenant).startswith("<Mensatek user=")
    client.close()
    with pytest.raises(ConfigurationError, match="whose connections this account uses is closed"):
        tenant.credits()
    del tenant, refused
    gc.collect()
    assert not recwarn.list


def test_a_total_is_known_where_nothing_must_be_read_for_it(client: Mensatek) -> None:
    """A dictionary's keys know their number; a lazy query that would have to be run is not asked."""

    class Query:
        """As Django's: it has a length, which costs the whole query."""

        def __iter__(self) -> Iterator[str]:
            return iter(phones(10))

        def __len__(self) -> int:
            raise AssertionError("the whole query was read")

    totals: list[int | None] = []
    for rows in (dict.fromkeys(phones(10)).keys(), Query()):
        client.sms.send_bulk(rows, "Hola", on_progress=lambda progress: totals.append(progress.total))

    assert set(totals[:2]) == {10}
    assert set(totals[2:]) == {None}
