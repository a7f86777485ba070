"""`mensatek bulk` from a file to the sandbox: whatever happens, every row is accounted for."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.cli.app import run
from mensatek_async.sandbox import Fault, Sandbox

CLINIC = Path(__file__).parents[2] / "docs" / "examples" / "clinic-appointments.csv"
TEXT = "Hola {Nombre}, le recordamos su cita el {Fecha} a las {Hora} en {Centro}."


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as running:
        monkeypatch.setenv("MENSATEK_BASE_URL", running.base_url)
        monkeypatch.setenv("MENSATEK_API_USER", running.user)
        monkeypatch.setenv("MENSATEK_API_TOKEN", running.token)
        yield running


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
    return Counter(line["status"] for line in report(path).values())


# --- the main job ------------------------------------------------------------------------------------------


def test_the_main_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """5,000 appointments through the embedded sandbox, no account, no question, broken rows named."""
    code = bulk(CLINIC, "--text", TEXT, "--sender", "CLINICA", "--sandbox", "--report", tmp_path / "r.csv")

    shown = capsys.readouterr()
    assert code == 1
    assert "4,950 of 5,000 rows sent" in shown.out
    assert "row 107: the phone is empty" in shown.out
    assert shown.out.count("\n  row ") == 50
    assert "4,950 of 5,000 sent, 0 refused, 50 invalid" in shown.err
    assert "Traceback" not in shown.err
    assert statuses(tmp_path / "r.csv") == {"accepted": 4950, "invalid": 50}
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
    """JSON Lines from standard input, and a spreadsheet."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Móvil", "n"])
    book.active.append([600000001, "Ana"])
    book.save(tmp_path / "x.xlsx")
    lines = b'{"tel": 600000001, "n": "Ana"}\n{"tel": "600000002", "n": "Eva"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))

    assert bulk("-", "--text", "Hola {n}", "--sandbox") == 0
    assert bulk(tmp_path / "x.xlsx", "--text", "Hola {n}", "--sandbox") == 0


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


def test_a_dry_run_of_good_rows_is_good(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to complain about."""
    assert bulk(people, "--text", "Hola 😀 {name}" + "x" * 70, "--dry-run", "--price", "2.5") == 0

    shown = capsys.readouterr().out
    assert "Texts: 2,400 (Unicode; up to 2 a recipient)." in shown
    assert "6,000 estimated, at 2.5 credits a text" in shown


def test_a_scheduled_send_leaves_later(sandbox: Sandbox, people: Path) -> None:
    """--at without an offset is Spanish time."""
    assert bulk(people, "--text", "Hola", "--yes", "--at", "2099-01-08T10:00", "--sender", "CLINICA") == 0

    sent = sandbox.calls("EnviarSMS")[0].params
    assert sent["Fecha"] == "2099-01-08 10:00"
    assert sent["Remitente"] == "CLINICA"


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


def test_yes_sends(sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the question."""
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))

    assert bulk(people, "--text", "Hola {name}") == 0
    assert len(sandbox.counts) == 1200


def test_the_token_is_asked_for(sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing else gave it, and without showing it."""
    monkeypatch.delenv("MENSATEK_API_TOKEN")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: f" {sandbox.token}\n")

    assert bulk(people, "--text", "Hola {name}") == 0


def test_no_token_is_wrong_use(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody typed one."""

    def nothing(prompt: str) -> str:
        raise EOFError

    monkeypatch.delenv("MENSATEK_API_TOKEN")
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    monkeypatch.setattr("getpass.getpass", nothing)

    assert bulk(people, "--text", "Hola {name}") == 2
    assert "MENSATEK_API_TOKEN not given" in capsys.readouterr().err


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
    people: Path, recipients: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script must say that it means it; so must a file that comes by standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO() if recipients == "people" else Terminal())

    assert bulk(people if recipients == "people" else "-", "--text", "Hola") == 2
    assert "--yes" in capsys.readouterr().err


# --- trouble -----------------------------------------------------------------------------------------------


def test_wrong_credentials_send_nothing(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, every row named, the token never shown."""
    sandbox.token = "the-new-secret"

    assert bulk(people, "--text", "Hola {name}", "--yes", "--report", tmp_path / "r.csv") == 3

    shown = capsys.readouterr()
    assert "rows 2 to 1201" in shown.out
    assert "refused" in shown.err
    assert "demo-token" not in shown.out + shown.err
    assert statuses(tmp_path / "r.csv") == {"not sent": 1200}
    assert len(sandbox.requests) == 1


def test_no_credits_halfway_and_on(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The send stops, says where, and --rows sends the rest: nobody twice, nobody left out."""
    sandbox.credits = Decimal(700)

    code = bulk(people, "--text", "Hola {name}", "--yes", "--json", "--report", tmp_path / "r.csv")

    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    rows = answer["unsent_rows"]
    assert code == 1
    sent = answer["accepted"]
    assert 1 < sent <= 700
    assert answer["not_sent"] == 1200 - sent
    assert f"the same command with --rows {rows}" in shown.err
    assert statuses(tmp_path / "r.csv") == {"accepted": sent, "not sent": 1200 - sent}

    sandbox.credits = Decimal(10_000)
    assert bulk(people, "--text", "Hola {name}", "--yes", "--rows", rows) == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200


def test_every_third_answer_lost(sandbox: Sandbox, people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Repeats are safe inside one message: all are sent, nobody twice."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=None, every=3)

    assert bulk(people, "--text", "Hola {name}", "--yes") == 0
    assert "1,200 of 1,200 rows sent" in capsys.readouterr().out
    assert set(sandbox.counts.values()) == {1}


def test_a_lost_first_answer_is_one_unknown(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not guessed: the row may have been sent."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS")

    assert bulk(people, "--text", "Hola {name}", "--yes", "--report", tmp_path / "r.csv") == 1

    shown = capsys.readouterr().out
    assert "1 unknown: they may have been sent" in shown
    assert "Perhaps sent: " in shown
    assert "  rows 2\n" in shown
    assert statuses(tmp_path / "r.csv") == {"accepted": 1199, "unknown": 1}


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

    assert bulk(people, "--text", "Hola {name}", "--yes", "--report", tmp_path / "r.csv") == 1

    shown = capsys.readouterr().out
    assert "2 refused: the provider found them repeated or not correct" in shown
    assert "does not say which it refused: 2 in rows" in shown
    assert statuses(tmp_path / "r.csv") == {"accepted": 700, "sent": 500}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_send_knows_what_it_did(
    sandbox: Sandbox, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """Answers on their way are awaited, the report is finished, and the rest is sent with --rows."""
    sandbox.latency = 0.5
    timer = threading.Timer(0.9, os.kill, (os.getpid(), number))
    timer.start()

    code = bulk(
        people, "--text", "Hola {name}", "--yes", "--concurrency", "1", "--report", tmp_path / "r.csv"
    )

    timer.join()
    shown = capsys.readouterr()
    assert code == 130
    assert "Interrupted." in shown.err
    lines = report(tmp_path / "r.csv")
    assert sorted(lines) == list(range(2, 1202))
    sent = {line["phone"] for line in lines.values() if line["status"] == "accepted"}
    assert 0 < len(sent) < 1200
    assert set(sandbox.counts) == sent
    rows = shown.out.partition("--rows ")[2].split()[0]

    sandbox.latency = 0
    assert bulk(people, "--text", "Hola {name}", "--yes", "--rows", rows) == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 1200


def test_where_signals_cannot_be_received_ctrl_c_still_accounts(
    sandbox: Sandbox, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no signal receiver; there Ctrl-C cancels the run, and the report is finished all the same."""

    def unsupported(*signals: int) -> None:
        raise NotImplementedError

    monkeypatch.setattr("mensatek_async.cli.sending.anyio.open_signal_receiver", unsupported)
    sandbox.latency = 0.5
    timer = threading.Timer(0.9, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()

    code = bulk(
        people, "--text", "Hola {name}", "--yes", "--concurrency", "1", "--report", tmp_path / "r.csv"
    )

    timer.join()
    assert code == 130
    lines = report(tmp_path / "r.csv")
    assert sorted(lines) == list(range(2, 1202))
    assert set(sandbox.counts) == {line["phone"] for line in lines.values() if line["status"] == "accepted"}


def test_a_file_that_breaks_on_the_way_is_told(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was read well once, and the disk fails the second time."""
    from mensatek_async.sources.csv_table import CsvTable

    real, readings = CsvTable.parts, []

    def failing(self: CsvTable) -> Any:
        readings.append(self)
        for number, item in enumerate(chain.from_iterable(real(self))):
            if len(readings) > 1 and number > 700:
                raise OSError(5, "Input/output error")
            yield [item]

    monkeypatch.setattr(CsvTable, "parts", failing)

    assert bulk(people, "--text", "Hola {name}", "--yes", "--json") == 1

    answer = json.loads(capsys.readouterr().out)
    assert "Input/output error" in answer["stopped"]
    assert answer["rows"] == 1200
    assert answer["accepted"] == len(sandbox.counts)


def test_a_report_that_cannot_be_kept_stops_the_send(
    sandbox: Sandbox,
    people: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Going on without a record of who was texted would be worse."""
    from mensatek_async.cli.report import Report
    from mensatek_async.cli.stop import Stop

    def full(self: Report, outcome: Any) -> None:
        raise Stop("The report cannot be written: No space left on device.")

    monkeypatch.setattr(Report, "settle", full)

    code = bulk(
        people, "--text", "Hola", "--yes", "--concurrency", "1", "--report", tmp_path / "r.csv", "--json"
    )

    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert code == 1
    assert "No space left on device" in answer["stopped"]
    assert answer["rows"] == 1200 == answer["accepted"] + answer["not_sent"] + answer["unknown"]
    assert answer["accepted"] == len(sandbox.counts)


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
    assert [lines[row]["status"] for row in sorted(lines)] == [
        "invalid",
        "accepted",
        "invalid",
        "invalid",
        "invalid",
    ]
    assert lines[5]["phone"] == "12"


def test_a_file_without_a_good_row_sends_nothing(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And asks nothing."""
    path = tmp_path / "x.csv"
    path.write_text("name;phone\nAna;12\n")

    assert bulk(path, "--text", "Hola", "--yes") == 1
    assert "0 of 1 row sent" in capsys.readouterr().out
    assert not sandbox.calls("EnviarSMS")


def test_a_gsm_text_that_loses_letters_is_warned_about(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A forced encoding is the user's choice, knowing what it costs."""
    assert bulk(people, "--text", "Precio 😀", "--dry-run", "--encoding-text", "gsm") == 0
    assert "😀" in capsys.readouterr().err


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
        (["--text", "x", "--rows", "all"], "--rows takes"),
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


def test_an_offset_is_taken_as_it_is(sandbox: Sandbox, people: Path) -> None:
    """Ten o'clock in Greenwich is eleven in Spain."""
    assert bulk(people, "--text", "x", "--yes", "--at", "2099-01-08T10:00Z") == 0
    assert sandbox.calls("EnviarSMS")[0].params["Fecha"] == "2099-01-08 11:00"


def test_empty_cells_are_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A text with a gap is sent as asked, but nobody should find out from the recipients."""
    people = tmp_path / "people.csv"
    people.write_text("phone;name\n600000001;Ana\n600000002;\n", encoding="utf-8")

    assert bulk(people, "--text", "Hola {name}.", "--sandbox") == 0
    assert "Note: 1 row has an empty cell" in capsys.readouterr().out
