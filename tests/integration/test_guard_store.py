"""A guard that several processes share: what one is told, the others know."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from mensatek_async import (
    AccountPaused,
    AsyncMensatek,
    AuthenticationError,
    CampaignConflict,
    Campaigns,
    ConfigurationError,
    ConnectionFailed,
    Guard,
    InvalidRequest,
    NotYours,
    Retry,
    StoreWarning,
    TooManyRequests,
)
from mensatek_async._core.limits import guard_store
from mensatek_async.sandbox import Sandbox
from mensatek_async.store.database import Database
from mensatek_async.store.lock_file import LockFile
from mensatek_async.testing import forget_accounts
from tests.scripted import BASE_URL, TOKEN, USER, Script, client_of, reply
from tests.sync.child import child, environment

PHONE = "34600123456"
SENT = {"idMensaje": 77, "Cred": 9, "Mensajes": 1, "NoEnviados": 0, "CreditosUsados": 1}
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


@asynccontextmanager
async def process(
    store: str, *answers: httpx.Response | Exception, token: str = TOKEN, **guard: float
) -> AsyncIterator[tuple[AsyncMensatek, Script]]:
    """A client as another process has it: it knows nothing but what stands in the store."""
    forget_accounts()
    script = Script(*answers)
    settings = Guard(store=store, **guard)  # type: ignore[arg-type]
    more: Any = {"base_url": BASE_URL, "transport": script, "retry": Retry(attempts=1)}
    async with AsyncMensatek(USER, token, guard=settings, **more) as client:
        yield client, script


async def refused(client: AsyncMensatek, error: type[Exception], call: str = "send") -> Any:
    """Make a call that is refused, and return the error."""
    calls = {
        "send": lambda: client.sms.send(PHONE, "Hola"),
        "report": lambda: client.sms.report(5),
        "period": lambda: client.certified.download("x.zip", start=YEAR[0], end=YEAR[1]),
    }
    with pytest.raises(error) as caught:
        await calls[call]()
    return caught.value


async def test_a_refused_token_is_refused_to_all_and_another_token_to_nobody(store: str) -> None:
    """One call reaches the provider; the pause grows over processes; nothing secret is written."""
    async with process(store, reply(Res=-1), token="wrong-token-1") as (client, _):
        await refused(client, AuthenticationError)
    async with process(store, token="wrong-token-1") as (client, script):
        first = await refused(client, AccountPaused)
        assert script.requests == []
        assert 55 < first.retry_after <= 60
    async with process(store, reply(**SENT)) as (client, _):
        assert (await client.sms.send(PHONE, "Hola")).message_id == 77
    async with process(store, token="wrong-token-1") as (client, _):
        await refused(client, AccountPaused)
    if not store.startswith("postgresql:"):
        check_files(Path(store))


def check_files(store: Path) -> None:
    """They are their owner's alone, and hold nothing that anybody could use."""
    files = [file for file in store.parent.iterdir() if file.name.startswith(store.name)]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    written = b"".join(file.read_bytes() for file in files)
    assert not [one for one in (USER, TOKEN, "wrong-token-1", PHONE) if one.encode() in written]


async def test_the_pause_doubles_from_process_to_process(store: str) -> None:
    """Each finds out for itself no more often than one process would."""
    for pause in (0.4, 0.8):
        async with process(store, reply(Res=-1), pause=0.4) as (client, _):
            await refused(client, AuthenticationError)
            assert (await refused(client, AccountPaused)).retry_after == pytest.approx(pause, abs=0.35)
            await anyio.sleep(pause)
    async with process(store, reply(**SENT), pause=0.4) as (client, _):
        await client.sms.send(PHONE, "Hola")
    async with process(store, reply(Res=-1), pause=0.4) as (client, _):
        await refused(client, AuthenticationError)
        assert (await refused(client, AccountPaused)).retry_after <= 0.4


@pytest.mark.parametrize(
    ("call", "answer", "times", "error", "then"),
    [
        ("send", httpx.Response(403), 1, AccountPaused, AccountPaused),
        ("send", reply(429, {"Retry-After": "300"}), 1, TooManyRequests, TooManyRequests),
        ("report", reply(Res=-2), 5, NotYours, TooManyRequests),
        ("period", httpx.ConnectError("no"), 1, ConnectionFailed, ConnectionFailed),
        ("period", reply(Res=-2), 1, NotYours, TooManyRequests),
    ],
    ids=["blocked", "told to wait", "five wrong calls", "a rare call that never left", "a rare call"],
)
async def test_what_one_process_was_told_holds_for_the_next(
    store: str, call: str, answer: Any, times: int, error: type[Exception], then: type[Exception]
) -> None:
    """Whatever the token, since it is the account that the provider means."""
    for _ in range(times):
        async with process(store, answer, read_interval=0) as (client, _):
            await refused(client, error, call)
    leaves = [answer] if then is error and then is ConnectionFailed else []
    async with process(store, *leaves, token="another", read_interval=0) as (client, script):
        await refused(client, then, call)
        assert len(script.requests) == len(leaves)


async def test_what_one_process_is_told_while_another_works(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That one learns it at its next look, of the right account and token."""
    monkeypatch.setattr(guard_store, "_EVERY", 0.0)
    script = Script(reply(**SENT), repeat_last=True)
    async with client_of(script, guard=Guard(store=store)) as works:
        others = works.for_account("OTHER", TOKEN)
        for one in (works, others):
            await one.sms.send(PHONE, "Hola")
        async with process(store, reply(Res=-1), token="another") as (client, _):
            await refused(client, AuthenticationError)
        await works.sms.send(PHONE, "Hola")
        async with process(store, httpx.Response(403), token="a third") as (client, _):
            await refused(client, AccountPaused)
        await refused(works, AccountPaused)
        await others.sms.send(PHONE, "Hola")


async def test_credits_and_reports_are_not_asked_again_at_once(store: str) -> None:
    """Credits are answered from the store; a report, whose phones are not written there, waits."""
    interval = 1.0
    async with process(store, reply(Cred="1.234,5"), reply(Informe=[]), read_interval=interval) as (
        client,
        _,
    ):
        assert str(await client.credits()) == "1234.5"
        await client.sms.report(5)
        began = anyio.current_time()
    async with process(store, reply(Informe=[]), read_interval=interval) as (client, script):
        assert str(await client.credits(max_age=0)) == "1234.5"
        assert script.requests == []
        await client.sms.report(5)
        assert script.times[0] - began > interval - 0.1


@pytest.fixture(params=["no folder", "a folder", "no database", "read-only", "unreachable", "held"])
def broken(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store that does not work."""
    store, kind = tmp_path / "guard.db", request.param
    if kind == "a folder":
        store.mkdir()
    elif kind == "no database":
        store.write_text("x" * 4096)
    elif kind == "read-only":
        monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(guard_store, "_PATIENCE", 0.2)
    with closing(sqlite3.connect(tmp_path / "guard.db" if kind == "held" else ":memory:")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        places = {
            "no folder": tmp_path / "none" / "g.db",
            "unreachable": f"postgresql://ana:geheim@127.0.0.1:9/{tmp_path.name}",
        }
        yield str(places.get(kind, store))


async def test_a_store_that_does_not_work_is_done_without(broken: str) -> None:
    """It is warned of once, at the line that called, and the process's own guard goes on."""
    async with process(broken, reply(**SENT), reply(Res=-1)) as (client, script):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            await client.sms.send(PHONE, "Hola")
            await refused(client, AuthenticationError)
            await refused(client, AccountPaused)
        assert len(script.requests) == 2
    (warning,) = warned
    assert (warning.category, warning.filename) == (StoreWarning, __file__)
    assert "geheim" not in str(warning.message)


@pytest.mark.parametrize(
    ("given", "error"),
    [(5, ConfigurationError), ("mysql://h/d", InvalidRequest), (":memory:", InvalidRequest)],
)
@pytest.mark.parametrize("place", ["setting", "environment"])
def test_a_store_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, given: Any, error: type[Exception], place: str
) -> None:
    """It is refused when the client is made, whoever named it."""
    if place == "environment":
        monkeypatch.setenv("MENSATEK_GUARD_STORE", str(given))
        if not isinstance(given, str):
            return
    with pytest.raises(error):
        AsyncMensatek(USER, TOKEN, guard=Guard(store=given) if place == "setting" else None)


def test_no_repr_shows_a_password() -> None:
    assert "geheim" not in repr(Guard(store="postgresql://ana:geheim@host/d"))
    assert "store=None" in repr(Guard())


async def test_the_environments_store_unless_the_setting_says_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A library that nobody told writes no file."""
    monkeypatch.chdir(tmp_path)
    for named, setting, files in (("", None, False), ("g.db", "", False), ("g.db", None, True)):
        monkeypatch.setenv("MENSATEK_GUARD_STORE", named)
        forget_accounts()
        async with client_of(Script(reply(**SENT)), guard=Guard(store=setting)) as client:
            await client.sms.send(PHONE, "Hola")
        assert await anyio.Path(tmp_path / "g.db").exists() is files


async def test_it_looks_once_a_second_and_before_the_first_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Many sends ask the store no more than one does, over all accounts and clients."""
    asked: list[str] = []
    for name in ("read", "write"):
        original = getattr(Database, name)

        def noted(self: Database, *given: Any, _name: str = name, _original: Any = original) -> Any:
            asked.append(_name)
            return _original(self, *given)

        monkeypatch.setattr(Database, name, noted)
    script = Script(reply(**SENT), repeat_last=True)
    async with client_of(script, guard=Guard(store=tmp_path / "g.db")) as client:
        accounts = [client, *(client.for_account(f"T{number}", TOKEN) for number in range(4))]
        for one in accounts:
            asked.clear()
            await one.sms.send(PHONE, "Hola")
            assert 0 < len(asked) <= 4
        asked.clear()
        for number in range(20):
            await client.for_account(f"T{number % 4}", TOKEN).sms.send(PHONE, "Hola")
    assert len(asked) <= 1
    assert not await anyio.Path(tmp_path / "g.db-wal").exists()  # closed with the last client


async def test_a_guard_in_the_campaigns_own_file(tmp_path: Path) -> None:
    """It is none of those whose end a campaign waits for before it takes over what the dead had claimed."""
    store = tmp_path / "campaigns.db"
    async with client_of(Script(reply(**SENT)), guard=Guard(store=store)) as client:
        await client.sms.send(PHONE, "Hola")
        lock = LockFile(store.with_name("campaigns.db.lock"))
        assert lock.take()
        lock.drop()
        async with Campaigns(client, store) as campaigns:
            await campaigns.start("one", "Hola", [PHONE])
            with pytest.raises(CampaignConflict):
                await campaigns.start("one", "Other", [PHONE])


# --- processes ---------------------------------------------------------------------------------------------

WORKER = """
    import time
    from mensatek_async import Guard, MensatekError
    with Mensatek(token={token!r}, guard=Guard(store={store!r})) as client:
        tell(ready=True)
        while not os.path.exists({gate!r}):
            time.sleep(0.01)
        try:
            tell(sent=client.sms.send("600000000", "Hola").accepted)
        except MensatekError as error:
            tell(error=type(error).__name__)
"""


@pytest.mark.mensatek_sandbox(latency=0.5)
def test_four_processes_with_a_wrong_token_make_one_call(
    sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """All at once; one with the right token is not held back by it."""
    gate = tmp_path / "gate"
    tokens = [*["wrong"] * 4, sandbox.token]
    with ExitStack() as stack:
        codes = [WORKER.format(token=token, store=store, gate=str(gate)) for token in tokens]
        programs = [stack.enter_context(child(code, sandbox)) for code in codes]
        assert [program.line() for program in programs] == [{"ready": True}] * 5
        gate.touch()
        *wrong, right = [program.line() for program in programs]
    assert sorted(one["error"] for one in wrong) == [*["AccountPaused"] * 3, "AuthenticationError"]
    assert right == {"sent": 1}
    assert len(sandbox.requests) == 2


@pytest.mark.mensatek_sandbox(latency=2)
def test_a_process_that_is_killed_in_its_first_call_holds_up_nobody(
    sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """The next one sees that it has ended."""
    code = WORKER.format(token=sandbox.token, store=store, gate=str(tmp_path))
    with child(code, sandbox) as first:
        assert first.line() == {"ready": True}
        while not sandbox.max_in_flight:
            time.sleep(0.01)
        sandbox.latency = 0
        first.process.kill()
        began = time.monotonic()
        with child(code, sandbox) as second:
            assert [second.line(), second.line()] == [{"ready": True}, {"sent": 1}]
    assert time.monotonic() - began < 15  # not the lease, which is for other machines


def test_the_commands_runs_know_of_each_other(sandbox: Sandbox, tmp_path: Path) -> None:
    """Runs in a row with a wrong token cost one call, and the right one works at once."""

    def run(token: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-c",
            "from mensatek_async.cli import main; raise SystemExit(main())",
            "credits",
        ]
        return subprocess.run(
            command, env=environment(sandbox, MENSATEK_API_TOKEN=token), capture_output=True, text=True
        )

    wrong = [run("t0k3n") for _ in range(4)]
    assert all(one.returncode and "t0k3n" not in one.stderr for one in wrong)
    assert len({one.stderr for one in wrong}) > 1
    assert len(sandbox.requests) == 1
    assert [run(sandbox.token).returncode for _ in range(2)] == [0, 0]
    assert len(sandbox.requests) == 2  # the second answer was known
    assert stat.S_IMODE((tmp_path / "state" / "mensatek").stat().st_mode) == 0o700
