"""Replies as the field has them: an accepted send stays one, and nothing but a `DecodeError` comes out."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async import (
    AsyncMensatek,
    FileNotFound,
)
from mensatek_async._wire.decode import decode
from mensatek_async._wire.problems import DecodeError
from mensatek_async._wire.structure import structure
from mensatek_async.models.results import MessageReport, SendResult, StoredFile
from mensatek_async.webhooks import InvalidWebhook, parse

DATA = Path(__file__).parent / "data"
REPORT = {"Servicio": "SMSMASIVO", "Resultado": "11", "Movil": "34600123456", "idMensaje": "10573758"}


def result(body: bytes | str, cls: type = SendResult) -> Any:
    return structure(decode(body.encode() if isinstance(body, str) else body), cls)


@pytest.mark.parametrize("name", ["Cred", "CreditosUsados", "Mensajes"])
@pytest.mark.parametrize("value", ["N/D", "-", [], {}, True, "NaN", "1,2,3"], ids=repr)
def test_an_accepted_send_is_accepted(name: str, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What was charged and what is left are beside the point."""
    attribute = {"Cred": "credits_left", "CreditosUsados": "credits_used", "Mensajes": "segments"}[name]
    sent = result(json.dumps({"Res": 1, "idMensaje": 7, name: value}))

    assert (sent.accepted, sent.message_id, getattr(sent, attribute)) == (1, 7, None)
    assert sent.raw == {name: value}
    assert [name in one.getMessage() for one in caplog.records] == [True]


def test_what_a_reply_leaves_out_is_none() -> None:
    """None can be compared and printed; NaN raises, and 0 is a lie."""
    sent = result('{"Res": 1}')

    assert (sent.credits_left, sent.credits_used, sent.segments, sent.repeated) == (None, None, None, None)
    assert sent == result('{"Res": "1"}')
    assert result('{"Res": 1, "Cred": "0", "Mensajes": 0}').segments == 0


def test_one_odd_row_does_not_cost_a_report(caplog: pytest.LogCaptureFixture) -> None:
    """Nor do a thousand, which are one line in the log."""
    found = result((DATA / "report_one_row_bad_seconds.json").read_bytes(), MessageReport)
    assert [one.seconds for one in found.recipients] == [3, 3.5]

    rows = [{"Telefono": "34600000001", "Resultado": 13, "Tiempo": "n/a", "Fecha": "ayer"}] * 1000
    odd = result(json.dumps({"Res": 1, "Informe": rows}), MessageReport)
    assert {(one.seconds, one.reported_at, one.status.code) for one in odd.recipients} == {(None, None, 13)}
    assert odd.recipients[0].raw == {"Tiempo": "n/a", "Fecha": "ayer"}
    (record,) = caplog.records
    assert "n/a" not in record.getMessage()


@pytest.mark.parametrize(
    "row", [{"Telefono": "34600000001", "Resultado": "n/a"}, {"Telefono": "", "Resultado": 13}]
)
def test_a_row_without_its_phone_or_status_is_refused(row: dict[str, Any]) -> None:
    """Whose status it is, and which, is what a report is for."""
    with pytest.raises(DecodeError):
        result(json.dumps({"Res": 1, "Informe": [row]}), MessageReport)


def client_of(status: int = 200, **answer: Any) -> AsyncMensatek:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, **answer))
    return AsyncMensatek("u", "t", sender="S", base_url="https://x.example", transport=transport)


@pytest.mark.parametrize(
    ("stated", "complete"), [(3, False), (" 3 ", False), (1, True), (None, True), ("?", True)]
)
async def test_a_report_with_fewer_rows_says_so(
    stated: Any, complete: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider states how many recipients a message has."""
    row = {"Telefono": "34600000001", "Resultado": 13}
    async with client_of(json={"Res": 1, "Destinatarios": stated, "Informe": [row]}) as client:
        found = await client.certified.report(7)

    assert found.stated_recipients == (int(stated) if str(stated).strip().isdigit() else None)
    assert found.is_complete is complete
    assert any("3 recipients" in one.getMessage() for one in caplog.records) is not complete
    assert not found.recipients[0].status.is_final


@pytest.mark.parametrize(
    ("told", "rejected", "counts"),
    [
        *((told, None, counts) for told, counts in ((3, (3, 0)), (6, (3, 0)), (1, (1, 2)))),
        *((told, 1, (2, 1)) for told in (6, 3)),
        *((told, rejected, (1, 2)) for told, rejected in ((2, 2), (1, 4), (6, 6))),
        (0, 9, (0, 3)),
        (3, -1, (3, 0)),
    ],
)
async def test_no_more_is_accepted_and_rejected_than_was_asked(
    told: int, rejected: int | None, counts: tuple[int, int]
) -> None:
    """`Res` may count texts, or everybody in the message; three were asked for."""
    phones = ["600000001", "600000002", "600000003"]
    async with client_of(json={"Res": told, "NoEnviados": rejected, "Msgid": 7}) as client:
        sent = await client.sms.send(phones, "Hola")
        bulk = await client.sms.send_bulk(phones, "Hola")

    assert (sent.accepted, sent.rejected) == counts
    assert bulk.accepted + bulk.rejected == 3
    assert not bulk.unknown


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/octet-stream", "application/pdf", "application/zip", "text/html", ""],
)
@pytest.mark.parametrize("body", ['{"Res":-2}', '[{"Res":"-2"}]', "Res:-2;", "-2", "<code>Res:-2</code>"])
async def test_a_deletion_that_was_refused_is_an_error(content_type: str, body: str) -> None:
    """A file that is not there was not deleted, whatever the answer calls itself."""
    answer: Any = {"content": body.encode(), "headers": {"Content-Type": content_type}}
    async with client_of(**answer) as client:
        with pytest.raises(FileNotFound):
            await client.files.delete("contrato.pdf")


SEEN = '{"Res": 1, "Cred": "12,5"}'


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f"<br />\n<b>Warning</b>: x [0] {{main}} in <b>/a/b.php</b> on line <b>3</b><br />\n{SEEN}", True),
        (f"Warning: Undefined index: Res in /a.php:3\n[{SEEN}]", True),
        (f"\n\n  {SEEN}  \n", True),
        (f"{SEEN} <!-- 0.02 s -->", True),
        (f"[{SEEN}] // cached", True),
        (f"{SEEN} /* end {{}} */", True),
        (f"callback({SEEN});", True),
        (f'{{"log": []}} {SEEN}', True),
        (f'syntax error, unexpected token "{{", in {{main}} {{{{ $x["Res"] {SEEN}', True),
        (f"<code>{SEEN}</code>", True),
        (f"<pre>{SEEN}</pre>".replace('"', "&quot;"), True),
        *((f'{{"Res": 1}} {{"Res": {other}}}', False) for other in (1, 2)),
        *((f"Warning {rest}", False) for rest in ('[{"Res": 1}', '{"a": {"Res": 1}, ', '{"a": {"Res": 1}}')),
        ('Warning { "a\\"" : [{"Res": 1}', False),
        ('{"Res": 1}}', False),
        ("Warning: nothing here {}", False),
    ],
)
def test_json_between_noise_is_read(body: str, found: bool) -> None:
    """When it has exactly one object with a result: of several nobody knows which counts, what was cut is not whole."""
    if found:
        assert (result(body).accepted, result(body).credits_left) == (1, Decimal("12.5"))
    else:
        with pytest.raises(DecodeError):
            decode(body.encode())


# --- one way out ---------------------------------------------------------------------------------------------


SHELLS = [
    ("[", "]"),
    ('{"a":', "}"),
    ('[{"a":', "}]"),
    ("[1,", "]"),
    ("{'a':", "}"),
    ("a:[", "]"),
    ("<a>", "</a>"),
]
PLACES = [
    "{}",
    "[{}]",
    '{"Res":1,"Informe":{}}',
    '{"Res":1,"Ficheros":[{}]}',
    '{"Res":1,"Informe":[{"Telefono":{},"Resultado":1}]}',
    '{"Res":1,"otro":{}}',
    '{"Res":{}}',
    "Res:1;Informe:{};",
    "<result><Res>1</Res><Informe>{}</Informe></result>",
    "Warning {}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_nesting_at_any_level_is_a_decode_error_or_read(place: str, shell: tuple[str, str]) -> None:
    """Never a RecursionError, which would lose a send; spelt as JSON, or as a text that holds it."""
    for depth in (1, 31, 40, 200, 990, 3000):
        for core in ("", "1", '{"Res":1}'):
            inside = shell[0] * depth + core + shell[1] * depth
            for body in (place.replace("{}", inside, 1), place.replace("{}", json.dumps(inside), 1)):
                for cls in (SendResult, MessageReport, StoredFile):
                    only_a_model_or_a_decode_error(body, cls)


def only_a_model_or_a_decode_error(body: str, cls: type) -> None:
    try:
        found = structure(decode(body.encode()), cls)
    except DecodeError:
        return
    assert isinstance(found, cls)
    repr(found)


def test_random_nesting_in_replies_and_callbacks() -> None:
    """A few thousand forms that nobody thought of."""
    chance = random.Random(34)
    pieces = [*"[]{},1:-'\"\\\x00", '"Res":', '"Informe":', "<a>", "</a>", "Res:1;", "e9", "9" * 30, "&#9;"]
    for _ in range(1000):
        body = "".join(chance.choices(pieces, k=chance.randrange(1, 25))) * chance.choice((1, 1, 1, 200))
        only_a_model_or_a_decode_error(body, MessageReport)
        for content_type in ("application/json", ""):
            try:
                parse(body.encode(), content_type)
            except InvalidWebhook:
                continue


@pytest.mark.parametrize("name", ["Informe", "Ficheros"])
async def test_a_send_whose_answer_is_nested_is_no_crash(name: str) -> None:
    """It left, so its outcome is an error of the library that says so."""
    body = json.dumps({"Res": 1, "Msgid": 7, name: "[" * 3000})
    async with client_of(content=body.encode()) as client:
        found = await client.sms.send_bulk(["600000001"], "Hola")

    assert len(found.unknown) == 1


def test_deep_callbacks_can_be_logged_and_stored() -> None:
    """What comes through is shallow enough for everybody."""
    for depth in (20, 100, 900):
        body = json.dumps(REPORT)[:-1] + ', "otro": ' + "[" * depth + '"\\ud83d"' + "]" * depth + "}"
        if depth < 30:
            json.dumps(parse(body.encode()).raw, ensure_ascii=False).encode()
        else:
            with pytest.raises(InvalidWebhook):
                parse(body.encode())
