"""`mensatek campaign` against the sandbox: started, stopped, killed, watched, and every row accounted for."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.sandbox import Fault, Sandbox
from tests.command_line import Command, Said, started
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000, block_after=1_000_000)

TEXT = "Hola {name}"
NEW = ("start", "navidad", "people.csv", "--text", TEXT, "--yes", "--chunk-size", "10")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")
Campaign = Callable[..., Said]


@pytest.fixture
def campaign(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """The command, in a folder with 300 good rows, where `campaigns.db` will lie; with the sender of its processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")
    rows = "".join(f"n{number};6000{number:05}\n" for number in range(300))
    Path("people.csv").write_text(f"name;phone\n{rows}")
    return lambda *arguments, **stdin: command("campaign", *arguments, **stdin)


def everybody_once(sandbox: Sandbox) -> bool:
    return len(sandbox.counts) == 300 and set(sandbox.counts.values()) == {1}


# --- the main job ------------------------------------------------------------------------------------------


def test_start_sends_everything(sandbox: Sandbox, campaign: Campaign) -> None:
    """From a file to a campaign that is done; the same command again sends nobody anything."""
    for _ in range(2):
        answer = campaign(*NEW, "--json").json
        assert (answer["state"], answer["sent"], answer["total"]) == ("done", 300, 300)
        assert (answer["exit_code"], answer["credits_used"]) == (0, 300)
    assert everybody_once(sandbox)


def test_the_rows_that_cannot_be_sent_are_exported(sandbox: Sandbox, campaign: Campaign) -> None:
    """The exit code says that some were not sent, and the export says which and why."""
    Path("people.csv").write_text("name;phone\nAna;600000001\nEva;\nLuis;600000001\nMar;600000002\n")

    code, out, _ = campaign(*NEW)
    assert code == 1
    assert "2 rows to send, 2 broken or repeated." in out
    assert "2 of 4 rows sent." in out
    assert campaign("export", "navidad", "out.csv").code == 0
    with open("out.csv", newline="") as file:
        rows = {int(row["row"]): row for row in csv.DictReader(file)}
    outcomes = {number: row["outcome"] for number, row in rows.items()}
    assert outcomes == {2: "sent", 3: "invalid", 4: "invalid", 5: "sent"}
    assert rows[3]["reason"]


def test_rehearsals_leave_no_store_behind(sandbox: Sandbox, campaign: Campaign) -> None:
    """A dry run reads and checks, without an account; what is sent to a sandbox is no campaign of the real account."""
    for option in ("--dry-run", "--sandbox"):
        assert campaign(*NEW, option).code == 0
        assert not Path("campaigns.db").exists()
    assert not sandbox.requests


def test_starting_apart_from_sending(sandbox: Sandbox, campaign: Campaign) -> None:
    """--no-run reads the rows; cron's `work` sends in slices, `run` the rest."""
    sandbox.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
    assert campaign(*NEW, "--no-run", "--json").json["pending"] == 300
    assert not sandbox.requests

    (one,) = campaign("work", "--budget", "0.5", "--concurrency", "1", "--json").json["campaigns"]
    assert 0 < one["sent"] < 300
    assert campaign("run", "navidad", "--json").json["sent"] == 300
    assert campaign("work").code == 0
    assert everybody_once(sandbox)


def test_certified_campaigns(sandbox: Sandbox, campaign: Campaign) -> None:
    """With the issuer's options, as for `certified send`."""
    legal = ("--issuer-name", "ACME", "--issuer-phone", "600111222", "--issuer-tax-id", "12345678Z")
    assert campaign(*NEW, "--certified").code == 2
    said = campaign(*NEW, "--certified", *legal, "--validity", "2d", "--reference", "x1", "--json")
    assert said.json["sent"] == 300
    assert sandbox.calls("EnviarSMSCERTIFICADO")[-1].params["Referenciausuario"] == "x1"


def test_options_of_pace(sandbox: Sandbox, campaign: Campaign) -> None:
    """Rate, hours, cap and anchor reach the campaign."""
    options = ("--rate", "5000", "--send-between", "0:00-23:59", "--local-time", "--anchor", "600999999")
    said = campaign(*NEW, *options, "--max-credits", "200", "--json")
    assert (said.code, said.json["state"], said.json["reason"]) == (1, "paused", "max_credits")
    assert said.json["credits_used"] <= 200
    assert sandbox.count("34600999999") == 1


# --- looking -----------------------------------------------------------------------------------------------


def test_status_and_list_only_look(
    sandbox: Sandbox, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They need no account and touch no byte of the store."""
    campaign(*NEW)
    for name in ("MENSATEK_API_USER", "MENSATEK_API_TOKEN", "MENSATEK_BASE_URL"):
        monkeypatch.delenv(name)
    before = Path("campaigns.db").read_bytes()

    for words in (("status", "navidad"), ("list",), ("status",)):
        code, out, _ = campaign(*words)
        assert code == 0
        assert "navidad: done; 300 sent, 0 pending, 0 unknown, 0 failed, 0 delivered" in out
    assert Path("campaigns.db").read_bytes() == before


def test_an_empty_place_has_no_campaigns(campaign: Campaign) -> None:
    """Looking makes no store."""
    Path("people.csv").unlink()
    assert campaign("list").code == 0
    code, _, err = campaign("status", "navidad")
    assert code == 2
    assert "no campaign" in err
    assert campaign("work", "--sandbox").code == 0
    assert [one.name for one in Path.cwd().iterdir() if one.name != "state"] == []


def test_who_is_unknown(sandbox: Sandbox, campaign: Campaign) -> None:
    """An opener whose answer was lost is named, and decided about by its owner."""
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1)
    code, out, _ = campaign(*NEW)
    assert code == 1
    assert "Who may have been texted: mensatek campaign unknown navidad" in out
    said = campaign("unknown", "navidad", "--json")
    assert said.code == 1
    (one,) = said.json["unknown"]
    assert (one["row"], one["phone"]) == (2, "34600000000")

    assert campaign("resolve", "navidad", "resend").code == 2  # nobody to ask
    assert campaign("resolve", "navidad", "assume_sent", "--json").json["resolved"] == 1
    for words in ("unknown", "status"):
        assert campaign(words, "navidad").code == 0
    assert set(sandbox.counts.values()) == {1}


def test_reconcile_asks_the_provider(sandbox: Sandbox, campaign: Campaign) -> None:
    """Delivery counts without webhooks."""
    campaign(*NEW)
    assert campaign("reconcile", "navidad", "--json").json["sent"] == 300
    assert len(sandbox.calls("GetReportSMS")) == 1


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_other_content_under_the_same_name_is_wrong_use(sandbox: Sandbox, campaign: Campaign) -> None:
    """And so are another file, words that are no hours, and options that do not go together."""
    campaign(*NEW)
    code, _, err = campaign("start", "navidad", "people.csv", "--text", "Adios", "--yes")
    assert code == 2
    assert "another text" in err
    Path("people.csv").write_text("name;phone\nAna;600000009\n")
    code, out, err = campaign(*NEW)
    assert code == 2
    assert "other recipients" in err
    assert "sent" not in out  # what the first one sent was not asked
    for option, value in (
        ("--send-between", "9-21"),
        ("--send-between", "25:00-26:00"),
        ("--identify", "CERTIFICADO-12345678E"),
        ("--concurrency", "0"),
    ):
        assert campaign(*NEW, option, value).code == 2
    assert campaign("work", "--budget", "0").code == 2


def test_a_new_campaign_asks(sandbox: Sandbox, campaign: Campaign) -> None:
    """It costs money; one that goes on was agreed to before."""
    arguments = [word for word in NEW if word != "--yes"]
    code, _, err = campaign(*arguments)
    assert code == 2
    assert "--yes" in err
    code, _, err = campaign(*arguments, typed="n\n")
    assert code == 1
    assert "Send 300 texts to 300 recipients?" in err
    assert not sandbox.counts
    for typed in ("y\n", ""):
        assert campaign(*arguments, typed=typed).code == 0


def test_a_refused_account_pauses(
    sandbox: Sandbox, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on where it stopped once the account is right."""
    monkeypatch.setenv("MENSATEK_API_TOKEN", "another")
    code, out, _ = campaign(*NEW)
    assert code == 3
    assert "To go on: mensatek campaign resume navidad" in out
    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    assert campaign("run", "navidad").code == 3  # still paused
    assert campaign("resume", "navidad").code == 0
    assert everybody_once(sandbox)


def test_pause_resume_cancel(sandbox: Sandbox, campaign: Campaign) -> None:
    """Orders to whoever runs it, given without an account."""
    campaign(*NEW, "--no-run")
    assert campaign("pause", "navidad").code == 0
    assert campaign("run", "navidad").code == 1
    assert campaign("resume", "navidad", "--no-run", "--json").json["state"] == "running"
    assert campaign("cancel", "navidad").code == 2  # nobody to ask
    assert campaign("cancel", "navidad", "--yes", "--json").json["cancelled"] == 300
    assert campaign("run", "navidad").code == 1
    assert not sandbox.counts


def test_a_store_that_is_none(sandbox: Sandbox, campaign: Campaign) -> None:
    """Another file is not written over."""
    Path("campaigns.db").write_text("this is a letter, and no database" * 100)
    assert campaign(*NEW).code == 1
    assert campaign("status", "navidad").code == 1
    assert not sandbox.counts


# --- signals, kills, terminals -----------------------------------------------------------------------------


def process_of(sandbox: Sandbox, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    return started("campaign", *arguments, env=environment(sandbox), **more)


TWO = (*NEW, "--concurrency", "2")


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lands_what_is_on_its_way(
    sandbox: Sandbox, campaign: Campaign, number: signal.Signals
) -> None:
    """It says how to go on, and that loses and doubles nobody."""
    sandbox.fault(Fault.latency(0.15), operation="EnviarSMS", times=None)
    with process_of(sandbox, *TWO) as process:
        wait_until(lambda: len(sandbox.counts) > 20)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Stopping" in err
    assert "To go on: mensatek campaign run navidad, or the same command again." in out
    assert "0 unknown" in out
    assert 20 < len(sandbox.counts) < 300
    sandbox.clear_faults()
    assert campaign("run", "navidad").code == 0
    assert everybody_once(sandbox)


@posix
def test_cron_finishes_what_was_started(sandbox: Sandbox, campaign: Campaign) -> None:
    """A new process each time, a second each; one of them is killed."""
    sandbox.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
    assert campaign(*NEW, "--no-run").code == 0
    for turn in range(30):
        with process_of(sandbox, "work", "--budget", "1", "--concurrency", "2") as process:
            if turn == 1:
                sent = len(sandbox.counts)
                wait_until(lambda: len(sandbox.counts) > sent)  # noqa: B023
                process.kill()
            process.communicate(timeout=30)
        if len(sandbox.counts) == 300:
            break
    assert turn > 1
    assert campaign("status", "navidad").code == 0
    assert everybody_once(sandbox)


def on_a_terminal(
    sandbox: Sandbox, *arguments: str, until: bytes = b"", then: Callable[[], object] = bool
) -> str:
    """What people see; `then` is called when they have seen `until`."""
    import pty  # POSIX has it

    ours, theirs = pty.openpty()
    with process_of(sandbox, *arguments, stderr=theirs, stdout=subprocess.DEVNULL, stdin=theirs) as process:
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
def test_the_live_view(sandbox: Sandbox, campaign: Campaign) -> None:
    """Sent, pending, unknown, failed, delivered, rate, credits and time left, drawn over themselves."""
    sandbox.fault(Fault.latency(0.1), operation="EnviarSMS", times=None)
    seen = on_a_terminal(sandbox, *TWO, "--watch")
    for word in ("sent", "pending", "unknown", "failed", "delivered", "/s", "credits", "left", "time left"):
        assert word in seen
    assert "100 % of 300 rows" in seen
    assert "300 sent, 0 pending" in seen


@posix
def test_somebody_else_watches(sandbox: Sandbox, campaign: Campaign) -> None:
    """`status --watch` sees another process's campaign to its end."""
    sandbox.fault(Fault.latency(1), operation="EnviarSMS", times=None)
    with process_of(sandbox, *TWO) as process:
        wait_until(lambda: len(sandbox.counts) > 5)
        seen = on_a_terminal(
            sandbox, "status", "navidad", "--watch", until=b"running", then=sandbox.clear_faults
        )
        process.communicate(timeout=30)
    assert "navidad: running" in seen
    assert "300 sent, 0 pending" in seen


# --- PostgreSQL --------------------------------------------------------------------------------------------


def test_a_store_in_postgresql(sandbox: Sandbox, campaign: Campaign, database: str) -> None:
    """The same commands; its address, which may hold a password, is never printed."""
    store = ("--store", database.replace("postgres@", "postgres:geheim@"))
    said = ""
    for words, expected in (
        (("list",), 0),
        ((*NEW, "--no-run"), 0),
        (("pause", "navidad"), 0),
        (("work",), 0),
        (("status", "navidad"), 1),
        (("resume", "navidad"), 0),
        (("export", "navidad", "out.csv"), 0),
        (("status", "nobody"), 2),
    ):
        code, out, err = campaign(*words, *store)
        assert code == expected
        assert words != ("work",) or not sandbox.counts
        said += out + err
    assert everybody_once(sandbox)
    assert "geheim" not in said
    assert "mensatek campaign resume navidad --store ..." in said
    assert not Path("campaigns.db").exists()
