"""What an observer and the log are told of calls, pauses and callbacks, and that neither can do harm."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from mensatek_async import (
    AsyncMensatek,
    CallFinished,
    CallRetried,
    CallStarted,
    ConfigurationError,
    Guard,
    MensatekError,
    Paused,
    Retry,
    WebhookHandled,
    WebhookRefused,
)
from mensatek_async.observe.observer import Notifier
from mensatek_async.testing import delivery_report
from mensatek_async.webhooks import Receiver, Request
from tests.scripted import Answer, Script, client_of, page, reply

PHONE = "600123456"
QUICK = Retry(attempts=2, wait_initial=0.001, wait_max=0.002)
SENT = reply(idMensaje=77, Mensajes=2, NoEnviados=0, CreditosUsados="1,5", Cred=9)


class Recorder:
    """Keeps whatever it is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def _keep(self, event: Any) -> None:
        self.events.append(event)

    call_started = call_retried = call_finished = paused = _keep
    webhook_received = webhook_handled = webhook_refused = report_recorded = _keep

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a class."""
        return [event for event in self.events if type(event) is kind]

    @property
    def end(self) -> Any:
        """How the only call ended."""
        (finished,) = self.of(CallFinished)
        return finished


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


async def test_a_send_is_told_from_its_start_to_its_end(recorder: Recorder) -> None:
    """Two events of one call: what is asked, then what came of it."""
    async with client_of(Script(SENT), observer=recorder) as client:
        await client.sms.send([PHONE, "600123457"], "Hola", reference="pedido 42")

    started, finished = recorder.events
    assert (type(started), type(finished)) == (CallStarted, CallFinished)
    assert started.call == finished.call
    for event in recorder.events:
        assert (event.operation, event.kind, event.area) == ("EnviarSMS", "send", "client")
        assert (event.server_address, event.server_port) == ("api.example", 443)
        assert (event.recipients, event.reference) == (2, "pedido 42")
    assert (finished.attempts, finished.http_status, finished.result_code) == (1, 200, 1)
    assert (finished.message_id, finished.segments, finished.error_class) == (77, 2, "")
    assert (finished.credits, finished.credits_left) == (Decimal("1.5"), 9)
    assert finished.seconds_in_flight > 0 <= finished.seconds_waited


@pytest.mark.parametrize(
    ("failure", "cause", "status"),
    [
        pytest.param(httpx.ConnectError("refused"), "not_reached", None, id="no connection"),
        pytest.param(httpx.ReadTimeout("late"), "no_answer", None, id="no answer"),
        pytest.param(httpx.Response(502), "no_answer", 502, id="a server that fails"),
        pytest.param(page(), "unreadable", 200, id="a page instead of an answer"),
        pytest.param(httpx.Response(429, headers={"Retry-After": "0"}), "told_to_wait", 429, id="too many"),
    ],
)
async def test_a_repeat_is_told_with_its_cause(
    recorder: Recorder, failure: Answer, cause: str, status: int | None
) -> None:
    """The attempt that comes, why, and after how long; the end counts both."""
    script = Script(failure, reply(Informe=[]))
    async with client_of(script, retry=QUICK, observer=recorder) as client:
        await client.sms.report(77)

    (retried,) = recorder.of(CallRetried)
    assert (retried.attempt, retried.cause, retried.http_status) == (2, cause, status)
    assert retried.wait >= 0
    assert retried.call == recorder.end.call
    assert (recorder.end.attempts, recorder.end.http_status, recorder.end.message_id) == (2, 200, 77)
    assert recorder.end.seconds_waited > 0


@pytest.mark.parametrize(
    ("answer", "error", "code", "attempts"),
    [
        pytest.param(reply(Res=-2, Cred=0), "InsufficientCredits", -2, 1, id="a refusal"),
        pytest.param(httpx.ReadTimeout("late"), "OutcomeUnknown", None, 1, id="an answer that got lost"),
        pytest.param(httpx.ConnectError("no"), "ConnectionFailed", None, 2, id="no connection"),
        pytest.param(reply(idMensaje="?"), "OutcomeUnknown", 1, 1, id="an answer of another kind"),
    ],
)
async def test_an_error_is_told_by_its_class(
    recorder: Recorder, answer: Answer, error: str, code: int | None, attempts: int
) -> None:
    """Never by its words; the result code and the credits are those of the refusal."""
    script = Script(answer, repeat_last=True)
    async with client_of(script, retry=QUICK, observer=recorder) as client:
        with pytest.raises(MensatekError):
            await client.sms.send(PHONE, "Hola")

    assert (recorder.end.error_class, recorder.end.result_code, recorder.end.attempts) == (
        error,
        code,
        attempts,
    )
    assert recorder.end.credits_left == (0 if code == -2 else None)


async def test_what_never_leaves_is_told_without_attempts(recorder: Recorder) -> None:
    """An answer from memory, a call that the guard stops, and one of a closed client; what is wrong here is no call."""
    script = Script(reply(Informe=[]), httpx.Response(401))
    async with client_of(script, observer=recorder) as client:
        for _ in range(2):
            await client.sms.report(77)
        for _ in range(2):
            with pytest.raises(MensatekError):
                await client.sms.send(PHONE, "Hola")
        with pytest.raises(MensatekError):
            await client.sms.send("no phone", "Hola")
    with pytest.raises(MensatekError):
        await client.sms.send(PHONE, "Hola")

    ends = [(one.attempts, one.http_status, one.error_class) for one in recorder.of(CallFinished)]
    assert ends == [
        (1, 200, ""),
        (0, None, ""),
        (1, 401, "AuthenticationError"),
        (0, None, "AccountPaused"),
        (0, None, "ConfigurationError"),
    ]


@pytest.mark.parametrize(
    ("answer", "calls", "reason", "seconds"),
    [
        pytest.param(httpx.Response(401), 1, "credentials", 60, id="credentials refused"),
        pytest.param(httpx.Response(403), 1, "block", 300, id="blocked"),
        pytest.param(
            httpx.Response(429, headers={"Retry-After": "30"}), 1, "told_to_wait", 30, id="told to wait"
        ),
        pytest.param(reply(Res=-3), 7, "wrong_calls", 60, id="wrong calls"),
    ],
)
async def test_a_pause_of_the_guard_is_told_once(
    recorder: Recorder,
    answer: Answer,
    calls: int,
    reason: str,
    seconds: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When it begins, with its reason and length, to the observer and the log; nobody waits for it here."""
    guard = Guard(pause=60, block_pause=300, wrong_calls=5, wrong_window=60)
    settings = {"guard": guard, "retry": Retry(attempts=1, timeout=1), "observer": recorder}
    with caplog.at_level(logging.INFO, "mensatek_async.guard"):
        async with client_of(Script(answer, repeat_last=True), **settings) as client:
            for _ in range(calls):
                with pytest.raises(MensatekError):
                    await client.sms.cancel(77)

    (paused,) = recorder.of(Paused)
    assert (paused.reason, paused.operation, round(paused.seconds)) == (reason, "CancelarSMS", seconds)
    assert paused.account == recorder.of(CallFinished)[0].account
    (line,) = caplog.messages
    assert line == f"CancelarSMS: paused for {seconds} s ({reason})"


async def test_a_client_of_another_account_tells_the_same_observer(recorder: Recorder) -> None:
    """`for_account` keeps it, and the two are told apart without their names."""
    async with client_of(Script(SENT, repeat_last=True), observer=recorder) as client:
        await client.sms.send(PHONE, "Hola")
        await client.for_account("other", "token").sms.send(PHONE, "Hola")

    assert len({one.account for one in recorder.of(CallFinished)}) == 2


async def _coroutine(event: object) -> None: ...


@pytest.mark.parametrize(
    "observer",
    [
        pytest.param(SimpleNamespace(call_finnished=print), id="misspelt"),
        pytest.param(SimpleNamespace(call_finished="print"), id="not callable"),
        pytest.param(SimpleNamespace(call_finished=_coroutine), id="a coroutine function"),
        pytest.param(Recorder, id="a class"),
    ],
)
@pytest.mark.parametrize(
    "place", [partial(AsyncMensatek, "user", "token"), partial(Receiver, print, allow_unauthenticated=True)]
)
def test_an_observer_that_could_not_be_told_is_refused(observer: object, place: Callable[..., Any]) -> None:
    """At once, not by silence."""
    with pytest.raises(ConfigurationError, match="observer"):
        place(observer=observer)


async def test_an_observer_that_raises_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Every call goes on; the log says it once."""

    class Broken(Recorder):
        def __getattribute__(self, name: str) -> Any:
            def fail(*_: object) -> None:
                raise ZeroDivisionError

            return fail

    broken = Broken()
    failure = httpx.ConnectError("no")
    async with client_of(Script(failure, SENT, httpx.Response(401)), retry=QUICK, observer=broken) as client:
        assert (await client.sms.send(PHONE, "Hola")).message_id == 77
        with pytest.raises(MensatekError, match="EnviarSMS"):
            await client.sms.send(PHONE, "Hola")
    receiver = Receiver(lambda event: None, allow_unauthenticated=True, observer=broken)
    report = delivery_report()
    request = Request(content_type=report.content_type, body=report.body)
    assert [(await receiver.receive(request)).status for _ in range(2)] == [200, 200]

    of_client, of_webhook = (one for one in caplog.records if "The observer's" in one.getMessage())
    assert (of_client.levelname, of_client.name) == ("ERROR", "mensatek_async.call")
    assert "call_started raised ZeroDivisionError" in of_client.getMessage()
    assert "webhook_received" in of_webhook.getMessage()


@pytest.mark.parametrize("written", ["", None, 7, "00-x", f"00-{'a' * 32}-{'b' * 16}-01 34600123456"])
def test_what_is_no_trace_context_is_not_stored(written: object) -> None:
    """Whatever an observer gives in its place."""
    assert Notifier(SimpleNamespace(traceparent=lambda: written)).traceparent() == ""


# --- callbacks ---------------------------------------------------------------------------------------------


def _fails(event: object) -> None:
    raise ZeroDivisionError("34600123456")


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize(
    ("handler", "outcomes", "error"),
    [
        pytest.param(lambda event: None, ["handled", "repeated"], "", id="handled, then once more"),
        pytest.param(_fails, ["failed", "failed"], "ZeroDivisionError", id="a handler that fails"),
    ],
)
async def test_a_callback_is_told(
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
    handler: Any,
    outcomes: list[str],
    error: str,
    sync: bool,
) -> None:
    """Received and handled, with what it is about and how long it took."""
    receiver = Receiver(handler, token="t", observer=recorder)
    report = delivery_report(message_id=77, reference="pedido 42")
    request = Request(query="token=t", content_type=report.content_type, body=report.body)
    with caplog.at_level(logging.INFO, "mensatek_async.webhooks"):
        for _ in outcomes:
            receiver.receive_sync(request) if sync else await receiver.receive(request)

    received = recorder.events[0::2]
    handled = recorder.of(WebhookHandled)
    assert [one.callback for one in received] == [one.callback for one in handled]
    assert [one.outcome for one in handled] == outcomes
    assert {one.error_class for one in handled} == {error}
    assert {(one.kind, one.message_id, one.reference) for one in recorder.events} == {
        ("DeliveryReport", 77, "pedido 42")
    }
    lines = [one for one in caplog.messages if one.startswith("DeliveryReport of message 77: ")]
    assert [line.split(": ")[1].split(",")[0] for line in lines] == outcomes


@pytest.mark.parametrize(
    ("changes", "reason", "status"),
    [
        pytest.param({"query": ""}, "unauthorized", 401, id="no token"),
        pytest.param({"method": "PUT"}, "method", 405, id="another method"),
        pytest.param({"body": b"x" * 70_000}, "too_large", 413, id="too large"),
        pytest.param({"body": b"?"}, "unreadable", 400, id="no callback"),
    ],
)
async def test_a_request_that_is_turned_away_is_told(
    recorder: Recorder, changes: dict[str, Any], reason: str, status: int
) -> None:
    """With the reason alone."""
    receiver = Receiver(print, token="t", observer=recorder)
    await receiver.receive(Request(**{"query": "token=t", **changes}))

    assert recorder.events == [WebhookRefused(reason=reason, http_status=status)]  # type: ignore[arg-type]
