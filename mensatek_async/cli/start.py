"""`mensatek campaign start`."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import time
from typing import Any

from ..models.recipient import Recipient
from ..sources.text_files import shown
from ..text.template import Template
from .campaign_run import Session, conclude, look, look_on, run_to_the_end
from .campaign_view import viewing
from .documents import legal_of
from .options import DEFAULT_STORE, NO_LEGAL, LegalOptions, Name, RowsOptions, StartOptions
from .output import Exit, Stop
from .sending import Send

_HOURS = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*")
_NO_OPTIONS = StartOptions()


def start(
    name: Name,
    recipients: Name,
    /,
    *,
    rows: RowsOptions,
    options: StartOptions = _NO_OPTIONS,
    legal: LegalOptions = NO_LEGAL,
) -> Exit:
    """Start a campaign, or go on with the one of this name: the same command again loses and doubles nobody.

    Parameters
    ----------
    name:
        Its name in the store.
    recipients:
        The file: CSV, Excel (.xlsx) or JSON Lines; or - for standard input. One of its first rows names the columns.
    """
    hours, extra = parse_hours(options.send_between), _certified(options, legal)
    with ExitStack() as stack:
        send = Send(stack, recipients, rows, legal=extra)
        if rows.dry_run:
            return send.preview()
        store = options.store or (send.temporary_store() if rows.account.sandbox else DEFAULT_STORE)
        progress, connection = look(name, store), send.connect()
        send.agree(connection, progress, "It is there already")
        session = Session(connection, store, send.output, rows.concurrency)
        with (
            viewing(send.output, watch=options.watch) as view,
            session.campaigns() as campaigns,
        ):
            campaign = send.begin(
                campaigns,
                name,
                product="sms" if extra is None else "certified",
                rate=options.rate,
                send_between=hours,
                local_time="recipient" if options.local_time else "spanish",
                max_credits=options.max_credits,
                chunk_size=options.chunk_size,
                anchor=_anchor(options.anchor, send.what.text),
            )
            if options.run:
                run_to_the_end(campaign, view)
            else:
                look_on(campaign, view)
        return conclude(session, name)


def _certified(options: StartOptions, legal: LegalOptions) -> dict[str, Any] | None:
    extra = (options.contract_type, options.identify, options.acceptance_days)
    if options.certified:
        return legal_of(legal, *extra)
    if any(extra):
        raise Stop("--identify, --acceptance-days and --contract-type go with --certified.")
    return None


def parse_hours(text: str | None) -> tuple[time, time] | None:
    """Read two times of day, such as 09:00-21:00.

    Raises:
        Stop: they are none.
    """
    if text is None:
        return None
    try:
        if match := _HOURS.fullmatch(text):
            start, end = (time.fromisoformat(one.zfill(5)) for one in match.groups())
            return start, end
    except ValueError:
        pass
    raise Stop(f"--send-between takes two times of day, such as 09:00-21:00, not {shown(text)}.")


def _anchor(phone: str | None, text: str | Template) -> Recipient | None:
    """Your own phone gets the names of the fields in their place: nobody's data, and the same each time."""
    if phone is None:
        return None
    return Recipient(phone, {} if isinstance(text, str) else {name: name for name in text.fields})
