"""Every reply style of the sandbox, on one reply."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from mensatek_async.sandbox import REPLY_STYLES
from mensatek_async.sandbox.api.replies import encode

ROW = {"Fecha": "2021-09-04 19:37:21", "Tiempo": 3, "Telefono": 34601234567, "Estado": "l'últim"}
REPLY: dict[str, Any] = {"Res": 1, "Cred": Decimal("14970.5"), "Informe": [ROW]}
JSON, HTML, PLAIN, XML = (
    "application/json",
    "text/html; charset=utf-8",
    "text/plain; charset=utf-8",
    "text/xml; charset=utf-8",
)
PLAIN_ROW = '{"Fecha": "2021-09-04 19:37:21", "Tiempo": 3, "Telefono": 34601234567, "Estado": "l\'últim"}'
ARRAY = f'[{{"Res": 1, "Cred": 14970.5, "Informe": [{PLAIN_ROW}]}}]'
TXT = (
    "Res:1;\nCred:14970.5;\nInforme:\n[\n0:\n[\nFecha:2021-09-04 19:37:21;\nTiempo:3;\nTelefono:34601234567;\n"
    "Estado:l'últim;\n]\n]\n"
)
QUOTED = "[{'Fecha':'2021-09-04 19:37:21','Tiempo':3,'Telefono':34601234567,'Estado':'l\\\\'últim'}]"
STRINGS = PLAIN_ROW.replace("3,", '"3",').replace("34601234567", '"34601234567"')
EXPECTED = {
    "json-array": (ARRAY, JSON),
    "json-object": (ARRAY[1:-1], JSON),
    "json-strings": (f'[{{"Res": "1", "Cred": "14970.5", "Informe": [{STRINGS}]}}]', JSON),
    "spanish": (ARRAY.replace("14970.5", '"14.970,50"'), JSON),
    "spanish-plain": (ARRAY.replace("14970.5", '"14970,50"'), JSON),
    "saldo": (ARRAY.replace("Cred", "Saldo"), JSON),
    "old-names": (ARRAY, JSON),
    "bom": ("\ufeff" + ARRAY, JSON),
    "html": (ARRAY, HTML),
    "txt": (TXT, PLAIN),
    "txt-line": (TXT.replace("\n", "").replace("Cred:14970.5", "Saldo:14970,50"), HTML),
    "xml": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<result><Res>1</Res><Cred>14970.5</Cred><Informe><item0>'
        "<Fecha>2021-09-04 19:37:21</Fecha><Tiempo>3</Tiempo><Telefono>34601234567</Telefono>"
        "<Estado>l'últim</Estado></item0></Informe></result>",
        XML,
    ),
    "bare": (ARRAY, JSON),
    "report-string": (f'[{{"Res": 1, "Cred": 14970.5, "Informe": "{QUOTED}"}}]', JSON),
    "code-string": (f'[{{"Res": 1, "Cred": 14970.5, "Informe": "<code>{QUOTED}</code>"}}]', JSON),
}


@pytest.mark.parametrize("style", REPLY_STYLES)
def test_style_letter_by_letter(style: str) -> None:
    """Each style, byte for byte; keys change case in nested rows too, values do not."""
    body, content_type = encode(REPLY, "JSON", style)
    if style.endswith("-keys"):
        case = str.upper if style == "upper-keys" else str.lower
        assert json.loads(body)[0][case("Informe")][0] == {case(name): value for name, value in ROW.items()}
    else:
        assert (body.decode(), content_type) == EXPECTED[style]


def test_form_asked_for_is_honoured() -> None:
    """TXT and XML come when asked for, in any case."""
    for resp, expected in (("TXT", (TXT, PLAIN)), ("xml", EXPECTED["xml"])):
        body, content_type = encode(REPLY, resp, "json-array")
        assert (body.decode(), content_type) == expected


OLD = b'[{"Res": -2, "Msgid": 5, "CredNecesarios": 7}]'
SENT = {"Res": 2, "Msgid": 5, "Cred": Decimal(9), "Mensajes": 2, "NoEnviados": 0}


@pytest.mark.parametrize(
    ("fields", "resp", "style", "body"),
    [
        ({"Res": -2, "Msgid": 5, "idMensaje": 5, "CreditosNecesarios": Decimal(7)}, "JSON", "old-names", OLD),
        ({"Res": -1}, "JSON", "bare", b"-1"),
        ({"Error": "a <b> & c"}, "XML", "json-array", b"<result><Error>a &lt;b&gt; &amp; c</Error></result>"),
        *((SENT, resp, "json-array", b"Res:2;Msgid:5;Saldo:9,00;") for resp in ("", "ANT")),
    ],
    ids=["old names", "bare refusal", "escaped", "no form", "another form"],
)
def test_what_few_replies_have(fields: dict[str, Any], resp: str, style: str, body: bytes) -> None:
    """Names of 5.8, refused logins, angle brackets; without a form asked for one line, decimal comma, no counts."""
    assert encode(fields, resp, style)[0].removeprefix(b'<?xml version="1.0" encoding="UTF-8"?>\n') == body
