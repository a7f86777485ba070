"""Certified texts and contracts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from ..models.issuer import Issuer
from ..sources.text_files import shown
from ..text import elements
from .account import call, parse_duration, parse_when
from .certified.archive import archive, verify
from .certified.contracts import recording, remind, status
from .language import reason_of
from .messages import cancel, report, reschedule, send_text
from .options import CallOptions, LegalOptions, Name, SendingOptions
from .output import Exit, Output, Stop, plural

certified = App(name="certified", help_format="plaintext")
contract = App(name="contract", help_format="plaintext")


@certified.command(name="send")
def send_certified(
    *to: str,
    text: str,
    attach: str | None = None,
    identify: str | None = None,
    acceptance_days: int | None = None,
    legal: LegalOptions = LegalOptions(),
    sending: SendingOptions = SendingOptions(),
) -> Exit:
    """Send one certified text to one phone or several.

    Args:
        to: Phones, such as 600000000 or +34600000000.
        text: The text.
        attach: PDF file to send along.
        identify: Identify the recipient first, such as CERTIFICADO-12345678E.
        acceptance_days: The recipient has to accept within so many days, 1 to 15.
    """
    given = legal_of(legal, identify=identify, acceptance_days=acceptance_days)
    return send_text(to, text if attach is None else _with_pdf(text, attach), sending, given)


@contract.command(name="send")
def send_contract(
    document: Name,
    /,
    *,
    to: Annotated[list[str], Parameter(negative="")],
    text: str,
    contract_type: int = 18,
    store: str | None = None,
    legal: LegalOptions = LegalOptions(),
    sending: SendingOptions = SendingOptions(),
) -> Exit:
    """Send a contract, a PDF, to be signed on the phone.

    Args:
        document: The PDF file.
        to: Phone of a signer; give it again for each further one.
        text: The text that goes with the contract.
        contract_type: The provider's number of the kind of contract.
        store: Write down who was sent it, for `mensatek contract status --store`.
    """
    given = legal_of(legal, contract_type=contract_type)
    what = {"reference": sending.reference or "", "validity": given["validity"]}
    with recording(store, to, scheduled_at=parse_when(sending.at), **what) as record:
        return send_text(to, _with_pdf(text, document), sending, given, record)


for _command, _help in (
    (report, "Show where each recipient of a certified text or contract stands."),
    (cancel, "Cancel a scheduled certified text or contract that has not left."),
    (reschedule, "Give a scheduled certified text or contract that has not left a new date."),
):
    certified.command(partial(_command, certified=True), name=_command.__name__, help=_help)


@certified.command
def download(
    destination: str,
    /,
    *,
    message_id: int | None = None,
    phone: str | None = None,
    start: str | None = None,
    end: str | None = None,
    options: CallOptions = CallOptions(),
) -> None:
    """Download a certificate, or a ZIP of several.

    Args:
        destination: The file to write; one that is there is replaced once the new one is complete. In place of .pdf or
            .zip it gets the ending of what comes.
        message_id: The message; alone, a ZIP of all its recipients.
        phone: Only this recipient of the message: a PDF.
        start: With --end: all of a period, such as 2027-01-01T00:00.
        end: The period's end.
    """
    output = Output(json=options.json)
    since, until = parse_when(start, "--start"), parse_when(end, "--end")
    try:
        done = call(
            options,
            lambda client: client.certified.download(
                destination, message_id=message_id, phone=phone, start=since, end=until
            ),
        )
    except OSError as error:
        raise Stop("{} cannot be written: {}.", shown(destination), reason_of(error)) from None
    kind = "PDF" if done.media_type == "application/pdf" else "ZIP"
    output.say(f"{kind}, {plural(done.size, 'byte')}: {shown(str(done.path))}")
    output.answer({"path": str(done.path), "media_type": done.media_type, "size": done.size})


certified.command(archive)
certified.command(verify)
contract.command(status)
contract.command(remind)


def legal_of(
    legal: LegalOptions,
    contract_type: int | None = None,
    identify: str | None = None,
    acceptance_days: int | None = None,
) -> dict[str, Any]:
    """Return the options of `client.certified.send` that only certified texts have."""
    given = {
        "--issuer-name": legal.issuer_name or "",
        "--issuer-phone": legal.issuer_phone or "",
        "--issuer-tax-id": legal.issuer_tax_id or "",
    }
    if missing := [option for option, value in given.items() if not value]:
        raise Stop(
            "A certificate names who sends: {} not given.\nMENSATEK_ISSUER_NAME, "
            "MENSATEK_ISSUER_PHONE and MENSATEK_ISSUER_TAX_ID do as well.",
            ", ".join(missing),
        )
    return {
        "issuer": Issuer(*given.values(), check=not legal.foreign_issuer),
        "contract_type": contract_type,
        "validity": parse_duration(legal.validity),
        "identify": identify,
        "acceptance_days": acceptance_days,
        "report_email": legal.report_email,
    }


def _with_pdf(text: str, path: str) -> str:
    """The text, and the element that carries a PDF."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(elements.MAX_PDF + 1)
    except (OSError, ValueError) as error:
        raise Stop("The PDF {} cannot be read: {}.", shown(path), reason_of(error)) from None
    return f"{text} {elements.pdf(content)}"
