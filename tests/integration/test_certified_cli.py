"""`mensatek certified` and `mensatek contract` against the sandbox."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from pypdf import PdfReader

from mensatek_async import Guard, SyncContracts, open_certificates
from mensatek_async.sandbox import Sandbox
from tests.callbacks import CONTRACT, event_of
from tests.command_line import Command

pytestmark = pytest.mark.mensatek_sandbox(starts_at=datetime(2027, 1, 8, 12, tzinfo=UTC), read_interval=0)

ANA, LUIS = "34600000001", "34600000002"
ISSUER = ["--issuer-name", "EMPRESA S.L.", "--issuer-phone", "900000000", "--issuer-tax-id", "B00000000"]


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """A sandbox as the account of the environment, in a directory with a contract."""
    monkeypatch.chdir(tmp_path)
    Path("contrato.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    mensatek_sandbox.contracts_by_themselves = False
    return mensatek_sandbox


def test_a_contract_from_end_to_end(sandbox: Sandbox, command: Command) -> None:
    """Sent to two, signed by one, reported, and the certificate on disk; as JSON for programs."""
    to = ["--to", "600000001", "--to", "+34 600 00 00 02"]
    sent = command(
        "contract", "send", "contrato.pdf", *to, "--text", "Firme", "--yes", "--json", *ISSUER
    ).json
    assert (sent["accepted"], sent["texts"]) == (2, 2)
    number = str(sent["message_id"])
    sandbox.advance(5)
    sandbox.sign_contract(ANA)

    ana, luis = command("certified", "report", number).out.splitlines()
    assert ana.startswith(f"{ANA}  2027-01-08 13:00:05  180  ")
    assert ana.endswith("certificate ready")
    assert luis.startswith(f"{LUIS}  2027-01-08 13:00:03  13  ")
    told = command("certified", "report", number, "--json").json["recipients"]
    stands = [(one["phone"], one["status"], one["certified"]) for one in told]
    assert stands == [(ANA, 180, True), (LUIS, 13, False)]

    download = ("certified", "download", "--message-id", number)
    assert command(*download, "a.pdf", "--phone", "600000001").out.startswith("PDF, ")
    assert "EMPRESA S.L." in PdfReader("a.pdf").pages[0].extract_text()
    assert command(*download, "a.zip", "--json").json["media_type"] == "application/zip"
    assert [row.phone for row in open_certificates("a.zip").rows] == [ANA]


def test_a_certified_text_with_all_its_options(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    """Each option has its parameter; the issuer may come from the environment."""
    for name, value in {"NAME": "EMPRESA S.L.", "PHONE": "900000000", "TAX_ID": "FR12345678901"}.items():
        monkeypatch.setenv(f"MENSATEK_ISSUER_{name}", value)
    options = {
        "--text": "Le notificamos",
        "--attach": "contrato.pdf",
        "--identify": "CERTIFICADO-12345678E",
        "--acceptance-days": "10",
        "--validity": "1d6h30m",
        "--report-email": "a@b.es",
        "--reference": "R1",
        "--sender": "MIEMPRESA",
    }
    arguments = [part for pair in options.items() for part in pair]

    assert command("certified", "send", "600000001", *arguments, "--foreign-issuer", "--yes").code == 0

    (call,) = sandbox.calls("EnviarSMSCERTIFICADO")
    expected = {
        "Identificar": "CERTIFICADO-12345678E",
        "Aceptacion": 10,
        "Vpd": 1,
        "Vph": 6,
        "Vpm": 30,
        "Links": 1,
    }
    expected |= {"Emailreport": "a@b.es", "Referenciausuario": "R1", "Remitente": "MIEMPRESA"}
    assert call.params.items() >= {**expected, "Cifcontacto": "FR12345678901"}.items()
    assert "Tipocontrato" not in call.params
    assert call.params["Mensaje"].startswith("Le notificamos (BASE64:2:JVBERi")


SEND = ["certified", "send", "600000001", "--text", "x"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (SEND, "--issuer-name, --issuer-phone"),
        (["certified", "send", "--text", "x", *ISSUER], "to whom"),
        (["certified", "send", "no", "--text", "x", *ISSUER], "phone"),
        *(
            ([*SEND, *ISSUER, f"--validity={text}"], "1d6h30m")
            for text in ("tomorrow", "", "3", "1h2d", "-1d", "1.5h", "1w")
        ),
        ([*SEND, *ISSUER, "--validity", "21d"], "validity"),
        ([*SEND, *ISSUER, "--acceptance-days", "16"], "to 15"),
        ([*SEND, *ISSUER, "--report-email", "a"], "e-mail"),
        ([*SEND, *ISSUER, "--attach", "no.pdf"], "No such file"),
        ([*SEND, *ISSUER[:-1], "B1"], "tax id"),
        (["contract", "send", "text.txt", "--to", "600000001", "--text", "x", *ISSUER], "not a PDF"),
        (["certified", "download", "a.pdf"], "says what to download"),
        (["certified", "download", "a.pdf", "--start", "x", "--end", "y"], "--start takes"),
        (["certified", "download", "a.pdf", "--start", "2027-01-01T00:00"], "its end is missing"),
        (["certified", "archive", "5", "--into", "a", "--end", "2027-01-01T00:00"], "its start is missing"),
        (["certified", "download", ".", "--message-id", "5"], "directory"),
        (["certified", "report", "x"], "MESSAGE-ID"),
    ],
)
def test_wrong_use(sandbox: Sandbox, command: Command, arguments: list[str], told: str) -> None:
    """Exit code 2, a sentence that helps, and nothing sent."""
    Path("text.txt").write_text("hola")
    said = command(*arguments, *(["--yes"] if "send" in arguments else []))
    assert (said.code, told in said.err, len(sandbox.requests)) == (2, True, 0), said


def test_no_certificate_yet(sandbox: Sandbox, command: Command) -> None:
    """The provider's no, and no file."""
    number = str(command(*SEND, "--yes", "--json", *ISSUER).json["message_id"])
    said = command("certified", "download", "a.pdf", "--message-id", number, "--phone", "600000001")
    assert (said.code, "refused -4" in said.err, Path("a.pdf").exists()) == (1, True, False)


def test_a_real_send_asks_with_its_estimate(sandbox: Sandbox, command: Command) -> None:
    """The PDF in the text is not taken for thousands of texts."""
    Path("contrato.pdf").write_bytes(b"%PDF-1.7\n" + bytes(200_000))
    send = ("contract", "send", "contrato.pdf", "--to", "600000001", "--text", "Firme", *ISSUER)
    said = command(*send, typed="n\n")
    assert (said.code, "1 text to 1 phone, 1 credits estimated." in said.out) == (1, True)
    assert not sandbox.requests


def test_certificates_are_archived_caught_up_with_and_verified(
    sandbox: Sandbox, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each exit code: something pending, all there, a message of somebody else, nothing said, and a file changed."""
    monkeypatch.setattr("mensatek_async.cli.account.Guard", partial(Guard, read_interval=0))
    sent = [command("certified", "send", ANA, "--text", "Hola", "--yes", "--json", *ISSUER) for _ in range(2)]
    numbers = [str(one.json["message_id"]) for one in sent]
    into = ("--into", "kept", "--json")
    said = command("certified", "archive", *numbers, *into)
    assert (said.code, said.json["pending"], said.json["fetched"]) == (1, 2, 0)
    assert command("certified", "verify", "kept", "--json").json["pending"] == 2
    sandbox.advance(60)
    said = command("certified", "archive", "--catch-up", *into)
    assert (said.code, said.json["fetched"], said.json["pending"]) == (0, 2, 0)
    assert command("certified", "archive", *numbers, *into).json["known"] == 2
    said = command("certified", "archive", "7", numbers[0], *into)
    assert (said.code, said.json["known"], list(said.json["problems"])) == (1, 1, ["7"])
    period = ("--start", "2027-01-01T00:00", "--end", "2027-02-01T00:00")
    assert command("certified", "archive", *period, "--into", "kept").out.startswith("1 fetched, ")
    assert command("certified", "verify", "kept").out == "3 intact, 0 pending, 0 problems: kept\n"
    assert command("certified", "archive", "--into", "kept").code == 2
    assert command("certified", "verify", "nowhere").code == 2

    first = next(Path("kept").rglob("*.pdf"))
    first.write_bytes(first.read_bytes() + b"!")
    said = command("certified", "verify", "kept", "--json")
    assert (said.code, said.json["intact"]) == (1, 2)
    assert said.json["problems"] == [{"file": first.relative_to("kept").as_posix(), "kind": "changed"}]
    Path("file").touch()
    assert command("certified", "archive", numbers[0], "--into", "file").code == 2
    sandbox.token = "another"
    assert command("certified", "archive", numbers[0], "--into", "other").code == 3


def test_contracts_in_flight(sandbox: Sandbox, command: Command) -> None:
    """Sent with a store, listed by what is awaited, and reminded once."""
    to = ["--to", "600000001", "--to", LUIS]
    send = ["contract", "send", "contrato.pdf", *to, "--text", "Firme", "--yes", "--json", *ISSUER]
    sent = command(*send, "--store", "c.db", "--reference", "27/2027", "--validity", "3d").json["message_id"]
    with closing(SyncContracts("c.db")) as contracts:
        for phone, code in ((ANA, 160), (LUIS, 190)):
            contracts.record(event_of(CONTRACT, Resultado=code, Movil=phone, idMensaje=sent, Referencia=""))
    store = ("--store", "c.db")
    said = command("contract", "status", *store)
    assert said.out.splitlines()[0].startswith(f"opened  {ANA}  message {sent}  27/2027  sent 20")
    assert said.out.endswith("2 contracts in c.db: 1 opened, 1 rejected.\n")
    rejected = command("contract", "status", *store, "--state", "rejected", "--json").json
    assert [(one["phone"], one["status"]) for one in rejected["contracts"]] == [(LUIS, 190)]
    assert command("contract", "status", *store, "--waiting-for", "opened", "--json").json["contracts"] == []
    assert command("contract", "status", *store, "--expires-within", "soon").code == 2
    remind = ("contract", "remind", *store, "--text", "Falta {reference}", "--json")
    assert command(*remind).json["reminders"] == 0
    assert [command(*remind, "--after", "0m").json["reminders"] for _ in range(2)] == [1, 0]
    assert command("outbox", "drain", *store).code == 0
    assert [one.text for one in sandbox.texts if one.phone == ANA][-1] == "Falta 27/2027"
    assert command("contract", "status", "--store", "nothing.db").out.startswith("0 contracts")
