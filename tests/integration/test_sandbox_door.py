"""Who is let in: credentials, methods, paths, the block."""

from __future__ import annotations

import httpx
import pytest

from mensatek_async.sandbox import OPERATIONS, Sandbox
from tests.openapi_document import DOCUMENT
from tests.sandbox_calls import ANA, NO_TLS, NOON, Caller, calling

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=3)

JSON = {"Resp": "JSON"}


def test_all_operations_of_the_manuals_are_there(call: Caller) -> None:
    """Each path answers to POST, and to nothing else; another path does not exist."""
    assert len(OPERATIONS) == 13
    for operation in OPERATIONS:
        assert call.http.get(operation).status_code == 405
    assert call.post("EnviarFax").status_code == 404


@pytest.mark.parametrize(
    "header",
    [None, "Basic", "Basic %%%", "Bearer ZGVtbzpkZW1vLXRva2Vu", "Basic ZGVtbzpvdHJv", "Basic ñ"],
)
@pytest.mark.parametrize("status", [200, 401])
def test_refused_credentials(sandbox: Sandbox, header: str | None, status: int) -> None:
    """Missing, broken or wrong credentials are Res -1, with the status chosen."""
    sandbox.refusal_status = status
    headers = {"authorization": header.encode()} if header else {}
    answer = httpx.post(f"{sandbox.base_url}/GetCreditos", verify=NO_TLS, json=JSON, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"Res": -1})
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_token_can_be_revoked(sandbox: Sandbox, call: Caller) -> None:
    """After the token changed the old one is refused; in the style `bare` the body is just -1."""
    sandbox.token = "another"
    assert (sandbox.user, sandbox.token, sandbox.refusal_status) == ("demo", "another", 200)
    assert call("GetCreditos") == {"Res": -1}
    sandbox.reply_style = "bare"
    answer = call.post("GetCreditos")
    assert (answer.text, answer.headers["content-type"]) == ("-1", "text/html; charset=utf-8")
    assert sandbox.reply_style == "bare"


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 200_000, rb'{"Mensaje": "\ud800"}', rb'{"\uDFFF": 1}'], ids=range(4)
)
def test_unreadable_body_is_code_3_in_json(call: Caller, body: bytes) -> None:
    """A body that cannot be read cannot ask for a form: the answer is JSON."""
    reply = call.post("GetCreditos", content=body, headers={"content-type": "application/json"}).json()
    assert (reply["Res"], "JSON" in reply["Error"]) == (-3, True)


def test_wrong_calls_end_in_a_block_for_a_while(sandbox: Sandbox, call: Caller) -> None:
    """The third wrong call closes the door to everything, with 403 and HTML, until the time is over."""
    call("GetReportSMS", Idmensaje=1)
    call("GetReportSMS")
    assert not sandbox.blocked
    call("CancelarSMS", Idmensaje=1)
    assert sandbox.blocked
    answer = call.post("GetCreditos")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert (sandbox.requests[-1].status, sandbox.requests[-1].reply) == (403, None)
    sandbox.advance(61)
    assert not sandbox.blocked
    assert call("GetCreditos")["Res"] == 1


def test_quick_empty_calls_end_in_a_block(sandbox: Sandbox, call: Caller) -> None:
    """The same read three times at once blocks; with time or a send in between it does not."""
    for _ in range(4):
        call("GetCreditos")
        sandbox.advance(5)
    for _ in range(4):
        call("GetCreditos")
        call.send(ANA)
    assert not sandbox.blocked
    for _ in range(3):
        call("GetCreditos")
    assert sandbox.blocked


def test_a_sandbox_that_never_blocks() -> None:
    """A lenient one forgives everything."""
    with Sandbox(strict=False, block_after=1) as lenient, calling(lenient) as forgiven:
        for _ in range(5):
            assert forgiven("GetReportSMS", Idmensaje=1)["Res"] == -2


def test_the_openapi_document_is_served_and_points_at_the_sandbox(sandbox: Sandbox) -> None:
    """Nothing that is tried out from the served document reaches the provider; all else is as packaged."""
    answer = httpx.get(sandbox.base_url.removesuffix("/v7") + "/openapi.json")

    served = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert [server["url"] for server in served.pop("servers")] == ["/v7"]
    assert served == {name: value for name, value in DOCUMENT.items() if name != "servers"}


def test_it_deviates_on_demand() -> None:
    """JSON that is not read is a call without parameters; an operation is at its new path alone, or shares one."""
    paths = {"GetCreditos": "Saldo", "GetReportSMSCERTIFICADO": "GetReportSMS"}
    with Sandbox(json_bodies=False, paths=paths) as sandbox, calling(sandbox) as call:
        assert call.post("GetCreditos", data=JSON).status_code == 404
        assert call.post("Saldo", data=JSON).json()["Res"] == 1
        assert "Res:1" in call.post("Saldo").text
        text = {"Resp": "JSON", "Remitente": "A", "Mensaje": "Hola", "Destinatarios": ANA}
        legal = {"Contacto": "A", "Telcontacto": "900000000", "Cifcontacto": "B00000000"}
        for operation, more in (("EnviarSMS", {}), ("EnviarSMSCERTIFICADO", legal)):
            assert "Res:-3" in call.post(operation, text | more).text
            sent = call.post(operation, data=text | more).json()
            asked = {"Resp": "JSON", "Idmensaje": sent["idMensaje"]}
            assert call.post("GetReportSMS", data=asked).json()["Res"] == 1
    with pytest.raises(ValueError, match="EnviarFax"):
        Sandbox(paths={"EnviarFax": "Fax"})
