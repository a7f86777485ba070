"""The command, as people use it: messages that were sent, Spanish numbers and dates, previews, advice, streams."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.cli.account import parse_when
from mensatek_async.cli.output import Stop, in_words_of_the_command
from mensatek_async.errors import InvalidRequest
from mensatek_async.sandbox import Sandbox
from tests.command_line import COMMAND, Command

pytestmark = pytest.mark.mensatek_sandbox(read_interval=0)

PACKAGE = Path(__file__).parents[2] / "mensatek_async"
ISSUER = ("--issuer-name", "EMPRESA S.L.", "--issuer-phone", "900000000", "--issuer-tax-id", "B00000000")
Answer = Callable[..., dict[str, Any]]


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """A sandbox as the account of the environment, in a folder with a small file of recipients and a PDF."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("name;phone\n" + "".join(f"n{at};60000000{at}\n" for at in range(5)))
    Path("contrato.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    return mensatek_sandbox


@pytest.fixture
def answer(command: Command) -> Answer:
    """What a program reads of a command that succeeds."""

    def read(*arguments: str) -> dict[str, Any]:
        said = command(*arguments, "--json")
        assert said.code == 0, said
        found: dict[str, Any] = said.json
        return found

    return read


# --- 23: messages that were sent ---------------------------------------------------------------------------


@pytest.mark.parametrize("group", [(), ("certified",)], ids=["plain", "certified"])
def test_a_scheduled_message_is_moved_reported_and_cancelled(
    sandbox: Sandbox, command: Command, answer: Answer, group: tuple[str, ...]
) -> None:
    """Each of these is a command; the date may be written as in Spain."""
    extra = ISSUER if group else ()
    at = f"{datetime.now() + timedelta(days=2):%d/%m/%Y} 09:00"
    sent = answer(*group, "send", "600000001", "--text", "Hola", "--at", at, "--yes", *extra)
    number = str(sent["message_id"])
    moved = answer(*group, "reschedule", number, "--at", "28/11/2099 09:30")
    assert moved["scheduled_at"] == "2099-11-28T09:30:00+01:00"
    assert "scheduled for 2099-11-28 10:00" in command(*group, "reschedule", number, "28/11/2099 10:00").out
    report = answer(*group, "report", number)
    assert [one["phone"] for one in report["recipients"]] == ["34600000001"]
    assert answer(*group, "cancel", number)["cancelled"] == 1
    assert command(*group, "cancel", number).code == 1


def test_the_library_of_files(sandbox: Sandbox, command: Command, answer: Answer) -> None:
    """Uploaded, listed, deleted."""
    assert "empty" in command("files").out
    assert answer("files", "upload", "contrato.pdf", "--name", "otro.pdf")["name"] == "otro.pdf"
    assert [one["name"] for one in answer("files", "list")["files"]] == ["otro.pdf"]
    assert answer("files", "delete", "otro.pdf")["deleted"]
    assert command("files", "delete", "otro.pdf").code == 1
    assert command("files", "upload", "people.csv").code == 2


def test_what_is_scheduled_is_not_called_sent(sandbox: Sandbox, command: Command, answer: Answer) -> None:
    """Neither one text nor a campaign."""
    said = command("send", "600000001", "--text", "Hola", "--at", "2099-01-08 10:00", "--yes")
    assert "scheduled for 2099-01-08 10:00" in said.out
    start = ("campaign", "start", "n", "people.csv", "--text", "Hola", "--yes", "--at", "8/1/2099 10:00")
    out = command(*start).out + command("campaign", "status", "n").out
    assert "5 of 5 rows scheduled for 2099-01-08 10:00" in out
    assert "n: scheduled for 2099-01-08 10:00" in out
    assert not re.search(r"done|\d sent", out)
    assert answer("campaign", "status", "n")["scheduled_at"] == "2099-01-08T10:00:00+01:00"


# --- 25: numbers and dates as people write them ------------------------------------------------------------


def test_spanish_numbers(sandbox: Sandbox, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decimal comma and the thousands' dot; the same in the options of the sandbox."""
    for written, estimate in {
        **dict.fromkeys(("0,05", "0.05"), "0.25"),
        **dict.fromkeys(("1.000,5", "1,000.5"), "5,002.5"),
        ",5": "2.5",
        "1.234.567": "6,172,835",
        "2": "10",
    }.items():
        said = command("bulk", "people.csv", "--text", "Hola", "--dry-run", "--price", written)
        assert f"Credits: {estimate} estimated" in said.out
    monkeypatch.setattr(Sandbox, "wait", lambda self: None)
    prices = ["--credits", "1.000,5", "--price", "0,5", "--error-rate", "0,1"]
    assert "with 1,000.5 credits" in command("sandbox", "--port", "0", *prices).out


@pytest.mark.parametrize(
    "line",
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
def test_what_is_no_number(sandbox: Sandbox, command: Command, line: str) -> None:
    """Refused, naming the option, before anything leaves."""
    *words, option = line.split()
    for number in ("nan", "inf", "-inf", "-1", "-0,05", "1e3", "uno", "", "1,2,3", "1..5"):
        said = command(*words, f"{option}={number}")
        assert (said.code, f"{option}: it takes a number of 0 or more" in said.err) == (2, True)
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


@pytest.mark.parametrize("start", [("bulk",), ("campaign", "start", "n")], ids=["bulk", "campaign"])
def test_a_dry_run_shows_the_first_three_texts(
    sandbox: Sandbox, command: Command, answer: Answer, start: tuple[str, ...]
) -> None:
    """As they will read, each with its segments and cost."""
    text = "Hola {name} 😀" + "x" * 70
    out = command(*start, "people.csv", "--text", text, "--dry-run", "--price", "0,5").out
    for at in range(3):
        assert f"Row {at + 2}, to 3460000000{at}: 2 texts, Unicode, 1 credit\n    Hola n{at} 😀xxx" in out
    assert "Hola n3" not in out
    assert not sandbox.requests
    said = answer(*start, "people.csv", "--text", "Hola {name}", "--dry-run", "--price", "0,5")
    assert said["credits"] == 2.5
    assert [(one["row"], one["text"], one["credits"]) for one in said["samples"]] == [
        (2, "Hola n0", 0.5),
        (3, "Hola n1", 0.5),
        (4, "Hola n2", 0.5),
    ]


@pytest.mark.parametrize("start", [("bulk",), ("campaign", "start", "n")], ids=["bulk", "campaign"])
def test_the_first_text_goes_to_oneself_before_the_others(
    sandbox: Sandbox, command: Command, start: tuple[str, ...]
) -> None:
    """A text of its own, now, without the reference of the others; then everybody else."""
    more = ("--yes", "--test-to", "600 99 99 99", "--reference", "pedido-7")
    assert "row 2" in command(*start, "people.csv", "--text", "Hola {name}", *more).out
    first, *others = sandbox.calls("EnviarSMS")
    assert "Hola n0" in str(first.params)
    assert "pedido-7" not in str(first.params)
    assert all("pedido-7" in str(call.params) for call in others)
    assert sandbox.count("34600999999") == 1
    assert len(sandbox.counts) == 6


def test_a_test_that_fails_stops_everything(sandbox: Sandbox, command: Command) -> None:
    """Nobody else is texted; a phone that is none and a dry run are wrong use."""
    sandbox.credits = Decimal(0)
    bulk = ("bulk", "people.csv", "--text", "Hola {name}", "--yes")
    said = command(*bulk, "--test-to", "600999999")
    assert (said.code, "nobody else was texted" in said.err, len(sandbox.counts)) == (1, True, 0)
    assert command(*bulk, "--test-to", "12").code == 2
    assert command(*bulk, "--test-to", "600999999", "--dry-run").code == 2


@pytest.mark.parametrize("group", [(), ("certified",)], ids=["plain", "certified"])
def test_a_reference(sandbox: Sandbox, command: Command, group: tuple[str, ...]) -> None:
    """It goes with the text."""
    extra = ISSUER if group else ()
    command(*group, "send", "600000001", "--text", "Hola", "--reference", "r1", "--yes", *extra)
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
    sandbox: Sandbox, command: Command, arguments: str, said: str
) -> None:
    """What was wrong, as the user wrote it."""
    Path("people-with-long-name.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    extra = ISSUER if arguments.startswith("certified send") else ()
    yes = ("--yes",) if " --text" in arguments else ()
    code, _, err = command(*arguments.split(), *extra, *yes)
    assert (code, said in err) == (2, True), err
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
def test_a_file_without_permission(sandbox: Sandbox, command: Command) -> None:
    """Said in one line."""
    for name, *words in (
        ("people.csv", "bulk", "people.csv", "--text", "x", "--dry-run"),
        ("contrato.pdf", "files", "upload", "contrato.pdf"),
    ):
        Path(name).chmod(0)
        said = command(*words)
        assert (said.code, len(said.err.splitlines())) == (2, 1)
