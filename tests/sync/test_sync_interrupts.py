"""Ctrl-C at any moment: the work ends before the interruption is raised, and the interruption says what was sent."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import wait_until
from tests.sync.child import child

pytestmark = [
    pytest.mark.mensatek_sandbox(credits=1_000_000),
    pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them"),
]


def still(sandbox: Sandbox) -> int:
    """How many texts there are, after a moment in which no more may come."""
    count = len(sandbox.texts)
    time.sleep(0.3)
    assert len(sandbox.texts) == count, "something went on sending"
    return count


SEND = """
    with Mensatek({settings}) as client:
        tell(ready=True)
        try:
            client.sms.send("600000000", "Hola")
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
    with child(SEND.format(settings=""), sandbox) as program:
        program.line()
        wait_until(lambda: sandbox.max_in_flight)
        os.kill(program.process.pid, signal.SIGINT)
        told = program.line()
        code, errors = program.end()

    assert (told["kind"], told["sent"]) == ("KeyboardInterrupt", 1)
    assert "had ended" in told["notes"][0]
    assert sandbox.count("34600000000") == 1
    assert (code, errors.strip()) == (0, "1")


@pytest.mark.parametrize("join", ["", ", join=10573758"], ids=["plain", "joins"])
def test_a_send_whose_answer_does_not_come_says_that_it_may_have_been_sent(
    sandbox: Sandbox, join: str
) -> None:
    """After the time of grace it is cut off, and nobody claims to know; nor is it repeated where it could be."""
    sandbox.fault(Fault.latency(30), operation="EnviarSMS")
    code = SEND.replace('"Hola")', f'"Hola"{join})', 1)
    with child(code.format(settings="timeout=Timeout(grace=0.2)"), sandbox) as program:
        program.line()
        wait_until(lambda: sandbox.max_in_flight)
        started = time.monotonic()
        os.kill(program.process.pid, signal.SIGINT)
        told = program.line()
        taken = time.monotonic() - started

    assert taken < 20
    assert told["sent"] is None
    assert "OutcomeUnknown" in told["error"]
    assert "may or may not" in told["notes"][0]
    sandbox.clear_faults()


def test_a_send_that_waits_for_its_next_try_is_not_sent(sandbox: Sandbox) -> None:
    """Between two tries nothing is on the way: the interruption is raised at once and says that nothing was sent."""
    sandbox.fault(Fault.status_429(20), operation="EnviarSMS")
    with child(SEND.format(settings=""), sandbox) as program:
        program.line()
        wait_until(lambda: sandbox.max_in_flight)
        time.sleep(0.3)
        started = time.monotonic()
        os.kill(program.process.pid, signal.SIGINT)
        told = program.line()
        taken = time.monotonic() - started
        assert taken < 10

        assert "was not sent" in told["notes"][0]
        assert not still(sandbox)


BULK = """
    sent_before = 0
    with Mensatek(timeout=Timeout(grace={grace})) as client:
        tell(ready=True)
        try:
            client.sms.send_bulk(phones(100_000), "Hola", chunk_size=100)
        except KeyboardInterrupt as error:
            tell(**told_by(error))
"""
STREAM = """
    with Mensatek(timeout=Timeout(grace={grace})) as client:
        tell(ready=True)
        try:
            with client.sms.bulk(phones(100_000), "Hola", chunk_size=100) as outcomes:
                for outcome in outcomes:
                    {body}
        except KeyboardInterrupt as error:
            again = outcomes.result
            assert again.accepted == error.bulk_result.accepted, (again, error.bulk_result)
            tell(**told_by(error))
"""
BULKS = {
    "send_bulk": BULK,
    "stream": STREAM.replace("{body}", "pass"),
    "stream-slow-body": STREAM.replace("{body}", "import time; time.sleep(0.02)"),
}


@pytest.mark.parametrize("form", BULKS)
@pytest.mark.parametrize("moment", [0.15, 0.5])
def test_a_bulk_send_tells_exactly_what_was_sent(sandbox: Sandbox, form: str, moment: float) -> None:
    """The sandbox's count is what the interruption says, and nothing is sent after it was raised."""
    sandbox.latency = 0.1
    with child(BULKS[form].format(grace=5), sandbox) as program:
        program.line()
        wait_until(lambda: sandbox.texts)
        time.sleep(moment)
        os.kill(program.process.pid, signal.SIGINT)
        told = program.line()
        count = still(sandbox)
        code, errors = program.end()

    assert told["accepted"] == count > 0
    assert told["unknown"] == told["rejected"] == 0
    assert told["accepted"] + told["failed"] == told["rows"] < 100_000
    assert f"{count} accepted" in told["notes"][0]
    assert len(told["notes"]) == 1
    assert max(sandbox.counts.values()) == 1
    assert (code, errors) == (0, "")


def test_a_bulk_send_does_not_wait_for_ever(sandbox: Sandbox) -> None:
    """Answers that do not come within the grace leave their rows unknown, and no others."""
    sandbox.fault(Fault.latency(30), operation="EnviarSMS", times=None, after=60)
    with child(BULK.format(grace=0.3), sandbox) as program:
        program.line()
        wait_until(lambda: sandbox.max_in_flight == 8)
        started = time.monotonic()
        os.kill(program.process.pid, signal.SIGINT)
        told = program.line()

    assert time.monotonic() - started < 20
    assert (told["accepted"], told["unknown"]) == (5901, 800)
    sandbox.clear_faults()


def test_a_second_ctrl_c_changes_nothing(sandbox: Sandbox) -> None:
    """Impatience does not lose the account of what was sent."""
    sandbox.latency = 0.5
    with child(BULK.format(grace=5), sandbox) as program:
        program.line()
        wait_until(lambda: sandbox.texts)
        time.sleep(0.2)
        for _ in range(3):
            os.kill(program.process.pid, signal.SIGINT)
            time.sleep(0.03)
        told = program.line()
        count = still(sandbox)

    assert told["accepted"] == count
    assert told["unknown"] == 0


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

    assert first["accepted"] + second["accepted"] == still(sandbox)
    assert first["accepted"] > 0
    assert second["accepted"] > 300
    assert last["credits"] == str(sandbox.credits)


def test_system_exit_from_a_signal_handler_ends_a_send_too(sandbox: Sandbox) -> None:
    """A worker told to stop (SIGTERM) raises SystemExit wherever it is: the same account of what was sent."""
    sandbox.latency = 0.1
    code = """
        import signal
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        with Mensatek() as client:
            tell(ready=True)
            try:
                client.sms.send_bulk(phones(100_000), "Hola", chunk_size=100)
            except SystemExit as error:
                tell(**told_by(error))
                raise
    """
    with child(code, sandbox) as program:
        program.line()
        wait_until(lambda: len(sandbox.texts) > 300)
        os.kill(program.process.pid, signal.SIGTERM)
        told = program.line()
        count = still(sandbox)
        code_, _ = program.end()

    assert told["accepted"] == count
    assert code_ == 3
