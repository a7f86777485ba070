"""`mensatek segments`: how a text travels and what it is charged as."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ..errors import MensatekError
from ..text.segments import segments as count
from .options import Encoding, Json
from .output import Output, plural
from .stop import Exit, stop_for


def segments(
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    encoding: Encoding = "auto",
    json: Json = False,
) -> Exit:
    """Show how a text travels and how many texts it is charged as.

    Parameters
    ----------
    text:
        The text as its recipient gets it.
    """
    output = Output(json=json)
    try:
        found = count(text, encoding)
    except MensatekError as error:
        raise stop_for(error) from None
    name = "GSM" if found.encoding == "gsm" else "Unicode"
    if not json:
        output.say(
            f"{plural(found.segments, 'text')}, {name}: {found.characters} units used, {found.remaining} free."
        )
        if found.replaced:
            output.say(f"Sent as their plain letter: {' '.join(found.replaced)}")
        if found.lost:
            output.say(f"Lost in GSM: {' '.join(found.lost)}")
    output.answer(
        {
            "segments": found.segments,
            "encoding": found.encoding,
            "characters": found.characters,
            "remaining": found.remaining,
            "replaced": list(found.replaced),
            "lost": list(found.lost),
        }
    )
    return Exit.DONE
