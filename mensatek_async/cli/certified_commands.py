"""What the commands for certified texts and contracts do; the sending itself is that of `mensatek send`."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
from attrs import field, frozen

from ..errors import MensatekError
from ..models.certified import Download
from ..models.issuer import Issuer
from ..models.results import MessageReport
from ..sources.text_files import reason_of, shown
from ..text import elements
from .account import AccountOptions, connect, parse_when
from .certified import LegalOptions
from .commands import SendOptions, send_text
from .output import Output, plural
from .stop import Exit, Stop, stop_for

_DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")


@frozen(kw_only=True)
class Letter:
    """What is sent certified: its text, its PDF, and how its recipient has to deal with it."""

    text: str = field(repr=False)
    document: str | None
    contract_type: int | None
    identify: str | None
    acceptance_days: int | None


def send_letter(letter: Letter, legal: LegalOptions, **options: Any) -> Exit:
    """Send it and tell what the provider said.

    Args:
        letter: what to send.
        legal: the options that certified texts have.
        options: those of `mensatek send`.

    Raises:
        Stop: it cannot be sent; nothing was.
    """
    try:
        text = letter.text
        if letter.document is not None:
            text = f"{text} {elements.pdf(_content(letter.document))}"
        given = {
            "issuer": issuer_of(legal),
            "contract_type": letter.contract_type,
            "validity": parse_duration(legal.validity),
            "identify": letter.identify,
            "acceptance_days": letter.acceptance_days,
            "report_email": legal.report_email,
        }
    except MensatekError as error:
        raise stop_for(error) from None
    return send_text(SendOptions(text=text, reference=legal.reference, legal=given, **options))


def parse_duration(text: str | None) -> timedelta | None:
    """A duration such as 3d, 12h or 1d6h30m.

    Raises:
        Stop: it is none.
    """
    if text is None:
        return None
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise Stop(f"--validity takes days, hours and minutes, such as 1d6h30m, not {shown(text)}.")
    days, hours, minutes = (int(number or 0) for number in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def issuer_of(legal: LegalOptions) -> Issuer:
    """Who sends, for the certificate.

    Raises:
        Stop: something of it was not given, or is wrong.
    """
    missing = [
        option
        for option, value in (
            ("--issuer-name", legal.issuer_name),
            ("--issuer-phone", legal.issuer_phone),
            ("--issuer-tax-id", legal.issuer_tax_id),
        )
        if not value
    ]
    if missing:
        raise Stop(
            f"A certificate names who sends: {', '.join(missing)} not given.\n"
            "MENSATEK_ISSUER_NAME, MENSATEK_ISSUER_PHONE and MENSATEK_ISSUER_TAX_ID do as well."
        )
    try:
        return Issuer(
            legal.issuer_name or "",
            legal.issuer_phone or "",
            legal.issuer_tax_id or "",
            check=not legal.foreign_issuer,
        )
    except MensatekError as error:
        raise stop_for(error) from None


def _content(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(elements.MAX_PDF + 1)
    except (OSError, ValueError) as error:
        raise Stop(f"The PDF {shown(path)} cannot be read: {reason_of(error)}.") from None


def show_report(message_id: int, account: AccountOptions, *, json: bool) -> Exit:
    """Print where each recipient stands."""
    output = Output(json=json)
    with connect(account, output) as connection:

        async def ask() -> MessageReport:
            async with connection.client() as client:
                return await client.certified.report(message_id)

        try:
            report = anyio.run(ask)
        except MensatekError as error:
            raise stop_for(error) from None
    for one in report.recipients:
        ready = "; certificate ready" if one.status.is_certified else ""
        when = f"{one.reported_at:%Y-%m-%d %H:%M:%S}" if one.reported_at else "-" * 19
        output.say(f"{one.phone}  {when}  {one.status.code}  {one.status.label_en}{ready}")
    output.answer(
        {
            "message_id": report.message_id,
            "recipients": [
                {
                    "phone": one.phone,
                    "status": one.status.code,
                    "label": one.status.label_en,
                    "phase": one.status.phase.value,
                    "final": one.status.is_final,
                    "certified": one.status.is_certified,
                    "reported_at": one.reported_at and one.reported_at.isoformat(),
                }
                for one in report.recipients
            ],
        }
    )
    return Exit.DONE


@frozen(kw_only=True)
class DownloadOptions:
    """What the user asked for; `mensatek certified download --help` tells what each means."""

    destination: str
    message_id: int | None
    phone: str | None
    start: str | None
    end: str | None
    json: bool
    account: AccountOptions


def fetch_certificates(options: DownloadOptions) -> Exit:
    """Download, and tell what came."""
    output = Output(json=options.json)
    start, end = parse_when(options.start, "--start"), parse_when(options.end, "--end")
    with connect(options.account, output) as connection:

        async def fetch() -> Download:
            async with connection.client() as client:
                return await client.certified.download(
                    options.destination,
                    message_id=options.message_id,
                    phone=options.phone,
                    start=start,
                    end=end,
                )

        try:
            done = anyio.run(fetch)
        except MensatekError as error:
            raise stop_for(error) from None
        except OSError as error:
            raise Stop(f"{shown(options.destination)} cannot be written: {reason_of(error)}.") from None
    kind = "PDF" if done.media_type == "application/pdf" else "ZIP"
    output.say(f"{kind}, {plural(done.size, 'byte')}: {shown(options.destination)}")
    output.answer({"path": str(done.path), "media_type": done.media_type, "size": done.size})
    return Exit.DONE
