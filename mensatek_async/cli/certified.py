"""`mensatek certified` and `mensatek contract`: the commands and their options."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from attrs import frozen
from cyclopts import App, Parameter

from .account import AccountOptions
from .options import At, Encoding, Json, Price, Sender, Yes

certified = App(name="certified", help_format="plaintext")
contract = App(name="contract", help_format="plaintext")

_NO_ACCOUNT = AccountOptions()


@Parameter(name="*")
@frozen(kw_only=True)
class LegalOptions:
    """Options of every command that sends something certified.

    Attributes:
        issuer_name: who sends, as the certificate names them.
        issuer_phone: a phone to reach them.
        issuer_tax_id: their NIF, CIF or NIE.
        foreign_issuer: whether that is an id of another country.
        validity: how long delivery is tried.
        report_email: who gets the reports.
        reference: what comes back in every delivery report.
    """

    issuer_name: Annotated[
        str | None, Parameter(env_var="MENSATEK_ISSUER_NAME", help="Who sends, for the certificate.")
    ] = None
    issuer_phone: Annotated[
        str | None, Parameter(env_var="MENSATEK_ISSUER_PHONE", help="A phone to reach the issuer.")
    ] = None
    issuer_tax_id: Annotated[
        str | None, Parameter(env_var="MENSATEK_ISSUER_TAX_ID", help="The issuer's NIF, CIF or NIE.")
    ] = None
    foreign_issuer: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="The issuer's tax id is of another country."),
    ] = False
    validity: Annotated[
        str | None,
        Parameter(help="How long delivery is tried, such as 3d, 12h or 1d6h30m; 20d23h59m at most."),
    ] = None
    report_email: Annotated[str | None, Parameter(help="E-mail address that gets the reports.")] = None
    reference: Annotated[str | None, Parameter(help="Comes back in every delivery report.")] = None


_NO_LEGAL = LegalOptions()


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
    legal: LegalOptions = _NO_LEGAL,
    sender: Sender = None,
    at: At = None,
    encoding: Encoding = "auto",
    price: Price = Decimal(1),
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send one certified text to one phone or several.

    Parameters
    ----------
    to:
        Phones, such as 600000000 or +34600000000.
    """
    from .certified_commands import Letter, send_letter

    letter = Letter(
        text=text, document=attach, contract_type=None, identify=identify, acceptance_days=acceptance_days
    )
    return send_letter(
        letter,
        legal,
        to=to,
        sender=sender,
        at=at,
        encoding=encoding,
        price=price,
        yes=yes,
        json=json,
        account=account,
    )


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
    legal: LegalOptions = _NO_LEGAL,
    sender: Sender = None,
    at: At = None,
    encoding: Encoding = "auto",
    price: Price = Decimal(1),
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send a contract, a PDF, to be signed on the phone.

    Parameters
    ----------
    document:
        The PDF file.
    """
    from .certified_commands import Letter, send_letter

    letter = Letter(
        text=text, document=document, contract_type=contract_type, identify=None, acceptance_days=None
    )
    return send_letter(
        letter,
        legal,
        to=tuple(to),
        sender=sender,
        at=at,
        encoding=encoding,
        price=price,
        yes=yes,
        json=json,
        account=account,
    )


@certified.command
def report(message_id: int, /, *, json: Json = False, account: AccountOptions = _NO_ACCOUNT) -> int:
    """Show where each recipient of a certified text or contract stands.

    Parameters
    ----------
    message_id:
        The message's number, as the send told it.
    """
    from .certified_commands import show_report

    return show_report(message_id, account, json=json)


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
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Download a certificate, or a ZIP of several.

    Parameters
    ----------
    destination:
        The file to write; one that is there is replaced once the new one is complete.
    """
    from .certified_commands import DownloadOptions, fetch_certificates

    return fetch_certificates(
        DownloadOptions(
            destination=destination,
            message_id=message_id,
            phone=phone,
            start=start,
            end=end,
            json=json,
            account=account,
        )
    )
