"""`mensatek campaign` against the sandbox: started, stopped, killed, watched, and every row accounted for."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.cli.app import run
from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000, block_after=1_000_000)

TEXT = "Hola {name}"
MAIN = "from mensatek_async.cli import main; raise SystemExit(main())"
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `campaigns.db` will lie; with the sender that processes of their own have."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")
    return tmp_path


@pytest.fixture
def people(folder: Path) -> Path:
    """300 good rows."""
    path = folder / "people.csv"
    path.write_text("name;phone\n" + "".join(f"n{number};6000{number:05}\n" for number in range(300)))
    return path


def campaign(*arguments: str | Path) -> int:
    return run(["campaign", *map(str, arguments)])


def start(people: Path, *more: str) -> int:
    return campaign("start", "navidad", people, "--text", TEXT, "--yes", "--chunk-size", "10", *more)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    """The JSON that was printed last."""

    def read() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return answer

    return read


# --- the main job ------------------------------------------------------------------------------------------


def test_start_sends_everything(sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]]) -> None:
    """From a file to a campaign that is done; the same command again sends nobody anything."""
    assert start(people, "--json") == 0
    answer = told()
    assert (answer["state"], answer["sent"], answer["total"], answer["exit_code"]) == ("done", 300, 300, 0)
    assert answer["credits_used"] == 300

    assert start(people, "--json") == 0
    assert told()["sent"] == 300
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 300


def test_the_rows_that_cannot_be_sent_are_exported(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code says that some were not sent, and the export says which and why."""
    path = folder / "people.csv"
    path.write_text("name;phone\nAna;600000001\nEva;\nLuis;600000001\nMar;600000002\n")

    assert start(path) == 1
    shown = capsys.readouterr()
    assert "2 rows to send, 2 broken or repeated." in shown.out
    assert "2 of 4 rows sent." in shown.out
    assert campaign("export", "navidad", "out.csv") == 0
    with (folder / "out.csv").open(newline="") as file:
        rows = {int(row["row"]): row for row in csv.DictReader(file)}
    assert {number: row["outcome"] for number, row in rows.items()} == {
        2: "sent",
        3: "invalid",
        4: "invalid",
        5: "sent",
    }
    assert rows[3]["reason"]


def test_rehearsals_leave_no_store_behind(sandbox: Sandbox, people: Path, folder: Path) -> None:
    """A dry run reads and checks, without an account; what is sent to a sandbox is no campaign of the real account."""
    for option in ("--dry-run", "--sandbox"):
        assert start(people, option) == 0
        assert not (folder / "campaigns.db").exists()
    assert not sandbox.requests


def test_starting_apart_from_sending(
    sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]]
) -> None:
    """--no-run reads the rows; cron's `work` sends in slices, `run` the rest."""
    sandbox.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
    assert start(people, "--no-run", "--json") == 0
    assert told()["pending"] == 300
    assert not sandbox.requests

    assert campaign("work", "--budget", "0.5", "--concurrency", "1", "--json") == 0
    (one,) = told()["campaigns"]
    assert 0 < one["sent"] < 300
    assert campaign("run", "navidad", "--json") == 0
    assert told()["sent"] == 300
    assert campaign("work") == 0
    assert set(sandbox.counts.values()) == {1}


def test_certified_campaigns(sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]]) -> None:
    """With the issuer's options, as for `certified send`."""
    legal = ("--issuer-name", "ACME", "--issuer-phone", "600111222", "--issuer-tax-id", "12345678Z")
    assert start(people, "--certified") == 2
    assert start(people, "--certified", *legal, "--validity", "2d", "--reference", "x1", "--json") == 0
    assert told()["sent"] == 300
    sent = sandbox.calls("EnviarSMSCERTIFICADO")[-1].params
    assert sent["Referenciausuario"] == "x1"


def test_options_of_pace(sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]]) -> None:
    """Rate, hours, cap and anchor reach the campaign."""
    options = ("--rate", "5000", "--send-between", "0:00-23:59", "--local-time", "--anchor", "600999999")
    assert start(people, *options, "--max-credits", "200", "--json") == 1
    answer = told()
    assert (answer["state"], answer["reason"]) == ("paused", "max_credits")
    assert answer["credits_used"] <= 200
    assert sandbox.count("34600999999") == 1


# --- looking -----------------------------------------------------------------------------------------------


def test_status_and_list_only_look(
    sandbox: Sandbox,
    people: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They need no account and touch no byte of the store."""
    start(people)
    for name in ("MENSATEK_API_USER", "MENSATEK_API_TOKEN", "MENSATEK_BASE_URL"):
        monkeypatch.delenv(name)
    before = (folder / "campaigns.db").read_bytes()
    capsys.readouterr()

    assert campaign("status", "navidad") == 0
    assert "navidad: done; 300 sent, 0 pending, 0 unknown, 0 failed, 0 delivered" in capsys.readouterr().out
    assert campaign("list") == 0
    assert campaign("status") == 0
    assert capsys.readouterr().out.count("navidad: done") == 2
    assert (folder / "campaigns.db").read_bytes() == before


def test_an_empty_place_has_no_campaigns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Looking makes no store."""
    assert campaign("list") == 0
    assert campaign("status", "navidad") == 2
    assert campaign("work", "--sandbox") == 0
    assert "no campaign" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_who_is_unknown(
    sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """An opener whose answer was lost is named, and decided about by its owner."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1)
    assert start(people) == 1
    assert "Who may have been texted: mensatek campaign unknown navidad" in capsys.readouterr().out
    assert campaign("unknown", "navidad", "--json") == 1
    (one,) = told()["unknown"]
    assert (one["row"], one["phone"]) == (2, "34600000000")

    assert campaign("resolve", "navidad", "resend") == 2  # nobody to ask
    assert campaign("resolve", "navidad", "assume_sent", "--json") == 0
    assert (told()["resolved"], campaign("unknown", "navidad")) == (1, 0)
    assert campaign("status", "navidad") == 0
    assert set(sandbox.counts.values()) == {1}


def test_reconcile_asks_the_provider(
    sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]]
) -> None:
    """Delivery counts without webhooks."""
    start(people)
    assert campaign("reconcile", "navidad", "--json") == 0
    assert told()["sent"] == 300
    assert len(sandbox.calls("GetReportSMS")) == 1


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_other_content_under_the_same_name_is_wrong_use(
    sandbox: Sandbox, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And so are another file, words that are no hours, and options that do not go together."""
    start(people)
    assert campaign("start", "navidad", people, "--text", "Adios", "--yes") == 2
    assert "another text" in capsys.readouterr().err
    people.write_text("name;phone\nAna;600000009\n")
    capsys.readouterr()
    assert start(people) == 2
    out, err = capsys.readouterr()
    assert "other recipients" in err
    assert "sent" not in out  # what the first one sent was not asked
    assert start(people, "--send-between", "9-21") == 2
    assert start(people, "--send-between", "25:00-26:00") == 2
    assert start(people, "--identify", "CERTIFICADO-12345678E") == 2
    assert start(people, "--concurrency", "0") == 2
    assert campaign("work", "--budget", "0") == 2


def test_a_new_campaign_asks(
    sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It costs money; one that goes on was agreed to before."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    arguments = ("start", "navidad", people, "--text", TEXT)
    assert campaign(*arguments) == 2
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert campaign(*arguments) == 1
    assert "Send 300 texts to 300 recipients?" in capsys.readouterr().err
    assert not sandbox.counts
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert campaign(*arguments) == 0
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert campaign(*arguments) == 0


def test_a_refused_account_pauses(
    sandbox: Sandbox, people: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on where it stopped once the account is right."""
    monkeypatch.setenv("MENSATEK_API_TOKEN", "another")
    assert start(people) == 3
    assert "To go on: mensatek campaign resume navidad" in capsys.readouterr().out
    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    assert campaign("run", "navidad") == 3  # still paused
    assert campaign("resume", "navidad") == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 300


def test_pause_resume_cancel(sandbox: Sandbox, people: Path, told: Callable[[], dict[str, Any]]) -> None:
    """Orders to whoever runs it, given without an account."""
    start(people, "--no-run")
    assert campaign("pause", "navidad") == 0
    assert campaign("run", "navidad") == 1
    assert campaign("resume", "navidad", "--no-run", "--json") == 0
    assert told()["state"] == "running"
    assert campaign("cancel", "navidad") == 2  # nobody to ask
    assert campaign("cancel", "navidad", "--yes", "--json") == 0
    assert told()["cancelled"] == 300
    assert campaign("run", "navidad") == 1
    assert not sandbox.counts


def test_a_store_that_is_none(sandbox: Sandbox, people: Path, folder: Path) -> None:
    """Another file is not written over."""
    (folder / "campaigns.db").write_text("this is a letter, and no database" * 100)
    assert start(people) == 1
    assert campaign("status", "navidad") == 1
    assert not sandbox.counts


# --- signals, kills, terminals -----------------------------------------------------------------------------


def command(sandbox: Sandbox, folder: Path, *arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "campaign", *map(str, arguments)],
        cwd=folder,
        env=environment(sandbox),
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more},
    )


ARGUMENTS = ("--text", TEXT, "--yes", "--chunk-size", "10", "--concurrency", "2")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lands_what_is_on_its_way(
    sandbox: Sandbox, people: Path, folder: Path, number: signal.Signals
) -> None:
    """It says how to go on, and that loses and doubles nobody."""
    sandbox.fault(Fault.latency(0.15), operation="EnviarSMS", times=None)
    with command(sandbox, folder, "start", "navidad", people, *ARGUMENTS) as process:
        wait_until(lambda: len(sandbox.counts) > 20)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Stopping" in err
    assert "To go on: mensatek campaign run navidad, or the same command again." in out
    assert "0 unknown" in out
    assert 20 < len(sandbox.counts) < 300
    sandbox.clear_faults()
    assert campaign("run", "navidad") == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 300


@posix
def test_cron_finishes_what_was_started(sandbox: Sandbox, people: Path, folder: Path) -> None:
    """A new process each time, a second each; one of them is killed."""
    sandbox.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
    assert start(people, "--no-run") == 0
    for turn in range(30):
        with command(sandbox, folder, "work", "--budget", "1", "--concurrency", "2") as process:
            if turn == 1:
                sent = len(sandbox.counts)
                wait_until(lambda: len(sandbox.counts) > sent)  # noqa: B023
                process.kill()
            process.communicate(timeout=30)
        if len(sandbox.counts) == 300:
            break
    assert turn > 1
    assert campaign("status", "navidad") == 0
    assert set(sandbox.counts.values()) == {1}
    assert len(sandbox.counts) == 300


def on_a_terminal(
    sandbox: Sandbox,
    folder: Path,
    *arguments: str | Path,
    until: bytes = b"",
    then: Callable[[], object] = bool,
) -> str:
    """What people see; `then` is called when they have seen `until`."""
    import pty  # POSIX has it

    ours, theirs = pty.openpty()
    with command(
        sandbox, folder, *arguments, stderr=theirs, stdout=subprocess.DEVNULL, stdin=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part
            if until and until in seen:
                then()
        assert process.wait(30) == 0
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())


@posix
def test_the_live_view(sandbox: Sandbox, people: Path, folder: Path) -> None:
    """Sent, pending, unknown, failed, delivered, rate, credits and time left, drawn over themselves."""
    sandbox.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
    seen = on_a_terminal(sandbox, folder, "start", "navidad", people, *ARGUMENTS, "--watch")
    for word in ("sent", "pending", "unknown", "failed", "delivered", "/s", "credits", "left", "time left"):
        assert word in seen
    assert "100 % of 300 rows" in seen
    assert "300 sent, 0 pending" in seen


@posix
def test_somebody_else_watches(sandbox: Sandbox, people: Path, folder: Path) -> None:
    """`status --watch` sees another process's campaign to its end."""
    sandbox.fault(Fault.latency(1), operation="EnviarSMS", times=None)
    with command(sandbox, folder, "start", "navidad", people, *ARGUMENTS) as process:
        wait_until(lambda: len(sandbox.counts) > 5)
        seen = on_a_terminal(
            sandbox, folder, "status", "navidad", "--watch", until=b"running", then=sandbox.clear_faults
        )
        process.communicate(timeout=30)
    assert "navidad: running" in seen
    assert "300 sent, 0 pending" in seen


# --- PostgreSQL --------------------------------------------------------------------------------------------


def test_a_store_in_postgresql(
    sandbox: Sandbox,
    people: Path,
    database: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same commands; its address, which may hold a password, is never printed."""
    address = database.replace("postgres@", "postgres:geheim@")
    store = ("--store", address)
    assert campaign("list", *store) == 0
    assert start(people, "--no-run", *store) == 0
    assert campaign("pause", "navidad", *store) == 0
    assert campaign("work", *store) == 0
    assert not sandbox.counts
    assert campaign("status", "navidad", *store) == 1
    assert campaign("resume", "navidad", *store) == 0
    assert campaign("export", "navidad", "out.csv", *store) == 0
    assert campaign("status", "nobody", *store) == 2

    shown = capsys.readouterr()
    assert "geheim" not in shown.out + shown.err
    assert "mensatek campaign resume navidad --store ..." in shown.out
    assert len(sandbox.counts) == 300
    assert not (folder / "campaigns.db").exists()
