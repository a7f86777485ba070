"""The command, as people use it: messages that were sent, Spanish numbers and dates, previews, advice, streams."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.cli.account import parse_when
from mensatek_async.cli.app import run
from mensatek_async.cli.output import Stop, in_words_of_the_command
from mensatek_async.errors import InvalidRequest
from mensatek_async.sandbox import Sandbox
from tests.command_line import COMMAND

pytestmark = pytest.mark.mensatek_sandbox(read_interval=0)

PACKAGE = Path(__file__).parents[2] / "mensatek_async"
ISSUER = ("--issuer-name", "EMPRESA S.L.", "--issuer-phone", "900000000", "--issuer-tax-id", "B00000000")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """A sandbox as the account of the environment, in a folder with a small file of recipients and a PDF."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("name;phone\n" + "".join(f"n{at};60000000{at}\n" for at in range(5)))
    Path("contrato.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    return mensatek_sandbox


def answer(capsys: Captured, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


# --- 23: messages that were sent ---------------------------------------------------------------------------


@pytest.mark.parametrize("group", [(), ("certified",)], ids=["plain", "certified"])
def test_a_scheduled_message_is_moved_reported_and_cancelled(
    sandbox: Sandbox, capsys: Captured, group: tuple[str, ...]
) -> None:
    """Each of these is a command; the date may be written as in Spain."""
    extra = ISSUER if group else ()
    at = f"{datetime.now() + timedelta(days=2):%d/%m/%Y} 09:00"
    sent = answer(capsys, *group, "send", "600000001", "--text", "Hola", "--at", at, "--yes", *extra)
    number = str(sent["message_id"])
    moved = answer(capsys, *group, "reschedule", number, "--at", "28/11/2099 09:30")
    assert moved["scheduled_at"] == "2099-11-28T09:30:00+01:00"
    assert run([*group, "reschedule", number, "28/11/2099 10:00"]) == 0
    assert "scheduled for 2099-11-28 10:00" in capsys.readouterr().out
    report = answer(capsys, *group, "report", number)
    assert [one["phone"] for one in report["recipients"]] == ["34600000001"]
    assert answer(capsys, *group, "cancel", number)["cancelled"] == 1
    assert run([*group, "cancel", number]) == 1


def test_the_library_of_files(sandbox: Sandbox, capsys: Captured) -> None:
    """Uploaded, listed, deleted."""
    assert run(["files"]) == 0
    assert "empty" in capsys.readouterr().out
    assert answer(capsys, "files", "upload", "contrato.pdf", "--name", "otro.pdf")["name"] == "otro.pdf"
    assert [one["name"] for one in answer(capsys, "files", "list")["files"]] == ["otro.pdf"]
    assert answer(capsys, "files", "delete", "otro.pdf")["deleted"]
    assert run(["files", "delete", "otro.pdf"]) == 1
    assert run(["files", "upload", "no-such-file.pdf"]) == 2
    assert run(["files", "upload", "people.csv"]) == 2


def test_what_is_scheduled_is_not_called_sent(sandbox: Sandbox, capsys: Captured) -> None:
    """Neither one text nor a campaign."""
    assert run(["send", "600000001", "--text", "Hola", "--at", "2099-01-08 10:00", "--yes"]) == 0
    assert "scheduled for 2099-01-08 10:00" in capsys.readouterr().out
    start = ("campaign", "start", "n", "people.csv", "--text", "Hola", "--yes", "--at", "8/1/2099 10:00")
    assert run([*start]) == 0
    assert run(["campaign", "status", "n"]) == 0
    out = capsys.readouterr().out
    assert "5 of 5 rows scheduled for 2099-01-08 10:00" in out
    assert "n: scheduled for 2099-01-08 10:00" in out
    assert not re.search(r"done|\d sent", out)
    assert answer(capsys, "campaign", "status", "n")["scheduled_at"] == "2099-01-08T10:00:00+01:00"


# --- 25: numbers and dates as people write them ------------------------------------------------------------


def test_spanish_numbers(sandbox: Sandbox, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decimal comma and the thousands' dot; the same in the options of the sandbox."""
    for written, estimate in {
        **dict.fromkeys(("0,05", "0.05"), "0.25"),
        **dict.fromkeys(("1.000,5", "1,000.5"), "5,002.5"),
        ",5": "2.5",
        "1.234.567": "6,172,835",
        "2": "10",
    }.items():
        assert run(["bulk", "people.csv", "--text", "Hola", "--dry-run", "--price", written]) == 0
        assert f"Credits: {estimate} estimated" in capsys.readouterr().out
    monkeypatch.setattr(Sandbox, "wait", lambda self: None)
    prices = ["--credits", "1.000,5", "--price", "0,5", "--error-rate", "0,1"]
    assert run(["sandbox", "--port", "0", *prices]) == 0
    assert "with 1,000.5 credits" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        "send 600000001 --text x --price",
        "bulk people.csv --text x --dry-run --price",
        "bulk people.csv --text x --dry-run --per-second",
        "certified send 600000001 --text x --price",
        "contract send contrato.pdf --to 600000001 --text x --price",
        "campaign start n people.csv --text x --dry-run --max-credits",
        "campaign start n people.csv --text x --dry-run --rate",
        "campaign work --budget",
        "sandbox --port 0 --credits",
        "sandbox --port 0 --certified-price",
        "sandbox --port 0 --latency",
    ],
)
def test_what_is_no_number(sandbox: Sandbox, capsys: Captured, command: str) -> None:
    """Refused, naming the option, before anything leaves."""
    words = command.split()
    for number in ("nan", "inf", "-inf", "-1", "-0,05", "1e3", "uno", "", "1,2,3", "1..5"):
        assert run([*words[:-1], f"{words[-1]}={number}"]) == 2
        assert f"{words[-1]}: it takes a number of 0 or more" in capsys.readouterr().err
    assert not sandbox.requests


def test_dates() -> None:
    """Day first, or year first; without an offset it is Spanish time. A day alone, a month 28, a time that spring
    skips: said, naming the option."""
    nine = "2026-11-28T09:00:00+01:00"
    same = ("28/11/2026 09:00", "28-11-2026 9:00", "28/11/2026T09:00", "2026-11-28 09:00")
    for written, read in {
        **dict.fromkeys(same, nine),
        "1.7.2026, 21:30": "2026-07-01T21:30:00+02:00",
        "28/11/2026 09:00 +00:00": "2026-11-28T09:00:00+00:00",
        "2026-11-28T09:00:30Z": "2026-11-28T09:00:30+00:00",
    }.items():
        assert parse_when(written) == datetime.fromisoformat(read)
    wrong = (
        "28/11/2026",
        "31/02/2027 09:00",
        "11/28/2026 09:00",
        "28/11/26 09:00",
        "09:00",
        "x",
        "29/03/2026 02:30",
    )
    for written in wrong:
        with pytest.raises(Stop, match=r"^--start "):
            parse_when(written, "--start")


# --- 27: previews, a test to oneself, references -----------------------------------------------------------


@pytest.mark.parametrize("command", [("bulk",), ("campaign", "start", "n")], ids=["bulk", "campaign"])
def test_a_dry_run_shows_the_first_three_texts(
    sandbox: Sandbox, capsys: Captured, command: tuple[str, ...]
) -> None:
    """As they will read, each with its segments and cost."""
    text = "Hola {name} 😀" + "x" * 70
    assert run([*command, "people.csv", "--text", text, "--dry-run", "--price", "0,5"]) == 0
    out = capsys.readouterr().out
    for at in range(3):
        assert f"Row {at + 2}, to 3460000000{at}: 2 texts, Unicode, 1 credit\n    Hola n{at} 😀xxx" in out
    assert "Hola n3" not in out
    assert not sandbox.requests
    said = answer(capsys, *command, "people.csv", "--text", "Hola {name}", "--dry-run", "--price", "0,5")
    assert said["credits"] == 2.5
    assert [(one["row"], one["text"], one["credits"]) for one in said["samples"]] == [
        (2, "Hola n0", 0.5),
        (3, "Hola n1", 0.5),
        (4, "Hola n2", 0.5),
    ]


@pytest.mark.parametrize("command", [("bulk",), ("campaign", "start", "n")], ids=["bulk", "campaign"])
def test_the_first_text_goes_to_oneself_before_the_others(
    sandbox: Sandbox, capsys: Captured, command: tuple[str, ...]
) -> None:
    """A text of its own, now, without the reference of the others; then everybody else."""
    more = ("--yes", "--test-to", "600 99 99 99", "--reference", "pedido-7")
    assert run([*command, "people.csv", "--text", "Hola {name}", *more]) == 0
    first, *others = sandbox.calls("EnviarSMS")
    assert "Hola n0" in str(first.params)
    assert "pedido-7" not in str(first.params)
    assert all("pedido-7" in str(call.params) for call in others)
    assert sandbox.count("34600999999") == 1
    assert len(sandbox.counts) == 6
    assert "row 2" in capsys.readouterr().out


def test_a_test_that_fails_stops_everything(sandbox: Sandbox, capsys: Captured) -> None:
    """Nobody else is texted; a phone that is none and a dry run are wrong use."""
    sandbox.credits = Decimal(0)
    bulk = ("bulk", "people.csv", "--text", "Hola {name}", "--yes")
    assert run([*bulk, "--test-to", "600999999"]) == 1
    assert "nobody else was texted" in capsys.readouterr().err
    assert not sandbox.counts
    assert run([*bulk, "--test-to", "12"]) == 2
    assert run([*bulk, "--test-to", "600999999", "--dry-run"]) == 2


@pytest.mark.parametrize("group", [(), ("certified",)], ids=["plain", "certified"])
def test_a_reference(sandbox: Sandbox, capsys: Captured, group: tuple[str, ...]) -> None:
    """It goes with the text."""
    extra = ISSUER if group else ()
    assert run([*group, "send", "600000001", "--text", "Hola", "--reference", "r1", "--yes", *extra]) == 0
    assert sandbox.requests[-1].params["Referenciausuario"] == "r1"


# --- 28: advice, streams, files ----------------------------------------------------------------------------


def advice_of_the_library() -> list[str]:
    """Every advice that the library may give where the command uses it."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in ("cli", "mcp", "sandbox", "sync", "testing", "webhooks"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "advice":
                found += [leaf.value for leaf in ast.walk(node.value) if isinstance(leaf, ast.Constant)]
    return [one for one in found if isinstance(one, str)]


# What only a program can do wrong: a call, a cursor, an open file, a client.
_PROGRAMS = re.compile(
    r"tzinfo=|SqlSource|Source\b|elements\.|async |`with|AsyncMensatek|With a Mensatek|Open it with|Limits|fetchmany"
    r"|group="
)


def test_advice_names_options_of_the_command() -> None:
    """None speaks of a keyword argument, a method, True or None."""
    texts = [one for one in advice_of_the_library() if not _PROGRAMS.search(one)]
    assert len(texts) > 20
    for text in texts:
        said = in_words_of_the_command(InvalidRequest("x", advice=text))[1]
        assert not re.search(r"\b[a-z_]+=|\(\)|\bTrue\b|\b[a-z]+_[a-z]+\b", said), said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("files upload people-with-long-name.pdf --name people-with-long-name.pdf", "--name contrato.pdf"),
        ("certified send 600000001 --text x --acceptance-days 99", "--acceptance-days is"),
        ("certified download a.pdf --phone 600000001", "--message-id"),
        ("certified download a.pdf", "--start and --end"),
        ("credits --base-url http://example.com", "--base-url is not https"),
        (
            "campaign start n people.csv --text x --at 2099-01-08T10:00 --send-between 11:00-12:00",
            "--at is outside",
        ),
        ("campaign start n people.csv --text x --send-between 11:00-11:00", "09:00-21:00"),
        ("campaign start n people.csv --text x --max-credits 0", "--max-credits is"),
    ],
)
def test_messages_name_options_of_the_command(
    sandbox: Sandbox, capsys: Captured, arguments: str, said: str
) -> None:
    """What was wrong, as the user wrote it."""
    Path("people-with-long-name.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    extra = ISSUER if arguments.startswith("certified send") else ()
    yes = ("--yes",) if " --text" in arguments else ()
    assert run([*arguments.split(), *extra, *yes]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert not re.search(r"\b[a-z]+_[a-z]+\b", err)


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line of bash, where `M` is the command."""
    script = f'M() {{ "{COMMAND[0]}" "{COMMAND[1]}" "{COMMAND[2]}" "$@"; }}\n{line}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], capture_output=True, text=True, timeout=60, env=os.environ
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        *((f"M {line} | head -1", 0, "") for line in ("bulk people.csv --text Hola --dry-run", "--help")),
        *((f"M {line} >&-", 0, "") for line in ("segments Hola", "--version", "segments Hola 2>&-")),
        *((f"M {line} >/dev/full", 1, "No space left") for line in ("segments Hola", "--help")),
        ("M bulk - --text Hola --dry-run <&-", 2, "input is closed"),
        *(
            (f"M {start} nothing.csv --text Hola --dry-run", 2, "There is no file")
            for start in ("bulk", "campaign start n")
        ),
        ("M bulk . --text Hola --dry-run", 2, "is a directory"),
        *(
            (f"M campaign {line} --store .", 2, "is a directory")
            for line in ("status n", "list", "start n people.csv --text Hola --yes")
        ),
        ("M certified download . --message-id 1", 2, "directory"),
        *(
            (f"M {line}", 2, "cannot be read")
            for line in ("credits --token-file nothing", "send 600000001 --text x --yes --token-file .")
        ),
        *((f"M files upload {file}", 2, "cannot be read") for file in ("nothing.pdf", ".")),
    ],
)
def test_streams_and_files_that_are_none(sandbox: Sandbox, line: str, code: int, said: str) -> None:
    """One line, no traceback, and the exit code of what happened."""
    done = shell(line)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert said in done.stderr
    assert len([one for one in done.stderr.splitlines() if one.startswith("mensatek:")]) == bool(said)


@pytest.mark.skipif(sys.platform == "win32" or not os.geteuid(), reason="root may read everything")
def test_a_file_without_permission(sandbox: Sandbox, capsys: Captured) -> None:
    """Said in one line."""
    for name in ("people.csv", "contrato.pdf"):
        Path(name).chmod(0)
    assert run(["bulk", "people.csv", "--text", "x", "--dry-run"]) == 2
    assert run(["files", "upload", "contrato.pdf"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
