"""The commands by name. Each is imported when it is called, so that help and the short ones come at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from .._version import __version__
from ..errors import MensatekError
from .output import Output
from .stop import Exit, Stop, code_of

_HELP = """Send texts through the Mensatek API.

Credentials: MENSATEK_API_USER and MENSATEK_API_TOKEN. The token is never an argument: others could see it.

Exit codes: 0 all sent, 1 some not sent, 2 wrong use, 3 refused account, 130 interrupted.
"""

_CAMPAIGN = """Campaigns that are written down: killed at any moment, they go on where they stopped.

Exit codes: 0 all sent so far, 1 some not sent or paused, 2 wrong use, 3 refused account, 130 interrupted.
"""

app = App(name="mensatek", help=_HELP, version=__version__, help_format="plaintext")

# By home and name: its help, of which `mensatek --help` shows the first line.
_COMMANDS = {
    "campaign:campaign": _CAMPAIGN,
    "certified:certified": "Certified texts and their certificates.",
    "certified:contract": "Contracts signed by text.",
    "entries:credits": "Show the credits left.",
    "entries:send": "Send one text to one phone or several.",
    "entries:bulk": "Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.",
    "segments_command:segments": "Show how a text travels and how many texts it is charged as.",
    "local_entries:sandbox": "Run a double of the provider on this machine, with a page to look in, until Ctrl-C.",
    "local_entries:webhooks": "Callbacks of the provider.",
}
for _home, _help in _COMMANDS.items():
    app.command(f"{__package__}.{_home}", name=_home.partition(":")[2], help=_help)


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
