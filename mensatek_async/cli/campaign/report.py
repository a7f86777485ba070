"""`mensatek campaign report`: a page to look at and to print."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ...sources.text_files import shown
from ..language import spoken
from ..options import Credits, Flag, Name, StoreOptions
from ..output import Output
from .run import offline


def report(
    name: Name,
    file: Name,
    /,
    *,
    price: Annotated[Credits | None, Parameter(name=("--price", "--euros"))] = None,
    with_phones: Flag = False,
    force: Flag = False,
    options: StoreOptions = StoreOptions(),
) -> None:
    """Write a page to look at and to print: what was sent, what became of it and what to do. Needs no account.

    Args:
        file: The file to write, such as navidad.html; an earlier report is overwritten.
        price: Euros that a credit costs you, such as 0.05: the page is in euros too.
        with_phones: Write phones out; without it each shows its first three and last two digits.
        force: Overwrite a file that is no report.
    """
    output, lang = Output(json=options.json), spoken().code
    with offline(options.store) as campaigns:
        campaigns.get(name).report(file, lang=lang, price=price, with_phones=with_phones, force=force)
    output.say("Report: {}", shown(file, 300))
    output.answer({"path": file})
