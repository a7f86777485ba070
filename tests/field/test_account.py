"""What is known belongs to the account: one wrong token costs one call, whoever uses it, and the same is asked once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest
from trio.testing import MockClock

from mensatek_async import (
    AccountPaused,
    AsyncMensatek,
    AuthenticationError,
    ConnectionFailed,
    Guard,
    Mensatek,
    MensatekError,
    Retry,
)
from tests.scripted import BASE_URL, USER

RIGHT, WRONG = "right-token", "wrong-token"
PHONE = "34600123456"
TOMORROW = datetime.now(UTC) + timedelta(days=1)


class Provider:
    """Knows one token; each client gets a transport of its own, and every call of all of them is counted."""

    def __init__(self, lasting: float = 0.05) -> None:
        self.lasting = lasting
        self.calls: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self.unreachable = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path.rpartition("/")[2])
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await anyio.sleep(self.lasting)
        finally:
            self.in_flight -= 1
        if self.unreachable:
            self.unreachable -= 1
            raise httpx.ConnectError("refused")
        login = httpx.BasicAuth(USER, RIGHT)._auth_header
        if request.headers["Authorization"] != login:
            return httpx.Response(401, json={"Res": -1})
        return httpx.Response(200, json={"Res": 1, "idMensaje": 7, "Mensajes": 1, "Cred": 5})

    def settings(self, **settings: Any) -> dict[str, Any]:
        """What a client of this provider is made with."""
        return {"base_url": BASE_URL, "transport": httpx.MockTransport(self.answer), **settings}

    def client(self, token: str = RIGHT, **settings: Any) -> AsyncMensatek:
        """One more client."""
        return AsyncMensatek(settings.pop("user", USER), token, **self.settings(**settings))


@pytest.fixture
def provider() -> Provider:
    """A provider that answers after a moment."""
    return Provider()


async def together(number: int, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Do the same at once; gives what each returned or raised."""
    ended: list[Any] = []

    async def one(at: int) -> None:
        try:
            ended.append(await work(at))
        except MensatekError as error:
            ended.append(type(error))

    async with anyio.create_task_group() as group:
        for at in range(number):
            group.start_soon(one, at)
    return ended


async def test_eighteen_clients_with_a_wrong_token_make_one_call(provider: Provider) -> None:
    """A service that makes a client per request; then the right token works at once, for others to use too."""

    async def request(at: int) -> int:
        async with provider.client(WRONG) as client:
            return (await client.sms.send(PHONE, f"Hola {at}")).accepted

    assert sorted(error.__name__ for error in await together(18, request)) == [
        *["AccountPaused"] * 17,
        "AuthenticationError",
    ]
    assert provider.calls == ["EnviarSMS"]

    async with provider.client(RIGHT) as client:
        assert (await client.sms.send(PHONE, "Hola")).accepted == 1
    async with provider.client(WRONG) as client:
        with pytest.raises(AccountPaused):
            await client.credits()
    assert len(provider.calls) == 2


async def test_calls_go_out_one_at_a_time_until_one_was_accepted(provider: Provider) -> None:
    """Those that could not connect say nothing of the token, so the next one still goes alone."""
    provider.unreachable = 3
    clients = [provider.client(retry=Retry(attempts=1)) for _ in range(4)]

    async def send(at: int) -> int:
        return (await clients[at % 4].sms.send(PHONE, "Hola")).accepted

    ended = await together(5, send)
    assert sorted(map(str, ended)) == sorted(map(str, [1, 1, *[ConnectionFailed] * 3]))
    assert provider.most_in_flight == 1
    await together(8, send)
    assert provider.most_in_flight == 8


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_a_call_waits_no_longer_for_another_than_for_its_own_answer(provider: Provider) -> None:
    """A first call that hangs holds nobody up for ever."""
    provider.lasting = 3600
    async with anyio.create_task_group() as group, provider.client() as stuck:
        group.start_soon(stuck.credits)
        await anyio.sleep(0.05)
        provider.lasting = 0.01
        async with provider.client(timeout=20) as client:
            assert (await client.sms.send(PHONE, "Hola")).accepted == 1
        group.cancel_scope.cancel()


@pytest.mark.parametrize("attribute", ["user", "base_url"])
async def test_another_account_is_another_account(provider: Provider, attribute: str) -> None:
    """Another user, or another address, such as that of a sandbox, is not held back."""
    other = {"user": "OTHER"} if attribute == "user" else {"base_url": "https://api.example/v8"}
    for settings in ({}, other):
        async with provider.client(WRONG, **settings) as client:
            with pytest.raises(AuthenticationError):
                await client.credits()


async def test_twenty_clients_that_ask_for_credits_share_one_answer(provider: Provider) -> None:
    """At the same time and one after the other; what a send told counts too, and another token is asked anew."""

    async def ask(at: int) -> Any:
        async with provider.client() as client:
            return await client.credits(max_age=at)

    assert await together(20, ask) == [5] * 20
    assert await ask(0) == 5
    assert provider.calls == ["GetCreditos"]
    async with provider.client() as client:
        assert client.last_credits == 5
    async with provider.client(WRONG) as client:
        assert client.last_credits is None
        with pytest.raises(AuthenticationError):
            await client.credits()


async def test_a_report_is_remembered_for_all_clients_and_forgotten_for_all(provider: Provider) -> None:
    """A change through one client makes what another remembers stale."""
    guard = Guard(read_interval=0.1)
    async with provider.client(guard=guard) as one, provider.client(guard=guard) as another:
        for client in (one, another):
            await client.request("GetReportSMS", {"Idmensaje": 7})
        await one.sms.cancel(7)
        await another.request("GetReportSMS", {"Idmensaje": 7})
    assert provider.calls == ["GetReportSMS", "CancelarSMS", "GetReportSMS"]


async def test_wrong_calls_blocks_and_waits_are_counted_for_the_account(provider: Provider) -> None:
    """Five clients with one mistake each are an account with five."""
    answers = [httpx.Response(200, json={"Res": -2})] * 5 + [httpx.Response(403, text="blocked")]
    transport = httpx.MockTransport(lambda request: answers.pop(0))
    for expected in [*["NotYours"] * 5, "TooManyRequests"]:
        async with provider.client(transport=transport) as client:
            with pytest.raises(MensatekError) as caught:
                await client.sms.cancel(7)
            assert type(caught.value).__name__ == expected
    for number in range(2):
        async with provider.client(transport=transport) as client:
            with pytest.raises(AccountPaused):
                await client.sms.reschedule(7 + number, TOMORROW)
    assert not answers


def test_event_loops_and_threads_share_it(provider: Provider) -> None:
    """Asyncio, trio and synchronous clients, each in a thread, with one wrong token: one call. Credits too."""
    for token, expected in ((WRONG, {AuthenticationError: 9}), (RIGHT, {5: 9})):
        provider.calls.clear()
        ended: list[Any] = []

        async def ask(token: str = token) -> Any:
            async with provider.client(token) as client:
                return await client.credits()

        def blocking(token: str = token) -> Any:
            with Mensatek(USER, token, **provider.settings()) as client:
                return client.credits()

        def run(number: int, ended: list[Any] = ended, ask: Any = ask, blocking: Any = blocking) -> None:
            backend = ("asyncio", "trio", "sync")[number % 3]
            try:
                ended.append(blocking() if backend == "sync" else anyio.run(ask, backend=backend))
            except MensatekError as error:
                ended.append(type(error))

        threads = [threading.Thread(target=run, args=(number,)) for number in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        # Who comes late is told that the account waits.
        assert dict.fromkeys(set(ended) - {AccountPaused}, len(ended)) == expected
        assert provider.calls == ["GetCreditos"]


_FORKS = """
import json, os, threading
import anyio, httpx
from mensatek_async import Mensatek

def client(token, answer):
    return Mensatek("u", token, base_url="https://api.example/v7", transport=httpx.MockTransport(answer))

def in_child(work):
    pipe = os.pipe()
    if not (child := os.fork()):
        os.write(pipe[1], json.dumps(work()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return json.loads(os.read(pipe[0], 1000))

def ended(token, answer):
    try:
        with client(token, answer) as one:
            return int(one.credits())
    except Exception as error:
        return type(error).__name__

refuse = lambda request: httpx.Response(401)
accept = lambda request: httpx.Response(200, json={"Res": 1, "Cred": 5})
found = [ended("wrong", refuse), in_child(lambda: ended("wrong", refuse)), in_child(lambda: ended("right", accept))]

begun = threading.Event()
async def hang(request):
    begun.set()
    await anyio.sleep(3600)
threading.Thread(target=lambda: ended("third", hang), daemon=True).start()
begun.wait(10)
found.append(in_child(lambda: ended("third", accept)))
print(json.dumps(found), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_knows_what_its_parent_knew() -> None:
    """And does not wait for a call that only the parent has under way."""
    # Python 3.12 and later warn of any fork beside a thread, which the client's loop is.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _FORKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stderr, json.loads(done.stdout)) == ("", ["AuthenticationError", "AccountPaused", 5, 5])
