"""The commands and their options. What they do is imported when they run, so that help comes at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from .._version import __version__
from ..errors import MensatekError
from .account import AccountOptions
from .campaign import campaign
from .certified import certified, contract
from .options import At, Encoding, Json, Price, Sender, Yes
from .output import Output
from .sandbox_options import SandboxOptions
from .stop import Exit, Stop, code_of

_HELP = """Send texts through the Mensatek API.

Credentials: MENSATEK_API_USER and MENSATEK_API_TOKEN. The token is never an argument: others could see it.

Exit codes: 0 all sent, 1 some not sent, 2 wrong use, 3 refused account, 130 interrupted.
"""

app = App(name="mensatek", help=_HELP, version=__version__, help_format="plaintext")

_NO_ACCOUNT = AccountOptions()
_DEFAULTS = SandboxOptions()

app.command(campaign)
app.command(certified)
app.command(contract)


@app.command
def credits(*, json: Json = False, account: AccountOptions = _NO_ACCOUNT) -> int:
    """Show the credits left."""
    from .commands import show_credits

    return show_credits(account, json=json)


@app.command
def send(
    *to: str,
    text: Annotated[str, Parameter(help="The text.")],
    sender: Sender = None,
    at: At = None,
    encoding: Encoding = "auto",
    price: Price = Decimal(1),
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send one text to one phone or several.

    Parameters
    ----------
    to:
        Phones, such as 600000000 or +34600000000.
    """
    from .commands import SendOptions, send_text

    return send_text(
        SendOptions(
            to=to,
            text=text,
            sender=sender,
            at=at,
            encoding=encoding,
            price=price,
            yes=yes,
            json=json,
            account=account,
        )
    )


@app.command
def bulk(
    recipients: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: Annotated[
        str, Parameter(help="The text; {Column} is replaced by each row's cell, {phone} by its phone.")
    ],
    sender: Sender = None,
    at: At = None,
    dry_run: Annotated[
        bool, Parameter(negative="", show_default=False, help="Read and check everything, send nothing.")
    ] = False,
    json: Json = False,
    report: Annotated[str | None, Parameter(help="CSV file to write what became of each row.")] = None,
    yes: Yes = False,
    phone: Annotated[
        str | None, Parameter(help="The phone's column, by name or number; default: found by its name.")
    ] = None,
    delimiter: Annotated[
        str | None, Parameter(help="What separates the cells of a CSV; default: found out.")
    ] = None,
    sheet: Annotated[
        str | None, Parameter(help="The spreadsheet's sheet, by name or number; default: the first.")
    ] = None,
    rows: Annotated[
        str | None, Parameter(help="Only these rows, such as 2-500,700,1022- (the first is 1).")
    ] = None,
    encoding: Encoding = "auto",
    price: Price = Decimal(1),
    concurrency: Annotated[int, Parameter(help="Requests at once, 1 to 64.")] = 8,
    per_second: Annotated[float | None, Parameter(help="Requests a second at most.")] = None,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.

    Parameters
    ----------
    recipients:
        The file, or - for standard input. Its first row names the columns.
    """
    from .bulk_command import BulkOptions, run_bulk

    return run_bulk(
        BulkOptions(
            recipients=recipients,
            text=text,
            sender=sender,
            at=at,
            dry_run=dry_run,
            json=json,
            report=report,
            yes=yes,
            phone=phone,
            delimiter=delimiter,
            sheet=sheet,
            rows=rows,
            encoding=encoding,
            price=price,
            concurrency=concurrency,
            per_second=per_second,
            account=account,
        )
    )


@app.command
def segments(
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    encoding: Encoding = "auto",
    json: Json = False,
) -> int:
    """Show how a text travels and how many texts it is charged as.

    Parameters
    ----------
    text:
        The text as its recipient gets it.
    """
    from .commands import show_segments

    return show_segments(text, encoding, json=json)


@app.command
def sandbox(*, options: SandboxOptions = _DEFAULTS) -> int:
    """Run a double of the provider on this machine, with a page to look in, until Ctrl-C."""
    from .sandbox_command import run_sandbox

    return run_sandbox(options)


webhooks = App(name="webhooks", help="Callbacks of the provider.", help_format="plaintext")
app.command(webhooks)


@webhooks.command
def listen(
    *,
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    username: Annotated[str | None, Parameter(help="HTTP Basic user that callers must give.")] = None,
    password_file: Annotated[str | None, Parameter(help="File that holds its password.")] = None,
    token_file: Annotated[
        str | None, Parameter(help="File that holds what the URL's parameter token must be.")
    ] = None,
    allow_unauthenticated: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Take callbacks from anybody; on this machine the default."
        ),
    ] = False,
    json: Annotated[
        bool, Parameter(negative="", show_default=False, help="Print one JSON object a line for each event.")
    ] = False,
) -> int:
    """Print callbacks as they come, until Ctrl-C: for development."""
    from .webhooks import ListenOptions
    from .webhooks import listen as run_listen

    return run_listen(
        ListenOptions(
            port=port,
            host=host,
            username=username,
            password_file=password_file,
            token_file=token_file,
            allow_unauthenticated=allow_unauthenticated,
            json=json,
        )
    )


def run(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: what follows the program's name.

    Returns:
        The exit code.
    """
    # Our log lines are for programs; here the summary tells, and what no handler takes would go to the terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    output = Output()
    try:
        answer = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        output.error(f"{_one_line(error)}\nSee: mensatek --help")
        return Exit.WRONG_USE
    except Stop as stop:
        output.error(stop.message)
        return stop.code
    except MensatekError as error:
        output.error(str(error))
        return code_of(error)
    except KeyboardInterrupt:
        output.error("interrupted; nothing was sent.")
        return Exit.INTERRUPTED
    return answer if isinstance(answer, int) else Exit.DONE


def _one_line(error: CycloptsError) -> str:
    return " ".join(str(error).split())
