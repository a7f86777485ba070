"""`mensatek files`: the library of files that messages can carry."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from .account import connect
from .options import AccountOptions, Json, Yes
from .output import Output, can_ask
from .stop import Exit

files = App(name="files", help_format="plaintext")

_NO_ACCOUNT = AccountOptions()


@files.default
@files.command(name="list")
def list_files(*, json: Json = False, account: AccountOptions = _NO_ACCOUNT) -> Exit:
    """List the files in the library."""
    output = Output(json=json)
    with connect(account, output) as connection:
        found = connection.do(lambda client: client.files.list())
    for one in found:
        when = f"{one.uploaded_at:%Y-%m-%d %H:%M}" if one.uploaded_at else "-" * 16
        output.say(f"{when}  {one.name}")
    if not found:
        output.say("The library is empty.")
    output.answer(
        {
            "files": [
                {
                    "name": one.name,
                    "extension": one.extension,
                    "uploaded_at": one.uploaded_at and one.uploaded_at.isoformat(),
                }
                for one in found
            ]
        }
    )
    return Exit.DONE


@files.command
def upload(
    file: Annotated[str, Parameter(allow_leading_hyphen=True, help="The file, such as contrato.pdf.")],
    /,
    *,
    name: Annotated[
        str | None,
        Parameter(help="Its name in the library, 15 letters and digits at most; default: the file's own."),
    ] = None,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> Exit:
    """Put a file into the library; one of the same name is replaced."""
    output = Output(json=json)
    with connect(account, output) as connection:
        stored = connection.do(lambda client: client.files.upload(file, name=name))
    output.say(f"In the library as {stored.name}.")
    output.answer({"name": stored.name, "extension": stored.extension})
    return Exit.DONE


@files.command(name="delete")
def delete_file(
    name: Annotated[str, Parameter(help="Its name in the library.")],
    /,
    *,
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> Exit:
    """Delete a file from the library."""
    output = Output(json=json)
    with connect(account, output) as connection:
        if not yes and can_ask():
            output.confirm(f"Delete {name}?", otherwise="It was not deleted.")
        connection.do(lambda client: client.files.delete(name))
    output.say(f"{name} was deleted.")
    output.answer({"name": name, "deleted": True})
    return Exit.DONE
