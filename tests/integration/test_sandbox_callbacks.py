"""The sandbox posts what happens, as the manuals say; taken in by a plain server that knows nothing of the client."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mensatek_async.sandbox import Callbacks, Sandbox
from tests.sandbox_calls import ANA, EVA, LUIS, NOON, Caller
from tests.webhook_servers import Listener

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server for callbacks."""
    with Listener() as running:
        yield running


def test_every_status_is_posted_when_it_is_reached(
    sandbox: Sandbox, call: Caller, listener: Listener
) -> None:
    """Awaiting delivery at once, delivered three seconds later by the sandbox's clock, with all fields."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    message_id = call.send(ANA, Referenciausuario="cita 7")["idMensaje"]

    assert callbacks.wait(5)
    assert [told["Resultado"] for told in listener.told] == [2]
    sandbox.advance(3)
    assert callbacks.wait(5)

    awaiting, delivered = listener.told
    assert delivered.pop("idReport") == awaiting["idReport"] > 0
    assert delivered == {
        "Servicio": "SMSMASIVO",
        "Resultado": 11,
        "Remitente": "MIEMPRESA",
        "Movil": ANA,
        "Fecha": "2027-01-08 12:00:03",
        "Segundos": 3,
        "idMensaje": message_id,
        "Referencia": "cita 7",
    }


def test_certified_texts_and_their_documents(sandbox: Sandbox, call: Caller, listener: Listener) -> None:
    """All numbers as strings, as in its manual's sample; opening the PDF is a status, and an event of the document."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    call.certify(ANA)
    call.certify(ANA, text="Firme: (BASE64:0:JVBERi0xLjQ=)", Tipocontrato=18, Links=1)

    sandbox.advance(15)
    assert callbacks.wait(5)

    assert all(isinstance(value, str) for told in listener.told for value in told.values())
    assert {told["Servicio"] for told in listener.told} == {"SMSCERTIFICADO", "EVENTOSSMSCERTIFICADO"}
    ways: dict[str, list[str | None]] = {}
    for told in listener.told:
        ways.setdefault(told["idMensaje"], []).append(told.get("Resultado"))
    assert [ways[one] for one in sorted(ways)] == [
        ["2", "13", "14"],
        ["2", "13", "160", None, "161", "162", "180"],
    ]
    (opened,) = (told for told in listener.told if told.get("Resultado") == "160")
    assert json.loads(opened["Variables"]) == {"IP": "127.0.0.1"}


def test_a_reply_comes_in(sandbox: Sandbox, call: Caller, listener: Listener) -> None:
    """What somebody writes is told with the message it replies to."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    with pytest.raises(KeyError):
        callbacks.receive(ANA, "SI", message_id=1)
    message_id = call.send(ANA, Referenciausuario="r")["idMensaje"]

    callbacks.receive(ANA, "Sí", message_id=message_id)
    callbacks.receive(EVA, "hola")
    assert callbacks.wait(5)

    reply, other = (one for one in listener.told if one["Servicio"] == "SMSRECIBIDO")
    assert (reply["idM"], reply["Referencia"], reply["Mensaje"]) == (message_id, "r", "Sí")
    assert reply["timestamp"] == int(NOON.timestamp())
    assert (other["idM"], other["idR"], other["EsCert"]) == (0, 0, "false")


@pytest.mark.parametrize("form", ["form", "multipart"])
@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_forms_and_credentials(sandbox: Sandbox, listener: Listener, form: str, charset: str) -> None:
    """Both form encodings, in both charsets; Basic in the header, the token in the URL beside what was there."""
    secrets = {"username": "u", "password": "ñ", "token": "t&="}
    asked: dict[str, Any] = {"form": form, "charset": charset, "numeric_phones": True}
    callbacks = sandbox.call_back(Callbacks(f"{listener.url}?a=b", **asked, **secrets))

    callbacks.receive(ANA, "mañana")
    assert callbacks.wait(5)

    (body,), (headers,) = listener.bodies, listener.headers
    if form == "form":
        assert parse_qs(body.decode(), encoding=charset)["Mensaje"] == ["mañana"]
    else:
        assert 'name="Mensaje"\r\n\r\nmañana\r\n'.encode(charset) in body
    assert headers["Content-Type"].startswith(("application/x-www-form", "multipart/form-data"))
    assert parse_qs(urlsplit(listener.paths[0]).query) == {"a": ["b"], "token": ["t&="]}
    assert headers["Authorization"] == f"Basic {base64.b64encode('u:ñ'.encode()).decode()}"


def test_credentials_of_the_url_are_no_part_of_it(sandbox: Sandbox, listener: Listener) -> None:
    """As a browser and the command's users write them; the URL that is shown and posted to has none."""
    callbacks = sandbox.call_back(Callbacks(listener.url.replace("//", "//u:%C3%B1%40@")))

    callbacks.receive(ANA, "mañana")

    assert callbacks.wait(5)
    assert callbacks.url == listener.url
    assert listener.headers[0]["Authorization"] == f"Basic {base64.b64encode('u:ñ@'.encode()).decode()}"


@pytest.mark.parametrize(
    ("answers", "tried"),
    [([500, 0, 200], [500, 200]), ([500] * 9, [500, 500, 500]), (None, [None, None, None])],
    ids=["taken in the end", "never taken", "nobody there"],
)
def test_what_is_not_taken_is_posted_again(
    sandbox: Sandbox, listener: Listener, answers: list[int] | None, tried: list[int | None]
) -> None:
    """An error and a lost answer are repeated; after the last repeat it is given up and named."""
    listener.answers = answers or []
    url = "http://127.0.0.1:9/" if answers is None else listener.url
    callbacks = sandbox.call_back(Callbacks(url, retries=2, retry_seconds=0.01))

    callbacks.receive(ANA, "hola")
    assert callbacks.wait(5)

    (post,) = callbacks.posts
    assert (post.answers, post.taken, len(callbacks.lost)) == (tried, tried[-1] == 200, tried[-1] != 200)
    assert len(set(listener.bodies)) == (answers is not None)


def test_callbacks_stop_and_go_on_with_the_sandbox(
    sandbox: Sandbox, call: Caller, listener: Listener
) -> None:
    """Stopped with it, nothing is posted; started again, nothing is missing."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    call.send(ANA)
    assert callbacks.wait(5)

    sandbox.stop()
    assert not [thread.name for thread in threading.enumerate() if "mensatek-sandbox" in thread.name]
    sandbox.advance(3)
    assert len(listener.bodies) == 1
    sandbox.start()
    assert callbacks.wait(5)

    assert [told["Resultado"] for told in listener.told] == [2, 11]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("url", "ftp://127.0.0.1/"), ("url", "http://"), ("form", "xml"), ("username", "u")),
        *(("duplicates", 2.0), ("retries", -1), ("connections", 0), ("timeout", 0)),
    ],
)
def test_settings_that_make_no_sense(sandbox: Sandbox, name: str, value: object) -> None:
    """A misprint shows at once; so does use before they are handed over, or by two sandboxes."""
    with pytest.raises(ValueError, match=r"."):
        Callbacks(**{"url": "http://127.0.0.1/", name: value})
    callbacks = Callbacks("http://127.0.0.1/")
    with pytest.raises(RuntimeError):
        callbacks.receive(ANA, "hola")
    sandbox.call_back(callbacks)
    with pytest.raises(ValueError, match="already"):
        sandbox.call_back(callbacks)


def test_a_send_without_reports_has_none(sandbox: Sandbox, call: Caller, listener: Listener) -> None:
    """`Report=0` stops statuses and documents' events; what its recipient writes comes all the same."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    message_id = call.send(ANA, Report=0)["idMensaje"]
    call.certify(LUIS, text="Firme (BASE64:2:JVBERi0xLjQ=)", Tipocontrato=18, Report=0)
    call.send(EVA, Report=1)
    sandbox.advance(3)
    sandbox.sign_contract(LUIS)
    sandbox.open_document(LUIS)
    sandbox.deliver(ANA, 50)
    sandbox.reply(ANA, "Hola")

    assert callbacks.wait(5)

    told = [(one["Servicio"], one.get("Movil")) for one in listener.told if one["Servicio"] != "SMSRECIBIDO"]
    assert told == [("SMSMASIVO", EVA), ("SMSMASIVO", EVA)]
    assert [one["idM"] for one in listener.told if one["Servicio"] == "SMSRECIBIDO"] == [message_id]


def test_a_scheduled_text_says_so_once(sandbox: Sandbox, call: Caller, listener: Listener) -> None:
    """Status 1 with the moment it leaves, as the manual says; another date is no other status. One that is cancelled
    never leaves."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    call("CancelarSMS", Idmensaje=call.send(EVA, Fecha="2027-01-09 10:00")["idMensaje"])
    message_id = call.send(ANA, Fecha="2027-01-08 13:00")["idMensaje"]
    assert callbacks.wait(5)
    sandbox.reschedule(message_id, datetime(2027, 1, 8, 13, 0, tzinfo=UTC))
    sandbox.advance(2 * 3600 + 3)
    assert callbacks.wait(5)

    ways = {
        phone: [one["Resultado"] for one in listener.told if one["Movil"] == phone] for phone in (ANA, EVA)
    }
    assert ways == {ANA: [1, 2, 11], EVA: [1, 29]}
    dates = [one["Fecha"][-8:] for one in listener.told if one["Movil"] == ANA]
    assert dates == ["13:00:00", "14:00:00", "14:00:03"]


def test_what_happens_while_nobody_listens_is_told_in_order(
    sandbox: Sandbox, call: Caller, listener: Listener
) -> None:
    """A phone that was off, an outcome and the others of one send: each status once, at its moment."""
    callbacks = sandbox.call_back(Callbacks(listener.url))
    sandbox.switch_off(LUIS)
    sandbox.set_outcome(EVA, 50)
    call.send(ANA, LUIS, EVA)
    sandbox.advance(100)
    sandbox.switch_on(LUIS)
    sandbox.switch_off(LUIS)
    sandbox.advance(1000)

    assert callbacks.wait(5)

    assert [(one["Movil"], one["Resultado"], one["Segundos"]) for one in listener.told] == [
        *((ANA, 2, 0), (LUIS, 2, 0), (EVA, 2, 0)),
        *((ANA, 11, 3), (EVA, 50, 3), (LUIS, 11, 100)),
    ]
