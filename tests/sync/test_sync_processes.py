"""Exits and forks: a program ends when it is done, and a child sends as well as its parent."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from mensatek_async.sandbox import Fault, Sandbox
from tests.sync.child import child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals are as POSIX has them")


# --- ends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "held", ["client = Mensatek()", "import builtins; client = builtins.client = Mensatek()"]
)
def test_a_client_that_was_never_closed_lets_the_program_end(sandbox: Sandbox, held: str) -> None:
    """The interpreter ends at once, and says with a ResourceWarning that somebody forgot to close."""
    code = f"{held}\nclient.sms.send('600000000', 'Hola')\ntell(done=True)"
    with child(code, sandbox, "-W", "default::ResourceWarning") as program:
        program.line()
        started = time.monotonic()
        status, errors = program.end()

    assert time.monotonic() - started < 10
    assert status == 0
    assert errors.count("ResourceWarning: unclosed <Mensatek user='demo'") == 1
    assert "Traceback" not in errors
    assert sandbox.token not in errors


def test_a_client_that_was_closed_ends_silently(sandbox: Sandbox) -> None:
    """With everything a development build watches for, nothing is left over."""
    code = """
        with Mensatek() as client:
            client.sms.send("600000000", "Hola")
            client.sms.send_bulk(phones(1200), "Hola")
            client.files.upload(b"%PDF-1.7", name="a.pdf")
        client.close()
        Mensatek()
    """
    with child(code, sandbox, "-X", "dev", "-W", "error") as program:
        status, errors = program.end()

    assert (status, errors) == (0, "")


def test_a_client_that_nobody_holds_is_closed_with_a_warning(sandbox: Sandbox) -> None:
    """Like a forgotten file: collected, closed, and told; the others go on, a resource keeps its client."""
    code = """
        import gc, warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            def forget():
                Mensatek().sms.send("600000000", "Hola")
            forget()
            gc.collect()
            tell(told=[str(one.message) for one in caught if one.category is ResourceWarning])
        sms = Mensatek().sms  # which works for as long as somebody holds it
        gc.collect()
        tell(accepted=[sms.send(phone, "Hola").accepted for phone in phones(2)])
    """
    with child(code, sandbox) as program:
        told = program.line()["told"]
        assert program.line() == {"accepted": [1, 1]}

    assert len([one for one in told if "unclosed <Mensatek" in one]) == 1


DAEMON = """
        import threading, time
        client = Mensatek()
        threading.Thread(target=client.sms.send, args=("600000000", "Hola"), daemon=True).start()
        time.sleep(0.5)
        tell(done=True)
"""
TERMINATED = """
        client = Mensatek()
        tell(ready=True)
        client.sms.send("600000000", "Hola")
"""
FINALISER = """
        client = Mensatek()
        client.credits()
        class Late:
            def __del__(self, client=client):
                client.sms.send("600000001", "Adiós")
        sys.late = Late()
        tell(done=True)
"""


@pytest.mark.parametrize(
    ("code", "signalled"),
    [(DAEMON, False), (TERMINATED, True), (FINALISER, False)],
    ids=["daemon", "SIGTERM", "finaliser"],
)
def test_the_end_of_the_main_thread_is_the_end(sandbox: Sandbox, code: str, signalled: bool) -> None:
    """Whatever a daemon thread waits for, a handler-less SIGTERM hits, or a finaliser wants to send."""
    sandbox.fault(Fault.latency(30), operation="EnviarSMS")
    with child(code, sandbox) as program:
        program.line()
        if signalled:
            time.sleep(0.3)
            os.kill(program.process.pid, signal.SIGTERM)
        started = time.monotonic()
        status, _ = program.end()

    assert time.monotonic() - started < 15
    assert status == (-signal.SIGTERM if signalled else 0)
    sandbox.clear_faults()


def test_sys_exit_inside_the_block_of_a_stream_ends_it(sandbox: Sandbox) -> None:
    """The send stops, the connections close, the exit code is the program's."""
    code = """
        with Mensatek() as client:
            with client.sms.bulk(phones(100_000), "Hola", chunk_size=50) as outcomes:
                for outcome in outcomes:
                    sys.exit(7)
    """
    with child(code, sandbox, "-X", "dev") as program:
        status, errors = program.end()

    count = len(sandbox.texts)
    time.sleep(0.2)
    assert (status, errors) == (7, "")
    assert len(sandbox.texts) == count < 100_000


@pytest.mark.parametrize("registered", ["before", "after"])
def test_a_send_at_exit_works_once_the_client_was_used(sandbox: Sandbox, registered: str) -> None:
    """A last message from an exit handler arrives, in whatever order the handlers were registered."""
    code = """
        client = None
        def last_words():
            tell(accepted=client.sms.send("600000001", "Adiós").accepted)
        {before}
        from mensatek_async.sync.generated import _client
        client = Mensatek()
        client.sms.send("600000000", "Hola")
        {after}
    """
    call = "import atexit; atexit.register(last_words)"
    places = {"before": "", "after": "", registered: call}
    with child(code.format(**places), sandbox) as program:
        assert program.line() == {"accepted": 1}
        status, errors = program.end()

    assert (status, errors) == (0, "")


def test_a_first_send_at_exit_works_or_says_why_it_cannot(sandbox: Sandbox) -> None:
    """Some Pythons start no thread at exit; then the error is one of ours. It never hangs."""
    code = """
        import atexit
        from mensatek_async import ConfigurationError
        client = Mensatek()
        @atexit.register
        def last_words():
            try:
                tell(accepted=client.sms.send("600000001", "Adiós").accepted)
            except ConfigurationError as error:
                tell(error=str(error))
    """
    with child(code, sandbox) as program:
        told = program.line()
        status, _ = program.end()

    assert told == {"accepted": 1} or "interpreter is ending" in told["error"]
    assert status == 0


# --- forks ------------------------------------------------------------------------------------------------------


def test_thirty_forks_after_a_send(sandbox: Sandbox) -> None:
    """Each child sends over connections of its own, as an account too; the parent goes on over its own."""
    code = """
        client = Mensatek()
        account = client.for_account(os.environ["MENSATEK_API_USER"], os.environ["MENSATEK_API_TOKEN"])
        client.sms.send("600000000", "Hola")
        children = []
        for number in range(30):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    one = (client, account)[number % 2]
                    sent = one.sms.send(str(34_600_000_100 + number), "Hola")
                    status = 0 if sent.accepted == 1 else 2
                    client.close()
                finally:
                    os._exit(status)
            children.append(pid)
        statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        tell(statuses=statuses, accepted=client.sms.send("600000001", "Hola").accepted)
        client.close()
    """
    with child(code, sandbox, "-W", "ignore::DeprecationWarning") as program:
        told = program.line()
        status, errors = program.end()

    assert told == {"statuses": [0] * 30, "accepted": 1}
    assert (status, errors) == (0, "")
    assert len(sandbox.counts) == 32
    assert set(sandbox.counts.values()) == {1}


def test_forks_while_other_threads_send(sandbox: Sandbox) -> None:
    """A fork at any moment, with locks held and requests on their way, leaves the child a working client."""
    sandbox.latency = 0.005
    code = """
        import threading
        client = Mensatek()
        stop = threading.Event()
        sent = [0] * 4
        def work(number):
            while not stop.is_set():
                client.sms.send(str(34_610_000_000 + 1_000_000 * number + sent[number]), "Hola")
                sent[number] += 1
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        [thread.start() for thread in threads]
        statuses = []
        for number in range(30):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    status = 0 if client.sms.send(str(34_600_000_100 + number), "Hola").accepted else 2
                finally:
                    os._exit(status)
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        stop.set()
        [thread.join() for thread in threads]
        client.close()
        tell(statuses=statuses, sent=sum(sent))
    """
    with child(code, sandbox, "-W", "ignore::DeprecationWarning") as program:
        told = program.line()
        status, errors = program.end()

    assert told["statuses"] == [0] * 30
    assert (status, errors) == (0, "")
    assert len(sandbox.texts) == told["sent"] + 30
    assert max(sandbox.counts.values()) == 1


def test_a_child_that_ends_like_a_program_ends_cleanly(sandbox: Sandbox) -> None:
    """The parent's loop and tasks in the child's memory neither hang its end nor are complained about."""
    code = """
        import threading
        client = Mensatek()
        client.sms.send("600000000", "Hola")
        thread = threading.Thread(target=client.sms.send, args=("600000002", "Hola"))
        thread.start()
        pid = os.fork()
        if pid == 0:
            with client:
                client.sms.send("600000001", "Hola")
            sys.exit(0)
        thread.join()
        tell(status=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        client.close()
    """
    sandbox.latency = 0.2
    with child(code, sandbox, "-X", "dev", "-W", "ignore::DeprecationWarning") as program:
        assert program.line() == {"status": 0}
        status, errors = program.end()

    assert status == 0
    assert "Task was destroyed" not in errors
    assert "Traceback" not in errors
    assert sorted(sandbox.counts.values()) == [1, 1, 1]


def test_a_child_may_leave_a_block_of_its_parent(sandbox: Sandbox) -> None:
    """The stream belongs to the parent: a child that leaves the block touches nothing of it."""
    code = """
        from mensatek_async import ConfigurationError
        with Mensatek() as client:
            with client.sms.bulk(phones(1000), "Hola", chunk_size=100) as outcomes:
                next(outcomes)
                pid = os.fork()
                if pid == 0:
                    try:
                        next(outcomes)
                    except ConfigurationError:
                        client.sms.send("611000000", "Hola")
                        sys.exit(4)
                accepted = 1 + sum(outcome.accepted for outcome in outcomes)
        tell(accepted=accepted, status=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    with child(code, sandbox, "-W", "ignore::DeprecationWarning") as program:
        assert program.line() == {"accepted": 1000, "status": 4}

    assert sandbox.count("34611000000") == 1
