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
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.settings import state_folder
from mensatek_async.sync.generated._campaign import SyncCampaign
from tests.command_line import COMMAND, Command, Said
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

CLINIC = Path(__file__).parents[2] / "docs" / "examples" / "clinic-appointments.csv"
TEXT = "Hola {Nombre}, le recordamos su cita el {Fecha} a las {Hora} en {Centro}."
HOLA = ("--text", "Hola {name}", "--yes")
REPORT = ("--report", "r.csv")
Bulk = Callable[..., Said]


@pytest.fixture
def bulk(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bulk:
    """The command, in a folder where people.csv has 1,200 good rows: more than two full requests."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"n{number};6000{number:05}\n" for number in range(1200))
    Path("people.csv").write_text(f"name;phone\n{rows}")
    return lambda *arguments, **stdin: command("bulk", *arguments, **stdin)


def report() -> dict[int, dict[str, str]]:
    with open("r.csv", encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    rows = {int(line["row"]): line for line in lines}
    assert len(rows) == len(lines), "a row has two lines"
    return rows


def statuses() -> Counter[str]:
    return Counter(line["outcome"] for line in report().values())


def everybody_once(sandbox: Sandbox, times: int = 1) -> bool:
    return len(sandbox.counts) == 1200 and set(sandbox.counts.values()) == {times}


# --- the main job ------------------------------------------------------------------------------------------


def test_the_main_job(bulk: Bulk) -> None:
    """5,000 appointments through the embedded sandbox, no account, no question, broken rows named."""
    said = bulk(CLINIC, "--text", TEXT, "--sender", "CLINICA", "--sandbox", *REPORT)

    assert said.code == 1
    assert "4,950 of 5,000 rows sent" in said.out
    assert "row 107: the phone is empty" in said.out
    assert said.out.count("\n  row ") == 50
    assert "Traceback" not in said.err
    assert statuses() == {"sent": 4950, "invalid": 50}
    assert sorted(report()) == list(range(2, 5002))


def test_a_program_reads_json(sandbox: Sandbox, bulk: Bulk) -> None:
    """One object on standard output and nothing else; nobody got two texts."""
    said = bulk("people.csv", *HOLA, "--json")

    assert said.code == said.json["exit_code"] == 0
    assert said.json["rows"] == said.json["accepted"] == said.json["credits_used"] == 1200
    assert said.json["problems"] == []
    assert everybody_once(sandbox)


def test_other_forms_of_recipients(bulk: Bulk) -> None:
    """JSON Lines from standard input, a pipe such as `<(command)` of a shell, and a spreadsheet."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Móvil", "n"])
    book.active.append([600000001, "Ana"])
    book.save("x.xlsx")
    lines = b'{"tel": 600000001, "n": "Ana"}\n{"tel": "600000002", "n": "Eva"}\n'
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_bytes, args=(lines,))
    writer.start()

    for recipients in ("-", "pipe", "x.xlsx"):
        assert bulk(recipients, "--text", "Hola {n}", "--sandbox", piped=lines).code == 0
    writer.join()


class _Failing(io.RawIOBase):
    """A pipe that fails."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["empty.csv"], "is empty."),
        (["a\0b"], "cannot be read"),
        (["people.csv", "--sheet", "1"], "--sheet is for Excel"),
        (["utf16.csv"], "mark.\nSave it as CSV UTF-8"),
        (["-"], "Input/output error"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_file_that_is_none_ends_the_command(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """With what is wrong on one line and what to do on the next."""
    Path("empty.csv").touch()
    Path("utf16.csv").write_bytes("nombre;tel\nAna;1\n".encode("utf-16-le"))
    monkeypatch.setattr("sys.stdin", type("In", (), {"buffer": _Failing()})())

    code, _, err = bulk(*arguments, "--text", "Hola", "--dry-run")
    assert code == 2
    assert said in err


def test_a_dry_run_sends_nothing(sandbox: Sandbox, bulk: Bulk) -> None:
    """It reads and checks everything, without an account."""
    said = bulk(CLINIC, "--text", TEXT, "--dry-run", "--json", *REPORT)

    assert said.code == 1
    assert said.json["ready"] == 4950
    assert said.json["invalid"] == said.json["problem_rows"] == 50
    assert len({problem["reason"] for problem in said.json["problems"]}) > 5
    assert 0 < said.json["unicode_rows"] < 50
    assert statuses() == {"ready": 4950, "invalid": 50}
    assert not sandbox.requests


# --- the question ------------------------------------------------------------------------------------------


def test_a_real_send_asks(sandbox: Sandbox, bulk: Bulk) -> None:
    """With the count, the texts, the credits it may cost and those there are."""
    sandbox.credits = Decimal(1000)
    said = bulk("people.csv", *HOLA[:2], typed="n\n")

    assert said.code == 1
    assert "Send 1,200 texts to 1,200 recipients?" in said.err
    assert "The account has 1,000. That may not be enough" in said.out
    assert "Nothing was sent." in said.err
    assert not sandbox.counts


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (" demo-token\n", 0, "Send 1,200 texts"),
        (EOFError(), 2, "MENSATEK_API_TOKEN not given"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was sent."),
    ],
)
def test_the_token_is_asked_for(
    sandbox: Sandbox,
    bulk: Bulk,
    monkeypatch: pytest.MonkeyPatch,
    typed: str | BaseException,
    code: int,
    said: str,
) -> None:
    """When nothing else gave it, and without showing it; without one nothing is sent."""

    def ask(prompt: str) -> str:
        if isinstance(typed, BaseException):
            raise typed
        return typed

    monkeypatch.delenv("MENSATEK_API_TOKEN")
    monkeypatch.setattr("getpass.getpass", ask)

    found = bulk("people.csv", *HOLA[:2], typed="y\n")
    assert found.code == code
    assert said in found.err
    assert len(sandbox.counts) == (0 if code else 1200)


def test_a_refused_account_is_known_before_the_question(sandbox: Sandbox, bulk: Bulk) -> None:
    """Asking for the credits shows it."""
    sandbox.token = "another"
    code, _, err = bulk("people.csv", *HOLA[:2], typed="y\n")

    assert code == 3
    assert "GetCreditos refused -1" in err


@pytest.mark.parametrize("recipients", ["people.csv", "-"])
def test_without_a_terminal_yes_is_needed(sandbox: Sandbox, bulk: Bulk, recipients: str) -> None:
    """A script must say that it means it; so must a file that comes by standard input."""
    code, _, err = bulk(recipients, "--text", "Hola", piped=Path("people.csv").read_bytes())

    assert code == 2
    assert "--yes" in err
    assert not sandbox.calls("EnviarSMS")


# --- trouble -----------------------------------------------------------------------------------------------


def test_wrong_credentials_send_nothing(
    sandbox: Sandbox, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, the token never shown; with the right one the same command sends."""
    monkeypatch.setenv("MENSATEK_API_TOKEN", "an-old-secret")
    code, out, err = bulk("people.csv", *HOLA, *REPORT)

    assert code == 3
    assert "the send stopped: " in err
    assert "1,200 not sent" in out
    assert "the same command again" in out
    assert "an-old-secret" not in out + err
    assert statuses() == {"pending": 1200}
    assert len(sandbox.requests) == 1

    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    assert bulk("people.csv", *HOLA, *REPORT).code == 0
    assert statuses() == {"sent": 1200}
    assert everybody_once(sandbox)


def test_no_credits_halfway_and_on(sandbox: Sandbox, bulk: Bulk) -> None:
    """The send stops and says so; the same command sends the rest: nobody twice, nobody left out."""
    sandbox.credits = Decimal(700)
    said = bulk("people.csv", *HOLA, "--json", *REPORT)

    assert said.code == 1
    sent = said.json["accepted"]
    assert 1 < sent <= 700
    assert (said.json["state"], said.json["reason"]) == ("paused", "no_credit")
    assert said.json["not_sent"] == 1200 - sent
    assert "the same command again" in said.err
    assert statuses() == {"sent": sent, "pending": 1200 - sent}

    sandbox.credits = Decimal(10_000)
    assert bulk("people.csv", *HOLA, "--json", *REPORT).code == 0
    assert everybody_once(sandbox)


def test_a_lost_first_answer_is_one_unknown(sandbox: Sandbox, bulk: Bulk) -> None:
    """It is not guessed: the row may have been sent."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS")
    code, out, _ = bulk("people.csv", *HOLA, *REPORT)

    assert code == 1
    assert "1 unknown: they may have been sent" in out
    assert "Perhaps sent:\n  row 2: " in out
    assert "mensatek campaign unknown bulk-" in out
    assert statuses() == {"sent": 1199, "unknown": 1}


def test_rows_the_provider_refuses(sandbox: Sandbox, bulk: Bulk) -> None:
    """The provider does not say which, so nobody pretends to know."""
    counts = {"Res": 498, "Mensajes": 498, "NoEnviados": 2, "CreditosUsados": 498}
    reply = json.dumps([{**counts, "Cred": "900", "idMensaje": 1}])
    sandbox.fault(Fault.reply(reply), operation="EnviarSMS", after=1)
    code, out, _ = bulk("people.csv", *HOLA, "--concurrency", "1", *REPORT)

    assert code == 1
    assert " refused: the provider found them repeated or not correct" in out
    assert "does not say which" in out
    assert statuses()["sent_or_rejected"] in (499, 500)  # of one request


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_send_knows_what_it_did(sandbox: Sandbox, bulk: Bulk, number: int) -> None:
    """Answers on their way are awaited, the report is written, and the same command sends the rest."""
    sandbox.latency = 0.5

    def interrupt() -> None:
        wait_until(lambda: sandbox.texts)
        os.kill(os.getpid(), number)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    code, out, err = bulk("people.csv", *HOLA, *REPORT, "--concurrency", "1")
    interrupting.join()

    assert code == 130
    assert "Interrupted." in err
    assert sorted(report()) == list(range(2, 1202))
    sent = {line["phone"] for line in report().values() if line["outcome"] == "sent"}
    assert len(sent) < 1200
    assert set(sandbox.counts) == sent
    assert "the same command again" in out

    sandbox.latency = 0
    assert bulk("people.csv", *HOLA, *REPORT).code == 0
    assert everybody_once(sandbox)


def test_interrupted_at_its_end_it_does_not_say_that_nothing_was_sent(
    sandbox: Sandbox, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything was, and the report takes a while."""

    def interrupted(self: SyncCampaign, path: str, **options: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(SyncCampaign, "export", interrupted)
    code, _, err = bulk("people.csv", *HOLA, *REPORT)
    assert code == 130
    assert "the same command again says what was sent" in err
    assert everybody_once(sandbox)


def test_a_file_that_breaks_on_the_way_is_told(
    sandbox: Sandbox, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
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
    said = bulk("people.csv", *HOLA, "--json")

    assert said.code != 0
    assert "Input/output error" in said.json["stopped"]
    assert said.json["accepted"] == len(sandbox.counts)
    assert bulk("people.csv", *HOLA, "--json").code == 0
    assert everybody_once(sandbox)


def test_a_report_that_cannot_be_written_is_told_before_anything_is_sent(
    sandbox: Sandbox, bulk: Bulk
) -> None:
    """Somebody's notes are not overwritten, and nobody is texted meanwhile."""
    Path("r.csv").write_text("my notes")

    for how in ("--yes", "--dry-run"):
        code, _, err = bulk("people.csv", "--text", "Hola", how, *REPORT)
        assert code == 2
        assert "no export" in err
    assert Path("r.csv").read_text() == "my notes"
    dry = ("people.csv", "--text", "Hola", "--dry-run")
    assert bulk(*dry, *REPORT, "--force").code == 0
    assert Path("r.csv").read_text().startswith("row,phone,outcome")
    assert bulk(*dry, "--report", "r.jsonl").code == 0
    assert json.loads(Path("r.jsonl").read_text().splitlines()[0])["outcome"] == "ready"
    for place in ("people.csv", "."):
        assert bulk("people.csv", *HOLA, "--report", place).code == 2
    assert not sandbox.counts
    assert bulk("people.csv", *HOLA, "--report", "r2.csv").code == 0


def test_broken_rows_are_counted_with_the_others(sandbox: Sandbox, bulk: Bulk) -> None:
    """Rows that are not even recipients, and rows whose phone is wrong; a gap in a text is pointed out."""
    Path("x.csv").write_text('name;phone\n"Ana;600000001\n;600000002\nx;y;z\nLuz;12\nPaz;600000002\n;\n')
    said = bulk("x.csv", *HOLA, "--json", *REPORT)

    assert said.code == 1
    assert (said.json["rows"], said.json["accepted"], said.json["invalid"]) == (5, 1, 4)
    assert [problem["row"] for problem in said.json["problems"]] == [2, 4, 5, 6]
    outcomes = [report()[row]["outcome"] for row in sorted(report())]
    assert outcomes == ["invalid", "sent", "invalid", "invalid", "invalid"]
    assert "Note: 1 row has an empty cell" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--text", "Hola {nombre}"], "no such column"),
        (["--text", "Hola {name"], "no partner"),
        (["--text", "".join(f"{{f{number}}}" for number in range(11))], "10 at most"),
        (["--text", " "], "empty"),
        (["--sender", "too long a sender"], "sender"),
        (["--at", "tomorrow"], "--at takes a date"),
        (["--at", "2001-01-08T10:00"], "has passed"),
        (["--at", "2027-03-28T02:30"], "clocks skip"),
        (["--at", "9999-12-31T23:59:59.999999"], "out of range"),
        (["--rows", "all\x1b[2J"], "--rows takes rows such as 2-500,700,1022- and not all?[2J"),
        (["--rows", "9-2"], "ends before"),
        (["--rows", "90000-"], "no rows 90000-"),
        (["--phone", "nobody"], "no column nobody"),
        (["--concurrency", "0"], "--concurrency takes"),
        (["--per-second", "0"], "--per-second"),
        (["--user", "someone"], "--sandbox brings its own account"),
        (["--report", "/nonexistent/r.csv"], "cannot be written"),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(bulk: Bulk, arguments: list[str], told: str) -> None:
    """One or two lines, exit code 2, no traceback."""
    text = () if "--text" in arguments else ("--text", "x")
    code, out, err = bulk("people.csv", *text, *arguments, "--sandbox")

    assert code == 2
    assert told in err
    assert len(err.splitlines()) <= 2
    assert "sent in" not in out


# --- the journal -------------------------------------------------------------------------------------------


def test_what_was_sent_is_not_sent_again_by_itself(sandbox: Sandbox, bulk: Bulk) -> None:
    """The same command says so and wants --again, with --yes, without it, and on a terminal; so does a copy's."""
    Path("copy.csv").write_bytes(Path("people.csv").read_bytes())
    command = (*HOLA[:2], "--sender", "ACME")
    assert bulk("people.csv", *command, "--yes").code == 0
    for more in ((), ("--yes",), ("--yes", "--json"), ("--concurrency", "1", "--price", "2")):
        code, _, err = bulk("people.csv", *command, *more)
        assert code == 2
        assert "--again" in err
    assert bulk("people.csv", *command, typed="y\n").code == 2
    assert bulk("copy.csv", *command, "--yes").code == 2
    assert everybody_once(sandbox)

    assert bulk("people.csv", *command, "--yes", "--again").code == 0
    assert everybody_once(sandbox, times=2)
    assert bulk("people.csv", *command, "--yes").code == 2
    assert bulk("people.csv", *command, "--yes", "--dry-run").code == 0
    assert everybody_once(sandbox, times=2)


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
def test_another_send_is_another_campaign(sandbox: Sandbox, bulk: Bulk, other: tuple[str, str]) -> None:
    """Whatever decides what is sent to whom makes it another one."""
    assert bulk("people.csv", *HOLA).code == 0
    text = () if other[0] == "--text" else HOLA[:2]
    assert bulk("people.csv", *text, *other, "--yes").code == 0
    assert max(sandbox.counts.values()) == 2


def test_killed_and_given_again(sandbox: Sandbox, bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on where it stopped, also one that was asked for again: nobody is texted twice by it, nobody left out."""
    monkeypatch.setenv("MENSATEK_SENDER", environment(sandbox)["MENSATEK_SENDER"])
    for times, more in ((1, ()), (2, ("--again",))):
        words = ("people.csv", *HOLA, "--concurrency", "1", *more)
        sandbox.fault(Fault.latency(0.15), operation="EnviarSMS", times=None)
        enough = 1200 * (times - 1) + 400
        with subprocess.Popen(
            [*COMMAND, "bulk", *words], stderr=subprocess.PIPE, env=environment(sandbox)
        ) as one:
            wait_until(lambda: sum(sandbox.counts.values()) >= enough)  # noqa: B023
            one.kill()
        assert sum(sandbox.counts.values()) < 1200 * times
        sandbox.clear_faults()
        assert bulk(*words).code == 0
        assert everybody_once(sandbox, times)


def test_standard_input_is_in_the_journal_before_anything_leaves(
    sandbox: Sandbox, bulk: Bulk, command: Command
) -> None:
    """What was not sent goes on from the journal alone; a name of one's own finds it as well."""
    sandbox.credits = Decimal(600)
    people = Path("people.csv").read_bytes()
    said = bulk("-", *HOLA, "--name", "lunes", "--json", piped=people)
    assert said.code == 1
    assert (said.json["name"], said.json["rows"]) == ("lunes", 1200)
    other = bulk("people.csv", "--text", "Adios", "--yes", "--name", "lunes")
    assert (other.code, "another name" in other.err) == (2, True)  # half of each would be nobody's wish
    sandbox.credits = Decimal(10_000)
    assert command("campaign", "resume", "lunes", "--store", state_folder() / "bulk.db").code == 0
    assert everybody_once(sandbox)
    code, _, err = bulk("-", *HOLA, "--name", "lunes", piped=people)
    assert code == 2
    assert "--again" in err


def test_the_journal_is_private_and_forgets(sandbox: Sandbox, bulk: Bulk) -> None:
    """In the user's state directory, for its owner alone; after --keep days phones and texts are gone, not its end."""
    secret = ("--text", "Hola {name}, clave 4711", "--yes")
    store = state_folder() / "bulk.db"

    def everything() -> bytes:
        with closing(sqlite3.connect(store)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return b"".join(one.read_bytes() for one in store.parent.iterdir())

    assert bulk("people.csv", *secret).code == 0
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700
    assert b"clave 4711" in everything()

    assert bulk("people.csv", "--text", "x", "--yes", "--keep", "0").code == 0
    assert b"clave 4711" not in everything()
    assert bulk("people.csv", *secret).code == 2
    assert everybody_once(sandbox, times=2)


def test_a_provider_out_of_reach_is_given_up(
    sandbox: Sandbox, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command in a script does not wait for ever; given again it goes on."""
    monkeypatch.setattr("mensatek_async.cli.bulk._PATIENCE", 0.5)
    monkeypatch.setenv("MENSATEK_BASE_URL", "http://127.0.0.1:9/v7")
    code, out, err = bulk("people.csv", *HOLA)
    assert code == 1
    assert "the provider could not be reached" in err
    assert "the same command again" in out


def test_a_rehearsal_leaves_nothing(bulk: Bulk) -> None:
    """The sandbox of a run is gone with it, and so is its journal: README's first command can be given again."""
    for _ in range(2):
        code, out, _ = bulk("people.csv", "--text", "Hola {name}", "--sandbox")
        assert code == 0
        assert "1,200 of 1,200 rows sent" in out
    assert not (state_folder() / "bulk.db").exists()


def test_a_state_directory_that_cannot_be(sandbox: Sandbox, bulk: Bulk) -> None:
    """One line of what is wrong, one of what to do; with --store it goes."""
    Path("state").write_text("a file")
    code, _, err = bulk("people.csv", *HOLA)
    assert code == 2
    assert "--store" in err
    assert bulk("people.csv", *HOLA, "--store", "mine.db").code == 0
    assert bulk("people.csv", *HOLA, "--store", ".").code == 2
