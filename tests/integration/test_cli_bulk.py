"""`mensatek bulk` from a file to the sandbox: whatever happens, every row is accounted for."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.cli.app import run
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.settings import state_folder
from tests.sync.child import environment

MAIN = "from mensatek_async.cli import main; raise SystemExit(main())"
CLINIC = Path(__file__).parents[2] / "docs" / "examples" / "clinic-appointments.csv"
TEXT = "Hola {Nombre}, le recordamos su cita el {Fecha} a las {Hora} en {Centro}."


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """1,200 good rows: more than two full requests."""
    path = tmp_path / "people.csv"
    path.write_text("name;phone\n" + "".join(f"n{number};6000{number:05}\n" for number in range(1200)))
    return path


def bulk(*arguments: str | Path) -> int:
    return run(["bulk", *map(str, arguments)])


def report(path: Path) -> dict[int, dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    rows = {int(line["row"]): line for line in lines}
    assert len(rows) == len(lines), "a row has two lines"
    return rows


def statuses(path: Path) -> Counter[str]:
    return Counter(line["outcome"] for line in report(path).values())


# --- the main job ------------------------------------------------------------------------------------------


def test_the_main_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """5,000 appointments through the embedded sandbox, no account, no question, broken rows named."""
    code = bulk(CLINIC, "--text", TEXT, "--sender", "CLINICA", "--sandbox", "--report", tmp_path / "r.csv")

    shown = capsys.readouterr()
    assert code == 1
    assert "4,950 of 5,000 rows sent" in shown.out
    assert "row 107: the phone is empty" in shown.out
    assert shown.out.count("\n  row ") == 50
    assert "Traceback" not in shown.err
    assert statuses(tmp_path / "r.csv") == {"sent": 4950, "invalid": 50}
    assert sorted(report(tmp_path / "r.csv")) == list(range(2, 5002))


def test_a_program_reads_json(sandbox: Sandbox, people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object on standard output and nothing else; nobody got two texts."""
    code = bulk(people, "--text", "Hola {name}", "--yes", "--json")

    answer = json.loads(capsys.readouterr().out)
    assert code == answer["exit_code"] == 0
    assert answer["rows"] == answer["accepted"] == 1200
    assert answer["credits_used"] == 1200
    assert answer["problems"] == []
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200


def test_other_forms_of_recipients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON Lines from standard input, a pipe such as `<(command)` of a shell, and a spreadsheet."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Móvil", "n"])
    book.active.append([600000001, "Ana"])
    book.save(tmp_path / "x.xlsx")
    lines = b'{"tel": 600000001, "n": "Ana"}\n{"tel": "600000002", "n": "Eva"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(lines,))
    writer.start()

    for recipients in ("-", tmp_path / "pipe", tmp_path / "x.xlsx"):
        assert bulk(recipients, "--text", "Hola {n}", "--sandbox") == 0
    writer.join()


class _Failing(io.RawIOBase):
    """A pipe that fails."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise OSError(5, "Input/output error")


def test_a_file_that_is_none_ends_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what is wrong on one line and what to do on the next."""
    (tmp_path / "e.csv").touch()
    (tmp_path / "good.csv").write_text("phone\n600000001\n")
    (tmp_path / "u.csv").write_bytes("nombre;tel\nAna;1\n".encode("utf-16-le"))
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": _Failing()})())
    for arguments, said in (
        ((tmp_path / "e.csv",), "is empty."),
        (("a\0b",), "cannot be read"),
        ((tmp_path / "good.csv", "--sheet", "1"), "--sheet is for Excel"),
        ((tmp_path / "u.csv",), "mark.\nSave it as CSV UTF-8"),
        (("-",), "Input/output error"),
    ):
        assert bulk(*arguments, "--text", "Hola", "--dry-run") == 2
        assert said in capsys.readouterr().err


def test_a_dry_run_sends_nothing(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads and checks everything, without an account."""
    code = bulk(CLINIC, "--text", TEXT, "--dry-run", "--json", "--report", tmp_path / "r.csv")

    answer = json.loads(capsys.readouterr().out)
    assert code == 1
    assert answer["ready"] == 4950
    assert answer["invalid"] == answer["problem_rows"] == 50
    assert statuses(tmp_path / "r.csv") == {"ready": 4950, "invalid": 50}
    assert not sandbox.requests


# --- the question ------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_real_send_asks(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the count, the texts, the credits it may cost and those there are."""
    sandbox.credits = Decimal(1000)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))

    assert bulk(people, "--text", "Hola {name}") == 1

    shown = capsys.readouterr()
    assert "Send 1,200 texts to 1,200 recipients?" in shown.err
    assert "The account has 1,000. That may not be enough" in shown.out
    assert "Nothing was sent." in shown.err
    assert not sandbox.counts


@pytest.mark.parametrize(
    ("typed", "code"), [(" demo-token\n", 0), (EOFError(), 2), (KeyboardInterrupt(), 130)]
)
def test_the_token_is_asked_for(
    sandbox: Sandbox,
    people: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str | BaseException,
    code: int,
) -> None:
    """When nothing else gave it, and without showing it; without one nothing is sent."""

    def ask(prompt: str) -> str:
        if isinstance(typed, BaseException):
            raise typed
        return typed

    monkeypatch.delenv("MENSATEK_API_TOKEN")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    monkeypatch.setattr("getpass.getpass", ask)

    assert bulk(people, "--text", "Hola {name}") == code
    said = {0: "Send 1,200 texts", 2: "MENSATEK_API_TOKEN not given", 130: "interrupted; nothing was sent."}
    assert said[code] in capsys.readouterr().err
    assert len(sandbox.counts) == (0 if code else 1200)


def test_a_refused_account_is_known_before_the_question(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asking for the credits shows it."""
    sandbox.token = "another"
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))

    assert bulk(people, "--text", "Hola {name}") == 3
    assert "GetCreditos refused -1" in capsys.readouterr().err


@pytest.mark.parametrize("recipients", ["people", "-"])
def test_without_a_terminal_yes_is_needed(
    sandbox: Sandbox,
    people: Path,
    recipients: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A script must say that it means it; so must a file that comes by standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(people.read_bytes())))

    assert bulk(people if recipients == "people" else "-", "--text", "Hola") == 2
    assert "--yes" in capsys.readouterr().err
    assert not sandbox.calls("EnviarSMS")


# --- trouble -----------------------------------------------------------------------------------------------


def test_wrong_credentials_send_nothing(
    sandbox: Sandbox,
    people: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 3, the token never shown; with the right one the same command sends."""
    monkeypatch.setenv("MENSATEK_API_TOKEN", "an-old-secret")
    command = (people, "--text", "Hola {name}", "--yes", "--report", tmp_path / "r.csv")

    assert bulk(*command) == 3

    shown = capsys.readouterr()
    assert "the send stopped: " in shown.err
    assert "1,200 not sent" in shown.out
    assert "the same command again" in shown.out
    assert "an-old-secret" not in shown.out + shown.err
    assert statuses(tmp_path / "r.csv") == {"pending": 1200}
    assert len(sandbox.requests) == 1

    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    assert bulk(*command) == 0
    assert statuses(tmp_path / "r.csv") == {"sent": 1200}
    assert set(sandbox.counts.values()) == {1}


def test_no_credits_halfway_and_on(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The send stops and says so; the same command sends the rest: nobody twice, nobody left out."""
    sandbox.credits = Decimal(700)
    command = (people, "--text", "Hola {name}", "--yes", "--json", "--report", tmp_path / "r.csv")

    assert bulk(*command) == 1

    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    sent = answer["accepted"]
    assert 1 < sent <= 700
    assert (answer["state"], answer["reason"]) == ("paused", "no_credit")
    assert answer["not_sent"] == 1200 - sent
    assert "the same command again" in shown.err
    assert statuses(tmp_path / "r.csv") == {"sent": sent, "pending": 1200 - sent}

    sandbox.credits = Decimal(10_000)
    assert bulk(*command) == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200


def test_a_lost_first_answer_is_one_unknown(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not guessed: the row may have been sent."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS")

    assert bulk(people, "--text", "Hola {name}", "--yes", "--report", tmp_path / "r.csv") == 1

    shown = capsys.readouterr().out
    assert "1 unknown: they may have been sent" in shown
    assert "Perhaps sent:\n  row 2: " in shown
    assert "mensatek campaign unknown bulk-" in shown
    assert statuses(tmp_path / "r.csv") == {"sent": 1199, "unknown": 1}


def test_rows_the_provider_refuses(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The provider does not say which, so nobody pretends to know."""
    reply = {
        "Res": 498,
        "Mensajes": 498,
        "NoEnviados": 2,
        "Cred": "900",
        "idMensaje": 1,
        "CreditosUsados": 498,
    }
    sandbox.fault(Fault.reply(json.dumps([reply])), operation="EnviarSMS", after=1)

    assert (
        bulk(people, "--text", "Hola {name}", "--yes", "--concurrency", "1", "--report", tmp_path / "r.csv")
        == 1
    )

    shown = capsys.readouterr().out
    assert " refused: the provider found them repeated or not correct" in shown
    assert "does not say which" in shown
    assert statuses(tmp_path / "r.csv")["sent_or_rejected"] in (499, 500)  # of one request


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_send_knows_what_it_did(
    sandbox: Sandbox,
    people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    number: int,
) -> None:
    """Answers on their way are awaited, the report is written, and the same command sends the rest."""
    sandbox.latency = 0.5
    timer = threading.Timer(0.9, os.kill, (os.getpid(), number))
    timer.start()
    command = (people, "--text", "Hola {name}", "--yes", "--report", tmp_path / "r.csv")

    code = bulk(*command, "--concurrency", "1")

    timer.join()
    shown = capsys.readouterr()
    assert code == 130
    assert "Interrupted." in shown.err
    lines = report(tmp_path / "r.csv")
    assert sorted(lines) == list(range(2, 1202))
    sent = {line["phone"] for line in lines.values() if line["outcome"] == "sent"}
    assert len(sent) < 1200
    assert set(sandbox.counts) == sent
    assert "the same command again" in shown.out

    sandbox.latency = 0
    assert bulk(*command) == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200


def test_a_file_that_breaks_on_the_way_is_told(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was read well once, and the disk fails the second time; once it works, the rest goes."""
    from mensatek_async.sources.csv_table import CsvTable

    real, readings = CsvTable.rows, []

    def failing(self: CsvTable) -> Any:
        readings.append(self)
        for number, item in enumerate(real(self)):
            if len(readings) == 2 and number > 700:
                raise OSError(5, "Input/output error")
            yield item

    monkeypatch.setattr(CsvTable, "rows", failing)

    assert bulk(people, "--text", "Hola {name}", "--yes", "--json") != 0

    answer = json.loads(capsys.readouterr().out)
    assert "Input/output error" in answer["stopped"]
    assert answer["accepted"] == len(sandbox.counts)
    assert bulk(people, "--text", "Hola {name}", "--yes", "--json") == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200


def test_a_report_that_cannot_be_written_is_told_before_anything_is_sent(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody's notes are not overwritten, and nobody is texted meanwhile."""
    (tmp_path / "r.csv").write_text("my notes")

    assert bulk(people, "--text", "Hola", "--yes", "--report", tmp_path / "r.csv") == 2
    assert "no export" in capsys.readouterr().err
    assert bulk(people, "--text", "Hola", "--dry-run", "--report", tmp_path / "r.csv") == 2
    assert (tmp_path / "r.csv").read_text() == "my notes"
    assert bulk(people, "--text", "Hola", "--dry-run", "--force", "--report", tmp_path / "r.csv") == 0
    assert (tmp_path / "r.csv").read_text().startswith("row,phone,outcome")
    assert bulk(people, "--text", "Hola", "--dry-run", "--report", tmp_path / "r.jsonl") == 0
    assert json.loads((tmp_path / "r.jsonl").read_text().splitlines()[0])["outcome"] == "ready"
    assert not sandbox.counts
    assert bulk(people, "--text", "Hola", "--yes", "--report", people) == 2
    assert bulk(people, "--text", "Hola", "--yes", "--report", tmp_path) == 2
    assert bulk(people, "--text", "Hola", "--yes", "--report", tmp_path / "r2.csv") == 0


def test_broken_rows_are_counted_with_the_others(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that are not even recipients, and rows whose phone is wrong."""
    path = tmp_path / "x.csv"
    path.write_text('name;phone\n"Ana;600000001\nEva;600000002\nx;y;z\nLuz;12\nPaz;600000002\n;\n')

    assert bulk(path, "--text", "Hola {name}", "--yes", "--json", "--report", tmp_path / "r.csv") == 1

    answer = json.loads(capsys.readouterr().out)
    assert (answer["rows"], answer["accepted"], answer["invalid"]) == (5, 1, 4)
    assert [problem["row"] for problem in answer["problems"]] == [2, 4, 5, 6]
    lines = report(tmp_path / "r.csv")
    assert [lines[row]["outcome"] for row in sorted(lines)] == [
        "invalid",
        "sent",
        "invalid",
        "invalid",
        "invalid",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--text", "Hola {nombre}"], "no such column"),
        (["--text", "Hola {name"], "no partner"),
        (["--text", "".join(f"{{f{number}}}" for number in range(11))], "10 at most"),
        (["--text", " "], "empty"),
        (["--text", "x", "--sender", "too long a sender"], "sender"),
        (["--text", "x", "--at", "tomorrow"], "--at takes a date"),
        (["--text", "x", "--at", "2027-01-08"], "--at takes a date"),
        (["--text", "x", "--at", "2001-01-08T10:00"], "has passed"),
        (["--text", "x", "--at", "2027-03-28T02:30"], "clocks skip"),
        (["--text", "x", "--at", "9999-12-31T23:59:59.999999"], "out of range"),
        (
            ["--text", "x", "--rows", "all\x1b[2J"],
            "--rows takes rows such as 2-500,700,1022- and not all?[2J",
        ),
        (["--text", "x", "--rows", "9-2"], "ends before"),
        (["--text", "x", "--rows", "90000-"], "no rows 90000-"),
        (["--text", "x", "--phone", "nobody"], "no column nobody"),
        (["--text", "x", "--concurrency", "0"], "--concurrency takes"),
        (["--text", "x", "--per-second", "0"], "--per-second"),
        (["--text", "x", "--user", "someone"], "--sandbox brings its own account"),
        (["--text", "x", "--report", "/nonexistent/r.csv"], "cannot be written"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(
    people: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One or two lines, exit code 2, no traceback."""
    assert bulk(people, *arguments, "--sandbox") == 2

    shown = capsys.readouterr()
    assert told in shown.err
    assert len(shown.err.splitlines()) <= 2
    assert "sent in" not in shown.out


def test_empty_cells_are_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A text with a gap is sent as asked, but nobody should find out from the recipients."""
    people = tmp_path / "people.csv"
    people.write_text("phone;name\n600000001;Ana\n600000002;\n", encoding="utf-8")

    assert bulk(people, "--text", "Hola {name}.", "--sandbox") == 0
    assert "Note: 1 row has an empty cell" in capsys.readouterr().out


# --- the journal -------------------------------------------------------------------------------------------


def journal(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mensatek" / "bulk.db"


def test_what_was_sent_is_not_sent_again_by_itself(
    sandbox: Sandbox,
    people: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same command says so and wants --again, with --yes, without it, and on a terminal."""
    command = (people, "--text", "Hola {name}", "--sender", "ACME")
    assert bulk(*command, "--yes") == 0
    for more in ((), ("--yes",), ("--yes", "--json"), ("--concurrency", "1", "--price", "2")):
        assert bulk(*command, *more) == 2
        assert "--again" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert bulk(*command) == 2
    copy = tmp_path / "copy.csv"
    copy.write_bytes(people.read_bytes())
    assert bulk(copy, *command[1:], "--yes") == 2
    assert set(sandbox.counts.values()) == {1}

    assert bulk(*command, "--yes", "--again") == 0
    assert set(sandbox.counts.values()) == {2}
    assert bulk(*command, "--yes") == 2
    assert bulk(*command, "--yes", "--dry-run") == 0
    assert set(sandbox.counts.values()) == {2}


@pytest.mark.parametrize(
    "other",
    [
        ("--text", "Adios {name}"),
        ("--sender", "OTHER"),
        ("--reference", "r2"),
        ("--at", "2099-01-08 10:00"),
        ("--rows", "2-11"),
        ("--encoding-text", "unicode"),
        ("--phone", "2"),
        ("--name", "another"),
    ],
)
def test_another_send_is_another_campaign(sandbox: Sandbox, people: Path, other: tuple[str, str]) -> None:
    """Whatever decides what is sent to whom makes it another one."""
    assert bulk(people, "--text", "Hola {name}", "--yes") == 0
    text = () if other[0] == "--text" else ("--text", "Hola {name}")
    assert bulk(people, *text, *other, "--yes") == 0
    assert max(sandbox.counts.values()) == 2


def test_killed_and_given_again(sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on where it stopped, also one that was asked for again: nobody is texted twice by it, nobody left out."""
    monkeypatch.setenv("MENSATEK_SENDER", environment(sandbox)["MENSATEK_SENDER"])
    for times, more in ((1, ()), (2, ("--again",))):
        sandbox.fault(Fault.latency(0.15), operation="EnviarSMS", times=None)
        words = ("bulk", str(people), "--text", "Hola {name}", "--yes", "--concurrency", "1", *more)
        with subprocess.Popen(
            [sys.executable, "-c", MAIN, *words], stderr=subprocess.PIPE, env=environment(sandbox)
        ) as one:
            limit = time.monotonic() + 25
            while sum(sandbox.counts.values()) < 1200 * (times - 1) + 400 and time.monotonic() < limit:
                time.sleep(0.01)
            one.kill()
        assert sum(sandbox.counts.values()) < 1200 * times
        sandbox.clear_faults()
        assert run([*words]) == 0
        assert set(sandbox.counts.values()) == {times}
        assert len(sandbox.counts) == 1200


def test_standard_input_is_in_the_journal_before_anything_leaves(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not sent goes on from the journal alone; a name of one's own finds it as well."""
    sandbox.credits = Decimal(600)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(people.read_bytes())))
    assert bulk("-", "--text", "Hola {name}", "--yes", "--name", "lunes", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["name"], answer["rows"]) == ("lunes", 1200)
    sandbox.credits = Decimal(10_000)
    store = str(state_folder() / "bulk.db")
    assert run(["campaign", "resume", "lunes", "--store", store]) == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(people.read_bytes())))
    assert bulk("-", "--text", "Hola {name}", "--yes", "--name", "lunes") == 2
    assert "--again" in capsys.readouterr().err


def test_a_name_with_other_content_is_refused_while_it_runs(
    sandbox: Sandbox, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the one text and half of the other would be nobody's wish."""
    sandbox.credits = Decimal(600)
    assert bulk(people, "--text", "Hola {name}", "--yes", "--name", "lunes") == 1
    assert bulk(people, "--text", "Adios", "--yes", "--name", "lunes") == 2
    assert "another name" in capsys.readouterr().err


def test_the_journal_is_private_and_forgets(sandbox: Sandbox, people: Path, tmp_path: Path) -> None:
    """In the user's state directory, for its owner alone; after --keep days phones and texts are gone, not its end."""
    assert bulk(people, "--text", "Hola {name}, clave 4711", "--yes") == 0
    store = journal(tmp_path)
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700
    everything = b"".join(one.read_bytes() for one in store.parent.iterdir())
    assert b"clave 4711" in everything

    assert bulk(people, "--text", "x", "--yes", "--keep", "0") == 0
    with closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    everything = b"".join(one.read_bytes() for one in store.parent.iterdir())
    assert b"clave 4711" not in everything
    assert bulk(people, "--text", "Hola {name}, clave 4711", "--yes") == 2
    assert set(sandbox.counts.values()) == {2}


def test_a_provider_out_of_reach_is_given_up(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command in a script does not wait for ever; given again it goes on."""
    monkeypatch.setattr("mensatek_async.cli.bulk._PATIENCE", 0.5)
    monkeypatch.setenv("MENSATEK_BASE_URL", "http://127.0.0.1:9/v7")
    assert bulk(people, "--text", "Hola {name}", "--yes") == 1
    shown = capsys.readouterr()
    assert "the provider could not be reached" in shown.err
    assert "the same command again" in shown.out


def test_a_rehearsal_leaves_nothing(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sandbox of a run is gone with it, and so is its journal: README's first command can be given again."""
    for _ in range(2):
        assert bulk(people, "--text", "Hola {name}", "--sandbox") == 0
        assert "1,200 of 1,200 rows sent" in capsys.readouterr().out
    assert not journal(tmp_path).exists()


def test_a_state_directory_that_cannot_be(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of what is wrong, one of what to do; with --store it goes."""
    (tmp_path / "state").write_text("a file")
    command = (people, "--text", "Hola {name}", "--yes")
    assert bulk(*command) == 2
    assert "--store" in capsys.readouterr().err
    assert bulk(*command, "--store", tmp_path / "mine.db") == 0
    assert bulk(*command, "--store", tmp_path) == 2
