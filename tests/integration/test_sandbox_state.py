"""The sandbox's state in a file: all there after a restart, and after a kill."""

from __future__ import annotations

import base64
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.sandbox.account.state import KEPT_CALLS, Store
from tests.sandbox_calls import ANA, EVA, LUIS, NO_TLS, NOON, Caller, calling, phones

PDF = base64.b64encode(b"%PDF-1.4 firme").decode()
TEXT = f"Firme (Variable_1) (BASE64:2:{PDF})"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the state is kept."""
    return tmp_path / "sandbox.db"


def fill(sandbox: Sandbox) -> None:
    """A bit of everything."""
    with calling(sandbox) as call:
        for name in ("a.pdf", "b.pdf"):
            call("CargarFichero", Tipo="BASE64", Nombre=name, Contenido=PDF)
        call("BorrarFichero", Nombre="b.pdf")
        rows = [{"Movil": ANA, "Variable_1": "Ana ñ"}, {"Movil": LUIS, "Variable_1": "Luis"}]
        legal = {"Tipocontrato": 18, "Vpd": 2, "Aceptacion": 3}
        call.certify(Destinatarios=rows, text=TEXT, Referenciausuario="r", **legal)
        call.send(EVA, text="Ñandú €", Fecha="2027-01-09 10:00", Report=0)
        call("CancelarSMS", Idmensaje=call.send(EVA, text="Nunca", Fecha="2027-01-09 10:00")["idMensaje"])
    sandbox.advance(3)
    sandbox.sign_contract(ANA, biometric=True, location=(40.4, -3.7))
    sandbox.reply(LUIS, "¿Qué es esto?")
    sandbox.switch_off(LUIS)
    sandbox.set_outcome(EVA, 50)
    sandbox.contracts_by_themselves = False
    sandbox.advance(60)


def known(sandbox: Sandbox) -> dict[str, Any]:
    """Everything a user can ask of a sandbox."""
    with calling(sandbox) as call:
        pdf = call.post("GetSMSCERTIFICADO", {"Idmensaje": 10573758, "Telefono": ANA}).content
    names = ("texts", "counts", "credits", "used", "files", "incoming", "contracts_by_themselves")
    calls = [(one.operation, one.at, one.params, one.reply, one.verdict) for one in sandbox.requests[:-1]]
    # The end of the certificate has an id of the file itself.
    return {**{name: getattr(sandbox, name) for name in names}, "calls": calls, "certificate": pdf[:-400]}


def test_everything_is_there_after_a_restart(file: Path) -> None:
    """Texts, credits, files, contracts, replies, calls and clock, as if it had not been away."""
    with Sandbox(state=file, starts_at=NOON, credits=500) as sandbox:
        fill(sandbox)
        before, now = known(sandbox), sandbox.now
    with Sandbox(state=file, starts_at=NOON, credits=7) as sandbox:
        assert sandbox.now == now
        after = known(sandbox)
        # The one call that was asked for between is the only difference.
        assert after["calls"][: len(before["calls"])] == before["calls"]
        del after["calls"], before["calls"]
        assert after == before
        sandbox.switch_on(LUIS)
        sandbox.advance(2 * 86400)
        statuses = {(one.phone, one.status) for one in sandbox.texts}
        assert statuses == {(ANA, 181), (LUIS, 13), (EVA, 50), (EVA, 29)}
        with calling(sandbox) as call:
            assert call.send(ANA)["idMensaje"] == 10573761


def test_the_file_is_private_and_holds_no_token(file: Path) -> None:
    """Only its owner reads it, and what opens the API is not in it."""
    with Sandbox(state=file, token="muy-secreto") as sandbox, calling(sandbox) as call:
        call.send(ANA)
        held = b"".join(one.read_bytes() for one in file.parent.iterdir())
        basic = base64.b64encode(b"demo:muy-secreto")
        assert b"34600000001" in held
        assert b"muy-secreto" not in held
        assert basic not in held
        if os.name == "posix":
            assert file.stat().st_mode & 0o077 == 0


def test_one_sandbox_at_a_time(file: Path) -> None:
    """Two on one file would not know of each other; once the first has stopped, the next may. No folder is a file."""
    with Sandbox(state=file) as first, calling(first) as call:
        call.send(ANA)
        with pytest.raises(ValueError, match="in use"):
            Sandbox(state=file)
    assert Sandbox(state=file).count(ANA) == 1
    for path in (file.parent, file.parent / "nowhere" / "sandbox.db"):
        with pytest.raises(OSError):
            Sandbox(state=path)


def test_a_stopped_sandbox_comes_back(file: Path) -> None:
    """It takes its file again; what was done meanwhile is kept too."""
    sandbox = Sandbox(state=file, starts_at=NOON)
    with sandbox, calling(sandbox) as call:
        call.send(ANA)
    sandbox.reply(ANA, "Mientras")
    with sandbox, calling(sandbox) as call:
        call.send(LUIS)
    again = Sandbox(state=file, starts_at=NOON)
    assert [one.text for one in again.incoming] == ["Mientras"]
    assert again.counts == {ANA: 1, LUIS: 1}


@pytest.mark.parametrize("is_database", [False, True])
def test_a_file_of_something_else_is_left_alone(file: Path, is_database: bool) -> None:
    """Neither a text nor another program's database is taken for a state, or changed."""
    file.write_bytes(b"" if is_database else b"nonsense " * 500)
    if is_database:
        with closing(sqlite3.connect(file)) as rows:
            rows.execute("CREATE TABLE letters (text)")
    before = file.read_bytes()
    with pytest.raises(ValueError, match="not the state of a sandbox"):
        Sandbox(state=file)
    if is_database:
        with closing(sqlite3.connect(file)) as rows:
            assert rows.execute("SELECT name FROM sqlite_master").fetchall() == [("letters",)]
    else:
        assert file.read_bytes() == before


def test_the_log_is_bounded(file: Path) -> None:
    """The newest calls are kept, and go on counting."""
    with Sandbox(state=file, block_after=10**6, keep_calls=100) as sandbox:
        with calling(sandbox) as call:
            for _ in range(250):
                call.post("EnviarSMS")
        assert 100 <= len(sandbox.requests) < 200
    with Sandbox(state=file) as again:
        assert len(again.requests) == 250 < KEPT_CALLS


def test_a_reset_empties_the_file(file: Path) -> None:
    """Nothing comes back, and no message id is used twice."""
    with Sandbox(state=file, starts_at=NOON) as sandbox:
        fill(sandbox)
        sandbox.reset()
    with Sandbox(state=file, starts_at=NOON) as sandbox, calling(sandbox) as call:
        assert (sandbox.texts, sandbox.files, sandbox.incoming, sandbox.requests) == ([], [], [], [])
        assert sandbox.credits == 100_000
        assert call.send(ANA)["idMensaje"] == 10573761


def test_a_clock_that_ran_ahead_does_not_go_back(file: Path) -> None:
    """What has been delivered stays so."""
    with Sandbox(state=file, time_scale=500_000) as sandbox, calling(sandbox) as call:
        call.send(ANA, Fecha=(sandbox.now + timedelta(days=2)).strftime("%Y-%m-%d %H:%M"))
        while sandbox.texts[0].status != 11:
            time.sleep(0.01)
        now = sandbox.now
    with Sandbox(state=file) as again:
        assert again.now >= now
        assert again.texts[0].status == 11


def test_another_pace_changes_no_past(file: Path) -> None:
    """What was delivered stays so, and what is on its way keeps its time."""
    with Sandbox(state=file, starts_at=NOON, delivery_seconds=10) as sandbox, calling(sandbox) as call:
        call.send(ANA)
        sandbox.advance(10)
        call.send(LUIS)
    with Sandbox(state=file, starts_at=NOON, delivery_seconds=1000) as sandbox, calling(sandbox) as call:
        call.send(EVA)
        assert [text.status for text in sandbox.texts] == [11, 2, 2]
        sandbox.advance(10)
        assert [text.status for text in sandbox.texts] == [11, 11, 2]


def test_callbacks_go_on_where_they_were(file: Path) -> None:
    """What a webhook was not told is told after the restart, and what it was told is not told again."""

    def run(first: bool = False, seconds: float = 0) -> list[Any]:
        with Sandbox(state=file, starts_at=NOON, delivery_seconds=60) as sandbox:
            callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))
            before = len(callbacks.posts)
            if first:
                sandbox.set_outcome(LUIS, 50)
                with calling(sandbox) as call:
                    call.send(ANA, LUIS)
                    call.send(EVA, Report=0)
                    call.send(EVA, Fecha="2027-01-08 13:00")
            sandbox.advance(seconds)
            assert callbacks.wait(10)
            assert all(post.ended for post in callbacks.posts)
            return [(one.fields["Movil"], one.fields["Resultado"]) for one in callbacks.posts[before:]]

    assert sorted(run(first=True)) == [(ANA, 2), (LUIS, 2), (EVA, 1)]
    assert run() == []
    assert run(seconds=60) == [(ANA, 11), (LUIS, 50)]
    assert run(seconds=3600) == [(EVA, 2), (EVA, 11)]
    assert run(seconds=10**6) == []


def test_callbacks_that_were_not_taken_are_posted_again(file: Path) -> None:
    """A webhook that was down while the sandbox stopped gets them when both are back."""
    with Sandbox(state=file, starts_at=NOON) as sandbox, calling(sandbox) as call:
        callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=50, retry_seconds=30))
        call.send(ANA)
        assert not callbacks.wait(0.3)
    with Sandbox(state=file, starts_at=NOON) as sandbox:
        callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))
        assert callbacks.wait(10)
        (post,) = callbacks.posts
        assert (post.fields["Resultado"], post.ended, post.taken) == (2, True, False)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_nothing_answered_is_lost_to_a_kill(file: Path) -> None:
    """Three threads send until the command is killed: every answered text is there afterwards, and is paid."""
    answered: dict[int, str] = {}
    enough = threading.Event()

    def send(base_url: str, first: int) -> None:
        with httpx.Client(base_url=base_url, auth=("demo", "demo-token"), verify=NO_TLS) as http:
            for phone in phones(10_000, first):
                try:
                    answered[Caller(http).send(phone)["idMensaje"]] = phone
                except (httpx.TransportError, ValueError):
                    return
                if len(answered) >= 60:
                    enough.set()

    program = "import sys; from mensatek_async.cli import main; sys.exit(main())"
    command = [sys.executable, "-uc", program, "sandbox", "--port", "0", "--state", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().split()[4]
        threads = [
            threading.Thread(target=send, args=(base_url, 34_600_000_000 + 10_000 * thread))
            for thread in range(3)
        ]
        for thread in threads:
            thread.start()
        was_enough = enough.wait(30)
        process.kill()
        for thread in threads:
            thread.join()

    assert was_enough
    with Sandbox(state=file) as sandbox:
        kept = {text.message_id: text.phone for text in sandbox.texts}
        assert answered.items() <= kept.items()
        assert len(kept) - len(answered) <= 3  # at most what was under way
        assert sandbox.used == len(kept) == 100_000 - sandbox.credits
        assert sandbox.counts.most_common(1)[0][1] == 1


def test_a_disk_that_fails_answers_nobody(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be kept is not said to be sent, then and from then on; what was answered before is there."""
    with Sandbox(state=file) as sandbox, calling(sandbox) as call:
        assert call.send(ANA)["Res"] == 1
        store = sandbox._provider.state
        assert isinstance(store, Store)
        store.select("PRAGMA max_page_count = 1")  # no room for another page
        text = "".join(f"{number:06}" for number in range(20_000))
        long = {"Remitente": "M", "Destinatarios": [{"Movil": LUIS}], "Mensaje": text}
        assert call.post("EnviarSMS", long).status_code == call.post("GetCreditos").status_code == 500
        with pytest.raises(OSError, match="state"):
            sandbox.reply(ANA, "hola")
        assert "cannot be written" in caplog.text
    assert Sandbox(state=file).counts == {ANA: 1}
