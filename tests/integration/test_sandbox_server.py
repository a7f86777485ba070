"""The sandbox as a server: faults on the wire, starting, stopping, connections, styles over HTTP."""

from __future__ import annotations

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import ANA, LUIS, Caller, calling

pytestmark = pytest.mark.mensatek_sandbox(block_after=1000)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("processed", [False, True])
def test_drops(sandbox: Sandbox, call: Caller, processed: bool, reset: bool) -> None:
    """The connection goes away before the text was accepted, or after; the next call is fine."""
    drop = Fault.drop_after_accept if processed else Fault.drop_before
    sandbox.fault(drop(reset=reset), operation="EnviarSMS")
    call("GetCreditos")
    with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
        call.send(ANA)
    (sent,) = sandbox.calls("EnviarSMS")
    assert (sandbox.count(ANA), sent.status) == (processed, None)
    assert (sent.reply and sent.reply["Res"]) == (1 if processed else None)
    assert call.send(ANA)["Res"] == 1


def test_trouble_that_was_asked_for_is_quiet(
    sandbox: Sandbox, call: Caller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is logged or printed; of an answer that is cut the text was accepted."""
    caplog.set_level(logging.DEBUG)
    for fault in (Fault.drop_before(), Fault.drop_after_accept(reset=True), Fault.cut_body()):
        sandbox.fault(fault)
        with pytest.raises(httpx.TransportError) as ended:
            call.send(ANA)
    assert "without sending complete" in str(ended.value)
    assert sandbox.count(ANA) == 2
    with socket.create_connection(("127.0.0.1", int(sandbox.base_url.split(":")[2][:-3]))) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert {record.name.split(".")[0] for record in caplog.records} <= {"httpx", "httpcore", "asyncio"}
    assert capfd.readouterr() == ("", "")


DATE = "Wed, 21 Oct 2027 07:28:00 GMT"


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "sent"),
    [
        (Fault.status_429(7), 429, "7", 0),
        (Fault.status_429(), 429, None, 0),
        (Fault.status_503(DATE), 503, DATE, 0),
        (Fault.status_503(processed=True), 503, None, 1),
        (Fault.http_status(500, processed=True), 500, None, 1),
        (Fault.html_page(), 200, None, 0),
        (Fault.html_page(502, processed=True), 502, None, 1),
    ],
)
def test_statuses_and_pages(
    sandbox: Sandbox, call: Caller, fault: Fault, status: int, retry_after: str | None, sent: int
) -> None:
    """Each comes with its status, its Retry-After and HTML, processed or not as it says."""
    sandbox.fault(fault)
    answer = call.post("EnviarSMS", {"Remitente": "X", "Destinatarios": [{"Movil": ANA}], "Mensaje": "Hola"})
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert (sandbox.count(ANA), sandbox.requests[0].status) == (sent, status)


@pytest.mark.parametrize("body", ["¿qué?", "¿qué?".encode()])
def test_any_reply(sandbox: Sandbox, call: Caller, body: Any) -> None:
    """Any body with any status and type."""
    sandbox.fault(Fault.reply(body, 418, kind := "text/x; charset=utf-8"))
    answer = call.post("GetCreditos")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (418, "¿qué?", kind)


def test_any_code(sandbox: Sandbox, call: Caller) -> None:
    """A result code of the operation in the form the call asked for, nothing processed."""
    sandbox.fault(Fault.refuse(-2, CreditosNecesarios=5))
    assert call.send(ANA) == {"Res": -2, "CreditosNecesarios": 5}
    sandbox.fault(Fault.refuse(-99, "Algo"), times=None)
    assert call.post("GetCreditos", {"Resp": "TXT"}).text == "Res:-99;\nError:Algo;\n"
    assert sandbox.requests[-1].reply == {"Res": -99, "Error": "Algo"}
    sandbox.clear_faults()
    assert call("GetCreditos")["Res"] == 1
    assert sandbox.counts == {}


def test_faults_can_look_at_the_call(sandbox: Sandbox, call: Caller) -> None:
    """A condition on the parameters chooses the calls, whether they can be read or not."""
    sandbox.fault(Fault.refuse(-3), when=lambda params: len(params.get("Destinatarios", ())) == 2)
    call.post("EnviarSMS", content=b"{", headers={"content-type": "application/json"})
    assert call.send(ANA)["Res"] == 1
    assert call.send(ANA, LUIS)["Res"] == -3


@pytest.mark.parametrize("before", [False, True])
def test_latency_and_a_caller_who_gives_up(sandbox: Sandbox, call: Caller, before: bool) -> None:
    """By default the text is accepted before the wait; `before` waits first. It adds to other faults."""
    sandbox.fault(Fault.latency(3, before=before))
    params = {"Remitente": "X", "Destinatarios": [{"Movil": ANA}], "Mensaje": "x"}
    with pytest.raises(httpx.ReadTimeout):
        call.post("EnviarSMS", params, timeout=1)
    assert sandbox.count(ANA) == (0 if before else 1)
    sandbox.latency = 0.05
    sandbox.fault(Fault.latency(0.05))
    sandbox.fault(Fault.drop_before())
    for least in (0.1, sandbox.latency):
        started = time.perf_counter()
        with suppress(httpx.RemoteProtocolError):
            assert call("GetCreditos")["Res"] == 1
        assert time.perf_counter() - started >= least
    assert sandbox.requests[-2].status is None


def test_a_failure_of_the_sandbox_itself_is_told(
    sandbox: Sandbox, call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """What breaks inside is a 500 and a log entry, not silence."""
    sandbox.fault(Fault.drop_before(), when=lambda params: params["missing"])
    assert call.post("GetCreditos").status_code == 500
    assert "failed on a request" in caplog.text
    assert "KeyError" in caplog.text


def test_caller_who_leaves_while_sending(sandbox: Sandbox) -> None:
    """Half a request and a closed connection: nothing happens, and the sandbox goes on."""
    host, port = sandbox.base_url[7:-3].split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(b"POST /v7/GetCreditos HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    with calling(sandbox) as call:
        assert call("GetCreditos")["Res"] == 1
    assert len(sandbox.requests) == 1


def test_connections_and_requests_in_flight_are_counted(sandbox: Sandbox) -> None:
    """Four callers at once are four connections and four requests in flight; one more after is reused."""
    sandbox.latency = 1
    with calling(sandbox) as call, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: call("ListarFicheros"), range(4)))
        call("GetCreditos")
    assert (sandbox.connections, sandbox.max_in_flight) == (4, 4)


def test_requests_tell_what_came(sandbox: Sandbox, call: Caller) -> None:
    """Operation, headers, parameters, status, reply and time of each call; no secret in its repr."""
    call.post("GetCreditos", {"Resp": "JSON"}, headers={"X-Test": "1"})
    (request,) = sandbox.requests
    assert (request.operation, request.status, request.params) == ("GetCreditos", 200, {"Resp": "JSON"})
    assert request.reply == {"Res": 1, "Cred": 100000}
    assert (request.headers["x-test"], request.content_type) == ("1", "application/json")
    assert abs((request.at - sandbox.now).total_seconds()) < 5
    assert request.headers["authorization"] not in repr(request)
    call.post("GetCreditos", content=b"[", headers={"content-type": "application/json"})
    assert sandbox.requests[1].params == {}


def test_start_and_stop_are_quick_and_free_the_port() -> None:
    """Up and down at once, though a caller waits for half a minute and another keeps its connection."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="start it first"):
        _ = sandbox.base_url
    sandbox.start()
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()
    sandbox.fault(Fault.latency(30), operation="ListarFicheros")
    with calling(sandbox) as call, ThreadPoolExecutor(1) as pool:
        call("GetCreditos")
        waiting = pool.submit(call, "ListarFicheros")
        while not sandbox.calls("ListarFicheros"):
            time.sleep(0.01)
        started = time.perf_counter()
        sandbox.stop()
        assert time.perf_counter() - started < 10
        assert isinstance(waiting.exception(), httpx.RemoteProtocolError)
        with pytest.raises(httpx.ConnectError):
            call("GetCreditos")
    sandbox.stop()
    assert len(sandbox.requests) == 2


def test_it_comes_back_on_a_port_of_its_own(sandbox: Sandbox, call: Caller) -> None:
    """Two sandboxes cannot have one port; after a stop it starts on the same and knows what it knew."""
    url = sandbox.base_url
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=int(url.split(":")[2].removesuffix("/v7"))).start()
    call.send(ANA)
    sandbox.stop()
    sandbox.start()
    assert (sandbox.base_url, call("GetCreditos")["Cred"]) == (url, 99999)


def test_waiting_for_its_end() -> None:
    """`wait` ends with the sandbox, or after the time given."""
    with Sandbox() as sandbox:
        sandbox.wait(timeout=0.05)
        threading.Timer(0.1, sandbox.stop).start()
        sandbox.wait()
    Sandbox().wait()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_loopback() -> None:
    """An IPv6 address is bracketed in the URL."""
    try:
        running = Sandbox(host="::1").start()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with calling(running) as call:
        assert running.base_url.startswith("http://[::1]:")
        assert call("GetCreditos")["Res"] == 1
    running.stop()
