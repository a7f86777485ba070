"""What docs/web.md promises to services: an end that loses nothing, and the example of many tenants."""

from __future__ import annotations

import ast
import runpy
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async import AsyncMensatek
from mensatek_async.sandbox import Sandbox
from tests.markdown import ROOT, blocks
from tests.sync.child import environment
from tests.webhook_servers import serve_asgi

SERVICE = """
import asyncio
from mensatek_async import AsyncMensatek, MensatekError, Timeout

client = AsyncMensatek(timeout=Timeout(grace={grace}))
tasks = []

async def work(phone):
    try:
        print("landed", (await client.sms.send(phone, "Hola")).accepted, flush=True)
    except MensatekError as error:
        print("lost", type(error).__name__, flush=True)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        async with client:
            await receive()
            await send({{"type": "lifespan.startup.complete"}})
            await receive()
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    phone = scope["path"].strip("/")
    if scope["query_string"] == b"later":
        tasks.append(asyncio.create_task(work(phone)))
    else:
        await work(phone)
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"OK"}})
"""


@contextmanager
def uvicorn_of(
    folder: Path, sandbox: Sandbox, grace: float, *options: str
) -> Iterator[subprocess.Popen[str]]:
    """The service under uvicorn, in a process of its own; `args` ends in its port."""
    (folder / "service.py").write_text(SERVICE.format(grace=grace), encoding="utf-8")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "service:app",
        "--no-access-log",
        *options,
        "--port",
        str(port),
    ]
    more: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment(sandbox), **more) as server:
        try:
            assert server.stderr is not None
            while "running on" not in (line := server.stderr.readline()):
                assert line, "it ended"
            yield server
        finally:
            server.kill()


def get(server: subprocess.Popen[str], path: str) -> None:
    """Ask the service, which need not answer."""
    command: Any = server.args
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "*")
        httpx.get(f"http://127.0.0.1:{command[-1]}/{path}", timeout=20 if "later" in path else 0.2)


@pytest.mark.mensatek_sandbox(latency=1.0)
@pytest.mark.parametrize(
    ("grace", "options", "path", "says", "logs"),
    [
        (10, (), "600000000?later", "landed 1", ""),
        (10, (), "600000000", "landed 1", ""),
        (0.2, (), "600000000?later", "lost OutcomeUnknown", "no answer to EnviarSMS (1)"),
        (10, ("--timeout-graceful-shutdown", "0"), "600000000", "", "EnviarSMS was cancelled on its way"),
    ],
    ids=["a task in the background", "a request", "longer than the grace", "cancelled by uvicorn"],
)
def test_a_shutdown_lets_land_what_is_on_its_way(
    sandbox: Sandbox, tmp_path: Path, grace: float, options: tuple[str, ...], path: str, says: str, logs: str
) -> None:
    """SIGTERM to uvicorn while a text is on its way: its answer still comes, or its operation is named."""
    with uvicorn_of(tmp_path, sandbox, grace, *options) as server:
        try:
            get(server, path)
        except httpx.TimeoutException:
            assert "later" not in path
        while not sandbox.max_in_flight:
            time.sleep(0.01)
        server.send_signal(signal.SIGTERM)
        said, errors = server.communicate(timeout=20)

    assert said.strip() == says
    assert logs in errors
    assert logs or "EnviarSMS" not in errors
    assert "600000000" not in errors


# --- the page's and the folder's examples --------------------------------------------------------------------


@pytest.fixture
def tenants(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example's service; gives its URL. The sandbox's account is a tenant's, with an old token."""
    pytest.importorskip("fastapi", reason="nox -s tests_webhooks")
    monkeypatch.setenv("DATABASE", str(tmp_path / "tenants.db"))
    monkeypatch.setenv("MENSATEK_API_TOKEN", "our-own")
    with closing(sqlite3.connect(tmp_path / "tenants.db")) as database, database:
        database.execute("CREATE TABLE tenants (key, user, token, sender)")
        row = ("key-1", sandbox.user, "old", "TENANT")
        database.execute("INSERT INTO tenants VALUES (?, ?, ?, ?)", row)
    names = runpy.run_path(str(ROOT / "docs" / "examples" / "tenants_fastapi.py"))
    with serve_asgi(names["app"]) as url:
        yield url


def test_a_tenants_new_token_counts_at_once(sandbox: Sandbox, tenants: str, tmp_path: Path) -> None:
    """While the service runs; the old one, refused, costs one call."""

    def post(key: str, phone: str = "600000000") -> int:
        told = {"phone": phone, "text": "Hola"}
        return httpx.post(f"{tenants}/texts", json=told, headers={"X-Key": key}).status_code

    assert [post("key-1"), post("key-1"), post("another")] == [403, 403, 401]
    with closing(sqlite3.connect(tmp_path / "tenants.db")) as database, database:
        database.execute("UPDATE tenants SET token = ?", [sandbox.token])
    assert [post("key-1"), post("key-1", "no phone")] == [200, 422]
    assert httpx.get(f"{tenants}/credits", headers={"X-Key": "key-1"}).status_code == 200
    assert [text.sender for text in sandbox.texts] == ["TENANT"]
    assert len(sandbox.requests) == 2


PAGE = [one.text for one in blocks(ROOT / "docs" / "web.md") if one.language == "python"]


def test_the_service_of_the_page(sandbox: Sandbox) -> None:
    """As it stands in docs/web.md."""
    pytest.importorskip("fastapi", reason="nox -s tests_webhooks")
    names: dict[str, Any] = {"__name__": "service"}
    exec(compile(PAGE[0], "docs/web.md", "exec", dont_inherit=True), names)
    with serve_asgi(names["app"], "on") as url:
        assert httpx.post(f"{url}/codes", params={"phone": "600000000"}).json() == {"accepted": 1}


async def test_the_other_examples_of_the_page(sandbox: Sandbox) -> None:
    """The tenant's account is the sandbox's."""
    async with AsyncMensatek("OURS", "ours") as client:
        names: dict[str, Any] = {"client": client}
        tenant = PAGE[1].replace("TENANT-USER", sandbox.user).replace("TENANT-TOKEN", sandbox.token)
        await eval(compile(tenant, "docs/web.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        exec(compile(PAGE[2], "docs/web.md", "exec"), names)
    assert names["sent"].accepted == 1
    assert len(PAGE) == 3
