"""Campaigns in slices, as docs/campaigns.md shows them: Celery tasks, a real broker, a worker that is killed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mensatek_async.sandbox import Fault, Sandbox
from tests.markdown import ROOT, blocks
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

pytest.importorskip("celery", reason="nox -s tests_sync")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Celery's pool forks"),
    pytest.mark.timeout(180),
]
(SNIPPET,) = [
    block.text for block in blocks(ROOT / "docs" / "campaigns.md") if "from celery import" in block.text
]
COUNT = 250


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that takes its time."""
    with Sandbox(credits=1_000_000, block_after=1_000_000) as running:
        running.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
        yield running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server's lines for the task module."""
    pytest.importorskip("redis", reason="nox -s tests_sync")
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("Debian's package redis-server is not installed")
    port = _free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            # What a killed worker had taken comes back after this time; the default is an hour.
            yield (
                f'app.conf.broker_url = "redis://127.0.0.1:{port}"\n'
                'app.conf.broker_transport_options = {"visibility_timeout": 3}\n'
            )
        finally:
            process.terminate()


@contextmanager
def files(folder: Path) -> Iterator[str]:
    """A broker that is a folder."""
    place = folder / "broker"
    place.mkdir()
    options = {name: str(place) for name in ("data_folder_in", "data_folder_out", "control_folder")}
    yield f'app.conf.broker_url = "filesystem://"\napp.conf.broker_transport_options = {options!r}\n'


@contextmanager
def worker(sandbox: Sandbox, folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with a process of its own for each task."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "clinic.campaigns", "worker"),
        *("--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING", "-n", name, "--without-mingle"),
    ]
    more = {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "C_FORCE_ROOT": "1", "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        command, cwd=folder, env=environment(sandbox, **more), start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("broker", [files, redis], ids=["files", "redis"])
def test_a_campaign_in_celery_tasks(sandbox: Sandbox, tmp_path: Path, broker: object) -> None:
    """The tasks of the documents: one starts it, slices send it; a worker that is killed loses and doubles nobody."""
    assert callable(broker)
    (tmp_path / "clinic").mkdir()
    rows = "".join(f"Ana;{34_600_000_000 + number}\n" for number in range(COUNT))
    (tmp_path / "clientes.csv").write_text("nombre;movil\n" + rows, encoding="utf-8")
    with broker(tmp_path) as lines:
        short = SNIPPET.replace("budget=60", "budget=1").replace(
            'sender="CLINICA"', 'sender="CLINICA", limits=Limits(sms_per_request=5, concurrency=2)'
        )
        imports = "from mensatek_async import Limits\n"
        (tmp_path / "clinic" / "campaigns.py").write_text(imports + short + "\n" + lines, encoding="utf-8")
        send = "from clinic.campaigns import {0}; {0}.delay({1})"
        more = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

        def ask(task: str, arguments: str) -> None:
            subprocess.run(
                [sys.executable, "-c", send.format(task, arguments)],
                cwd=tmp_path,
                env=environment(sandbox, **more),
                check=True,
            )

        ask("start", '"navidad", "Hola {nombre}", "clientes.csv"')
        with worker(sandbox, tmp_path, "one") as first:
            wait_until(lambda: len(sandbox.counts) >= 60, 60)
            os.killpg(first.pid, signal.SIGKILL)
        assert len(sandbox.counts) < COUNT
        with worker(sandbox, tmp_path, "two"):
            if (
                broker is files
            ):  # this broker forgets what was taken; a campaign's next slice may come from anywhere
                ask("drive", '"navidad"')
            wait_until(lambda: len(sandbox.counts) >= COUNT, 60)
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == COUNT
