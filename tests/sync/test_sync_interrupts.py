"""Ctrl-C at any moment: the work ends before the interruption is raised, and the interruption says what was sent."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define

from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import wait_until
from tests.sync.child import child

pytestmark = [
    pytest.mark.mensatek_sandbox(credits=1_000_000),
    pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them"),
]


@define
class Interrupted:
    """What an interrupted program told, after how many seconds, how many texts there were then, and how it ended."""

    told: dict[str, Any]
    seconds: float
    texts: int
    code: int
    errors: str


def interrupted(
    code: str,
    sandbox: Sandbox,
    when: Callable[[], object],
    pause: float = 0,
    signals: tuple[signal.Signals, ...] = (signal.SIGINT,),
) -> Interrupted:
    """Run a program until then and a moment longer, interrupt it, and see that no text is sent after it told."""
    with child(code, sandbox) as program:
        program.line()
        wait_until(when)
        time.sleep(pause)
        started = time.monotonic()
        for one in signals:
            os.kill(program.process.pid, one)
            time.sleep(0.03)
        told = program.line()
        taken, texts = time.monotonic() - started, len(sandbox.texts)
        time.sleep(0.3)
        assert len(sandbox.texts) == texts or "sent" in told, "something went on sending"
        sandbox.clear_faults()
        return Interrupted(told, taken, texts, *program.end())


SEND = """
    with Mensatek({settings}) as client:
        tell(ready=True)
        try:
            client.sms.send("600000000", "Hola"{join})
        except KeyboardInterrupt as error:
            sent = getattr(error, "call_result", None)
            tell(**told_by(error), sent=sent and sent.accepted, error=repr(getattr(error, "call_error", None)))
            print(client.sms.send("600000001", "still alive").accepted, file=sys.stderr)
        else:
            tell(kind="none")
"""


def test_a_send_whose_answer_comes_in_time_is_told(sandbox: Sandbox) -> None:
    """Interrupted while its answer is on the way, a send waits for it, and the interruption carries the result."""
    sandbox.fault(Fault.latency(1), operation="EnviarSMS")
    found = interrupted(SEND.format(settings="", join=""), sandbox, lambda: sandbox.max_in_flight)

    assert (found.told["kind"], found.told["sent"]) == ("KeyboardInterrupt", 1)
    assert "had ended" in found.told["notes"][0]
    assert sandbox.count("34600000000") == 1
    assert (found.code, found.errors.strip()) == (0, "1")


@pytest.mark.parametrize("join", ["", ", join=10573758"], ids=["plain", "joins"])
def test_a_send_whose_answer_does_not_come_says_that_it_may_have_been_sent(
    sandbox: Sandbox, join: str
) -> None:
    """After the time of grace it is cut off, and nobody claims to know; nor is it repeated where it could be."""
    sandbox.fault(Fault.latency(30), operation="EnviarSMS")
    code = SEND.format(settings="timeout=Timeout(grace=0.2)", join=join)
    found = interrupted(code, sandbox, lambda: sandbox.max_in_flight)

    assert found.seconds < 20
    assert found.told["sent"] is None
    assert "OutcomeUnknown" in found.told["error"]
    assert "may or may not" in found.told["notes"][0]


def test_a_send_that_waits_for_its_next_try_is_not_sent(sandbox: Sandbox) -> None:
    """Between two tries nothing is on the way: the interruption is raised at once and says that nothing was sent."""
    sandbox.fault(Fault.status_429(20), operation="EnviarSMS")
    code = SEND.format(settings="", join="")
    found = interrupted(code, sandbox, lambda: sandbox.calls("EnviarSMS"), pause=0.3)

    assert found.seconds < 10
    assert "was not sent" in found.told["notes"][0]
    assert not sandbox.count("34600000000")


BULK = """
    import signal, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    with Mensatek(timeout=Timeout(grace={grace})) as client:
        tell(ready=True)
        try:
            {send}
        except (KeyboardInterrupt, SystemExit) as error:
            {check}
            tell(**told_by(error))
            if isinstance(error, SystemExit):
                raise
"""
STREAM = """with client.sms.bulk(phones(100_000), "Hola", chunk_size=100) as outcomes:
                for outcome in outcomes: {body}"""
BULKS = {
    "send_bulk": BULK.replace("{send}", 'client.sms.send_bulk(phones(100_000), "Hola", chunk_size=100)'),
    "stream": BULK.replace("{send}", STREAM.replace("{body}", "pass")),
    "stream-slow-body": BULK.replace("{send}", STREAM.replace("{body}", "time.sleep(0.02)")),
}


def bulk(form: str = "send_bulk", grace: float = 5) -> str:
    """A program that sends to 100,000."""
    check = "pass" if form == "send_bulk" else "assert outcomes.result.accepted == error.bulk_result.accepted"
    return BULKS[form].format(grace=grace, check=check)


@pytest.mark.parametrize("form", BULKS)
@pytest.mark.parametrize("moment", [0.15, 0.5])
def test_a_bulk_send_tells_exactly_what_was_sent(sandbox: Sandbox, form: str, moment: float) -> None:
    """The sandbox's count is what the interruption says, and nothing is sent after it was raised."""
    sandbox.latency = 0.1
    found = interrupted(bulk(form), sandbox, lambda: sandbox.texts, moment)

    assert found.told["accepted"] == found.texts > 0
    assert found.told["unknown"] == found.told["rejected"] == 0
    assert found.texts + found.told["failed"] == found.told["rows"] < 100_000
    (note,) = found.told["notes"]
    assert f"{found.texts} accepted" in note
    assert max(sandbox.counts.values()) == 1
    assert (found.code, found.errors) == (0, "")


def test_a_bulk_send_does_not_wait_for_ever(sandbox: Sandbox) -> None:
    """Answers that do not come within the grace leave their rows unknown, and no others."""
    sandbox.fault(Fault.latency(30), operation="EnviarSMS", times=None, after=60)
    found = interrupted(bulk(grace=0.3), sandbox, lambda: sandbox.max_in_flight == 8)

    assert found.seconds < 20
    assert (found.told["accepted"], found.told["unknown"]) == (5901, 800)


@pytest.mark.parametrize(
    ("signals", "code"), [((signal.SIGINT,) * 3, 0), ((signal.SIGTERM,), 3)], ids=["impatience", "SIGTERM"]
)
def test_other_signals_end_a_bulk_send_too(
    sandbox: Sandbox, signals: tuple[signal.Signals, ...], code: int
) -> None:
    """A second Ctrl-C does not lose the account of what was sent; a SystemExit of the program's own has it as well."""
    sandbox.latency = 0.3
    found = interrupted(bulk(), sandbox, lambda: len(sandbox.texts) > 300, 0.1, signals)

    assert (found.told["accepted"], found.told["unknown"], found.code) == (found.texts, 0, code)


def test_ctrl_c_in_the_rows_or_the_callback_counts_too(sandbox: Sandbox) -> None:
    """The caller's own code runs in the caller's thread, so it is interrupted there; the send ends just as well."""
    code = """
        import signal, os
        def rows():
            for number, phone in enumerate(phones(5000)):
                if number == 450:
                    os.kill(os.getpid(), signal.SIGINT)
                yield phone
        def stop(progress):
            if progress.accepted > 300:
                os.kill(os.getpid(), signal.SIGINT)
        with Mensatek() as client:
            for given, callback in ((rows(), None), (phones(5000, 34_610_000_000), stop)):
                try:
                    client.sms.send_bulk(given, "Hola", chunk_size=100, on_progress=callback)
                except KeyboardInterrupt as error:
                    tell(**told_by(error))
            tell(credits=str(client.credits(max_age=0)))
    """
    with child(code, sandbox) as program:
        first, second, last = program.line(), program.line(), program.line()

    assert first["accepted"] + second["accepted"] == len(sandbox.texts)
    assert first["accepted"] > 0
    assert second["accepted"] > 300
    assert last["credits"] == str(sandbox.credits)
