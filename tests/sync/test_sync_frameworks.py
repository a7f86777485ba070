"""Servers and workers as legacy code runs them; `nox -s tests_sync` installs what these need."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Sandbox
from tests.markdown import ROOT, blocks
from tests.sync.child import HEAD, child, started

for library in ("celery", "django", "flask", "gevent", "gunicorn", "IPython"):
    pytest.importorskip(library, reason="nox -s tests_sync")
pytestmark = [
    pytest.mark.mensatek_sandbox(block_after=1000),
    pytest.mark.skipif(sys.platform == "win32", reason="these servers fork"),
    pytest.mark.timeout(120),
]

SNIPPETS = {
    block.text.splitlines()[0].removeprefix("# "): block.text
    for block in blocks(ROOT / "docs" / "sync.md")
    if block.language == "python"
}


running = partial(started, stdout=subprocess.DEVNULL)


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read what a server says until it says that."""
    said = []
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError("".join(said))


FLASK = """
import os
from flask import Flask
from mensatek_async import Mensatek

client = Mensatek()
client.credits()  # in the master, before it forks: the trap
app = Flask(__name__)

@app.get("/send/<phone>")
def send(phone):
    return {"accepted": client.sms.send(phone, "Hola").accepted, "pid": os.getpid()}

@app.get("/bulk/<int:first>")
def bulk(first):
    rows = (str(first + number) for number in range(600))
    return {"accepted": client.sms.send_bulk(rows, "Hola", chunk_size=100).accepted}
"""


@contextmanager
def gunicorn(
    program: str, options: list[str], sandbox: Sandbox, folder: Path, **more: str
) -> Iterator[Callable[[str], dict[str, Any]]]:
    """The program under gunicorn, which ends when it is told; gives what gets the JSON of a path."""
    (folder / "clinic.py").write_text(program, encoding="utf-8")
    # Workers are forked while the thread of gunicorn's control socket starts, and may inherit locks that it holds.
    # On a busy machine one may take longer to start than gunicorn's 30 s, after which it is killed and begins anew.
    patience = ["--no-control-socket", "--timeout", "110"]
    command = ["-m", "gunicorn", "clinic:app", *patience, "--bind", "127.0.0.1:0", *options]
    with running(command, sandbox, folder, **more) as server:
        address = read_until(server, r"Listening at: (\S+)")[1]
        for _ in range(4 if "serving" in program else 0):  # else the first worker may take everything
            read_until(server, "serving")
        yield lambda path: httpx.get(f"{address}{path}", timeout=30).json()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)
    assert server.returncode == 0


@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
@pytest.mark.parametrize("preload", [True, False], ids=["preload", "no-preload"])
def test_flask_on_gunicorn(sandbox: Sandbox, tmp_path: Path, worker: str, preload: bool) -> None:
    """A client that the master used before it forked serves every worker, and the server ends when it is told."""
    if worker == "gevent" and preload:
        pytest.skip("gevent patches in the worker, too late for what the master has imported")
    options = ["--workers", "3", "-k", worker, *(["--preload"] if preload else [])]
    with gunicorn(FLASK, options, sandbox, tmp_path) as get, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(get, [f"/send/{34_600_000_000 + number}" for number in range(60)]))
        accepted = get("/bulk/34610000000")["accepted"]

    assert [answer["accepted"] for answer in answers] == [1] * 60
    assert len({answer["pid"] for answer in answers}) > 1
    assert accepted == 600
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 660


@pytest.mark.mensatek_sandbox(block_after=1000, latency=0.3)
def test_four_gunicorn_workers_with_a_wrong_token_make_one_call(
    sandbox: Sandbox, tmp_path: Path, store: str
) -> None:
    """They share their guard; with the right token nothing is held back."""
    program = FLASK.replace("client.credits()", "")
    program += """
import sys
from mensatek_async._core.limits import guard_store
guard_store._PATIENCE = 60.0  # a busy machine may take longer than a call waits for its store
print("serving", file=sys.stderr, flush=True)

@app.errorhandler(Exception)
def failed(error):
    return {"error": type(error).__name__, "pid": os.getpid()}
"""
    told: dict[str, list[dict[str, Any]]] = {}
    for token in ("wrong", sandbox.token):
        more = {"MENSATEK_API_TOKEN": token, "MENSATEK_GUARD_STORE": store}
        served = gunicorn(program, ["--workers", "4"], sandbox, tmp_path, **more)
        with served as get, ThreadPoolExecutor(24) as pool:
            told[token] = list(pool.map(get, [f"/send/{34_600_000_000 + number}" for number in range(24)]))

    refused = [one["error"] for one in told["wrong"]]
    assert sorted(refused) == [*["AccountPaused"] * 23, "AuthenticationError"]
    assert all(len({one["pid"] for one in answers}) > 1 for answers in told.values())
    assert [one["accepted"] for one in told[sandbox.token]] == [1] * 24
    assert len(sandbox.requests) == 25


def test_the_django_view_of_the_documents(sandbox: Sandbox, tmp_path: Path) -> None:
    """The snippet, in a project of its own: a good phone is sent to, a broken one is answered with 400."""
    (tmp_path / "clinic").mkdir()
    (tmp_path / "clinic" / "views.py").write_text(SNIPPETS["clinic/views.py"], encoding="utf-8")
    code = f"""
        sys.path.insert(0, {str(tmp_path)!r})
        import django
        from django.conf import settings
        settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
        django.setup()
        from django.test import Client
        from django.urls import path
        from clinic.views import remind
        urlpatterns = [path("remind", remind)]
        browser = Client()
        for phone in ("600000000", "no phone"):
            answer = browser.post("/remind", {{"phone": phone, "text": "Hola"}})
            tell(status=answer.status_code, **answer.json())
    """
    with child(code, sandbox) as program:
        good, bad = program.line(), program.line()

    assert (good["status"], bad["status"]) == (200, 400)
    assert good["message_id"] > 0
    assert sandbox.count("34600000000") == 1


CELERY = """
from clinic.tasks import app, client, remind

client.credits()  # in the parent, before the pool forks: the trap
for number in range(20):
    remind.delay(str(34_600_000_000 + number), "Hola")

if __name__ == "__main__":
    app.worker_main(["worker", "--pool", "{pool}", "--concurrency", "3", "--loglevel", "INFO", "--without-mingle"])
"""


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo", "gevent"])
def test_the_celery_task_of_the_documents(sandbox: Sandbox, tmp_path: Path, pool: str) -> None:
    """The snippet, in a worker with an in-memory broker: each task sends once, and the worker ends when it is told."""
    (tmp_path / "clinic").mkdir()
    (tmp_path / "clinic" / "tasks.py").write_text(SNIPPETS["clinic/tasks.py"], encoding="utf-8")
    patch = "from gevent import monkey; monkey.patch_all()\n" if pool == "gevent" else ""
    (tmp_path / "work.py").write_text(patch + CELERY.format(pool=pool), encoding="utf-8")
    with running(
        ["work.py"], sandbox, tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}", C_FORCE_ROOT="1"
    ) as worker:
        read_until(worker, r"ready\.")
        limit = time.monotonic() + 40
        while len(sandbox.texts) < 20 and time.monotonic() < limit:
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.stderr is not None
        said = worker.stderr.read()  # communicate() would miss what was read ahead

    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 20
    assert said.count("succeeded in") == 20 or pool == "gevent"
    assert "Traceback" not in said


def test_celerys_soft_time_limit_ends_a_send(sandbox: Sandbox, tmp_path: Path) -> None:
    """The limit is raised inside the call, which ends first; the result so far comes with it."""
    sandbox.latency = 0.2
    (tmp_path / "work.py").write_text(
        """
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded
from mensatek_async import Mensatek

app = Celery("clinic", broker="memory://")
client = Mensatek()

@app.task(soft_time_limit=2)
def remind():
    try:
        client.sms.send_bulk((str(34_600_000_000 + number) for number in range(100_000)), "Hola", chunk_size=10)
    except SoftTimeLimitExceeded as error:
        return f"accepted={error.bulk_result.accepted};"

remind.delay()
if __name__ == "__main__":
    app.worker_main(["worker", "--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO", "--without-mingle"])
""",
        encoding="utf-8",
    )
    with running(["work.py"], sandbox, tmp_path, C_FORCE_ROOT="1") as worker:
        accepted = int(read_until(worker, r"accepted=(\d+);")[1])
        count = len(sandbox.texts)
        time.sleep(0.5)
        assert len(sandbox.texts) == count == accepted > 0
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)


def test_gevent_patched_code_sends_and_other_greenlets_go_on(sandbox: Sandbox) -> None:
    """With everything patched, calls of many greenlets are made together."""
    sandbox.latency = 0.1
    patch = "from gevent import monkey; monkey.patch_all()\n"
    code = """
        import gevent, time
        ticks = 0
        def tick():
            global ticks
            while True:
                gevent.sleep(0.01)
                ticks += 1
        gevent.spawn(tick)
        client = Mensatek()
        started = time.monotonic()
        jobs = [gevent.spawn(client.sms.send, phone, "Hola") for phone in phones(20)]
        gevent.joinall(jobs, raise_error=True)
        taken = time.monotonic() - started
        bulk = client.sms.send_bulk(phones(500, 34_610_000_000), "Hola", chunk_size=100).accepted
        with client.sms.bulk(phones(500, 34_620_000_000), "Hola", chunk_size=100) as outcomes:
            streamed = sum(outcome.accepted for outcome in outcomes)
        client.close()
        tell(sent=sum(job.value.accepted for job in jobs), taken=taken, ticks=ticks, bulk=bulk, streamed=streamed)
    """

    with child(code, sandbox, head=patch + HEAD) as program:
        told = program.line()
        status, errors = program.end()

    assert (told["sent"], told["bulk"], told["streamed"]) == (20, 500, 500)
    assert told["ticks"] > 10
    assert told["taken"] < 5
    assert (status, errors) == (0, "")


def test_in_ipython_it_is_silent(sandbox: Sandbox) -> None:
    """IPython's own loop runs around every cell; nobody there is held up."""
    code = """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.user_ns["Mensatek"] = Mensatek
        cell = (
            "import asyncio\\n"
            "async def main():\\n"
            "    return Mensatek().sms.send('600000000', 'Hola').accepted\\n"
            "accepted = await main()\\n"
        )
        shell.run_cell(cell).raise_error()
        tell(accepted=shell.user_ns["accepted"])
    """
    with child(code, sandbox, "-W", "error::UserWarning") as program:
        assert program.line() == {"accepted": 1}


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing_pools(sandbox: Sandbox, method: str, tmp_path: Path) -> None:
    """A client made where the module is imported works in every worker, however it was started."""
    script = f"""
import json, multiprocessing, sys
from mensatek_async import Mensatek

client = Mensatek()

def send(number):
    return client.sms.send(str(34_600_000_000 + number), "Hola").accepted

if __name__ == "__main__":
    client.sms.send("611000000", "Hola")
    with multiprocessing.get_context({method!r}).Pool(4) as pool:
        print(json.dumps({{"accepted": sum(pool.map(send, range(30)))}}), flush=True)
        pool.close()
        pool.join()
    client.close()
"""
    path = str(tmp_path / "program.py")
    Path(path).write_text(script, encoding="utf-8")
    with child(f"import os, sys; os.execv(sys.executable, [sys.executable, {path!r}])", sandbox) as program:
        assert program.line() == {"accepted": 30}
        status, _ = program.end()

    assert status == 0
    assert len(sandbox.counts) == 31
