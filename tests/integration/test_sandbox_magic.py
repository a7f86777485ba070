"""Phones whose ending chooses what becomes of a text, or of the call that sends it."""

from __future__ import annotations

import base64
from contextlib import suppress

import httpx
import pytest

from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.sandbox.carrier.delivery import Kind, fits, magic_status, stages
from mensatek_async.sandbox.carrier.statuses import FINAL_CONTRACT, LABELS, PHASES
from tests.markdown import ROOT
from tests.sandbox_calls import ANA, NOON, Caller, calling

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000)

PDF_TEXT = f"Firme (BASE64:2:{base64.b64encode(b'%PDF-1.4').decode()})"
PLAIN, CERTIFIED = Kind(certified=False), Kind(certified=True)
BY_REPLY, WITH_PDF = Kind(certified=True, contract=1), Kind(certified=True, contract=18)


@pytest.mark.parametrize("ending", ["999001", "999029", "999999", "998050", "990500"])
def test_which_endings_are_none(ending: str) -> None:
    """Scheduled and cancelled come of a text's owner; no other number, and no other place in it, is magic."""
    assert magic_status(f"34600{ending}") is None
    assert magic_status("447700999050") == 50


@pytest.mark.parametrize("status", [50, 51, 52, 53, 54, 55, 70, 101, 110, 121, 134, 13])
def test_a_text_ends_as_its_phone_asks(sandbox: Sandbox, call: Caller, status: int) -> None:
    """Report and callbacks agree, and other phones of the same send go their way."""
    callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))
    phone = f"34600999{status:03}"
    message_id = call.send(ANA, phone)["idMensaje"]
    sandbox.advance(10)
    rows = call("GetReportSMS", Idmensaje=message_id)["Informe"]
    assert {row["Telefono"]: row["Resultado"] for row in rows} == {ANA: 11, phone: status}
    assert callbacks.wait(10)
    told = [(one["Movil"], one["Resultado"]) for one in callbacks.events]
    assert sorted(told) == sorted([(ANA, 2), (phone, 2), (ANA, 11), (phone, status)])


@pytest.mark.parametrize(
    ("ending", "contract", "way"),
    [
        ("180", 18, [2, 13, 160, 161, 162, 180]),
        ("181", 18, [2, 13, 160, 161, 162, 163, 181]),
        ("190", 18, [2, 13, 160, 190]),
        ("195", 18, [2, 13, 195]),
        ("160", 18, [2, 13, 160]),
        ("013", 18, [2, 13]),
        ("050", 18, [2, 50]),
        ("017", 1, [2, 15, 16, 17]),
        ("015", 1, [2, 15]),
        ("190", 1, [2, 15, 190]),
        ("180", 0, [2, 13, 14]),  # no contract: the ending means nothing
        ("013", 0, [2, 13]),
    ],
)
def test_contracts_end_as_their_phone_asks(
    sandbox: Sandbox, call: Caller, ending: str, contract: int, way: list[int]
) -> None:
    """Each with the statuses before its end."""
    phone = f"34600999{ending}"
    callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))
    call.certify(phone, text=PDF_TEXT, Tipocontrato=contract)
    sandbox.advance(3600)
    assert callbacks.wait(10)
    assert [int(one["Resultado"]) for one in callbacks.events if "Resultado" in one] == way


def test_a_phone_that_is_off_by_its_ending_lets_texts_expire(sandbox: Sandbox, call: Caller) -> None:
    """After three days, or after the validity of a certified text."""
    call.send("34600999000")
    call.certify("34600999002", Vpd=1, Vph=2, Vpm=3)
    for seconds, expected in ((86400 + 7380 - 1, [0, 2]), (1, [0, 53]), (2 * 86400, [53, 53])):
        sandbox.advance(seconds)
        assert [text.status for text in sandbox.texts] == expected


def test_what_is_chosen_wins_over_the_ending(sandbox: Sandbox, call: Caller) -> None:
    """Until it is taken back."""
    for chosen, expected in ((13, [13]), (None, [13, 50])):
        sandbox.set_outcome("34600999050", chosen)
        call.send("34600999050")
        sandbox.advance(3)
        assert [text.status for text in sandbox.texts] == expected


@pytest.mark.parametrize("form", ["json", "data"])
@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        *(("001", -1), ("002", -2), ("429", 429), ("500", 500), ("503", 503), ("902", 200)),
        *(("000", None), ("900", None), ("901", None)),
    ],
)
def test_a_send_fails_as_a_recipient_asks(
    sandbox: Sandbox, call: Caller, ending: str, expected: int | None, form: str
) -> None:
    """998 and three digits: refusals, HTTP statuses, lost connections, before or after it was processed."""
    phone = f"34600998{ending}"
    rows: object = [{"Movil": ANA}, {"movil": f"+{phone}"}]
    body = {"Remitente": "M", "Destinatarios": rows if form == "json" else str(rows).replace("'", '"')}
    body |= {"Mensaje": "x", "Resp": "JSON"}
    end = None
    with suppress(httpx.RemoteProtocolError):
        answer = call.http.post("EnviarSMS", **{form: body})
        end = answer.json()["Res"] if "json" in answer.headers["content-type"] else answer.status_code
    assert end == expected
    assert sandbox.count(ANA) == sandbox.count(phone) == (ending in ("000", "901"))


def test_a_text_that_only_mentions_such_a_number_is_sent(call: Caller) -> None:
    """What decides is the recipient."""
    assert call.send(ANA, text="Llame al 34600998503")["Res"] == 1
    assert call.send("34600998777")["Res"] == 1
    assert call.certify("34600998002")["Res"] == -5


def test_without_magic_no_number_is_special() -> None:
    """For lists of real numbers."""
    with Sandbox(magic=False, starts_at=NOON) as sandbox, calling(sandbox) as call:
        assert call.send("34600999050", "34600998503")["Res"] == 2
        sandbox.advance(3)
        assert [text.status for text in sandbox.texts] == [11, 11]


@pytest.mark.parametrize(
    "kind", [PLAIN, CERTIFIED, BY_REPLY, WITH_PDF], ids=["plain", "certified", "reply", "pdf"]
)
def test_every_ending_leads_to_its_status_in_time(kind: Kind) -> None:
    """For every status a text of that kind can come to, in order of time, and never on from a final one."""
    reachable = {status for status in LABELS if fits(kind, status)}
    assert len(reachable) > 30
    for status in reachable:
        way = stages(kind, 3.0, status)
        assert [seconds for seconds, _ in way] == sorted(seconds for seconds, _ in way)
        assert way[0] == (0.0, 2)
        assert status in [one for _, one in way]
        after = [one for _, one in way][[one for _, one in way].index(status) + 1 :]
        assert after in ([], [53], [195])
        if PHASES[status] == "failed" or status in FINAL_CONTRACT:
            assert after == []


def test_the_page_of_the_docs_has_every_ending() -> None:
    """What docs/sandbox.md says of endings is what they do."""
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    from mensatek_async.sandbox.api.faults import ENDINGS

    assert all(f"`998{ending}`" in text for ending in ENDINGS)
    for row in text.splitlines():
        if row.startswith("| `999"):
            ending, statuses = (cell.strip() for cell in row.split("|")[1:3])
            assert magic_status(f"34600{ending.strip('`')}") == int(statuses.split()[0])
