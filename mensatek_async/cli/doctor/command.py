"""`mensatek doctor`: what your account needs other settings for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from attrs import asdict
from cyclopts import Parameter

from ...doctor.checks import CHECKS
from ...doctor.diagnosis import Diagnosis
from ...doctor.doctor import MOST_TEXTS
from ...doctor.listener import port_of
from ...phones import mask, normalise
from ...settings import is_loopback
from ...sync._doctor import examine
from ..account import connect, needs_answer
from ..language import _, reason
from ..options import AccountOptions, Credits, Json, Number, Yes
from ..output import Exit, Output, Stop, credits_text


def doctor(
    *,
    phone: str | None = None,
    listen: int | None = None,
    callback: Annotated[str | None, Parameter(name=("--callback", "--callback-url"))] = None,
    host: str = "127.0.0.1",
    wait: Number = 60.0,
    price: Credits = Decimal(1),
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = AccountOptions(),
) -> Exit:
    """Find out what your account needs other settings for; sends nothing without --phone.

    What this package assumes of the provider is looked at, with at most 3 calls that send nothing.
    Exit codes: 0 all as assumed, 1 something is not, 2 wrong use, 130 interrupted.

    Args:
        phone: Phone of your own that gets at most 3 texts; without it nothing is sent.
        listen: Port to hear callbacks on, where the URL in your panel leads.
        callback: That URL: whether it leads here is tried before any text.
        host: Address to listen on.
        wait: Seconds to wait for callbacks.
        price: Credits a text costs you, for the estimate.
    """
    output = Output(json=json)
    phone = None if phone is None else normalise(phone)
    port = port_of(callback, listen)
    if account.sandbox and callback and not is_loopback(urlsplit(callback).hostname or ""):
        raise Stop("With --sandbox nothing leaves this machine: --callback must be an address of it.")
    asks = phone is not None and needs_answer(account, yes=yes)
    callbacks = port and f"http://127.0.0.1:{port}/"

    def note(what: str) -> None:
        output.note("Looking: {} ...", reason(what))

    with connect(account, callbacks=callbacks or None) as connection:
        if phone is not None and asks:
            cost, each = credits_text(MOST_TEXTS * price), credits_text(price)
            output.confirm(
                "Send at most {} texts to {}, for {} credits at most (at {} a text; the third is cancelled before it "
                "leaves)?",
                *(MOST_TEXTS, mask(phone), cost, each),
            )
        try:
            with connection.client() as client:
                diagnosis = examine(
                    client, phone, listen=listen, callback=callback, host=host, wait=wait, note=note
                )
        except KeyboardInterrupt as interruption:
            output.error("interrupted; what was sent:")
            _show(output, getattr(interruption, "diagnosis", Diagnosis(findings=[])), Exit.INTERRUPTED)
            return Exit.INTERRUPTED
    code = Exit.DONE if diagnosis.ok else Exit.SOME_NOT_SENT
    _show(output, diagnosis, code)
    return code


def _show(output: Output, diagnosis: Diagnosis, code: Exit) -> None:
    """Print the findings, what was sent, and the settings to use."""
    width = max((len(one.check) for one in diagnosis.findings), default=0)
    for one in diagnosis.findings:
        output.say(f"{_('ok') if one.ok else _('NO'):2}  {one.check:{width}}  {reason(one.detail)}")
        if one.advice:
            output.say(f"    {'':{width}}  {reason(one.advice)}")
    unchecked = diagnosis.unchecked if diagnosis.complete else ()
    unseen = {one.name: one.needs for one in CHECKS if one.name in unchecked}
    for needs in dict.fromkeys(unseen.values()):
        names = ", ".join(name for name, its in unseen.items() if its == needs)
        output.say("Not looked at: {} ({})." if needs else "Not looked at: {}.", names, f"--{needs}")
    for line in [reason(text) for text in diagnosis.texts] or [_("Nothing was sent.")]:
        output.say(line)
    if diagnosis.settings:
        output.say("Use these settings:")
        for line in (diagnosis.python, *diagnosis.environment):
            output.say(f"  {line}")
    elif diagnosis.ok:
        output.say("No setting has to be changed.")
    output.answer(
        {
            "ok": diagnosis.ok,
            "complete": diagnosis.complete,
            "findings": [asdict(one) for one in diagnosis.findings],
            "unchecked": diagnosis.unchecked,
            "texts": diagnosis.texts,
            "settings": dict(diagnosis.settings),
            "environment": diagnosis.environment,
            "exit_code": int(code),
        }
    )
