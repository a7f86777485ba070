"""Certified texts: what goes onto the wire, and every refusal before anything leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from mensatek_async import (
    ContractType,
    Identify,
    InvalidDate,
    InvalidField,
    InvalidFile,
    InvalidPhone,
    InvalidRequest,
    Issuer,
    Recipient,
    Template,
)
from mensatek_async._core.messages.message import compose
from mensatek_async._core.operations import OPERATIONS
from mensatek_async.text import elements
from tests.scripted import Script, client_of, reply

ISSUER = Issuer("EMPRESA S.L.", "900 000 000", "B-00000000")
PDF = b"%PDF-1.7\n%...\n%%EOF\n"
SENT = {"idMensaje": 5, "Cred": 10}


async def test_everything_on_the_wire() -> None:
    """The manual's sample, by our names: each parameter under its own wire name and in its own form."""
    script = Script(reply(**SENT))
    async with client_of(script, sender="MIEMPRESA") as client:
        await client.certified.send(
            Recipient("600000000", {"nombre": "Ana"}),
            Template("Para {nombre} " + elements.file("notifica.pdf")),
            issuer=ISSUER,
            contract_type=0,
            reference="Your reference",
            report=False,
            join=1765987,
            validity=timedelta(days=3, hours=5, minutes=7),
            identify=Identify.certificate("12345678-e"),
            acceptance_days=10,
            report_email="avisos@empresa.es",
        )

    assert script.requests[0].url.path.endswith("/EnviarSMSCERTIFICADO")
    assert script.params() == {
        "Remitente": "MIEMPRESA",
        "Destinatarios": [{"Movil": "34600000000", "Variable_1": "Ana"}],
        "Mensaje": "Para (Variable_1) (FILE:2:notifica.pdf)",
        "Tipocontrato": 0,
        "Referenciausuario": "Your reference",
        "Report": 0,
        "Idmensaje": 1765987,
        "Contacto": "EMPRESA S.L.",
        "Telcontacto": "900000000",
        "Cifcontacto": "B00000000",
        "Vpd": 3,
        "Vph": 5,
        "Vpm": 7,
        "Identificar": "CERTIFICADO-12345678E",
        "Aceptacion": 10,
        "Emailreport": "avisos@empresa.es",
        "Unicode": 0,
        "Links": 1,
        "Resp": "JSON",
    }


async def test_what_is_not_given_is_not_sent() -> None:
    """The provider's defaults are its own; only the issuer is needed, the call's or else the client's."""
    script = Script(reply(**SENT), reply(**SENT))
    other = Issuer("Otra", "+34 911 111 111", "FR 12345678901", check=False)
    async with client_of(script, issuer=ISSUER) as client:
        assert client.issuer is ISSUER
        sent = await client.certified.send("600000000", "Hola")
        await client.certified.send("600000000", "Hola", issuer=other)

    assert sent.message_id == 5
    named = ("Contacto", "Telcontacto", "Cifcontacto")
    assert script.params(0).keys() == {"Remitente", "Destinatarios", "Mensaje", "Unicode", "Resp", *named}
    assert [script.params(0)[name] for name in named] == ["EMPRESA S.L.", "900000000", "B00000000"]
    assert [script.params(1)[name] for name in named] == ["Otra", "+34911111111", "FR 12345678901"]


@pytest.mark.parametrize(
    ("validity", "wire"),
    [
        (timedelta(minutes=1), (0, 0, 1)),
        (timedelta(hours=24), (1, 0, 0)),
        (timedelta(days=20, hours=23, minutes=59), (20, 23, 59)),
        (timedelta(minutes=90), (0, 1, 30)),
    ],
)
async def test_validity_is_split(validity: timedelta, wire: tuple[int, int, int]) -> None:
    """Days, hours and minutes are three parameters on the wire."""
    script = Script(reply(**SENT))
    async with client_of(script, issuer=ISSUER) as client:
        await client.certified.send("600000000", "Hola", validity=validity)

    assert tuple(script.params()[name] for name in ("Vpd", "Vph", "Vpm")) == wire


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"issuer": "EMPRESA"}, InvalidRequest, "issuer"),
    ({"issuer": None}, InvalidRequest, "issuer"),
    *(({"contract_type": kind}, InvalidRequest, "contract_type") for kind in (True, -1, "18")),
    *(({"contract_type": kind}, InvalidFile, "PDF") for kind in (ContractType.PDF, 18)),
    *(
        ({"validity": timedelta(seconds=s)}, InvalidRequest, "validity")
        for s in (0, 59, 90, 21 * 86400, -86400)
    ),
    ({"validity": 3}, InvalidRequest, "validity"),
    *(({"identify": identify}, InvalidRequest, "identify") for identify in ("", "a\nb", 5)),
    ({"identify": "SMS", "contract_type": 1}, InvalidRequest, "identify"),
    ({"acceptance_days": 5, "contract_type": 1}, InvalidRequest, "acceptance_days"),
    *(({"acceptance_days": days}, InvalidRequest, "acceptance_days") for days in (16, -1, True, 1.5)),
    *(
        ({"report_email": to}, InvalidRequest, "report_email")
        for to in ("empresa.es", "a@b", "a@b.es,c@d.es", 5)
    ),
    ({"text": "Firme (BASE64:2:SG9sYQ==)"}, InvalidFile, "no PDF"),
    ({"to": "not a phone"}, InvalidPhone, "phone"),
    ({"to": ["600000000"] * 51}, InvalidRequest, "More than 50"),
    ({"to": []}, InvalidRequest, "recipient"),
    ({"text": " "}, InvalidRequest, "text"),
    ({"scheduled_at": datetime(2030, 1, 1)}, InvalidDate, "time zone"),
]


@pytest.mark.parametrize(("options", "error", "told"), REFUSED)
async def test_refused_before_anything_leaves(
    options: dict[str, Any], error: type[Exception], told: str
) -> None:
    """What cannot be right is named here, by one send and by a bulk one alike, and no request leaves."""
    script = Script()
    options = {"to": "600000000", "text": "Hola", "issuer": ISSUER, **options}
    to, text = options.pop("to"), options.pop("text")
    async with client_of(script) as client:
        with pytest.raises(error, match=told):
            await client.certified.send(to, text, **options)
        if to == "600000000":  # of many, a broken recipient is reported and not raised
            with pytest.raises(error, match=told):
                await client.certified.send_bulk([to], text, **options)
            with pytest.raises(error, match=told):
                client.certified.bulk([to], text, **options)

    assert not script.requests


@pytest.mark.parametrize(
    ("contract_type", "text"),
    [
        (18, "Firme " + elements.pdf(PDF)),
        (18, "Firme " + elements.file("contrato.pdf")),
        (18, "Firme (FILE:2:CONTRATO.PDF)"),
        (18, "Firme ( file : 2 : contrato.pdf )"),
        (18, Template("Firme (FILE:2:{nombre})")),
        (18, Template("Firme (FILE:2:{nombre}.pdf)")),
        *((kind, "Responda SI") for kind in (ContractType.REPLY, 7, 25)),
        (None, "Firme"),
        (None, "Firme " + elements.image("foto.jpg")),
        (None, "Firme " + elements.file("contrato.docx")),
        (None, "Firme " + elements.link("https://example.com/contrato.pdf")),
        (None, "Firme (FILE:2:contrato.pdf"),
        (None, Template("Firme {nombre}")),
        (None, Template("Firme (FILE:2:{nombre}.doc)")),
    ],
)
async def test_a_contract_leaves_with_what_it_needs(contract_type: int | None, text: str | Template) -> None:
    """A PDF in the request or in the library, nothing else; a reply has no document, of other numbers who knows."""
    script = Script(reply(**SENT))
    to = Recipient("600000000", {"nombre": "contrato.pdf"})
    async with client_of(script, issuer=ISSUER) as client:
        if contract_type is None:
            with pytest.raises(InvalidFile, match="needs a PDF"):
                await client.certified.send(to, text, contract_type=ContractType.PDF)
        else:
            await client.certified.send(to, text, contract_type=contract_type)
            assert script.params()["Tipocontrato"] == contract_type


@pytest.mark.parametrize("tax_id", ["", "1234", "12345678É", "1" * 21, None, "CERTIFICADO-1"])
def test_who_cannot_be_identified(tax_id: Any) -> None:
    """A tax id is 5 to 20 letters and digits; which country's is not ours to judge."""
    with pytest.raises(InvalidField, match="tax id"):
        Identify.certificate(tax_id)


@pytest.mark.parametrize("kind", [str, Template])
async def test_the_whole_document_leaves(kind: Callable[[str], Any]) -> None:
    """What counting leaves out, the wire has: byte for byte, by one send and by a bulk one."""
    content = b"%PDF-1.7\n" + bytes(range(256)) * 400
    text = "Firme " + elements.pdf(content) + " por favor"
    script = Script(reply(**SENT), repeat_last=True)
    async with client_of(script, issuer=ISSUER) as client:
        await client.certified.send("600000000", kind(text), contract_type=ContractType.PDF)
        await client.certified.send_bulk(["600000000"], kind(text), contract_type=ContractType.PDF)

    assert [script.params(n)["Mensaje"] for n in range(2)] == [text, text]


def test_a_large_document_in_the_text_is_neither_counted_nor_searched() -> None:
    """A phone shows a short link for it; a field with a parenthesis is looked at closely, without going through it."""
    text = Template("Hola {nombre}, firme: " + elements.pdf(b"%PDF-" + bytes(2_000_000)))
    message = compose(OPERATIONS["EnviarSMSCERTIFICADO"], text, sender=None, region="ES")

    assert len(message.text.text) < 200
    for name in ("Ana", "Ana (jefa)"):
        addressed = message.address(Recipient("600000000", {"nombre": name}))
        assert (message.segments, addressed.segments, addressed.unicode) == (1, 1, False)
    with pytest.raises(InvalidField, match="nombre"):
        message.address(Recipient("600000000", {"nombre": "(FILE:2:otro.pdf)"}))
