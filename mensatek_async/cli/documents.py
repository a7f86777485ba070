"""Certified texts and contracts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from ..sources.text_files import shown
from .account import call, parse_duration, parse_when
from .language import _, reason_of
from .messages import cancel, report, reschedule, send_text
from .options import (
    NO_ACCOUNT,
    NO_LEGAL,
    NOTHING_SAID,
    ONE_CALL,
    AccountOptions,
    CallOptions,
    LegalOptions,
    SendingOptions,
)
from .output import Exit, Output, Stop, plural

certified = App(name="certified", help_format="plaintext")
contract = App(name="contract", help_format="plaintext")


@certified.command(name="send")
def send_certified(
    *to: str,
    text: Annotated[str, Parameter(help="The text.")],
    attach: Annotated[str | None, Parameter(help="PDF file to send along.")] = None,
    identify: Annotated[
        str | None, Parameter(help="Identify the recipient first, such as CERTIFICADO-12345678E.")
    ] = None,
    acceptance_days: Annotated[
        int | None, Parameter(help="The recipient has to accept within so many days, 1 to 15.")
    ] = None,
    legal: LegalOptions = NO_LEGAL,
    sending: SendingOptions = NOTHING_SAID,
    account: AccountOptions = NO_ACCOUNT,
) -> Exit:
    """Send one certified text to one phone or several.

    Parameters
    ----------
    to:
        Phones, such as 600000000 or +34600000000.
    """
    given = legal_of(legal, identify=identify, acceptance_days=acceptance_days)
    return send_text(to, _with_pdf(text, attach), sending, account, given)


@contract.command(name="send")
def send_contract(
    document: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    to: Annotated[
        list[str], Parameter(negative="", help="Phone of a signer; give it again for each further one.")
    ],
    text: Annotated[str, Parameter(help="The text that goes with the contract.")],
    contract_type: Annotated[int, Parameter(help="The provider's number of the kind of contract.")] = 18,
    store: Annotated[
        str | None, Parameter(help="Write down who was sent it, for `mensatek contract status --store`.")
    ] = None,
    legal: LegalOptions = NO_LEGAL,
    sending: SendingOptions = NOTHING_SAID,
    account: AccountOptions = NO_ACCOUNT,
) -> Exit:
    """Send a contract, a PDF, to be signed on the phone.

    Parameters
    ----------
    document:
        The PDF file.
    """
    from .certified.contracts import recording

    given = legal_of(legal, contract_type=contract_type)
    what = {"reference": sending.reference or "", "validity": given["validity"]}
    with recording(store, to, scheduled_at=parse_when(sending.at), **what) as record:
        return send_text(to, _with_pdf(text, document), sending, account, given, record)


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
    message_id: Annotated[
        int | None, Parameter(help="The message; alone, a ZIP of all its recipients.")
    ] = None,
    phone: Annotated[str | None, Parameter(help="Only this recipient of the message: a PDF.")] = None,
    start: Annotated[
        str | None, Parameter(help="With --end: all of a period, such as 2027-01-01T00:00.")
    ] = None,
    end: Annotated[str | None, Parameter(help="The period's end.")] = None,
    options: CallOptions = ONE_CALL,
) -> None:
    """Download a certificate, or a ZIP of several.

    Parameters
    ----------
    destination:
        The file to write; one that is there is replaced once the new one is complete. In place of .pdf or .zip it gets
        the ending of what comes.
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
        raise Stop(_("{} cannot be written: {}.", shown(destination), reason_of(error))) from None
    kind = "PDF" if done.media_type == "application/pdf" else "ZIP"
    output.say(f"{kind}, {plural(done.size, 'byte')}: {shown(str(done.path))}")
    output.answer({"path": str(done.path), "media_type": done.media_type, "size": done.size})


for _app, _home, _help in (
    (
        certified,
        "archive:archive",
        "Fetch certificates into a folder that keeps them as evidence, each once.",
    ),
    (certified, "archive:verify", "Check an archive: every certificate against the SHA-256 in its record."),
    (contract, "contracts:status", "Show contracts in flight: who has not opened, read or signed theirs."),
    (contract, "contracts:remind", "Remind those who have not accepted theirs, once: the outbox sends it."),
):
    _app.command(f"{__package__}.certified.{_home}", name=_home.partition(":")[2], help=_help)


def legal_of(
    legal: LegalOptions,
    contract_type: int | None = None,
    identify: str | None = None,
    acceptance_days: int | None = None,
) -> dict[str, Any]:
    """Return the options of `client.certified.send` that only certified texts have.

    Raises:
        Stop: something of the issuer was not given, or the validity is no duration.
        InvalidRequest: the issuer is wrong.
    """
    from ..models.issuer import Issuer

    given = {
        "--issuer-name": legal.issuer_name or "",
        "--issuer-phone": legal.issuer_phone or "",
        "--issuer-tax-id": legal.issuer_tax_id or "",
    }
    if missing := [option for option, value in given.items() if not value]:
        raise Stop(
            _(
                "A certificate names who sends: {} not given.\nMENSATEK_ISSUER_NAME, "
                "MENSATEK_ISSUER_PHONE and MENSATEK_ISSUER_TAX_ID do as well.",
                ", ".join(missing),
            )
        )
    return {
        "issuer": Issuer(*given.values(), check=not legal.foreign_issuer),
        "contract_type": contract_type,
        "validity": parse_duration(legal.validity),
        "identify": identify,
        "acceptance_days": acceptance_days,
        "report_email": legal.report_email,
    }


def _with_pdf(text: str, path: str | None) -> str:
    """The text, and the element that carries a PDF."""
    from ..text import elements

    if path is None:
        return text
    try:
        with Path(path).open("rb") as file:
            content = file.read(elements.MAX_PDF + 1)
    except (OSError, ValueError) as error:
        raise Stop(_("The PDF {} cannot be read: {}.", shown(path), reason_of(error))) from None
    return f"{text} {elements.pdf(content)}"
