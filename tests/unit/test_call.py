"""One call through a client, one exchange at a time: what leaves, what comes back, what is raised and remembered."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from mensatek_async import (
    AccountPaused,
    AlreadyCancelled,
    APIError,
    AsyncMensatek,
    AuthenticationError,
    BadParameters,
    ConfigurationError,
    ConnectionFailed,
    InsufficientCredits,
    InvalidRequest,
    MensatekError,
    OutcomeUnknown,
    Retry,
    TooManyRequests,
    UnexpectedReply,
)
from tests.scripted import BASE_URL, TOKEN, USER, Script, chain, client_of, page, reply

PHONE, TEXT = "34600123456", "Su cita secreta es el martes"
ONCE = Retry(attempts=1)
QUICK = Retry(wait_initial=0.001, wait_max=0.002)
SENT = {"Res": 1, "idMensaje": 77, "Cred": 9, "Mensajes": 1, "NoEnviados": 0, "CreditosUsados": 1}


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """Mocked exchanges below httpx's own transport."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with respx.mock(base_url=BASE_URL) as mocked:
        yield mocked


def real_client(**settings: Any) -> AsyncMensatek:
    """A client on httpx's own transport."""
    return AsyncMensatek(USER, TOKEN, base_url=BASE_URL, **settings)


def body(status: int, content: bytes, media_type: str = "application/json") -> httpx.Response:
    """An answer with this body."""
    return httpx.Response(status, content=content, headers={"Content-Type": media_type})


# --- what leaves and what comes back -----------------------------------------------------------------------


async def test_a_send_as_json(router: respx.MockRouter) -> None:
    """The manual's names in a JSON object, the answer in ours."""
    route = router.post("/EnviarSMS").respond(200, json=[SENT])
    async with real_client(sender="ACME") as client:
        sent = await client.sms.send("+34 600 12 34 56", TEXT)

    assert json.loads(route.calls.last.request.content) == {
        "Remitente": "ACME",
        "Destinatarios": [{"Movil": PHONE}],
        "Mensaje": TEXT,
        "Unicode": 0,
        "Resp": "JSON",
    }
    assert (sent.message_id, sent.accepted, sent.rejected, sent.segments) == (77, 1, 0, 1)
    assert (sent.credits_used, sent.credits_left) == (Decimal(1), Decimal(9))
    assert client.last_credits == 9


async def test_the_escape_hatch(router: respx.MockRouter) -> None:
    """Any operation by its name in any case, parameters as given, `Resp` ours, the reply in the manual's spelling."""
    route = router.post("/GetReportSMS").respond(
        200, json=[{"RES": 1, "CRED": "12,5", "informe": [{"TELEFONO": PHONE, "otro": 1}]}]
    )
    async with real_client() as client:
        answer = await client.request("getreportsms", {"idmensaje": 5, "RESP": "TXT", "Nada": None})

    assert json.loads(route.calls.last.request.content) == {"idmensaje": 5, "Resp": "JSON"}
    assert answer == {"Res": 1, "Cred": "12,5", "Informe": [{"Telefono": PHONE, "otro": 1}]}
    assert (answer["res"], answer.get("SALDO"), "CRED" in answer, 5 in answer) == (1, None, True, False)
    assert answer["Informe"][0]["OTRO"] == 1
    assert client.last_credits == Decimal("12.5")


async def test_an_answer_given_from_memory_cannot_be_spoilt() -> None:
    """What one caller does to its reply is not seen by the next; and after a refused call it is still known."""
    async with client_of(Script(reply(Cred=5), reply(Res=-1))) as client:
        first = await client.request("GetCreditos")
        first.clear()
        assert (await client.request("GetCreditos"))["Cred"] == 5
        with pytest.raises(AuthenticationError):
            await client.sms.send(PHONE, "Hola")
        assert await client.credits() == 5


@pytest.mark.parametrize("form", ["JSON", "TXT", "XML"])
async def test_the_body_as_it_came(form: Any) -> None:
    """`raw` asks for a form of reply, of these three, and gives its bytes, after reading them for errors."""
    bodies = {"JSON": b'[{"Res":1}]', "TXT": b"Res:1;\n", "XML": b"<result><Res>1</Res></result>"}
    script = Script(httpx.Response(200, content=bodies[form]), httpx.Response(200, content=b"Res:-2;"))
    async with client_of(script) as client:
        assert await client.raw("CancelarSMS", {"Idmensaje": 5}, resp=form) == bodies[form]
        assert script.params()["Resp"] == form
        with pytest.raises(APIError):
            await client.raw("CancelarSMS", {"Idmensaje": 6}, resp=form)
        with pytest.raises(InvalidRequest, match="'JSON', 'TXT' or 'XML'"):
            await client.raw("GetCreditos", resp="YAML")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["application/pdf", "Application/ZIP", "application/octet-stream; name=x"])
async def test_a_certificate_comes_as_bytes(kind: str) -> None:
    """A file is passed through by `raw`, whatever it holds; `request`, which has nothing to decode, names `raw`."""
    async with client_of(Script(*[body(200, b"-1", kind)] * 2)) as client:
        assert await client.raw("GetSMSCERTIFICADO", {"Idmensaje": 5}) == b"-1"
        with pytest.raises(UnexpectedReply, match="raw"):
            await client.request("GetSMSCERTIFICADO", {"Idmensaje": 6})


async def test_where_an_operation_is_called() -> None:
    """One nobody lists under its own name, with the common codes, never from memory; `paths=` takes a call elsewhere,
    where the operation keeps its codes."""
    script = Script(reply(Res=3), reply(Res=4), reply(Res=-5, Error="ya cancelado"), reply(Res=-1))
    async with client_of(script, paths={"CancelarSMSCERTIFICADO": "AnularSMSCERT"}) as client:
        assert [(await client.request("GetVoz"))["Res"] for _ in range(2)] == [3, 4]
        with pytest.raises(AlreadyCancelled) as caught:
            await client.request("CancelarSMSCERTIFICADO", {"Idmensaje": 5})
        with pytest.raises(AuthenticationError):
            await client.request("GetVoz")

    assert caught.value.operation == "CancelarSMSCERTIFICADO"
    assert [request.url.path for request in script.requests[1:3]] == ["/v7/GetVoz", "/v7/AnularSMSCERT"]


# --- refused before anything leaves ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        *((name, {}) for name in ("", "Enviar SMS", "../v6/EnviarSMS", "1SMS", "a?b", "ñ", "a\n", None)),
        (5, {}),
        ("GetCreditos", ["Resp"]),
        ("GetCreditos", {5: 1}),
        ("GetCreditos", {"": 1}),
        ("CancelarSMS", {"Idmensaje": 5, "idmensaje": 6}),
        ("CancelarSMS", {"Idmensaje": object()}),
        ("CancelarSMS", {"Idmensaje": float("nan")}),
        ("EnviarSMS", {"Mensaje": "\ud83d"}),  # half a character
    ],
)
async def test_a_call_that_cannot_be_is_not_made(operation: Any, params: Any) -> None:
    """The escape hatch checks what it can, in both request formats, and nothing leaves."""
    for request_format in ("json", "form"):
        async with client_of(Script(), request_format=request_format) as client:
            with pytest.raises(InvalidRequest):
                await client.request(operation, params)
            with pytest.raises(InvalidRequest):
                await client.raw(operation, params)


async def test_a_closed_client_refuses_calls() -> None:
    """Also those it could answer from memory."""
    client = client_of(Script(reply(Cred=5)))
    await client.credits()
    await client.aclose()
    for call in (
        client.credits,
        lambda: client.request("GetCreditos"),
        lambda: client.sms.send(PHONE, "Hola"),
    ):
        with pytest.raises(ConfigurationError, match="closed"):
            await call()


# --- what answers say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b'[{"Res": 1, "Cred": "1.234,50"}]', 200, Decimal("1234.50")),
        (b'{"Res": 3, "CRED": 7}', 201, 7),
        (b'{"Res": -3, "CRED": 7}', 200, 7),
        (b'{"Res": -3, "Saldo": 7}', 400, 7),
        (b'{"Res": 1}', 202, None),
        (b'{"Res": 1, "Cred": "muchos"}', 206, None),
        (b"<html>Oops</html>", 200, None),
    ],
)
async def test_every_answer_tells_the_credits_it_names(
    content: bytes, status: int, told: Decimal | None
) -> None:
    """Also a refusal, since `last_credits` is what the newest reply of any kind said; 2xx are read as usual."""
    async with client_of(Script(body(status, content)), retry=ONCE) as client:
        try:
            assert (await client.sms.cancel(5)).cancelled > 0
        except (APIError, OutcomeUnknown):
            assert b'"Res": -3' in content or b"html" in content
        assert client.last_credits == told


async def test_a_refusal_without_words() -> None:
    """The meaning of its code; what is needed and left, in the older name and Spanish notation too."""
    missing = reply(Res=-2, Cred="1.234,50", CredNecesarios="2000,00")
    async with client_of(Script(reply(Res=-3), missing)) as client:
        with pytest.raises(BadParameters, match="mandatory parameter is missing"):
            await client.sms.send(PHONE, TEXT)
        with pytest.raises(InsufficientCredits) as caught:
            await client.sms.send(PHONE, TEXT)
        assert client.last_credits == await client.credits() == Decimal("1234.5")

    assert (caught.value.needed, caught.value.left) == (2000, Decimal("1234.50"))


async def test_nothing_done_is_a_refusal_where_one_thing_is_asked() -> None:
    """`Res` 0 of an upload or a deletion is no success; of a send it is a result like others."""
    async with client_of(Script(reply(Res=0), repeat_last=True)) as client:
        for call in (
            lambda: client.files.upload(b"%PDF", name="a.pdf"),
            lambda: client.files.delete("a.pdf"),
        ):
            with pytest.raises(APIError) as caught:
                await call()
            assert caught.value.code == 0
        assert (await client.sms.send(PHONE, TEXT)).accepted == 0


async def test_a_missing_page_of_a_path_nobody_saw_names_the_remedy() -> None:
    """It was inferred, and can be replaced."""
    async with client_of(Script(page(404))) as client:
        with pytest.raises(BadParameters, match="paths= replaces it"):
            await client.certified.cancel(5)


# --- refusals ----------------------------------------------------------------------------------------------


QUOTED = "Su cita es el martes a las 10:00 con la doctora Ruiz"


@pytest.mark.parametrize(
    ("told", "params", "shown"),
    [
        (f"Texto no válido: {QUOTED}!", {"Mensaje": QUOTED}, "Texto no válido: ***!"),
        (f"{QUOTED} y {QUOTED}", {"MENSAJE": QUOTED}, "*** y ***"),
        (f"Texto: {QUOTED[:30]}...", {"Mensaje": QUOTED}, "Texto: ***..."),
        ("Texto: a b c d", {"Mensaje": "a\n b\t c   d"}, "Texto: ***"),
        ("Contenido QUJDRA== malo", {"Contenido": "QUJDRA=="}, "Contenido *** malo"),
        ("El valor Ana Ruiz sobra", {"Destinatarios": [{"Variable_1": "Ana Ruiz"}]}, "El valor *** sobra"),
        ("Falta el parámetro Mensaje", {"Mensaje": "Hola"}, "Falta el parámetro Mensaje"),
        ("No: el", {"Mensaje": "el"}, "No: el"),
        ("Remitente ACME malo", {"Remitente": "ACME"}, "Remitente ACME malo"),
        ("Sobran 1, 2", {"Destinatarios": ["x", 3], "Mensaje": 5}, "Sobran 1, 2"),
        (f"token {TOKEN} caducado", {}, "token *** caducado"),
        *((number, {}, number) for number in ("Mensaje 10573758", "quedan 14.970,00", "Res -3")),
        *((number, {}, number) for number in ("quedan 1234567890.50", "id a123456789012")),
        (f"El número {PHONE} no es", {}, "El número 346***56 no es"),
        (f"El número +{PHONE} no es", {}, "El número +34***56 no es"),
        ("El número 600123456 no es", {}, "El número 600***56 no es"),
    ],
)
async def test_what_the_provider_quotes_is_taken_out(told: str, params: dict[str, Any], shown: str) -> None:
    """Texts, contents, fields and secrets, whole or cut off, and phones but for their ends; names and codes stay."""
    async with client_of(Script(reply(Res=-3, Error=told))) as client:
        with pytest.raises(BadParameters) as caught:
            await client.request("EnviarSMS", params)

    error = caught.value
    assert error.detail == shown
    words = f"{chain(error)} {''.join(traceback.format_exception(error))}"
    assert not [part for part in (QUOTED[:20], TOKEN, "Ana Ruiz", "600123456") if part in words]


@pytest.mark.parametrize(
    ("answer", "error", "pause"),
    [
        (reply(200, Res=-1), AuthenticationError, 60),
        (reply(401, Res=-1), AuthenticationError, 60),
        (page(403, {"Retry-After": "30"}), AccountPaused, 30),
    ],
)
async def test_a_refused_account_holds_further_calls_back(
    answer: Any, error: type[MensatekError], pause: int
) -> None:
    """Its credentials, or a block without a result code: every next call is refused here, and until when."""
    async with client_of(Script(answer)) as client:
        with pytest.raises(error) as first:
            await client.request("CancelarSMS", {"Idmensaje": 1})
        assert first.value.sent is False
        for call in (client.credits, lambda: client.sms.send(PHONE, "Hola"), client.files.list):
            with pytest.raises(AccountPaused) as caught:
                await call()
            assert pause - 5 < caught.value.retry_after <= pause
            assert caught.value.sent is False


@pytest.mark.parametrize("wrong", ["60", None, -1, float("nan"), True])
async def test_an_age_that_is_none_is_refused(wrong: Any) -> None:
    """Before anything leaves, with a name for the mistake."""
    async with client_of(Script()) as client:
        for call in (lambda: client.credits(wrong), lambda: client.sms.report(5, max_age=wrong)):
            with pytest.raises(InvalidRequest, match="max_age"):
                await call()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(status=302, headers={"Location": "https://elsewhere.example"}), OutcomeUnknown),
        (page(302, {"Location": "https://elsewhere.example"}), BadParameters),
        *((page(status), OutcomeUnknown) for status in (200, 500, 503)),
        (page(429), TooManyRequests),
        (page(503, {"Retry-After": "1"}), TooManyRequests),
        *((body(200, one), OutcomeUnknown) for one in (b"", b"[", b'[{"Cred": 5}]', b'[{"Res": "uno"}]')),
        *((body(200, one), OutcomeUnknown) for one in (b"\xff\xfe\x00", b"null", b"[1, 2]", b"true")),
        (body(200, b"%PDF-1.4", "application/pdf"), OutcomeUnknown),
        *((body(status, b'{"Res": -3}'), OutcomeUnknown) for status in (500, 502, 503, 504, 599, 408)),
        *((page(status), BadParameters) for status in (301, 307, 308, 400, 404, 405, 413)),
        *((body(401, one), AuthenticationError) for one in (b"", b"Oops", b'{"Res": -1}')),
        *((body(403, one), AccountPaused) for one in (b"", b'{"Res": 1}', b"Forbidden")),
        *((body(status, b'{"Res": -2}'), InsufficientCredits) for status in (400, 403)),
        (body(403, b"-1"), AuthenticationError),
        (body(404, b'{"Res": 1}'), OutcomeUnknown),
        (httpx.Response(200, json=[{"Res": 1, "NoEnviados": "uno"}]), OutcomeUnknown),
        (httpx.ReadError("reset"), OutcomeUnknown),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (RuntimeError(f"another transport may quote {TOKEN} and {TEXT}"), OutcomeUnknown),
        (httpx.ConnectError("refused"), ConnectionFailed),
    ],
)
async def test_what_a_send_without_repeats_ends_in(answer: Any, error: type[MensatekError]) -> None:
    """Whether it may have been sent is never guessed: `sent` is None exactly when nobody knows."""
    async with client_of(Script(answer), retry=ONCE) as client:
        with pytest.raises(error) as caught:
            await client.sms.send(PHONE, TEXT)

    assert type(caught.value) is error
    assert caught.value.sent is (None if error is OutcomeUnknown else False)
    assert error is not BadParameters or "is base_url right" in str(caught.value)
    assert error not in (ConnectionFailed, TooManyRequests) or "Nothing was sent" in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value, chain=not isinstance(answer, RuntimeError)))
    assert not [part for part in (TEXT, PHONE, TOKEN, "uno") if part in shown]
    if isinstance(caught.value, OutcomeUnknown):
        assert caught.value.asked["Mensaje"] == TEXT
        assert caught.value.asked["Destinatarios"] == [{"Movil": PHONE}]


@pytest.mark.parametrize(
    ("answer", "error", "problem"),
    [
        (page(200), UnexpectedReply, "web page"),
        (page(500), UnexpectedReply, None),
        (httpx.ReadError("reset"), UnexpectedReply, None),
        (reply(), UnexpectedReply, "missing @ Cred"),
        (reply(Cred="muchos"), UnexpectedReply, "a number, got a text @ Cred"),
        (httpx.ConnectError("refused"), ConnectionFailed, None),
    ],
)
async def test_what_a_read_without_repeats_ends_in(
    answer: Any, error: type[MensatekError], problem: str | None
) -> None:
    """A read changes nothing, so its outcome is never unknown; what cannot be read is named by its place."""
    async with client_of(Script(answer), retry=ONCE) as client:
        with pytest.raises(error, match=problem) as caught:
            await client.credits()

    assert type(caught.value) is error
    assert caught.value.sent is False
    assert "muchos" not in str(caught.value)


# --- logging -----------------------------------------------------------------------------------------------


async def test_no_log_shows_a_secret(router: respx.MockRouter, caplog: pytest.LogCaptureFixture) -> None:
    """Neither ours nor httpx's, however much is logged; ours tells of repeats."""
    router.post("/EnviarSMS").mock(
        side_effect=[httpx.ConnectError("refused"), httpx.Response(200, json=[SENT])]
    )
    login = httpx.BasicAuth(USER, TOKEN)._build_auth_header(USER, TOKEN).removeprefix("Basic ")
    with caplog.at_level(logging.DEBUG):
        async with real_client(retry=QUICK) as client:
            await client.sms.send(PHONE, TEXT)

    logged = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert "EnviarSMS: not_reached; attempt 2" in logged
    assert "EnviarSMS: HTTP 200" in logged
    assert not [part for part in (TOKEN, login, TEXT, PHONE) if part in logged]
