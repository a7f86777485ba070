"""`mensatek files`: the library of files that messages carry."""

from __future__ import annotations

from cyclopts import App

from .account import call, connect
from .language import _
from .options import CallOptions, Name, Yes
from .output import Output, can_ask

files = App(name="files", help_format="plaintext")


@files.default
@files.command(name="list")
def list_files(*, options: CallOptions = CallOptions()) -> None:
    """List the files in the library."""
    output = Output(json=options.json)
    listed = call(options, lambda client: client.files.list())
    for one in listed:
        when = f"{one.uploaded_at:%Y-%m-%d %H:%M}" if one.uploaded_at else "-" * 16
        output.say(f"{when}  {one.name}")
    if not listed:
        output.say("The library is empty.")
    names = ("name", "extension", "uploaded_at")
    output.answer({"files": [{name: getattr(one, name) for name in names} for one in listed]})


@files.command
def upload(file: Name, /, *, name: str | None = None, options: CallOptions = CallOptions()) -> None:
    """Put a file into the library; one of the same name is replaced.

    Args:
        file: The file, such as contrato.pdf.
        name: Its name in the library, 15 letters and digits at most; default: the file's own.
    """
    output = Output(json=options.json)
    stored = call(options, lambda client: client.files.upload(file, name=name))
    output.say("In the library as {}.", stored.name)
    output.answer({"name": stored.name, "extension": stored.extension})


@files.command(name="delete")
def delete_file(name: str, /, *, yes: Yes = False, options: CallOptions = CallOptions()) -> None:
    """Delete a file from the library.

    Args:
        name: Its name in the library.
    """
    output = Output(json=options.json)
    with connect(options) as connection:
        if not yes and can_ask():
            output.confirm("Delete {}?", name, otherwise=_("It was not deleted."))
        connection.do(lambda client: client.files.delete(name))
    output.say("{} was deleted.", name)
    output.answer({"name": name, "deleted": True})
