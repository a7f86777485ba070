"""The programs of docs/outbox.md under their servers, over real databases; `nox -s tests_outbox` has what they need.

OUTBOX_ORDERS=1000 makes the endpoint whose workers are killed as large as that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async import Mensatek, SyncOutbox
from mensatek_async.sandbox import Callbacks, Sandbox
from tests.markdown import ROOT
from tests.postgres_server import PostgresServer, execute
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

pytest.importorskip("sqlalchemy", reason="nox -s tests_outbox")
pytestmark = [
    pytest.mark.mensatek_sandbox(credits=1_000_000, block_after=1_000_000, delivery_seconds=0),
    pytest.mark.skipif(sys.platform == "win32", reason="these servers fork"),
    pytest.mark.timeout(600),
]

MAIN = "from mensatek_async.cli import main; raise SystemExit(main())"
EXAMPLES = ROOT / "docs" / "examples"
ORDERS = int(os.environ.get("OUTBOX_ORDERS", "120"))
EACH = 1000  # transactions that are committed, and as many that are rolled back
KILLS = ORDERS // 10
SECRETS = {"WEBHOOK_PASSWORD": "a password", "DJANGO_SECRET_KEY": "x", "PYTHONWARNINGS": "ignore"}


def phone_of(number: int) -> str:
    return str(34_600_000_000 + number)


class Program:
    """One of the examples, with its database.

    Attributes:
        url: where it is served.
    """

    def __init__(self, stack: ExitStack, sandbox: Sandbox, folder: Path, database: str, **more: str) -> None:
        self._stack = stack
        self._folder = folder
        self.url = ""
        path = os.pathsep.join(map(str, (folder, EXAMPLES, ROOT)))
        self._environment = environment(sandbox, DATABASE_URL=database, PYTHONPATH=path, **SECRETS, **more)

    def run(self, *command: str) -> None:
        """Run something to its end."""
        subprocess.run(
            [sys.executable, *command], check=True, cwd=self._folder, env=self._environment, timeout=60
        )

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start something that is told to end when the test is over, and then has to."""
        with (self._folder / "log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._stack.callback(end, process)
        return process

    def serve(self, *command: str, option: str = "--bind=127.0.0.1:{}") -> subprocess.Popen[str]:
        """Start a server on a free port, and wait until it answers."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        process = self.start(*command, option.format(port))
        wait_until(lambda: process.poll() is not None or _answers(f"{self.url}/orders/none/text"), 60)
        assert process.poll() is None, self.log()
        return process

    def log(self) -> str:
        """What its processes have said."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url, timeout=5).status_code < 500
    return False


def end(process: subprocess.Popen[str]) -> None:
    """End a server as its host does, or for good."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


@pytest.fixture
def program(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts an example."""
    with ExitStack() as stack:
        yield lambda database, **more: Program(stack, sandbox, tmp_path, database, **more)


def order_thrice(url: str, count: int, method: str = "POST", **body: Any) -> None:
    """Order everything three times, as three clients at once."""
    name = "json" if method == "PUT" else "data"

    def order(number: int) -> int:
        given = {name: {"phone": phone_of(number), **body}}
        return httpx.request(method, f"{url}/orders/{number}", timeout=30, **given).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(order, [number for number in range(count) for _ in range(3)])) == {201}


def sent_once(sandbox: Sandbox, count: int) -> None:
    """Everybody has one text, in the end."""
    wait_until(lambda: len(sandbox.texts) >= count, 60)
    assert sandbox.counts == {phone_of(number): 1 for number in range(count)}


# --- the programs ------------------------------------------------------------------------------------------


def sqlalchemy_url(store: str) -> str:
    return (
        store.replace("postgresql:", "postgresql+psycopg:")
        if "://" in store
        else f"sqlite+aiosqlite:///{store}"
    )


def test_fastapi_under_uvicorn(sandbox: Sandbox, store: str, program: Callable[..., Program]) -> None:
    """Orders repeated over two processes that both send; the webhook tells what was delivered; a code comes once."""
    pytest.importorskip("fastapi")
    shop = program(sqlalchemy_url(store))
    shop.run(str(EXAMPLES / "orders_fastapi.py"))
    server = shop.serve("-m", "uvicorn", "orders_fastapi:app", "--workers", "2", option="--port={}")
    posts = sandbox.call_back(Callbacks(f"{shop.url}/mensatek/", username="mensatek", password="a password"))

    order_thrice(shop.url, 40, "PUT", total=10)
    sent_once(sandbox, 40)
    assert posts.wait(20)
    wait_until(lambda: httpx.get(f"{shop.url}/orders/7/text").json()["delivered"])
    assert httpx.get(f"{shop.url}/orders/7/text").json()["state"] == "sent"

    bad = httpx.put(f"{shop.url}/orders/bad", json={"phone": "no phone", "total": 1})
    assert (bad.status_code, httpx.get(f"{shop.url}/orders/bad/text").status_code) == (422, 404)
    code = {"attempt": "a", "phone": "611000000", "code": "1234"}
    answers = [httpx.post(f"{shop.url}/logins", json=code, timeout=20) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"state": "sent"}] * 2
    assert httpx.post(f"{shop.url}/logins", json={**code, "code": "9999"}).status_code == 409
    assert sandbox.count("34611000000") == 1

    end(server)
    assert server.returncode in (0, -signal.SIGTERM), shop.log()
    assert "Traceback" not in shop.log()


def test_django_under_gunicorn(sandbox: Sandbox, store: str, program: Callable[..., Program]) -> None:
    """Orders inside of `transaction.atomic`; the command is the worker."""
    pytest.importorskip("django")
    shop = program(store)
    shop.run(str(EXAMPLES / "orders_django.py"))
    worker = shop.start("-c", MAIN, "outbox", "run", "--store", store)
    shop.serve("-m", "gunicorn", "orders_django:application", "--no-control-socket", "--workers", "2")

    order_thrice(shop.url, 30)
    sent_once(sandbox, 30)
    bad = httpx.post(f"{shop.url}/orders/bad", data={"phone": "no phone"})
    assert bad.status_code == 422
    wait_until(lambda: httpx.get(f"{shop.url}/orders/29/text").json()["state"] == "sent")
    end(worker)
    assert worker.returncode == 0, shop.log()


def test_flask_under_gunicorn(sandbox: Sandbox, database: str, program: Callable[..., Program]) -> None:
    """Orders in a transaction of psycopg; the webhook is mounted beside the views; the command is the worker."""
    pytest.importorskip("flask")
    shop = program(database)
    shop.run(str(EXAMPLES / "orders_flask.py"))
    shop.start("-c", MAIN, "outbox", "run", "--store", database)
    shop.serve(
        "-m", "gunicorn", "orders_flask:app", "--no-control-socket", "--workers", "2", "--threads", "2"
    )
    posts = sandbox.call_back(Callbacks(f"{shop.url}/mensatek", username="mensatek", password="a password"))

    order_thrice(shop.url, 30)
    sent_once(sandbox, 30)
    bad = httpx.post(f"{shop.url}/orders/bad", data={"phone": "no phone"})
    assert (bad.status_code, execute("SELECT count(*) FROM orders", database)) == (422, [(30,)])
    assert posts.wait(20)
    assert {tuple(post.answers) for post in posts.posts} == {(200,)}


def test_celery_with_beat(
    sandbox: Sandbox, store: str, program: Callable[..., Program], tmp_path: Path
) -> None:
    """Tasks that come twice put one text; beat's slices send them."""
    pytest.importorskip("celery")
    place = tmp_path / "broker"
    place.mkdir()
    folders = {name: str(place) for name in ("data_folder_in", "data_folder_out", "control_folder")}
    (tmp_path / "shop.py").write_text(
        f"""
import orders_celery
from orders_celery import app, shipped

app.conf.broker_url = "filesystem://"
app.conf.broker_transport_options = {folders!r}
app.conf.beat_schedule["texts"]["schedule"] = 1.0
orders_celery.SLICE = 1.0

if __name__ == "__main__":
    orders_celery.outbox.create_tables()
    for number in range(20):
        for _ in range(3):
            shipped.delay(str(number), str({phone_of(0)} + number))
""",
        encoding="utf-8",
    )
    shop = program(store, C_FORCE_ROOT="1")
    shop.run("shop.py")
    shop.start("-m", "celery", "-A", "shop", "worker", "--concurrency", "2", "--without-mingle", "-B")

    sent_once(sandbox, 20)


# --- transactions ------------------------------------------------------------------------------------------


class Rollback(Exception):
    """Something went wrong after the order was saved."""


def put_of(outbox: SyncOutbox, number: int, paramstyle: Any) -> tuple[str, Any]:
    return outbox.statement(f"order-{number}", phone_of(number), "Pedido", paramstyle=paramstyle)


def with_sqlalchemy(store: str, outbox: SyncOutbox, orders: dict[int, bool]) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    async def order() -> None:
        engine = create_async_engine(sqlalchemy_url(store))
        for number, commits in orders.items():
            with suppress(Rollback):
                async with AsyncSession(engine) as session, session.begin():
                    sql, values = put_of(outbox, number, "named")
                    await session.execute(text(sql), values)
                    if not commits:
                        raise Rollback
        await engine.dispose()

    asyncio.run(order())


def with_psycopg(store: str, outbox: SyncOutbox, orders: dict[int, bool]) -> None:
    import psycopg

    for number, commits in orders.items():
        with suppress(Rollback), psycopg.connect(store) as connection:
            connection.execute(*put_of(outbox, number, "pyformat"))
            if not commits:
                raise Rollback


def with_sqlite3(store: str, outbox: SyncOutbox, orders: dict[int, bool]) -> None:
    connection = sqlite3.connect(store)
    for number, commits in orders.items():
        with suppress(Rollback), connection:
            connection.execute(*put_of(outbox, number, "qmark" if number % 2 else "named"))
            if not commits:
                raise Rollback
    connection.close()


DJANGO = """
import json, sys
from django.db import connection, transaction
from orders_django import outbox

for number, commits in json.loads(sys.argv[1]):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            put = outbox.statement("order-%s" % number, str({first} + number), "Pedido")
            cursor.execute(*put)
            if not commits:
                raise LookupError
    except LookupError:
        pass
"""


WAYS = {"sqlalchemy": with_sqlalchemy, "psycopg": with_psycopg, "sqlite3": with_sqlite3}


@pytest.mark.parametrize("way", ["sqlalchemy", "django", "psycopg", "sqlite3"])
def test_a_rolled_back_transaction_leaves_nothing(
    sandbox: Sandbox, store: str, program: Callable[..., Program], tmp_path: Path, way: str
) -> None:
    """Half of the transactions are rolled back, mixed: exactly the committed ones are sent, once."""
    if (way, "://" in store) in (("psycopg", False), ("sqlite3", True)):
        pytest.skip("this driver has another database")
    pytest.importorskip(way)
    orders = {number: number % 2 == 0 for number in random.Random(1).sample(range(2 * EACH), 2 * EACH)}
    with Mensatek() as client, SyncOutbox(client, store=store) as outbox:
        outbox.create_tables()
        if way == "django":
            (tmp_path / "many.py").write_text(DJANGO.format(first=phone_of(0)), encoding="utf-8")
            program(store).run("many.py", json.dumps(list(orders.items())))
        else:
            WAYS[way](store, outbox, orders)
        assert outbox.get("order-1") is None
        outbox.drain(budget=300)

    assert sandbox.counts == {phone_of(number): 1 for number, commits in orders.items() if commits}


# --- kills -------------------------------------------------------------------------------------------------


def children(process: int) -> list[int]:
    """The workers that a server has started."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [int(one) for one in found if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()]


class Load:
    """Customers who each send their order three times, and again until they are told that it was taken."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self.todo = [number for number in range(count) for _ in range(3)]
        random.Random(3).shuffle(self.todo)
        self.told = 0
        self.pool = ThreadPoolExecutor(16)
        self.futures = [self.pool.submit(self._order, number) for number in self.todo]

    def _order(self, number: int) -> int:
        for attempt in range(2_000):
            with suppress(httpx.TransportError):
                body = {"phone": phone_of(number), "total": 1}
                if httpx.put(f"{self._url}/orders/{number}", json=body, timeout=10).status_code == 201:
                    self.told += 1
                    return attempt
            time.sleep(0.05)
        raise AssertionError("the order was never taken")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it is killed by its number in /proc")
def test_workers_and_database_are_killed_under_load(
    sandbox: Sandbox, postgres: PostgresServer, program: Callable[..., Program], tmp_path: Path
) -> None:
    """Each order that was taken has one text, whoever died meanwhile; what may have been sent is never sent again."""
    pytest.importorskip("fastapi")
    database = postgres.create()
    code = (EXAMPLES / "orders_fastapi.py").read_text(encoding="utf-8")
    (tmp_path / "orders_fastapi.py").write_text(
        code.replace("store=store", "store=store, lease=10"), encoding="utf-8"
    )  # the default would be waited for by whoever finds what the dead were sending
    shop = program(sqlalchemy_url(database))
    shop.run("orders_fastapi.py")
    server = shop.serve("-m", "uvicorn", "orders_fastapi:app", "--workers", "4", option="--port={}")
    dice, kills = random.Random(7), 0
    load = Load(shop.url, ORDERS)
    while kills < KILLS and not all(future.done() for future in load.futures):
        time.sleep(dice.uniform(0.5, 2))
        if kills % 8 == 5:
            postgres.restart("immediate", away=0.5)
        elif victims := children(server.pid):
            os.kill(dice.choice(victims), signal.SIGKILL)
        kills += 1
    attempts = [future.result() for future in load.futures]
    with Mensatek() as client, SyncOutbox(client, store=database) as outbox:
        wait_until(lambda: not (outbox.list(state="queued") or outbox.list(state="sending")), 400)
        states = {number: outbox.get(f"order-{number}").state for number in range(ORDERS)}
    print(
        f"{kills} kills, {len(attempts)} requests taken after {sum(attempts)} repeats, {Counter(states.values())}"
    )

    assert set(sandbox.counts.values()) == {1}
    assert kills > 3
    unknown = {number for number, state in states.items() if state == "unknown"}
    assert {number for number, state in states.items() if state != "sent"} == unknown
    assert all(sandbox.count(phone_of(number)) for number in states if number not in unknown)
