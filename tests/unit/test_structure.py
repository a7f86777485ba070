"""Sample replies of every operation, in every form, become the models they tell of."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async._wire import decode as decoding
from mensatek_async._wire import names
from mensatek_async._wire.decode import DecodeError, decode
from mensatek_async._wire.names import REPLIES, FileList
from mensatek_async._wire.structure import structure
from mensatek_async.codes import DeliveryStatus
from mensatek_async.models.results import (
    Balance,
    Cancellation,
    MessageReport,
    RecipientReport,
    Rescheduling,
    SendResult,
    StoredFile,
)

SAMPLES = Path(__file__).parents[1] / "samples"
MADRID = ZoneInfo("Europe/Madrid")
OPERATIONS = {
    "EnviarSMS", "CancelarSMS", "ReprogramarSMS", "GetReportSMS", "CargarFichero", "ListarFicheros", "BorrarFichero",
    "GetCreditos", "EnviarSMSCERTIFICADO", "CancelarSMSCERTIFICADO", "ReprogramarSMSCERTIFICADO",
    "GetReportSMSCERTIFICADO", "GetSMSCERTIFICADO",
}  # fmt: skip

SENT = SendResult(
    message_id=10573758, accepted=2, rejected=1, segments=4, recipients=3, repeated=1,
    credits_used=Decimal(4), credits_left=Decimal("14970.25"),
)  # fmt: skip
CANCELLED = Cancellation(
    cancelled=7, message_id=12000, credits_left=Decimal("12009.5"), credits_refunded=Decimal(9)
)
REPORT = MessageReport(
    recipients=(
        RecipientReport(
            phone="34601234567",
            status=DeliveryStatus(11),
            reported_at=datetime(2021, 9, 4, 19, 37, 21, tzinfo=MADRID),
            seconds=3,
            label="Entregado al Teléfono",
        ),
        RecipientReport(
            phone="34656789012", status=DeliveryStatus(4711), label="L'Hospitalet: [sin cobertura]"
        ),
    ),
    credits_left=Decimal("500.5"),
)
FIRST, SECOND = (datetime(2021, 9, 4, 19, 37, second, tzinfo=MADRID) for second in (21, 27))
FILES = FileList(
    files=(
        StoredFile(name="nombre.pdf", extension="PDF", uploaded_at=FIRST),
        StoredFile(name="otro.docx", extension="DOCX", uploaded_at=SECOND),
    )
)
DONE: dict[str, Any] = {
    "EnviarSMS": SENT,
    "EnviarSMSCERTIFICADO": SENT,
    "CancelarSMS": CANCELLED,
    "CancelarSMSCERTIFICADO": CANCELLED,
    "ReprogramarSMS": Rescheduling(rescheduled=3, credits_left=Decimal(8000)),
    "ReprogramarSMSCERTIFICADO": Rescheduling(rescheduled=3, credits_left=Decimal(8000)),
    "GetReportSMS": REPORT,
    "GetReportSMSCERTIFICADO": REPORT,
    "CargarFichero": StoredFile(name="contrato.pdf"),
    "ListarFicheros": FILES,
    "GetCreditos": Balance(credits=Decimal(14970)),
}
REFUSED = {
    "EnviarSMS": -2, "EnviarSMSCERTIFICADO": -2, "CancelarSMS": -4, "CancelarSMSCERTIFICADO": -4, "ReprogramarSMS": -7,
    "ReprogramarSMSCERTIFICADO": -7, "GetReportSMS": -2, "GetReportSMSCERTIFICADO": -2, "CargarFichero": -16,
    "ListarFicheros": -3, "BorrarFichero": -2, "GetCreditos": -1, "GetSMSCERTIFICADO": -2,
}  # fmt: skip


def samples(pattern: str) -> list[Any]:
    found = sorted(SAMPLES.glob(pattern))
    assert found
    return [pytest.param(file, id=f"{file.parent.name}-{file.name}") for file in found]


def test_every_operation_has_samples() -> None:
    """No operation of the manuals is without a sample of a refusal, nor, if it answers in text, of a success."""
    folders = {path.name for path in SAMPLES.iterdir() if path.is_dir()}

    assert OPERATIONS == folders == set(REFUSED)
    assert all(list((SAMPLES / name).glob("done.*")) for name in OPERATIONS - {"GetSMSCERTIFICADO"})


@pytest.mark.parametrize("file", samples("*/done.*"))
def test_done(file: Path) -> None:
    """All forms of one success are one model."""
    reply = decode(file.read_bytes(), "text/html")
    expected = DONE.get(file.parent.name)

    assert decoding.result_code(reply) >= 1
    if expected is None:
        assert decoding.number(reply, *names.CREDITS_LEFT) == 12000
    else:
        assert expected == structure(reply, type(expected))


@pytest.mark.parametrize("file", samples("*/refused.*"))
def test_refused(file: Path) -> None:
    """All forms of one refusal have its code; of a send also what is needed, what is left, and the provider's words."""
    reply = decode(file.read_bytes())

    assert REFUSED[file.parent.name] == decoding.result_code(reply)
    if file.parent.name.startswith("EnviarSMS"):
        needed, left = (decoding.number(reply, *wire) for wire in (names.CREDITS_NEEDED, names.CREDITS_LEFT))
        assert (needed, left) == (Decimal(18), Decimal("1.5"))
        assert decoding.words(reply, names.ERROR) == "No hay créditos suficientes"


@pytest.mark.parametrize("file", samples("*/bare.txt"))
def test_bare(file: Path) -> None:
    """A bare code is a refusal."""
    assert decode(file.read_bytes()) == {"res": -1}


@pytest.mark.parametrize("file", samples("*/manual.json"))
def test_manual(file: Path) -> None:
    """The manual's own samples can be read whole; its report is two delivered and certified messages."""
    reply = decode(file.read_bytes(), "application/json")
    model = DONE.get(file.parent.name)

    assert Decimal(12000) == decoding.number(reply, *names.CREDITS_LEFT)
    if model is not None:
        read = structure(reply, type(model))
        assert isinstance(read, type(model))
    if file.parent.name == "GetReportSMSCERTIFICADO":
        assert [row.phone for row in read.recipients] == ["34601234567", "34656789012"]
        assert all(row.status.is_certified for row in read.recipients)


# --- what is missing, what is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blank", [{}, {"Msgid": None, "NoEnviados": None, "Cred": None, "Destinatarios": None}]
)
def test_missing_is_the_models_default(blank: dict[str, Any]) -> None:
    """A reply that only counts is enough; null is a missing value, and so is a blank that is no text; of two names for
    one thing the usual one counts, or whichever is not null."""
    assert structure(decode(json.dumps([{"Res": "3", **blank}]).encode()), SendResult) == SendResult(
        accepted=3
    )
    row = {"telefono": "34600000000", "resultado": "1", "tiempo": "", "estado": ""}
    (read,) = structure({"informe": [row]}, MessageReport).recipients

    assert (read.seconds, read.label) == (None, "")
    assert structure({"res": 1, "cred": 5, "saldo": 6}, Balance) == Balance(credits=Decimal(5))
    assert structure({"res": 1, "cred": None, "saldo": 6}, Balance) == Balance(credits=Decimal(6))


@pytest.mark.parametrize(
    ("told", "recipients"),
    [(3, 3), ("3", 3), (["a", "b"], 2), ([], 0), ({"0": "a", "1": "b"}, 2), ({"Movil": "1"}, 1),
     ("[{'Movil':1},{'Movil':2}]", 2), (' {"0":{"Movil":1},"1":{"Movil":2}}', 2)],
    ids=repr,
)  # fmt: skip
def test_recipients_counted_or_listed(told: object, recipients: int) -> None:
    """`Destinatarios` is a number, or the list itself."""
    assert recipients == structure({"res": 1, "destinatarios": told}, SendResult).recipients


def test_one_row_without_its_list() -> None:
    """A report on one recipient may come without the list around it, or with one too many; one on nobody is empty."""
    row = {"Telefono": 34600000000, "Resultado": 13}
    one = [(informe, ["34600000000"]) for informe in (row, [row], [[row]], {"0": row}, [row, None, ""])]
    none = [(informe, []) for informe in (None, "", [], {}, "[]", "<code></code>", "<code>[]</code>")]
    for informe, phones in (*one, *none):
        reply = decode(json.dumps({"Res": 1, "Informe": informe}).encode())
        assert [row.phone for row in structure(reply, MessageReport).recipients] == phones


SECRET = "34600111222"


@pytest.mark.parametrize(
    ("reply", "cls", "problems"),
    [
        ({"res": SECRET + "x"}, SendResult, ["expected a whole number, got a text @ Res"]),
        ({}, SendResult, ["missing @ Res"]),
        ({"res": ""}, SendResult, ["missing @ Res"]),
        ({"res": True}, SendResult, ["expected a whole number, got yes or no @ Res"]),
        ({"res": 1.5}, SendResult, ["expected a whole number, got a number @ Res"]),
        ({"res": [1]}, SendResult, ["expected a whole number, got a list @ Res"]),
        ({"res": 1, "destinatarios": "[1"}, SendResult, ["expected a whole number, got a text @ Destinatarios"]),
        ({"res": "x", "cred": {}}, Rescheduling, ["expected a whole number, got a text @ Res"]),
        ({"cred": "NaN"}, Balance, ["expected a number, got a text @ Cred"]),
        ({}, Balance, ["missing @ Cred"]),
        ({}, StoredFile, ["missing @ Nombre"]),
        ({"nombre": ["a"]}, StoredFile, ["expected a text, got a list @ Nombre"]),
        ({"informe": [{"telefono": SECRET, "resultado": "KO"}]}, MessageReport, [
            "expected a whole number, got a text @ Informe[0].Resultado"
        ]),
        ({"informe": [{"telefono": SECRET, "resultado": 1}, {"telefono": " ", "fecha": SECRET}]}, MessageReport, [
            "missing @ Informe[1].Telefono",
            "missing @ Informe[1].Resultado",
        ]),
        ({"informe": [SECRET]}, MessageReport, ["expected an object, got a text @ Informe[0]"]),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_named_by_their_place(reply: dict[str, Any], cls: type, problems: list[str]) -> None:
    """Every problem has its path on the wire, and none shows the value."""
    with pytest.raises(DecodeError) as caught:
        structure(reply, cls)

    assert problems == sorted(caught.value.problems, key=problems.index)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_many_problems_are_counted() -> None:
    """A report that is wrong throughout does not fill the log; a list where a reply should be is said to be one."""
    with pytest.raises(DecodeError) as caught:
        structure({"informe": [{"estado": "x"}] * 500}, MessageReport)

    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "and 980 more"
    with pytest.raises(DecodeError, match="expected an object, got a list"):
        structure([], SendResult)  # type: ignore[arg-type]


def test_cattrs_waits_for_the_first_look() -> None:
    """Importing the wire or the codes, and making a status, does not import cattrs."""
    program = (
        "import sys; from mensatek_async import codes; from mensatek_async._wire import decode, encode, structure; "
        "s = codes.DeliveryStatus(14); assert 'cattrs' not in sys.modules; assert s.is_final"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


# --- properties ----------------------------------------------------------------------------------------------

KEYS = ["res", "cred", "informe", "fecha", "telefono", "resultado", "destinatarios", "nombre", "0"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(sorted(REPLIES, key=lambda cls: cls.__name__)))
def test_anything_is_a_model_or_a_decode_error(value: Any, cls: type) -> None:
    """No value, however odd, raises anything but DecodeError."""
    with suppress(DecodeError):
        assert isinstance(structure(value, cls), cls)
